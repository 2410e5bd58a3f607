"""What the components of schemes, and obfuscations, declare, as a file: whoever only reads or shows them needs no torch.

`register_components` takes the declarations from a file and imports a function when it is first called. Every such file
names the sources that it was made from, and is believed only where they are still the same. There are two:

* `assets/components.json` ships, with its digest among those of what ships. No run of the program writes it.
* Where a component was added or changed since, the first start imports all of them, which takes a few seconds, and keeps
  what they declare where Python keeps what it made of the same sources, in `__pycache__`; later starts read that. So nobody
  has to do anything after a change, and what ships stays as it was, digest and all, until somebody means to ship it:

    python -m qurd_core.catalogue

writes the shipped one anew.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields
from importlib import import_module
from importlib.util import cache_from_source
from inspect import Parameter as Signature
from pathlib import Path
from typing import Any

from qurd_core import registry
from qurd_core.access import Access
from qurd_core.declarations import Declaration
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, note, publish, read_json, write_json
from qurd_core.registry import Component, Parameter, Range, Registry

HERE = Path(__file__).parent
PATH = ASSETS / "components.json"
KEPT = Path(cache_from_source(__file__)).with_name("components.json")
PACKAGES = ("samplers", "representations", "detectors", "benchmarks.obfuscations")
VOCABULARY = ("registry.py", "declarations.py", "access.py", "catalogue.py")
KINDS = (registry.seed_rules, registry.crafts, registry.representations, registry.detectors, registry.obfuscations)
CALLS, ACCESS = "calls", "access"  # mark a function, and a level of access, among the values that are declared
TYPES = {kind.__name__: kind for kind in (bool, int, float, str)}


class Elsewhere:
    """A function of another module, imported when it is called.

    Args:
        module, name: where it is.
        doc: the first line of its docstring, if somebody wants it.
    """

    def __init__(self, module: str, name: str, doc: str = ""):
        self.__module__, self.__name__, self.__doc__ = module, name, doc

    def __call__(self, *args: Any, **named: Any) -> Any:
        return getattr(import_module(self.__module__), self.__name__)(*args, **named)


def register_components() -> None:
    """Fill the registries of components that are told in words, those of other packages included: see `KINDS`."""
    made_from = sources()
    found = _declared(PATH, made_from) or _declared(KEPT, made_from)
    if found is None:
        declared = declarations()
        with suppress(OSError):  # whoever may not write there imports them again
            write_json(KEPT, declared)
    else:
        for kind in KINDS:
            for component in found[kind.kind]:
                kind.declare(component)
    registry.discover_installed()


def import_components() -> None:
    """Fill the registries with the functions themselves."""
    for package in PACKAGES:
        import_module(f"qurd_core.{package}")


def declarations() -> dict[str, Any]:
    """What the components of this project declare, as JSON values, and the sources that say so."""
    import_components()
    ours = {kind.kind: [kind[name] for name in kind if _is_ours(kind[name])] for kind in KINDS}
    return {"sources": sources(), **{kind: [_written(component) for component in rows] for kind, rows in ours.items()}}


def sources() -> str:
    """SHA-256 over every file that a declaration depends on."""
    files = [path for package in PACKAGES for path in sorted(HERE.joinpath(*package.split(".")).rglob("*.py"))]
    sha = hashlib.sha256()
    for path in (*(HERE / name for name in VOCABULARY), *files):
        sha.update(f"{path.relative_to(HERE).as_posix()}\n{path.read_text('utf-8')}\n".encode())
    return sha.hexdigest()


def _declared(path: Path, made_from: str) -> dict[str, list[Component]] | None:
    """The components as a file declares them; None if there is none, it was altered, or it is not of these sources."""
    try:
        found = read_json(path)
    except (OSError, QurdError):
        return None
    if not isinstance(found, dict) or found.pop("sources", None) != made_from:
        return None
    return {kind.kind: [_read(kind, one) for one in found[kind.kind]] for kind in KINDS}


def _is_ours(component: Component) -> bool:
    return component.function.__module__.startswith(tuple(f"qurd_core.{package}." for package in PACKAGES))


def _written(component: Component) -> dict[str, Any]:
    says = component.declares
    said = {one.name: getattr(says, one.name) for one in fields(says) if getattr(says, one.name) != _usual(one)}
    return {
        "name": component.name,
        "function": _place(component.function),
        "help": component.help,
        "parameters": [_written_parameter(parameter) for parameter in component.parameters.values()],
        "version": component.version,
        "declares": {name: _plain(value) for name, value in said.items()},
    }


def _read(kind: Registry, found: Mapping[str, Any]) -> Component:
    return Component(
        kind.kind,
        found["name"],
        Elsewhere(*found["function"], found["help"]),
        {one["name"]: _read_parameter(one) for one in found["parameters"]},
        kind.declares(**{name: _restored(kind.declares, name, value) for name, value in found["declares"].items()}),
        found["version"],
    )


def _written_parameter(parameter: Parameter) -> dict[str, Any]:
    default = {} if parameter.required else {"default": parameter.default}
    limits = {"range": [parameter.range.low, parameter.range.high]} if parameter.range else {}
    return {"name": parameter.name, "type": parameter.type.__name__, "choices": parameter.choices, **default, **limits}


def _read_parameter(found: Mapping[str, Any]) -> Parameter:
    limits = Range(*found["range"]) if "range" in found else None
    default = found.get("default", Signature.empty)
    return Parameter(found["name"], TYPES[found["type"]], default, limits, tuple(found["choices"]))


def _plain(value: Any) -> Any:
    """What is declared, as a JSON value."""
    if isinstance(value, Access):
        return {ACCESS: value.name}
    if callable(value):
        return {CALLS: _place(value)}
    return sorted(value) if isinstance(value, frozenset) else value


def _restored(declares: type[Declaration], name: str, value: Any) -> Any:
    if isinstance(value, dict) and ACCESS in value:
        return Access[value[ACCESS]]
    if isinstance(value, dict) and CALLS in value:
        return Elsewhere(*value[CALLS])
    usual = next(_usual(one) for one in fields(declares) if one.name == name)
    return type(usual)(value) if isinstance(value, list) else value


def _usual(one: Field) -> Any:
    """What a component declares that says nothing of it."""
    return one.default if one.default_factory is MISSING else one.default_factory()


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__name__


if __name__ == "__main__":
    note([publish(PATH, (json.dumps(declarations(), indent=1) + "\n").encode())])
