"""The command that writes the one file that adds a component: its docstring, its contract, and a body to start from."""

import keyword
import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from qurd_core.errors import QurdError, unknown

KINDS = {  # kind of component -> where this program has its own, below `qurd_core`
    "seed-rule": "samplers/seeds",
    "craft": "samplers/crafts",
    "representation": "representations",
    "detector": "detectors",
    "theft": "benchmarks/thefts",
    "obfuscation": "benchmarks/obfuscations",
}


def new(
    kind: Annotated[str, typer.Argument(help="seed-rule, craft, representation, detector, theft or obfuscation.")],
    name: Annotated[str, typer.Argument(help="Its name in schemes, links and commands.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Folder in a package of your own; this program's if not given.")
    ] = None,
) -> None:
    """Write the one file that adds a component, and say what to do next."""
    from qurd_core.files import made, publish

    if kind not in KINDS:
        raise unknown("kind of component", kind, KINDS)
    text = _template(kind).substitute(name=name)
    _check_name(kind, name)
    path = (made(folder) if folder else _home(kind)) / f"{name}.py"
    if path.exists():
        raise QurdError(f"Expected a name that no file has. {path} is there already: choose another name.")
    print(publish(path, text.encode()))  # noqa: T201
    print(_next(name, folder))  # noqa: T201


def _template(kind: str) -> Template:
    """The file of a kind, with `$name` where the name stands. `tests/contracts` pass on it as it is."""
    return Template((Path(__file__).parent / "templates" / f"{kind}.txt").read_text("utf-8"))


def _check_name(kind: str, name: str) -> None:
    """Refuse what cannot be the name of a new component.

    Raises:
        QurdError: with the reason.
    """
    from qurd_core import catalogue, registry
    from qurd_core.benchmarks.base import register_benchmarks

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise QurdError(f"Expected a name of lower-case letters, digits and _, and no word of Python's. Got '{name}'.")
    if re.search(rf"^(from|import) .*\b{name}\b", _template(kind).template, re.MULTILINE):
        raise QurdError(f"Expected a name that the file has no other use for. It imports '{name}': choose another name.")
    catalogue.register_components()
    register_benchmarks()
    known = {one.kind: one for one in (*catalogue.KINDS, registry.thefts)}[kind.replace("-", " ")]
    if name in known:
        raise QurdError(f"Expected a new name. There is a {known.kind} '{name}' already: choose another name.")


def _home(kind: str) -> Path:
    """Where this program has its own components.

    Raises:
        QurdError: it was installed, so the next version would replace the file.
    """
    from qurd_core.files import ROOT

    home = ROOT / "qurd_core" / KINDS[kind]
    if not home.is_dir():
        raise QurdError("Expected --folder with a folder of your own package: this program is installed, not a checkout.")
    return home


def _next(name: str, folder: Path | None) -> str:
    """What to do with the file."""
    test = "python -m pytest tests/contracts"
    if folder is None:
        return f"It is registered. Write what it does, and test it: {test} -k {name}"
    packages = []
    for place in (folder.resolve(), *folder.resolve().parents):
        if not (place / "__init__.py").exists():
            break
        packages.insert(0, place.name)
    module = ".".join([*packages, name])
    return (
        "Write what it does, and name it in the pyproject.toml of your package, which is then installed anew:\n\n"
        f'[project.entry-points."qurd.components"]\n{name} = "{module}"\n\n'
        f"In a checkout of QuRD Explorer the contracts are tested by: {test} -k {name}"
    )
