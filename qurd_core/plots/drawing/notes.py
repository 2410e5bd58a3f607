"""Notes and lines that several figures have."""

from typing import Any

from qurd_core.plots.drawing.theme import Style

_PAPER = {"xref": "paper", "yref": "paper", "showarrow": False}


def above(text: str, style: Style, x: float = 0, **place: object) -> dict[str, Any]:
    """A muted note over the upper edge of a figure, at its left end unless it is told otherwise."""
    edge = _PAPER | {"x": x, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    return edge | {"text": text, "font": {"color": style.surface.muted, "size": style.text}} | place


def centred(text: str, style: Style) -> dict[str, Any]:
    """A note in the middle of a figure, in place of what it cannot show."""
    return above(text, style, 0.5, xanchor="center", y=0.5, yanchor="middle")


def upright(x: float, style: Style, **place: object) -> dict[str, Any]:
    """A dashed line from the lower to the upper edge, behind what is drawn."""
    line = {"color": style.surface.muted, "width": style.line / 2, "dash": "4px,4px"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": line} | place
