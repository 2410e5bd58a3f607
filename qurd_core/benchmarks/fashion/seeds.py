"""The pictures that ship: what queries are drawn from. Reading them needs neither torch nor the files of Fashion-MNIST."""

import io
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from qurd_core.errors import QurdError
from qurd_core.files import checked, publish

FILE = "seeds.npz"
SPLITS = ("test", "train")
BORDER = 2  # pixels of black around every picture: 28 -> 32

Pictures = tuple[np.ndarray, np.ndarray]
"""Grey pictures (n,28,28) uint8, and the class (n,) int64 of each."""


def framed(grey: np.ndarray) -> np.ndarray:
    """(n,32,32) of pictures (n,28,28): as models see them."""
    return np.pad(grey, ((0, 0), (BORDER, BORDER), (BORDER, BORDER)))


@cache
def read(home: Path) -> dict[str, Pictures]:
    """The pictures of every seed set.

    Raises:
        QurdError: the file is missing or damaged.
    """
    path, again = home / FILE, "Run 'build fashion' again."
    try:
        with np.load(io.BytesIO(checked(path, again)), allow_pickle=False) as file:
            return {split: (file[f"{split}_pixels"], file[f"{split}_truth"].astype(np.int64)) for split in SPLITS}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise QurdError(f"Expected the pictures that queries are drawn from in {path}: {error}. {again}") from None


def are_whole(home: Path) -> bool:
    """Whether the file is there and can be read."""
    try:
        read(home)
    except QurdError:
        return False
    return True


def write(home: Path, found: dict[str, Pictures]) -> None:
    """Publish the pictures of every seed set."""
    data = io.BytesIO()
    arrays = {}
    for split, (pixels, truth) in found.items():
        arrays |= {f"{split}_pixels": pixels, f"{split}_truth": truth.astype(np.uint8)}
    np.savez_compressed(data, **arrays)
    publish(home / FILE, data.getvalue())
    read.cache_clear()
