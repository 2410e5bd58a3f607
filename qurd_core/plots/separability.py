"""Figure 3: how far apart stolen and unrelated models lie. Stolen up, unrelated down, a tick per pair."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from qurd_core import findings, views
from qurd_core.findings.language import words, worth_words
from qurd_core.findings.language.model_names import readable
from qurd_core.findings.language.words import plain
from qurd_core.plots.drawing.notes import above, centred, note
from qurd_core.plots.drawing.takes import takes
from qurd_core.plots.drawing.theme import PAGE, STOLEN, UNRELATED, UNRELATED_TEXT, Style, faded
from qurd_core.plots.drawing.traces import hovered, passed
from qurd_core.statistics.printed import fixed
from qurd_core.views.separability import FEWEST, Row, density, grid

PITCH = 2.5  # from one row to the next; a density is at most 1 high
TICK = 0.2  # height of a tick
ROOM = 0.22  # of the axis that the name of a side takes
HARD = -0.36  # where hard unrelated models have their mark
POINTER = "pairs"  # the trace that is clicked


@takes("views.separability.rows", "label table rates line reason benchmark report stolen unrelated", kind=Sequence)
def figure(
    rows: Sequence[Row],
    axis: findings.separability.Axis,
    *,
    fpr: int = 5,
    pick: views.separability.Pick | None = None,
    style: Style = PAGE,
) -> go.Figure:
    """Mirrored densities of one row or of several on a common axis, with the line below which a pair is flagged.

    A side with fewer than `FEWEST` pairs has ticks only. However many rows, there is one trace per kind of mark.

    Args:
        rows: from `evaluation.separability`.
        fpr: the allowed share of false alarms in percent.
        pick: the pair that is marked.
    """
    sides = [values for row in rows for values in (row.stolen, row.unrelated)]
    # Where there is no density, the axis needs no room for one.
    at = grid([side if len(side) >= FEWEST else side[side.argsort()[-1:]] for side in sides], share=axis.share)
    bases = [PITCH * (len(rows) - 1 - number) for number in range(len(rows))]
    humps = [_humps(row, at, axis.share) for row in rows]
    up, down = style.colour(STOLEN), style.colour(UNRELATED)
    traces = [
        _areas([hump[0] for hump in humps], bases, at, 1, up, style),
        _areas([hump[1] for hump in humps], bases, at, -1, down, style),
        _ticks([row.stolen for row in rows], bases, TICK, up, style),
        _ticks([row.values("negative") for row in rows], bases, -TICK, down, style),
        _hard([row.values("hard") for row in rows], bases, down, style),
        *_marked(rows, bases, pick, style),
        _pointer(rows, bases, axis, style),
    ]
    low, high = -0.015 * at[-1], float(at[-1]) * 1.015
    one = len(rows) == 1
    notes = (
        _names(rows[0], humps[0], at, style) + _line_note(rows[0], high, style)
        if one
        else _row_notes(rows, bases, fpr, style)
    )
    layout = {
        "template": style.template,
        "height": style.height,
        "margin": _margin(rows, style),
        "xaxis": {
            "range": [low, high],
            "title": {"text": axis.title, "standoff": 8},
            "showline": True,
            "linecolor": style.surface.muted,
            "nticks": 8,
        },
        "yaxis": {"range": _heights(humps, bases), "visible": False},
        "shapes": _flags(rows, bases, low, style),
        "annotations": notes,
    }
    return go.Figure(traces, layout)


def high(rows: Sequence[Row]) -> float:
    """The least pixels of the chart that keep its rows apart on a page: two lines each."""
    return max(352, _TWO_LINES * len(rows) + 100)


def _humps(row: Row, at: np.ndarray, share: bool) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The densities of both sides, the higher one 1 high; None where there are too few pairs."""
    found = [density(side, at, share=share) if len(side) >= FEWEST else None for side in (row.stolen, row.unrelated)]
    top = max((float(side.max()) for side in found if side is not None), default=1.0)
    return tuple(None if side is None else side / top for side in found)


