"""Two unnamed suspects under the same queries, one by one, as frames that the browser plays."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from qurd_core import findings
from qurd_core.plots.check.path import DASHES, context, ends, frame
from qurd_core.plots.drawing.labels import spread
from qurd_core.plots.drawing.notes import above
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, Style
from qurd_core.plots.drawing.traces import passed
from qurd_core.plots.play import player


@takes("views.check.checked.Checked.paths", "model side query evidence hits")
def figure(
    paths: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    sent: int = 1,
    bar: float | None = None,
    style: Style = PAGE,
) -> go.Figure:
    """The state after some queries, with a frame for every number of queries if some are left; below the two, all unrelated
    lineages.

    Args:
        names: suspects by what they are called here; their own names if not given.
        sent: queries that are sent before it is played.
        bar: the evidence above which a suspect is called closer.
    """
    shown = paths[paths["side"] != "hard"]
    suspects = shown.loc[shown["side"] == "suspect", "model"].unique().tolist()
    called = sorted((names or {name: name for name in suspects}).items(), key=lambda item: item[1])
    rows = {letter: shown[shown["model"] == name] for name, letter in called}
    queries = int(paths["query"].max())
    heights = ends(shown, bar)
    grey = context(shown, style)
    first = _state(rows, min(sent, queries), heights, style)
    layout = frame(shown, queries, heights, bar, style)
    layout["margin"] |= {"l": 4 * style.text}
    layout["yaxis"] |= {"title": {"text": "evidence (log<sub>10</sub> E)", "standoff": 4}}
    # What changes from frame to frame is the first annotation; the others come after it in every frame.
    notes = layout["annotations"][1:]
    layout["annotations"] = [first["said"], *notes]
    data = [*(trace.to_plotly_json() for trace in grey), *first["data"]]
    if sent >= queries:
        return go.Figure(data, layout)
    layout |= player(queries, sent, style)
    layout["margin"] |= {"b": 6 * style.text}
    frames = [
        {
            "name": str(number),
            "data": state["data"],
            "traces": [len(grey) + place for place in range(len(state["data"]))],
            "layout": {"annotations": [state["said"], *notes]},
        }
        for number in range(1, queries + 1)
        for state in [_state(rows, number, heights, style)]
    ]
    return go.Figure({"data": data, "layout": layout, "frames": frames}, skip_invalid=True)


def _state(rows: Mapping[str, pd.DataFrame], number: int, heights: tuple[float, float], style: Style) -> dict[str, Any]:
    """Lines, names and the running sentence after some queries."""
    ink = style.surface.ink
    lines, values = [], []
    for place, table in enumerate(rows.values()):
        ys = table["evidence"].round(3).tolist()[:number]
        look = {"color": ink, "width": style.line, "dash": DASHES[place]}
        lines.append(passed(x=list(range(1, number + 1)), y=ys, line=look).to_plotly_json())
        values.append(ys[-1])
    room = (heights[1] - heights[0]) * 1.5 * style.text / (0.65 * style.height)
    at = spread([value + room / 2 for value in values], [room] * len(values), *heights)
    last = max(len(table) for table in rows.values())
    side = "left" if number > 0.8 * last else "right"
    texts = [f"<b>{letter}</b>" for letter in rows]
    labels = {"x": [number] * len(at), "y": at, "text": texts, "textposition": f"middle {side}"}
    font = {"color": ink, "size": 1.1 * style.text}
    names = passed(mode="text", textfont=font, cliponaxis=False, **labels).to_plotly_json()
    hits = {letter: int(table["hits"].iloc[number - 1]) for letter, table in rows.items()}
    said = above(findings.check.duel.running(hits, number, last), style, ink=ink, size=1.15 * style.text)
    return {"data": [*lines, names], "said": said}
