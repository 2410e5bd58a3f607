"""What the page on budgets says: what further queries bring, and how distances move."""

from collections.abc import Sequence

import pandas as pd

from qurd_core import views
from qurd_core.findings.language import words
from qurd_core.schemes import BASELINES, MOST_MARKED, PAPER, PUBLISHED, REFERENCE, grouped
from qurd_core.statistics import allowed_below, min_pool
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.views.costs import COSTS, Unit

FALLING = 100  # queries, from which on the paper sees lines fall


def distances_finding(points: pd.DataFrame, label: str) -> str:
    """Whether further queries bring stolen and unrelated models closer together, and what becomes of the rate."""
    rows = views.budget.distance_rows(points, label).set_index("budget")
    if FALLING not in rows.index or rows.index[-1] == FALLING:
        return f"{label} has no distances beyond {words.counted(FALLING, 'query')}."
    first, last = rows.loc[FALLING], rows.iloc[-1]
    before, after = (float(row["mean_unrelated"] - row["mean_stolen"]) for row in (first, last))
    return words.gap(label, (FALLING, int(rows.index[-1])), (before, after), float(last["value"] - first["value"]))


def distances_alt(points: pd.DataFrame, label: str) -> str:
    """The chart in one sentence, for those who do not see it."""
    last = views.budget.distance_rows(points, label).iloc[-1]
    said = " and ".join(
        f"{words.distance(last[column])} of {side} models" for side, column in views.budget.DISTANCES.items()
    )
    return f"Mean distance from the victim by {label} against queries. At {last['budget']} queries: {said}."


LEVEL = 0.05  # of false alarms


def headline(points: pd.DataFrame, at: int, reveal: str = "logits") -> str:
    """What further queries bring to the median published scheme, and from how many on the reference needs no more.

    Args:
        reveal: what the suspect reveals, one of `LEVELS`.
    """
    enough = views.budget.plateau(points[points["label"] == REFERENCE])
    settled = "" if enough is None else f"; {REFERENCE} plateaus at {words.counted(enough, 'query')}"
    return _gains(points, at) + words.revealing(reveal) + settled


def refused(points: pd.DataFrame, rule: Rule, benchmark: str) -> str:
    """The headline where a rule refuses every value for want of unrelated models; empty where it does not."""
    row = points.iloc[0]
    lineages = int(row["n_lineages"])
    if points["value"].notna().any() or allowed_below(lineages, kind=RULES[rule].kind) is not None:
        return ""
    return (
        f"The {rule} rule gives no value on {benchmark}{words.on_task(row['task'])}: it needs {min_pool(LEVEL)} independent "
        f"lineages of unrelated models, there {'is' if lineages == 1 else 'are'} {lineages}"
    )


def _gains(points: pd.DataFrame, at: int) -> str:
    wide = points[points["label"].isin(PUBLISHED)].pivot(index="label", columns="budget", values="value")
    last, which = int(points["budget"].max()), words.on_task(points["task"].iloc[0])
    if at not in wide or wide[at].isna().all():
        return words.headline(at, last, None, None) + which
    gains = (wide[last] - wide[at]).dropna()
    return words.headline(at, last, float(gains.median()) if len(gains) else None, float(wide[at].median())) + which


def against(rows: pd.DataFrame, at: int) -> str:
    """How schemes stand against the reference at one budget, in one sentence.

    Args:
        rows: from `values_at`.
    """
    parts = []
    for verdict, (one, several) in words.PHRASES.items():
        names = rows.loc[rows["verdict"] == verdict, "label"].tolist()
        if names:
            parts.append(f"{words.listed(names)} {one if len(names) == 1 else several} {REFERENCE}")
    return f"At {at} queries {'; '.join(parts)}." if parts else ""


def grey(points: pd.DataFrame, pins: Sequence[str], group: str) -> str:
    """Which published schemes are grey and how they get a colour; empty where all have one."""
    found = views.budget.grey(points, pins, group)
    if not found:
        return ""
    crowded = [name for name in found if name in grouped(group)]
    others = [name for name in found if name not in crowded]
    said = []
    if crowded:
        are, most = "is" if len(crowded) == 1 else "are", f"At most {MOST_MARKED} stand out beside {words.listed(BASELINES)}"
        said.append(f"{most}, pinned ones first, so {words.listed(crowded)} {are} grey.")
    if others:
        are, their, them = ("is", "its", "it") if len(others) == 1 else ("are", "their", "them")
        more = words.counted(len(others), "more published scheme")
        said.append(
            f"{more} {are} grey: {words.listed(others)}. Choose {their} group, or pin {them}, to see {them} in colour."
        )
    return " ".join(said)


def basis(points: pd.DataFrame, rule: Rule = "paper") -> str:
    """How many unrelated models and lineages the values rest on."""
    row = points.iloc[0]
    return words.false_alarms(int(row["n_negatives"]), int(row["n_lineages"]), RULES[rule].kind, row["task"])


def subline(points: pd.DataFrame, rule: Rule = "paper", *, grey: int = 0) -> str:
    """What the values rest on.

    Args:
        grey: the number of other combinations that are drawn.
    """
    fewest, most = int(points["seeds"].min()), int(points["seeds"].max())
    seeds = words.counted(most, "query seed") if fewest == most else f"{fewest} to {most} query seeds"
    parts = [f"Means over {seeds} and {words.counted(int(points['n_victims'].iloc[0]), 'victim')}", basis(points, rule)]
    parts += [f"grey: {words.counted(grey, 'other combination')}"] * (grey > 0)
    return " · ".join(parts)


def bands(points: pd.DataFrame) -> str:
    """What the bands are."""
    what = (
        "95 % interval, bootstrap over models" if views.budget.bounded(points) else "one standard deviation over query seeds"
    )
    return f"band: {what}"


def alt(points: pd.DataFrame, pins: Sequence[str] = (), unit: Unit = "queries", group: str = PAPER) -> str:
    """The chart in one sentence, for those who do not see it."""
    ends = views.budget.ends(views.budget.lines(points, pins, group))
    said = ", ".join(f"{label} {words.percent(row['value'])} at {row['budget']} queries" for label, row in ends.items())
    between = f"{points['budget'].min()} to {points['budget'].max()} queries"
    against = between if unit == "queries" else f"{COSTS[unit].title.lower()} for {between}"
    return f"Lines of TPR at 5% false alarms against {against} on a log scale. They end at: {said}."
