"""Seeds that do not depend on the victim."""

from typing import Literal

import torch

from qurd_core.registry import seed_rules
from qurd_core.types import Draw, Pool


@seed_rules.register(provides={"photo", "truth"})
def uniform(pool: Pool, rng: torch.Generator, n: int, *, split: Literal["train", "test"]) -> Draw:
    """Photographs drawn uniformly, whatever the victim says about them."""
    indices = torch.randperm(len(pool), generator=rng)[:n]
    return Draw(indices, torch.zeros_like(indices))
