"""Images where a unit of the victim's first layer switches on: a probe of its hinges, inspired by TAFA (Pan et al. 2021), of
which the abstract only was at hand.
"""

from typing import Annotated

import torch
from torch import Tensor, nn

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.inside import ACTIVATIONS, affine_layers, listening
from qurd_core.types import Queries

TRIED = 16  # units of each pair whose bend is measured


@crafts.register(provides={"triplets"}, drops={"truth", "aim"}, group=3, story="hinge", swept=False)
def hinges(
    seeds: Queries, victim: Oracle, rng: torch.Generator, *, delta: Annotated[float, Range(1e-4, 0.25)] = 0.01
) -> Queries:
    """Three images around a point between two seeds where a unit of the first layer switches, the one that bends most.

    The layer is affine on the way from a seed to its partner, drawn among the second half of the seeds, so the point is
    known in closed form. Of some units that switch on the way the one is taken at which the victim's logits have the
    largest second difference.

    Args:
        delta: distance of the outer images from the middle one, as a share of the way.
    """
    pairs = len(seeds) // 2
    if not pairs:
        return Queries(seeds.x[:0], seeds.group[:0], seeds.seed[:0], None)
    partner = pairs + torch.randperm(pairs, generator=rng)
    ends = torch.stack([seeds.x[:pairs], seeds.x[partner]], 1)
    units = before_switching(victim, ends.flatten(0, 1)).unflatten(0, (pairs, 2))
    places = crossings(units, rng, delta)
    x = triplets(ends, places.nan_to_num(0.5), delta)
    bends = second_differences(victim.logits(x.flatten(0, 2)).double().unflatten(0, x.shape[:3]))
    bent = bends.norm(dim=-1).masked_fill(places.isnan(), -1)
    best, there = bent.argmax(1), ~places.isnan().all(1)
    found = x[torch.arange(pairs), best][there]
    first = torch.arange(pairs)[there]
    return Queries(
        found.flatten(0, 1), seeds.group[first].repeat_interleave(3), seeds.seed[first].repeat_interleave(3), None
    )


def before_switching(victim: Oracle, x: Tensor) -> Tensor:
    """(n,U) what goes into the first activation, after batch normalisation; of a model without one, its first layer."""
    module, seen = victim.module, []
    active = next((layer for layer in module.modules() if isinstance(layer, ACTIVATIONS)), None)
    layer: nn.Module = active or affine_layers(module)[0]
    with listening(layer, lambda found: seen.append(found.clone()), after=active is None):  # activations may write in place
        victim.labels(x)
    # A layer that is used several times in one pass is heard each time: the first time of every batch counts.
    batches = len(x.split(victim.runtime.batch_size))
    return torch.cat(seen[:: len(seen) // batches]).flatten(1).cpu()


def crossings(units: Tensor, rng: torch.Generator, delta: float) -> Tensor:
    """(pairs,TRIED) where on the way from 0 to 1 some units that switch there do so, NaN where fewer do.

    Args:
        units: (pairs,2,U) at both ends.
    """
    start, end = units.double().unbind(1)
    place = start / (start - end)
    switches = (start * end < 0) & (place > delta) & (place < 1 - delta)
    lots = torch.rand(place.shape, generator=rng).masked_fill(~switches, -1)
    drawn, chosen = lots.topk(min(TRIED, lots.shape[1]), 1)
    return place.gather(1, chosen).masked_fill(drawn < 0, torch.nan)


def triplets(ends: Tensor, places: Tensor, delta: float) -> Tensor:
    """(pairs,K,3,3,H,W) images before, at and after each place on the way between two images (pairs,2,3,H,W)."""
    around = places[:, :, None] + delta * torch.tensor([-1.0, 0.0, 1.0], dtype=places.dtype)
    start, end = ends.double()[:, :, None, None].unbind(1)
    return (start + around[..., None, None, None] * (end - start)).float().clamp(0, 1)


def second_differences(outputs: Tensor) -> Tensor:
    """(...,C) o(x+d) - 2 o(x) + o(x-d) of outputs (...,3,C)."""
    return outputs[..., 0, :] - 2 * outputs[..., 1, :] + outputs[..., 2, :]
