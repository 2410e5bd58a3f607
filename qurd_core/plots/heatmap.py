"""Every combination at a glance: samplers as rows, representation and detector as columns, the share caught as colour."""

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from qurd_core import views
from qurd_core.findings.language import words, worth_words
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import box
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import GLYPHS, PAGE, SCHEMES, Style, heat, ink_on
from qurd_core.plots.drawing.traces import hovered, passed, tiles
from qurd_core.schemes import VARIANT

LONGEST = 26  # letters of a row's name in one line
LETTER = 0.47  # width of a letter, in parts of its size


@takes("views.heatmap.cells", "row column sampler head scheme name withheld value spread seeds reason live low high")
def figure(found: pd.DataFrame, pick: views.heatmap.Pick, *, pins: Sequence[str] = (), style: Style = PAGE) -> go.Figure:
    """The map: colour and number per cell, published ones outlined in the scheme's colour, the picked one dashed. What the
    suspect's answers do not allow has no colour, and its number is grey.

    Args:
        found: from `cells`.
        pins: labels of pinned combinations, which show their mark.
    """
    pins = tuple(pins)
    coloured = found.assign(value=found["value"].where(found["withheld"] == ""))
    grid = coloured.pivot(index="row", columns="column", values="value").to_numpy()
    colours = tiles(grid, style, hoverinfo="skip", name="shares caught")
    traces = [colours, *_numbers(found, pins, style), _targets(found)]
    return go.Figure(traces, _layout(found, pick, style) | {"template": style.template})


def least(found: pd.DataFrame) -> dict[str, float]:
    """The least pixels of the map that keep its labels apart on a page: `wide` and `high`.

    Args:
        found: from `cells`.
    """
    style = Style()
    margin, heads = _margin(found, style), found["head"].unique()
    longest = max(len(line) for head in heads for line in re.sub("</?b>", "", _head(head)).split("<br>"))
    column = LETTER * _small(style) * longest + 5
    return {
        "wide": margin["l"] + margin["r"] + column * len(heads),
        "high": margin["t"] + margin["b"] + 3.2 * _small(style) * found["row"].nunique(),
    }


def _numbers(found: pd.DataFrame, pins: tuple[str, ...], style: Style) -> list[go.Scatter]:
    """The texts of the cells, a trace per colour: Plotly fades what is not selected to one colour per trace."""
    inks = [
        style.surface.muted if math.isnan(value) or withheld else ink_on(heat(style.mode, value))
        for value, withheld in zip(found["value"], found["withheld"], strict=True)
    ]
    traces = []
    for ink, rows in found.groupby(inks, sort=True):
        always = {"textfont": {"color": ink}}
        traces.append(
            passed(
                x=rows["column"],
                y=rows["row"],
                text=[_text(row, pins, style) for row in rows.itertuples()],
                mode="text",
                textfont={"color": ink, "size": style.text * 0.93},
                name="numbers",
                selected=always,
                unselected=always,
            )
        )
    return traces


def _text(row: tuple, pins: tuple[str, ...], style: Style) -> str:
    if math.isnan(row.value):
        return f"<b>{_called(row.name)}</b><br>·" if row.name in SCHEMES else "·"
    label = row.name or row.scheme
    mark = f"{GLYPHS.get(style.mark(label, pins)[1], '●')} " if label in pins else ""
    number = f"{mark}{words.percent(row.value)}"
    if row.name in SCHEMES:
        return f"<span style='font-size:{style.text * 0.78:.1f}px'><b>{_called(row.name)}</b></span><br>{number}"
    return f"{number}<br><span style='font-size:{style.text * 0.72:.1f}px'>live {row.live}</span>" if row.live else number


def _called(name: str) -> str:
    """A name as it fits into a cell: of a variant what makes it one, because the colour tells the scheme."""
    return f"{VARIANT}{name.partition(VARIANT)[2]}" if VARIANT in name else name


def _targets(found: pd.DataFrame) -> go.Scatter:
    """Invisible marks that take the pointer, because heat maps do not report clicks. Every one does, drawn or not."""
    return hovered(
        x=found["column"],
        y=found["row"],
        customdata=found["scheme"],
        hovertext=[_hover(row) for row in found.itertuples()],
        marker={"opacity": 0, "maxdisplayed": 1},
        name="cells",
    )


