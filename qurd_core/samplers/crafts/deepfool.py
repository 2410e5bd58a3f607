"""Points just across the nearest decision boundary: DeepFool (Moosavi-Dezfooli et al. 2016), the queries of DeepFoolF
(Wang, Chang 2021).
"""

from typing import Annotated, Literal

import torch
from torch import Tensor

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.kept import kept
from qurd_core.samplers.crafts.targets import least_likely
from qurd_core.types import Queries

LEAD = 1e-5  # of the largest logit


@crafts.register(drops={"aim"}, deterministic=True, story="adversarial", swept=False, version=2)
def deepfool(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    overshoot: Annotated[float, Range(0, 10)] = 0.02,
    rounds: Annotated[int, Range(1, 1000)] = 50,
    candidates: Annotated[int, Range(2, 1000)] = 10,
    target: Literal["nearest", "least_likely"] = "nearest",
) -> Queries:
    """Move every seed by the shortest way across the victim's decision boundary; seeds that do not arrive are dropped.

    Where pixels end at 0 and 1 the overshoot is lost, and steps to the boundary itself would end on it, where rounding
    decides the label: steps lead across by `lead_of` the logits, and seeds that do not are dropped, too.

    Args:
        overshoot: how much farther than to the boundary, as a share of the way.
        candidates: classes, the most probable ones, among which the nearest boundary is looked for.
        target: `least_likely` crosses into that class instead.
    """
    logits = victim.logits(seeds.x)
    source = logits.argmax(1)
    if target == "nearest":
        goals = logits.topk(min(candidates, victim.classes), 1).indices[:, 1:]
    else:
        goals = least_likely(logits, source)[:, None]
    x, spent = cross(victim, seeds.x, source, goals, overshoot=overshoot, rounds=rounds)
    reached = victim.logits(x)
    (first, second), labels = reached.topk(2, 1).values.T, reached.argmax(1)
    arrived = labels != source if target == "nearest" else labels == goals[:, 0]
    return kept(seeds, x, arrived & (first - second > lead_of(reached)), spent)


def cross(
    victim: Oracle, start: Tensor, source: Tensor, goals: Tensor, *, overshoot: float, rounds: int
) -> tuple[Tensor, Tensor]:
    """Take the shortest linear steps until the label is another one, or one of the goals where there is one goal only.

    An image that has arrived leaves the batch. Models take images in [0,1] only, so they are asked at the clamped image,
    while the way goes on unclamped.

    Args:
        start: (n,3,H,W) images.
        source: (n,) their labels.
        goals: (n,K) classes whose boundaries with the source are candidates.

    Returns:
        the images (n,3,H,W), each at 1 + overshoot times its way, clamped, and the gradients spent on each (n,).
    """
    x0, source, goals = (rows.to(victim.device) for rows in (start, source, goals))
    way, spent = torch.zeros_like(x0), torch.zeros_like(source)
    active = torch.arange(len(x0), device=x0.device)
    for _ in range(rounds):
        x = (x0[active] + (1 + overshoot) * way[active]).clamp(0, 1)
        reached = victim.logits(x).to(x0.device)
        labels, ahead = reached.argmax(1), reached.amax(1) - reached.gather(1, source[active, None])[:, 0]
        there = labels == goals[active, 0] if goals.shape[1] == 1 and victim.classes > 2 else labels != source[active]
        there &= ahead > lead_of(reached)
        active, x = active[~there], x[~there]
        if not len(active):
            break
        classes = torch.cat([source[active, None], goals[active]], 1)
        gradients, logits = victim.jacobian(x, classes)
        spent[active] += classes.shape[1]
        way[active] += shortest(gradients, logits.gather(1, classes), 2 * lead_of(logits))
    return (x0 + (1 + overshoot) * way).clamp(0, 1).cpu(), spent.cpu()


def lead_of(logits: Tensor) -> Tensor:
    """(n,) by how much a label must lead so that it is the same in a batch of another size."""
    return LEAD * logits.abs().amax(1)


def shortest(gradients: Tensor, logits: Tensor, lead: Tensor | float = 0.0) -> Tensor:
    """(n,3,H,W) the shortest step to where, in the linear picture, another class leads the first one.

    Args:
        gradients: (n,K,3,H,W) of the first class and of others.
        logits: (n,K) of the same.
        lead: (n,) by how much; 0 where both are to be equally probable.
    """
    normals = gradients[:, 1:] - gradients[:, :1]
    gaps = (logits[:, :1] - logits[:, 1:] + torch.as_tensor(lead).expand(len(logits))[:, None]).abs()
    lengths = normals.flatten(2).norm(dim=2).clamp(min=torch.finfo(normals.dtype).tiny)
    nearest = (gaps / lengths).argmin(1)
    rows = torch.arange(len(nearest), device=nearest.device)
    scale = gaps[rows, nearest] / lengths[rows, nearest].square()
    return scale[:, None, None, None] * normals[rows, nearest]
