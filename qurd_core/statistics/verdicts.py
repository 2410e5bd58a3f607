"""What may be said of suspects: how unusual they are among unrelated lineages, however many were asked about.

An accusation is adjusted after Holm over all questions, because one false accusation is one too many. Leads of a triage are
adjusted after Benjamini and Hochberg, which bounds their false share and accuses nobody.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError
from qurd_core.statistics.printed import SLACK, check_share
from qurd_core.statistics.pvalues import conformal_pvalue

Said = Literal["closer", "not_distinguished", "refused", "lead"]
Stop = Literal["none", "peak", "bound"]
STOPS: tuple[Stop, ...] = ("none", "peak", "bound")
LEVEL = 0.05  # share of false alarms that is allowed unless another one is
MOST_MISSING = 0.1  # share of the queries that a suspect may leave unanswered


class Count(NamedTuple):
    """So many of how many."""

    number: int
    of: int


class Fit(NamedTuple):
    """Whether unrelated models are as good as a suspect: images that the victim gets right, mixed in among the queries.

    Attributes:
        asked, right: of the suspect.
        pool_low, pool_high: the fewest and the most that an unrelated model gets right, of as many.
    """

    asked: int
    right: int
    pool_low: int
    pool_high: int

    @property
    def holds(self) -> bool:
        """Whether the suspect is right at least as often as the least accurate unrelated model."""
        return self.right >= self.pool_low


@dataclass(frozen=True)
class Verdict:
    """What the answers of one suspect say about one victim.

    Attributes:
        scheme: what was asked and compared; several by their names.
        asked: queries that were sent, beside those of `fit`.
        used: queries that the verdict rests on: fewer where it could be said earlier.
        score: distance to the victim, small = close; NaN where nothing was asked or answers are missing.
        rank: unrelated lineages that are as close.
        p: chance that an independent model like the unrelated ones is as close; NaN without a score.
        p_adjusted: the same for all questions together: the one that is quoted.
        questions: that were asked or looked at.
        lineages: independent unrelated lineages.
        smallest_p: what no suspect can go below after the adjustment.
        needed: unrelated lineages from which on somebody could be told at this level.
        level: chance of a false alarm that was allowed.
        said: what follows.
        reason: why it was refused, as a sentence.
        missing: queries without an answer that counts.
        hard: hard unrelated models that would be called closer, of those that were asked.
        thieves: known stolen models that this misses, of those that were asked.
        forged: all of them were made to see that.
    """

    victim: str
    suspect: str
    scheme: str
    budget: int
    asked: int
    used: int
    score: float
    rank: int
    p: float
    p_adjusted: float
    questions: int
    lineages: int
    smallest_p: float
    needed: int
    level: float
    said: Said
    method: str
    assumptions: tuple[str, ...]
    reason: str | None = None
    missing: int = 0
    fit: Fit | None = None
    hard: Count | None = None
    thieves: Count | None = None
    forged: bool = False


def needed_lineages(level: float, questions: int = 1, stop: Stop = "none") -> int:
    """Unrelated lineages from which on one of several suspects could be called closer: ceil(m/level) - 1; with `"bound"`,
    of which one lineage's share of the level must be left for the evidence, one more.

    >>> needed_lineages(0.05), needed_lineages(0.05, 3), needed_lineages(0.05, 360), needed_lineages(0.01)
    (19, 59, 7199, 99)
    """
    check_share(level, "level")
    return math.floor(questions / level + SLACK) if stop == "bound" else math.ceil(questions / level - SLACK) - 1


def pvalues(suspects: ArrayLike, pool: ArrayLike, lineages: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """(m,) p-value of every suspect and (m,) lineages that are as close, each lineage by its closest model.

    Args:
        suspects: (m,) scores; NaN is no question and stays.
        pool: (n,) scores of unrelated models.
        lineages: (n,) first training of each, as `text_of_roots` writes it.

    Raises:
        QurdError: a score of the pool is missing.
    """
    scores = np.asarray(suspects, float)
    found = [None if math.isnan(score) else conformal_pvalue(score, pool, lineages, "lineage_min") for score in scores]
    p = np.array([math.nan if one is None else one.p for one in found], float)
    return p, np.array([0 if one is None else one.rank for one in found], int)


def then_by(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """(n,) one score that orders models by the first and, where that is equal, by the second; NaN where one is missing."""
    both = np.stack([np.asarray(first, float), np.asarray(second, float)], axis=1)
    there = ~np.isnan(both).any(1)
    ranks = np.full(len(both), math.nan)
    if there.any():
        ranks[there] = np.unique(both[there], axis=0, return_inverse=True)[1].ravel()
    return ranks


def fused(scores: ArrayLike) -> NDArray[np.float64]:
    """(n,) one score out of several schemes: the sum of the logarithms of a model's ranks, ties by the largest.

    Rank all models of a question together, unrelated ones and suspects: then the sums of exchangeable models are
    exchangeable, however much the schemes depend on one another, and the p-value of a sum is exact.

    Args:
        scores: (schemes,n); a model that lacks one of them gets NaN and no rank.

    >>> ranked = fused([[0.1, 0.2, 0.3, 0.05], [0.5, 0.4, 0.6, 0.45]])
    >>> [round(float(value)) for value in np.exp(ranked)]
    [6, 3, 16, 2]
    """
    table = np.asarray(scores, float)
    there = ~np.isnan(table).any(0)
    sums = np.full(table.shape[1], math.nan)
    if there.any():
        held = table[:, there]
        ranks = (held[:, None, :] <= held[:, :, None]).sum(2)
        sums[there] = np.log(ranks).sum(0)
    return sums


def expected_false_alarms(p: ArrayLike, questions: int) -> NDArray[np.float64]:
    """How many of all suspects would be as close if every one of them were unrelated: m p."""
    return questions * np.asarray(p, float)


def false_alarm_range(lineages: int, questions: int, level: float = 0.05) -> tuple[int, int]:
    """Between how many suspects 95 % of pools would flag at a level if all suspects were unrelated.

    All share one pool: with few lineages a threshold that flags 5 % of unrelated models on average flags hardly any or very
    many of them. The share is Beta(k+1, L-k), so the number is beta-binomial.

    Raises:
        QurdError: no threshold at this level exists for so few lineages.
    """
    from scipy.stats import betabinom

    k = math.floor(level * (lineages + 1) + SLACK) - 1
    if k < 0:
        raise QurdError(f"Expected at least {needed_lineages(level)} unrelated lineages. Got {lineages}: allow more alarms.")
    low, high = betabinom.ppf([0.025, 0.975], questions, k + 1, lineages - k)
    return int(low), int(high)
