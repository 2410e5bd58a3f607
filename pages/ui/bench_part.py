"""What a saved bench is a part of, said in the line under the headline."""

from typing import TYPE_CHECKING

from pages.ui import cached
from qurd_core.evaluation import evidence

if TYPE_CHECKING:
    from pandas import DataFrame


def of(bench: str, points: "DataFrame | None" = None) -> str:
    """The start of the line; empty for a whole benchmark.

    Args:
        points: from `cached.curves`, where the page shows rates: a bench knows fewer than the whole does.
    """
    base = evidence.base_of(bench)
    if bench == base:
        return ""
    return (
        f"Part of {base}{'' if points is None else _known(points, cached.curves(base, 'all', hard=False, rule='paper'))} · "
    )


def _known(points: "DataFrame", whole: "DataFrame") -> str:
    """How many combinations and budgets of the whole there are, if not all."""
    known, every = points["scheme"].nunique(), whole["scheme"].nunique()
    at, budgets = points["budget"].nunique(), whole["budget"].nunique()
    if (known, at) == (every, budgets):
        return ""
    return f": its named and best combinations, {known} of {every}, at {at} of {budgets} budgets"
