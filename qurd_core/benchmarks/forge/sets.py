"""The pictures that models are forged with. Who saw them decides what a model may be called.

`train` trained the victim, `theirs` trained nobody so far, and queries are drawn from `test`. A picture that trained the
victim is never among `theirs`, nor is one that may become a query.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from qurd_core.benchmarks.own.weights import tensors
from qurd_core.errors import QurdError
from qurd_core.files import publish
from qurd_core.randomness import stream
from qurd_core.types import Images

TRAIN, THEIRS, TEST = NAMES = ("train", "theirs", "test")
PARTS = {"quarter": 4, "tenth": 10}  # parts of a set that show all classes alike, and share nothing
NUMBERED = 4  # parts of each kind
SHARES = {"fifth": 0.2, "twentieth": 0.05}  # of a set, drawn without a look at the classes
SMALLEST = 16  # pixels of a side that the small networks take
ALL_TRAINED = (
    "All pictures here trained the victim, so forged models are hard, and no level can be promised. Add pictures of the same"
    " classes."
)
_FOLDER = "pictures"


@dataclass(frozen=True)
class Sets:
    """The sets of pictures that there are, each None where it has no picture.

    Attributes:
        notes: what was left out and why, a sentence each.
    """

    train: Images | None
    theirs: Images | None
    test: Images | None
    notes: tuple[str, ...] = ()

    @property
    def held(self) -> dict[str, Images]:
        """Those with pictures, by name."""
        every = {TRAIN: self.train, THEIRS: self.theirs, TEST: self.test}
        return {name: images for name, images in every.items() if images is not None}

    @property
    def base(self) -> str:
        """The set that unrelated models and thieves learn from: pictures that nobody saw, where there are some."""
        return THEIRS if self.theirs is not None else TRAIN

    @property
    def regions(self) -> tuple[str, ...]:
        """Everything that a model may be trained on or asked about."""
        parts = [f"{part}{number}" for part in PARTS for number in range(1, NUMBERED + 1)]
        return (*self.held, *parts, *SHARES)


def divided(train: Images | None, test: Images | None, others: Images | None) -> Sets:
    """The sets, so that nothing in `theirs` trained the victim or may become a query.

    Args:
        others: pictures that nobody saw. Without them half of `test` is drawn once, and the other half stays for queries.

    Raises:
        QurdError: there are no pictures.
    """
    notes = []
    if others is None and test is not None:
        order = torch.randperm(len(test), generator=stream(0, "forge", "half", test.digest))
        theirs, test = (_rows(test, some.sort().values) for some in order.tensor_split(2))
        notes.append(
            f"There are no pictures beside train and test, so {len(theirs)} of test, drawn once, are for the forged models;"
            f" queries are drawn from the other {len(test)}."
        )
    else:
        theirs = others
    for other, why in ((train, "trained the victim"), (test, "may become queries")):
        if theirs is None or other is None:
            continue
        known = {image.numpy().tobytes() for image in other.pixels}
        new = torch.tensor([image.numpy().tobytes() not in known for image in theirs.pixels])
        if not bool(new.all()):
            notes.append(f"{int((~new).sum())} of {len(new)} pictures for the forged models {why}, too: they are left out.")
        theirs = _rows(theirs, new.nonzero()[:, 0]) if bool(new.any()) else None
    if theirs is None:
        if train is None:
            raise QurdError(
                "Expected pictures that are no queries, to forge models with. There are none: add a folder 'theirs'."
            )
        notes.append(ALL_TRAINED)
    if train is None:
        notes.append("There are no pictures that trained the victim, so no hard unrelated model can be made.")
    return Sets(train, theirs, test, tuple(notes))


def check(sets: Sets, classes: int) -> None:
    """
    Raises:
        QurdError: pictures are too few or too small to train on a tenth of them.
    """
    base = sets.held[sets.base]
    if len(base) < 10 * classes:
        raise QurdError(
            f"Expected at least {10 * classes} pictures to forge models with, ten per class: some learn from a tenth of"
            f" them. Got {len(base)}."
        )
    if missing := {*range(classes)} - {*base.truth.tolist()}:
        raise QurdError(
            f"Expected pictures of all {classes} classes to forge models with. {len(missing)} of the classes have none."
        )
    height, width = base.pixels.shape[2:]
    if min(height, width) < SMALLEST:
        raise QurdError(
            f"Expected pictures of at least {SMALLEST} x {SMALLEST} pixels. Got {height} x {width}: use larger ones."
        )


def keep(sets: Sets, home: Path) -> None:
    """Put the sets into the folder of forged models, where every process that makes one reads them.

    Raises:
        QurdError: there are others already.
    """
    for name in NAMES:
        path, images = path_of(name, home), sets.held.get(name)
        if path.exists() and (images is None or _read(home, name).digest != images.digest):
            raise QurdError(
                f"Expected the pictures that the models in {home} were forged with. Those of {name} are others now: name a"
                " new folder with --out."
            )
        if images is not None and not path.exists():
            publish(path, save({"pixels": images.pixels.contiguous(), "truth": images.truth.contiguous()}))


def path_of(name: str, home: Path) -> Path:
    """Where a set lies in the folder of forged models."""
    return home / _FOLDER / f"{name}.safetensors"


@lru_cache(maxsize=64)
def images(region: str, home: Path) -> Images:
    """All pictures of a set, or of a part of the set that models are forged with."""
    if region in NAMES:
        there = path_of(region, home).exists()
        return _read(
            home, region if there else TRAIN
        )  # models are measured on what trained the victim if nothing else is there
    base = images(THEIRS if path_of(THEIRS, home).exists() else TRAIN, home)
    return _rows(base, rows_of(region, base.truth))


def rows_of(region: str, truth: Tensor) -> Tensor:
    """(k,) which pictures of a set, with the classes (n,), a part of it holds."""
    order = torch.randperm(len(truth), generator=stream(0, "forge", "parts"))
    if region in SHARES:
        return order[: round(SHARES[region] * len(order))].sort().values
    times, number = PARTS[region.rstrip("0123456789")], int(region[-1]) - 1
    one_hot = torch.nn.functional.one_hot(truth[order])
    turn = one_hot.cumsum(0).gather(1, truth[order, None])[:, 0]  # 1 for the first of its class, 2 for the second, ...
    return order[(turn - 1) % times == number].sort().values


def _rows(of: Images, rows: Tensor) -> Images:
    return Images(of.pixels[rows], of.truth[rows])


@lru_cache(maxsize=8)
def _read(home: Path, name: str) -> Images:
    return Images(**tensors(path_of(name, home)))