def _heights(humps: list[tuple], bases: list[float]) -> list[float]:
    """The vertical range: of a single row no more than its densities and their names need."""
    if len(bases) > 1:
        return [-PITCH / 2, bases[0] + PITCH / 2]
    up, down = (TICK if hump is None else max(TICK, float(hump.max())) for hump in humps[0])
    return [min(-down, HARD) - 0.3, up + 0.25]


def _areas(
    humps: list[np.ndarray | None], bases: list[float], at: np.ndarray, sign: int, colour: str, style: Style
) -> go.Scatter:
    """The densities of one side of all rows, closed along their base."""
    outlines = [(base, base + sign * hump) for hump, base in zip(humps, bases, strict=True) if hump is not None]
    # As arrays: Plotly looks at every value of a list.
    xs = np.tile([at[0], *at, at[-1], np.nan], len(outlines)).round(5)
    ys = np.concatenate([[], *(np.r_[base, outline, base, np.nan] for base, outline in outlines)]).round(4)
    return passed(
        x=xs,
        y=ys,
        line={"width": style.line * (0.8 if len(bases) == 1 else 0.5), "color": colour},
        fill="toself",
        fillcolor=faded(colour, 0.28),
        name="stolen" if sign > 0 else "unrelated",
    )


def _ticks(values: list[np.ndarray], bases: list[float], height: float, colour: str, style: Style) -> go.Scatter:
    """A tick per pair, from the base up or down."""
    xs = np.concatenate([np.stack([side, side, np.full(len(side), np.nan)], 1).ravel() for side in values])
    ys = np.concatenate(
        [np.tile([base, base + height, np.nan], len(side)) for side, base in zip(values, bases, strict=True)]
    )
    return passed(
        x=xs.round(5),
        y=ys,
        line={"width": style.line / 2, "color": colour},
        name="stolen ticks" if height > 0 else "unrelated ticks",
    )


def _hard(values: list[np.ndarray], bases: list[float], colour: str, style: Style) -> go.Scatter:
    """Hard unrelated models: the colour of unrelated ones, another mark."""
    ys = np.concatenate([np.full(len(side), base + HARD) for side, base in zip(values, bases, strict=True)])
    return passed(
        x=np.concatenate(values).round(5),
        y=ys,
        mode="markers",
        marker={
            "symbol": "diamond-open",
            "size": style.marker * (1 if len(bases) == 1 else 0.7),
            "color": colour,
            "line": {"width": style.line / 1.5},
        },
        name="hard",
    )


def _pointer(rows: Sequence[Row], bases: list[float], axis: findings.separability.Axis, style: Style) -> go.Scatter:
    """What the pointer meets: an invisible mark on every tick, for lines cannot be clicked."""
    height = {"positive": TICK / 2, "negative": -TICK / 2, "hard": HARD}
    ys, pairs, texts = [], [], []
    for row, base in zip(rows, bases, strict=True):
        for pair in row.table.itertuples():
            ys.append(base + height[pair.kind])
            pairs.append((pair.victim, pair.suspect, row.benchmark or ""))
            texts.append(hover(pair, _value(pair, axis)))
    return hovered(
        x=np.concatenate([row.table["value"].to_numpy(float) for row in rows]).round(5),
        y=np.array(ys),
        customdata=np.array(pairs, object).reshape(-1, 3),
        hovertext=np.array(texts, object),
        # The pointer meets every mark, drawn or not; few are drawn, for they cannot be seen.
        marker={"size": style.marker, "opacity": 0, "maxdisplayed": 1},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        name=POINTER,
    )


def _value(pair: tuple, axis: findings.separability.Axis) -> str:
    """The distance of a pair, and what stands beside it."""
    said = f"{plain(axis.name).replace('δ_C', 'δ<sub>C</sub>')} {pair.value:.3f}"
    return f"{said}, {axis.beside(pair)}" if axis.beside else said


_KINDS = {"positive": "stolen", "negative": "unrelated", "hard": "hard unrelated", "suspect": "suspect"}


