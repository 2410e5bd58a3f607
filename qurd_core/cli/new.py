"""The command that writes the one file that adds a component: its docstring, its contract, and a body to start from."""

import keyword
import re
from pathlib import Path
from string import Template
from typing import Annotated, NamedTuple

import typer

from qurd_core.errors import QurdError, unknown


class Kind(NamedTuple):
    """What is written for a kind of component.

    Attributes:
        package: where this program has its own, below `qurd_core`.
        text: the file, with `$name` where the name stands. `tests/contracts` pass on it as it is.
    """

    package: str
    text: str


def new(
    kind: Annotated[str, typer.Argument(help="seed-rule, craft, representation, detector or theft.")],
    name: Annotated[str, typer.Argument(help="Its name in schemes, links and commands.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Folder in a package of your own; this program's if not given.")
    ] = None,
) -> None:
    """Write the one file that adds a component, and say what to do next."""
    from qurd_core.files import made, publish

    if kind not in KINDS:
        raise unknown("kind of component", kind, KINDS)
    text = Template(KINDS[kind].text).substitute(name=name)
    _check_name(kind, name)
    path = (made(folder) if folder else _home(kind)) / f"{name}.py"
    if path.exists():
        raise QurdError(f"Expected a name that no file has. {path} is there already: choose another name.")
    print(publish(path, text.encode()))  # noqa: T201
    print(_next(name, folder))  # noqa: T201


def _check_name(kind: str, name: str) -> None:
    """Refuse what cannot be the name of a new component.

    Raises:
        QurdError: with the reason.
    """
    from qurd_core import catalogue, registry
    from qurd_core.benchmarks.base import register_benchmarks

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise QurdError(f"Expected a name of lower-case letters, digits and _, and no word of Python's. Got '{name}'.")
    if re.search(rf"^(from|import) .*\b{name}\b", KINDS[kind].text, re.MULTILINE):
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

    home = ROOT / "qurd_core" / KINDS[kind].package
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


KINDS = {
    "seed-rule": Kind(
        "samplers/seeds",
        '''"""Seeds that ... (why these tell a copy of the victim from other models)."""

from typing import Literal

import torch

from qurd_core.registry import seed_rules
from qurd_core.types import Draw, Pool


@seed_rules.register(provides={"photo", "truth"})
def $name(
    pool: Pool,
    rng: torch.Generator,
    n: int,
    *,
    split: Literal["train", "test"],
) -> Draw:
    """Photographs drawn uniformly.

    Contract: `n` different positions in the pool, or as many as it has, drawn with `rng` alone; the draw of a smaller `n` is
    a prefix. `looked` counts the labelled images that were looked at until each was found, 0 where no label is needed.
    A rule that declares `needs={"victim labels"}` finds them in `pool.victim_labels`.
    """
    indices = torch.randperm(len(pool), generator=rng)[:n]
    return Draw(indices, torch.zeros_like(indices))
''',
    ),
    "craft": Kind(
        "samplers/crafts",
        '''"""Queries that ... (why these tell a copy of the victim from other models)."""

from dataclasses import replace
from typing import Annotated

import torch

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.types import Queries


@crafts.register()
def $name(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    eps: Annotated[float, Range(0, 1)] = 0.03,
) -> Queries:
    """Add noise of at most `eps` to every pixel.

    Contract: images (s,3,H,W) float32 in [0,1] that follow from seeds, victim and `rng` alone, in the order of their seeds.
    A craft that makes several images of a seed declares `group=`, one that asks the victim for gradients counts them per
    group in `aux["gradients"]`, one whose images have no true class declares `drops={"truth"}`.
    """
    noise = eps * (2 * torch.rand(seeds.x.shape, generator=rng) - 1)
    return replace(seeds, x=(seeds.x + noise).clamp(0, 1))
''',
    ),
    "representation": Kind(
        "representations",
        '''"""What is compared of the answers: ... (why copies of the victim share it and other models do not)."""

from torch import Tensor

from qurd_core.access import Access
from qurd_core.registry import representations
from qurd_core.types import Answers


@representations.register(access=Access.LABELS, provides={"symbols", "sequence"})
def $name(answers: Answers) -> Tensor:
    """The most probable class of every query: (M,s).

    Contract: (M,rows,...) for all models at once, each as if it were alone, a row per query and from that query alone; no
    more is read of the answers than the declared access grants. It provides `symbols` (whole numbers) or `vectors`.
    """
    return answers.labels
''',
    ),
    "detector": Kind(
        "detectors",
        '''"""How far apart two representations are: ... (what it sees that others do not)."""

from torch import Tensor

from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"symbols"})
def $name(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Share of symbols that differ.

    Contract: of the victim's representation (rows,...) and those of all suspects (M,rows,...) the distances
    (M,len(budgets.rows)) in float64: finite, at least 0, 0 for the victim itself, small for a stolen model. Each suspect and
    each budget as if it were alone.
    """
    return budgets.mean(suspects != victim)
''',
    ),
    "theft": Kind(
        "benchmarks/thefts",
        '''"""Ways to ... (what a thief gains by them)."""

from typing import Annotated

import torch

from qurd_core.benchmarks.patchwork.architectures import Normalised
from qurd_core.benchmarks.patchwork.supplies import Supplies
from qurd_core.registry import Range, thefts


@thefts.register(reads="weights")
@torch.no_grad()
def $name(
    victim: Normalised,
    supplies: Supplies,
    *,
    scale: Annotated[float, Range(0, 1)] = 0.01,
    seed: int = 0,
) -> Normalised:
    """Add a little noise to every weight.

    Contract: one that declares `reads="weights"` may change the victim, which is a copy, and return it; one that declares
    `reads="answers"` gets an `Oracle` and images without truth. All randomness is that of `supplies.stream()`.
    """
    rng = supplies.stream()
    for weights in victim.parameters():
        weights.add_(scale * weights.abs().mean() * torch.randn(weights.shape, generator=rng))
    return victim
''',
    ),
}
