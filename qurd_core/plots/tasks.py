"""Table 3: what the named schemes catch on every task, by the paper's rule and by the guaranteed one."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.findings.language import words, worth_words
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import box, note
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, Style, heat, ink_on
from qurd_core.plots.drawing.traces import hovered, tiles
from qurd_core.schemes import VARIANT
from qurd_core.statistics.metrics import RULES, Rule
from qurd_core.statistics.printed import fixed

LOWEST = 0.3  # of the heat scale; the same on every view
_APART = 0.25  # between schemes, in cells


@takes(
    "views.tasks.named",
    "task label tpr sd tpr_conformal sd_conformal low_paper high_paper low_guaranteed high_guaranteed reason n_negatives"
    " n_lineages",
)
def figure(table: pd.DataFrame, *, pins: Sequence[str] = (), style: Style = PAGE) -> go.Figure:
    """Tasks down, schemes across, each with both rules side by side; numbers in percent, the best of a task in bold.

    Args:
        table: from `named`.
        pins: labels whose columns are framed.
    """
    tasks, labels = list(table["task"].unique()), list(table["label"].unique())
    left = {label: place * (2 + _APART) for place, label in enumerate(labels)}
    top = {task: place + _APART * (place > 0 and tasks[0] == "all") for place, task in enumerate(tasks)}
    cells = [_cells(table, rule, offset, left, top, style) for offset, rule in enumerate(RULES)]
    layout = _layout(table, left, top, tuple(pins), style)
    return go.Figure([_heat(table, left, top, style), *cells], layout | {"template": style.template})


def _heat(table: pd.DataFrame, left: dict[str, float], top: dict[str, float], style: Style) -> go.Heatmap:
    """The colours, on a grid whose edges leave gaps between schemes."""
    z = np.full((len(top) + (_gap(top)), 3 * len(left)), math.nan)
    rows, columns = {task: place + (place > 0) * _gap(top) for place, task in enumerate(top)}, list(left)
    for cell in table.itertuples():
        column = 3 * columns.index(cell.label)
        z[rows[cell.task], column : column + 2] = cell.tpr, cell.tpr_conformal
    x = [edge for start in left.values() for edge in (start, start + 1, start + 2)]
    y = [edge for task, start in top.items() for edge in ([start, start + 1] if _gap(top) and task == "all" else [start])]
    edges = {"x": [*x, x[-1] + _APART], "y": [*y, max(top.values()) + 1]}
    return tiles(z, style, gap=2, zmin=LOWEST, **edges, hoverinfo="skip", name="colours")


def _gap(top: dict[str, float]) -> int:
    """1 where all tasks together stand apart from the rest."""
    return int("all" in top and len(top) > 1)


def _cells(
    table: pd.DataFrame, rule: Rule, offset: int, left: dict[str, float], top: dict[str, float], style: Style
) -> go.Scatter:
    """The numbers of one rule, over squares that cannot be seen but clicked: a heat map reports no clicks."""
    values = table[RULES[rule].value]
    best = values == values.groupby(table["task"]).transform("max")
    texts = [
        "–" if math.isnan(value) else f"<b>{fixed(100 * value, 0)}</b>" if first else fixed(100 * value, 0)
        for value, first in zip(values, best, strict=True)
    ]
    muted = style.surface.muted
    inks = [muted if math.isnan(v) else ink_on(heat(style.mode, (v - LOWEST) / (1 - LOWEST))) for v in values]
    return hovered(
        x=table["label"].map(left) + offset + 0.5,
        y=table["task"].map(top) + 0.5,
        customdata=table["label"],
        text=texts,
        textfont={"color": inks, "size": style.text},
        hovertext=[_hover(row, rule) for row in table.itertuples()],
        mode="markers+text",
        marker={"symbol": "square", "size": 2.2 * style.text, "opacity": 0},
        name=rule,
    )


def _hover(row: Any, rule: Rule) -> str:
    value, sd = getattr(row, RULES[rule].value), getattr(row, RULES[rule].spread)
    known = plain(str(row.reason or "no value")) if math.isnan(value) else words.precise(value, sd)
    known += worth_words.hovered(getattr(row, f"low_{rule}"), getattr(row, f"high_{rule}"))
    basis = words.false_alarms(row.n_negatives, row.n_lineages, RULES[rule].kind, row.task)
    return f"<b>{plain(row.label)}</b> on {plain(words.task(row.task))}, {rule} rule<br>{known}<br>{basis}"


def _layout(
    table: pd.DataFrame, left: dict[str, float], top: dict[str, float], pins: tuple[str, ...], style: Style
) -> dict[str, Any]:
    right, longest = max(left.values()) + 2 + _APART, max(len(words.task(task)) for task in top)
    once = table.drop_duplicates("task").set_index("task")
    counts = [f"{int(once['n_negatives'][task])} · {int(once['n_lineages'][task])}" for task in top]
    muted = {"color": style.surface.muted, "size": style.text}
    look = {label: {"ink": style.legible(style.mark(label)[0]), "size": style.text * 1.05} for label in left}
    heads = [
        note(
            f"<b>{plain(label).replace(VARIANT, f'<br>{VARIANT}')}</b>",
            start + 1,
            1,
            style,
            **look[label],
            yref="paper",
            yanchor="bottom",
            yshift=2,
        )
        for label, start in left.items()
    ]
    beside = {"x": 1, "xref": "paper", "xshift": 8, "xanchor": "left", "showarrow": False, "font": muted}
    numbers = [{"text": text, "y": start + 0.5} | beside for text, start in zip(counts, top.values(), strict=True)]
    lines = 1 + any(VARIANT in label for label in left)
    said = "Stolen models caught at 5% false alarms, in %: left: paper rule, right: guaranteed rule"
    title = {
        "text": said,
        "x": 0,
        "xshift": 0,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": (0.6 + 1.4 * lines) * style.text,
    }
    above = {"text": "unrelated<br>models · lineages", "y": 1, "yref": "paper", "yanchor": "bottom", "align": "left"}
    return {
        "height": style.height,
        "margin": {
            "l": style.text * (1 + 0.48 * longest),
            "r": 9 * style.text,
            "t": (3 + 1.4 * lines) * style.text,
            "b": style.text,
        },
        "xaxis": {
            "range": [0, right - _APART],
            "tickvals": [],
        },
        "yaxis": {
            "range": [max(top.values()) + 1, 0],
            "tickvals": [start + 0.5 for start in top.values()],
            "ticktext": [f"<b>{words.task(task)}</b>" if task == "all" else plain(words.task(task)) for task in top],
            "tickfont": {"color": style.surface.ink},
            "showgrid": False,
            "ticklabelstandoff": 6,
        },
        "shapes": [_frame(left[pin], max(top.values()) + 1, style) for pin in pins if pin in left],
        "annotations": [*heads, *numbers, beside | above, beside | title],
    }


def _frame(start: float, bottom: float, style: Style) -> dict[str, Any]:
    line = {"color": style.surface.ink, "width": style.line / 2}
    return box(start, start + 2, 0, bottom, line=line, fillcolor="rgba(0,0,0,0)")
