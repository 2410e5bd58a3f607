"""What a benchmark of one's own is a part of, said in the line under the headline."""

from pandas import DataFrame

from pages.ui import cached
from pages.ui.suspect.switch import Suspect
from qurd_core import findings, views
from qurd_core.findings.language import words
from qurd_core.records import evidence
from qurd_core.statistics import metrics

HARD = "hard unrelated: independent models trained on the victim’s data · "
IDLE = "no hard unrelated models here, so the switch changes nothing · "


def of(bench: str, points: DataFrame | None = None, *, hard: bool = False, there: bool = True) -> str:
    """The start of the line; empty for a whole benchmark without hard unrelated models.

    Args:
        hard: whether hard unrelated models are asked for.
        there: whether there are some.
        points: from `cached.curves`, where the page shows rates: such a benchmark knows fewer than the whole does.
    """
    base, explained = evidence.base_of(bench), (HARD if there else IDLE) * hard
    if bench == base:
        return explained
    known = "" if points is None else _known(points, cached.curves(base, "all", hard=False, rule="paper"))
    return f"Part of {base}{known} · {explained}"


def adds(points: DataFrame, easy: DataFrame) -> bool:
    """Whether hard unrelated models are among those behind some points, and not behind others."""
    return bool(points["n_negatives"].max() != easy["n_negatives"].max())


def has_hard(bench: str) -> bool:
    """Whether a benchmark has hard unrelated models."""
    return bool((cached.pairs(bench)["kind"] == "hard").any())


def turned(label: str, points: DataFrame, easy: DataFrame, bench: str, at: int, rule: metrics.Rule) -> str:
    """The headline where a switch turns what is found of a scheme: the rule refuses every value, or hard unrelated models
    let it drop. Empty where neither does.

    Args:
        points, easy: from `cached.curves`, of one task, with hard unrelated models where they count, and without them.
    """
    if refused := findings.budget.refused(points, rule, bench):
        return refused
    where = findings.leaderboard.place(bench, points["task"].iloc[0], at)
    return words.turned(label, views.budget.at_budget(easy, at, label), views.budget.at_budget(points, at, label), where)


def said(
    label: str, points: DataFrame, easy: DataFrame, bench: str, at: int, rule: metrics.Rule, suspect: Suspect, *, hard: bool
) -> str:
    """The headline where the state of the page turns it: what stands before suspects, or else what `turned` says.

    Args:
        hard: whether hard unrelated models are among those behind the points.
    """
    if not suspect.hidden:
        return turned(label, points, easy, bench, at, rule)
    where = findings.leaderboard.place(bench, points["task"].iloc[0], at)
    found = findings.leaderboard.behind(points, at, label, suspect.behind, where)
    return findings.budget.refused(points, rule, bench) or found + counting(hard)


def counting(hard: bool) -> str:
    """How a headline ends where hard unrelated models count, and there are some."""
    return " (counting hard unrelated models)" * hard


def _known(points: DataFrame, whole: DataFrame) -> str:
    """How many combinations and budgets of the whole there are, if not all."""
    known, every = points["scheme"].nunique(), whole["scheme"].nunique()
    at, budgets = points["budget"].nunique(), whole["budget"].nunique()
    if (known, at) == (every, budgets):
        return ""
    return f": the named and the best combinations, {known} of {every}, at {at} of {budgets} budgets"
