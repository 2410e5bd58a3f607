"""Adversarial images that eroded copies of the victim agree on: after AFA (Zhao et al. 2020), of which the abstract only was
at hand, by the momentum method of Dong et al. 2018.
"""

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.inside import affine_layers, channels, eroded
from qurd_core.samplers.crafts.kept import kept
from qurd_core.samplers.crafts.targets import random_target
from qurd_core.types import Queries

PLACES = 4  # layers at which a victim is eroded, evenly spaced, so that deep ones are not eroded more than shallow ones
FRESH = 10  # eroded victims that are asked about the outcome
HELD = 2**24  # numbers of the images, copies included, that go through the victims at a time


@crafts.register(drops={"aim"}, story="adversarial", swept=False)
def erosion(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    eps: Annotated[float, Range(0, 1)] = 0.1,
    steps: Annotated[int, Range(1, 1000)] = 20,
    ghosts: Annotated[int, Range(1, 64)] = 8,
    rate: Annotated[float, Range(0, 0.9)] = 0.1,
    momentum: Annotated[float, Range(0, 1)] = 1.0,
    targeted: bool = True,
    agree: Annotated[float, Range(0, 1)] = 0.9,
) -> Queries:
    """Move every seed into a wrong class on eroded victims; kept are those to which most fresh ones give the victim's label.

    Args:
        eps: the most that a pixel may change.
        ghosts: eroded victims whose mean logits are attacked; each is eroded anew in every step.
        rate: share of the input channels that are dropped, at a few layers.
        momentum: share of the past direction that is kept.
        targeted: into a random class, instead of into any other.
        agree: share of fresh eroded victims that must give the victim's label.
    """
    places = where(victim.module)
    labels = victim.labels(seeds.x)
    goal = random_target(labels, victim.classes, rng) if targeted else labels
    masks, fresh = (draw_masks(places, copies, rate, rng) for copies in ((steps, ghosts), (FRESH, 1)))
    sign = -1 if targeted else 1
    x = climb(victim, places, masks, seeds.x, goal, eps=eps, momentum=momentum, sign=sign)
    found, votes = victim.labels(x), []
    for number in range(FRESH):
        with eroded(places, [mask[number] for mask in fresh]):
            votes.append(victim.labels(x))
    survives = (torch.stack(votes) == found).float().mean(0) >= agree
    arrived = survives & (found == goal if targeted else found != labels)
    return kept(seeds, x, arrived, torch.full_like(labels, steps * ghosts))


def where(module: nn.Module) -> list[nn.Module]:
    """The layers whose input channels are dropped: a few after the first, whose channels are colours."""
    every = affine_layers(module)
    later = every[1:] or every
    chosen = torch.linspace(0, len(later) - 1, min(PLACES, len(later))).round().long().unique().tolist()
    return [later[number] for number in chosen]


def draw_masks(places: list[nn.Module], copies: tuple[int, int], rate: float, rng: torch.Generator) -> list[Tensor]:
    """Of each layer, (*copies,channels) factors: 0 with probability `rate`, else what makes up for it."""
    lots = (torch.rand(*copies, channels(layer), generator=rng) for layer in places)
    return [(lot >= rate).float() / (1 - rate) for lot in lots]


def climb(
    victim: Oracle,
    places: list[nn.Module],
    masks: list[Tensor],
    origin: Tensor,
    goal: Tensor,
    *,
    eps: float,
    momentum: float,
    sign: int,
) -> Tensor:
    """MI-FGSM on the mean logits of eroded victims: (n,3,H,W) within `eps` of `origin` and in [0,1].

    Args:
        masks: of each layer, (steps,ghosts,channels).
        sign: 1 to leave the goal, -1 to reach it.
    """
    steps, ghosts = masks[0].shape[:2]
    size = max(1, HELD // (ghosts * origin[:1].numel()))
    found = []
    for start, classes in zip(origin.split(size), goal.split(size), strict=True):
        origins, wanted = start.to(victim.device), classes.to(victim.device)
        x, direction = origins, torch.zeros_like(origins)

        def objective(logits: Tensor, wanted: Tensor = wanted) -> Tensor:
            mean = logits.unflatten(0, (ghosts, -1)).mean(0)
            return sign * F.cross_entropy(mean, wanted, reduction="sum")

        for step in range(steps):
            with eroded(places, [mask[step] for mask in masks]):
                gradient, _ = victim.gradient(objective, x.repeat(ghosts, 1, 1, 1))
            gradient = gradient.unflatten(0, (ghosts, -1)).sum(0)
            length = gradient.abs().sum((1, 2, 3), keepdim=True).clamp(min=torch.finfo(gradient.dtype).tiny)
            direction = momentum * direction + gradient / length
            x = (origins + (x + eps / steps * direction.sign() - origins).clamp(-eps, eps)).clamp(0, 1)
        found.append(x.cpu())
    return torch.cat(found)