def _cut(text: str, longest: int) -> str:
    return plain(findings.separability.shortened(text, longest))


def hover(pair: tuple, value: str) -> str:
    """A pair in five lines."""
    tasks = words.tasks(pair.tasks) if len(pair.tasks) <= 2 else f"{len(pair.tasks)} tasks"
    suspect = getattr(pair, "served", pair.suspect)  # with what it stands behind
    return (
        f"<b>{_cut(readable(suspect), 70)}</b><br>{_cut(suspect, 70)}<br>"
        f"{_KINDS[pair.kind]} · {plain(tasks)} · {value}<br>victim {_cut(readable(pair.victim), 60)}<br>"
        f"accuracy: victim {words.percent(pair.accuracy_victim)}, suspect {words.percent(pair.accuracy_suspect)}"
    )


def _marked(rows: Sequence[Row], bases: list[float], pick: views.separability.Pick | None, style: Style) -> list[go.Scatter]:
    """The picked pair, wherever it is drawn."""
    if pick is None:
        return []
    xs, ys = [], []
    for row, base in zip(rows, bases, strict=True):
        mine = row.table[(row.table["victim"] == pick.victim) & (row.table["suspect"] == pick.suspect)]
        for pair in mine.itertuples():
            xs.append(pair.value)
            ys.append(base + (1 if pair.kind == "positive" else -1) * (TICK + 0.06))
    marker = {"size": style.marker * 1.2, "color": style.surface.ink, "symbol": "diamond"}
    return [passed(x=xs, y=ys, mode="markers", marker=marker, name="picked")]


def _flags(rows: Sequence[Row], bases: list[float], low: float, style: Style) -> list[dict[str, Any]]:
    """The flagged side of every row, and its line."""
    found = []
    for row, base in zip(rows, bases, strict=True):
        if row.line is None:
            continue
        half = 0.48 * PITCH
        ends = {"y0": base - half, "y1": base + half} if len(rows) > 1 else {"y0": 0, "y1": 1, "yref": "paper"}
        at = row.line.threshold
        shade = {"type": "rect", "x0": low, "x1": at, "fillcolor": faded(style.surface.ink, 0.05), "line": {"width": 0}}
        line = {"color": style.surface.ink, "width": style.line / 1.5, "dash": "dot"}
        found += [shade | ends | {"layer": "below"}, {"type": "line", "x0": at, "x1": at, "line": line} | ends]
    return found


def _names(row: Row, humps: tuple, at: np.ndarray, style: Style) -> list[dict[str, Any]]:
    """Stolen and unrelated, each beside the peak of its side."""
    hard = len(row.values("hard"))
    also = f"<br>{hard} of them hard unrelated ◇" if hard else ""
    texts = (
        (row.stolen, humps[0], 1, "Stolen", "", style.colour(STOLEN)),
        (row.unrelated, humps[1], -1, "Unrelated", also, style.colour(UNRELATED_TEXT)),
    )
    notes = []
    for values, hump, sign, name, more, colour in texts:
        if not len(values):
            continue
        x = float(np.median(values)) if hump is None else float(at[hump.argmax()])
        y = (TICK if hump is None else float(hump.max())) + 0.06 - (HARD if more and hump is None else 0)
        anchor = _anchor(x / at[-1])
        if row.line and abs(x - row.line.threshold) < 0.13 * at[-1]:  # beside the line, not across it
            before = row.line.threshold / at[-1]
            roomy = before > ROOM if x < row.line.threshold else before > 1 - ROOM
            anchor = "right" if roomy else "left"
            x = row.line.threshold + (0.01 if anchor == "left" else -0.01) * at[-1]
        said = f"<b>{name}</b> · {words.counted(len(values), 'pair')}{more}"
        place = {"xanchor": anchor, "yanchor": "bottom" if sign > 0 else "top"}
        notes.append(note(said, x, sign * y, style, ink=colour, size=style.text * 1.1, **place))
    return notes


def _anchor(place: float) -> str:
    """On which side of its place a text stays inside the chart."""
    return "left" if place < 0.2 else "right" if place > 0.8 else "center"


