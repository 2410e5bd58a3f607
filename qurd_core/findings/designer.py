"""What your benchmark says: what its schemes reach without the pairs that are ticked out."""

import pandas as pd

from qurd_core import views
from qurd_core.findings.language import words
from qurd_core.statistics.printed import fixed
from qurd_core.views.designer import Pairs, keys, spread
from qurd_core.views.suggest import Suggestion


def headline(found: pd.DataFrame, out: Pairs, table: pd.DataFrame) -> str:
    """What the selection changes.

    Args:
        found: from `designer.compare`.
        out: what is left out.
        table: all pairs.
    """
    before, after = (spread(found[name].to_numpy(float)) for name in ("before", "after"))
    schemes = words.counted(int(found["after"].notna().sum()), "named scheme")
    gone = len(out.intersection(keys(table)))
    if gone and found["after"].isna().all():
        return f"Without {words.counted(gone, 'pair')} nothing can be measured"
    if not gone:
        return f"With every pair in, the {schemes} differ by {_points(before)} (s.d.)"
    told = f"Without {words.counted(gone, 'pair')} the {schemes}"
    if _points(after) == _points(before):
        return f"{told} still differ by {_points(after)} (s.d.)"
    return f"{told} differ by {_points(after)} instead of {_points(before)} (s.d.)"


def moved(found: pd.DataFrame) -> str:
    """The scheme that the selection moves most, in one sentence; empty where none moves."""
    change = found.dropna(subset=["change"])
    change = change[change["change"].abs() >= 0.0005]
    if change.empty:
        return ""
    row = change.loc[change["change"].abs().idxmax()]
    return f"largest change: {row['label']}, {words.points(row['change'])}"


def suggested(found: Suggestion) -> str:
    """What is suggested, in one sentence."""
    victims = words.counted(len(found.chosen_on + found.reported_on), "victim")
    models = words.counted(len(found.pairs), "stolen model")
    thefts = words.counted(len(found.recipes), "theft")
    return f"{thefts}, the same for every victim ({models} of {victims}), on which the named schemes differ most:"


def told(found: Suggestion) -> str:
    """The two numbers of a suggestion, and the halves that they belong to."""
    chosen, reported = (words.counted(len(half), "victim") for half in (found.chosen_on, found.reported_on))
    return (
        f"With these stolen models alone, the named schemes differ by {_points(found.chosen)} (s.d.) on the selection half "
        f"({chosen}) and by {_points(found.reported)} on the held-out half ({reported}). With the stolen models ticked now, "
        f"the schemes differ by {_points(found.before)} on the held-out half."
    )


def alt(rows: pd.DataFrame, out: Pairs) -> str:
    """The tiles in one sentence."""
    counts = views.designer.counts(views.designer.marked(rows, out), "group")
    said = ", ".join(f"{words.task(name)} {count.kept} of {count.all}" for name, count in counts.items())
    return f"A tile per pair, by group and victim. Kept: {said}."


def _points(share: float) -> str:
    return "no number" if share != share else f"{fixed(100 * share, 0)} points"
