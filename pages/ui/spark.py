"""A small curve as a picture in HTML: beside a chart, a second Plotly one takes the browser nearly as long as the first."""

import math
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from qurd_core.plots import words
from qurd_core.plots.budget import REFERENCE
from qurd_core.plots.theme import GLYPHS, SCHEMES, Style

if TYPE_CHECKING:
    from pandas import DataFrame

TICKS, SHARES = (10, 100, 400), (0.0, 0.5, 1.0)
_LEAST, _MOST = math.log(9), math.log(450)  # ends of the axis of budgets
_LOW, _HIGH = -0.05, 1.06  # ends of the axis of shares, with room for the width of a line


def curve(points: "DataFrame", reference: "DataFrame", at: int, *, label: str, style: Style) -> str:
    """TPR over budgets of one combination, before the reference, which is dashed; the pointer reads every value.

    Args:
        points, reference: rows of budget, value (share) and spread, by budget.
        at: the budget that gets a mark.
        label: of the combination; that of the reference has nothing behind it.

    Returns:
        HTML of the width of its place.
    """
    colour, symbol, _ = style.mark(label) if label in SCHEMES else (style.surface.ink, "circle", "solid")
    alone = label == REFERENCE
    behind = "" if alone else _line(reference, style.mark(REFERENCE)[0], 1.5, "6 5")
    grid = "".join(f'<path d="M0 {_y(share)}H1" stroke="{style.surface.ink}" stroke-opacity=".08"/>' for share in SHARES)
    picture = _picture(f"{grid}{behind}{_line(points, colour, 2.5)}")
    ticks = [_at(0, _y(share), "y", words.percent(share)) for share in SHARES]
    ticks += [_at(_x(budget), 1, "x", str(budget)) for budget in TICKS]
    marks = (_at(x, y, "mark", GLYPHS.get(symbol, "●")) for x, y, row in _known(points) if row.budget == at)
    values = [] if alone else [*_values(reference, REFERENCE)]
    said = f"{label} over query budgets" + ("." if alone else f", {REFERENCE} dashed.")
    look = _LOOK.format(muted=style.surface.muted, mark=colour)
    inside = "".join([*ticks, *marks, *values, *_values(points, label)])
    return f'{look}<div class="spark"><div><img src="{picture}" alt="{escape(said)}">{inside}</div></div>'


def _line(rows: "DataFrame", colour: str, width: float, dash: str = "none") -> str:
    """A line through the values that are known, with a gap where one is missing; a value alone is a dot."""
    path, drawing = "", False
    for row in rows.itertuples():
        known = not math.isnan(row.value)
        if known:
            place = f"{_x(row.budget)} {_y(row.value)}"
            path += f"L{place}" if drawing else f"M{place}h0"
        drawing = known
    look = f'stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"'
    return f'<path d="{path}" {look} fill="none" stroke-linecap="round" stroke-linejoin="round"/>'


def _picture(paths: str) -> str:
    """Paths in a square of side 1 as an address for `img`, which may stretch the square but not the lines."""
    still = "<style>path { vector-effect: non-scaling-stroke }</style>"
    frame = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" preserveAspectRatio="none"'
    return f"data:image/svg+xml;base64,{b64encode(f'<svg {frame}>{still}{paths}</svg>'.encode()).decode()}"


def _values(rows: "DataFrame", label: str) -> Iterator[str]:
    for x, y, row in _known(rows):
        yield _at(x, y, "", "", f"{label}: {words.precise(row.value, row.spread)} at {words.counted(row.budget, 'query')}")


def _known(rows: "DataFrame") -> Iterator[tuple[float, float, tuple]]:
    return ((_x(row.budget), _y(row.value), row) for row in rows.itertuples() if not math.isnan(row.value))


def _at(x: float, y: float, role: str, text: str, title: str = "") -> str:
    told = f' title="{escape(title)}"' if title else ""
    return f'<i class="{role}" style="left:{x:.1%};top:{y:.1%}"{told}>{text}</i>'


def _x(budget: float) -> float:
    return round((math.log(budget) - _LEAST) / (_MOST - _LEAST), 4)


def _y(share: float) -> float:
    """From the top."""
    return round((_HIGH - share) / (_HIGH - _LOW), 4)


_LOOK = """
<style>
.spark {{ height: 9.5rem; padding: .3rem .5rem 1.5rem 2.9rem; }}
.spark div {{ position: relative; height: 100%; }}
.spark img {{ display: block; width: 100%; height: 100%; }}
.spark i {{ position: absolute; width: .9rem; height: .9rem; transform: translate(-50%, -50%); font-style: normal; }}
.spark .x, .spark .y {{ width: auto; height: auto; color: {muted}; font-size: .8rem; line-height: 1; }}
.spark .x {{ transform: translate(-50%, .4rem); }}
.spark .y {{ transform: translate(calc(-100% - .4rem), -50%); }}
.spark .mark {{ width: auto; height: auto; color: {mark}; line-height: 1; }}
</style>
"""
