"""Traces of the kinds that several figures have."""

from typing import Any

import plotly.graph_objects as go

from qurd_core.plots.drawing.theme import Style

# Plotly fades what is not selected, but a click here is an event: what it changed is drawn by the next figure.
ALWAYS_WHOLE = {"selected": {"marker": {}}, "unselected": {"marker": {}}}
_HOVERED = {"mode": "markers", "hovertemplate": "%{hovertext}<extra></extra>"} | ALWAYS_WHOLE


def hovered(**trace: Any) -> go.Scatter:
    """Marks, if nothing else is said, that tell their `hovertext` and can be clicked."""
    return go.Scatter(**_HOVERED | trace)


def passed(**trace: Any) -> go.Scatter:
    """Lines, if nothing else is said, that the pointer passes over."""
    return go.Scatter(hoverinfo="skip", **{"mode": "lines"} | trace)


def tiles(shares: Any, style: Style, gap: int = 3, **trace: Any) -> go.Heatmap:
    """A map of shares, from 0 to 1 on every view if nothing else is said."""
    look = {"zmin": 0, "zmax": 1, "colorscale": style.scale, "showscale": False, "xgap": gap, "ygap": gap}
    return go.Heatmap(z=shares, **look | trace)
