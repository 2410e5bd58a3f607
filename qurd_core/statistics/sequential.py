"""Verdicts that may be said before all queries are asked: agreement with the victim, query after query."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qurd_core.akh import EProcess, log_e_value
from qurd_core.errors import QurdError
from qurd_core.lineage import independent
from qurd_core.statistics.printed import SLACK
from qurd_core.statistics.sides import closest

P0 = 0.25  # chance of agreement that evidence is counted against: a constant, and no estimate from the pool


def peaks(agrees: ArrayLike) -> NDArray[np.float64]:
    """(M,T) the largest evidence so far, log E, of every model after each query.

    Args:
        agrees: (M,T) whether a model answers like the victim.

    >>> [round(float(value), 2) for value in np.exp(peaks([[1, 1, 0, 1, 1, 1]])[0])]
    [2.5, 7.0, 7.0, 7.0, 15.1, 43.29]
    """
    hits = np.asarray(agrees, bool).cumsum(1)
    sent = np.arange(1, hits.shape[1] + 1)
    evidence = log_e_value(
        np.minimum(np.arange(len(sent) + 1)[:, None], sent), sent, P0
    )  # by hits and queries, once for all
    return np.maximum.accumulate(evidence[hits, sent - 1], axis=1)


def peak_pvalues(suspect: ArrayLike, pool: ArrayLike, lineages: Sequence[str]) -> NDArray[np.float64]:
    """(T,) p-value after each query: (1 + lineages whose highest peak is at least the suspect's so far) / (L + 1).

    It only falls, so whoever looks may stop whenever they like and quote it. It needs exchangeable models and nothing of the
    queries.

    Args:
        suspect: (T,) its peaks.
        pool: (n,T) peaks of unrelated models.
        lineages: (n,) first training of each.
    """
    highest = -closest(-np.asarray(pool, float)[:, -1], np.array(independent(list(lineages)), int))
    return (1 + (highest[None] >= np.asarray(suspect, float)[:, None] - SLACK).sum(1)) / (len(highest) + 1)


def bound_pvalues(
    suspect: ArrayLike, pool: ArrayLike, lineages: Sequence[str], level: float, errors: int
) -> NDArray[np.float64]:
    """(T,) p-value after each query where the pool is known by its rates: (k+1)/(L+1) + 1/sup E, and at most 1.

    Evidence is counted against the (k+1)-th largest rate of agreement of the pool over all errors of the victim, from which
    the queries are drawn at random without repetition. Half of the level pays for the choice of that rate.

    Args:
        suspect: (T,) whether it answers like the victim.
        pool: (n,) share of all errors on which each unrelated model answers like the victim.
        lineages: (n,) first training of each.
        errors: of the victim, of which the queries are some.

    Raises:
        QurdError: every unrelated model agrees on every error, so that nobody could agree more often.
    """
    rates = np.sort(-closest(-np.asarray(pool, float), np.array(independent(list(lineages)), int)))[::-1]
    k = max(0, math.floor(level / 2 * (len(rates) + 1) + SLACK) - 1)
    p0 = max(float(rates[k]), 1 / (2 * errors))
    if p0 >= 1:
        raise QurdError("Expected unrelated models that differ from the victim on some of its errors. They never do.")
    process = EProcess(p0, pool_size=errors)
    first = (k + 1) / (len(rates) + 1)
    found = []
    for agrees in np.asarray(suspect, bool):
        process.update(bool(agrees))
        found.append(min(1.0, first + process.anytime_p))
    return np.array(found)
