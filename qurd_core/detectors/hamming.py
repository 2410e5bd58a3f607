"""Disagreement of symbols."""

from torch import Tensor

from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"symbols"}, counts_missing=True, end_at_one=True, plain=True)
def hamming(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Share of symbols that differ."""
    return budgets.mean(suspects != victim)