def _hover(row: tuple) -> str:
    title = f"<b>{plain(row.name)}</b><br>{plain(row.scheme)}" if row.name else plain(row.scheme)
    title += f"<br>{plain(_sentence(row.withheld))}" if row.withheld else ""
    if math.isnan(row.value):
        return f"{title}<br>{plain(_sentence(row.reason or views.heatmap.NOWHERE))}"
    rest = f"live, {row.live} query seeds" if row.live else words.counted(row.seeds, "query seed")
    return f"{title}<br>{words.precise(row.value, row.spread)}, {rest}{worth_words.hovered(row.low, row.high)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _layout(found: pd.DataFrame, pick: views.heatmap.Pick, style: Style) -> dict[str, Any]:
    rows = found.drop_duplicates("row").set_index("row")["sampler"]
    heads = found.drop_duplicates("column").set_index("column")["head"]
    axis = {"showgrid": False, "tickfont": {"size": _small(style), "color": style.surface.ink}, "ticks": ""}
    return {
        "height": style.height,
        "margin": _margin(found, style),
        # Without ranges the marks would widen the axes. To the right there is room for the camera.
        "xaxis": axis
        | {
            "side": "top",
            "tickvals": list(heads.index),
            "ticktext": [*map(_head, heads)],
            "tickangle": 0,
            "ticklabelstandoff": 4,
        }
        | {"range": [-0.5, len(heads) - 0.5]},
        "yaxis": axis
        | {"tickvals": list(rows.index), "ticktext": [*map(_row, rows)], "range": [len(rows) - 0.5, -0.5]}
        | {"ticklabelstandoff": 4},
        "hoverdistance": -1,  # the nearest mark is that of the cell under the pointer
        "shapes": [*_outlines(found, style), *_dashes(found, pick, style)],
    }


def _small(style: Style) -> float:
    """Pixels of the text at the edges, which is more than that of other charts."""
    return style.text * (0.9 if style.stage else 0.8)


def _margin(found: pd.DataFrame, style: Style) -> dict[str, float]:
    lines = max(_head(head).count("<br>") for head in found["head"].unique()) + 1
    longest = max(len(line) for sampler in found["sampler"].unique() for line in _row(sampler).split("<br>"))
    return {"l": LETTER * _small(style) * longest + 10, "r": 34, "t": 1.3 * _small(style) * lines + 12, "b": 4}


def _outlines(found: pd.DataFrame, style: Style) -> list[dict[str, Any]]:
    named = found[found["name"].isin([*SCHEMES])]
    colours = [style.surface.border if row.withheld else style.mark(row.name)[0] for row in named.itertuples()]
    places = zip(named["row"], named["column"], colours, strict=True)
    return [_box(row, column, {"color": colour, "width": style.line}) for row, column, colour in places]


def _dashes(found: pd.DataFrame, pick: views.heatmap.Pick, style: Style) -> list[dict[str, Any]]:
    """Dashes in ink on a ground of their own, so that they show on any colour and around any outline."""
    picked = found[found["scheme"] == pick.scheme]
    lines = (
        {"color": style.surface.background, "width": style.line * 1.2},
        {"color": style.surface.ink, "width": style.line * 0.9, "dash": "5px,3px"},
    )
    return [_box(row.row, row.column, line, 0.495) for row in picked.itertuples() for line in lines]


def _box(row: int, column: int, line: dict[str, Any], half: float = 0.46) -> dict[str, Any]:
    return box(column - half, column + half, row - half * 0.96, row + half * 0.96, line=line)


def _head(head: str) -> str:
    """A head in short lines: representation, what it is made of, detector."""
    representation, _, detector = head.partition(" | ")
    name, _, options = representation.partition("(")
    lines = [f"<b>{line}</b>" for line in plain(name).split("_")]
    lines += [plain(options.rstrip(")"))] * bool(options) + plain(detector).split("_")
    return "<br>".join(lines)


def _row(sampler: str) -> str:
    """A sampler, in two lines if it is long."""
    seeds, arrow, craft = sampler.partition("->")
    return plain(sampler) if len(sampler) <= LONGEST or not arrow else f"{plain(seeds)}<br>{plain(arrow + craft)}"
