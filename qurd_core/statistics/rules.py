"""Thresholds with a known false-alarm rate.

Everything that promises a rate counts independent lineages (`lineage.independent`): a model and what was made from it, or a
pre-trained network and what was transferred from it, are one draw and not many.

A score is a distance, small = stolen, and a rule flags a suspect whose score lies strictly below its threshold. With few
unrelated models a threshold that flags 5 % of them flags more than 5 % of those to come; the functions here say how many.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qurd_core.errors import QurdError
from qurd_core.lineage import independent
from qurd_core.statistics.printed import EXCHANGEABLE, FIXED, SLACK, TIES, check_scores, check_share, ordinal, percent
from qurd_core.statistics.sides import closest

Kind = Literal["conformal", "paper"]


@dataclass(frozen=True)
class Rule:
    """A threshold, and how often it accuses an innocent model.

    Attributes:
        threshold: a score strictly below it is flagged; NaN, which flags nothing, where the rule is refused.
        k: independent lineages of unrelated models (models, by the paper's rule) that may lie below the threshold; None
            where refused.
        n: lineages (models) that it was calibrated on.
        attainable: the smallest level that a rule of this kind can promise with `n` of them.
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
    assumptions: tuple[str, ...] = (EXCHANGEABLE, FIXED, TIES)


def min_pool(alpha: float) -> int:
    """The number of independent unrelated lineages from which on a false-alarm rate of at most `alpha` can be promised."""
    check_share(alpha, "alpha")
    return math.ceil(1 / alpha - SLACK) - 1


def allowed_below(n: int, alpha: float = 0.05, kind: Kind = "conformal") -> int | None:
    """The number k of `n` independent unrelated lineages that may lie below the threshold, the (k+1)-th smallest score.

    * `"paper"`: the empirical rate k/n stays at or below alpha.
    * `"conformal"`: the expected rate on fresh innocent models, (k+1)/(n+1), stays at or below alpha.

    Returns:
        k, or None where even k = 0 breaks the promise.
    """
    check_share(alpha, "alpha")
    if kind == "paper":
        k = math.floor(alpha * n + SLACK) if n else -1
    elif kind == "conformal":
        k = math.floor(alpha * (n + 1) + SLACK) - 1
    else:
        raise QurdError(f"Expected the kind of rule 'conformal' or 'paper'. Got '{kind}'.")
    return None if k < 0 else k


def refusal(n: int, alpha: float = 0.05, kind: Kind = "conformal", *, models: int | None = None) -> str | None:
    """Why a rule of this kind cannot be had with `n` independent lineages of unrelated models: how many are missing, and the
    level that can be promised; None where it can.

    Args:
        models: in these lineages, if they are more.
    """
    if allowed_below(n, alpha, kind) is not None:
        return None
    if n == 0:
        return "A threshold needs unrelated models. There are none: choose a task that has some."
    needed = min_pool(alpha)
    have = f"{n}" if models in (None, n) else f"{n}, behind {models} models"
    return (
        f"Refused: at most {percent(alpha)} false alarms can be guaranteed from {needed} independent lineages of "
        f"unrelated models on. There are {have}: {needed - n} more are needed. The lowest false-alarm rate that can be "
        f"guaranteed is {percent(1 / (n + 1))}."
    )


def calibrated_rule(
    neg: ArrayLike, alpha: float = 0.05, kind: Kind = "conformal", *, lineages: Sequence[str] | None = None
) -> Rule:
    """The threshold that the scores of unrelated models allow, with its real false-alarm rate.

    Args:
        neg: (n,) scores of unrelated models.
        lineages: (n,) the lineage of each, as in a score table; each model is one of its own if not given. All rules but the
            paper's take the closest model of every independent lineage.
        alpha: the share of innocent models that may be flagged.
        kind: which promise, see `allowed_below`.

    Raises:
        QurdError: a score is NaN, alpha is no share, or there is not one lineage per score.
    """
    scores = check_scores(neg, "the scores of unrelated models")
    models = len(scores)
    if lineages is not None:
        if len(lineages) != models:
            raise QurdError(f"Expected one lineage per unrelated model, {models}. Got {len(lineages)}.")
        scores = scores if kind == "paper" else closest(scores, np.array(independent(lineages), int))
    scores = np.sort(scores)
    n, k = len(scores), allowed_below(len(scores), alpha, kind)
    attainable, reason = 1 / (n + 1), refusal(n, alpha, kind, models=models)
    if k is None:
        return Rule(math.nan, None, n, attainable, math.nan, math.nan, reason, f"No {_NAMES[kind]} rule exists.")
    method = f"Flag a suspect below the {ordinal(k + 1)} smallest of {n} unrelated scores ({_NAMES[kind]} rule)."
    return Rule(float(scores[k]), k, n, attainable, (k + 1) / (n + 1), upper_limit(k, n), None, method)


_NAMES = {"paper": "paper's", "conformal": "conformal"}


def upper_limit(k: int, n: int) -> float:
    """Upper 95 % limit of the false-alarm rate of a threshold with k of n unrelated scores below it."""
    from scipy.special import betaincinv

    return float(betaincinv(k + 1, n - k, 0.95)) if k < n else 1.0
