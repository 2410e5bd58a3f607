"""Seeds that are no photographs."""

import torch

from qurd_core.registry import seed_rules
from qurd_core.types import Draw, Pool


@seed_rules.register(pool="noise", story="noise")
def noise(pool: Pool, rng: torch.Generator, n: int) -> Draw:
    """Images of random pixels."""
    indices = torch.randperm(len(pool), generator=rng)[:n]
    return Draw(indices, torch.zeros_like(indices))
