"""Who sees which pictures. Regions of the 60,000 training pictures are drawn once and share no picture.

The victims' region is cut into six parts. Victims of draw 1, 2 and 3 leave out one part each, so that they are independent
trainings on 25,000 pictures of which every two draws share 20,000; what all of them saw is region "victim".
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from qurd_core.benchmarks.fashion import seeds
from qurd_core.benchmarks.fashion.names import ATTACKER, CUTOUTS, DRAWS, FEW, PART, PARTS, REGIONS
from qurd_core.benchmarks.fashion.pictures import PACKAGE, pictures
from qurd_core.benchmarks.photographs import MONO, cut, photograph
from qurd_core.errors import unknown
from qurd_core.randomness import stream
from qurd_core.types import Images

SHIFT, CONTRAST = 2, 0.3  # largest move in pixels and largest relative change, in region "jittered"
GRID, REACH = 4, 0.35  # shapes: knots of the random field per side, and how much more the middle belongs to them


@cache
def images(region: str, home: Path, source: Path = PACKAGE) -> Images:
    """All pictures of a region, (n,3,32,32) uint8 grey.

    Args:
        home: the folder of the models, where the seed sets lie.
        source: the folder of Fashion-MNIST's files, which only regions that models are trained on need.
    """
    if region in seeds.SPLITS:
        return _images(*seeds.read(home)[region])
    if region == "noise":
        pixels = torch.randint(256, (1_000, 3, 32, 32), generator=stream(0, "noise"), dtype=torch.uint8)
        return Images(pixels, torch.full((1_000,), -1))
    if region == "cutouts":
        return cutouts()
    if region not in REGIONS:
        raise unknown("region", region, REGIONS)
    every, truth = pictures(source, test=False)
    rows = rows_of(region)
    found = _images(every[rows], truth[rows])
    return Images(_jitter(found.pixels), found.truth) if region == "jittered" else found


def rows_of(region: str) -> np.ndarray:
    """Which of the 60,000 training pictures a region holds."""
    order = torch.randperm(60_000, generator=stream(0, "fashion", "regions")).numpy()
    parts = order[: PARTS * PART].reshape(PARTS, PART)
    attacker = order[PARTS * PART :][:ATTACKER]
    number = int(region[-1]) - 1 if region[-1].isdigit() else 0
    quarter, tenth = ATTACKER // 4, ATTACKER // 10
    return {
        "victim": parts[DRAWS:].ravel(),
        f"victim{number + 1}": np.delete(parts, number, axis=0).ravel(),
        **dict.fromkeys(("attacker", "jittered"), attacker),
        "few": attacker[:FEW],
        f"quarter{number + 1}": attacker[number * quarter :][:quarter],
        f"tenth{number + 1}": attacker[number * tenth :][:tenth],
    }[region]


def _images(grey: np.ndarray, truth: np.ndarray) -> Images:
    return Images(torch.from_numpy(seeds.framed(grey))[:, None].repeat(1, 3, 1, 1), torch.from_numpy(truth))


def _jitter(pixels: Tensor) -> Tensor:
    """Move every picture by whole pixels and change its contrast, drawn once."""
    rng = stream(0, "fashion", "jitter")
    moves = torch.randint(-SHIFT, SHIFT + 1, (len(pixels), 2), generator=rng)
    gain = 1 + CONTRAST * (2 * torch.rand(len(pixels), 1, 1, 1, generator=rng) - 1)
    moved = torch.empty_like(pixels)
    for down, right in moves.unique(dim=0).tolist():
        mine = (moves == torch.tensor([down, right])).all(1)
        moved[mine] = pixels[mine].roll((down, right), (2, 3))  # the border is black, so nothing comes round
    return (moved * gain).round().clamp(0, 255).byte()


def cutouts() -> Images:
    """Random shapes filled with squares of the ten grey photographs, on black: what a thief has who owns no clothes.

    Whole squares of photographs are of no use: every victim calls nearly all of them a bag.
    """
    rng = stream(0, "fashion", "cutouts")
    side, n = 32, CUTOUTS // len(MONO)
    field = torch.randn(CUTOUTS, 1, GRID, GRID, generator=rng)
    field = torch.nn.functional.interpolate(field, size=(28, 28), mode="bicubic", align_corners=True)[:, 0]
    ramp = torch.linspace(-1, 1, 28)
    middle = 1 - (ramp[:, None] ** 2 + ramp[None] ** 2)
    inside = field + 2 * REACH * middle + REACH > 0
    grey = np.zeros((CUTOUTS, 28, 28), np.uint8)
    truth = np.repeat(np.arange(len(MONO)), n)
    for number, name in enumerate(truth):
        height, width = photograph(list(MONO)[name]).shape[:2]
        size = int(torch.randint(side, min(height, width) // 2, (), generator=rng))
        top = int(torch.randint(height - size + 1, (), generator=rng))
        left = int(torch.randint(width - size + 1, (), generator=rng))
        grey[number] = cut(list(MONO)[name], top, left, size, int(torch.randint(8, (), generator=rng)))[2:-2, 2:-2, 0]
    return _images(np.where(inside.numpy(), grey, 0).astype(np.uint8), truth)
