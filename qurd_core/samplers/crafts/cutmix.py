"""Seeds blended with one another, to have more of them: the queries of SAC (Guan, Liang, He 2022) as QuRD makes them."""

import torch

from qurd_core.oracle import Oracle
from qurd_core.registry import crafts
from qurd_core.types import Queries


@crafts.register(
    needs={"photo"}, drops={"truth", "aim"}, tops_up="originals", needs_when={"originals": "scarce"}, story="blended"
)
def cutmix(seeds: Queries, victim: Oracle, rng: torch.Generator, *, originals: bool = True) -> Queries:
    """Paste a box of the next seed into every seed, and add both mirror images; the seeds themselves go first if wanted.

    This returns the blends, then their horizontal mirrors, then their vertical mirrors, each a group of its own. With
    `originals` the pipeline sends the seeds first and calls this round after round until the budget is filled.

    One box for all seeds, its area share uniform in [0,1], that is Beta(1,1) (Yun et al. 2019).
    """
    height, width = seeds.x.shape[2:]
    left, top, right, bottom = box = draw_box(height, width, rng)
    blends = seeds.x.clone()
    blends[:, :, top:bottom, left:right] = seeds.x.roll(1, 0)[:, :, top:bottom, left:right]
    boxes = [box, (width - right, top, width - left, bottom), (left, height - bottom, right, height - top)]
    return Queries(
        torch.cat([blends, blends.flip(3), blends.flip(2)]),
        torch.arange(3 * len(seeds)),
        seeds.seed.repeat(3),
        None,
        {"partner": seeds.seed.roll(1).repeat(3), "box": torch.tensor(boxes).repeat_interleave(len(seeds), 0)},
    )


@crafts.register(needs={"photo"}, drops={"truth", "aim"}, story="blended", swept=False)
def corner_cutmix(seeds: Queries, victim: Oracle, rng: torch.Generator) -> Queries:
    """Paste a small box near a corner of another seed into every seed, as SAC's authors do.

    One box for all seeds, a fifth of the side wide, around a centre whose coordinates both lie in the outer sixths; the
    partners are a permutation.
    """
    height, width = seeds.x.shape[2:]
    left, top, right, bottom = box = draw_corner(height, width, rng)
    partner = torch.randperm(len(seeds), generator=rng)
    blends = seeds.x.clone()
    blends[:, :, top:bottom, left:right] = seeds.x[partner][:, :, top:bottom, left:right]
    boxes = torch.tensor(box).repeat(len(seeds), 1)
    return Queries(blends, seeds.group, seeds.seed, None, {"partner": seeds.seed[partner], "box": boxes})


def draw_corner(height: int, width: int, rng: torch.Generator) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box around a centre that lies in the outer sixth of both sides, cut at the border."""
    places = []
    for side in (width, height):
        every = torch.arange(side)
        outer = every[(every <= side / 6) | (every >= side * 5 / 6)]
        places.append(int(outer[torch.randint(len(outer), (), generator=rng)]))
    (x, y), dx, dy = places, int(0.2 * width) // 2, int(0.2 * height) // 2
    return max(x - dx, 0), max(y - dy, 0), min(x + dx, width), min(y + dy, height)


def draw_box(height: int, width: int, rng: torch.Generator) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box around a random centre, cut at the border of the image."""
    half = 0.5 * float(torch.rand((), generator=rng)) ** 0.5
    x, y = (int(torch.randint(side, (), generator=rng)) for side in (width, height))
    dx, dy = int(half * width), int(half * height)
    return max(x - dx, 0), max(y - dy, 0), min(x + dx, width), min(y + dy, height)
