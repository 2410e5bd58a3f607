"""Thefts by what hides them: what one scheme catches of every theft that is followed by every way to hide it."""

import pandas as pd

from qurd_core.records import grid_records
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.statistics.sides import Negatives

PLAIN = "none"  # the column of thefts that nothing hides
HALF = 0.5  # of the stolen models: what a scheme that works on a cell catches at least
_FACTS = ["seeds", "n_models", "n_negatives", "accuracy", "kappa", "queries"]


def cells(table: pd.DataFrame, scheme: str, rule: Rule = "paper", negatives: Negatives = "unrelated") -> pd.DataFrame:
    """One row per theft and way to hide it, in the order of the grid.

    Args:
        table: from `grid_records.read`.
        scheme: its name, or its text where it has none.

    Returns:
        rows of theft, hiding, value (the share caught), spread (over query seeds), failed (whether the hidden models agree
        with their victims hardly more than by chance), reason (empty where there is a value), seeds, n_models, n_negatives,
        accuracy, kappa and queries (that the theft sent to the victim).

    Raises:
        QurdError: the grid has no such scheme.
    """
    found = grid_records.of_scheme(table, scheme, negatives)
    chosen = RULES[rule]
    plain = found[found["hiding"] == PLAIN].set_index("theft")["kappa"]
    kappa = found["kappa"].fillna(found["theft"].map(plain))  # not measured where an answer takes many passes
    shown = found[["theft", "hiding"]].assign(
        value=found[chosen.value].astype(float),
        spread=found[chosen.spread].astype(float),
        failed=kappa < grid_records.FAILED,
        reason=found["reason"].where(found[chosen.value].isna(), "").fillna("no value"),
    )
    return pd.concat([shown, found[_FACTS]], axis=1)


def schemes(table: pd.DataFrame) -> list[str]:
    """What the schemes of a grid are called, in its order."""
    return list(dict.fromkeys(table["name"].fillna(table["scheme"])))


def counted(found: pd.DataFrame) -> pd.DataFrame:
    """The cells that tell how well a scheme does: with a value, of thefts that have not failed.

    Args:
        found: from `cells`.
    """
    return found[found["value"].notna() & ~found["failed"]]


def by_hiding(found: pd.DataFrame) -> pd.DataFrame:
    """The mean share caught behind every way to hide, and of the same thefts unhidden; the best hidden first.

    Args:
        found: from `cells`.

    Returns:
        rows of hiding, value, plain and thefts (their number).
    """
    rows = counted(found)
    plain = rows[rows["hiding"] == PLAIN].set_index("theft")["value"]
    rows = rows[rows["hiding"] != PLAIN].assign(plain=rows["theft"].map(plain)).dropna(subset="plain")
    means = rows.groupby("hiding", sort=False).agg(
        value=("value", "mean"), plain=("plain", "mean"), thefts=("theft", "size")
    )
    return means.sort_values("value", kind="stable").reset_index()
