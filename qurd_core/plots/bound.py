"""Proposition 1 on real pairs: the lower bound of delta_C, and how far delta_C lies above it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.plots import words
from qurd_core.plots.separability import POINTER, Pick, hover
from qurd_core.plots.theme import STOLEN, UNRELATED, UNRELATED_TEXT, Paint, Style, faded

_EXACT = 1e-6  # what rounding may take from an inequality


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
}


class Summary(NamedTuple):
    """What the proposition says about some pairs.

    Attributes:
        pairs: all of them.
        broken: those whose delta_C lies below the bound; a proof says none.
        silent: those whose bound is 0 or less, which every distance satisfies.
        unrelated, silent_unrelated: the same of the unrelated pairs, whom the bound is meant for.
        slack: median of delta_C minus the bound, over the unrelated pairs, or over all where there is none.
    """

    pairs: int
    broken: int
    silent: int
    unrelated: int
    silent_unrelated: int
    slack: float


def summary(pairs: pd.DataFrame) -> Summary:
    """Count over rows of `evidence.pairs`."""
    silent, unrelated = pairs["bound"] <= 0, pairs["kind"] != "positive"
    meant = pairs[unrelated] if unrelated.any() else pairs
    return Summary(
        pairs=len(pairs),
        broken=int((pairs["delta_c"] < pairs["bound"] - _EXACT).sum()),
        silent=int(silent.sum()),
        unrelated=int(unrelated.sum()),
        silent_unrelated=int((silent & unrelated).sum()),
        slack=float(meant["slack"].median()),
    )


def headline(found: Summary, benchmark: str) -> str:
    """Whether the bound holds, and how often it says anything."""
    holds = "holds for every pair" if not found.broken else f"fails for {words.counted(found.broken, 'pair')}"
    if not found.unrelated:
        return f"Proposition 1 {holds} on {benchmark}"
    share = words.percent(found.silent_unrelated / found.unrelated)
    says = f"vacuous for {share} of unrelated pairs" if found.silent_unrelated else "non-trivial for every unrelated pair"
    return f"Proposition 1 {holds} on {benchmark}; the bound is {says}"


def subline(found: Summary) -> str:
    """What the slack is, and how many pairs the bound leaves open."""
    whose = "unrelated pairs" if found.unrelated else "stolen pairs"
    return (
        "The slack, δ_C minus the bound, is exactly how often the suspect is wrong too where the victim is wrong: median "
        f"{found.slack:.2f} for {whose} · vacuous (at most 0) for {found.silent} of {found.pairs} pairs"
    )


def alt(pairs: pd.DataFrame) -> str:
    """The chart in words, for those who do not see it."""
    found = summary(pairs)
    return (
        f"A dot for each of {found.pairs} pairs: delta_C against the lower bound of Proposition 1. {found.broken} lie below "
        f"the diagonal. {found.silent} have a bound of 0 or less."
    )


def figure(pairs: pd.DataFrame, *, pick: Pick | None = None, style: Style | None = None) -> go.Figure:
    """delta_C against its bound, with the diagonal on which the bound would be exact.

    Args:
        pairs: rows of `evidence.pairs`.
        pick: the pair that is marked.
        style: mode and stage of the page.
    """
    style = style or Style()
    low = min(-0.1, float(pairs["bound"].min()) - 0.05) if len(pairs) else -1.0
    groups = [(kind, pairs[pairs["kind"] == kind]) for kind in KINDS]
    traces = [_dots(kind, rows, style) for kind, rows in groups if len(rows)]
    mine = pairs[[pick == (pair.victim, pair.suspect) for pair in pairs.itertuples()]]
    if len(mine):
        marker = {"size": style.marker * 1.6, "symbol": "circle-open", "color": style.surface.ink, "line": {"width": 3}}
        place = {"x": mine["bound"], "y": mine["delta_c"]}
        traces.append(go.Scatter(**place, mode="markers", marker=marker, hoverinfo="skip", name="picked"))
    muted = {"color": style.surface.muted, "size": style.text}
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
            {
                "text": "δ<sub>C</sub>",
                "x": 0,
                "xref": "paper",
                "xanchor": "right",
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
            }
            | {"font": muted, "showarrow": False},
            _note(low / 2, 1.02, "vacuous bound (at most 0)", style, yanchor="top"),
            _note(0.99, 0.5, "on the diagonal the<br>bound would be exact", style, xanchor="right", yanchor="top"),
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
    return go.Scatter(
        x=rows["bound"].to_numpy(float).round(4),
        y=rows["delta_c"].to_numpy(float).round(4),
        customdata=rows.assign(benchmark="")[["victim", "suspect", "benchmark"]].to_numpy(object),
        hovertext=np.array(texts, object),
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers",
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
    silent = {"type": "rect", "x0": low, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "line": {"width": 0}, "layer": "below"}
    line = {"color": style.surface.ink, "width": style.line / 1.5, "dash": "dot"}
    diagonal = {"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": line, "layer": "below"}
    return [silent | {"fillcolor": faded(style.surface.ink, 0.05)}, diagonal]


def _names(groups: Sequence[tuple[str, pd.DataFrame]], style: Style) -> list[dict[str, Any]]:
    """The kinds with their marks and numbers, below the diagonal where no pair can lie."""
    glyphs = {"circle": "●", "square": "■", "diamond-open": "◇"}
    present = [(KINDS[kind], len(rows)) for kind, rows in groups if len(rows)]
    return [
        _note(
            0.99,
            0.06 + 0.075 * (len(present) - 1 - place),
            f"{glyphs[kind.symbol]} <b>{kind.name}</b> · {words.counted(number, 'pair')}",
            style,
        )
        | {"xanchor": "right", "font": {"color": style.colour(kind.text), "size": style.text * 1.1}}
        for place, (kind, number) in enumerate(present)
    ]


def _note(x: float, y: float, text: str, style: Style, **place: str) -> dict[str, Any]:
    font = {"color": style.surface.muted, "size": style.text}
    return {"x": x, "y": y, "text": text, "font": font, "showarrow": False, "align": "left"} | place
