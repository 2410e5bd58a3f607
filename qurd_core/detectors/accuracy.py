"""A control that is no fingerprint: it suspects whoever is less accurate."""

from torch import Tensor

from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"correctness"}, end_at_one=True, control=True)
def accuracy(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Accuracy of the suspect on the queries: (M,B). Stolen models tend to be less accurate; the victim is not looked at.

    On adversarial queries this is DeepJudge's robustness distance (Chen et al. 2022), since the victim is wrong on all.
    """
    return budgets.mean(suspects)
