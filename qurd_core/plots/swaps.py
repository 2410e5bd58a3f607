"""Figure 2: what a published scheme gains with another sampler, its representation and detector unchanged."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core import findings, views
from qurd_core.findings.language import words
from qurd_core.findings.language.words import plain
from qurd_core.plots.budget import TOP
from qurd_core.plots.drawing.notes import above, upright
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import OTHERS, PAGE, SCHEMES, Style, faded
from qurd_core.plots.drawing.traces import ALWAYS_WHOLE, hovered, passed

TALLEST = 22  # samplers that are drawn; the best ones
_ROW = 18  # pixels of a row on a page


@takes("views.swaps.swaps", "label sampler value spread seeds gain gain_low gain_high verdict over")
def figure(table: pd.DataFrame, name: str, *, pins: Sequence[str] = (), style: Style = PAGE) -> go.Figure:
    """A line per sampler, from the published value to its own; full marks where the two can be told apart.

    A thin line is the interval of the gain over models, around the value.

    Args:
        table: from `swaps`.
        name: of the scheme.
        pins: labels that are drawn larger.
    """
    drawn = _drawn(table, name)
    colour, symbol, _ = style.mark(name)
    published = drawn.loc[drawn["label"] == name, "value"].iloc[0]
    places, together = list(range(len(drawn))), findings.swaps.together(int((table["over"] == views.swaps.MODELS).sum()))
    inks = [colour if row.label == name or row.verdict == "ahead" else style.colour(OTHERS) for row in drawn.itertuples()]
    hollow = style.surface.background  # not `circle-open`: the stick would show through
    fills = [hollow if told == "not distinguished" else ink for told, ink in zip(drawn["verdict"], inks, strict=True)]
    low, high = (published + drawn[end] for end in ("gain_low", "gain_high"))
    before = drawn["value"] < published
    sticks = passed(
        x=[x for value in drawn["value"] for x in (published, value, None)],
        y=[y for place in places for y in (place, place, None)],
        line={"color": faded(style.surface.muted, 0.5), "width": style.line},
        name="from the published sampler",
    )
    intervals = passed(
        x=[x for ends in zip(low, high, strict=True) for x in (*ends, None)],
        y=[y for place in places for y in (place, place, None)],
        line={"color": faded(style.surface.ink, 0.7), "width": style.line / 2},
        name="95 % over models",
    )
    dots = hovered(
        x=drawn["value"].round(4),
        y=places,
        customdata=drawn["label"],
        hovertext=[_hover(row, name, together) for row in drawn.itertuples()],
        cliponaxis=False,
        marker={
            "size": [style.marker * (1.55 if label == name or label in pins else 1.15) for label in drawn["label"]],
            "symbol": [symbol if label == name else "circle" for label in drawn["label"]],
            "color": fills,
            "opacity": 1,
            "line": {"width": 2, "color": inks},
        },
        name="samplers",
    )
    numbers = passed(
        x=np.where(before, np.fmin(low, drawn["value"]), np.fmax(high, drawn["value"])).round(4),
        y=places,
        text=[_beside(row, name) for row in drawn.itertuples()],
        textposition=np.where(before, "middle left", "middle right"),
        textfont={"color": style.surface.ink, "size": style.text * 0.95},
        cliponaxis=False,
        mode="text",
        name="gains",
        **ALWAYS_WHOLE,
    )
    layout = _layout(drawn, {name, *pins}, name, published, style) | {"template": style.template}
    return go.Figure([sticks, intervals, dots, numbers], layout)


def high(table: pd.DataFrame, name: str) -> float:
    """The least pixels of the chart that keep its rows apart on a page."""
    return _ROW * len(_drawn(table, name)) + 90


def _drawn(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """As many rows as fit, the published one among them."""
    table = table.dropna(subset="value").reset_index(drop=True)
    own = table[table["label"] == name]
    if len(table) <= TALLEST or own.index[0] < TALLEST:
        return table.head(TALLEST)
    return pd.concat([table.head(TALLEST - 1), own], ignore_index=True)


def _tick(row: Any, name: str) -> str:
    """The sampler, and the name of the scheme that it makes of this one, if it is another named one."""
    return plain(row.sampler) + (f" ({plain(row.label)})" if row.label in SCHEMES and row.label != name else "")


def _beside(row: Any, name: str) -> str:
    if row.label == name:
        return f"\u2003<b>{words.percent(row.value)}</b>\u2003"
    number = words.points(row.gain).removesuffix(" points")
    if _unmoved(row) and number != "0.0":
        return f"\u2003{number} ?\u2003"
    return f"\u2003≈ {number}\u2003" if row.verdict == "not distinguished" else f"\u2003{number}\u2003"


def _hover(row: Any, name: str, together: str) -> str:
    value = f"<b>{plain(row.sampler)}</b><br>{words.precise(row.value, row.spread)}"
    if row.label == name:
        return f"{value}<br>{plain(name)} as published"
    verdict = f"{value}<br>{words.PHRASES[row.verdict][0]} {plain(name)} as published: {words.points(row.gain)}"
    if row.over == views.swaps.SEEDS:
        return f"{verdict}, over {views.swaps.SEEDS} only: no interval over models is known"
    if _unmoved(row):
        return f"{verdict},<br>the same in every bootstrap resample: no interval"
    low, high = words.points(row.gain_low).removesuffix(" points"), words.points(row.gain_high)
    return f"{verdict},<br>95 % interval over models {low} to {high},<br>{together}"


def _unmoved(row: Any) -> bool:
    """Whether no draw of models changes a gain."""
    return row.over == views.swaps.MODELS and row.gain_low != row.gain_low


def _layout(drawn: pd.DataFrame, bold: set[str], name: str, published: float, style: Style) -> dict[str, Any]:
    longest = max(len(_tick(row, name)) for row in drawn.itertuples())
    texts = [f"<b>{_tick(row, name)}</b>" if row.label in bold else _tick(row, name) for row in drawn.itertuples()]
    least = float(np.nanmin([drawn["value"].min(), published, (published + drawn["gain_low"]).min()]))
    own = style.mark(name)[0]
    font = {"color": own, "size": style.text}
    head = above(f"<b>{plain(name)}</b> as published", style, published, xref="x", xanchor="auto", font=font)
    return {
        "height": style.height,
        "margin": {
            "l": style.text * (2 + 0.53 * longest),
            "r": 5 * style.text,
            "t": 2.2 * style.text,
            "b": 3.6 * style.text,
        },
        "xaxis": {
            "range": [least - 0.17, TOP],
            "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
            "tickformat": ".0%",
            "title": {"text": "Stolen models caught at 5% false alarms (TPR@5%)", "standoff": 8},
            "showgrid": True,
            "gridcolor": faded(style.surface.ink, 0.08),
        },
        "yaxis": {
            "range": [len(drawn) - 0.4, -0.6],
            "tickvals": list(range(len(drawn))),
            "ticktext": texts,
            "tickfont": {"color": style.surface.ink},
            "showgrid": False,
            "ticklabelstandoff": 6,
        },
        "shapes": [upright(published, style, line={"color": own, "width": style.line / 2, "dash": "4px,4px"})],
        "annotations": [head],
    }
