"""Rates against the query budget as rows of points, and which of them a chart shows."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qurd_core.findings.language import words
from qurd_core.findings.language.words import Measured
from qurd_core.records import measured_worth
from qurd_core.schemes import BASELINES, CHARTED, CONTROL, GROUPS, MOST_MARKED, ORDER, PAPER, PUBLISHED, REFERENCE, grouped
from qurd_core.statistics.metrics import Rule, by_rule


def distances_of(points: pd.DataFrame, pins: Sequence[str]) -> str:
    """The combination that is looked at: the latest pin, else the reference."""
    return pins[-1] if pins else REFERENCE


def distance_rows(points: pd.DataFrame, label: str) -> pd.DataFrame:
    """The points of one combination that have distances."""
    return points[points["label"] == label].dropna(subset=[*DISTANCES.values()])


DISTANCES = {"stolen": "mean_stolen", "unrelated": "mean_unrelated"}
MARKER = 0.012  # of the axis that half a marker covers
SETTLED = 0.02  # of TPR that a curve may be from where it ends and count as being there
_MEASURED = ["value", "spread", "seeds"]


def curves(table: pd.DataFrame, rule: Rule = "paper", worth: pd.DataFrame = measured_worth.UNKNOWN) -> pd.DataFrame:
    """The rows of one task as points of lines.

    Args:
        table: from `rate_records.read`, or from `evaluate`.
        rule: the paper's rule, or the guaranteed (conformal) one.
        worth: intervals of the same task by the same rule, by label, with their `budget`.

    Returns:
        the table with `label` (the name of a scheme, or its text), `value` and `spread` under the rule, and `low` and
        `high`, the interval over models (NaN where none is known), sorted by budget.
    """
    label = table["name"].fillna(table["scheme"]) if "name" in table else table["scheme"]
    # As categories, labels compare as fast as numbers.
    found = measured_worth.with_intervals(by_rule(table.assign(label=label.astype("category")), rule), worth)
    return found.sort_values("budget", kind="stable")


def shown(points: pd.DataFrame, pins: Sequence[str] = (), group: str = PAPER) -> list[str]:
    """What has a line of its own: the baselines, and at most `MOST_MARKED` others, the pinned ones before those of a group.

    Args:
        points: with `label` and `value`.
        group: one of `schemes.GROUPS`.

    Returns:
        the labels: the reference, the other named schemes in the order of charts, then the pinned mixes.
    """
    present = _present(points)
    wanted = dict.fromkeys(label for label in (*pins, *grouped(group)) if label in present and label not in BASELINES)
    marked = [*wanted][:MOST_MARKED]
    named = [name for name in ORDER if name in marked or (name in BASELINES and name in present)]
    return [*named, *(label for label in marked if label not in ORDER)]


def grey(points: pd.DataFrame, pins: Sequence[str] = (), group: str = PAPER) -> list[str]:
    """The published schemes that have a value and no line of their own, in the order of charts."""
    drawn, present = shown(points, pins, group), _present(points)
    return [name for name in CHARTED if name in PUBLISHED and name in present and name not in drawn]


def groups(points: pd.DataFrame) -> list[str]:
    """The groups of which a scheme is recorded, with a value or without."""
    recorded = set(points["label"])
    return [group for group in GROUPS if recorded & {*grouped(group)}]


def lines(points: pd.DataFrame, pins: Sequence[str] = (), group: str = PAPER) -> dict[str, pd.DataFrame]:
    """The rows of everything that has a line of its own."""
    return {label: points[points["label"] == label] for label in shown(points, pins, group)}


def mixes(points: pd.DataFrame, pins: Sequence[str] = (), group: str = PAPER) -> list[str]:
    """What has no line of its own: combinations without a name, recorded or not, and schemes that are grey. No control."""
    drawn = {*shown(points, pins, group), CONTROL, *CHARTED} - {*grey(points, pins, group)}
    return [label for label in points["label"].unique() if label not in drawn]


def missing(points: pd.DataFrame, pins: Sequence[str] = ()) -> dict[str, str]:
    """The named schemes and pins that have no value at all, with the reason that most of their budgets give."""
    present = _present(points)
    absent = [label for label in points["label"].unique() if (label in CHARTED or label in pins) and label not in present]
    reasons = {label: points.loc[points["label"] == label, "reason"].dropna() for label in absent}
    return {label: why.mode().iloc[0] for label, why in reasons.items() if len(why)}


def refused(points: pd.DataFrame, withheld: Mapping[str, str], pins: Sequence[str] = ()) -> dict[str, str]:
    """The named schemes and pins that the suspect's answers do not allow, with the reason.

    Args:
        withheld: from `leaderboard.withheld`.
    """
    known = points[["label", "scheme"]].drop_duplicates().itertuples(index=False, name=None)
    return {label: withheld[text] for label, text in known if text in withheld and (label in CHARTED or label in pins)}


def values_at(
    points: pd.DataFrame,
    at: int,
    pins: Sequence[str] = (),
    worth: pd.DataFrame = measured_worth.UNKNOWN,
    group: str = PAPER,
) -> pd.DataFrame:
    """What every drawn line says at one budget, best first.

    Args:
        worth: what is known of intervals and tests at this budget; else verdicts are those over query seeds.

    Returns:
        rows of label, value, spread, used, gap (to the reference), verdict (None for the reference) and reason.
    """
    names = shown(points, pins, group)
    chosen = points.loc[(points["budget"] == at) & points["label"].isin(names), [*_MEASURED, "label", "used", "reason"]]
    rows = chosen.astype({"label": object}).set_index("label")
    rows = rows.loc[[name for name in names if name in rows.index]]
    found = {label: Measured(*row) for label, *row in rows[_MEASURED].itertuples(name=None)}
    reference = found.get(REFERENCE, Measured(math.nan, math.nan, 0))
    rows["gap"] = rows["value"] - reference.value
    known = (rows["gap"].notna() & (rows.index != REFERENCE)).tolist()
    told = [words.verdict(one, reference) if there else None for one, there in zip(found.values(), known, strict=True)]
    rows["verdict"] = measured_worth.tested(rows.index.to_series(), pd.Series(told, rows.index, object), worth)
    kept = rows[["value", "spread", "used", "gap", "verdict", "reason"]]
    return kept.sort_values("value", ascending=False, kind="stable", na_position="last").reset_index()


def plateau(rows: pd.DataFrame) -> int | None:
    """The smallest recorded budget from which on a curve stays within two points of its value at the largest one.

    None where it still moves before the largest, has no other, or catches nothing there.

    Args:
        rows: of one line, sorted by budget.
    """
    known = rows.dropna(subset=["value"])
    if known.empty or not known["value"].iloc[-1]:
        return None
    moving = ((known["value"] - known["value"].iloc[-1]).abs().round(6) > SETTLED).to_numpy()
    settled = known["budget"][~np.maximum.accumulate(moving[::-1])[::-1]]
    return int(settled.iloc[0]) if len(settled) > 1 else None


def at_budget(points: pd.DataFrame, at: int, label: str = REFERENCE) -> float:
    """The value of one line at a budget; NaN where it has none."""
    found = points.loc[(points["label"] == label) & (points["budget"] == at), "value"]
    return float(found.iloc[0]) if len(found) else math.nan


def clicked(points: pd.DataFrame, point: Mapping[str, Any], pins: Sequence[str] = (), group: str = PAPER) -> str:
    """The label of a clicked point; where a line with a name passes as close, that one, because its marker hides the other.

    Args:
        point: with `x`, `y` and `customdata`, as Plotly reports it.
    """
    named = shown(points, pins, group)
    if point["customdata"] in named:
        return point["customdata"]
    at = points.loc[points["label"] == point["customdata"]]
    budget = at.iloc[(at["value"] - point["y"]).abs().argmin()]["budget"]
    there = points[(points["budget"] == budget) & points["label"].isin(named)]
    apart = (there["value"] - point["y"]).abs()
    return str(there.loc[apart.idxmin(), "label"]) if len(there) and apart.min() < MARKER else point["customdata"]


def bounded(rows: pd.DataFrame) -> bool:
    """Whether the band of a line is an interval over models."""
    return bool(rows["low"].notna().any())


def ends(drawn: dict[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """The last point of every line."""
    return {label: rows.loc[rows["value"].last_valid_index()] for label, rows in drawn.items()}


def _present(points: pd.DataFrame) -> set[str]:
    return set(points.loc[points["value"].notna(), "label"])
