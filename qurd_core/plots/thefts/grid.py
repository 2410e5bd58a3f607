"""Thefts by what hides them: thefts as rows, ways to hide them as columns, the share caught as colour."""

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.findings.language import words
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import box, note
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, Style, heat, ink_on
from qurd_core.plots.drawing.traces import hovered, tiles
from qurd_core.records.grid_records import FAILED
from qurd_core.statistics.printed import fixed

LETTER = 0.47  # width of a letter, in parts of its size
SLANT = 42  # degrees of the names of columns
FAILURE, EMPTY = "✕", "·"


@takes(
    "views.thefts.grid.cells",
    "theft hiding value spread failed reason seeds n_models n_negatives accuracy kappa queries",
)
def figure(found: pd.DataFrame, style: Style = PAGE) -> go.Figure:
    """The heat table: a number in percent per cell, a cross where the theft has failed, a dot where there is no value."""
    thefts, hidings = list(found["theft"].unique()), list(found["hiding"].unique())
    rows, columns = found["theft"].map(thefts.index), found["hiding"].map(hidings.index)
    shares = np.full((len(thefts), len(hidings)), math.nan)
    shares[rows, columns] = found["value"].where(~found["failed"])
    cells = hovered(
        x=columns,
        y=rows,
        customdata=found["hiding"],
        text=[_text(row) for row in found.itertuples()],
        textfont={"color": [_ink(row, style) for row in found.itertuples()], "size": style.text},
        hovertext=[_hover(row) for row in found.itertuples()],
        mode="markers+text",
        marker={"symbol": "square", "size": 2 * style.text, "opacity": 0},
        name="cells",
    )
    layout = _layout(thefts, hidings, style)
    return go.Figure([tiles(shares, style, gap=2, hoverinfo="skip", name="shares caught"), cells], layout)


def least(found: pd.DataFrame) -> dict[str, float]:
    """The least pixels that keep the labels apart on a page: `wide` and `high`.

    Args:
        found: from `cells`.
    """
    style, thefts, hidings = Style(), list(found["theft"].unique()), list(found["hiding"].unique())
    margin = _margin(thefts, hidings, style)
    return {
        "wide": margin["l"] + margin["r"] + 2.6 * style.text * len(hidings),
        "high": margin["t"] + margin["b"] + 1.7 * style.text * len(thefts),
    }


def _text(row: Any) -> str:
    if row.failed:
        return FAILURE
    return EMPTY if math.isnan(row.value) else fixed(100 * row.value, 0)


def _ink(row: Any, style: Style) -> str:
    return style.surface.muted if row.failed or math.isnan(row.value) else ink_on(heat(style.mode, row.value))


def _hover(row: Any) -> str:
    title = f"<b>{plain(words.task(row.theft))}</b>, {plain(words.hiding(row.hiding))}"
    caught = plain(row.reason) if math.isnan(row.value) else f"{words.precise(row.value, row.spread)} caught"
    basis = ""
    if not pd.isna(row.n_models):
        models, unrelated = words.counted(int(row.n_models), "model"), words.counted(int(row.n_negatives), "unrelated model")
        basis = f"<br>{models} against {unrelated}, {words.counted(int(row.seeds), 'query seed')}"
    agree = f"kappa with the victim {row.kappa:.2f}" + f": below {FAILED}, a failed theft" * bool(row.failed)
    known = "" if math.isnan(row.kappa) else f"<br>accuracy {words.percent(row.accuracy)}, {agree}"
    return f"{title}<br>{caught}{basis}{known}<br>{words.counted(round(row.queries), 'query')} to the victim"


def _layout(thefts: list[str], hidings: list[str], style: Style) -> dict[str, Any]:
    axis = {"showgrid": False, "tickfont": {"size": style.text, "color": style.surface.ink}}
    title = "Stolen models caught at 5% false alarms, in %"
    return {
        "template": style.template,
        "height": style.height,
        "margin": _margin(thefts, hidings, style),
        # Without ranges the marks would widen the axes.
        "xaxis": axis
        | {"side": "top", "tickvals": list(range(len(hidings))), "ticktext": [plain(words.hiding(one)) for one in hidings]}
        | {"range": [-0.5, len(hidings) - 0.5], "tickangle": -SLANT},
        "yaxis": axis
        | {"tickvals": list(range(len(thefts))), "ticktext": [plain(words.task(one)) for one in thefts]}
        | {"range": [len(thefts) - 0.5, -0.5], "ticklabelstandoff": 6},
        "hoverdistance": -1,  # the nearest mark is that of the cell under the pointer
        "shapes": [_frame(thefts, style)],
        "annotations": [note(title, 0, 0, style, xref="paper", yref="paper", xanchor="left", yanchor="top", yshift=-6)],
    }


def _frame(thefts: list[str], style: Style) -> dict[str, Any]:
    """Around the column of what nothing hides, against which the others are read."""
    line = {"color": style.surface.muted, "width": style.line / 2}
    return box(-0.48, 0.48, -0.48, len(thefts) - 0.52, line=line, fillcolor="rgba(0,0,0,0)")


def _margin(thefts: list[str], hidings: list[str], style: Style) -> dict[str, float]:
    """Room for the names; those of columns lean to the right, beyond the last column."""
    letter = LETTER * style.text
    left = letter * max(len(words.task(one)) for one in thefts) + 14
    length = letter * max(len(words.hiding(one)) for one in hidings)
    slant = math.radians(SLANT)
    right = length * math.cos(slant) - 1.3 * style.text
    return {"l": left, "r": max(34.0, right), "t": length * math.sin(slant) + 1.6 * style.text, "b": 2 * style.text}
