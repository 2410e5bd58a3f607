"""Table 2 of one benchmark: what was stolen in which way, and how it was hidden; and what thieves paid for what they got."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.findings.language import words
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import box
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, STOLEN, Style, faded
from qurd_core.plots.drawing.traces import hovered

STEALING = (
    "model leak",
    "probit extraction",
    "label extraction",
    "… few images",
    "… victim's images",
    "… other photographs",
    "adversarial label extraction",
)
HIDING = ("nothing", "quantization", "fine-<br>tuning", "transfer", "pruning", "changed<br>inputs", "noisy<br>outputs")
CELLS = {  # task -> place in the grid
    "same": (0, 0),
    "quantize": (0, 1),
    "finetune": (0, 2),
    "transfer": (0, 3),
    "prune": (0, 4),
    "probit_extraction": (1, 0),
    "label_extraction": (2, 0),
    "labelfew": (3, 0),
    "labeltrain": (4, 0),
    "labelood": (5, 0),
    "adv_label_extraction": (6, 0),
}


@takes("views.contents.tasks", "task stolen victims unrelated lineages")
def figure(counts: pd.DataFrame, task: str = "all", style: Style = PAGE) -> go.Figure:
    """Stealing x obfuscation: a tile with its pair count per task, an outline where no task is.

    Args:
        counts: from `contents.tasks`.
        task: the chosen one, with a frame.
    """
    single = counts[counts["task"] != "all"].reset_index(drop=True)
    rows = list(STEALING) + [str(name) for name in single["task"] if name not in CELLS]
    places = [CELLS.get(name, (rows.index(name) if name in rows else 0, 0)) for name in single["task"]]
    most = max(single["stolen"].max(), 1)
    fills = {place: 0.12 + 0.3 * number / most for place, number in zip(places, single["stolen"], strict=True)}
    chosen = {place for place, name in zip(places, single["task"], strict=True) if name == task}
    every = [(row, column) for row in range(len(rows)) for column in range(len(HIDING))]
    shapes = [_tile(place, fills.get(place), place in chosen, style) for place in every]
    texts = [_inside(place, row, style) for place, row in zip(places, single.itertuples(), strict=True)]
    shapes.sort(key=lambda shape: shape["line"]["width"])  # the chosen frame is drawn last
    layout = _layout(rows, style) | {"shapes": shapes, "annotations": [*texts, *_heads(style)]}
    return go.Figure([_clickable(single, places, style)], layout | {"template": style.template})


def _tile(place: tuple[int, int], fill: float | None, chosen: bool, style: Style) -> dict[str, Any]:
    row, column = place
    empty = {"color": style.surface.border, "width": style.line / 2, "dash": "dot"}
    full = {"color": style.colour(STOLEN) if not chosen else style.surface.ink, "width": style.line if chosen else 1}
    look = {"fillcolor": faded(style.colour(STOLEN), fill) if fill else "rgba(0,0,0,0)", "line": full if fill else empty}
    return box(column - 0.46, column + 0.46, row - 0.43, row + 0.43, layer="below", **look)


def _inside(place: tuple[int, int], row: tuple, style: Style) -> dict[str, Any]:
    what = f"<b>{row.stolen}</b> stolen"
    per = f"<br><span style='font-size:{style.text * 0.85:.0f}px'>{words.counted(row.victims, 'victim')}</span>"
    return {"x": place[1], "y": place[0], "text": what + per, "showarrow": False, "font": {"color": style.surface.ink}}


def _heads(style: Style) -> list[dict[str, Any]]:
    """What rows and columns are."""
    head = {"showarrow": False, "font": {"color": style.surface.muted, "size": style.text}, "xref": "paper", "yref": "paper"}
    above = {"x": 0, "y": 1, "yshift": 3 * style.text} | head
    return [
        {"text": "hidden by …", "xanchor": "left", **above},
        {"text": "stolen by …", "xanchor": "right", "xshift": -8, **above},
    ]


def _clickable(single: pd.DataFrame, places: list[tuple[int, int]], style: Style) -> go.Scatter:
    """Tiles are shapes, which report no click: these markers do."""
    hover = [
        f"<b>{plain(words.task(row.task))}</b><br>"
        f"{words.counted(row.stolen, 'stolen model')} of {words.counted(row.victims, 'victim')}<br>"
        f"{words.false_alarms(row.unrelated, row.lineages, 'paper', row.task)}"
        for row in single.itertuples()
    ]
    size = 60 if style.stage else 44
    return hovered(
        x=[column for _, column in places],
        y=[row for row, _ in places],
        customdata=single["task"].tolist(),
        hovertext=hover,
        marker={"symbol": "square", "size": size, "color": style.colour(STOLEN), "opacity": np.zeros(len(places))},
        name="tasks",
    )


def _layout(rows: list[str], style: Style) -> dict[str, Any]:
    axis = {"showgrid": False, "tickangle": 0, "ticklabelstandoff": 4}
    axis |= {"tickfont": {"color": style.surface.ink, "size": style.text * (1 if style.stage else 0.9)}}
    longest = max(map(len, rows))
    return {
        "height": style.height,
        "margin": {"l": style.text * (1 + 0.46 * longest), "t": 5.2 * style.text, "r": 8, "b": 8},
        "xaxis": axis
        | {"side": "top", "range": [-0.5, len(HIDING) - 0.5], "tickvals": list(range(len(HIDING))), "ticktext": HIDING},
        "yaxis": axis
        | {"range": [len(rows) - 0.5, -0.5], "tickvals": list(range(len(rows))), "ticktext": [plain(row) for row in rows]},
    }
