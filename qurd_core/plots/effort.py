"""The thief's effort: how many queries to the victim bought which accuracy, and how many schemes notice."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import above
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, Style

GAP = 0.5  # between thefts of one effort and those of the next, in columns


@takes("views.effort.points", "victim suspect task accuracy queries caught of by missed_by")
def figure(table: pd.DataFrame, task: str = "all", style: Style = PAGE, *, others: pd.DataFrame | None = None) -> go.Figure:
    """Accuracy against queries to the victim, a column per theft, in order; colour: how many schemes catch it.

    Args:
        table: from `points`.
        task: the one that is drawn at full strength.
        others: from `others`, if there are any: hollow; those below stand at the lower edge.
    """
    known = table if others is None else pd.concat([table, others])[["queries", "task"]]
    efforts = sorted(known["queries"].unique())
    at = _columns(known, efforts)
    spots = np.array([at[key] for key in zip(table["queries"], table["task"], strict=True)])
    drawn = np.where((task == "all") | (table["task"] == task), 1.0, 0.18)
    dots = go.Scatter(
        x=spots + _aside(table),
        y=table["accuracy"],
        customdata=table["suspect"],
        hovertext=[_hover(row) for row in table.itertuples()],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers",
        marker={
            "size": style.marker,
            "color": table["caught"],
            "colorscale": style.scale,
            "cmin": 0,
            "cmax": max(int(table["of"].max()), 1),
            "opacity": drawn,
            "line": {"width": 1.2, "color": style.surface.ink},
            "colorbar": _bar(table, style),
        },
        name="stolen models",
    )
    further = [] if others is None or others.empty else [_further(others, table, at, task, style)]
    return go.Figure([dots, *further], _layout(table, at, efforts, task, style) | {"template": style.template})


def _further(others: pd.DataFrame, table: pd.DataFrame, at: dict, task: str, style: Style) -> go.Scatter:
    """Thefts of which only means are known."""
    low, _ = _range(table)
    return go.Scatter(
        x=[at[key] for key in zip(others["queries"], others["task"], strict=True)],
        y=others["accuracy"].clip(lower=low),
        hovertext=[_hover_of_several(row) for row in others.itertuples()],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers",
        marker={
            "size": style.marker,
            "symbol": [
                "x-thin" if failed else "triangle-down-open" if below else "diamond-open"
                for failed, below in zip(others["failed"], others["below"], strict=True)
            ],
            "color": style.surface.ink,
            "opacity": np.where((task == "all") | (others["task"] == task), 1.0, 0.18),
            "line": {"width": 2, "color": style.surface.ink},
        },
        cliponaxis=False,
        name="means of other thefts",
    )


def _columns(table: pd.DataFrame, efforts: list[int]) -> dict[tuple[int, str], float]:
    """Where the thefts of one effort and task stand: side by side, with a gap before those of the next effort."""
    found, place = {}, 0.0
    for effort in efforts:
        for task in dict.fromkeys(table.loc[table["queries"] == effort, "task"]):
            found[effort, task] = place
            place += 1
        place += GAP
    return found


def _aside(table: pd.DataFrame) -> np.ndarray:
    """A small step to the side by victim, so that equal thefts do not cover each other."""
    victim = pd.factorize(table["victim"])[0]
    return 0.5 * (victim / max(victim.max(), 1) - 0.5) if len(victim) else victim.astype(float)


def _hover(row: tuple) -> str:
    by = f"caught by {row.by}" if row.by else "caught by no named scheme"
    missed = f"<br>missed by {row.missed_by}" if row.missed_by else ""
    return (
        f"<b>{plain(readable(row.suspect))}</b><br>{plain(row.suspect)}<br>accuracy {words.percent(row.accuracy)}, "
        f"{words.counted(int(row.queries), 'query')} to the victim<br>{by}{missed}"
    )


def _hover_of_several(row: tuple) -> str:
    caught = "a failed theft: it agrees hardly more than by chance" if row.failed else f"share caught: {plain(row.shares)}"
    return (
        f"<b>{plain(words.task(row.task))}</b><br>means of {words.counted(int(row.models), 'model')}: accuracy "
        f"{words.percent(row.accuracy)}, agreement beyond chance {row.kappa:.2f}<br>"
        f"{words.counted(int(row.queries), 'query')} to the victim<br>{caught}"
    )


def _range(table: pd.DataFrame) -> tuple[float, float]:
    low, high = table["accuracy"].min(), table["accuracy"].max()
    room = (high - low) * 0.08
    return low - room, high + room


def _bar(table: pd.DataFrame, style: Style) -> dict[str, Any]:
    most = int(table["of"].max())
    return {
        "title": {"text": "Caught by", "side": "top", "font": {"color": style.surface.muted, "size": style.text}},
        "tickvals": [0, most],
        "ticktext": ["none", f"all {most}"],
        "thickness": style.text,
        "len": 0.55,
        "outlinewidth": 1,
        "outlinecolor": style.surface.border,
        "x": 1.01,
    }


def _layout(table: pd.DataFrame, at: dict, efforts: list[int], task: str, style: Style) -> dict[str, Any]:
    # Names stand above their column, at an angle that keeps them apart.
    heads = [
        above(plain(words.task(name)), style, place, xref="x", textangle=-35)
        | {"font": {"size": style.text, "color": style.surface.ink if task in ("all", name) else style.surface.muted}}
        for (_, name), place in at.items()
    ]
    return {
        "height": style.height,
        "margin": {"l": 4 * style.text, "r": 9 * style.text, "t": 11 * style.text, "b": 4 * style.text},
        "xaxis": {
            "range": [-0.6, max(at.values()) + 1.6],  # names of the last columns lean to the right
            "tickvals": [np.mean([place for (asked, _), place in at.items() if asked == effort]) for effort in efforts],
            "ticktext": [f"{effort:,}".replace(",", " ") if effort else "0" for effort in efforts],
            "title": {"text": "Queries that the thief sent to the victim (in order, not to scale)", "standoff": 8},
            "showline": True,
            "linecolor": style.surface.muted,
        },
        "yaxis": {"range": [*_range(table)], "tickformat": ".0%", "ticklabelstandoff": 6},
        "annotations": [above("Accuracy", style, xanchor="right"), *heads],
    }
