"""Points just across the victim's decision boundary: the queries of IPGuard (Cao, Jia, Gong 2021)."""

from functools import partial
from typing import Annotated, Literal

import torch
from torch import Tensor

from qurd_core.oracle import Oracle
from qurd_core.registry import Range, crafts
from qurd_core.samplers.crafts.kept import kept
from qurd_core.samplers.crafts.targets import least_likely, random_target
from qurd_core.types import Queries

Stop = Literal["label", "margin"]

DECAY, SQUARE_DECAY, TINY = 0.9, 0.999, 1e-8  # Adam's usual values
ZERO = 1e-6  # a loss up to it counts as none


@crafts.register(drops={"aim"}, story="adversarial")
def boundary(
    seeds: Queries,
    victim: Oracle,
    rng: torch.Generator,
    *,
    lr: Annotated[float, Range(1e-6, 1)] = 0.01,
    steps: Annotated[int, Range(1, 10_000)] = 1000,
    stop: Stop = "label",
    margin: Annotated[float, Range(0, 1000)] = 10.0,
    target: Literal["random", "least_likely"] = "random",
) -> Queries:
    """Move every seed across the victim's decision boundary into another class; seeds that do not arrive are dropped."""
    logits = victim.logits(seeds.x)
    source = logits.argmax(1)
    goal = random_target(source, victim.classes, rng) if target == "random" else least_likely(logits, source)
    x, arrived, spent = cross(victim, seeds.x, source, goal, lr=lr, steps=steps, stop=stop, margin=margin)
    return kept(seeds, x, arrived, spent, target=goal)


def cross(
    victim: Oracle, start: Tensor, source: Tensor, goal: Tensor, *, lr: float, steps: int, stop: Stop, margin: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Move images from class `source` (n,) into class `goal` (n,) with Adam on their pixels, all of them at once.

    Adam works element by element, so one optimiser over all images equals one per image as long as losses are summed. An
    image that arrives leaves the batch together with its moments: a gradient of zero would not stop it, because momentum
    moves it on, and it would go on costing passes.

    Returns:
        The images (n,3,H,W) as they were when they were tested, whether each arrived (n,), and the gradient evaluations
        spent on each (n,).
    """
    x, source, goal = (rows.to(victim.device) for rows in (start, source, goal))
    found, arrived, spent = x.clone(), torch.zeros_like(source, dtype=torch.bool), torch.zeros_like(source)
    active, mean, square = torch.arange(len(x), device=x.device), torch.zeros_like(x), torch.zeros_like(x)
    for step in range(1, steps + 1):
        gradient, logits = victim.gradient(partial(total_loss, source=source, goal=goal, margin=margin), x)
        spent[active] += 1
        here = reached(logits, source, goal, stop, margin)
        if here.any():
            found[active[here]], arrived[active[here]] = x[here], True
            rows = active, x, mean, square, gradient, source, goal
            active, x, mean, square, gradient, source, goal = (row[~here] for row in rows)
            if not len(active):
                break
        x, mean, square = adam(x, mean, square, gradient, step, lr)
    else:
        here = reached(victim.logits(x).to(x.device), source, goal, stop, margin)
        found[active[here]], arrived[active[here]] = x[here], True
    return found.cpu(), arrived.cpu(), spent.cpu()


def losses(logits: Tensor, source: Tensor, goal: Tensor, margin: float) -> Tensor:
    """(n,) ReLU(Z_i - Z_j + k) + ReLU(max of the other Z_t - Z_i), with i the source, j the goal and k the margin."""
    own, aim = (logits.gather(1, classes[:, None]).squeeze(1) for classes in (source, goal))
    # Masked with -inf, because 0 would win over negative logits. Two classes leave no other: ReLU(-inf) = 0.
    other = logits.scatter(1, torch.stack([source, goal], 1), -torch.inf).amax(1)
    return (own - aim + margin).relu() + (other - own).relu()


def total_loss(logits: Tensor, source: Tensor, goal: Tensor, margin: float) -> Tensor:
    """The sum of the losses, so that images stay independent."""
    return losses(logits, source, goal, margin).sum()


def reached(logits: Tensor, source: Tensor, goal: Tensor, stop: Stop, margin: float) -> Tensor:
    """(n,) whether each image is where it should go."""
    return logits.argmax(1) == goal if stop == "label" else losses(logits, source, goal, margin) <= ZERO


def adam(x: Tensor, mean: Tensor, square: Tensor, gradient: Tensor, step: int, lr: float) -> tuple[Tensor, Tensor, Tensor]:
    """One step of Adam (Kingma, Ba 2015) inside [0,1]: the images and their two moments."""
    mean = DECAY * mean + (1 - DECAY) * gradient
    square = SQUARE_DECAY * square + (1 - SQUARE_DECAY) * gradient.square()
    scale = (square / (1 - SQUARE_DECAY**step)).sqrt() + TINY
    return (x - lr / (1 - DECAY**step) * mean / scale).clamp(0, 1), mean, square
