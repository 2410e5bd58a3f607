"""What is left of the seeds when a craft has dropped its failures, and who pays for these."""

import torch
from torch import Tensor

from qurd_core.types import Queries


def kept(seeds: Queries, x: Tensor, arrived: Tensor, spent: Tensor, **more: Tensor) -> Queries:
    """One query per seed that arrived.

    Args:
        x: (n,3,H,W) what became of every seed.
        arrived: (n,) bool.
        spent: (n,) gradients that each cost.
        more: further tensors of `aux`, a row per seed.
    """
    truth = None if seeds.truth is None else seeds.truth[arrived]
    aux = {name: rows[arrived] for name, rows in more.items()} | {"gradients": charge(spent, arrived)}
    return Queries(x[arrived], seeds.group[arrived], seeds.seed[arrived], truth, aux)


def charge(spent: Tensor, arrived: Tensor) -> Tensor:
    """The cost of every kept image with that of the images dropped before it; the last one bears the rest."""
    if not arrived.any():
        return spent[arrived]
    payer = (arrived.long().cumsum(0) - arrived.long()).clamp(max=int(arrived.sum()) - 1)
    return torch.zeros_like(spent[arrived]).index_add(0, payer, spent)
