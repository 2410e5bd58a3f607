"""How far stolen and unrelated models are from the victim on average, against the number of queries."""

import math

import pandas as pd
import plotly.graph_objects as go

from qurd_core import views
from qurd_core.findings.language import words
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.labels import spread
from qurd_core.plots.drawing.notes import above, note, upright
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, STOLEN, UNRELATED, UNRELATED_TEXT, Style, faded
from qurd_core.views.costs import TICKS


@takes("views.budget.curves", "label budget mean_stolen mean_unrelated")
def figure(points: pd.DataFrame, label: str, *, at: int = 100, style: Style = PAGE) -> go.Figure:
    """Two lines, the gap between them shaded.

    Args:
        points: from `budget.curves`.
        label: whose distances.
        at: the budget that gets an upright line.
    """
    rows = views.budget.distance_rows(points, label)
    top = 1.15 * float(rows[[*views.budget.DISTANCES.values()]].max(axis=None))
    colours = {"stolen": style.colour(STOLEN), "unrelated": style.colour(UNRELATED_TEXT)}
    traces = [_line(rows, side, style, fill="tonexty" if side == "unrelated" else None) for side in views.budget.DISTANCES]
    ends = [float(rows[column].iloc[-1]) for column in views.budget.DISTANCES.values()]
    centres = spread(ends, [0.08 * top] * 2, 0, top)
    names = [
        note(f"<b>{side}</b> {words.distance(end)}", 1, centre, style, ink=colours[side], xref="paper", xanchor="left")
        for side, end, centre in zip(views.budget.DISTANCES, ends, centres, strict=True)
    ]
    short = label if len(label) <= 40 else f"{label[:39]}…"  # fits above half a page
    layout = {
        "template": style.template,
        "height": round(0.75 * style.height),
        "margin": {"l": 3.2 * style.text, "r": 8.2 * style.text, "t": 2.6 * style.text, "b": 4 * style.text},
        "xaxis": {"type": "log", "range": [math.log10(9.3), math.log10(425)], "tickvals": TICKS, "showline": True}
        | {"linecolor": style.surface.muted, "title": {"text": "Queries sent to the suspect", "standoff": 8}},
        "yaxis": {"range": [0, top], "nticks": 6, "ticklabelstandoff": 6},
        "shapes": [upright(at, style)],
        "annotations": [above(f"Mean distance, {plain(short)}", style), *names],
    }
    return go.Figure(traces, layout)


def _line(rows: pd.DataFrame, side: str, style: Style, fill: str | None) -> go.Scatter:
    colour = style.colour({"stolen": STOLEN, "unrelated": UNRELATED}[side])
    return go.Scatter(
        x=rows["budget"].tolist(),
        y=rows[views.budget.DISTANCES[side]].round(6).tolist(),
        mode="lines",
        line={"color": colour, "width": style.line},
        fill=fill,
        fillcolor=faded(style.surface.ink, 0.05),
        hovertext=[
            f"<b>{side} models</b>  {words.distance(row.mean_stolen if side == 'stolen' else row.mean_unrelated)}<br>"
            f"{row.budget} queries, gap {words.distance(row.mean_unrelated - row.mean_stolen)}"
            for row in rows.itertuples()
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        name=side,
    )
