"""What rates are worth, in words: intervals over models, ranks, and how a verdict was reached.

A table of worth has a row per label, with the columns of `evaluation.worth.worth`.
"""

import pandas as pd

from qurd_core.plots import words

UNKNOWN = pd.DataFrame(columns=["low", "high", "verdict"], index=pd.Index([], name="label"))  # nothing was measured
NEEDED = 6  # independent victims below which no exact test reaches 5 %


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


def interval(low: float, high: float) -> str:
    """`84 to 92 %`; empty where there is none."""
    return "" if pd.isna(low) else f"{100 * low:.0f} to {100 * high:.0f} %"


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
    said = f"{words.PHRASES[row['verdict']][0]} AKH: {words.points(row['diff'])}"
    if row["diff_low"] == row["diff_high"]:
        said += ", which no draw changes: there is no interval"
    else:
        said += f", 95 % interval {words.points(row['diff_low'])} to {words.points(row['diff_high'])}"
        said += ", which holds for all unnamed combinations at once" * pd.isna(row["p"])
    if pd.isna(row["p"]):
        return f"{said}."
    said += f", p {row['p']:.2g} (exact sign flips over victims, Holm)."
    if not pd.isna(row["needed"]):
        said += f" Ten points would be found with {int(row['needed'])} independent victims."
    return f"{said} {row['notes']}" if isinstance(row["notes"], str) else said


def tests(worth: pd.DataFrame) -> str:
    """What verdicts rest on: `verdicts by exact tests, 8 independent victims`."""
    if worth.empty:
        return "verdicts over query seeds only"
    exact = worth["lineages"].max() >= NEEDED or worth["lineages"].max() == 1
    return f"verdicts by {'exact tests' if exact else 'intervals'}{victims(worth)}"


def victims(worth: pd.DataFrame) -> str:
    """How a sentence on intervals and tests goes on: `, 8 independent victims`, or ` on the one victim`."""
    number = int(worth["lineages"].max())
    return " on the one victim" if number == 1 else f", {words.counted(number, 'independent victim')}"


def basis(worth: pd.DataFrame) -> str:
    """What the small numbers are, and who could be the best."""
    first = worth[worth["rank_low"] == 1].index.tolist()
    may = "may be the best" if len(first) > 1 else "is the best in 95 % of the draws"
    victims = words.counted(int(worth["lineages"].max()), "independent victim")
    known = worth.dropna(subset=["audit"])
    said = [f"Small: 95 % interval and rank over models and query seeds, {victims}"]
    said += [f"{words.listed(first)} {may}"] if first else []
    if len(known):
        worst = known["audit"].idxmax()
        said.append(f"on a kind of model held out {worst} accuses {words.percent(known.loc[worst, 'audit'])}")
    return " · ".join(said)


def help_text(worth: pd.DataFrame) -> str:
    """How all of it was had."""
    said = (
        "Intervals draw lineages and query seeds with replacement, the same for all schemes. Beats and trails: by exact "
        "sign flips over independent victims, corrected by Holm over the named schemes. Ahead and behind: no such test "
        "decides, but the 95 % interval of the difference excludes 0. On par: the 90 % interval lies within ten points. "
        "Undecided: the models here do not tell. Held out: the threshold is set without one kind of unrelated model "
        "(architecture or pre-trained network), and models of that kind are counted."
    )
    notes = worth["notes"].dropna()
    return f"{said} {notes.iloc[0]}" if len(notes) else said
