"""Accuracy of the suspect: alone, a control that is no fingerprint; against the victim's, DeepJudge (Chen et al. 2022)."""

from torch import Tensor

from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"correctness"}, end_at_one=True, control=True)
def accuracy(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Accuracy of the suspect on the queries: (M,B). Stolen models tend to be less accurate; the victim is not looked at."""
    return budgets.mean(suspects)


@detectors.register(needs={"correctness"}, end_at_one=True, swept=False)
def accuracy_gap(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Difference between the accuracies of victim and suspect, without sign: RobD on adversarial queries.

    There the victim is wrong on all queries, so it is the suspect's accuracy, that is, how robust it is against them.
    """
    return (budgets.mean(suspects) - budgets.mean(victim[None])).abs()
