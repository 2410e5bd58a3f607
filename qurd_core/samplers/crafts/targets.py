"""Which class an attack aims for: never the one it starts from."""

import torch
from torch import Tensor


def random_target(source: Tensor, classes: int, rng: torch.Generator) -> Tensor:
    """(n,) a class for every image, uniform over the others."""
    return (source + torch.randint(1, classes, source.shape, generator=rng)) % classes


def least_likely(logits: Tensor, source: Tensor) -> Tensor:
    """(n,) the least probable class of every image but its own; the two can only meet where all logits are equal."""
    return logits.scatter(1, source[:, None], torch.inf).argmin(1)
