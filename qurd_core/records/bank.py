"""The labels that all models of a benchmark give its test items, in one small file that is read without torch."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from safetensors import SafetensorError
from safetensors.numpy import load

from qurd_core.benchmarks import seed_pictures
from qurd_core.benchmarks.photographs import photograph_names
from qurd_core.errors import QurdError, unknown
from qurd_core.files import AlteredError, checked

Ints = NDArray[np.int64]
CARD = (64, 64)  # height and width of an item that is no picture
PAPER, INK = (228, 232, 238), (40, 46, 56)


@dataclass(frozen=True)
class Look:
    """What the test items of a benchmark that somebody brings look like: pictures, or cards that say what each is called.

    Attributes:
        pixels: (k,h,w,3) uint8 of some items; None where there are no pictures.
        rows: place of an item to its row among them.
        names: of all items, where there are no pictures.
    """

    pixels: NDArray[np.uint8] | None
    rows: dict[int, int]
    names: tuple[str, ...] = ()

    def pictures(self, items: Ints) -> NDArray[np.uint8]:
        """(k,h,w,3) of some items; one without a picture is a card."""
        height, width = CARD if self.pixels is None else self.pixels.shape[1:3]
        found = np.empty((len(items), height, width, 3), np.uint8)
        for number, item in enumerate(items.tolist()):
            row = self.rows.get(item)
            found[number] = _card(self._name(item), height, width) if row is None else self.pixels[row]
        return found

    def _name(self, item: int) -> str:
        return self.names[item] if self.names else str(item)


@lru_cache(maxsize=4096)
def _card(name: str, height: int, width: int) -> NDArray[np.uint8]:
    """(h,w,3) a grey card with the name of an item, in lines."""
    card = Image.new("RGB", (width, height), PAPER)
    size = max(6, height // 5)
    letters = max(1, int(width / (0.62 * size)))
    lines = [name[start : start + letters] for start in range(0, len(name), letters)][: max(1, height // (size + 2))]
    text, font = "\n".join(lines), ImageFont.load_default(size)
    ImageDraw.Draw(card).multiline_text((width / 2, height / 2), text, INK, font, anchor="mm", align="center")
    return np.asarray(card)


@dataclass(frozen=True)
class Bank:
    """Labels, and what the items look like.

    Attributes:
        models: names, one per row of `labels`.
        victims: names, in the order of the benchmark.
        classes: names of the classes.
        labels: (M,n) uint8 or int16, the class that each model gives each test item.
        truth: (n,) of the same.
        places: (n,5) photograph (a row of `photograph_names()`), top, left, side and turn of every item; None for pictures
            that were not cut out of photographs.
        look: what the items of a benchmark that somebody brings look like; None for ours.
        draws: (seed rule, victim) to (seeds,k) indices of test items in draw order, -1 where the seed set has run out.
        looked: the same with the number of labelled images looked at.
    """

    models: tuple[str, ...]
    victims: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.integer]
    truth: NDArray[np.integer]
    places: Ints | None
    draws: dict[tuple[str, str], Ints]
    looked: dict[tuple[str, str], Ints]
    look: Look | None = None

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
            look = None
            if "items" in about:
                look = Look(None, {}, tuple(map(str, about["items"])))
            elif "shown" in found:
                look = Look(found["pixels"], {item: row for row, item in enumerate(found["shown"].tolist())})
            return cls(*names, found["labels"], found["truth"], places, drawn, looked, look)
        except AlteredError:
            raise
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise QurdError(f"Cannot read the answers in {path}: {error}. Restore it or run the sweep again.") from None

    @cached_property
    def _row(self) -> dict[str, int]:
        return {model: row for row, model in enumerate(self.models)}

    def of(self, model: str) -> NDArray[np.integer]:
        """(n,) labels of one model."""
        if model not in self._row:
            raise unknown("model", model, self._row)
        return self.labels[self._row[model]]

    def pictures(self, items: Ints) -> NDArray[np.uint8]:
        """(k,h,w,3) of some test items."""
        return self.look.pictures(items) if self.look else seed_pictures.pictures(items, self.places)

    def place(self, item: int) -> dict[str, Any]:
        """Where a test item was cut: `photograph` (empty if nowhere), `top`, `left` and `side`."""
        if self.places is None:
            return {"photograph": ""}
        photo, top, left, side, _ = self.places[item].tolist()
        return {"photograph": photograph_names()[photo], "top": top, "left": left, "side": side}

    def rows(self, models: list[str]) -> NDArray[np.integer]:
        """(len(models),n) labels of some models."""
        return np.stack([self.of(model) for model in models])


def _header(data: bytes) -> dict[str, str]:
    """The texts in the header of a safetensors file."""
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
