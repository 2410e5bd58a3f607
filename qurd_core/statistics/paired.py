"""Tests of two schemes on the same models."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError
from qurd_core.statistics.printed import check_scores, check_share, percent

EXACT_UP_TO = 20
SAMPLED = 100_000

# Sums of the same numbers in another order differ in the last digits.
_TIE = 1e-9


@dataclass(frozen=True)
class DeLong:
    """Areas under two ROC curves on the same models.

    Attributes:
        auc_a, auc_b: chance that a stolen model is closer to the victim than an unrelated one, a tie counting one half.
        var_diff: estimated variance of their difference.
        z: difference over its standard error; 0 for equal areas, NaN where the variance is 0 and they differ.
        p: two-sided.
    """

    auc_a: float
    auc_b: float
    var_diff: float
    z: float
    p: float
    method: str = "Paired DeLong test (DeLong, DeLong and Clarke-Pearson 1988), two-sided, normal approximation."
    assumptions: tuple[str, ...] = (
        "Unrelated models are independent of one another, and so are stolen ones.",
        "There are enough models for a normal approximation: with fewer than about 20 of each it is rough.",
    )


def delong_paired(neg_a: ArrayLike, pos_a: ArrayLike, neg_b: ArrayLike, pos_b: ArrayLike) -> DeLong:
    """Compare two schemes by the area under their ROC curves.

    Args:
        neg_a, neg_b: (n,) distances of the same unrelated models in the same order.
        pos_a, pos_b: (p,) distances of the same stolen models in the same order.
    """
    sides = [check_scores(side, "the distances") for side in (neg_a, pos_a, neg_b, pos_b)]
    n, p = len(sides[0]), len(sides[1])
    if len(sides[2]) != n or len(sides[3]) != p or min(n, p) < 2:
        raise QurdError(
            f"Expected the same unrelated and stolen models of both schemes, at least 2 of each. "
            f"Got {n} and {p}, and {len(sides[2])} and {len(sides[3])}."
        )
    wins = [_wins(sides[0], sides[1]), _wins(sides[2], sides[3])]
    difference = wins[0] - wins[1]
    var = float(difference.mean(axis=1).var(ddof=1) / n + difference.mean(axis=0).var(ddof=1) / p)
    gap = float(difference.mean())
    z = gap / math.sqrt(var) if var > 0 else 0.0 if abs(gap) < _TIE else math.nan
    return DeLong(float(wins[0].mean()), float(wins[1].mean()), var, z, math.erfc(abs(z) / math.sqrt(2)))


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


@dataclass(frozen=True)
class VictimsNeeded:
    """How many independent victims a comparison takes.

    Attributes:
        victims: number needed.
        have: number that the spread was estimated from.
        sd: standard deviation of the differences over victims.
        effect: the difference to find.
    """

    victims: int
    have: int
    sd: float
    effect: float
    method: str
    assumptions: tuple[str, ...] = (
        "Further victims differ from one another as much as those at hand.",
        "The spread itself is estimated: from few victims the number may be off by a factor of two or more.",
    )


def victims_needed(diffs: ArrayLike, effect: float = 0.10, level: float = 0.95, power: float = 0.8) -> VictimsNeeded:
    """Number of independent victims (lineages) from which on a difference of `effect` between two schemes is found.

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
    return VictimsNeeded(
        high,
        len(units),
        sd,
        effect,
        f"Victims for which a mean difference of {100 * effect:g} points is found with chance {percent(power)} at the level "
        f"{percent(1 - level)} (t interval), and not fewer than the exact sign-flip test needs.",
    )


def _wins(negatives: NDArray[np.float64], positives: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,p) 1 where the stolen model is closer, 1/2 for a tie."""
    return (negatives[:, None] > positives) + 0.5 * (negatives[:, None] == positives)


def _signed_sums(units: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.zeros(1)
    for unit in units:
        sums = np.concatenate([sums + unit, sums - unit])
    return sums
