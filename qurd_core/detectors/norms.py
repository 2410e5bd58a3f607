"""Size of the difference, entry by entry."""

from torch import Tensor

from qurd_core.registry import detectors
from qurd_core.types import Prefixes


@detectors.register(needs={"vectors"}, counts_missing=True)
def l1(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Mean absolute difference over all entries."""
    return budgets.mean((suspects - victim).abs_())


@detectors.register(needs={"vectors"}, redundant={"two-valued": "l1"}, counts_missing=True)
def l2(victim: Tensor, suspects: Tensor, budgets: Prefixes) -> Tensor:
    """Root mean square difference over all entries."""
    return budgets.mean((suspects - victim).square_()).sqrt()
