"""Figure 2: what a published scheme gains with another sampler, its representation and detector unchanged."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from qurd_core.plots import words
from qurd_core.plots.budget import BASELINES, TOP
from qurd_core.plots.theme import ALWAYS_WHOLE, OTHERS, SCHEMES, Style, faded, plain
from qurd_core.plots.words import Measured

TALLEST = 22  # samplers that are drawn; the best ones


def choices(rows: pd.DataFrame) -> list[str]:
    """The schemes whose sampler can be swapped: the named ones with a value, the published ones first."""
    names = [name for name in SCHEMES if name not in BASELINES[1:]]
    found = rows.loc[rows["value"].notna(), "label"]
    return sorted(found[found.isin(names)], key=lambda name: (name in BASELINES, names.index(name)))


def swaps(rows: pd.DataFrame, schemes: pd.DataFrame, name: str) -> pd.DataFrame:
    """All samplers before the representation and detector of a scheme, best first.

    Args:
        rows: from `leaderboard.board`.
        schemes: from `records.schemes`.

    Returns:
        rows of label, sampler, value, spread, seeds, gain (to the scheme as published), told (its verdict; None for the
        scheme itself) and reason; those without a value last.
    """
    known = schemes.set_index("scheme")[["sampler", "head"]]
    table = rows.join(known, on="scheme")
    own = table[table["label"] == name].iloc[0]
    table = table[table["head"] == own["head"]]
    other = Measured(own["value"], own["spread"], own["seeds"])
    told = [
        None
        if row.label == name or math.isnan(row.value)
        else words.verdict(Measured(row.value, row.spread, row.seeds), other)
        for row in table[["label", "value", "spread", "seeds"]].itertuples()
    ]
    table = table.assign(gain=table["value"] - own["value"], told=pd.Series(told, table.index, object))
    kept = table[["label", "sampler", "value", "spread", "seeds", "gain", "told", "reason"]]
    return kept.sort_values(["value", "sampler"], ascending=[False, True], na_position="last").reset_index(drop=True)


def headline(table: pd.DataFrame, name: str, where: str) -> str:
    """What the best other sampler brings."""
    others = table[(table["label"] != name) & table["value"].notna()]
    if others.empty:
        return f"No other sampler has a value for {name} {where}"
    best = others.iloc[0]
    if best["told"] == "ahead":
        return f"{best['sampler']} gains {name} {words.points(best['gain']).lstrip('+')} {where}"
    if len(others) == 1:
        return f"The one other sampler brings {name} no more {where}"
    return f"None of {len(others)} other samplers brings {name} more {where}"


def missing(table: pd.DataFrame) -> dict[str, str]:
    """The samplers without a value, with the reason."""
    empty = table[table["value"].isna()]
    return dict(zip(empty["sampler"], empty["reason"].fillna("no value at this budget"), strict=True))


def alt(table: pd.DataFrame, name: str) -> str:
    """The chart in one sentence."""
    said = ", ".join(
        f"{row.sampler} {words.percent(row.value)}" for row in table.dropna(subset="value").head(5).itertuples()
    )
    return f"TPR at 5% false alarms of {name} with {len(table)} samplers, best first: {said}."


def figure(table: pd.DataFrame, name: str, *, pins: Sequence[str] = (), style: Style) -> go.Figure:
    """A line per sampler, from the published value to its own; full marks where the two can be told apart.

    Args:
        table: from `swaps`.
        name: of the scheme.
        pins: labels that are drawn larger.
    """
    drawn = _drawn(table, name)
    colour, symbol, _ = style.mark(name)
    published = drawn.loc[drawn["label"] == name, "value"].iloc[0]
    places = list(range(len(drawn)))
    inks = [colour if row.label == name or row.told == "ahead" else style.colour(OTHERS) for row in drawn.itertuples()]
    hollow = style.surface.background  # not `circle-open`: the stick would show through
    fills = [hollow if told == "not distinguished" else ink for told, ink in zip(drawn["told"], inks, strict=True)]
    sticks = go.Scatter(
        x=[x for value in drawn["value"] for x in (published, value, None)],
        y=[y for place in places for y in (place, place, None)],
        mode="lines",
        line={"color": faded(style.surface.muted, 0.5), "width": style.line},
        hoverinfo="skip",
        name="from the published sampler",
    )
    dots = go.Scatter(
        x=drawn["value"].round(4),
        y=places,
        customdata=drawn["label"],
        hovertext=[_hover(row, name) for row in drawn.itertuples()],
        hovertemplate="%{hovertext}<extra></extra>",
        text=[_beside(row, name) for row in drawn.itertuples()],
        textposition=["middle left" if row.value < published else "middle right" for row in drawn.itertuples()],
        textfont={"color": style.surface.ink, "size": style.text * 0.95},
        cliponaxis=False,
        mode="markers+text",
        marker={
            "size": [style.marker * (1.55 if label == name or label in pins else 1.15) for label in drawn["label"]],
            "symbol": [symbol if label == name else "circle" for label in drawn["label"]],
            "color": fills,
            "opacity": 1,
            "line": {"width": 2, "color": inks},
        },
        name="samplers",
        **ALWAYS_WHOLE,
    )
    return go.Figure([sticks, dots], _layout(drawn, {name, *pins}, name, published, style) | {"template": style.template})


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
        return f" <b>{words.percent(row.value)}</b> "
    number = words.points(row.gain).removesuffix(" points")
    return f" ≈ {number} " if row.told == "not distinguished" else f" {number} "


def _hover(row: Any, name: str) -> str:
    value = f"<b>{plain(row.sampler)}</b><br>{words.precise(row.value, row.spread)}"
    if row.label == name:
        return f"{value}<br>{plain(name)} as published"
    verdict = words.PHRASES[row.told][0]
    return f"{value}<br>{verdict} {plain(name)} as published ({words.points(row.gain)}), over query seeds"


def _layout(drawn: pd.DataFrame, bold: set[str], name: str, published: float, style: Style) -> dict[str, Any]:
    longest = max(len(_tick(row, name)) for row in drawn.itertuples())
    muted = {"color": style.surface.muted, "size": style.text}
    texts = [f"<b>{_tick(row, name)}</b>" if row.label in bold else _tick(row, name) for row in drawn.itertuples()]
    line = {"color": style.mark(name)[0], "width": style.line / 2, "dash": "4px,4px"}
    over = {"x": published, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}
    return {
        "height": style.height,
        "margin": {
            "l": style.text * (2 + 0.53 * longest),
            "r": 5 * style.text,
            "t": 2.2 * style.text,
            "b": 3.6 * style.text,
        },
        "xaxis": {
            "range": [drawn["value"].min() - 0.13, TOP],
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
        "shapes": [
            {
                "type": "line",
                "x0": published,
                "x1": published,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "layer": "below",
                "line": line,
            }
        ],
        "annotations": [{"text": f"<b>{plain(name)}</b> as published", "font": muted | {"color": line["color"]}} | over],
    }
