"""The labels that all models of a benchmark give its test items, in one small file that is read without torch."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from qurd_core.benchmarks import seed_pictures
from qurd_core.benchmarks.photographs import photograph_names
from qurd_core.errors import QurdError, unknown
from qurd_core.files import AlteredError, checked

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Bank:
    """Labels, and what the items look like.

    Attributes:
        models: names, one per row of `labels`.
        victims: names, in the order of the benchmark.
        classes: names of the classes.
        labels: (M,n) uint8, the class that each model gives each test item.
        truth: (n,) uint8.
        places: (n,5) photograph (a row of `photograph_names()`), top, left, side and turn of every item; None for pictures
            that were not cut out of photographs.
        draws: (seed rule, victim) to (seeds,k) indices of test items in draw order, -1 where the seed set has run out.
        looked: the same with the number of labelled images looked at.
    """

    models: tuple[str, ...]
    victims: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    places: Ints | None
    draws: dict[tuple[str, str], Ints]
    looked: dict[tuple[str, str], Ints]

    @classmethod
    def read(cls, path: Path) -> "Bank":
        """
        Raises:
            QurdError: the file is missing, altered or no bank.
        """
        try:
            data = checked(path, "Run the sweep again.")
            found, about = load(data), json.loads(_header(data)["bank"])
            victims, rules = about["victims"], about["rules"]
            cells = [(rule, row) for rule in rules for row in range(len(victims))]
            drawn, looked = (
                {(rule, victims[row]): found[f"{what}.{rule}"][row].astype(int) for rule, row in cells}
                for what in ("draw", "looked")
            )
            names = (tuple(about[name]) for name in ("models", "victims", "classes"))
            places = found["places"].astype(int) if "places" in found else None
            return cls(*names, found["labels"], found["truth"], places, drawn, looked)
        except AlteredError:
            raise
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise QurdError(f"Cannot read the answers in {path}: {error}. Restore it or run the sweep again.") from None

    @cached_property
    def _row(self) -> dict[str, int]:
        return {model: row for row, model in enumerate(self.models)}

    def of(self, model: str) -> NDArray[np.uint8]:
        """(n,) labels of one model."""
        if model not in self._row:
            raise unknown("model", model, self._row)
        return self.labels[self._row[model]]

    def pictures(self, items: Ints) -> NDArray[np.uint8]:
        """(k,32,32,3) of some test items."""
        return seed_pictures.pictures(items, self.places)

    def place(self, item: int) -> dict[str, Any]:
        """Where a test item was cut: `photograph` (empty if nowhere), `top`, `left` and `side`."""
        if self.places is None:
            return {"photograph": ""}
        photo, top, left, side, _ = self.places[item].tolist()
        return {"photograph": photograph_names()[photo], "top": top, "left": left, "side": side}

    def rows(self, models: list[str]) -> NDArray[np.uint8]:
        """(len(models),n) labels of some models."""
        return np.stack([self.of(model) for model in models])


def _header(data: bytes) -> dict[str, str]:
    """The texts in the header of a safetensors file."""
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
