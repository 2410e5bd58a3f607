"""What a score is worth: rules with a known false-alarm rate, p-values and exact intervals.

A score is a distance, small = stolen, and a rule flags a suspect whose score lies strictly below its threshold. With few
unrelated models a threshold that flags 5 % of them flags more than 5 % of those to come; the functions here say how many.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError

Kind = Literal["conformal", "paper", "pac"]

# 0.05 * 60 and its like must not fall below the whole number that they are on paper.
_SLACK = 1e-9

_EXCHANGEABLE = (
    "The unrelated models are exchangeable with an innocent suspect: same task and label set, similar accuracy, several "
    "architectures and several pre-training roots."
)
_FIXED = "The scheme and its queries were fixed before the scores were seen."
_TIES = "Ties only make fewer suspects flagged."
_INDEPENDENT = "Models of one lineage count once: its closest model stands for it."


@dataclass(frozen=True)
class Rule:
    """A threshold, and how often it accuses an innocent model.

    Attributes:
        threshold: a score strictly below it is flagged; NaN, which flags nothing, where the rule is refused.
        k: unrelated models that may lie below the threshold; None where refused.
        n: unrelated models that it was calibrated on.
        attainable: the smallest level that a rule of this kind can promise with `n` unrelated models.
        mean_fpr: expected false-alarm rate on fresh innocent models, (k+1)/(n+1).
        fpr_upper95: the false-alarm rate stays below it with 95 % confidence.
        refused_reason: why there is no threshold, as one text that can be shown, or None.
        method: what was done, in words.
        assumptions: what the numbers rest on, in words.
    """

    threshold: float
    k: int | None
    n: int
    attainable: float
    mean_fpr: float
    fpr_upper95: float
    refused_reason: str | None
    method: str
    assumptions: tuple[str, ...] = (_EXCHANGEABLE, _FIXED, _TIES)

    def chance_above(self, level: float) -> float:
        """Probability, over calibration sets, that the true false-alarm rate exceeds `level`; NaN where refused."""
        from scipy.special import betaincc

        return math.nan if self.k is None else float(betaincc(self.k + 1, self.n - self.k, level))


@dataclass(frozen=True)
class PValue:
    """How unusual a suspect is among innocent models.

    Attributes:
        p: at most `a` with probability at most `a` for an innocent suspect, for every `a`.
        rank: units of the pool (models or lineages) at or below the suspect's score.
        n_effective: units in the pool.
        smallest_p: what no suspect can go below, 1/(n_effective+1).
        p_pac95: upper 95 % confidence limit of the share of innocent models that score as low.
        warnings: sentences to show beside the number.
    """

    p: float
    rank: int
    n_effective: int
    smallest_p: float
    p_pac95: float
    warnings: tuple[str, ...]
    method: str
    assumptions: tuple[str, ...]


def min_pool(alpha: float) -> int:
    """The number of unrelated models from which on a false-alarm rate of at most `alpha` can be promised."""
    _check_share(alpha, "alpha")
    return math.ceil(1 / alpha - _SLACK) - 1


def allowed_below(n: int, alpha: float = 0.05, kind: Kind = "conformal", delta: float = 0.05) -> int | None:
    """The number k of `n` unrelated models that may lie below the threshold, which is the (k+1)-th smallest score.

    * `"paper"`: the empirical rate k/n stays at or below alpha.
    * `"conformal"`: the expected rate on fresh innocent models, (k+1)/(n+1), stays at or below alpha.
    * `"pac"`: the true rate exceeds alpha in at most a share delta of calibration sets. It has the law Beta(k+1, n-k), so
      this chance is P(Bin(n, alpha) <= k) (Wilks 1941, Vovk 2012).

    Returns:
        k, or None where even k = 0 breaks the promise.
    """
    _check_share(alpha, "alpha")
    _check_share(delta, "delta")
    if kind == "paper":
        k = math.floor(alpha * n + _SLACK) if n else -1
    elif kind == "conformal":
        k = math.floor(alpha * (n + 1) + _SLACK) - 1
    elif kind == "pac":
        from scipy.special import bdtr

        k = int((bdtr(np.arange(n), n, alpha) <= delta).sum()) - 1
    else:
        raise QurdError(f"Expected the kind of rule 'conformal', 'paper' or 'pac'. Got '{kind}'.")
    return None if k < 0 else k


def refusal(n: int, alpha: float = 0.05, kind: Kind = "conformal", delta: float = 0.05) -> str | None:
    """Why a rule of this kind cannot be had with `n` unrelated models, and the level that can; None where it can."""
    if allowed_below(n, alpha, kind, delta) is not None:
        return None
    if n == 0:
        return "A threshold needs unrelated models. There are none: choose a task that has some."
    needed, promise = min_pool(alpha), ""
    if kind == "pac":
        needed, promise = math.ceil(math.log(delta) / math.log1p(-alpha) - _SLACK), f" with {_percent(1 - delta)} confidence"
    return (
        f"Refused: at most {_percent(alpha)} false alarms{promise} can be promised with {needed} unrelated models or more. "
        f"There are {n}, so the smallest attainable level is {_percent(_attainable(n, kind, delta))}."
    )


def calibrated_rule(neg: ArrayLike, alpha: float = 0.05, kind: Kind = "conformal", delta: float = 0.05) -> Rule:
    """The threshold that the scores of unrelated models allow, with its real false-alarm rate.

    Args:
        neg: (n,) scores of unrelated models.
        alpha: the share of innocent models that may be flagged.
        kind: which promise, see `allowed_below`.
        delta: for `"pac"`, the share of calibration sets that may break it.

    Raises:
        QurdError: a score is NaN, or alpha or delta is no share.
    """
    scores = np.sort(_scores(neg, "the scores of unrelated models"))
    n, k = len(scores), allowed_below(len(scores), alpha, kind, delta)
    attainable = _attainable(n, kind, delta)
    reason = refusal(n, alpha, kind, delta)
    if k is None:
        return Rule(math.nan, None, n, attainable, math.nan, math.nan, reason, f"No {_NAMES[kind]} rule exists.")
    method = f"Flag a suspect below the {_ordinal(k + 1)} smallest of {n} unrelated scores ({_NAMES[kind]} rule)."
    return Rule(float(scores[k]), k, n, attainable, (k + 1) / (n + 1), _upper95(k, n), None, method)


def conformal_pvalue(
    suspect: float,
    pool: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    mode: Literal["model", "lineage_min"] = "model",
) -> PValue:
    """The p-value (1 + #{pool scores <= suspect's}) / (n + 1): valid for any score, conservative under ties.

    Args:
        suspect: score of the suspect.
        pool: (n,) scores of unrelated models.
        groups: (n,) lineage of every model of the pool, if known.
        mode: the unit that is counted: every model, or every lineage by its smallest score.

    Raises:
        QurdError: a score is NaN, or lineages are asked for and not given.
    """
    units = _scores(pool, "the scores of the pool")
    score = float(_scores([suspect], "the suspect's score")[0])
    if groups is not None and len(groups) != len(units):
        raise QurdError(f"Expected one lineage per model of the pool, {len(units)}. Got {len(groups)}.")
    lineages = None if groups is None else len(set(groups))
    warnings, models = [], len(units)
    if mode == "lineage_min":
        units = _smallest_per_group(units, groups)
    elif mode != "model":
        raise QurdError(f"Expected the mode 'model' or 'lineage_min'. Got '{mode}'.")
    elif lineages is not None and lineages < models:
        warnings.append(f"The {models} models of the pool come from {lineages} lineages, so they are not independent.")
    n, rank = len(units), int((units <= score).sum())
    if n < min_pool(0.05):
        warnings.append(f"A 5 % verdict needs {min_pool(0.05)} independent models. There are {n}.")
    unit = "models" if mode == "model" else "lineages"
    return PValue(
        p=(1 + rank) / (n + 1),
        rank=rank,
        n_effective=n,
        smallest_p=1 / (n + 1),
        p_pac95=_upper95(rank, n),
        warnings=tuple(warnings),
        method=f"{rank} of {n} unrelated {unit} are as close to the victim as the suspect (conformal p-value).",
        assumptions=(_EXCHANGEABLE, _FIXED, _TIES) + ((_INDEPENDENT,) if mode == "lineage_min" else ()),
    )


def clopper_pearson(x: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share of which `x` of `n` were seen (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    _check_share(level, "level")
    if not 0 <= x <= n or n < 1:
        raise QurdError(f"Expected a count between 0 and n, and n at least 1. Got {x} of {n}.")
    tail = (1 - level) / 2
    low = float(betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0
    return low, high


_NAMES = {"paper": "paper's", "conformal": "conformal", "pac": "calibration-conditional"}


def _scores(values: ArrayLike, what: str) -> NDArray[np.float64]:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise QurdError(f"Expected {what} as one row of numbers. Got the shape {scores.shape}.")
    # NaN sorts last and would shift the threshold without a word.
    if np.isnan(scores).any():
        raise QurdError(
            f"Expected {what} to be numbers. Got NaN in {int(np.isnan(scores).sum())} of {len(scores)}: drop them."
        )
    return scores


def _smallest_per_group(scores: NDArray[np.float64], groups: Sequence[Hashable] | None) -> NDArray[np.float64]:
    if groups is None:
        raise QurdError("The mode 'lineage_min' needs the lineage of every model of the pool. Pass 'groups'.")
    smallest: dict[Hashable, float] = {}
    for score, group in zip(scores, groups, strict=True):
        smallest[group] = min(score, smallest.get(group, math.inf))
    return np.array(list(smallest.values()))


def _attainable(n: int, kind: Kind, delta: float) -> float:
    """The level that the threshold "below all unrelated scores" promises."""
    return -math.expm1(math.log(delta) / n) if kind == "pac" and n else 1 / (n + 1)


def _upper95(k: int, n: int) -> float:
    """Upper 95 % limit of the false-alarm rate of a threshold with k of n unrelated scores below it."""
    from scipy.special import betaincinv

    return float(betaincinv(k + 1, n - k, 0.95)) if k < n else 1.0


def _check_share(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise QurdError(f"Expected '{name}' between 0 and 1, both excluded. Got {value}.")


def _percent(share: float) -> str:
    """Two significant digits: 5 %, 9.1 %, 0.1 %."""
    return f"{np.format_float_positional(100 * share, precision=2, fractional=False, trim='-')} %"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
