"""What the recorded rates are worth, measured once and kept beside the records."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core.records import evidence, rate_records
from qurd_core.records.measured import Measured
from qurd_core.runtime import Track, silent
from qurd_core.schemes import CONTROL, VARIANT
from qurd_core.statistics import Kind
from qurd_core.statistics.metrics import RULES
from qurd_core.statistics.sides import NEGATIVE_KINDS, Negatives
from qurd_core.statistics.worth import COLUMNS, DRAWS, worth

KINDS: tuple[Kind, ...] = tuple(rule.kind for rule in RULES.values())
_OF_PAIRS = ["victim", "suspect", "kind", "tasks", "lineage"]


def measure(benchmark: str, folder: Path | None = None, track: Track = silent) -> pd.DataFrame:
    """`worth` of every scheme with raw scores, at every budget, by both rules, without and with hard unrelated models.

    Args:
        folder: of the raw scores and pairs.

    Returns:
        the rows of `worth` with budget, rule and negatives; label is the name of a scheme, or its text.
    """
    named = hypotheses(names_of(benchmark).values())

    def of(table: pd.DataFrame, rule: Kind, negatives: Negatives) -> pd.DataFrame:
        return worth(table, rule, negatives, named=named)

    return over_choices(benchmark, of, folder, track)


def over_choices(
    benchmark: str,
    of: Callable[[pd.DataFrame, Kind, Negatives], pd.DataFrame],
    folder: Path | None = None,
    track: Track = silent,
) -> pd.DataFrame:
    """What a function finds in the raw scores at every budget, by both rules, without and with hard unrelated models.

    Args:
        of: from a score table, a rule and a choice of negatives to rows, which get budget, rule and negatives.
        folder: of the raw scores and pairs.
    """
    scores, pairs = evidence.Scores.read(benchmark, folder), _with_origin(benchmark, folder)
    names = names_of(benchmark)
    budgets = [budget for budget in rate_records.RAW_BUDGETS if (scores.columns["budget"] == budget).any()]
    choices = [*NEGATIVE_KINDS] if (pairs["kind"] == "hard").any() else ["unrelated"]
    work = [(budget, rule, negatives) for budget in budgets for rule in KINDS for negatives in choices]
    parts = []
    for budget, rule, negatives in track(work, len(work), "drawing models"):
        found = of(score_table(scores, pairs, budget, names), rule, negatives)
        parts.append(found.assign(budget=budget, rule=rule, negatives=negatives))
    # Where no unrelated model is hard, counting those too changes nothing.
    also = [part.assign(negatives=name) for name in NEGATIVE_KINDS if name not in choices for part in parts]
    return pd.concat([*parts, *also], ignore_index=True)


def of_part(benchmark: str, scores: evidence.Scores, budget: int, rule: Kind, negatives: Negatives) -> pd.DataFrame:
    """`worth` of the named schemes on a bench that keeps a part of the pairs.

    Args:
        scores: of the whole benchmark, as `evidence.Scores.read` gives them.
    """
    names = names_of(evidence.base_of(benchmark))
    table = score_table(scores.only(names, budget), evidence.pairs(benchmark), budget, names)
    if not len(table):
        return HONEST.nothing
    found = worth(table, rule, negatives, named=hypotheses(names.values()), draws=draws_of(benchmark))
    return found.assign(budget=budget, rule=rule, negatives=negatives)


def draws_of(benchmark: str) -> int:
    """Half on a bench that keeps a part of the pairs: what is measured in the app may not take long."""
    return DRAWS if rate_records.is_whole(benchmark) else DRAWS // 2


def score_table(scores: evidence.Scores, pairs: pd.DataFrame, budget: int, names: dict[str, str]) -> pd.DataFrame:
    """The scores of some pairs at one budget with the columns of `sides.SCORES`, and `origin` if the pairs have it.

    Args:
        names: of the schemes that have one; they become their labels.
    """
    chosen = np.flatnonzero((scores.columns["budget"] == budget).to_numpy())
    columns = scores.columns.iloc[chosen]
    labels = columns["scheme"].map(lambda scheme: names.get(scheme, scheme)).to_numpy()
    kept, parts = [*_OF_PAIRS, *(["origin"] if "origin" in pairs else [])], []
    for victim, rows in pairs.rename(columns={"root": "lineage"}).groupby("victim", sort=False):
        place = {suspect: row for row, suspect in enumerate(scores.suspects[victim])}
        values = scores.values[victim][np.ix_([place[suspect] for suspect in rows["suspect"]], chosen)]
        many = rows.loc[rows.index.repeat(len(chosen)), kept]
        seeds = np.tile(columns["query_seed"].to_numpy(), len(rows))
        parts.append(many.assign(value=values.ravel().astype(float), scheme=np.tile(labels, len(rows)), query_seed=seeds))
    found = pd.concat(parts, ignore_index=True).dropna(subset=["value"])
    victims = found.groupby("scheme")["victim"].transform("nunique")  # one without queries to some has no rate either
    return found[victims == len(parts)].reset_index(drop=True).assign(benchmark="", budget=budget)


def names_of(benchmark: str) -> dict[str, str]:
    """The names of the recorded schemes that have one, by their texts."""
    named = rate_records.read(benchmark).dropna(subset=["name"])
    return dict(zip(named["scheme"], named["name"], strict=True))


def hypotheses(names: Iterable[str]) -> list[str]:
    """The names that are compared by tests: all but the control and variants, which are no schemes of their own."""
    return [name for name in names if name != CONTROL and VARIANT not in name]


def _with_origin(benchmark: str, folder: Path | None) -> pd.DataFrame:
    pairs = rate_records.pairs(benchmark, folder)
    if "origin" in pairs:
        return pairs
    kinds = rate_records.models(benchmark, folder).set_index("lineage")["architecture"]
    return pairs.assign(origin=pairs["suspect"].map(kinds))


UNKNOWN = pd.DataFrame(columns=["low", "high", "verdict"], index=pd.Index([], name="label"))  # nothing was measured


def with_intervals(rows: pd.DataFrame, worth: pd.DataFrame) -> pd.DataFrame:
    """Rows of one task with `low` and `high`, the interval over models; NaN where none is known.

    Args:
        worth: of one budget, or of several with their `budget`.
    """
    if "budget" not in worth:
        return rows.assign(**{end: rows["label"].map(worth[end]).astype(float) for end in ("low", "high")})
    known = worth.set_index("budget", append=True)[["low", "high"]]
    places = pd.MultiIndex.from_arrays([rows["label"].astype(object), rows["budget"]])
    found = known.reindex(places)
    return rows.assign(low=found["low"].to_numpy(float), high=found["high"].to_numpy(float))


def tested(labels: pd.Series, verdicts: pd.Series, worth: pd.DataFrame) -> pd.Series:
    """The verdicts over models where they are known, else those over query seeds; None stays."""
    known = labels.map(worth["verdict"])
    return known.where(known.notna() & verdicts.notna(), verdicts).astype(object)


def among(worth: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """What is known of the schemes that are shown. Ranks count all named schemes: there are none where one is not shown."""
    shown = worth[worth.index.isin(labels)]
    ranked = worth.index[worth["rank_low"].notna()] if len(worth) else worth.index
    return shown if ranked.isin(labels).all() else shown.assign(rank_low=math.nan, rank_high=math.nan)


HONEST = Measured(
    "honest",
    columns=(*COLUMNS, "budget", "rule", "negatives"),
    texts=("label", "task", "rule", "negatives", "method", "verdict", "notes"),
    counts=(),
    measure=measure,
)
