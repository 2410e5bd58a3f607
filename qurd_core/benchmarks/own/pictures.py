"""Seed sets out of picture files: squares of one size, decoded under limits."""

import hashlib
import json
import math
import os
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from qurd_core.benchmarks.own.foreign import lies_within
from qurd_core.benchmarks.own.weights import shapes, tensors
from qurd_core.errors import A_FOLDER, QurdError, lies_at, misplaced, visible
from qurd_core.files import file_digest, opened
from qurd_core.randomness import stream
from qurd_core.types import Images

FORMATS = ("PNG", "JPEG", "WEBP")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
PIXELS = 25_000_000  # of one picture, and of what it is scaled to before its centre is cut out
MOST = 200_000  # pictures of a seed set
BYTES = 8_000_000_000  # of a seed set
NOISE = 1_000  # images of the seed set of noise
DECODED = 2  # counts how often pictures have come to be decoded otherwise
SHOWN = 12  # names in a sentence


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
    """A picture file as `square`, as a viewer shows it: turned as its EXIF says, 16 bits of grey by their upper eight.

    Raises:
        QurdError: it is no picture, is damaged, claims more than `PIXELS`, is too long for its width, or has transparent
            pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with opened(path) as file, Image.open(file, formats=FORMATS) as picture:
                short, long = sorted(picture.size)
                if short * long > PIXELS:
                    raise QurdError(
                        f"Expected a picture of at most {PIXELS:,} pixels. {path} claims {picture.size}: scale it down."
                    )
                if side * side * long > PIXELS * short:
                    raise QurdError(
                        f"Expected a picture of at most {PIXELS:,} pixels once its shorter side has {side}. {path} claims"
                        f" {picture.size}: cut it."
                    )
                return square(_eight_bits(_opaque(ImageOps.exif_transpose(picture), path)), side)
    except (*_DAMAGED, Image.DecompressionBombError, Warning) as error:
        if isinstance(error, QurdError):
            raise
        raise QurdError(
            f"Cannot read the picture {path}: {error}. Expected {', '.join(FORMATS)}: save it again, or leave it out."
        ) from None


_DAMAGED = (OSError, UnidentifiedImageError, SyntaxError, ValueError, TypeError, KeyError, struct.error)  # Pillow's words


def _opaque(picture: Image.Image, path: Path) -> Image.Image:
    """Refuse transparent pixels: the colour below them is whatever the program that wrote them left there."""
    if picture.has_transparency_data and picture.convert("RGBA").getchannel("A").getextrema()[0] < 255:
        raise QurdError(
            f"Expected a picture without transparent pixels. {path} has some, whose colour nobody knows: lay it on a"
            " background, as for the training of the models, and save it again."
        )
    return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Pillow cuts 16 bits of grey off at 255, where those of colour lose their lower eight."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).astype(np.int64).clip(0, 65_535) // 256).astype(np.uint8))


def listed(folder: Path, classes: Sequence[str]) -> list[tuple[Path, int]]:
    """Every picture of a folder with one folder per class, in the order of their names, with its class."""
    if lies_at(folder) != A_FOLDER:
        raise misplaced("a folder of pictures, one folder per class,", folder)
    number, found = {name: place for place, name in enumerate(classes)}, []
    for home, names in _inside(folder)[0].items():
        if home not in number:
            raise QurdError(
                f"Expected one folder per class in {folder}. '{home}' is none of the classes {_some(classes)}: rename it, or"
                " add the class."
            )
        found += [(folder / home / name, number[home]) for name in names]
    if not 0 < len(found) <= MOST:
        raise QurdError(
            f"Expected 1 to {MOST:,} pictures ({', '.join(ENDINGS)}) in {folder}, in a folder per class. Found"
            f" {len(found):,}: put {'some' if not found else 'fewer'} there."
        )
    return found


def left_out(folder: Path, classes: Sequence[str]) -> Iterator[str]:
    """What a folder of pictures holds that `listed` passes over, and the classes that it has none of, a sentence each.

    Hidden files and folders (`.DS_Store`, `.ipynb_checkpoints`) belong to other programs and are not spoken of.
    """
    pictures, others = _inside(folder)
    if others:
        yield (
            f"{len(others):,} file(s) or folder(s) in {folder} are not read, such as {visible(others[0])}: pictures are"
            f" files that end with {', '.join(ENDINGS)} and lie in the folder of their class."
        )
    if empty := [name for name in classes if not pictures.get(name)]:
        yield f"There is no picture of {len(empty):,} of {len(classes):,} classes in {folder}: {_some(empty)}."


def _inside(folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Names of the pictures in every folder of a folder, and the places of what else is there."""
    pictures, others = {}, []
    for home in _visible(folder):
        if not _leads_to(home.is_dir):
            others.append(home.name)
            continue
        if home.is_symlink():
            raise QurdError(
                f"Expected folders of pictures in {folder}. '{home.name}' is a link to one: copy the pictures there."
            )
        pictures[home.name] = []
        for entry in _visible(home):
            if entry.name.lower().endswith(ENDINGS) and _leads_to(entry.is_file):
                if entry.is_symlink() and not lies_within(Path(entry.path), folder):
                    raise QurdError(
                        f"Expected pictures inside {folder}. '{home.name}/{entry.name}' is a link to another place: copy"
                        " what is there."
                    )
                pictures[home.name].append(entry.name)
            else:
                others.append(f"{home.name}/{entry.name}")
    return pictures, others


