"""The four files of Fashion-MNIST as their makers publish them. Only building reads them: what the app needs ships."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from qurd_core.errors import QurdError

PACKAGE = Path("/usr/share/datasets/fashion-mnist")  # where Debian's `dataset-fashion-mnist` puts them
SIDE = 28  # pixels
_TRAIN, _TEST = "train-{}-ubyte.gz", "t10k-{}-ubyte.gz"
_IMAGES, _LABELS = "images-idx3", "labels-idx1"
_UNPACKED = {  # SHA-256 of what each unpacks to, whichever program packed it
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_HEADERS = {_IMAGES: 16, _LABELS: 8}


@cache
def pictures(folder: Path, *, test: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (n,28,28) uint8 and their classes (n,) int64: the 10,000 for testing, or the 60,000 others.

    Raises:
        QurdError: a file is missing, or holds something else.
    """
    name = _TEST if test else _TRAIN
    images, labels = (_read(folder, name, what) for what in (_IMAGES, _LABELS))
    return images.reshape(-1, SIDE, SIDE), labels.astype(np.int64)


def _read(folder: Path, name: str, what: str) -> np.ndarray:
    path = folder / name.format(what)
    todo = "Install Debian's package dataset-fashion-mnist, or name a folder with the four files with --pictures."
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise QurdError(f"Expected the pictures of Fashion-MNIST in {path}: {error}. {todo}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != _UNPACKED[path.name]:
        raise QurdError(f"Expected {path} to unpack to the published file. Got {len(data):,} other bytes. {todo}")
    return np.frombuffer(data, np.uint8, offset=_HEADERS[what])
