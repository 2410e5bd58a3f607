"""What the components of schemes declare, as a file: whoever only reads, checks or shows schemes needs no torch.

`register_components` takes the declarations from the file and imports a function when it is first called. The file names
the sources that it was made from; when they have changed, the components are imported instead, which takes a few seconds.

    python -m qurd_core.catalogue

writes it anew.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import Parameter as Signature
from pathlib import Path
from typing import Any

from qurd_core import registry
from qurd_core.access import Access
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, note, publish, read_json
from qurd_core.registry import Component, Parameter, Range

HERE = Path(__file__).parent
PATH = ASSETS / "components.json"
PACKAGES = ("samplers", "representations", "detectors")
KINDS = (registry.seed_rules, registry.crafts, registry.representations, registry.detectors)
FEATURES = ("provides", "drops", "needs")
CALLS = "calls"  # marks a function among the values that only one kind declares
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
    """Fill the registries of seed rules, crafts, representations and detectors, those of other packages included."""
    found = _declared()
    if found is None:
        import_components()
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
    files = [path for package in PACKAGES for path in sorted((HERE / package).rglob("*.py"))]
    sha = hashlib.sha256()
    for path in (HERE / "registry.py", HERE / "access.py", Path(__file__), *files):
        sha.update(f"{path.relative_to(HERE).as_posix()}\n{path.read_text('utf-8')}\n".encode())
    return sha.hexdigest()


def _declared() -> dict[str, list[Component]] | None:
    """The components as the file declares them; None if there is none, it was altered, or it is not of these sources."""
    try:
        found = read_json(PATH)
    except (OSError, QurdError):
        return None
    if not isinstance(found, dict) or found.pop("sources", None) != sources():
        return None
    return {kind: [_read(kind, one) for one in rows] for kind, rows in found.items()}


def _is_ours(component: Component) -> bool:
    return component.function.__module__.startswith(tuple(f"qurd_core.{package}." for package in PACKAGES))


def _written(component: Component) -> dict[str, Any]:
    extra = {name: _plain(value) for name, value in component.extra.items()}
    return {
        "name": component.name,
        "function": _place(component.function),
        "help": component.help,
        "parameters": [_written_parameter(parameter) for parameter in component.parameters.values()],
        "version": component.version,
        **{feature: sorted(getattr(component, feature)) for feature in FEATURES},
        "group": component.group,
        "nested": component.nested,
        "vary": list(component.vary),
        "extra": extra,
    }


def _read(kind: str, found: dict[str, Any]) -> Component:
    features = {feature: frozenset(found[feature]) for feature in FEATURES}
    parameters = {one["name"]: _read_parameter(one) for one in found["parameters"]}
    extra = {name: _restored(name, value) for name, value in found["extra"].items()}
    rest = {"function": Elsewhere(*found["function"], found.pop("help")), "vary": tuple(found["vary"])}
    return Component(**found | features | rest | {"kind": kind, "parameters": parameters, "extra": extra})


def _written_parameter(parameter: Parameter) -> dict[str, Any]:
    default = {} if parameter.required else {"default": parameter.default}
    limits = {"range": [parameter.range.low, parameter.range.high]} if parameter.range else {}
    return {"name": parameter.name, "type": parameter.type.__name__, "choices": parameter.choices, **default, **limits}


def _read_parameter(found: Mapping[str, Any]) -> Parameter:
    limits = Range(*found["range"]) if "range" in found else None
    default = found.get("default", Signature.empty)
    return Parameter(found["name"], TYPES[found["type"]], default, limits, tuple(found["choices"]))


def _plain(value: Any) -> Any:
    """What a kind of its own declares, as a JSON value."""
    if isinstance(value, Access):
        return value.name
    return {CALLS: _place(value)} if callable(value) else value


def _restored(name: str, value: Any) -> Any:
    if name == "access":
        return Access[value]
    return Elsewhere(*value[CALLS]) if isinstance(value, dict) and CALLS in value else value


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__name__


if __name__ == "__main__":
    note([publish(PATH, (json.dumps(declarations(), indent=1) + "\n").encode())])
