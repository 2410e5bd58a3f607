"""The crafts written plainly, one image at a time on a bare module: what `plain` and `parts` compare with.

The module is frozen, which a plain program might forget, so that it pays for no gradient that nobody reads.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qurd_core.samplers.crafts.cutmix import draw_box
from qurd_core.samplers.crafts.pgd import STEP
from qurd_core.samplers.crafts.superpixels import OFF, segment
from qurd_core.types import Queries

LR, STEPS, MARGIN = 0.01, 1000, 10.0
EPS, CLIMBS = 0.03, 40
MASKS = 100
CLASSES = 10


class Crossing(NamedTuple):
    """An image on its way over the boundary: where it ended, whether it arrived, the passes that it took."""

    image: Tensor
    arrived: bool
    passes: int


def cross(model: nn.Module, image: Tensor, source: int, goal: int) -> Crossing:
    """Move one image (3,H,W) from class `source` into class `goal`: IPGuard's loss under torch's own Adam."""
    x = image[None].clone().requires_grad_()
    optimiser = torch.optim.Adam([x], lr=LR)
    others = [label for label in range(CLASSES) if label not in (source, goal)]
    for step in range(STEPS):
        logits = model(x)[0]
        if int(logits.argmax()) == goal:
            return Crossing(x.detach()[0], True, step + 1)
        loss = F.relu(logits[source] - logits[goal] + MARGIN) + F.relu(logits[others].max() - logits[source])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    with torch.no_grad():
        return Crossing(x.detach()[0], int(model(x).argmax()) == goal, STEPS)


def climb(model: nn.Module, image: Tensor, rng: torch.Generator) -> Tensor:
    """An image within EPS of one image (3,H,W) that the model labels differently, by projected gradient ascent."""
    with torch.no_grad():
        label = model(image[None]).argmax(1)
    x = (image + EPS * (2 * torch.rand(image.shape, generator=rng) - 1)).clamp(0, 1)
    for _ in range(CLIMBS):
        x.requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(x[None]), label), x)
        x = x.detach() + STEP * EPS * gradient.sign()
        x = (image + (x - image).clamp(-EPS, EPS)).clamp(0, 1)
    return x


def switch(image: Tensor, segments: Tensor, on: Tensor) -> Tensor:
    """(masks,3,H,W) the image once per row of `on` (masks,S), what is off in the mean colour, as LIME's code does."""
    pixels, numbers, queries = image.permute(1, 2, 0).numpy(), segments.numpy(), []
    for row in on.numpy():
        query, hidden = pixels.copy(), np.zeros(numbers.shape, bool)
        for number in np.flatnonzero(~row):
            hidden[numbers == number] = True
        query[hidden] = OFF
        queries.append(torch.from_numpy(query).permute(2, 0, 1))
    return torch.stack(queries)


def identity(model: nn.Module, seeds: Queries, rng: torch.Generator) -> Queries:
    return seeds


def boundary(model: nn.Module, seeds: Queries, rng: torch.Generator) -> Queries:
    found, passes = [], []
    for image in seeds.x:
        with torch.no_grad():
            source = int(model(image[None]).argmax())
        goal = (source + int(torch.randint(1, CLASSES, (), generator=rng))) % CLASSES
        crossing = cross(model, image, source, goal)
        found.append(crossing.image)
        passes.append(crossing.passes)
    return Queries(torch.stack(found), seeds.group, seeds.seed, seeds.truth, {"gradients": torch.tensor(passes)})


def pgd(model: nn.Module, seeds: Queries, rng: torch.Generator) -> Queries:
    pairs = [image for seed in seeds.x for image in (seed, climb(model, seed, rng))]
    return _grouped(torch.stack(pairs), seeds, 2, {"gradients": torch.full((len(seeds),), CLIMBS)})


def superpixels(model: nn.Module, seeds: Queries, rng: torch.Generator) -> Queries:
    queries, masks = [], []
    for image in seeds.x:
        segments = segment(image)
        on = torch.rand(MASKS, int(segments.max()) + 1, generator=rng) < 0.5
        on[0] = True
        queries.append(switch(image, segments, on))
        masks.append(on)
    width = max(on.shape[1] for on in masks)
    padded = torch.cat([F.pad(on, (0, width - on.shape[1])) for on in masks])
    return _grouped(torch.cat(queries), seeds, MASKS, {"masks": padded})


def cutmix(model: nn.Module, seeds: Queries, rng: torch.Generator) -> Queries:
    """The seeds themselves, then blends and their mirrors until there are as many queries as masks."""
    blends, wanted = [], max(MASKS - len(seeds), 0)
    while len(blends) < wanted:
        left, top, right, bottom = draw_box(*seeds.x.shape[2:], rng)
        for index, image in enumerate(seeds.x):
            blend = image.clone()
            blend[:, top:bottom, left:right] = seeds.x[index - 1][:, top:bottom, left:right]
            blends += [blend, blend.flip(2), blend.flip(1)]
    x = torch.stack([*seeds.x, *blends[:wanted]])
    return Queries(x, torch.arange(len(x)), torch.zeros(len(x), dtype=torch.long))


Craft = Callable[[nn.Module, Queries, torch.Generator], Queries]
CRAFTS: dict[str, Craft] = {
    "identity": identity,
    "boundary": boundary,
    "pgd": pgd,
    "superpixels": superpixels,
    "cutmix": cutmix,
}


def _grouped(x: Tensor, seeds: Queries, size: int, aux: dict[str, Tensor]) -> Queries:
    """Queries of which each seed became `size`."""
    truth = None if seeds.truth is None else seeds.truth.repeat_interleave(size)
    return Queries(x, seeds.group.repeat_interleave(size), seeds.seed.repeat_interleave(size), truth, aux)
