"""The photographs that Patchwork is cut from: they ship inside scikit-image and scikit-learn. Nothing here needs torch."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from qurd_core.errors import QurdError

SIDE = 32  # pixels of a patch

# class name -> (package, file). A class is one photograph.
COLOUR = {
    "astronaut": ("skimage", "astronaut.png"),
    "cat": ("skimage", "chelsea.png"),
    "temple": ("sklearn", "china.jpg"),
    "coffee": ("skimage", "coffee.png"),
    "flower": ("sklearn", "flower.jpg"),
    "galaxies": ("skimage", "hubble_deep_field.jpg"),
    "tissue": ("skimage", "ihc.png"),
    "motorcycle": ("skimage", "motorcycle_left.png"),
    "retina": ("skimage", "retina.jpg"),
    "rocket": ("skimage", "rocket.jpg"),
}
_OTHERWISE = {"cameraman": "camera", "clock": "clock_motion"}  # what a file is called where its class is not
MONO = {
    name: ("skimage", f"{_OTHERWISE.get(name, name)}.png")
    for name in ("brick", "cameraman", "cell", "clock", "coins", "grass", "gravel", "moon", "page", "text")
}
CLASSES = tuple(COLOUR)
_FOLDERS = {"skimage": "data", "sklearn": "datasets/images"}

REGIONS = {
    "victim": "the victims' own training patches",
    "attacker": "other blocks of the same photographs, for thieves and unrelated models",
    "test": "blocks seen by no model",
    "jittered": "the attacker region under changed brightness, contrast and colour",
    "mono": "ten other, grey photographs",
    "public": "mono and attacker region as twenty classes, for pretraining",
    "noise": "uniform random pixels",
}


def photograph_names() -> tuple[str, ...]:
    """Class names of all photographs, in the order that `Images.places` counts."""
    return (*COLOUR, *MONO)


@cache
def photograph(name: str) -> np.ndarray:
    """The photograph of a class, (H,W,3) uint8.

    Raises:
        QurdError: its file is missing or damaged.
    """
    package, file = (COLOUR | MONO)[name]
    home = Path(find_spec(package).submodule_search_locations[0])  # found without importing the package, which is slow
    path = home / _FOLDERS[package] / file
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:  # as Pillow has it
        raise QurdError(f"Expected the photograph '{name}' at {path}: {error}. Install {package} again.") from None
    if name == "retina":  # twice as large as the others: at full size a patch of it shows nothing
        rgb = rgb.reduce(2)
    return np.asarray(rgb)


def cut(name: str, top: int, left: int, side: int, turn: int) -> np.ndarray:
    """A square of a photograph, scaled to (32,32,3) uint8 and turned (0-3 quarter turns, 4-7 mirrored too)."""
    # Cropped first: resizing a box of the photograph would let the filter read one pixel beyond the square.
    square = Image.fromarray(photograph(name)[top : top + side, left : left + side])
    return _turn(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BILINEAR)), turn)


def _turn(patch: np.ndarray, turn: int) -> np.ndarray:
    """One of the eight flips and rotations of a square."""
    turned = np.rot90(patch, turn % 4)
    return np.ascontiguousarray(turned[:, ::-1] if turn >= 4 else turned)
