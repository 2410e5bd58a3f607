"""The score table, and who stands against whom in it.

A score table has one row per score, with the columns `SCORES`: kind is `"positive"`, `"negative"` or `"hard"`, tasks the
list of tasks that the pair serves, lineage the text of the suspect's root, used the images really sent, value the distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qurd_core.errors import QurdError, unknown

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
        repeat: (n,) how often each of them counts.
        lineages: number of independent lineages, that is of distinct roots, among the negatives.
    """

    positives: NDArray[np.int_]
    negatives: NDArray[np.int_]
    repeat: NDArray[np.int_]
    lineages: int


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
        found[task] = Sides(ours, against, np.ones(len(against), int), len({lineages[row] for row in against}))
    repeat = np.array([len(tasks[row]) for row in unrelated], int)
    found["all"] = Sides(stolen, unrelated, repeat, len({lineages[row] for row in unrelated}))
    return found
