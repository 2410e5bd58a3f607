"""What the grid of thefts and ways to hide them says."""

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.records.grid_records import BUDGET, FAILED
from qurd_core.views.thefts import grid


def headline(found: pd.DataFrame, scheme: str) -> str:
    """In how many cells a scheme catches at least half of the stolen models, and what hides them best.

    Args:
        found: from `views.thefts.grid.cells`.
    """
    rows = grid.counted(found)
    if rows.empty:
        return f"{scheme} has no value in any cell at {BUDGET} queries"
    said = f"{scheme} catches at least half of the stolen models in {_caught(found)} of {words.counted(len(rows), 'cell')}"
    best = grid.by_hiding(found)
    best = best[best["plain"] - best["value"] >= words.TURN]
    if best.empty:
        return f"{said}; nothing hides them by {100 * words.TURN:.0f} points or more"
    first = best.iloc[0]
    return (
        f"{said}; {words.hiding(first['hiding'])} hides most: {words.percent(first['value'])} caught,"
        f" {words.percent(first['plain'])} without it"
    )


def turned(found: pd.DataFrame, easy: pd.DataFrame, scheme: str) -> str:
    """The headline where hard unrelated models let cells fall below half; empty where they do not.

    Args:
        found, easy: from `views.thefts.grid.cells`, with them and without them.
    """
    before, after, total = _caught(easy), _caught(found), len(grid.counted(found))
    if after >= before:
        return ""
    return (
        f"With hard unrelated models, {scheme} catches at least half of the stolen models in {after} instead of {before} of"
        f" {words.counted(total, 'cell')}"
    )


def subline(found: pd.DataFrame) -> str:
    """What a cell is, what crosses mean, and how many cells are empty."""
    models, unrelated = (int(found[name].fillna(0).max()) for name in ("n_models", "n_negatives"))
    parts = [
        f"TPR@5% of {words.counted(models, 'stolen model')} a cell against {words.counted(unrelated, 'unrelated model')} at"
        f" {BUDGET} queries"
    ]
    if found["failed"].any():
        parts.append(f"✕: failed theft (kappa with the victim below {FAILED})")
    if empty := int((found["value"].isna() & ~found["failed"]).sum()):
        parts.append(f"dot: {words.counted(empty, 'cell')} without a value, hover for why")
    return " · ".join(parts)


def alt(found: pd.DataFrame, scheme: str) -> str:
    """The chart in one sentence."""
    thefts, hidings = found["theft"].nunique(), found["hiding"].nunique()
    said = ", ".join(f"{words.hiding(row.hiding)} {words.percent(row.value)}" for row in grid.by_hiding(found).itertuples())
    return (
        f"Heat table of {thefts} thefts by {hidings} ways to hide them: share of stolen models that {scheme} catches."
        f" Means over thefts: {said or 'none'}."
    )


def _caught(found: pd.DataFrame) -> int:
    """Cells in which at least half of the stolen models are caught."""
    return int((grid.counted(found)["value"] >= grid.HALF).sum())