def _leads_to(kind: Callable[[], bool]) -> bool:
    """Whether a name leads to what a method of its entry asks for; a circle of links leads nowhere."""
    try:
        return kind()
    except OSError:
        return False


def _visible(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name, without what is hidden."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError:
        raise misplaced("a folder of pictures", Path(folder)) from None


def _some(names: Sequence[str]) -> str:
    """The names, or the first ones."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def seed_set(pictures: Iterable[tuple[Path, int]], side: int) -> Images:
    """The pictures as a seed set.

    Raises:
        QurdError: together they would take more than `BYTES`, or one of them cannot be read.
    """
    pictures = list(pictures)
    shape = (len(pictures), 3, side, side)
    if math.prod(shape) > BYTES:
        raise QurdError(
            f"Expected a seed set of at most {BYTES:,} bytes. {len(pictures):,} pictures of {side} x {side} pixels are"
            f" {math.prod(shape):,}: take fewer, or a smaller 'side'."
        )
    pixels = np.empty(shape, np.uint8)
    for row, (path, _) in enumerate(pictures):
        pixels[row] = decode(path, side)
    return Images(torch.from_numpy(pixels), torch.tensor([truth for _, truth in pictures]))


def seed_set_digest(pictures: Iterable[tuple[Path, int]], side: int) -> str:
    """Content address of a seed set of picture files, which are read and not decoded."""
    about = [[path.parent.name, path.name, truth, file_digest(path)] for path, truth in pictures]
    return hashlib.sha256(json.dumps([DECODED, side, about]).encode()).hexdigest()


def stored(path: Path, classes: int, size: tuple[int, int] | None = None) -> Images:
    """A seed set out of a safetensors file: `pixels` (n,3,H,W) uint8 and `truth` (n,).

    Args:
        size: height and width that the pixels must have. They are not scaled: whoever brings them chose every one.
    """
    there = stored_size(path)
    if there != (size or there):
        raise QurdError(
            f"Expected 'pixels' of {size[0]} x {size[1]} in {path}, as 'side' or the other seed set says. Got {there[0]} x"
            f" {there[1]}: scale them, or change 'side'."
        )
    held = tensors(path)
    pixels, truth = held["pixels"], held["truth"]
    if pixels.dtype != torch.uint8 or int(pixels.max()) <= 1:
        raise QurdError(
            f"Expected 'pixels' as uint8 from 0 to 255 in {path}. Got {pixels.dtype} from {pixels.min()} to {pixels.max()}:"
            " scale and convert them."
        )
    if truth.is_floating_point() or int(truth.min()) < 0 or int(truth.max()) >= classes:
        raise QurdError(
            f"Expected 'truth' as whole numbers from 0 to {classes - 1} in {path}. Got {truth.dtype} from {truth.min()} to"
            f" {truth.max()}: number the classes in the order of the manifest."
        )
    return Images(pixels, truth.long())


def stored_size(path: Path) -> tuple[int, int]:
    """Height and width of the pixels in a safetensors file, from its header."""
    found = shapes(path)
    pixels, truth = found.get("pixels", ()), found.get("truth", ())
    if len(pixels) != 4 or pixels[1] != 3 or truth != pixels[:1] or not all(pixels):
        raise QurdError(
            f"Expected 'pixels' (n,3,H,W) and 'truth' (n,) in {path}. Got {pixels or None} and {truth or None}: save both"
            " under these names."
        )
    return pixels[2], pixels[3]


def noise(height: int, width: int) -> Images:
    """Images of random pixels."""
    shape = (NOISE, 3, height, width)
    return Images(torch.randint(256, shape, generator=stream(0, "noise"), dtype=torch.uint8), torch.full((NOISE,), -1))
