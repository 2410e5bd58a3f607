"""Components are functions; the signature is the form, the command line, the canonical text, the key and the help.

A decorator registers a function with what it declares (see `declarations`). `discover` imports every module of a
package, and every module that another package names in the entry-point group `qurd.components`, so adding a component is
adding a file.
"""

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Annotated, Any, Generic, Literal, get_args, get_origin, get_type_hints

from qurd_core.access import Access
from qurd_core.declarations import (
    OUTPUTS,
    Craft,
    D,
    Detector,
    Obfuscation,
    Offer,
    Origin,
    Representation,
    SeedRule,
    Theft,
    declaration,
)
from qurd_core.errors import QurdError, doing, unknown
from qurd_core.grammar import Call, Value, format_value


@dataclass(frozen=True)
class Range:
    """The values that a number may take, both ends included: `Annotated[float, Range(0, 1)]`."""

    low: float
    high: float


@dataclass(frozen=True)
class Parameter:
    """One keyword-only parameter of a component, read from its signature.

    Attributes:
        default: `inspect.Parameter.empty` where a value must be given.
        choices: the words or numbers allowed, or empty for any value of the type.
    """

    name: str
    type: type
    default: Any
    range: Range | None = None
    choices: tuple[Value, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    def check(self, component: str, value: Value) -> Value:
        """The value in the parameter's own type, or a sentence that says what it must be."""
        wanted = f"The '{self.name}' of '{component}' must be"
        if self.choices:
            if value not in self.choices:
                raise QurdError(f"{wanted} one of {', '.join(map(str, self.choices))}. Got {value!r}.")
            return value
        whole = isinstance(value, float) and value.is_integer()
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        elif self.type is int and whole:
            value = int(value)
        if type(value) is not self.type:
            raise QurdError(f"{wanted} of type {self.type.__name__}. Got {value!r}.")
        if self.range and not self.range.low <= value <= self.range.high:
            raise QurdError(f"{wanted} between {self.range.low:g} and {self.range.high:g}. Got {value!r}.")
        return value


@dataclass(frozen=True)
class Component(Generic[D]):
    """A registered function with what it declares.

    Attributes:
        kind: `"seed rule"`, `"craft"`, `"representation"`, `"detector"`, `"origin"` (a first training),
            `"theft"`, `"obfuscation"` or `"benchmark"`.
        declares: what others need to know of it.
        version: bumped by hand when its numbers change; part of every key, as no declaration is.
    """

    kind: str
    name: str
    function: Callable[..., Any]
    parameters: Mapping[str, Parameter]
    declares: D
    version: int = 1

    @property
    def help(self) -> str:
        """The first line of the docstring."""
        return inspect.getdoc(self.function).partition("\n")[0]

    def bind(self, call: Call) -> dict[str, Value]:
        """Every parameter with its value for this call: positional values in signature order, then names, then defaults."""
        if len(call.args) > len(self.parameters):
            raise QurdError(f"'{self.name}' takes at most {len(self.parameters)} values. Got {len(call.args)} in '{call}'.")
        given = dict(zip(self.parameters, call.args, strict=False))
        for key, value in call.options:
            if key not in self.parameters:
                raise unknown(f"parameter of '{self.name}'", key, self.parameters)
            if key in given:
                raise QurdError(f"'{key}' is given twice in '{call}'. Keep one.")
            given[key] = value
        missing = [name for name, parameter in self.parameters.items() if parameter.required and name not in given]
        if missing:
            choices = " or ".join(map(str, self.parameters[missing[0]].choices)) or "a value"
            raise QurdError(f"'{self.name}' needs '{missing[0]}': {choices}. Got '{call}'.")
        return {
            name: parameter.check(self.name, given[name]) if name in given else parameter.default
            for name, parameter in self.parameters.items()
        }

    def call(self, values: Mapping[str, Value]) -> Call:
        """The canonical call: required values first without their names, then what differs from its default."""
        required = tuple(values[name] for name, parameter in self.parameters.items() if parameter.required)
        options = tuple(
            (name, values[name])
            for name, parameter in self.parameters.items()
            if not parameter.required and values[name] != parameter.default
        )
        return Call(self.name, required, options)

    def variants(self) -> Iterator[Call]:
        """Every call that the enumeration of schemes goes through, in canonical form."""
        axes = {name: p.choices for name, p in self.parameters.items() if p.required or name in self.declares.vary}
        defaults = {name: p.default for name, p in self.parameters.items()}
        for values in itertools.product(*axes.values()):
            yield self.call(defaults | dict(zip(axes, values, strict=True)))

    def access(self, values: Mapping[str, Value]) -> Access:
        """What the suspect must reveal. A parameter named `of` chooses the outputs, and with them the level; of the most
        probable classes the first alone is the label.
        """
        if values.get(self.declares.counts_classes) == 1:
            return Access.LABELS
        return Access[str(values[OUTPUTS]).upper()] if OUTPUTS in values else self.declares.access

    def group_size(self, values: Mapping[str, Value]) -> int:
        """Queries of one group: a pair has 2, a LIME image as many as it has masks."""
        group = self.declares.group
        return values[group] if isinstance(group, str) else group


class Registry(Generic[D]):
    """The components of one kind, by name.

    Args:
        kind: in words.
        declares: the declarations that the kind has.
    """

    def __init__(self, kind: str, declares: type[D]):
        self.kind, self.declares = kind, declares
        self._components: dict[str, Component[D]] = {}

    def register(
        self, *, name: str | None = None, version: int = 1, **declared: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """The decorator that registers a function, under its own name unless one is given.

        Args:
            declared: the attributes of the kind in `declarations`.

        Raises:
            QurdError: a word that the kind does not declare, or a value that is none for it.
        """

        def add(function: Callable[..., Any]) -> Callable[..., Any]:
            token = name or function.__name__
            if not inspect.getdoc(function):
                raise QurdError(f"The {self.kind} '{token}' needs a docstring: its first line is its help.")
            parameters = parameters_of(function)
            with doing(f"registering the {self.kind} '{token}'"):
                found = declaration(self.declares, declared, parameters, also=("name", "version"))
            self.declare(Component(self.kind, token, function, parameters, found, version))
            return function

        return add

    def declare(self, component: Component[D]) -> None:
        """Add a component, in place of an earlier declaration of the same module.

        Raises:
            QurdError: another module has one of this name, or another craft sends the seed images as they are.
        """
        known, home = self._components.get(component.name), component.function.__module__
        if known and known.function.__module__ != home:
            raise QurdError(f"Two {self.kind}s are named '{component.name}': in {known.function.__module__} and in {home}.")
        every = {**self._components, component.name: component}
        natural = [name for name, one in every.items() if getattr(one.declares, "natural", False)]
        if len(natural) > 1:
            raise QurdError(f"Only one craft can be the natural one, which is not written. Got {' and '.join(natural)}.")
        self._components[component.name] = component

    def __getitem__(self, name: str) -> Component[D]:
        if name not in self._components:
            raise unknown(self.kind, name, self._components)
        return self._components[name]

    def canonical(self, call: Call) -> Call:
        """A call in canonical form, however it was written."""
        component = self[call.name]
        return component.call(component.bind(call))

    def identity(self, call: Call) -> dict[str, Value]:
        """What of a call changes its results: every parameter written out, and the version."""
        component = self[call.name]
        written = ",".join(f"{name}={format_value(value)}" for name, value in component.bind(call).items())
        return {self.kind: f"{call.name}({written})", f"{self.kind} version": component.version}

    def bound(self, call: Call) -> Callable[..., Any]:
        """The function of a call with its parameters: what it still takes is data."""
        component = self[call.name]
        return partial(component.function, **component.bind(call))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._components))

    def __contains__(self, name: str) -> bool:
        return name in self._components


seed_rules = Registry("seed rule", SeedRule)
crafts = Registry("craft", Craft)
representations = Registry("representation", Representation)
detectors = Registry("detector", Detector)
origins = Registry("origin", Origin)
thefts = Registry("theft", Theft)
obfuscations = Registry("obfuscation", Obfuscation)
benchmarks = Registry("benchmark", Offer)


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The keyword-only parameters of a function, in signature order."""
    hints = get_type_hints(function, include_extras=True)
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        hint, limits = hints[name], None
        if get_origin(hint) is Annotated:
            hint, limits = get_args(hint)
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        found[name] = Parameter(name, type(choices[0]) if choices else hint, parameter.default, limits, choices)
    return found


def discover(package: str, path: Iterable[str]) -> None:
    """Import every module below a package in sorted order. An import error stops the program: it is a fault, no choice."""
    for found in pkgutil.walk_packages(path, f"{package}."):
        importlib.import_module(found.name)


@cache
def discover_installed() -> None:
    """Import the modules that other installed packages name in the entry-point group `qurd.components`, once."""
    for point in sorted(entry_points(group="qurd.components"), key=lambda point: point.name):
        point.load()
