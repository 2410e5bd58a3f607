"""Notes and lines that several figures have."""

from typing import Any

from qurd_core.plots.drawing.theme import Style


def note(
    text: str, x: float | str, y: float | str, style: Style, *, ink: str = "", size: float = 0, **place: object
) -> dict[str, Any]:
    """A note at a place of the axes, muted and of the usual size unless it is told otherwise."""
    font = {"color": ink or style.surface.muted, "size": size or style.text}
    return {"text": text, "x": x, "y": y, "font": font, "showarrow": False} | place


def box(x0: float, x1: float, y0: float, y1: float, **look: object) -> dict[str, Any]:
    """A rectangle."""
    return {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1} | look


def above(text: str, style: Style, x: float = 0, **place: object) -> dict[str, Any]:
    """A muted note over the upper edge of a figure, at its left end unless it is told otherwise."""
    edge = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return note(text, x, 1, style, **edge | place)


def centred(text: str, style: Style) -> dict[str, Any]:
    """A note in the middle of a figure, in place of what it cannot show."""
    return note(text, 0.5, 0.5, style, xref="paper", yref="paper", xanchor="center", yanchor="middle")


def upright(x: float, style: Style, **place: object) -> dict[str, Any]:
    """A dashed line from the lower to the upper edge, behind what is drawn."""
    line = {"color": style.surface.muted, "width": style.line / 2, "dash": "4px,4px"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "layer": "below", "line": line} | place
