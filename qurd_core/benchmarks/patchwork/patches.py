"""Patchwork's images: patches of photographs.

Every photograph is cut into blocks, every block belongs to one region (victim, attacker or test), and a patch is kept only
if all its pixels lie in its region. No pixel is ever seen by two regions. Patches of one region overlap: a few thousand of
them are far fewer independent images.
"""

import hashlib
from functools import cache

import numpy as np
import torch
from torch import Tensor

from qurd_core.benchmarks.photographs import CLASSES, COLOUR, MONO, REGIONS, SIDE, cut, photograph, photograph_names
from qurd_core.errors import unknown
from qurd_core.randomness import stream
from qurd_core.types import Images

BLOCK = 48  # pixels of a block of a photograph that goes to one region
SIDES = (24, 40)  # smallest and largest square that is scaled to a patch
SHARES = {"victim": 0.4, "attacker": 0.3, "test": 0.3}
PER_CLASS = {"victim": 350, "attacker": 350, "test": 400}
JITTER = 0.2  # largest relative change of brightness, contrast and each colour in region "jittered"

_CUT = (*PER_CLASS, "mono")


@cache
def patches(region: str) -> Images:
    """All patches of a region: of the ten colour classes, or as `REGIONS` says."""
    if region in _CUT:
        return _cut_in_order(region)
    if region == "public":
        mono, own = patches("mono"), patches("attacker")
        return _stack([own, Images(mono.pixels, mono.truth + len(CLASSES), mono.places)])
    if region == "jittered":
        own = patches("attacker")
        return Images(_jitter(own.pixels), own.truth, own.places)
    if region == "noise":
        pixels = torch.randint(256, (1_000, 3, SIDE, SIDE), generator=stream(0, "noise"), dtype=torch.uint8)
        return Images(pixels, torch.full((1_000,), -1), torch.full((1_000, 5), -1))
    raise unknown("region", region, REGIONS)


def region_map(name: str) -> np.ndarray:
    """(H,W) index of the region of every pixel, in the order of `SHARES`; mono photographs belong to one region, 0."""
    height, width = photograph(name).shape[:2]
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    if name in MONO:
        return np.zeros((height, width), int)
    seed = int.from_bytes(hashlib.sha256((COLOUR | MONO)[name][1].encode()).digest()[:6], "big")
    order = torch.randperm(rows * columns, generator=stream(seed, "blocks")).numpy()
    bounds = (np.cumsum(list(SHARES.values())) * rows * columns).round().astype(int)
    blocks = np.empty(rows * columns, int)
    blocks[order] = np.searchsorted(bounds, np.arange(rows * columns), side="right")
    return blocks.reshape(rows, columns).repeat(BLOCK, 0).repeat(BLOCK, 1)[:height, :width]


def _cut_in_order(region: str) -> Images:
    """The patches of one region. Those of the regions before it are cut too, so that no patch is used twice: flat sky and
    black space repeat. Neither they nor the photographs are kept: cutting takes a second, and they are 50 MB.
    """
    seen: set[bytes] = set()
    for name in _CUT[: _CUT.index(region) + 1]:
        photographs, n = (MONO, PER_CLASS["attacker"]) if name == "mono" else (COLOUR, PER_CLASS[name])
        found = _stack([_cut(one, name, n, seen) for one in photographs])
    photograph.cache_clear()
    return found


def _cut(name: str, region: str, n: int, seen: set[bytes]) -> Images:
    """Draw squares until `n` not yet `seen` lie wholly in the region; scale and turn each."""
    inside = region_map(name) == (0 if region == "mono" else list(SHARES).index(region))
    integral = np.pad(inside.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    height, width = inside.shape
    rng = stream(0, "patches", region, name)
    photo = photograph_names().index(name)
    pixels, places = [], []
    while len(pixels) < n:
        draws = torch.rand(4_096, 4, generator=rng, dtype=torch.float64).numpy()
        for u, v, w, t in draws:
            side = SIDES[0] + int(u * (SIDES[1] - SIDES[0] + 1))
            top, left, turn = int(v * (height - side + 1)), int(w * (width - side + 1)), int(t * 8)
            bottom, right = top + side, left + side
            area = integral[bottom, right] - integral[top, right] - integral[bottom, left] + integral[top, left]
            if area < side * side:
                continue
            patch = cut(name, top, left, side, turn)
            content = hashlib.sha256(patch.tobytes()).digest()
            if content in seen:
                continue
            seen.add(content)
            pixels.append(patch)
            places.append((photo, top, left, side, turn))
            if len(pixels) == n:
                break
    truth = list(MONO if region == "mono" else COLOUR).index(name)
    stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
    return Images(stacked, torch.full((n,), truth), torch.tensor(places))


def _jitter(pixels: Tensor) -> Tensor:
    """Change contrast, then brightness and colour of every patch by up to `JITTER`, drawn once."""
    rng = stream(0, "jitter")
    contrast, gain = (1 + JITTER * (2 * torch.rand(len(pixels), n, 1, 1, generator=rng) - 1) for n in (1, 3))
    mean = pixels.float().mean((1, 2, 3), keepdim=True)
    return (((pixels - mean) * contrast + mean) * gain).round().clamp(0, 255).byte()


def _stack(parts: list[Images]) -> Images:
    return Images(*(torch.cat([getattr(part, field) for part in parts]) for field in ("pixels", "truth", "places")))
