"""Where the models of a benchmark come from: victims, what was made from one of them, and those that have no part in it."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from qurd_core import views
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import folded, network, readable
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import above, upright
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, STOLEN, SUSPECT, UNRELATED, Paint, Style, faded
from qurd_core.plots.drawing.traces import hovered, passed

TREE = 0.36  # share of the width that the tree takes; the accuracies take the rest


@takes("views.contents.branches", "label kind models", kind=Sequence)
@takes("records.evidence.models", "lineage architecture accuracy", argument="models")
def figure(
    rows: list[views.contents.Branch], models: pd.DataFrame, victims: Iterable[str], victim: str, style: Style = PAGE
) -> go.Figure:
    """Victims at the left, the groups of one of them as branches, and every model at its accuracy.

    Args:
        rows: from `branches`.
        victims: all of them; a click on one reports its name.
    """
    victims = list(victims)
    places = {name: (number + 0.5) * len(rows) / len(victims) - 0.5 for number, name in enumerate(victims)}
    accuracy = models.set_index("lineage")["accuracy"]
    traces = [
        _links(rows, places[victim], style),
        *(_dots(branch, place, style) for place, branch in enumerate(rows)),
        _roots(places, victim, accuracy, style),
    ]
    return go.Figure(traces, _layout(rows, places, victim, accuracy, style) | {"template": style.template})


_PAINTS: dict[str, Paint] = {"positive": STOLEN, "negative": UNRELATED, "hard": UNRELATED, "suspect": SUSPECT}
_BEND, _LEAF = 0.16, 0.3  # where branches turn, and where their names begin


def _links(rows: list[views.contents.Branch], root: float, style: Style) -> go.Scatter:
    """From the victim to its groups; unrelated models have no link."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, branch in enumerate(rows):
        if branch.kind == "positive":
            x += [0.02, _BEND, _BEND, _LEAF, None]
            y += [root, root, place, place, None]
    colour = style.surface.muted
    return passed(x=x, y=y, line={"color": colour, "width": style.line / 2}, name="links")


def _dots(branch: views.contents.Branch, place: int, style: Style) -> go.Scatter:
    colour, hard = style.colour(_PAINTS[branch.kind]), branch.kind == "hard"
    return hovered(
        x=branch.models["accuracy"],
        y=[place] * len(branch.models),
        hovertext=[_hover(row) for row in branch.models.itertuples()],
        marker={
            "size": style.marker,
            "symbol": "circle-open" if hard else "circle",
            "color": colour,
            "opacity": 0.75,
            "line": {"width": 2 if hard else 0.8, "color": colour if hard else style.surface.background},
        },
        xaxis="x2",
        name=plain(branch.label),
    )


def _roots(places: dict[str, float], victim: str, accuracy: "pd.Series[float]", style: Style) -> go.Scatter:
    names = list(places)
    chosen = [name == victim for name in names]
    return hovered(
        x=[0.0] * len(names),
        y=list(places.values()),
        customdata=names,
        hovertext=[f"{_title(name)}<br>accuracy {words.percent(accuracy[name])}" for name in names],
        marker={
            "size": [style.marker * (1.7 if one else 1.2) for one in chosen],
            "symbol": "square",
            "color": [style.surface.ink if one else style.surface.background for one in chosen],
            "line": {"width": 2, "color": style.surface.ink},
            "opacity": 1,
        },
        name="victims",
    )


def _title(lineage: str) -> str:
    """The name of a model over its lineage."""
    return f"<b>{plain(readable(lineage))}</b><br>{plain(lineage)}"


def _hover(row: tuple) -> str:
    known = f"{_title(row.lineage)}<br>accuracy {words.precise(row.accuracy)}, {plain(network(row.architecture))}"
    if not hasattr(row, "regions"):
        return known  # no more was published
    truth = "with true labels" if row.read_truth else "without true labels"
    read = (
        f"final training step: {words.listed(list(row.regions))} images {truth}" if len(row.regions) else "no training step"
    )
    asked = f"{words.counted(int(row.victim_queries), 'query')} to the victim"
    return f"{known}, {row.parameters:,} parameters<br>{plain(read)}<br>{asked}"


def _layout(
    rows: list[views.contents.Branch], places: dict[str, float], victim: str, accuracy: "pd.Series[float]", style: Style
) -> dict[str, Any]:
    beside = {"showarrow": False, "xanchor": "left", "yanchor": "middle", "align": "left"}
    ink, muted = style.surface.ink, style.surface.muted
    small = style.text * 0.86
    names = [
        {"text": "<br>".join(map(plain, folded(name))), "x": 0, "y": place, "xshift": -style.marker}
        | {"font": {"size": small, "color": ink if name == victim else muted}}
        | (beside | {"xanchor": "right", "align": "right"})
        for name, place in places.items()
    ]
    longest = max(len(step) for name in places for step in folded(name))
    labels = [
        {"text": f"{plain(branch.label)} · {len(branch.models)}", "x": _LEAF, "y": place, "xshift": 6}
        | {"font": {"size": style.text, "color": ink if branch.kind == "positive" else muted}}
        | beside
        for place, branch in enumerate(rows)
    ]
    across = {"type": "line", "x0": 0, "x1": 1, "xref": "x2 domain", "layer": "below"}
    rules = [
        across | {"y0": place, "y1": place, "line": {"color": faded(ink, 0.08), "width": 1}} for place in range(len(rows))
    ]
    own = float(accuracy[victim])
    head = above(f"victim {words.percent(own)}", style, own, xref="x2", xanchor="auto")
    return {
        "height": style.height,
        "margin": {"l": small * (2 + 0.48 * longest), "r": style.text, "t": 2 * style.text, "b": 3.6 * style.text},
        "xaxis": {"domain": [0, TREE], "range": [-0.03, 1], "visible": False},
        "xaxis2": {
            "domain": [TREE, 1],
            "anchor": "y",
            "tickformat": ".0%",
            "title": {"text": "Accuracy on the test images", "standoff": 6},
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "tickfont": {"color": muted},
        },
        "yaxis": {"range": [len(rows) - 0.4, -0.6], "visible": False},
        "shapes": [*rules, upright(own, style, xref="x2")],
        "annotations": [*names, *labels, head],
    }
