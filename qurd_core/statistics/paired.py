"""Tests of two schemes on the same models."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError
from qurd_core.statistics.printed import check_scores, check_share

EXACT_UP_TO = 20
SAMPLED = 100_000

# Sums of the same numbers in another order differ in the last digits.
_TIE = 1e-9


def sign_flip(differences: ArrayLike) -> float:
    """Two-sided p-value of a sum of differences, if each is as likely to have the other sign (Fisher 1935).

    All 2^m signs are counted up to m = 20, so the p-value is exact and not below 2/2^m; beyond, 100 000 signs are drawn with
    a fixed seed. With every difference -1, 0 or 1 it is the exact McNemar test.

    Args:
        differences: (m,) one per independent unit, already weighted.
    """
    units = check_scores(differences, "the differences")
    if not len(units):
        raise QurdError("Expected at least one difference. Got none.")
    observed = abs(units.sum()) - _TIE * max(1.0, abs(units).sum())
    if len(units) <= EXACT_UP_TO:
        return float((abs(_signed_sums(units)) >= observed).mean())
    signs = Generator(PCG64(0)).integers(2, size=(SAMPLED, len(units)), dtype=np.int8) * 2 - 1
    return float((1 + (abs(signs @ units) >= observed).sum()) / (1 + SAMPLED))


def smallest_p(units: int, asked: int = 1) -> float:
    """The smallest p that the exact sign-flip test over some independent units can give after Holm for `asked` comparisons.

    All signs alike have the chance 2/2^units, and the smallest of the family is multiplied by its size. What lies above the
    level cannot be decided, whatever the scores are.
    """
    return min(1.0, asked * 2 / 2**units)


def victims_to_decide(asked: int, level: float = 0.05) -> int:
    """Independent victims from which on the exact test can decide one of `asked` comparisons at a level."""
    check_share(level, "level")
    return math.ceil(math.log2(2 * max(asked, 1) / level) - _TIE)


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """(m,) p-values adjusted for asking m questions at once (Holm 1979); NaN is no question and stays."""
    raw = np.asarray(p_values, float)
    adjusted, asked = raw.copy(), np.flatnonzero(~np.isnan(raw))
    order = asked[np.argsort(raw[asked], kind="stable")]
    adjusted[order] = np.minimum(1, np.maximum.accumulate(raw[order] * np.arange(len(order), 0, -1)))
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """(m,) p-values adjusted so that at most the share `a` of those at or below `a` is false on average (Benjamini and
    Hochberg 1995); NaN is no question and stays.
    """
    from scipy.stats import false_discovery_control

    raw = np.asarray(p_values, float)
    adjusted, asked = raw.copy(), ~np.isnan(raw)
    if asked.any():
        adjusted[asked] = false_discovery_control(raw[asked], method="bh")
    return adjusted


def victims_needed(diffs: ArrayLike, effect: float = 0.10, level: float = 0.95, power: float = 0.8) -> int:
    """Number of independent victims (lineages) from which on a difference of `effect` between two schemes is found.

    By a t interval, and not below what the exact sign-flip test needs. It takes further victims to differ from one another
    as much as those at hand, and estimates the spread from these: from few the number may be off by a factor of two or more.

    Args:
        diffs: (m,) difference of the two detection rates per victim, m at least 2.
        power: chance to find it. At 0.5 the interval of the mean difference reaches just `effect` to either side.

    Raises:
        QurdError: fewer than two victims, or the effect is not positive.
    """
    from scipy.stats import t

    units = check_scores(diffs, "the differences")
    check_share(level, "level")
    check_share(power, "power")
    if len(units) < 2 or not effect > 0:
        raise QurdError(f"Expected differences of at least 2 victims and an effect above 0. Got {len(units)} and {effect}.")
    sd = float(units.std(ddof=1))

    def enough(m: int) -> bool:
        return (t.ppf((1 + level) / 2, m - 1) + t.ppf(power, m - 1)) * sd <= effect * math.sqrt(m)

    low = high = max(2, victims_to_decide(1, 1 - level))  # below, the exact sign-flip test finds nothing
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _signed_sums(units: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.zeros(1)
    for unit in units:
        sums = np.concatenate([sums + unit, sums - unit])
    return sums
