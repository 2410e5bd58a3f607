"""Does a rule keep its promise on models of a kind that it has not seen?"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qurd_core.errors import QurdError
from qurd_core.statistics.printed import FIXED
from qurd_core.statistics.rules import Kind, allowed_below


@dataclass(frozen=True)
class Audit:
    """False alarms on unrelated models of a group that the threshold was not calibrated on.

    Attributes:
        fpr_by_group: share of each group that is flagged; NaN where the rule is refused on the others.
        mean_fpr: its mean over the groups that are not refused: a group is one kind of model, however many were made.
        nominal: what that mean should be if groups were alike, from (k+1)/(n+1).
        n_folds_refused: groups whose rest is too small for the rule.
    """

    fpr_by_group: dict[Hashable, float]
    mean_fpr: float
    nominal: float
    n_folds_refused: int
    method: str
    assumptions: tuple[str, ...] = (
        FIXED,
        "The held-out group stands for the kinds of unrelated models that nobody collected.",
    )


def holdout_audit(neg: ArrayLike, groups: Sequence[Hashable], rule_kind: Kind = "conformal", alpha: float = 0.05) -> Audit:
    """Calibrate on all groups but one and count false alarms on this one, for every group.

    With every model in a group of its own this is leave-one-out, whose rate is a formula and no estimate (without ties): it
    tells nothing of the data. Groups that may differ (lineages, architectures, pretraining networks, data sets) do.

    Args:
        neg: (n,) scores of unrelated models, or (n,S) with a column per query seed; rates are means over columns.
        groups: (n,) the group of every model.

    Raises:
        QurdError: lengths differ, a score is NaN, or there are fewer than two groups.
    """
    scores = np.asarray(neg, float)
    scores = scores[:, None] if scores.ndim == 1 else scores
    if scores.ndim != 2 or len(groups) != len(scores):
        raise QurdError(
            f"Expected scores (n,) or (n,S) and n groups. Got the shape {scores.shape} and {len(groups)} groups."
        )
    if np.isnan(scores).any():
        raise QurdError("Expected scores that are numbers. Got NaN: drop the models that have none.")
    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        raise QurdError(f"Expected at least two groups to hold one out. Got {len(names)}.")
    member = np.array([names.index(group) for group in groups])
    rates, nominal = np.full((2, len(names)), np.nan)
    for place in range(len(names)):
        rest, held = scores[member != place], scores[member == place]
        k = allowed_below(len(rest), alpha, rule_kind)
        if k is not None:
            rates[place] = (held < np.partition(rest, k, axis=0)[k]).mean()
            nominal[place] = (k + 1) / (len(rest) + 1)
    kept = ~np.isnan(rates)
    return Audit(
        dict(zip(names, rates.tolist(), strict=True)),
        *(float(each[kept].mean()) if kept.any() else np.nan for each in (rates, nominal)),
        int((~kept).sum()),
        f"Each of {len(names)} groups was held out in turn, with the threshold from the others.",
    )
