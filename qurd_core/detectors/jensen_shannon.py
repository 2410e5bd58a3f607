"""Divergence of probabilities."""

import torch
from torch import Tensor

from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"distributions"}, counts_missing=True)
def jensen_shannon(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Jensen-Shannon divergence in nats, the mean over queries: between 0 and ln 2."""
    ours, theirs = victim.double(), suspects.double()
    divergence = entropy((ours + theirs) / 2) - (entropy(ours) + entropy(theirs)) / 2
    return budgets.mean(divergence.clamp(min=0))


def entropy(probits: Tensor) -> Tensor:
    """(...,) entropy in nats of distributions (...,C)."""
    return -torch.xlogy(probits, probits).sum(-1)
