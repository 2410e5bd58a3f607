"""Partners whose outputs move away from the mean output: the attack in the code of ModelDiff (Li et al. 2021)."""

from typing import Annotated

import torch
from torch import Tensor

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.pgd import random_start
from qurd_core.types import Queries

FAR = 1000.0  # the target of an output is so many times its distance from the mean, on the other side
FIRST = 10.0  # weight of the first class over the mean of the others, as in the authors' loss


@crafts.register(provides={"pairs"}, drops={"aim"}, group=2, story="adversarial", swept=False)
def divergence(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    eps: Annotated[float, Range(0, 1)] = 0.0135,
    steps: Annotated[int, Range(1, 1000)] = 50,
) -> Queries:
    """Pair every seed with a near image whose outputs lie farther from the mean output of all seeds.

    The bound is the authors' 0.06 of normalised pixels. Steps are a sixth of it, as theirs; the seeds of one call give the
    mean.
    """
    logits = victim.logits(seeds.x)
    target = (FAR * (logits.mean(0) - logits)).to(victim.device)
    origin = seeds.x.to(victim.device)
    x = random_start(seeds.x, eps, "linf", rng).to(victim.device)
    for _ in range(steps):
        gradient, _ = victim.gradient(lambda found: error(found, target).sum(), x)
        x = (origin + (x + eps / 6 * gradient.sign() - origin).clamp(-eps, eps)).clamp(0, 1)
    truth = None if seeds.truth is None else seeds.truth.repeat_interleave(2)
    return Queries(
        torch.stack([seeds.x, x.cpu()], 1).flatten(0, 1),
        seeds.group.repeat_interleave(2),
        seeds.seed.repeat_interleave(2),
        truth,
        {"gradients": torch.full((len(seeds),), steps)},
    )


def error(logits: Tensor, target: Tensor) -> Tensor:
    """(n,) squared distance of the first logit from its target, and a tenth of the mean of the others', which grows."""
    apart = (logits - target).square()
    return apart[:, 0] + apart[:, 1:].mean(1) / FIRST
