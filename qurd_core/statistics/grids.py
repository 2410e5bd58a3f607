"""From a score table to one array per scheme and victim."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.errors import QurdError
from qurd_core.lineage import joined
from qurd_core.statistics.sides import SCORES, Negatives, Sides, sides

_NEEDED = [name for name in SCORES if name != "used"]
_CELL = ["benchmark", "victim", "suspect", "query_seed"]


@dataclass(frozen=True)
class Grid:
    """Scores of one scheme for all suspects of one victim.

    Attributes:
        lineage: of the victim.
        lineages: (M,) of the suspects.
        seeds: (S,) query seeds.
        sides: who stands against whom, per task; rows of `values`.
        values: (M,S) distances.
    """

    scheme: str
    benchmark: str
    victim: str
    lineage: str
    lineages: tuple[str, ...]
    seeds: tuple[int, ...]
    sides: dict[str, Sides]
    values: NDArray[np.float64]


def checked(scores: pd.DataFrame) -> pd.DataFrame:
    """A score table at one budget, without rows that have no score, and with the lineage of every victim.

    The column `victim_lineage` may be missing: a stolen model has the root of its victim. Lineages that a merged model joins
    get one name.

    Raises:
        QurdError: the table is empty, lacks a column, has several budgets, a score twice, or a victim of unknown lineage.
    """
    require(scores, _NEEDED)
    found = scores[scores["value"].notna()]
    twice = found.duplicated(["scheme", *_CELL])
    if twice.any():
        row = found[twice].iloc[0]
        raise QurdError(
            f"Expected one score per pair and query seed. Got two of {row['scheme']} for {row['victim']}, {row['suspect']}."
        )
    found = _with_joined_lineages(found)
    return found if "victim_lineage" in found else _with_victim_lineage(found)


def require(scores: pd.DataFrame, needed: Sequence[str]) -> None:
    """Refuse a table without rows or without a column, or of several budgets."""
    missing = [name for name in needed if name not in scores]
    if missing or not len(scores):
        raise QurdError(
            f"Expected a score table with rows and {', '.join(needed)}. Missing: {', '.join(missing) or 'rows'}."
        )
    budgets = sorted(scores["budget"].unique())
    if len(budgets) > 1:
        raise QurdError(f"Expected scores at one budget. Got the budgets {', '.join(map(str, budgets))}: choose one.")


def grids(scores: pd.DataFrame, negatives: Negatives = "unrelated") -> list[Grid]:
    """One grid per benchmark, scheme and victim of a checked table; a suspect that lacks a query seed is left out."""
    found = []
    for (benchmark, scheme, victim), group in scores.groupby(["benchmark", "scheme", "victim"], sort=True, observed=True):
        (rows, names), (columns, seeds) = (pd.factorize(group[key], sort=True) for key in ("suspect", "query_seed"))
        values = np.full((len(names), len(seeds)), np.nan)
        values[rows, columns] = group["value"]
        kept = ~np.isnan(values).any(axis=1)
        first = group.iloc[np.unique(rows, return_index=True)[1][kept]]
        lineages = tuple(first["lineage"])
        found.append(
            Grid(
                *(scheme, benchmark, victim, group["victim_lineage"].iloc[0], lineages, tuple(seeds)),
                sides(first["kind"].tolist(), first["tasks"].tolist(), lineages, negatives),
                values[kept],
            )
        )
    return found


def tasks_of(scores: pd.DataFrame) -> list[str]:
    """The tasks of the stolen models in order of appearance, then `"all"`."""
    served = scores.loc[scores["kind"] == "positive", "tasks"].explode()
    return [*served.dropna().unique(), "all"]


def matched(scores: pd.DataFrame, schemes: Iterable[str]) -> pd.DataFrame:
    """The rows of a checked table whose pairs all schemes have: same data sets, victims and suspects.

    Query seeds are repetitions and need not be the same ones: a pair is kept if every scheme has it at all seeds that the
    scheme has on the data set.
    """
    schemes = list(schemes)
    rows = scores[scores["scheme"].isin(schemes)]
    seeds = rows.groupby(["benchmark", "scheme"], observed=True)["query_seed"].transform("nunique")
    times = rows.groupby(["benchmark", "scheme", "victim", "suspect"], observed=True)["value"].transform("size")
    rows = rows[times == seeds]
    having = rows.groupby(["benchmark", "victim", "suspect"], observed=True)["scheme"].transform("nunique")
    return rows[having == len(schemes)]


def _with_joined_lineages(scores: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in ("lineage", "victim_lineage") if name in scores]
    known = [*dict.fromkeys(text for name in columns for text in scores[name].unique())]
    names = dict(zip(known, joined(known), strict=True))
    if names == dict(zip(known, known, strict=True)):
        return scores
    return scores.assign(**{name: scores[name].map(names) for name in columns})


def _with_victim_lineage(scores: pd.DataFrame) -> pd.DataFrame:
    stolen = scores.loc[scores["kind"] == "positive", ["benchmark", "victim", "lineage"]].drop_duplicates()
    doubtful = stolen[stolen.duplicated(["benchmark", "victim"])]
    if len(doubtful):
        raise QurdError(
            f"Expected the stolen models of {doubtful['victim'].iloc[0]} to have its lineage. Got several lineages: add the "
            f"column victim_lineage."
        )
    found = scores.merge(stolen.rename(columns={"lineage": "victim_lineage"}), on=["benchmark", "victim"], how="left")
    if found["victim_lineage"].isna().any():
        alone = found.loc[found["victim_lineage"].isna(), "victim"].iloc[0]
        raise QurdError(f"Expected at least one stolen model per victim. Got none for {alone}: add one or leave it out.")
    return found
