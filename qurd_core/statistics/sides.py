"""The score table, and who stands against whom in it.

A score table has one row per score, with the columns `SCORES`: kind is `"positive"`, `"negative"` or `"hard"`, tasks the
list of tasks that the pair serves, lineage the text of the suspect's root (of its roots, if it was merged), used the images
really sent, value the distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qurd_core.errors import QurdError, unknown
from qurd_core.lineage import independent

Negatives = Literal["unrelated", "unrelated+hard"]
NEGATIVE_KINDS = {"unrelated": ("negative",), "unrelated+hard": ("negative", "hard")}

SCORES = (
    *("benchmark", "scheme", "victim", "suspect", "kind", "tasks", "lineage"),
    *("query_seed", "budget", "used", "value"),
)


@dataclass(frozen=True)
class Sides:
    """Who stands against whom in one task of a victim.

    Attributes:
        positives: (p,) rows of the stolen models.
        negatives: (n,) rows of the unrelated models.
        repeat: (n,) how often each of them counts by the paper's rule.
        groups: (n,) the independent lineage of each, numbered from 0.
    """

    positives: NDArray[np.int_]
    negatives: NDArray[np.int_]
    repeat: NDArray[np.int_]
    groups: NDArray[np.int_]

    @property
    def lineages(self) -> int:
        """Number of independent lineages among the negatives."""
        return len(np.unique(self.groups))

    def calibrating(self, values: NDArray[np.floating], kind: str) -> NDArray[np.floating]:
        """(m,...) the distances that a rule sets its threshold on.

        The paper's rule takes every unrelated model, once per task that it serves. A guarantee is about independent
        lineages: each is represented by its closest model, so that whatever an innocent lineage sends is covered.

        Args:
            values: (M,...) distances of all suspects of the victim.
            kind: of rule, see `statistics.allowed_below`.
        """
        if kind == "paper":
            return np.repeat(values[self.negatives], self.repeat, axis=0)
        return closest(values[self.negatives], self.groups)


def sides(
    kinds: Sequence[str],
    tasks: Sequence[Sequence[str]],
    lineages: Sequence[str],
    negatives: Negatives = "unrelated",
) -> dict[str, Sides]:
    """The two sides of every task that a victim has positives for, and of `"all"`.

    `"all"` pools all positives against all negatives, each negative once per task that it serves.

    Args:
        kinds, tasks, lineages: per suspect of the victim, in the order of its scores.
        negatives: whether hard unrelated models count as negatives or are left out.
    """
    if negatives not in NEGATIVE_KINDS:
        raise unknown("choice of negatives", negatives, NEGATIVE_KINDS)
    roles = np.array(kinds)
    unrelated = np.flatnonzero(np.isin(roles, NEGATIVE_KINDS[negatives]) & np.array([len(served) > 0 for served in tasks]))
    stolen = np.flatnonzero(roles == "positive")
    if not len(stolen):
        raise QurdError("Expected at least one stolen model per victim. Got none: add one or leave the victim out.")
    found = {}
    for task in dict.fromkeys(task for row in stolen for task in tasks[row]):
        against = np.array([row for row in unrelated if task in tasks[row]], int)
        ours = np.array([row for row in stolen if task in tasks[row]], int)
        found[task] = Sides(ours, against, np.ones(len(against), int), _groups(lineages, against))
    repeat = np.array([len(tasks[row]) for row in unrelated], int)
    found["all"] = Sides(stolen, unrelated, repeat, _groups(lineages, unrelated))
    return found


def closest(values: NDArray[np.floating], groups: NDArray[np.int_]) -> NDArray[np.floating]:
    """(L,...) the smallest of the values (n,...) of each group (n,), in the order of their numbers."""
    if not len(values):
        return values
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return np.minimum.reduceat(values[order], starts, axis=0)


def _groups(lineages: Sequence[str], rows: NDArray[np.int_]) -> NDArray[np.int_]:
    return np.array(independent([lineages[row] for row in rows]), int)
