"""Intervals, ranks and verdicts of the named schemes in words."""

import pandas as pd

from qurd_core.plots import words


def interval(row: pd.Series) -> str:
    """`84 to 92 %`; empty where there is none."""
    return "" if pd.isna(row["low"]) else f"{100 * row['low']:.0f} to {100 * row['high']:.0f} %"


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
    said = f"{row['verdict']} AKH: {words.points(row['diff'])}, 95 % interval {words.points(row['diff_low'])} to "
    said += f"{words.points(row['diff_high'])}, p {row['p']:.2g} (exact sign flips over victims, Holm)."
    if not pd.isna(row["needed"]):
        said += f" Ten points would be found with {int(row['needed'])} independent victims."
    return f"{said} {row['notes']}" if isinstance(row["notes"], str) else said


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
        "Intervals draw lineages and query seeds with replacement, the same for all schemes. The verdict beside a "
        "difference is that of exact sign flips over independent victims, corrected by Holm over the schemes shown; on par "
        "means that the 90 % interval lies within ten points, undecided that the models here do not tell. Held out: the "
        "threshold is set without one kind of unrelated model "
        "(architecture or pre-trained network), and models of that kind are counted."
    )
    notes = worth["notes"].dropna()
    return f"{said} {notes.iloc[0]}" if len(notes) else said
