"""The same queries to all suspects of a victim, one after the other: how far each is from the victim after every query.

Everything comes from recorded answers; no model is asked.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.records.bank import Bank, Ints
from qurd_core.schemes import BASELINES, Scheme
from qurd_core.statistics import Kind, allowed_below, refusal
from qurd_core.statistics.metrics import Floats
from qurd_core.statistics.sides import sides

# They compare labels, one query after the other, so that every query has a share of the distance.
SEEDS = {name: str(Scheme.parse(name).sampler) for name in BASELINES}
LAST = 100  # queries


class Duel(NamedTuple):
    """The two suspects that are looked at."""

    stolen: str
    innocent: str


@dataclass(frozen=True)
class Trial:
    """All suspects of a victim under the same queries.

    Attributes:
        queries: (n,) test items in the order in which they are sent; empty where the seed set is.
        suspects: rows of suspect, kind, distance after the last query and flagged; closest first.
        thresholds: (n,) after every query; a distance strictly below is flagged. NaN where the rule is refused.
        unrelated, lineages: number of unrelated models behind the thresholds, and of their lineages.
        reason: why it is refused, or None.
    """

    bank: Bank
    victim: str
    queries: Ints
    suspects: pd.DataFrame
    thresholds: Floats
    unrelated: int
    lineages: int
    reason: str | None

    def named(self, kind: str) -> list[str]:
        """The suspects of one kind, closest first."""
        return self.suspects.loc[self.suspects["kind"] == kind, "suspect"].tolist()

    @property
    def hardest(self) -> list[str]:
        """The innocent suspects that are most like the victim: hard unrelated ones if there are any, closest first."""
        return self.named("hard") or self.named("negative")

    def pick(self) -> Duel:
        """A stolen suspect that is flagged and an unrelated one, each in the middle of its kind."""
        stolen, unrelated = self.named("positive"), self.named("negative") or self.named("hard")
        flagged = set(self.suspects.loc[self.suspects["flagged"], "suspect"])
        return Duel(_middle([name for name in stolen if name in flagged] or stolen[:1]), _middle(unrelated))

    def rows(self, duel: Duel) -> pd.DataFrame:
        """One row per query, in order.

        Returns:
            query, counted from 1, image, truth, victim, stolen and innocent (what each says, in words), distance_stolen,
            distance_innocent and threshold after the query.
        """
        bank, words = self.bank, np.array(self.bank.classes, object)
        said = {"victim": bank.of(self.victim)[self.queries]}
        said |= {side: bank.of(name)[self.queries] for side, name in duel._asdict().items()}
        running = _running(bank.rows([*duel])[:, self.queries], said["victim"])
        return pd.DataFrame(
            {
                "query": np.arange(1, len(self.queries) + 1),
                "image": self.queries,
                "truth": words[bank.truth[self.queries]],
                **{who: words[labels] for who, labels in said.items()},
                **{f"distance_{side}": values for side, values in zip(Duel._fields, running, strict=True)},
                "threshold": self.thresholds,
            }
        )

    def pictures(self) -> NDArray[np.uint8]:
        """(n,32,32,3) of all queries."""
        return self.bank.pictures(self.queries)


def trial(bank: Bank, pairs: pd.DataFrame, victim: str, scheme: str, *, query_seed: int = 0, rule: Kind = "paper") -> Trial:
    """Send a victim's queries to all its suspects.

    Args:
        pairs: from `evidence.pairs`; the unrelated models among them set the threshold, as for the task `"all"`.
        rule: which promise the threshold keeps.

    Raises:
        QurdError: the victim has no stolen suspect here, or the bank lacks a model.
    """
    mine = pairs[pairs["victim"] == victim]
    drawn = bank.draws[SEEDS[scheme], victim][query_seed]
    queries = drawn[drawn >= 0][:LAST]
    running = _running(bank.rows(mine["suspect"].tolist())[:, queries], bank.of(victim)[queries])
    pooled = sides(mine["kind"].tolist(), mine["tasks"].tolist(), mine["root"].tolist())["all"]
    against = pooled.calibrating(running, rule)
    allowed = allowed_below(len(against), kind=rule)
    thresholds = np.full(len(queries), np.nan) if allowed is None else np.sort(against, axis=0)[allowed]
    last = running[:, -1] if len(queries) else np.full(len(mine), np.nan)
    suspects = mine[["suspect", "kind"]].assign(distance=last, flagged=last < thresholds[-1] if len(queries) else False)
    reason = refusal(len(against), kind=rule, models=len(pooled.negatives))
    suspects = suspects.sort_values("distance", kind="stable").reset_index(drop=True)
    return Trial(bank, victim, queries, suspects, thresholds, len(pooled.negatives), pooled.lineages, reason)


def _running(labels: NDArray[np.uint8], victim: NDArray[np.uint8]) -> Floats:
    """(M,n) share of the first 1, 2, ... queries on which each suspect disagrees with the victim."""
    return (labels != victim).cumsum(axis=1) / np.arange(1, len(victim) + 1)


def _middle(names: list[str]) -> str:
    return names[len(names) // 2] if names else ""
