"""Schemes by task and rule."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from qurd_core.findings.language import words
from qurd_core.records import measured_worth
from qurd_core.schemes import CHARTED, PAPER
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.views import budget
from qurd_core.views.leaderboard import judged

Worth = Mapping[Rule, Mapping[str, pd.DataFrame]]  # what is known of intervals and tests, by rule and task
NOTHING: Worth = {rule: {} for rule in RULES}


def columns(rows: pd.DataFrame, pins: Sequence[str] = (), group: str = PAPER) -> list[str]:
    """The named schemes that have a column: the baselines, and those that have a line on other charts.

    Args:
        rows: of all tasks at one budget.
        group: one of `schemes.GROUPS`.
    """
    known = rows[["name"]].dropna().drop_duplicates()
    return budget.shown(known.assign(label=known["name"], value=1.0), pins, group)


def named(
    rows: pd.DataFrame, tasks: Sequence[str], rule: Rule, worth: Worth = NOTHING, names: Sequence[str] = CHARTED
) -> pd.DataFrame:
    """Named schemes on every task, judged against the reference of their task.

    Args:
        rows: of all tasks at one budget, without the combinations that the suspect does not allow.
        tasks: in the order of the table.
        rule: under which they are judged.
        names: of the schemes, in the order of the table.

    Returns:
        the rows with `label`, `value`, `spread`, what `leaderboard.judged` gives, and `low_` and `high_` of every rule;
        tasks and schemes in order.
    """
    chosen = RULES[rule]
    rows = rows[rows["name"].isin(names)]
    rows = rows.assign(label=rows["name"], value=rows[chosen.value], spread=rows[chosen.spread])
    order, places = list(names), list(tasks)
    found = [_judged(part, task, rule, worth) for task, part in rows.groupby("task", sort=False)] or [judged(rows)]
    table = pd.concat(found, ignore_index=True)
    place = table["task"].map(places.index) * len(order) + table["label"].map(order.index)
    return table.iloc[np.argsort(place.to_numpy(int), kind="stable")].reset_index(drop=True)


def _judged(rows: pd.DataFrame, task: str, rule: Rule, worth: Worth) -> pd.DataFrame:
    for each in RULES:
        ends = measured_worth.with_intervals(rows, worth[each].get(task, measured_worth.UNKNOWN))
        rows = rows.assign(**{f"low_{each}": ends["low"], f"high_{each}": ends["high"]})
    return judged(rows, worth[rule].get(task, measured_worth.UNKNOWN))


def reasons(table: pd.DataFrame) -> dict[str, str]:
    """Why cells are empty: the schemes without any rate, and the tasks whose guaranteed rate is refused."""
    nothing, refused = table[table["tpr"].isna()], table[table["tpr"].notna() & table["tpr_conformal"].isna()]
    found = {}
    for name, rows in (("label", nothing), ("task", refused)):
        for reason, some in rows.groupby(rows["reason"].fillna("no value"), sort=False):
            found[words.listed([words.task(one) for one in some[name].unique()])] = reason
    return found
