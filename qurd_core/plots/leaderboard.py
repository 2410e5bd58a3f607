"""Figure 1: every combination a dot per benchmark, the published ones named, the reference a dashed line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from qurd_core import views
from qurd_core.findings.language import words, worth_words
from qurd_core.findings.language.words import plain
from qurd_core.findings.leaderboard import gained, outdone
from qurd_core.plots.budget import TOP
from qurd_core.plots.drawing.labels import spread
from qurd_core.plots.drawing.notes import above, note
from qurd_core.plots.drawing.swarm import swarm
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import GLYPHS, OTHERS, PAGE, SCHEMES, Style, faded
from qurd_core.plots.drawing.traces import hovered, passed
from qurd_core.schemes import PAPER, REFERENCE, VARIANT
from qurd_core.views.leaderboard import strongest

FAINT = 0.6  # of the benchmarks that are not chosen
LONGEST = 26  # letters of one line of a label
_HOVERED = "label value spread gap verdict control low high"
_FEW = 3  # benchmarks that leave room for numbers

_BESIDE = 0.04  # of the axis: nearer than that a value would stand on the line of the reference
_CONTROLS, _NARROW = 0.06, 0.035  # where the controls stand and how far they may move, in parts of a benchmark's width


class _Shape(NamedTuple):
    """Where dots and labels go, in parts of the width that a benchmark gets."""

    middle: float
    room: float
    labels: float


_ROOMY, _CROWDED = _Shape(0.38, 0.27, 0.71), _Shape(0.33, 0.21, 0.58)


@dataclass(frozen=True)
class _Strip:
    """One benchmark of the figure.

    Attributes:
        benchmark: its name.
        rows: what is drawn, with `x`.
        left: where its part of the width begins.
        chosen: whether it is the one that the page is about.
        roomy: whether there is room for wide labels.
        numbered: whether there is room for numbers beside names, and for the word below the controls.
        known: labels of the chosen benchmark.
    """

    benchmark: str
    rows: pd.DataFrame
    left: float
    chosen: bool
    roomy: bool
    numbered: bool
    known: frozenset[str]

    def offered(self, labels: Iterable[str]) -> list[str | None]:
        """What clicks report: the labels that the chosen benchmark knows, too, for only these can be pinned."""
        return [label if label in self.known else None for label in labels]

    @property
    def shape(self) -> _Shape:
        return _ROOMY if self.roomy else _CROWDED

    @cached_property
    def own(self) -> dict[str, tuple[float, float]]:
        """The labels that have a mark of their own, with the place and the value of each; the reference's ends its line."""
        rows = self.rows[self.rows["own"]]
        found = dict(zip(rows["label"], zip(rows["x"], rows["value"], strict=True), strict=True))
        if REFERENCE in found:
            found[REFERENCE] = (self.shape.middle + self.shape.room, found[REFERENCE][1])
        return found

    @property
    def strength(self) -> float:
        return 1.0 if self.chosen else FAINT


@takes("views.leaderboard.board", f"{_HOVERED} scheme n_negatives", kind=Mapping)
def figure(
    boards: Mapping[str, pd.DataFrame],
    chosen: str,
    *,
    pins: Sequence[str] = (),
    group: str = PAPER,
    style: Style = PAGE,
) -> go.Figure:
    """A strip of dots per benchmark; the chosen one at full strength.

    Args:
        boards: from `board`, by benchmark.
        pins: labels that are marked, and leave the grey.
        group: the schemes that are marked, one of `schemes.GROUPS`.
    """
    pins, known = tuple(pins), frozenset(boards[chosen]["label"])
    strips = [
        _Strip(
            name,
            _placed(rows, views.budget.shown(rows, pins, group), style, len(boards)),
            left,
            name == chosen,
            len(boards) < 3,
            len(boards) <= _FEW,
            known,
        )
        for left, (name, rows) in enumerate(boards.items())
    ]
    traces, labels = [], []
    for strip in strips:
        centres = _centres(strip, pins, style)
        traces += _traces(strip, centres, pins, style)
        labels += _labels(strip, centres, pins, style) + _control(strip, style)
    return go.Figure(traces, _layout(strips, labels, style) | {"template": style.template})


