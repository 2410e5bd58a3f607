"""The verdict on one suspect: how unusual its score is among innocent models."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError
from qurd_core.evaluation.statistics.intervals import upper_limit
from qurd_core.evaluation.statistics.rules import min_pool
from qurd_core.evaluation.statistics.words import EXCHANGEABLE, FIXED, INDEPENDENT, TIES, check_scores


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
    units = check_scores(pool, "the scores of the pool")
    score = float(check_scores([suspect], "the suspect's score")[0])
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
        p_pac95=upper_limit(rank, n),
        warnings=tuple(warnings),
        method=f"{rank} of {n} unrelated {unit} are as close to the victim as the suspect (conformal p-value).",
        assumptions=(EXCHANGEABLE, FIXED, TIES) + ((INDEPENDENT,) if mode == "lineage_min" else ()),
    )


def _smallest_per_group(scores: NDArray[np.float64], groups: Sequence[Hashable] | None) -> NDArray[np.float64]:
    if groups is None:
        raise QurdError("The mode 'lineage_min' needs the lineage of every model of the pool. Pass 'groups'.")
    smallest: dict[Hashable, float] = {}
    for score, group in zip(scores, groups, strict=True):
        smallest[group] = min(score, smallest.get(group, math.inf))
    return np.array(list(smallest.values()))
