"""Exact intervals of shares."""

from qurd_core.errors import QurdError
from qurd_core.statistics.printed import check_share


def clopper_pearson(x: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share of which `x` of `n` were seen (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    check_share(level, "level")
    if not 0 <= x <= n or n < 1:
        raise QurdError(f"Expected a count between 0 and n, and n at least 1. Got {x} of {n}.")
    tail = (1 - level) / 2
    low = float(betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0
    return low, high


def upper_limit(k: int, n: int) -> float:
    """Upper 95 % limit of the false-alarm rate of a threshold with k of n unrelated scores below it."""
    from scipy.special import betaincinv

    return float(betaincinv(k + 1, n - k, 0.95)) if k < n else 1.0
