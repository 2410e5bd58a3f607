"""Images as the browser shows them: enlarged, outlined, coloured by what the victim looked at."""

import base64
from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from qurd_core.benchmarks.photographs import photograph

Picture = NDArray[np.generic]

AMPLIFIED = 10  # how many times a difference is shown
SCALE = 4  # lines are drawn on an image that was enlarged so many times
THUMB = 168  # pixels of the longer side of a photograph
LINE = (255, 255, 255)
WARM = np.array([255, 196, 0])  # where the victim looked


def address(pixels: Picture) -> str:
    """A picture (H,W,3), uint8 or in [0,1], as the address of a PNG that holds it."""
    file = BytesIO()
    Image.fromarray(as_bytes(pixels)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def as_bytes(pixels: Picture) -> NDArray[np.uint8]:
    """A picture as uint8."""
    if pixels.dtype == np.uint8:
        return pixels
    return (255 * np.clip(pixels, 0, 1)).round().astype(np.uint8)


def difference(query: Picture, seed: Picture) -> Picture:
    """The signed difference of two pictures, `AMPLIFIED` times, around grey."""
    return np.clip(0.5 + AMPLIFIED * (query.astype(float) - seed / 255), 0, 1)


def cut_up(pixels: Picture, segments: Picture) -> Picture:
    """A picture with the borders of its superpixels."""
    large, parts = _enlarged(as_bytes(pixels)), _enlarged(segments)
    border = (np.diff(parts, axis=0, prepend=parts[:1]) != 0) | (np.diff(parts, axis=1, prepend=parts[:, :1]) != 0)
    return np.where(border[..., None], np.uint8(LINE), large)


def boxed(pixels: Picture, box: tuple[int, int, int, int]) -> Picture:
    """A picture with the outline of a box: left, top, right, bottom."""
    large = _enlarged(as_bytes(pixels)).copy()
    left, top, right, bottom = (SCALE * side for side in box)
    for rows, columns in (
        (slice(top, bottom), slice(left, left + 2)),
        (slice(top, bottom), slice(right - 2, right)),
        (slice(top, top + 2), slice(left, right)),
        (slice(bottom - 2, bottom), slice(left, right)),
    ):
        large[rows, columns] = LINE
    return large


def looked(pixels: Picture, weight: Picture) -> Picture:
    """A picture in grey with a warm cover where the weight (H,W) is large; its largest hundredth is covered wholly."""
    grey = as_bytes(pixels).mean(2, keepdims=True) * 0.6
    top = np.quantile(weight, 0.99)
    cover = np.clip(weight / top, 0, 1)[..., None] if top > 0 else np.zeros((*weight.shape, 1))
    return (grey * (1 - cover) + WARM * cover).round().astype(np.uint8)


@cache
def thumbnail(name: str) -> str:
    """A photograph, small, as the address of a JPEG."""
    image = Image.fromarray(photograph(name))
    image.thumbnail((THUMB, THUMB))
    file = BytesIO()
    image.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def spot(name: str, top: int, left: int, side: int) -> tuple[float, float, float, float]:
    """Left, top, width and height of a patch in percent of its photograph."""
    height, width = photograph(name).shape[:2]
    return 100 * left / width, 100 * top / height, 100 * side / width, 100 * side / height


def shape(name: str) -> tuple[int, int]:
    """Width and height of a photograph."""
    height, width = photograph(name).shape[:2]
    return width, height


def _enlarged(pixels: Picture) -> Picture:
    return pixels.repeat(SCALE, 0).repeat(SCALE, 1)
