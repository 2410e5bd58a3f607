"""The card of a scheme in words: what it catches, whom it wrongly accuses, and what it costs."""

from typing import NamedTuple

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.schemes import NAMED, Scheme
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.views.leaderboard import SAME, FalseAlarms, robustness

USUAL = 100  # queries: the budget at which the paper compares schemes


class Line(NamedTuple):
    """One line of a card: the field's name for a quality, its value, and what the value is."""

    term: str
    value: str
    note: str


def lines(rows: pd.DataFrame, rule: Rule, alarms: FalseAlarms | None, hard: pd.DataFrame, interval: str = "") -> list[Line]:
    """Effectiveness, robustness, uniqueness and efficiency of one scheme.

    Args:
        rows: of the scheme at one budget, a row per task.
        interval: of its rate on exact copies, over models; empty where none is known.
        alarms: where its distances are recorded.
        hard: as `rows`, with the hard unrelated models among the unrelated ones.
    """
    rows, hard, chosen = rows.set_index("task"), hard.set_index("task"), RULES[rule]
    return [
        _effectiveness(rows, chosen.value, chosen.spread, interval),
        _robustness(rows[chosen.value]),
        _uniqueness(alarms) if alarms else _lost(rows, hard, chosen.value),
        _efficiency(rows),
    ]


def limits(name: str | None) -> list[str]:
    """What a published scheme costs, how its paper's budget compares with ours, and where it fails, a sentence each."""
    if name not in NAMED:
        return []
    named, group = NAMED[name], Scheme.parse(name).group_size
    ours = f"{USUAL} queries" + (f", that is {USUAL // group} groups of {group}" if group > 1 else "")
    said = {
        f"Cost: {named.cost}.": named.cost,
        f"The paper advertises {named.queries}; here a budget of {ours} is usual.": named.queries,
        f"Where it fails: {named.fails}": named.fails,
    }
    return [sentence for sentence, given in said.items() if given]


def number(count: float) -> str:
    """A count with thin spaces: `2 692 180`."""
    return f"{count:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _effectiveness(rows: pd.DataFrame, value: str, spread: str, interval: str) -> Line:
    if SAME not in rows.index or pd.isna(rows.loc[SAME, value]):
        return Line("Effectiveness", "–", "no value on exact copies")
    over = f"; {interval} over models" if interval else ""
    note = f"of exact copies caught{over}"
    return Line("Effectiveness", words.precise(*rows.loc[SAME, [value, spread]]), note)


def _robustness(rates: pd.Series) -> Line:
    kept = robustness(rates)
    if not kept:
        return Line("Robustness", "–", "no value on any other task")
    weakest = f"; weakest: {words.task(kept.weakest)}, {words.percent(kept.least)}" if kept.mean - kept.least > 0.005 else ""
    return Line("Robustness", words.precise(kept.mean), f"mean of {words.counted(kept.tasks, 'other task')}{weakest}")


def _uniqueness(alarms: FalseAlarms) -> Line:
    if pd.isna(alarms.unrelated):
        return Line("Uniqueness", "–", "too few independent lineages for the guaranteed rule")
    at = f" at {words.counted(alarms.budget, 'query')}"
    if pd.isna(alarms.hard):
        note = f"false alarms on {words.counted(alarms.n_unrelated, 'unrelated pair')}{at}; there is no hard unrelated model"
        return Line("Uniqueness", words.precise(alarms.unrelated), note)
    both = f"{words.percent(alarms.unrelated)}, hard unrelated {words.percent(alarms.hard)}"
    note = f"false alarms on {alarms.n_unrelated} unrelated and {alarms.n_hard} hard unrelated pairs{at}, same threshold"
    return Line("Uniqueness", both, note)


def _lost(rows: pd.DataFrame, hard: pd.DataFrame, value: str) -> Line:
    """What the scheme catches less when hard unrelated models count, where nothing else is recorded."""
    if "all" not in rows.index or "all" not in hard.index or pd.isna(hard.loc["all", value] - rows.loc["all", value]):
        return Line("Uniqueness", "–", "no value with hard unrelated models")
    if hard["n_negatives"].equals(rows["n_negatives"]):
        return Line(
            "Uniqueness", "–", "distances of this scheme are not recorded here, and there is no hard unrelated model"
        )
    change = words.points(hard.loc["all", value] - rows.loc["all", value])
    return Line(
        "Uniqueness", change, "of TPR@5% when hard unrelated models count too; distances of this scheme are not recorded"
    )


def _efficiency(rows: pd.DataFrame) -> Line:
    filled = rows[rows["used"] > 0]
    if filled.empty:
        return Line("Efficiency", "–", str(rows["reason"].dropna().iloc[0]) if rows["reason"].notna().any() else "no value")
    once = filled.iloc[0]
    sent = f"{number(once['used'])} queries"
    if once["distinct"] < once["used"]:
        sent += f", {number(once['distinct'])} distinct"
    if pd.isna(once["samples"]):
        return Line("Efficiency", sent, "other costs were not published")
    looked = "no labelled image" if not once["samples"] else f"{number(once['samples'])} labelled images"
    gradients = "no gradient" if not once["gradients"] else f"{number(once['gradients'])} gradients"
    return Line("Efficiency", sent, f"{looked}, {gradients} of the victim")
