"""Seeds that the victim gets wrong: the Anna Karenina Heuristic of the QuRD paper."""

from typing import Literal

import torch

from qurd_core.errors import QurdError
from qurd_core.registry import seed_rules
from qurd_core.types import Draw, Pool


@seed_rules.register(provides={"photo", "truth", "scarce", "aim"}, needs={"victim labels"}, story="mistakes")
def negative(pool: Pool, rng: torch.Generator, n: int, *, split: Literal["train", "test"]) -> Draw:
    """Photographs that the victim gets wrong, drawn uniformly; none where it is right on all of them."""
    if pool.truth is None or pool.victim_labels is None:
        raise QurdError("Expected a pool with the truth and the victim's labels. Use a seed rule that needs neither.")
    order = torch.randperm(len(pool), generator=rng)
    places = (pool.victim_labels[order] != pool.truth[order]).nonzero().squeeze(1)
    return Draw(order[places[:n]], places[:n] + 1)
