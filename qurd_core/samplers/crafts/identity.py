"""No craft: natural images as they are."""

import torch

from qurd_core.oracle import Oracle
from qurd_core.registry import crafts
from qurd_core.types import Queries


@crafts.register(natural=True, plain=True, deterministic=True)
def identity(seeds: Queries, victim: Oracle, rng: torch.Generator) -> Queries:
    """Send the seed images themselves."""
    return seeds