def _placed(rows: pd.DataFrame, marked: Sequence[str], style: Style, strips: int) -> pd.DataFrame:
    """The rows that have a value, with `x` in parts of the strip: what is marked in the middle, then the rest.

    Controls stand apart, in a narrow strip of their own.
    """
    rows = rows[rows["value"].notna()]
    rows = rows.assign(own=rows["label"].isin(marked)).sort_values(
        ["own", "value", "scheme"], ascending=[False, False, True]
    )
    width, height = _pixels(style, strips)
    shape = _ROOMY if strips < 3 else _CROWDED
    parts = []
    for apart, part in rows.groupby("control"):
        middle, room = (_CONTROLS, _NARROW) if apart else (shape.middle, shape.room)
        sizes = [style.marker * 1.25 if mine else _small(style) for mine in part["own"]]
        aside = swarm(part["value"].to_numpy() * height / TOP, sizes, room * width)
        parts.append(part.assign(x=[middle + far / width for far in aside]))
    return pd.concat(parts) if parts else rows.assign(x=0.0)


def _small(style: Style) -> float:
    return 0.66 * style.marker


def _pixels(style: Style, strips: int) -> tuple[float, float]:
    """Width of a strip and height of the axis, about: a page may draw the chart wider or less high."""
    margin = _margin(style)
    width = 1840 if style.stage else 1040
    return (width - margin["l"] - margin["r"]) / strips, style.height - margin["t"] - margin["b"]


def _traces(strip: _Strip, centres: dict[str, float], pins: tuple[str, ...], style: Style) -> list[go.Scatter]:
    mixes = strip.rows[~strip.rows["own"]]
    own = strip.rows[strip.rows["own"]]
    ends = [strip.left + strip.shape.middle + side * strip.shape.room for side in (-1, 1)]
    found = [
        _dots(mixes[~mixes["control"]], strip, "mixes", style),
        _dots(mixes[mixes["control"]], strip, "controls", style),
        _leads(strip, centres, style),
    ]
    if REFERENCE in strip.own:
        colour, _, dash = style.mark(REFERENCE)
        found.append(
            passed(
                x=ends,
                y=[strip.own[REFERENCE][1]] * 2,
                line={"color": colour, "dash": dash, "width": style.line},
                opacity=strip.strength,
                name=f"{REFERENCE} on {strip.benchmark}",
            )
        )
    return [*found, _marks(own, strip, pins, style)]


def _dots(rows: pd.DataFrame, strip: _Strip, what: str, style: Style) -> go.Scatter:
    """Combinations without a mark of their own: filled mixes, hollow controls. One look per trace draws fastest."""
    return hovered(
        x=(strip.left + rows["x"]).round(4),
        y=rows["value"].round(4),
        customdata=strip.offered(rows["label"]),
        hovertext=[_hover(row) for row in rows[_HOVERED.split()].itertuples()],
        marker={
            "size": _small(style),
            "color": style.colour(OTHERS),
            "symbol": "circle-open" if what == "controls" else "circle",
            "opacity": 0.85 * strip.strength,
            "line": {"width": style.line / 2 if what == "controls" else 0},
        },
        name=f"{what} on {strip.benchmark}",
    )


def _marks(rows: pd.DataFrame, strip: _Strip, pins: tuple[str, ...], style: Style) -> go.Scatter:
    """The named schemes and the pins: one trace, each with its colour and marker."""
    looks = [style.mark(label, pins) for label in rows["label"]]
    hollow = [symbol.endswith("-open") for _, symbol, _ in looks]
    pinned = rows["label"].isin(pins)
    edge = [colour if bare else style.surface.background for (colour, *_), bare in zip(looks, hollow, strict=True)]
    return hovered(
        x=[round(strip.left + strip.own[label][0], 4) for label in rows["label"]],
        y=rows["value"].round(4),
        customdata=strip.offered(rows["label"]),
        hovertext=[_hover(row) for row in rows[_HOVERED.split()].itertuples()],
        marker={
            "size": [style.marker * (1.55 if mine else 1.2) for mine in pinned],
            "symbol": [symbol for _, symbol, _ in looks],
            "color": [colour for colour, *_ in looks],
            "opacity": strip.strength,
            "line": {"width": [2.5 if bare else 1 for bare in hollow], "color": edge},
        },
        name=f"named on {strip.benchmark}",
    )


def _hover(row: Any) -> str:
    against = (
        "accuracy only (no fingerprint): takes the less accurate model for stolen"
        if row.control
        else gained(row.gap, row.verdict)
    )
    value = f"{words.precise(row.value, row.spread)}{worth_words.hovered(row.low, row.high)}"
    return f"<b>{plain(row.label)}</b><br>{value}{'<br>' * bool(against)}{against}"


def _leads(strip: _Strip, centres: dict[str, float], style: Style) -> go.Scatter:
    """Thin lines from the marks to their labels, one trace with gaps."""
    x, y = [], []
    for label, (start, value) in strip.own.items():
        x += [strip.left + start, strip.left + strip.shape.labels - 0.012, None]
        y += [value, centres[label], None]
    line = {"color": faded(style.surface.muted, 0.45 * strip.strength), "width": style.line / 3}
    return passed(x=x, y=y, line=line, name=f"leads on {strip.benchmark}")


