"""Adversarial partners by projected gradient descent (Madry et al. 2018): the queries of ModelDiff (Li et al. 2021)."""

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.targets import random_target
from qurd_core.types import Queries

Norm = Literal["linf", "l2"]

STEP = 0.01 / 0.3  # in units of eps: the default of foolbox, with which the paper's runs were made


@crafts.register(provides={"pairs"}, drops={"aim"}, group=2, story="adversarial")
def pgd(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    eps: Annotated[float, Range(0, 1)] = 0.03,
    steps: Annotated[int, Range(1, 1000)] = 40,
    norm: Norm = "linf",
    targeted: bool = False,
) -> Queries:
    """Pair every seed with a near image that the victim labels differently."""
    labels = victim.labels(seeds.x)
    sign = -1 if targeted else 1
    goal = (random_target(labels, victim.classes, rng) if targeted else labels).to(victim.device)

    def objective(logits: Tensor) -> Tensor:
        return sign * F.cross_entropy(logits, goal, reduction="sum")

    origin = seeds.x.to(victim.device)
    start = random_start(seeds.x, eps, norm, rng).to(victim.device)
    partners = climb(victim, objective, origin, start, eps=eps, steps=steps, norm=norm).cpu()
    truth = None if seeds.truth is None else seeds.truth.repeat_interleave(2)
    return Queries(
        torch.stack([seeds.x, partners], 1).flatten(0, 1),
        seeds.group.repeat_interleave(2),
        seeds.seed.repeat_interleave(2),
        truth,
        {"gradients": torch.full((len(seeds),), steps)},
    )


def climb(
    victim: Oracle,
    objective: Callable[[Tensor], Tensor],
    origin: Tensor,
    start: Tensor,
    *,
    eps: float,
    steps: int,
    norm: Norm,
) -> Tensor:
    """Raise `objective(logits)` from `start`, staying within `eps` of `origin` and in [0,1]: (n,3,H,W)."""
    x = start
    for _ in range(steps):
        gradient, _ = victim.gradient(objective, x)
        ascent = gradient.sign() if norm == "linf" else F.normalize(gradient.flatten(1)).view_as(x)
        x = (origin + project(x + STEP * eps * ascent - origin, eps, norm)).clamp(0, 1)
    return x


def project(moves: Tensor, eps: float, norm: Norm) -> Tensor:
    """The nearest moves that are no longer than `eps`, image by image."""
    return moves.clamp(-eps, eps) if norm == "linf" else moves.renorm(2, 0, eps)


def random_start(x: Tensor, eps: float, norm: Norm, rng: torch.Generator) -> Tensor:
    """Images uniform in the eps-ball around `x`, clamped to [0,1]."""
    if norm == "linf":
        moves = eps * (2 * torch.rand(x.shape, generator=rng) - 1)
    else:
        directions = F.normalize(torch.randn(x.shape, generator=rng).flatten(1)).view_as(x)
        radii = torch.rand(len(x), 1, 1, 1, generator=rng) ** (1 / x[0].numel())
        moves = eps * radii * directions
    return (x + moves).clamp(0, 1)
