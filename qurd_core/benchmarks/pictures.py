"""Seed sets out of picture files: squares of one size, decoded under limits."""

import hashlib
import json
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from qurd_core.benchmarks.weights import file_digest, shapes, tensors
from qurd_core.errors import QurdError
from qurd_core.randomness import stream
from qurd_core.types import Images

FORMATS = ("PNG", "JPEG", "WEBP")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
PIXELS = 25_000_000  # of one picture
MOST = 200_000  # pictures of a seed set
NOISE = 1_000  # images of the seed set of noise


def square(picture: Image.Image, side: int, scale: int | None = None) -> np.ndarray:
    """(3,side,side) uint8: the shorter side scaled to `scale` (else `side`) pixels, then the centre cut out."""
    picture = picture.convert("RGB")
    factor = (scale or side) / min(picture.size)
    if factor != 1:
        size = tuple(max(side, round(length * factor)) for length in picture.size)
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    left, top = ((length - side) // 2 for length in picture.size)
    return np.ascontiguousarray(np.asarray(picture.crop((left, top, left + side, top + side))).transpose(2, 0, 1))


def decode(path: Path, side: int) -> np.ndarray:
    """A picture file as `square`.

    Raises:
        QurdError: it is no picture, is damaged, or claims more than `PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > PIXELS:
                    raise QurdError(f"Expected a picture of at most {PIXELS:,} pixels. {path} claims {picture.size}.")
                return square(picture, side)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        if isinstance(error, QurdError):
            raise
        raise QurdError(f"Cannot read the picture {path}: {error}. Expected {', '.join(FORMATS)}.") from None


def listed(folder: Path, classes: Sequence[str]) -> list[tuple[Path, int]]:
    """Every picture of a folder with one folder per class, in the order of their names, with its class."""
    if not folder.is_dir():
        raise QurdError(f"Expected a folder of pictures, one folder per class, at {folder}. There is none.")
    found = []
    for home in sorted(path for path in folder.iterdir() if path.is_dir()):
        if home.name not in classes:
            raise QurdError(
                f"The folder {home} is none of the classes {', '.join(classes[:12])}. Rename it or add the class."
            )
        files = sorted(path for path in home.iterdir() if path.suffix.lower() in ENDINGS)
        found += [(path, classes.index(home.name)) for path in files]
    if not 0 < len(found) <= MOST:
        raise QurdError(f"Expected 1 to {MOST:,} pictures in {folder}. Found {len(found):,}.")
    return found


def seed_set(pictures: Iterable[tuple[Path, int]], side: int) -> Images:
    """The pictures as a seed set."""
    pictures = list(pictures)
    pixels = np.stack([decode(path, side) for path, _ in pictures])
    return Images(torch.from_numpy(pixels), torch.tensor([truth for _, truth in pictures]))


def seed_set_digest(pictures: Iterable[tuple[Path, int]], side: int) -> str:
    """Content address of a seed set of picture files, which are read and not decoded."""
    about = [[path.parent.name, path.name, truth, file_digest(path)] for path, truth in pictures]
    return hashlib.sha256(json.dumps([side, about]).encode()).hexdigest()


def stored(path: Path, classes: int) -> Images:
    """A seed set out of a safetensors file: `pixels` (n,3,H,W) uint8 and `truth` (n,)."""
    found = shapes(path)
    pixels, truth = found.get("pixels", ()), found.get("truth", ())
    if len(pixels) != 4 or pixels[1] != 3 or truth != pixels[:1] or not pixels[0]:
        raise QurdError(f"Expected 'pixels' (n,3,H,W) and 'truth' (n,) in {path}. Got {pixels} and {truth}.")
    held = tensors(path)
    images = Images(held["pixels"], held["truth"].long())
    if images.pixels.dtype != torch.uint8 or not _within(images.truth, classes):
        raise QurdError(f"Expected uint8 pixels and a truth from 0 to {classes - 1} in {path}. Got other values.")
    return images


def noise(height: int, width: int) -> Images:
    """Images of random pixels."""
    shape = (NOISE, 3, height, width)
    return Images(torch.randint(256, shape, generator=stream(0, "noise"), dtype=torch.uint8), torch.full((NOISE,), -1))


def _within(truth: Tensor, classes: int) -> bool:
    return int(truth.min()) >= 0 and int(truth.max()) < classes