def _line_note(row: Row, high: float, style: Style) -> list[dict[str, Any]]:
    """What the pooled threshold does, above its line."""
    if row.line is None:
        return [centred(plain(row.reason or ""), style)]
    line = row.line
    misses = f"misses {words.percent(1 - line.caught)} of stolen"
    alarms = f"actual false alarms {words.percent(line.flagged / line.unrelated)} ({line.flagged} of {line.unrelated})"
    said = f"<b>pooled threshold {words.distance(line.threshold)}</b><br>{misses} · {alarms}"
    place = {"yref": "paper", "yanchor": "bottom", "xanchor": _anchor(line.threshold / high)}
    return [note(said, line.threshold, 1, style, ink=style.surface.ink, **place)]


def _row_notes(rows: Sequence[Row], bases: list[float], fpr: int, style: Style) -> list[dict[str, Any]]:
    """The name of every row to its left, its rates to its right."""
    small, notes = style.text * 0.85, []
    below = f"<br><span style='font-size:{small:.0f}px;color:{style.surface.muted}'>{{}}</span>"
    both = len(rows) <= 5 or not style.stage
    right = {"xref": "paper", "x": 1.01, "xanchor": "left", "align": "left", "showarrow": False}
    left = {"xref": "paper", "x": -0.01, "xanchor": "right", "align": "right", "showarrow": False}
    for row, base in zip(rows, bases, strict=True):
        counts = f"{len(row.stolen)} stolen, {len(row.unrelated)} unrelated"
        second = below.format(counts) if both and row.rates else ""
        notes.append(left | {"y": base, "text": f"<b>{plain(_named(row))}</b>{second}", "font": {"size": style.text}})
        if row.rates is None:
            notes.append(note(plain(row.reason or ""), 0.5, base, style, size=small, xref="paper"))
            continue
        value = f"<b>{words.percent(row.rates.tpr)}</b>  {fixed(row.rates.auc, 2)}"
        between = findings.separability.over_models(row).removesuffix(" over models")
        third = below.format(between) if both else ""
        hovered = (
            f"TPR@{fpr}% {words.precise(row.rates.tpr, row.rates.sd)}{worth_words.hovered(*row.report.ci)}"
            if row.report
            else ""
        )
        notes.append(right | {"y": base, "text": f"{value}{third}", "font": {"size": style.text}, "hovertext": hovered})
    head = note(f"TPR@{fpr}%  AUC", 1.01, 1, style, size=small, yref="paper", yanchor="bottom")
    return [*notes, right | head, *_sides(rows, style)]


def _sides(rows: Sequence[Row], style: Style) -> list[dict[str, Any]]:
    """Which side of a row is whose, above all rows."""
    unrelated = "▼ unrelated, ◇ hard unrelated" if any(len(row.values("hard")) for row in rows) else "▼ unrelated"
    named = ((0, "left", "▲ stolen", STOLEN), (1, "right", unrelated, UNRELATED_TEXT))
    return [
        above(f"<b>{text}</b>", style, x, xanchor=anchor, yshift=4, ink=style.colour(paint), size=1.1 * style.text)
        for x, anchor, text, paint in named
    ]


_LONGEST = 36  # letters of a row's name
_TWO_LINES = 40  # pixels


def _named(row: Row) -> str:
    """What a row is: a task in words, a victim or a benchmark."""
    return findings.separability.shortened(readable(words.task(row.label)), _LONGEST)


def _margin(rows: Sequence[Row], style: Style) -> dict[str, float]:
    if len(rows) == 1:
        return {"l": style.text, "r": style.text, "t": 3.4 * style.text, "b": 3.6 * style.text}
    counts = 0.85 * 26 if len(rows) <= 5 or not style.stage else 0
    longest = max(counts, *(len(re.sub("<[^>]*>", "", _named(row))) for row in rows))
    return {"l": style.text * (1 + 0.53 * longest), "r": 7 * style.text, "t": 3.2 * style.text, "b": 3.6 * style.text}
