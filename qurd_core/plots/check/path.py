"""How evidence of agreement grows, query after query: suspects above or below the paths of all unrelated lineages."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.labels import spread
from qurd_core.plots.drawing.notes import above, note
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, UNRELATED, UNRELATED_TEXT, Style
from qurd_core.plots.drawing.traces import hovered, passed

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")  # of the suspects: lines of ink that are told apart without colour
TITLE = "evidence (log<sub>10</sub> E), highest so far"


@takes("views.check.checked.Checked.paths", "model side query evidence hits")
def figure(paths: pd.DataFrame, *, queries: int = 0, bar: float | None = None, style: Style = PAGE) -> go.Figure:
    """Paths of all lineages in grey, hard unrelated models dotted, suspects in ink, and the bar that these must pass.

    Args:
        queries: to the right end of the axis; as many as were asked if not given.
        bar: the evidence above which a suspect is called closer.
    """
    last = max(queries, int(paths["query"].max()))
    low, high = ends(paths, bar)
    suspects = [rows for _, rows in paths[paths["side"] == "suspect"].groupby("model", sort=False)]
    lines = [line(rows, number, style) for number, rows in enumerate(suspects)]
    layout = frame(paths, last, (low, high), bar, style)
    layout["annotations"] = [*layout["annotations"], *_ends_named(suspects, last, (low, high), style)]
    return go.Figure([*context(paths, style), *lines], layout)


def context(paths: pd.DataFrame, style: Style) -> list[go.Scatter]:
    """The lines of unrelated and of hard unrelated models: one trace each, for many are slow."""
    looks = {
        "unrelated": {"color": style.colour(UNRELATED_TEXT), "width": 2 if style.stage else 1},
        "hard": {"color": style.colour(UNRELATED), "width": style.line / 1.5, "dash": "dot"},
    }
    found = []
    for side, look in looks.items():
        rows = paths[paths["side"] == side]
        parts = [pd.concat([one[["query", "evidence"]], _GAP]) for _, one in rows.groupby("model", sort=False)]
        if parts:
            table = pd.concat(parts)
            xs, ys = (table[name].to_numpy(float) for name in ("query", "evidence"))
            found.append(passed(x=xs, y=ys.round(3), line=look, opacity=0.55 if side == "unrelated" else 1, name=side))
    return found


_GAP = pd.DataFrame({"query": [np.nan], "evidence": [np.nan]})


def line(rows: pd.DataFrame, number: int, style: Style) -> go.Scatter:
    """The path of one suspect."""
    name = plain(readable(rows["model"].iloc[0]))
    return hovered(
        x=rows["query"].tolist(),
        y=rows["evidence"].round(3).tolist(),
        mode="lines",
        line={"color": style.surface.ink, "width": style.line, "dash": DASHES[number % len(DASHES)]},
        hovertext=[
            f"<b>{name}</b><br>log10 E {value:.1f} after {query}"
            for query, value in zip(rows["query"], rows["evidence"], strict=True)
        ],
        name=name,
    )


def ends(paths: pd.DataFrame, bar: float | None) -> tuple[float, float]:
    """The ends of the upright axis."""
    every = [*paths["evidence"], *([] if bar is None else [bar])]
    low, high = min(every), max(every)
    air = 0.08 * (high - low) or 1.0
    return low - air, high + air


def frame(paths: pd.DataFrame, last: int, heights: tuple[float, float], bar: float | None, style: Style) -> dict[str, Any]:
    """Axes, the bar, and what grey lines are."""
    lineages = paths.loc[paths["side"] == "unrelated", "model"].nunique()
    hard = paths.loc[paths["side"] == "hard", "model"].nunique()
    ticks = [1, *range(10, last + 1, 10)] if last >= 20 else list(range(1, last + 1))
    told = [f"thin: {words.counted(lineages, 'unrelated lineage')}"]
    told += [f"dotted: {words.counted(hard, 'hard unrelated model')}"] * bool(hard)
    notes = [above(" · ".join([TITLE, *told]), style)]
    return {
        "template": style.template,
        "height": style.height,
        "margin": {"l": 2.6 * style.text, "r": style.text, "t": 2.4 * style.text, "b": 3.6 * style.text},
        "xaxis": {"range": [0.5, last + 0.5], "tickvals": ticks, "title": {"text": "Queries sent", "standoff": 8}}
        | {"showline": True, "linecolor": style.surface.muted},
        "yaxis": {"range": list(heights), "nticks": 7},
        "shapes": [] if bar is None else [_bar(bar, style)],
        "annotations": notes if bar is None else [*notes, _bar_note(bar, last, style)],
    }


def _bar(bar: float, style: Style) -> dict[str, Any]:
    ink = {"color": style.surface.ink, "width": style.line / 1.5, "dash": "dot"}
    return {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": bar, "y1": bar, "line": ink}


def _bar_note(bar: float, last: int, style: Style) -> dict[str, Any]:
    """What the bar is, above its right end: a path that passes it has gone on rising by then."""
    place = {"xanchor": "right", "yanchor": "bottom"}
    return note("called closer above this bar", last + 0.5, bar, style, ink=style.surface.ink, **place)


def _ends_named(suspects: list[pd.DataFrame], last: int, heights: tuple[float, float], style: Style) -> list[dict[str, Any]]:
    """The name of every suspect above the end of its path."""
    values = [float(rows["evidence"].iloc[-1]) for rows in suspects]
    room = (heights[1] - heights[0]) * 2.2 * style.text / (0.7 * style.height)
    places = spread([value + room / 2 for value in values], [room] * len(values), *heights)
    found = []
    for rows, height in zip(suspects, places, strict=True):
        at, name = int(rows["query"].iloc[-1]), f"<b>{plain(readable(rows['model'].iloc[0]))}</b>"
        place = {"xanchor": "right" if at > last / 2 else "left", "bgcolor": style.surface.background}
        found.append(note(name, at, height, style, ink=style.surface.ink, **place))
    return found
