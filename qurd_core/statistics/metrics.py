"""How many stolen models a scheme catches at 5 % false alarms, from scores to the rows that plots show.

`rates` is the rule itself, on arrays with one column per budget. `victim_cells` applies it to every task of a victim.
`aggregate` takes means over victims, then over query seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from qurd_core.errors import QurdError, unknown
from qurd_core.statistics import Kind, allowed_below, refusal
from qurd_core.statistics.sides import Sides, closest

Floats = NDArray[np.float64]

ROWS = (
    *("scheme", "benchmark", "task", "budget", "used", "tpr", "tpr_conformal", "sd", "sd_conformal", "auc"),
    *("mean_stolen", "mean_unrelated", "n_negatives", "n_lineages", "n_positives", "n_victims", "seeds", "reason"),
)

Rule = Literal["paper", "guaranteed"]


class _Columns(NamedTuple):
    """Where a table of rates has those of a rule, and the rule's name among `statistics.Kind`."""

    value: str
    spread: str
    kind: Kind


RULES: dict[Rule, _Columns] = {
    "paper": _Columns("tpr", "sd", "paper"),
    "guaranteed": _Columns("tpr_conformal", "sd_conformal", "conformal"),
}

_CELL = ["scheme", "benchmark", "task", "budget"]
_RATES = ["tpr", "tpr_conformal", "auc", "mean_stolen", "mean_unrelated"]


class Rates(NamedTuple):
    """Per budget: TPR by the paper's rule, TPR by the conformal rule, area under the ROC curve; NaN where there is none."""

    tpr: Floats
    tpr_conformal: Floats
    auc: Floats


