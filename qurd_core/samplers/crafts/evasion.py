"""Adversarial images by sign steps that need not stay near their seeds: the test cases of DeepJudge (Chen et al. 2022)."""

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.kept import kept
from qurd_core.samplers.crafts.pgd import random_start
from qurd_core.types import Queries


@crafts.register(drops={"aim"}, story="adversarial", swept=False)
def evasion(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    eps: Annotated[float, Range(0, 1)] = 0.1,
    steps: Annotated[int, Range(1, 1000)] = 10,
    step: Annotated[float, Range(0, 1)] = 0.03,
    project: bool = False,
) -> Queries:
    """Move every seed away from the victim's label; seeds that keep it are dropped.

    Without `project`, as in the authors' code, `eps` bounds only the random start, and an image may end eps + steps x step
    from its seed; with it, it stays within `eps`.
    """
    labels = victim.labels(seeds.x)
    goal, origin = labels.to(victim.device), seeds.x.to(victim.device)

    def objective(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits, goal, reduction="sum")

    x = random_start(seeds.x, eps, "linf", rng).to(victim.device)
    for _ in range(steps):
        gradient, _ = victim.gradient(objective, x)
        moved = x + step * gradient.sign()
        x = (origin + (moved - origin).clamp(-eps, eps) if project else moved).clamp(0, 1)
    found = x.cpu()
    return kept(seeds, found, victim.labels(found) != labels, torch.full_like(labels, steps))
