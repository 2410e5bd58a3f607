"""What a figure takes: the columns that it needs and the function that makes such a table, declared once for each."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import cleandoc, signature
from typing import ParamSpec

import pandas as pd
import plotly.graph_objects as go

from qurd_core.errors import QurdError
from qurd_core.plots.drawing.notes import centred
from qurd_core.plots.drawing.theme import Style

Given = ParamSpec("Given")
Drawing = Callable[Given, go.Figure]
_WHAT = {pd.DataFrame: "a table", Mapping: "tables by benchmark", Sequence: "a list"}


def takes(made_by: str, columns: str, *, kind: type = pd.DataFrame, argument: str = "") -> Callable[[Drawing], Drawing]:
    """The decorator of a figure: what it needs is added to its docstring, and checked before anything is drawn.

    Where there is no row, the figure is empty and says so. A list of rows is as good as their table.

    Args:
        made_by: the function that makes it, after `qurd_core.`.
        columns: that each table has at least, with a space between; of other values, their attributes.
        kind: `DataFrame`, `Mapping` (of tables) or `Sequence` (of other values).
        argument: its name, if it is not the first.
    """
    needed = columns.split()
    wanted = f"{_WHAT[kind]} as qurd_core.{made_by} gives it, with {', '.join(needed)}"

    def declare(draw: Drawing) -> Drawing:
        parameters = signature(draw)
        name = argument or next(iter(parameters.parameters))

        @wraps(draw)
        def figure(*given: Given.args, **options: Given.kwargs) -> go.Figure:
            bound = parameters.bind(*given, **options)
            bound.apply_defaults()
            came = bound.arguments[name]
            if kind is pd.DataFrame and isinstance(came, list):  # of rows, as the paper's tables are
                came = bound.arguments[name] = pd.DataFrame(came)
            if not isinstance(came, kind):
                raise QurdError(f"Expected as '{name}' {wanted}. Got {came.__class__.__name__}.")
            parts = [came] if kind is pd.DataFrame else [*(came.values() if kind is Mapping else came)]
            lacking = [one for one in needed if any(one not in _names(part) for part in parts)]
            if lacking:
                raise QurdError(f"Expected as '{name}' {wanted}. Missing in what came: {', '.join(lacking)}.")
            if all(isinstance(part, pd.DataFrame) and part.empty for part in parts):
                return _nothing(bound.arguments["style"])
            return draw(*bound.args, **bound.kwargs)

        figure.__doc__ = f"{cleandoc(draw.__doc__ or '')}\n\nNeeds: `{name}`, {wanted}."
        return figure

    return declare


def _names(part: object) -> Sequence[str]:
    return list(part.columns) if isinstance(part, pd.DataFrame) else dir(part)


def _nothing(style: Style) -> go.Figure:
    note = centred("Nothing to draw: there is no row.", style)
    hidden = {"visible": False}
    return go.Figure(
        layout={"template": style.template, "height": style.height, "xaxis": hidden, "yaxis": hidden, "annotations": [note]}
    )
