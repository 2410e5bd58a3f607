"""What a budget is counted in: queries, distinct images among them, labelled images looked at, gradients of the victim."""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

Unit = Literal["queries", "distinct", "labelled", "gradients"]


class _Cost(NamedTuple):
    column: str
    title: str
    said: str


COSTS: dict[Unit, _Cost] = {
    "queries": _Cost("budget", "Queries sent to the suspect", "queries"),
    "distinct": _Cost("distinct", "Distinct images sent to the suspect", "distinct images"),
    "labelled": _Cost("samples", "Labelled images that must be looked at", "labelled images"),
    "gradients": _Cost("gradients", "Gradients of the victim's model", "gradients"),
}
TICKS = (10, 20, 50, 100, 200, 400)  # budgets that are marked
_LEFT, _RIGHT = 0.93, 1.0625  # of the smallest and of the largest value: room for whole markers
_APART = 0.03  # of the axis, between lines that cost nothing


def known(points: pd.DataFrame) -> list[Unit]:
    """The units that the points have a number for."""
    return [unit for unit, cost in COSTS.items() if points[cost.column].notna().any()]


def free(points: pd.DataFrame, unit: Unit) -> list[str]:
    """The combinations that need none of it at any budget."""
    if unit == "queries":
        return []
    most = points.groupby("label", observed=True)[COSTS[unit].column].max()
    return most.index[most == 0].tolist()


def placed(points: pd.DataFrame, unit: Unit, drawn: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Where the points lie on a log axis, and that axis.

    A log axis has no zero. What costs nothing stands to its left as an upright line, each drawn one in a place of its own,
    so that it is seen and not left out.

    Args:
        points: from `budget.curves`.
        drawn: the labels that have a line of their own.

    Returns:
        the points with `place`, and the properties of the x-axis.
    """
    cost = points[COSTS[unit].column].to_numpy(float)
    least, most = _ends(cost)
    nothing = [label for label in free(points, unit) if label in drawn]
    step = _APART * max(math.log10(most / least), 0.5)
    left = math.log10(least * _LEFT)
    slots = {label: left - step * (2 + number) for number, label in enumerate(reversed(nothing))}
    others = left - step * (2 + len(nothing))
    none = (cost[points["value"].notna()] == 0).any()
    if none:
        slot = points["label"].astype(object).map(slots).fillna(others).to_numpy(float)
        points = points.assign(place=np.where(cost == 0, 10**slot, cost))
    else:
        points = points.assign(place=cost)
    ticks = _ticks(least, most) if unit != "queries" else sorted(set(TICKS) & set(cost))
    texts = [f"{tick:,.0f}".replace(",", "\u2009") for tick in ticks]
    start = others - step if none else left
    if none:
        ticks, texts = [10 ** ((others + left - 2 * step) / 2), *ticks], [f"0<br>{COSTS[unit].said}", *texts]
    right = math.log10(most) + max(math.log10(_RIGHT), 0.012 * (math.log10(most) - start))
    axis = {"type": "log", "range": [start, right], "tickvals": ticks, "ticktext": texts, "tickangle": 0}
    return points, axis | {"title": {"text": COSTS[unit].title, "standoff": 8}}


def _ends(cost: np.ndarray) -> tuple[float, float]:
    positive = cost[cost > 0]
    return (float(positive.min()), float(positive.max())) if len(positive) else (1.0, 10.0)


def _ticks(least: float, most: float) -> list[float]:
    """1, 2, 5, 10, ... within the ends; powers of ten only where the ends are far apart."""
    steps = (1, 2, 5) if math.log10(most / least) < 2.5 else (1,)
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    return [step * 10.0**power for power in powers for step in steps if least <= step * 10.0**power <= most]