def by_rule(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """A table of rates with `value` and `spread`, those of one rule."""
    if rule not in RULES:
        raise unknown("rule", rule, RULES)
    chosen = RULES[rule]
    return table.assign(value=table[chosen.value], spread=table[chosen.spread])


def rates(
    negatives: ArrayLike,
    positives: ArrayLike,
    *,
    alpha: float = 0.05,
    repeat: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> Rates:
    """What a scheme catches, for all budgets at once.

    The threshold is an order statistic of the negatives (`statistics.allowed_below`), and a positive is caught strictly
    below it, so that ties are never caught. The AUC is the chance that a stolen model is closer than an unrelated one; a tie
    counts one half.

    Args:
        negatives: (n,B) distances of unrelated models, one column per budget; any further dimensions may follow.
        positives: (p,B) distances of stolen models, p >= 1.
        alpha: the share of false alarms that is allowed.
        repeat: (n,) how often each negative counts by the paper's rule, 1 if not given.
        groups: (n,) the independent lineage of each negative, from `lineage.independent`; each is a lineage of its own if
            not given. The conformal rule counts lineages, each by its closest model: its promise is about independent
            draws, and another model of a lineage adds none.

    Raises:
        QurdError: a distance is NaN, or the shapes do not fit.
    """
    negatives, positives = np.asarray(negatives, float), np.asarray(positives, float)
    if not len(positives) or negatives.shape[1:] != positives.shape[1:]:
        raise QurdError(
            "Expected distances (n,...) of unrelated and (p,...) of stolen models with the same budgets and p at least 1. "
            f"Got {negatives.shape} and {positives.shape}."
        )
    # NaN sorts last and would shift the threshold without a word.
    if np.isnan(negatives).any() or np.isnan(positives).any():
        raise QurdError("Expected distances. Got NaN: drop the models or the budgets that have none.")
    times = np.ones(len(negatives), int) if repeat is None else np.asarray(repeat)
    if times.shape != (len(negatives),) or (times < 1).any():
        raise QurdError(f"Expected a positive 'repeat' for each of {len(negatives)} negatives. Got {times.shape}.")
    pooled = negatives if repeat is None else np.repeat(negatives, times, axis=0)
    lineages = negatives if groups is None else closest(negatives, np.asarray(groups))
    return Rates(
        _caught(pooled, positives, allowed_below(len(pooled), alpha, "paper")),
        _caught(lineages, positives, allowed_below(len(lineages), alpha, "conformal")),
        _auc(negatives, positives, times),
    )


def victim_cells(
    values: Floats,
    tasks: Mapping[str, Sides],
    budgets: Sequence[int],
    used: Sequence[int],
    *,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Rates of one victim, query seed and scheme, one row per task and budget.

    Args:
        values: (M,B) distances of the victim's suspects, one column per budget.
        tasks: what `sides` returned for these suspects.
        budgets, used: (B,) what was allowed and the images really sent.

    Returns:
        rows of budget, used, tpr, tpr_conformal, auc, mean_stolen, mean_unrelated, task, n_negatives, n_lineages,
        n_positives and reason, which says why a rate is missing.
    """
    parts = [_task_cells(values, task, side, alpha) for task, side in tasks.items()]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    times = len(parts)
    return pd.DataFrame({"budget": np.tile(budgets, times), "used": np.tile(used, times), **columns})


def aggregate(cells: pd.DataFrame) -> pd.DataFrame:
    """Means over the victims that have the task, then over query seeds: one row per scheme, benchmark, task and budget.

    A rate is NaN, with a reason, as soon as one victim or seed lacks it: a mean over fewer would not be comparable.

    Returns:
        rows of `ROWS`: used is a mean over the cells that are not empty, sd and sd_conformal are over query seeds (n-1),
        n_negatives and n_lineages belong to the victim that has fewest, n_positives counts those of all victims.
    """
    per_seed = whole_means(cells, [*_CELL, "query_seed"], _RATES)
    grouped = per_seed.groupby(_CELL, sort=False)
    spread = grouped[["tpr", "tpr_conformal"]].std(ddof=1)
    table = whole_means(per_seed, _CELL, _RATES).set_index(_CELL)
    table["sd"] = spread["tpr"].where(table["tpr"].notna())
    table["sd_conformal"] = spread["tpr_conformal"].where(table["tpr_conformal"].notna())
    by_cell = cells.groupby(_CELL, sort=False)
    table[["n_negatives", "n_lineages"]] = by_cell[["n_negatives", "n_lineages"]].min()
    sent = cells.assign(sent=cells["used"] != 0).groupby(_CELL, sort=False)["sent"].sum()
    table["used"] = by_cell["used"].sum() / sent.clip(lower=1)
    if (table["used"] % 1 == 0).all():
        table["used"] = table["used"].astype(int)
    table["n_victims"], table["seeds"] = by_cell["victim"].nunique(), by_cell["query_seed"].nunique()
    once = cells.drop_duplicates([*_CELL, "victim"]).groupby(_CELL, sort=False)
    table["n_positives"] = once["n_positives"].sum()
    # Of several reasons the row tells the worst: no rate at all, then the refusal of the victim with fewest lineages.
    worst_first = cells.iloc[np.lexsort([cells["n_lineages"], cells["tpr"].notna()])]
    table["reason"] = worst_first.groupby(_CELL)["reason"].first()
    table["reason"] = table["reason"].astype(object).where(table["reason"].notna(), None)
    return table.reset_index()[list(ROWS)]


def _caught(negatives: Floats, positives: Floats, k: int | None) -> Floats:
    """(B,) share of positives strictly below the (k+1)-th smallest negative; NaN where no threshold is allowed."""
    if k is None:
        return np.full(positives.shape[1:], np.nan)
    return (positives < np.partition(negatives, k, axis=0)[k]).mean(axis=0)


def _auc(negatives: Floats, positives: Floats, times: NDArray[np.int_]) -> Floats:
    """(B,) share of (negative, positive) pairs in the right order, each negative counted `times`."""
    if not len(negatives):
        return np.full(positives.shape[1:], np.nan)
    # Whole numbers until the division: a win is counted by both comparisons, a tie by one.
    wins = np.zeros(negatives.shape, int)
    for ours in positives:
        wins += negatives > ours
        wins += negatives >= ours
    return np.tensordot(times, wins, axes=1) / (2 * times.sum() * len(positives))


def _task_cells(values: Floats, task: str, side: Sides, alpha: float) -> dict[str, NDArray]:
    """Columns (B,) of one task."""
    negatives, positives, budgets = values[side.negatives], values[side.positives], values.shape[1]
    found = rates(negatives, positives, alpha=alpha, repeat=side.repeat, groups=side.groups)
    empty = np.full(budgets, np.nan)
    constant = {
        "task": task,
        "n_negatives": len(negatives),
        "n_lineages": side.lineages,
        "n_positives": len(positives),
        "reason": refusal(side.lineages, alpha, models=len(negatives)),
    }
    return {
        **found._asdict(),
        "mean_stolen": positives.mean(axis=0),
        "mean_unrelated": np.average(negatives, axis=0, weights=side.repeat) if len(negatives) else empty,
        **{
            name: np.full(budgets, value, dtype=object if name in ("task", "reason") else int)
            for name, value in constant.items()
        },
    }


def whole_means(table: pd.DataFrame, keys: list[str], rates: list[str]) -> pd.DataFrame:
    """Means of rates per group in order of appearance; NaN where any row of the group is NaN."""
    grouped = table.groupby(keys, sort=False)[rates]
    return grouped.mean().where(grouped.count().eq(grouped.size(), axis=0)).reset_index()
