"""The best of many schemes without the winner's curse: chosen on one half of the victims, reported on the other."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from qurd_core.errors import QurdError
from qurd_core.lineage import joined
from qurd_core.records import rate_records
from qurd_core.records.evidence import Scores, cells
from qurd_core.records.measured import Measured
from qurd_core.records.scheme_table import LEVELS, allowed, unnamed
from qurd_core.runtime import Track, silent
from qurd_core.schemes import REFERENCE
from qurd_core.statistics import Kind
from qurd_core.statistics.metrics import RULES
from qurd_core.statistics.sides import NEGATIVE_KINDS, Negatives

Rate = Literal["tpr", "tpr_conformal"]
_KEYS = ("task", "budget", "negatives", "rule", "reveal")


@dataclass(frozen=True)
class BestOf:
    """What the best of some schemes is worth: each half of the victims chooses, and the other one reports.

    Attributes:
        winners: what the first and what the second half chooses.
        agree: whether the best on all victims is as good as that on the first and on the second half.
        chosen: mean over victims of the TPR of what their own half chose, which is too good.
        reported: mean over victims of the TPR of what the other half chose, in which they had no say.
        reference: TPR of the reference on the same victims.
        among: number of schemes that were compared.
        halves: independent victims in each half.
    """

    winners: tuple[str, str]
    agree: tuple[bool, bool]
    chosen: float
    reported: float
    reference: float
    among: int
    halves: tuple[int, int]


def best_of(
    table: pd.DataFrame, lineages: Mapping[str, str], among: Mapping[str, int], reference: str, rate: Rate = "tpr"
) -> BestOf:
    """The best scheme, chosen by its mean over one half of the victims and reported on the other.

    Of equals the one with the higher AUC is chosen, then the one that needs less access, as on the Leaderboard.

    Independent victims take turns, so that victims of one lineage are in the same half. A scheme without a value for some
    victim is not compared with the others.

    Args:
        table: rows of `metrics.victim_cells` of one task and budget, with victim, query_seed and scheme.
        lineages: of every victim.
        among: the level of access of each scheme to choose from, the best on all victims first.
        reference: the text of `REFERENCE`, which they are compared with.

    Raises:
        QurdError: fewer than two independent victims have the task, or no scheme or the reference has no value for all.
    """
    there = set(table["victim"].unique())
    first, second = halves([victim for victim in lineages if victim in there], lineages)
    rates = _by_victim(table, rate)
    known = rates.index.intersection(sorted(set(among)))
    if known.empty or reference not in rates.index:
        missing = REFERENCE if len(known) else "any of the combinations"
        raise QurdError(f"Expected a value for every victim. There is none of {missing}.")
    areas = _by_victim(table, "auc")
    tied = [_best(rates.loc[known, half].mean(axis=1), areas.loc[known, half].mean(axis=1)) for half in (first, second)]
    winners = tuple(min(some, key=lambda scheme: (among[scheme], scheme)) for some in tied)
    chosen, reported = (
        np.concatenate([rates.loc[winner, half] for winner, half in zip(winners, order, strict=True)]).mean()
        for order in ((first, second), (second, first))
    )
    reference_rate = rates.loc[reference, [*first, *second]].mean()
    independent = (len({lineages[victim] for victim in first}), len({lineages[victim] for victim in second}))
    agree = tuple(next(iter(among)) in some for some in tied)
    return BestOf(winners, agree, float(chosen), float(reported), float(reference_rate), len(known), independent)


def measured(
    scores: Scores,
    pairs: pd.DataFrame,
    among: Mapping[str, int],
    reference: str,
    *,
    task: str,
    budget: int,
    negatives: Negatives = "unrelated",
    rate: Rate = "tpr",
) -> BestOf:
    """`best_of` the schemes with raw scores.

    Args:
        pairs: those that count, from `evidence.pairs`.

    Raises:
        QurdError: as `best_of` does, and where no scores are recorded at this budget.
    """
    chosen = scores.only({*among, reference}, budget)
    if chosen.columns.empty:
        raise QurdError(f"Expected recorded distances at {budget} queries. There are none.")
    return best_of(cells(chosen, pairs, negatives, task=task), lineages_of(pairs), among, reference, rate)


def measure(benchmark: str, folder: Path | None = None, track: Track = silent) -> pd.DataFrame:
    """`best_of` the combinations that nobody published, for every task, budget, rule, negatives and kind of answers.

    Args:
        folder: of the raw scores and pairs.

    Returns:
        rows of `_KEYS` and the fields of `BestOf`; none where there is no such number.
    """
    scores, pairs, schemes = Scores.read(benchmark, folder), rate_records.pairs(benchmark, folder), rate_records.schemes()
    reference = schemes.set_index("name").loc[REFERENCE, "scheme"]
    lineages, every = lineages_of(pairs), set(scores.columns["scheme"])
    work = list(product(NEGATIVE_KINDS, rate_records.tasks(benchmark)))
    found = []
    for negatives, task in track(work, len(work), "choosing by halves"):
        rows = rate_records.read(benchmark, task=task, negatives=negatives)
        for budget in scores.columns["budget"].unique().tolist():
            here, known = cells(scores.only(every, budget), pairs, negatives, task=task), rows[rows["budget"] == budget]
            for rule, reveal in product(RULES.values(), LEVELS):
                valued = known.assign(value=known[rule.value], spread=known[rule.spread])
                free = levels_of(unnamed(allowed(valued, schemes, reveal), schemes))
                asked = {"task": task, "budget": budget, "negatives": negatives, "rule": rule.kind, "reveal": reveal}
                with suppress(QurdError):
                    found.append(asked | asdict(best_of(here, lineages, free, reference, rule.value)))
    return pd.DataFrame(found, columns=[*_KEYS, *(field.name for field in fields(BestOf))])


def recorded(
    table: pd.DataFrame, pairs: pd.DataFrame, *, task: str, budget: int, negatives: Negatives, rule: Kind, reveal: str
) -> BestOf:
    """One row of `measure`.

    Raises:
        QurdError: there is none, and why.
    """
    levels = list(LEVELS)
    known = [level for level in levels[: levels.index(reveal) + 1] if (table["reveal"] == level).any()]
    # A level that no recorded combination needed when these were measured leaves the choice that the one below it has.
    asked = {"task": task, "budget": budget, "negatives": negatives, "rule": rule, "reveal": known[-1] if known else reveal}
    rows = table[np.logical_and.reduce([table[key] == value for key, value in asked.items()])]
    if rows.empty:
        halves(lineages := lineages_of(pairs, task), lineages)
        raise QurdError(f"Expected a choice by halves on this task at {budget} queries. None is recorded.")
    row = rows.iloc[0]
    texts, yes, numbers = tuple(row["winners"]), tuple(map(bool, row["agree"])), row[["chosen", "reported", "reference"]]
    return BestOf(texts, yes, *numbers.tolist(), int(row["among"]), tuple(map(int, row["halves"])))


def levels_of(rows: pd.DataFrame) -> dict[str, int]:
    """The level of access of each combination, in the order of the rows.

    Args:
        rows: from `unnamed`.
    """
    return dict(zip(rows["scheme"], rows["level"], strict=True))


def lineages_of(pairs: pd.DataFrame, task: str = "all") -> dict[str, str]:
    """The lineage of every victim that has a task, which is that of what was stolen from it."""
    stolen = pairs[pairs["kind"] == "positive"]
    stolen = stolen.assign(root=joined(stolen["root"].tolist()))
    stolen = stolen[[task in ("all", *served) for served in stolen["tasks"]]].drop_duplicates("victim")
    return dict(zip(stolen["victim"], stolen["root"], strict=True))


def halves(victims: Collection[str], lineages: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Victims in two halves, in which independent ones take turns.

    Raises:
        QurdError: fewer than two are independent.
    """
    roots = list(dict.fromkeys(lineages[victim] for victim in victims))
    if len(roots) < 2:
        raise QurdError(
            f"Expected two independent victims or more: the best is chosen on half of them and reported on the others. Got "
            f"{len(roots)}."
        )
    first, second = ([victim for victim in victims if lineages[victim] in roots[start::2]] for start in (0, 1))
    return first, second


def _by_victim(table: pd.DataFrame, rate: str) -> pd.DataFrame:
    """Means over query seeds, a row per scheme and a column per victim, without schemes that lack a value."""
    wide = table.pivot(index=["scheme", "query_seed"], columns="victim", values=rate)
    whole = wide.notna().all(axis=1).groupby("scheme").all()
    return wide.groupby("scheme").mean()[whole]


def _best(rates: pd.Series, areas: pd.Series) -> set[str]:
    """The schemes with the highest rate and, of these, the highest AUC."""
    ranked = pd.DataFrame({"rate": rates, "auc": areas}).round(9)  # equal means may differ in their last digits
    ranked = ranked[ranked["rate"] == ranked["rate"].max()]
    return set(ranked.index[ranked["auc"] == ranked["auc"].max()])


_TEXTS = ("task", "negatives", "rule", "reveal")
WINNERS = Measured("winners", _KEYS, texts=_TEXTS, counts=("budget", "among"), measure=measure)
