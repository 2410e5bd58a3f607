"""A small curve as a picture in HTML: beside a chart, a second Plotly one takes the browser nearly as long as the first."""

import math
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from itertools import pairwise

from pandas import DataFrame

from qurd_core.findings.language import words
from qurd_core.plots.drawing.theme import GLYPHS, SCHEMES, Style
from qurd_core.schemes import REFERENCE

TICKS, SHARES = (10, 100, 400), (0.0, 0.5, 1.0)
_LEAST, _MOST = math.log(9), math.log(450)  # ends of the axis of budgets
_LOW, _HIGH = -0.05, 1.06  # ends of the axis of shares, with room for the width of a line


def curve(points: DataFrame, reference: DataFrame, at: int, *, label: str, style: Style) -> str:
    """TPR over budgets of one combination, before the reference, which is dashed; the pointer reads the nearest budget.

    Args:
        points, reference: rows of budget, value (share) and spread, by budget.
        at: the budget that gets a mark.
        label: of the combination; that of the reference has nothing behind it.

    Returns:
        HTML of the width of its place.
    """
    colour, symbol, _ = style.mark(label) if label in SCHEMES else (style.surface.ink, "circle", "solid")
    beside = label != REFERENCE and reference["value"].notna().any()
    behind = _line(reference, style.mark(REFERENCE)[0], 1.5, "6 5") if beside else ""
    grid = "".join(f'<path d="M0 {_y(share)}H1" stroke="{style.surface.ink}" stroke-opacity=".08"/>' for share in SHARES)
    picture = _picture(f"{grid}{behind}{_line(points, colour, 2.5)}")
    ticks = [_at(0, _y(share), "y", words.percent(share)) for share in SHARES]
    ticks += [_at(_x(budget), 1, "x", str(budget)) for budget in TICKS]
    known = points.loc[points["budget"] == at, "value"].dropna()
    marks = (_at(_x(at), _y(value), "mark", GLYPHS.get(symbol, "●")) for value in known)
    said = f"{label} over query budgets" + (f", {REFERENCE} dashed." if beside else ".")
    look = _LOOK.format(muted=style.surface.muted, mark=colour)
    inside = "".join([*ticks, *marks, *_strips({REFERENCE: reference, label: points})])
    return f'{look}<div class="spark"><div><img src="{picture}" alt="{escape(said)}">{inside}</div></div>'


def _line(rows: DataFrame, colour: str, width: float, dash: str = "none") -> str:
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


def _strips(rows: dict[str, DataFrame]) -> Iterator[str]:
    """A strip of the full height per budget, halfway to its neighbours, that tells all values there."""
    said: dict[int, list[str]] = {}
    for label, table in rows.items():
        for row in table.dropna(subset=["value"]).itertuples():
            said.setdefault(row.budget, []).append(f"{label}: {words.precise(row.value, row.spread)}")
    budgets = sorted(said)
    places = [_x(budget) for budget in budgets]
    ends = [0.0, *((one + other) / 2 for one, other in pairwise(places)), 1.0]
    for budget, (left, right) in zip(budgets, pairwise(ends), strict=False):  # no budget, no strip
        title = "\n".join([words.counted(budget, "query"), *said[budget]])
        yield f'<b style="left:{left:.1%};width:{right - left:.1%}" title="{escape(title)}"></b>'


def _at(x: float, y: float, role: str, text: str) -> str:
    return f'<i class="{role}" style="left:{x:.1%};top:{y:.1%}">{text}</i>'


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
.spark b {{ position: absolute; top: 0; height: 100%; }}
.spark i {{ position: absolute; transform: translate(-50%, -50%); font-style: normal; line-height: 1; }}
.spark .x, .spark .y {{ color: {muted}; font-size: .8rem; }}
.spark .x {{ transform: translate(-50%, .4rem); }}
.spark .y {{ transform: translate(calc(-100% - .4rem), -50%); }}
.spark .mark {{ color: {mark}; }}
</style>
"""
