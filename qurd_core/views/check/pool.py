"""What a question about suspects rests on, before anybody is asked: everything follows from the pairs of the benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from qurd_core.lineage import apart, count_independent
from qurd_core.statistics.verdicts import LEVEL, Stop, needed_lineages

MOST = 5  # suspects that are asked about at once


@dataclass(frozen=True)
class Pool:
    """The models of known origin of a victim.

    Attributes:
        models, lineages: unrelated models that share no lineage with a suspect, and their independent lineages.
        hard, thieves: hard unrelated and known stolen models that are no suspects.
        questions: suspects, at least one.
        needed: lineages from which on one of so many could be called closer.
    """

    models: int
    lineages: int
    hard: int
    thieves: int
    questions: int
    needed: int

    @property
    def may_tell(self) -> bool:
        """Whether a verdict at `LEVEL` is possible."""
        return self.lineages >= self.needed

    @property
    def smallest_p(self) -> float:
        """What no suspect can go below after the adjustment."""
        return min(1.0, self.questions / (self.lineages + 1))


def pool(pairs: pd.DataFrame, victim: str, suspects: Sequence[str], stop: Stop = "none") -> Pool:
    """What a question about some suspects rests on.

    Args:
        pairs: from `records.evidence.pairs`.
        suspects: those of unknown origin have no lineage that would count.
    """
    pairs = pairs[pairs["kind"] != "suspect"]
    mine = pairs[pairs["victim"] == victim]
    others = mine[~mine["suspect"].isin([victim, *suspects])]
    unrelated = others.loc[others["kind"] == "negative", "root"].tolist()
    own = pairs[pairs["suspect"].isin(suspects)].drop_duplicates("suspect")["root"].tolist()
    left = [root for root, free in zip(unrelated, apart(own, unrelated), strict=True) if free]
    questions, kinds = max(1, len(suspects)), others["kind"].value_counts()
    return Pool(
        models=len(left),
        lineages=count_independent(left),
        hard=int(kinds.get("hard", 0)),
        thieves=int(kinds.get("positive", 0)),
        questions=questions,
        needed=needed_lineages(LEVEL, questions, stop),
    )


def candidates(pairs: pd.DataFrame, victim: str, unknown: Sequence[str]) -> list[str]:
    """The models that may be asked about: those of unknown origin first, then every other one of the benchmark."""
    every = dict.fromkeys([*unknown, *pairs.loc[pairs["victim"] == victim, "suspect"], *pairs["suspect"]])
    return [model for model in every if model != victim]
