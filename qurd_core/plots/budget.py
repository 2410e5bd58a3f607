"""Figure 4: the share of stolen models that is caught against the number of queries."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core import findings, views
from qurd_core.findings.language import words, worth_words
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.labels import spread
from qurd_core.plots.drawing.notes import above, upright
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import OTHERS, PAGE, SCHEMES, Style, faded
from qurd_core.plots.drawing.traces import hovered, passed
from qurd_core.schemes import PAPER, REFERENCE
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.views.costs import COSTS, TICKS, Unit, free, placed

TOP = 1.04  # of the axis, so that markers at 100% are whole
_HOVERED = (
    "label value spread low high budget used seeds n_negatives n_lineages n_positives n_victims task"
    " distinct samples gradients"
)


@takes("views.budget.curves", _HOVERED)
def figure(
    points: pd.DataFrame,
    *,
    rule: Rule = "paper",
    at: int = 100,
    pins: Sequence[str] = (),
    group: str = PAPER,
    grey: bool = True,
    unit: Unit = "queries",
    style: Style = PAGE,
) -> go.Figure:
    """TPR against budget on a log axis: schemes of a group in colour, the reference with its band, other mixes in grey.

    Args:
        points: from `curves`.
        at: the budget that gets a vertical line.
        pins: labels that get a band, and leave the grey.
        group: the schemes that have a colour, one of `schemes.GROUPS`.
        grey: whether the other mixes are drawn.
        unit: what the budget is counted in.
    """
    pins = tuple(pins)
    points, axis = placed(points, unit, views.budget.shown(points, pins, group))
    drawn, nothing = views.budget.lines(points, pins, group), dict.fromkeys(free(points, unit), f"0 {COSTS[unit].said}")
    banded = [label for label in drawn if label == REFERENCE or label in pins][: 2 if style.stage else None]
    traces = [_context(points, views.budget.mixes(points, pins, group), rule, style)] if grey else []
    traces += [_band(drawn[label], style.mark(label, pins)[0]) for label in banded]
    traces += [
        _line(rows, rule, style, style.mark(label, pins), bold=label in pins and label in SCHEMES)
        for label, rows in reversed(drawn.items())
    ]
    layout = _layout(style, _end_labels(drawn, style, pins, nothing)) | {"template": style.template}
    layout["xaxis"] = axis | {"showline": True, "linecolor": style.surface.muted}
    notes = layout["annotations"]
    if unit == "queries":
        layout["shapes"] = [upright(at, style)]
        notes.append(above(f"{at} queries", style, math.log10(at), xref="x", xanchor="auto"))
    else:
        traces.append(_rings(points[points["label"].isin(list(drawn))], at, style))
        notes.append(above(f"○ at {at} queries", style, 1, xanchor="right"))
    return go.Figure(traces, layout)


def _context(points: pd.DataFrame, labels: list[str], rule: Rule, style: Style) -> go.Scatter:
    """All other mixes as one trace with gaps: a trace each would take several times as long to draw."""
    rows = points[points["label"].isin(labels) & points["budget"].isin(TICKS)]
    wide, places = (rows.pivot(index="label", columns="budget", values=name) for name in ("value", "place"))
    wide = wide.dropna(how="all")
    places = places.loc[wide.index]
    wide[math.nan] = places[math.nan] = math.nan
    names = np.repeat(wide.index.to_numpy(object), wide.shape[1])
    return hovered(
        x=places.to_numpy(float).ravel(),
        y=wide.to_numpy().ravel().round(4),
        customdata=names,
        hovertext=np.array([plain(name) for name in names], object),
        text=[f"{budget:g}" for budget in wide.columns] * len(wide),
        hovertemplate="%{hovertext}<br>%{y:.1%} at %{text} queries<br>"
        f"{findings.budget.basis(points, rule)}<extra></extra>",
        mode="lines+markers",
        line={"width": 1.5 if style.stage else 1, "color": faded(style.colour(OTHERS), 0.3)},
        # Lines alone cannot be clicked. These markers are for the pointer; few are drawn, which would take as
        # long as all the rest. Of two under the pointer Plotly takes the smaller: never one of these.
        marker={"size": style.marker + 1, "opacity": 0, "maxdisplayed": 1},
        name="other combinations",
    )


def _line(rows: pd.DataFrame, rule: Rule, style: Style, mark: tuple[str, str, str], *, bold: bool) -> go.Scatter:
    """One scheme: a line through every budget, with markers at the ticks."""
    colour, symbol, dash = mark
    recorded = rows.loc[rows["value"].notna(), "budget"]
    marked = rows["budget"].isin([*TICKS, recorded.min(), recorded.max()])
    hollow = symbol.endswith("-open")
    label = rows["label"].iloc[0]
    return hovered(
        x=rows["place"].to_numpy(float),
        y=rows["value"].to_numpy(float),
        customdata=[label] * len(rows),
        hovertext=[_hover(row, rule) for row in rows[_HOVERED.split()].itertuples()],
        mode="lines+markers",
        line={"width": style.line * (1.4 if bold else 1), "color": colour, "dash": dash},
        marker={
            "size": np.where(marked, style.marker, 0),
            "symbol": symbol,
            "color": colour,
            "opacity": 1,
            "line": {"width": 2 if hollow else 1, "color": colour if hollow else style.surface.background},
        },
        name=plain(label),
    )


def _rings(rows: pd.DataFrame, at: int, style: Style) -> go.Scatter:
    """Where every line is at the chosen budget, if that is no place on the axis."""
    found = rows[rows["budget"] == at]
    ring = {
        "symbol": "circle-open",
        "size": 1.9 * style.marker,
        "color": style.surface.ink,
        "line": {"width": style.line / 2},
    }
    return passed(x=found["place"].tolist(), y=found["value"].tolist(), mode="markers", marker=ring, name="rings")


def _band(rows: pd.DataFrame, colour: str) -> go.Scatter:
    """The interval over models where it is known, else plus and minus one standard deviation over query seeds."""
    if views.budget.bounded(rows):
        rows = rows.dropna(subset=["low"])
        upper, lower = rows["high"].tolist(), rows["low"].tolist()
    else:
        rows = rows.dropna(subset=["value", "spread"])
        upper, lower = ((rows["value"] + sign * rows["spread"]).clip(0, 1).tolist() for sign in (1, -1))
    places = rows["place"].tolist()
    return passed(
        x=places + places[::-1],
        y=upper + lower[::-1],
        line={"width": 0},
        fill="toself",
        fillcolor=faded(colour, 0.13),
        name="band",
    )


def _hover(row: tuple, rule: Rule) -> str:
    if math.isnan(row.value):
        return ""
    sent = "" if row.used == row.budget else f" ({row.used:g} sent)"
    return (
        f"<b>{plain(row.label)}</b>  {words.precise(row.value, row.spread)}{worth_words.hovered(row.low, row.high)}<br>"
        f"{row.budget} queries{sent}, {words.counted(row.seeds, 'query seed')}<br>"
        f"{words.false_alarms(row.n_negatives, row.n_lineages, RULES[rule].kind, row.task)}<br>"
        f"{words.counted(row.n_positives, 'stolen model')} of {words.counted(row.n_victims, 'victim')}<br>"
        f"{_costs(row)}"
    )


def _costs(row: tuple) -> str:
    if math.isnan(row.samples):
        return "other costs were not published"
    repeated = f"{words.counted(round(row.distinct), 'distinct image')}, " if row.distinct < row.used else ""
    spent = (
        f"{words.counted(round(row.samples), 'labelled image')}, {words.counted(round(row.gradients), 'victim gradient')}"
    )
    return repeated + spent


def _layout(style: Style, labels: list[dict[str, Any]]) -> dict[str, Any]:
    """The upright axis, and room for the labels."""
    longest = max((len(re.sub("<[^>]*>", "", line)) for label in labels for line in label["text"].split("<br>")), default=0)
    return {
        "height": style.height,
        "margin": _margin(style) | {"r": style.text * (1.5 + 0.53 * longest)},
        "yaxis": {"range": [0, TOP], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1], "tickformat": ".0%", "ticklabelstandoff": 6},
        "annotations": [above("TPR@5%", style, xanchor="right"), *labels],
    }


def _margin(style: Style) -> dict[str, float]:
    return {"l": 4 * style.text, "t": 2.6 * style.text, "b": 4 * style.text}


def _end_labels(
    drawn: dict[str, pd.DataFrame], style: Style, pins: tuple[str, ...], nothing: dict[str, str]
) -> list[dict[str, Any]]:
    """The name and last value of every line to its right, spread apart and kept inside the axis."""
    ends = views.budget.ends(drawn)
    last = max((int(row["budget"]) for row in ends.values()), default=0)
    texts = {label: _end_text(label, row, last, nothing.get(label, "")) for label, row in ends.items()}
    margin, size = _margin(style), style.text * 1.05
    # A little more than a line's height, because a page may draw the chart less high than it asks.
    line = 1.75 * size * TOP / (style.height - margin["t"] - margin["b"])
    heights = [line * (1 + text.count("<br>")) for text in texts.values()]
    centres = spread([row["value"] for row in ends.values()], heights, 0, TOP)
    place = {"x": 1, "xref": "paper", "xanchor": "left", "yanchor": "middle", "align": "left", "showarrow": False}
    return [
        {"text": text, "y": centre, "font": {"color": style.legible(style.mark(label, pins)[0]), "size": size}} | place
        for (label, text), centre in zip(texts.items(), centres, strict=True)
    ]


def _end_text(label: str, row: pd.Series, last: int, nothing: str) -> str:
    """`name 74%`; a mix takes two lines; a line that stops early says where, and one that costs nothing says so."""
    stops = f" at {row['budget']}" if row["budget"] < last else ""
    sampler, bar, rest = plain(label).partition(" | ")
    parts = [f"<b>{sampler}</b> {words.percent(row['value'])}{stops}", *[rest] * bool(bar), *[nothing] * bool(nothing)]
    return "<br>".join(parts)
