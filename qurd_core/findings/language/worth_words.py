"""What rates are worth, in words: intervals over models, ranks, and how a verdict was reached.

A table of worth has a row per label, with the columns of `statistics.worth.worth`.
"""

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.schemes import REFERENCE
from qurd_core.statistics import smallest_p, victims_to_decide
from qurd_core.statistics.printed import fixed

LEVEL = 0.05  # of exact tests


def interval(low: float, high: float) -> str:
    """`84 to 92 %`; empty where there is none."""
    return "" if pd.isna(low) else f"{fixed(100 * low, 0)} to {fixed(100 * high, 0)} %"


def hovered(low: float, high: float) -> str:
    """The interval as a line of a hover text; empty where there is none."""
    return "" if pd.isna(low) else f"<br>95 % interval over models: {interval(low, high)}"


def rank(row: pd.Series) -> str:
    """`rank 2 to 4`; empty where there is none."""
    if pd.isna(row["rank_low"]):
        return ""
    low, high = int(row["rank_low"]), int(row["rank_high"])
    return f"rank {low}" if low == high else f"rank {low} to {high}"


def short(verdict: str) -> str:
    """A verdict in one or two words."""
    return "undecided" if verdict == "not distinguished" else verdict


def verdict(row: pd.Series) -> str:
    """The comparison with AKH behind a verdict."""
    said = f"{words.PHRASES[row['verdict']][0]} {REFERENCE}: {words.points(row['diff'])}"
    if row["diff_low"] == row["diff_high"]:
        said += ", the same in every bootstrap resample, so there is no interval"
    else:
        said += f", 95 % interval {words.points(row['diff_low'])} to {words.points(row['diff_high'])}"
        said += ", simultaneous for all unpublished combinations" * pd.isna(row["p"])
    if pd.isna(row["p"]):
        return f"{said}."
    said += f", p {row['p']:.2g} (exact sign flips over victims, Holm)."
    if not pd.isna(row["needed"]):
        said += f" Ten points would be found with {int(row['needed'])} independent victims."
    return f"{said} {row['notes']}" if isinstance(row["notes"], str) else said


def tests(worth: pd.DataFrame, labels: pd.Series | None = None) -> str:
    """What verdicts rest on: `comparisons: exact tests, 8 independent victims`.

    Args:
        labels: what is shown, if that may be less than what was tested.
    """
    if worth.empty:
        return "comparisons: spread over query seeds only"
    number, asked = int(worth["lineages"].max()), max(1, int(worth["p"].notna().sum()))
    if number == 1 or smallest_p(number, asked) <= LEVEL:
        return f"comparisons: exact tests{victims(worth)}"
    hidden = labels is not None and not worth.index[worth["p"].notna()].isin(labels).all()
    needed = (
        f"{asked} exact tests{', also of schemes not shown,' * hidden} need {victims_to_decide(asked)}"
        if asked > 1
        else f"an exact test needs {victims_to_decide(1)}"
    )
    return f"comparisons: bootstrap over models{victims(worth)} ({needed})"


def victims(worth: pd.DataFrame) -> str:
    """How a sentence on intervals and tests goes on: `, 8 independent victims`, or ` on one victim`."""
    number = int(worth["lineages"].max())
    return " on one victim" if number == 1 else f", {words.counted(number, 'independent victim')}"


def basis(worth: pd.DataFrame) -> str:
    """What the small numbers are, and who could be the best."""
    first = worth[worth["rank_low"] == 1].index.tolist()
    may = "may rank first" if len(first) > 1 else "ranks first in 95 % of bootstrap resamples"
    victims = words.counted(int(worth["lineages"].max()), "independent victim")
    known = worth.dropna(subset=["audit"])
    small = "95 % interval and rank" if worth["rank_low"].notna().any() else "95 % interval"
    said = [f"Small: {small}, bootstrap over models and query seeds, {victims}"]
    said += [f"{words.listed(first)} {may}"] if first else []
    if len(known):
        worst = known["audit"].idxmax()
        said.append(f"false alarms on an architecture that was held out: {worst} {words.percent(known.loc[worst, 'audit'])}")
    return " · ".join(said)


def help_text(worth: pd.DataFrame) -> str:
    """How all of it was had."""
    said = (
        "Intervals: bootstrap over lineages and query seeds, with the same resamples for all schemes. Beats and trails: "
        "exact sign-flip test over independent victims, corrected by Holm over the named schemes. Ahead and behind: no "
        "exact test decides, but the 95 % interval of the difference excludes 0. On par: the 90 % interval of the "
        "difference lies within ten points. Undecided: none of these. Held out: the threshold is set without one kind of "
        "unrelated model (architecture or pre-trained network), and false alarms are counted on models of that kind."
    )
    notes = worth["notes"].dropna()
    return f"{said} {notes.iloc[0]}" if len(notes) else said
