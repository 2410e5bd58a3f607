"""Points on the way from nothing to a photograph, along which ModelGiF (Song et al. 2023) accumulates gradients."""

from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.types import Queries

NOTHING = 0.45  # the mean colour: zero behind our models' normalisation, which is the authors' baseline


@crafts.register(provides={"path points"}, drops={"aim"}, needs={"photo"}, group="points", deterministic=True, swept=False)
def paths(seeds: Queries, victim: Oracle, rng: torch.Generator, *, points: Annotated[int, Range(2, 201)] = 11) -> Queries:
    """Send every seed, whose label says which class is looked at, and points on the straight way to it from mean grey.

    The points are the nodes of Gauss-Legendre quadrature; the authors take 50.
    """
    place, weight = nodes(points - 1)
    way = NOTHING + place[:, None, None, None] * (seeds.x[:, None] - NOTHING)
    x = torch.cat([seeds.x[:, None], way.clamp(0, 1)], 1)
    weights = torch.cat([torch.zeros(1), weight]).repeat(len(seeds))
    truth = None if seeds.truth is None else seeds.truth.repeat_interleave(points)
    return Queries(
        x.flatten(0, 1),
        seeds.group.repeat_interleave(points),
        seeds.seed.repeat_interleave(points),
        truth,
        {"weights": weights, "steps": seeds.x - NOTHING},
    )


def nodes(n: int) -> tuple[Tensor, Tensor]:
    """(n,) places in (0,1), rising, and their weights, which sum to one."""
    place, weight = np.polynomial.legendre.leggauss(n)
    return torch.from_numpy((place + 1) / 2).float(), torch.from_numpy(weight / 2).float()
