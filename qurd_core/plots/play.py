"""A scheme at work: queries sent one by one to a stolen and to an unrelated model, as frames that the browser plays.

Above, a strip of the latest queries with what truth, victim and both suspects say; below, how often each suspect disagrees
with the victim so far, against the threshold.
"""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from qurd_core import findings
from qurd_core.findings.language import words
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.labels import spread
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, STOLEN, UNRELATED, UNRELATED_TEXT, Style, faded

LANES = ("innocent", "stolen", "victim", "truth")  # from below
SIDES = {"stolen": STOLEN, "innocent": UNRELATED}
PACE = 200  # milliseconds per query

_STRIP, _CURVE, _SAID = [0.52, 1], [0, 0.38], 0.46  # shares of the height
_PICTURE = 4.2  # height of an image, in lanes


def tile(pixels: np.ndarray) -> str:
    """An image (32,32,3) uint8 as a picture's address that stays sharp at any size: browsers smooth what they enlarge."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "png")
    height, width = pixels.shape[:2]
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{b64encode(file.getvalue()).decode()}"/></svg>'
    )
    return f"data:image/svg+xml,{quote(picture, safe=' =:/+;,')}"


@takes(
    "views.play.Trial.rows",
    "query truth victim stolen innocent distance_stolen distance_innocent threshold",
)
def figure(rows: pd.DataFrame, pictures: Sequence[str], *, sent: int = 1, style: Style = PAGE) -> go.Figure:
    """The state after some queries, with a frame for every number of queries.

    Args:
        rows: from `evaluation.play.Trial.rows`, at least one.
        pictures: the query of each row, from `tile`.
        sent: how many queries have been sent before it is played.
    """
    reel = _Reel(rows, style)
    first = reel.frame(min(sent, len(rows)))
    return go.Figure(
        {
            "data": [one | other for one, other in zip(reel.traces(), first["data"], strict=True)],
            "layout": _layout(len(rows), pictures, style) | player(len(rows), sent, style),
            "frames": [reel.frame(number) for number in range(1, len(rows) + 1)],
        },
        skip_invalid=True,  # hundreds of frames of one form: checking them takes longer than drawing
    ).update_layout(first["layout"])


class _Reel:
    """What changes from query to query."""

    def __init__(self, rows: pd.DataFrame, style: Style) -> None:
        self.rows, self.style = rows, style
        self.wide = 9 if style.stage else 10  # queries that the strip shows
        curves = {name: rows[column].round(4).tolist() for name, column in _CURVES.items()}
        self.curves = {name: [None if value != value else value for value in values] for name, values in curves.items()}
        self.agree = {side: (rows[side] == rows["victim"]).to_numpy() for side in SIDES}
        self.tiles = [self._column(number) for number in range(len(rows))]

    def traces(self) -> list[dict[str, Any]]:
        """What stays the same of every trace."""
        style, ink = self.style, self.style.surface.ink
        every = {"x": self.rows["query"].tolist(), "type": "scatter", "mode": "lines"}
        dotted = {"color": style.surface.muted, "width": style.line * 0.7, "dash": "4px,4px"}
        hover = "%{fullData.name}: %{y:.0%} after %{x} queries<extra></extra>"
        lines = [every | {"name": "threshold", "line": dotted, "fill": "tozeroy", "fillcolor": faded(ink, 0.05)}]
        lines += [
            every
            | {
                "name": f"{findings.play.CALLED[side]} model",
                "line": {"color": style.colour(SIDES[side]), "width": style.line},
            }
            for side in reversed(SIDES)
        ]
        ends = {"type": "scatter", "mode": "text", "textposition": "middle right", "cliponaxis": False, "hoverinfo": "skip"}
        strip = {"xaxis": "x2", "yaxis": "y2", "hoverinfo": "skip"}
        # Text of bars is measured one by one, which takes most of a frame; text of its own is not.
        bars, answers = strip | {"type": "bar", "width": 0.94}, strip | {"type": "scatter", "mode": "text"}
        return [*(line | {"hovertemplate": hover} for line in lines), ends, bars, answers]

    def frame(self, number: int) -> dict[str, Any]:
        """What changes, after `number` queries."""
        columns = self.tiles[max(0, number - self.wide - 1) : number]
        x, base, text, colour, ink = ([value for column in columns for value in column[part]] for part in range(5))
        # Without its type a trace of a frame is taken for a scatter and loses what bars have.
        bars = {"type": "bar", "x": x, "y": [0.9] * len(x), "base": base, "marker": {"color": colour}}
        answers = {"x": x, "y": [low + 0.45 for low in base], "text": text}
        answers |= {"textfont": {"color": ink, "size": self.style.text}}
        curves = [{"y": values[:number]} for values in self.curves.values()]
        right = max(number, self.wide) + 0.5
        # Plotly moves to a range of a frame only later, by when the chart may be gone; to bounds it moves at once.
        latest = {"minallowed": right - self.wide, "maxallowed": right}
        return {
            "name": str(number),
            "data": [*curves, self._ends(number), bars, answers],
            "traces": list(range(len(curves) + 3)),
            "layout": {
                "xaxis2": latest,
                "shapes": [self._curtain(number, right)],
                "annotations": _notes(self.style, self._said(number)),
            },
        }

    def _column(self, row: int) -> tuple[list[Any], ...]:
        """The tiles under one query: x, base, text, colour and ink of each."""
        style, surface = self.style, self.style.surface
        looks = {"truth": (surface.panel, surface.muted), "victim": (surface.panel, surface.ink)}
        texts = {lane: plain(str(self.rows[lane].iloc[row])) for lane in LANES}
        for side, agree in self.agree.items():
            same = bool(agree[row])
            looks[side] = (style.colour(STOLEN), surface.background) if same else (style.colour(UNRELATED), surface.ink)
            texts[side] = f"{'✓' if same else '✗'} {texts[side]}"
        base = [place + 0.05 for place in range(len(LANES))]
        colours, inks = ([looks[lane][part] for lane in LANES] for part in (0, 1))
        return [row + 1] * len(LANES), base, [texts[lane] for lane in LANES], colours, inks

    def _ends(self, number: int) -> dict[str, Any]:
        """The name and value of every line at its end."""
        values = {name: curve[number - 1] for name, curve in self.curves.items() if curve[number - 1] is not None}
        places = spread([*values.values()], [0.14] * len(values), 0, 1)
        ink = {"threshold": self.style.surface.muted, "innocent": self.style.colour(UNRELATED_TEXT)}
        ink["stolen"] = self.style.colour(STOLEN)
        return {
            "x": [number] * len(values),
            "y": [round(place, 3) for place in places],
            "text": [
                f" <b>{findings.play.CALLED.get(name, name)}</b> {words.percent(value)}" for name, value in values.items()
            ],
            "textfont": {"color": [ink[name] for name in values], "size": self.style.text},
        }

    def _curtain(self, number: int, right: float) -> dict[str, Any]:
        """Hides the queries that have not been sent yet."""
        place = {"x0": number + 0.5, "x1": right, "xref": "x2", "y0": 0, "y1": 1, "yref": "y2 domain"}
        return place | {"type": "rect", "fillcolor": self.style.surface.background, "line": {"width": 0}, "layer": "above"}

    def _said(self, number: int) -> str:
        if number == len(self.rows):
            return findings.play.verdict(self.rows)
        same = {side: int(agree[:number].sum()) for side, agree in self.agree.items()}
        answers = ", ".join(f"{findings.play.CALLED[side]} model {count} of {number}" for side, count in same.items())
        return f"Query {number} of {len(self.rows)}. Same answer as the victim: {answers}."


_CURVES = {"threshold": "threshold", "innocent": "distance_innocent", "stolen": "distance_stolen"}


def _axis() -> dict[str, Any]:
    return {"showgrid": False, "zeroline": False, "showticklabels": False, "fixedrange": True}


def _notes(style: Style, said: str) -> list[dict[str, Any]]:
    """The running sentence, and what the upright axis counts."""
    place = {"x": 0, "xref": "paper", "xanchor": "left", "yref": "paper", "showarrow": False, "align": "left"}
    return [place | {"text": said, "y": _SAID, "yanchor": "middle", "font": {"size": style.text * 1.2}}]


def _layout(queries: int, pictures: Sequence[str], style: Style) -> dict[str, Any]:
    """Two pairs of axes, and the images, which the strip's axis moves."""
    muted, top = style.surface.muted, len(LANES) + _PICTURE
    lanes = {
        "tickvals": [place + 0.5 for place in range(len(LANES))],
        "ticktext": [f"<b>{findings.play.CALLED.get(lane, lane)}</b>" for lane in LANES],
    }
    image = {"xref": "x2", "yref": "y2", "y": top, "sizex": 0.94, "sizey": _PICTURE - 0.15, "sizing": "contain"}
    image |= {"xanchor": "center", "yanchor": "top", "layer": "above"}
    return {
        "template": style.template,
        "height": style.height,
        "margin": {"l": 6 * style.text, "r": 8 if style.stage else 36, "t": 8, "b": 6 * style.text},
        "bargap": 0,
        "barmode": "overlay",
        "xaxis": {"domain": [0, 0.87], "anchor": "y", "range": [0.5, queries + 0.5], "showline": True, "linecolor": muted}
        | {"tickvals": [1, *range(10, queries + 1, 10)], "title": {"text": "Queries sent", "standoff": 4}},
        "yaxis": {"domain": _CURVE, "range": [0, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%"}
        | {"title": {"text": "disagreement", "standoff": 6}},
        "xaxis2": _axis() | {"domain": [0, 1], "anchor": "y2", "range": [0, queries + 10]},  # frames bound what is seen
        "yaxis2": _axis() | {"domain": _STRIP, "anchor": "x2", "range": [0, top], "showticklabels": True} | lanes,
        "images": [image | {"source": picture, "x": number} for number, picture in enumerate(pictures, start=1)],
    }


def player(queries: int, sent: int, style: Style) -> dict[str, Any]:
    """Buttons and a slider: all that plays happens in the browser."""
    now = {"mode": "immediate", "transition": {"duration": 0}}
    pace = now | {"frame": {"duration": PACE, "redraw": True}, "fromcurrent": True}
    still = now | {"frame": {"duration": 0, "redraw": True}}
    every = [str(number) for number in range(1, queries + 1)]
    ahead, stops = every[sent:] or every, [name for name in every if name == "1" or int(name) % 10 == 0]
    buttons = {"▶ Play": [ahead, pace], "❚❚ Pause": [[None], still], "↺ Restart": [every, pace | {"fromcurrent": False}]}
    surface = style.surface
    below = {"y": 0, "yanchor": "top", "xanchor": "left", "pad": {"t": 3.1 * style.text, "l": 0}}
    look = {"bgcolor": surface.panel, "bordercolor": surface.border, "font": {"color": surface.ink, "size": style.text}}
    menu = {"type": "buttons", "direction": "left", "showactive": False, "x": 0} | below | look
    menu["buttons"] = [{"label": label, "method": "animate", "args": args} for label, args in buttons.items()]
    hidden = {"color": "rgba(0,0,0,0)", "size": 1}
    slider = {
        "x": 0.32,
        "len": 0.55,
        "active": sum(int(stop) <= sent for stop in stops) - 1,
        "currentvalue": {"visible": False},
    } | below
    slider |= {"ticklen": 0, "minorticklen": 0, "font": hidden, "bgcolor": surface.border, "bordercolor": surface.border}
    # A step for every query would be measured a hundred times in every frame.
    slider["steps"] = [{"label": name, "method": "animate", "args": [[name], still]} for name in stops]
    return {"updatemenus": [menu], "sliders": [slider]}
