"""Proposition 1 on real pairs: the lower bound of delta_C, and how far delta_C lies above it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.findings.language import words
from qurd_core.plots.drawing.notes import above, box, note
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, STOLEN, SUSPECT, UNRELATED, UNRELATED_TEXT, Paint, Style, faded
from qurd_core.plots.drawing.traces import hovered, passed
from qurd_core.plots.separability import POINTER, hover
from qurd_core.views.separability import Pick


class Kind(NamedTuple):
    """How the pairs of one kind look."""

    name: str
    paint: Paint
    text: Paint
    symbol: str


KINDS = {
    "positive": Kind("Stolen", STOLEN, STOLEN, "circle"),
    "negative": Kind("Unrelated", UNRELATED, UNRELATED_TEXT, "square"),
    "hard": Kind("Hard unrelated", UNRELATED, UNRELATED_TEXT, "diamond-open"),
    "suspect": Kind("Suspect", SUSPECT, SUSPECT, "diamond"),
}


@takes("views.contents.counted", "victim suspect kind tasks bound delta_c slack accuracy_victim accuracy_suspect")
def figure(pairs: pd.DataFrame, *, pick: Pick | None = None, style: Style = PAGE) -> go.Figure:
    """delta_C against its bound, with the diagonal on which the bound would be exact.

    Args:
        pairs: rows of `evidence.pairs`.
        pick: the pair that is marked.
    """
    low = min(-0.1, float(pairs["bound"].min()) - 0.05)
    groups = [(kind, pairs[pairs["kind"] == kind]) for kind in KINDS]
    traces = [_dots(kind, rows, style) for kind, rows in groups if len(rows)]
    mine = pairs[[pick == (pair.victim, pair.suspect) for pair in pairs.itertuples()]]
    if len(mine):
        marker = {"size": style.marker * 1.6, "symbol": "circle-open", "color": style.surface.ink, "line": {"width": 3}}
        place = {"x": mine["bound"], "y": mine["delta_c"]}
        traces.append(passed(**place, mode="markers", marker=marker, name="picked"))
    below = {"yanchor": "top", "align": "left"}
    axis = {"showline": True, "linecolor": style.surface.muted}
    layout = {
        "template": style.template,
        "height": style.height,
        "margin": {"l": 3.5 * style.text, "r": style.text, "t": 2.2 * style.text, "b": 3.6 * style.text},
        "xaxis": axis
        | {"range": [low, 1.02], "title": {"text": "Lower bound of δ<sub>C</sub> by Proposition 1", "standoff": 8}},
        "yaxis": {"range": [-0.03, 1.04], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1]},
        "shapes": _shapes(low, style),
        "annotations": [
            above("δ<sub>C</sub>", style, xanchor="right"),
            note("vacuous bound (at most 0)", low / 2, 1.02, style, **below),
            note("on the diagonal the<br>bound would be exact", 0.99, 0.5, style, xanchor="right", **below),
            *_names(groups, style),
        ],
    }
    return go.Figure(traces, layout)


def _dots(kind: str, rows: pd.DataFrame, style: Style) -> go.Scatter:
    """The pairs of one kind."""
    look = KINDS[kind]
    colour = style.colour(look.paint)
    texts = [
        hover(pair, f"δ<sub>C</sub> {pair.delta_c:.3f} ≥ bound {pair.bound:.3f}, slack {pair.slack:.3f}")
        for pair in rows.itertuples()
    ]
    hollow = look.symbol.endswith("-open")
    return hovered(
        x=rows["bound"].to_numpy(float).round(4),
        y=rows["delta_c"].to_numpy(float).round(4),
        customdata=rows.assign(benchmark="")[["victim", "suspect", "benchmark"]].to_numpy(object),
        hovertext=np.array(texts, object),
        marker={
            "size": style.marker * 0.9,
            "symbol": look.symbol,
            "color": colour,
            "opacity": 0.75,
            "line": {"width": 2 if hollow else 0.5, "color": colour if hollow else style.surface.background},
        },
        selected={"marker": {"opacity": 0.75}},
        unselected={"marker": {"opacity": 0.75}},
        name=f"{POINTER} {kind}",
    )


def _shapes(low: float, style: Style) -> list[dict[str, Any]]:
    """Where the bound says nothing, and the diagonal."""
    silent = box(low, 0, 0, 1, yref="paper", line={"width": 0}, layer="below")
    line = {"color": style.surface.ink, "width": style.line / 1.5, "dash": "dot"}
    diagonal = {"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": line, "layer": "below"}
    return [silent | {"fillcolor": faded(style.surface.ink, 0.05)}, diagonal]


def _names(groups: Sequence[tuple[str, pd.DataFrame]], style: Style) -> list[dict[str, Any]]:
    """The kinds with their marks and numbers, below the diagonal where no pair can lie."""
    glyphs = {"circle": "●", "square": "■", "diamond-open": "◇", "diamond": "◆"}
    look = {"size": style.text * 1.1, "xanchor": "right", "align": "left"}
    present = [(KINDS[kind], len(rows)) for kind, rows in groups if len(rows)]
    return [
        note(
            f"{glyphs[kind.symbol]} <b>{kind.name}</b> · {words.counted(number, 'pair')}",
            0.99,
            0.06 + 0.075 * (len(present) - 1 - place),
            style,
            ink=style.colour(kind.text),
            **look,
        )
        for place, (kind, number) in enumerate(present)
    ]
