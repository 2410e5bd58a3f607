"""How close suspects are to a victim: a dot per unrelated lineage, hollow if it is hard, diamonds for suspects."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import folded, readable
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import box, note
from qurd_core.plots.drawing.swarm import swarm
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, UNRELATED, UNRELATED_TEXT, Style, faded
from qurd_core.plots.drawing.traces import hovered
from qurd_core.statistics.printed import fixed

LOW, HIGH = -2.3, 3.0  # ends of the upright axis: unrelated lineages lie at 0, hard unrelated ones below, suspects above
HARD, FIRST, STEP = -1.7, 1.3, 0.42  # heights of hard unrelated models, of the lowest suspect, and to the next one
ROOM = 1.0  # how far dots of lineages move up and down
WIDE = {False: 820, True: 1750}  # pixels of the plot about, on a page and on stage


@takes("views.check.checked.Checked.dots", "model side score of")
def figure(dots: pd.DataFrame, *, title: str = "Distance", threshold: float | None = None, style: Style = PAGE) -> go.Figure:
    """Distances along the level axis, small = close to the victim.

    Args:
        dots: a row per lineage, hard unrelated model and suspect.
        title: of the level axis.
        threshold: below it a suspect is called closer.
    """
    known = dots[dots["score"].notna()]
    sides = {side: known[known["side"] == side] for side in ("unrelated", "hard", "suspect")}
    low, high = _ends(known["score"], threshold)
    ink, grey = style.surface.ink, style.colour(UNRELATED)
    unrelated = {"size": style.marker, "color": grey, "line": {"width": 0.5, "color": style.surface.background}}
    hollow = {"size": style.marker, "symbol": "circle-open", "color": grey, "line": {"width": style.line / 2, "color": grey}}
    suspect = {"size": 1.5 * style.marker, "symbol": "diamond", "color": ink}
    heights = {
        "unrelated": _swarmed(sides["unrelated"]["score"], high - low, style),
        "hard": [HARD + aside for aside in _swarmed(sides["hard"]["score"], high - low, style)],
        "suspect": [FIRST + STEP * place for place in range(len(sides["suspect"]))],
    }
    looks = {"unrelated": unrelated, "hard": hollow, "suspect": suspect}
    traces = [
        hovered(
            x=rows["score"].to_numpy(float).round(5),
            y=heights[side],
            hovertext=[_hover(row) for row in rows.itertuples()],
            marker=looks[side],
            name=side,
        )
        for side, rows in sides.items()
        if len(rows)
    ]
    layout = {
        "template": style.template,
        "height": style.height,
        "margin": {"l": style.text, "r": style.text, "t": 2.2 * style.text, "b": 3.6 * style.text},
        "xaxis": {"range": [low, high], "title": {"text": title, "standoff": 8}, "nticks": 8}
        | {"showline": True, "linecolor": style.surface.muted},
        "yaxis": {"range": [LOW, HIGH], "visible": False},
        "shapes": _zone(threshold, low, style),
        "annotations": [*_names(sides, heights, (low, high), style), *_flagged(threshold, low, high, style)],
    }
    return go.Figure(traces, layout)


def _ends(scores: pd.Series, threshold: float | None) -> tuple[float, float]:
    """The ends of the level axis: all marks, the line, and a little air."""
    every = [*scores, *([] if threshold is None else [threshold])]
    low, high = (min(every), max(every)) if every else (0.0, 1.0)
    air = 0.06 * (high - low) or 0.05
    return low - air, high + air


def _swarmed(scores: pd.Series, span: float, style: Style) -> list[float]:
    """The heights at which dots of one row do not cover one another."""
    across, upright = WIDE[style.stage] / span, style.height * 0.8 / (HIGH - LOW)  # pixels of a unit
    sizes = np.full(len(scores), 1.15 * style.marker / across)
    return [aside * across / upright for aside in swarm(scores.tolist(), sizes, ROOM * upright / across)]


def _hover(row: tuple) -> str:
    """A model in three lines."""
    of = f", the closest of {row.of} models of its lineage" if row.of > 1 else ""
    kind = {"unrelated": "unrelated", "hard": "hard unrelated", "suspect": "suspect"}[row.side]
    return f"<b>{plain(readable(row.model))}</b><br>{plain(row.model)}<br>{kind}{of} · distance {fixed(row.score, 3)}"


def _zone(threshold: float | None, low: float, style: Style) -> list[dict]:
    """Where a suspect is called closer."""
    if threshold is None:
        return []
    shade = box(
        low, threshold, 0, 1, yref="paper", layer="below", line={"width": 0}, fillcolor=faded(style.surface.ink, 0.05)
    )
    line = {"type": "line", "x0": threshold, "x1": threshold, "y0": 0, "y1": 1, "yref": "paper"}
    return [shade, line | {"line": {"color": style.surface.ink, "width": style.line / 1.5, "dash": "dot"}}]


def _flagged(threshold: float | None, low: float, high: float, style: Style) -> list[dict]:
    """What the line says, above it."""
    if threshold is None:
        return []
    left = threshold - low < 0.5 * (high - low)
    place = {"yref": "paper", "yanchor": "bottom", "xanchor": "left" if left else "right"}
    return [note(f"called closer below {words.distance(threshold)}", threshold, 1, style, ink=style.surface.ink, **place)]


def _names(sides: dict[str, pd.DataFrame], heights: dict, ends: tuple[float, float], style: Style) -> list[dict]:
    """The name of every suspect beside its mark, and of other models at an end, or above them where none has room."""
    found = []
    for row, height in zip(sides["suspect"].itertuples(), heights["suspect"], strict=True):
        left = row.score < (ends[0] + ends[1]) / 2
        name = plain(folded(row.model)[-1] if style.stage else readable(row.model))
        place = {"xanchor": "left" if left else "right", "xshift": (1 if left else -1) * style.marker}
        found.append(note(f"<b>{name}</b>", row.score, height, style, ink=style.surface.ink, **place))
    texts = {
        "unrelated": f"● {words.counted(len(sides['unrelated']), 'unrelated lineage')}",
        "hard": f"○ {words.counted(len(sides['hard']), 'hard unrelated model')}",
    }
    for side, text in texts.items():
        scores = sides[side]["score"]
        if len(scores):
            room = {"right": ends[1] - scores.max(), "left": scores.min() - ends[0]}
            right, least = room["right"] > 0.3 * (ends[1] - ends[0]), 0.22 * (ends[1] - ends[0])
            place = {"xanchor": "left" if right else "right", "xshift": (1 if right else -1) * style.marker}
            at, height = scores.max() if right else scores.min(), 0 if side == "unrelated" else HARD
            if max(room.values()) < least:
                place = {"xanchor": "left", "xshift": -style.marker, "yanchor": "bottom", "yshift": style.marker}
                height = max(heights[side])
            found.append(note(text, at, height, style, ink=style.colour(UNRELATED_TEXT), **place))
    return found
