"""What the map of combinations says."""

import math

import pandas as pd

from qurd_core import views
from qurd_core.findings.language import words
from qurd_core.findings.language.words import Measured
from qurd_core.schemes import REFERENCE


def headline(
    pick: views.heatmap.Pick,
    value: views.heatmap.Value | None,
    reference: views.heatmap.Value | None,
    at: int,
    withheld: str = "",
) -> str:
    """What the picked combination catches, and what that is against the reference.

    Args:
        withheld: why the suspect's answers do not allow it.
    """
    if withheld:
        return f"{pick.called} {withheld}"
    if value is None:
        return f"{pick.called} has not been measured yet"
    if math.isnan(value.value):
        return f"{pick.called} has no value at {words.counted(at, 'query')}"
    caught = f"{pick.called} catches {words.percent(value.value)}"
    if pick.label == REFERENCE or reference is None or math.isnan(reference.value):
        return f"{caught} of the stolen models with {words.counted(at, 'query')}"
    gap = round(100 * (value.value - reference.value))
    found = value.verdict or words.verdict(Measured(*value[:3]), Measured(*reference[:3]))
    if (found in ("not distinguished", "on par") and value.seeds > 1) or not gap:
        return f"{caught} at {words.counted(at, 'query')} and does not differ significantly from {REFERENCE}"
    few = ", on one query seed" if value.seeds == 1 else ""
    apart = f"{words.counted(abs(gap), 'point')} {'above' if gap > 0 else 'below'} {REFERENCE}"
    return f"{caught} at {words.counted(at, 'query')}, {apart}{few}"


def subline(found: pd.DataFrame, at: int, basis: str, more: int = 0) -> str:
    """What the map shows, and what its numbers rest on.

    Args:
        more: samplers of the same seed set that have no row.
    """
    known = found["value"].notna()
    shown, grey = words.counted(int(known.sum()), "combination"), int((known & (found["withheld"] != "")).sum())
    beyond = f" · grey: {grey} that the suspect’s answers do not allow" * bool(grey)
    other = f" · {words.counted(more, 'more sampler')} under Rows" * bool(more)
    return (
        f"TPR@5% of {shown} at {words.counted(at, 'query')}{beyond} · outlined: published · dot: no value, hover for why"
        f"{other} · {basis}"
    )


def alt(found: pd.DataFrame, pick: views.heatmap.Pick, at: int) -> str:
    """The map in one sentence, for those who do not see it."""
    measured = found[found["value"].notna() & (found["withheld"] == "")]
    if measured.empty:
        return f"A map of combinations at {at} queries. None has a value."
    best = measured.loc[measured["value"].idxmax()]
    size = f"{found['sampler'].nunique()} samplers by {found['head'].nunique()} representations with detectors"
    return (
        f"A map of {size}. The best"
        f" at {at} queries is {best['scheme']} with {words.percent(best['value'])}. Picked: {pick.label}."
    )
