"""The tiles of your benchmark: a square per pair, by task and victim."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from qurd_core import views
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import OTHERS, PAGE, STOLEN, UNRELATED, Style
from qurd_core.plots.drawing.traces import ALWAYS_WHOLE, hovered, passed
from qurd_core.views.designer import Pairs, keys

HEAD = -1.3  # line of the squares above the victims
GROUP, VICTIM, PAIR = "group", "victim", "pair"  # what a click can name


@takes("views.designer.tiles", "victim suspect kind group line left x")
def figure(rows: pd.DataFrame, out: Pairs, style: Style = PAGE) -> go.Figure:
    """All pairs as tiles: rows are groups, blocks are victims. Squares at the edges turn whole groups and victims.

    A click reports `[PAIR, victim, suspect]`, `[GROUP, name]` or `[VICTIM, name]`.

    Args:
        rows: from `tiles`.
        out: what is left out.
    """
    rows = views.designer.marked(rows, out)
    groups, victims, size = views.designer.counts(rows, "group"), views.designer.counts(rows, "victim"), _size(rows, style)
    # Filled and hollow tiles are traces of their own: a colour per tile takes longer to check than all the rest.
    parts = [(kind, gone, part) for (kind, gone), part in rows.groupby(["kind", "out"], sort=False)]
    traces = [_squares(part, kind, gone, size, style) for kind, gone, part in parts]
    at_group = [(-views.designer.GAP, count.line) for count in groups.values()]
    at_victim = [(count.left, HEAD) for count in victims.values()]
    heads = [_switches(GROUP, at_group, groups, style), _switches(VICTIM, at_victim, victims, style)]
    halves = _halves([*at_group, *at_victim], [*groups.values(), *victims.values()], style)
    return go.Figure([*traces, *heads, halves], _layout(rows, groups, victims, style) | {"template": style.template})


def _size(rows: pd.DataFrame, style: Style) -> float:
    """Pixels of a tile that fits both ways, on a page in a window of 1280 by 720 too."""
    across = (1400 if style.stage else 540) / (rows["x"].max() + views.designer.GAP)
    down = (0.8 if style.stage else 0.55) * style.height / (rows["line"].max() + 2)
    return max(0.8 * min(across, down), 5)


def _squares(part: pd.DataFrame, kind: str, gone: bool, size: float, style: Style) -> go.Scatter:
    colour = style.colour(STOLEN if kind == "positive" else UNRELATED)
    columns = (part[name].tolist() for name in ("suspect", "group", "victim"))
    return hovered(
        x=part["x"].to_numpy(),
        y=part["line"].to_numpy(),
        customdata=[[PAIR, victim, suspect] for victim, suspect in keys(part)],
        hovertext=[
            f"<b>{plain(readable(suspect))}</b><br>{plain(suspect)}<br>{plain(words.task(group))}, "
            f"victim {plain(readable(victim))}<br>{'out' if gone else 'in'}"
            for suspect, group, victim in zip(*columns, strict=True)
        ],
        marker={
            "symbol": "diamond" if kind == "hard" else "square",
            "size": size,
            "color": style.surface.background if gone else colour,
            "line": {"width": 1.2, "color": style.colour(OTHERS) if gone else colour},
            "opacity": 1,
        },
        name=f"{kind} out" if gone else kind,
    )


def _switches(
    what: str, places: list[tuple[float, float]], counts: dict[str, views.designer.Count], style: Style
) -> go.Scatter:
    """A square beside every group or above every victim, filled while all of it is in."""
    ink, empty = style.surface.ink, style.surface.background
    x, y = zip(*places, strict=True)
    return hovered(
        x=x,
        y=y,
        customdata=[[what, name] for name in counts],
        hovertext=[
            f"<b>{plain(words.task(name))}</b>: {count.kept} of {count.all} in<br>"
            f"click to {'leave all out' if count.kept else 'take all in'}"
            for name, count in counts.items()
        ],
        marker={
            "symbol": "square",
            "size": style.text,
            "color": [ink if one.kept == one.all else empty for one in counts.values()],
            "line": {"width": 1.5, "color": ink},
            "opacity": 1,
        },
        name=what,
    )


def _halves(places: list[tuple[float, float]], counts: list[views.designer.Count], style: Style) -> go.Scatter:
    """A bar in the squares of which some is in and some out."""
    partly = [place for place, count in zip(places, counts, strict=True) if count.partly]
    return passed(
        x=[x for x, _ in partly],
        y=[y for _, y in partly],
        mode="markers",
        marker={
            "symbol": "line-ew",
            "size": style.text / 2,
            "line": {"width": style.text / 5, "color": style.surface.ink},
            "opacity": 1,
        },
        name="partly",
        **ALWAYS_WHOLE,
    )


def _layout(
    rows: pd.DataFrame, groups: dict[str, views.designer.Count], victims: dict[str, views.designer.Count], style: Style
) -> dict[str, Any]:
    many = len(victims) > views.designer.MANY
    small = style.text * (0.75 if many else 0.9)
    called = {name: "<br>".join(map(plain, readable(name).split(", "))) for name in victims}
    called = {name: text.replace(" victim", "<br>victim") if many else text for name, text in called.items()}
    names = [
        {"text": f"{plain(words.task(name))} {count.said}", "x": -views.designer.GAP, "y": count.line, "xanchor": "right"}
        | {"showarrow": False, "yanchor": "middle", "xshift": -style.text * 0.8, "font": {"size": style.text}}
        for name, count in groups.items()
    ]
    heads = [
        {"text": called[name], "x": count.left, "y": HEAD, "xanchor": "left", "align": "left"}
        | {"showarrow": False, "yanchor": "bottom", "yshift": style.text * 0.7, "xshift": -6}
        | {"font": {"size": small, "color": style.surface.muted}}
        for name, count in victims.items()
    ]
    longest = max(len(f"{words.task(name)} {count.all} of {count.all}") for name, count in groups.items())
    folds = max(name.count("<br>") + 1 for name in called.values())
    return {
        "height": style.height,
        "margin": {"l": style.text * (1.5 + 0.48 * longest), "r": 8, "t": small * 1.35 * folds + style.text, "b": 8},
        "xaxis": {"range": [-views.designer.GAP - 0.8, rows["x"].max() + 1], "visible": False},
        "yaxis": {"range": [rows["line"].max() + 0.6, HEAD - 0.7], "visible": False},
        "annotations": [*names, *heads],
    }