def _labels(strip: _Strip, centres: dict[str, float], pins: tuple[str, ...], style: Style) -> list[dict[str, Any]]:
    """The name and value of everything that is marked, right of the dots."""
    x, place = strip.left + strip.shape.labels, {"xanchor": "left", "yanchor": "middle", "align": "left"}
    found = []
    for label, centre in centres.items():
        look = {"ink": style.legible(style.mark(label, pins)[0], strip.strength), "size": _letters(label, style)}
        found.append(note(_text(label, strip, pins), x, centre, style, **look, **place))
    return found


def _control(strip: _Strip, style: Style) -> list[dict[str, Any]]:
    """The value of the strongest control, where it is above the reference and not beside its line."""
    best = strongest(strip.rows)
    if not outdone(strip.rows) or best["value"] - strip.own[REFERENCE][1] < _BESIDE:
        return []
    value, ink = best["value"], style.legible(style.surface.muted, strip.strength)
    place = strip.left + _CONTROLS + _NARROW
    return [note(words.percent(value), place, value, style, ink=ink, xanchor="left", yanchor="middle")]


def _centres(strip: _Strip, pins: tuple[str, ...], style: Style) -> dict[str, float]:
    """Where each label goes."""
    _, height = _pixels(style, 1)
    # More than a line's height, because a page may draw the chart less high than it asks, and more for every further line.
    sizes = [
        TOP * _letters(label, style) * (1.7 + 2.1 * _text(label, strip, pins).count("<br>")) / height for label in strip.own
    ]
    return dict(zip(strip.own, spread([value for _, value in strip.own.values()], sizes, 0, TOP), strict=True))


def _letters(label: str, style: Style) -> float:
    return style.text * (1.05 if label in SCHEMES else 0.88)


def _text(label: str, strip: _Strip, pins: tuple[str, ...]) -> str:
    """`SAC 97%`; a pinned combination has its parts below one another, and beside other benchmarks its mark alone."""
    number = words.percent(strip.own[label][1])
    if label in SCHEMES:
        name = f"<b>{plain(label).replace(VARIANT, f'<br>{VARIANT}')}</b>"
        return f"{name} {number}" if strip.numbered else name
    glyph = GLYPHS[Style().mark(label, pins)[1]]
    if not strip.chosen:
        return f"{glyph} {number}"
    sampler, _, head = label.partition(" | ")
    few = sum(pin not in SCHEMES for pin in pins) < 3
    lines = [*sampler.replace("->", " ->").split(" ", 1), *([head] if len(head) <= LONGEST else head.split(" | "))]
    if not few:
        lines = [sampler, head]
    first, *rest = (plain(line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…") for line in lines if line)
    return "<br>".join([f"{glyph} <b>{number}</b> {first}", *rest])


def _layout(strips: list[_Strip], labels: list[dict[str, Any]], style: Style) -> dict[str, Any]:
    title = above("Stolen models caught at 5% false alarms (TPR@5%)", style, yshift=6)
    return {
        "height": style.height,
        "margin": _margin(style),
        "xaxis": {
            "range": [0, len(strips)],
            "tickvals": [strip.left + place for strip in strips for place, _ in _ticks(strip)],
            "ticktext": [text for strip in strips for _, text in _ticks(strip)],
            "tickangle": 0,
            "tickfont": {"size": style.text},
            "showline": True,
            "linecolor": style.surface.muted,
        },
        "yaxis": {"range": [0, TOP], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%", "ticklabelstandoff": 6},
        "annotations": [title, *labels],
    }


def _ticks(strip: _Strip) -> list[tuple[float, str]]:
    """What stands below the axis, and where."""
    controls = strip.numbered and bool(strip.rows["control"].any())
    told = "accuracy only<br>(no fingerprint)" if strip.roomy else "accuracy<br>only"
    return [(_CONTROLS, told)] * controls + [(strip.shape.middle, _tick(strip))]


def _tick(strip: _Strip) -> str:
    """The name of the benchmark, and how many unrelated models its values rest on."""
    name = plain(strip.benchmark)
    number = words.counted(int(strip.rows["n_negatives"].min()), "unrelated model") if len(strip.rows) else "no value"
    number = number if strip.roomy else number.replace(" models", "")  # else it runs into the word below the controls
    return f"{f'<b>{name}</b>' if strip.chosen else name}<br>{number}"


def _margin(style: Style) -> dict[str, float]:
    return {"l": 4 * style.text, "t": 2.6 * style.text, "b": 3.6 * style.text, "r": style.text}
