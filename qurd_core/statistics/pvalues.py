"""How unusual a suspect's score is among innocent models, or among those of its own kind."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qurd_core.errors import QurdError
from qurd_core.lineage import count_independent, independent
from qurd_core.statistics.printed import EXCHANGEABLE, FIXED, TIES, check_scores, percent
from qurd_core.statistics.rules import min_pool, upper_limit
from qurd_core.statistics.sides import closest

Mode = Literal["model", "lineage_min"]
ENOUGH = min_pool(0.05)  # independent lineages from which on a 5 % verdict exists


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
    groups: Sequence[str] | None = None,
    mode: Mode = "model",
) -> PValue:
    """The p-value (1 + #{pool scores <= suspect's}) / (n + 1): valid for any score, conservative under ties.

    Args:
        suspect: score of the suspect.
        pool: (n,) scores of unrelated models.
        groups: (n,) lineage of every model of the pool, if known.
        mode: the unit that is counted: every model, or every lineage by its smallest score, which is conservative.

    Raises:
        QurdError: a score is NaN, or the mode asks for lineages that are not given.
    """
    units = check_scores(pool, "the scores of the pool")
    score = float(check_scores([suspect], "the suspect's score")[0])
    if groups is not None and len(groups) != len(units):
        raise QurdError(f"Expected one lineage per model of the pool, {len(units)}. Got {len(groups)}.")
    lineages = None if groups is None else count_independent(map(str, groups))
    warnings, models = [], len(units)
    if mode not in _ASSUMED:
        raise QurdError(f"Expected the mode 'model' or 'lineage_min'. Got '{mode}'.")
    if mode == "lineage_min":
        if groups is None:
            raise QurdError(f"The mode '{mode}' needs the lineage of every model of the pool. Pass 'groups'.")
        units = closest(units, np.array(independent([str(group) for group in groups]), int))
    elif lineages is not None and lineages < models:
        warnings.append(f"The {models} models of the pool come from {lineages} lineages, so they are not independent.")
    unit = "models" if mode == "model" else "lineages"
    n, rank = len(units), int((units <= score).sum())
    if n < ENOUGH:
        warnings.append(f"A 5 % verdict needs {ENOUGH} independent {unit}. There are {n}.")
    return PValue(
        p=(1 + rank) / (n + 1),
        rank=rank,
        n_effective=n,
        smallest_p=1 / (n + 1),
        p_pac95=upper_limit(rank, n),
        warnings=tuple(warnings),
        method=f"{rank} of {n} unrelated {unit} are as close to the victim as the suspect (conformal p-value).",
        assumptions=(EXCHANGEABLE, FIXED, TIES, *_ASSUMED[mode]),
    )


@dataclass(frozen=True)
class Stratum:
    """How unusual a suspect is among the innocent models that look like it.

    Attributes:
        trait: what they share, such as an architecture.
        n: models or lineages of the pool that share it.
        p: None where they are too few for a 5 % verdict.
    """

    trait: Hashable
    n: int
    p: PValue | None
    method: str
    assumptions: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The p-value, or that there is none."""
        if self.p is None:
            return f"Insufficient: a 5 % verdict among models with {self.trait} needs {ENOUGH} of them. There are {self.n}."
        return f"Among models with {self.trait} p is {percent(self.p.p)}."


def stratum_pvalue(
    suspect: float,
    pool: ArrayLike,
    traits: Sequence[Hashable],
    trait: Hashable,
    groups: Sequence[str] | None = None,
    mode: Mode = "model",
) -> Stratum:
    """The p-value among the models of the pool that share a visible trait of the suspect (Mondrian conformal prediction).

    Print it beside that of the whole pool where only some models look like the suspect: it holds for suspects of this kind,
    the other one for suspects on average.

    Args:
        traits: (n,) the trait of every model of the pool: its architecture, or its pre-training root.
        trait: that of the suspect.
        suspect, pool, groups, mode: as for `conformal_pvalue`.

    Raises:
        QurdError: as `conformal_pvalue`, or there is not one trait per model of the pool.
    """
    scores = check_scores(pool, "the scores of the pool")
    if len(traits) != len(scores):
        raise QurdError(f"Expected one trait per model of the pool, {len(scores)}. Got {len(traits)}.")
    alike = [place for place, own in enumerate(traits) if own == trait]
    of_alike = None if groups is None else [groups[place] for place in alike]
    p = conformal_pvalue(suspect, scores[alike], of_alike, mode)
    assumptions = (*p.assumptions, "The trait was chosen before the scores were seen.")
    return Stratum(trait, p.n_effective, p if p.n_effective >= ENOUGH else None, p.method, assumptions)


_ASSUMED = {
    "model": (),
    "lineage_min": ("Models of one lineage count once: its closest model stands for it.",),
}
