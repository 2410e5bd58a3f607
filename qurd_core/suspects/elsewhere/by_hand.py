"""Suspects that somebody asks by hand: their queries as picture files, and the table of what came back."""

import csv
import hashlib
import io
import math
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.own.answer_table import FLOOR, AnswerTable
from qurd_core.benchmarks.own.sources.by_picture import ByPicture, name_of, png
from qurd_core.errors import QurdError
from qurd_core.files import publish

LISTED = "queries.csv"
DIGITS = 16  # of the name of a picture: the name of an item


def write(pictures: Iterable[np.ndarray], folder: Path) -> Path:
    """Write pictures (3,H,W) uint8 as PNG files, each once and in an order that nobody can foresee, and the list of them.

    Returns:
        the list: `item`, `file` and its `sha256`.

    Raises:
        QurdError: the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise QurdError(f"Expected a new folder for the pictures. {folder} holds something already: name another one.")
    files = {name_of(picture): png(picture) for picture in pictures}
    order = list(files)
    secrets.SystemRandom().shuffle(order)
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(("item", "file", "sha256"))
    for name in order:
        data = files[name]
        item = name[:DIGITS]
        publish(folder / f"{item}.png", data)
        writer.writerow((item, f"{item}.png", hashlib.sha256(data).hexdigest()))
    return publish(folder / LISTED, held.getvalue().encode())


def joined(bench: Benchmark, answers: AnswerTable) -> Benchmark:
    """A benchmark with the models of a table of answers as suspects.

    Raises:
        QurdError: it has a model of that name, or holds no pictures that could have been sent.
    """
    if not bench.source.asks:
        raise QurdError(
            f"Expected a folder of models beside --answers, whose pictures were sent. {bench.name} holds answers only: write"
            " the new ones into it as rows of their own."
        )
    for name in answers.lineages:
        if name in (*bench.models, *bench.suspects):
            raise QurdError(f"Expected the name of another model in {answers.path}. '{name}' is in {bench.name} already.")
    reveals = {name: one.access for name, one in answers.reveals.items()}
    return replace(
        bench,
        suspects=(*bench.suspects, *answers.lineages),
        source=_Besides(bench.source, answers),
        reveals=bench.reveals | {name: access for name, access in reveals.items() if access < bench.access},
        tops=bench.tops | {name: one.ranked for name, one in answers.reveals.items() if one.access is Access.TOPK},
    )


@dataclass(frozen=True)
class _Besides:
    """A source with models beside its own."""

    source: Any
    came_back: AnswerTable

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def digest(self, model: str) -> str:
        return (self.came_back if model in self.came_back.lineages else self.source).digest(model)


def told(answers: AnswerTable, pictures: Mapping[str, np.ndarray], models: Sequence[str]) -> dict[str, ByPicture]:
    """What some models answered to the pictures that were sent.

    Raises:
        QurdError: an item is none of these.
    """
    (known,) = answers.seed_sets.values()
    named = {name[:DIGITS]: name for name in pictures}
    if strange := [item for item in known.items if item not in named]:
        raise QurdError(
            f"Expected answers to the {len(pictures)} pictures of this question in {answers.path}. '{strange[0][:60]}' is"
            f" none of them ({len(strange)} such items): give the same --victim, --scheme, --budget and --fit as to"
            " 'queries'."
        )
    number, found = len(answers.classes), {}
    for model in models:
        rows = answers.answers(model, answers.splits[0])
        lacking = rows.new_full((len(rows), number + 1 - rows.shape[1]), math.log(FLOOR))
        every = np.concatenate([rows.numpy(), lacking.numpy()], 1)
        found[model] = ByPicture(
            {named[item]: row.tolist() for item, row in zip(known.items, every, strict=True)}, number, answers.digest(model)
        )
    return found
