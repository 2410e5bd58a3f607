"""Angle between representations."""

import numpy as np
import torch
from torch import Tensor

from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"vectors"}, counts_missing=True, plain=True)
def cosine(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """1 - cos: the mean over queries, or that of the whole vector for pairwise, listwise and LIME."""
    victim = victim[None]
    if budgets.whole:
        return one_minus_cosine(*map(budgets.sum, (victim * suspects, victim.square(), suspects.square())))
    products = victim * suspects, victim.square(), suspects.square()
    return budgets.mean(one_minus_cosine(*(terms.flatten(2).sum(2, dtype=torch.float64) for terms in products)))


@detectors.register(needs={"weights"})
def aligned_cosine(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """1 - cos of LIME weights after matching the suspect's classes to the victim's, for models that order them differently.

    The matching is the one with the least total 1 - cos between columns; the authors match greedily.
    """
    from scipy.optimize import linear_sum_assignment  # as long to import as everything else that reads stored scores

    last = torch.tensor(budgets.rows) - 1
    across = torch.einsum("rc,mrd->mrcd", victim, suspects).cumsum(1)[:, last]
    ours, theirs = victim.square().cumsum(0)[last], suspects.square().cumsum(1)[:, last]
    costs = one_minus_cosine(across, ours[None, :, :, None], theirs[:, :, None])
    columns = np.stack([linear_sum_assignment(cost)[1] for cost in costs.flatten(0, 1).numpy()])
    matched = across.gather(3, torch.from_numpy(columns).view(*across.shape[:3], 1))
    return one_minus_cosine(matched.sum((2, 3)), ours.sum(1), theirs.sum(2))


def one_minus_cosine(dots: Tensor, ours: Tensor, theirs: Tensor) -> Tensor:
    """1 - cos from inner products and squared lengths: 0 between two zero vectors, 1 between a zero vector and another."""
    lengths = (ours * theirs).sqrt()
    distances = (1 - dots / lengths.clamp(min=torch.finfo(lengths.dtype).tiny)).clamp(min=0)
    return torch.where((ours == 0) & (theirs == 0), 0.0, distances)
