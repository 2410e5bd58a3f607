"""The side panel of the Budget page: every line's value at one budget, or the distances behind one line."""

import math
from html import escape

import streamlit as st
from pandas import DataFrame, Series

from pages.ui import export, frame, states
from pages.ui.links import plain
from qurd_core import findings, plots, views
from qurd_core.findings.language import words, worth_words
from qurd_core.plots.drawing.theme import GLYPHS, Style
from qurd_core.schemes import REFERENCE, VARIANT

_GUESS = (
    "Why do some lines fall? The paper supposes that with more queries stolen and unrelated models come closer together."
)
BESIDE = {"none": "values", "distance": "distances"}


def values(rows: DataFrame, at: int, style: Style, pins: tuple[str, ...], worth: DataFrame) -> None:
    """A table: the mark of the line, its name, its value, and the difference to the reference.

    Args:
        worth: from `cached.worth`.
    """
    head = f"<tr><th>At {at} queries</th><th>TPR@5%</th><th>vs {REFERENCE}</th></tr>"
    body = "".join(
        _row(row, style, pins, worth.loc[row.label] if row.label in worth.index else None) for row in rows.itertuples()
    )
    table(head, body, style)
    if len(worth):
        st.caption(plain(worth_words.basis(worth), 400), help=plain(worth_words.help_text(worth), 2000))


def grey(points: DataFrame, pins: tuple[str, ...], group: str) -> None:
    """Which published schemes are grey, and the way to their colour; nothing where none is."""
    if told := findings.budget.grey(points, pins, group):
        st.caption(plain(told, 600))


def table(head: str, body: str, style: Style) -> None:
    """Rows of HTML in the look of the side panel."""
    look = _LOOK.format(muted=style.surface.muted, border=style.surface.border)
    st.html(f'{look}<table class="values"><thead>{head}</thead><tbody>{body}</tbody></table>')


def mark(label: str, style: Style, pins: tuple[str, ...]) -> str:
    """The mark of a line in the table."""
    colour, symbol, _ = style.mark(label, pins)
    return f'<i style="color:{colour}">{GLYPHS[symbol]}</i>'


def distance(points: DataFrame, label: str, at: int, style: Style) -> None:
    """The mean distances of stolen and unrelated models by one combination, and whether they come closer together."""
    if views.budget.distance_rows(points, label).empty:
        states.not_drawn({label: "no distances are recorded"})
        return
    with frame.tall(key="hero-beside") if style.stage else st.container():
        figure, alt = plots.distances.figure(points, label, at=at, style=style), findings.budget.distances_alt(points, label)
        export.chart(figure, "distances", "distances", style, alt, height="stretch" if style.stage else "content")
    (st.markdown if style.stage else st.caption)(plain(f"{_GUESS} {findings.budget.distances_finding(points, label)}", 600))


def _row(row: tuple, style: Style, pins: tuple[str, ...], worth: Series | None) -> str:
    name = f"{mark(row.label, style, pins)}<b>{escape(row.label).replace(VARIANT, f'<wbr>{VARIANT}')}</b>"
    if math.isnan(row.value):
        return f'<tr><td colspan="3">{name}<br><small>{escape(row.reason or "no value")}</small></td></tr>'
    interval, rank = (
        ("", "") if worth is None else (worth_words.interval(worth["low"], worth["high"]), worth_words.rank(worth))
    )
    under = f'<br><small title="{escape(worth["method"])}">{interval}</small>' if interval else ""
    place = f"<br><small>{rank}</small>" if rank else ""
    return (
        f"<tr><td>{name}{place}</td><td>{words.precise(row.value, row.spread)}{under}</td><td>{_gap(row, worth)}</td></tr>"
    )


def _gap(row: tuple, worth: Series | None) -> str:
    if not isinstance(row.verdict, str):
        return ""
    number = words.points(row.gap).removesuffix(" points")
    if worth is not None and isinstance(worth["verdict"], str):
        told, why = worth_words.short(worth["verdict"]), escape(worth_words.verdict(worth))
        return f'<span title="{why}">{number}</span><br><small title="{why}">{told}</small>'
    if row.verdict == "not distinguished":
        return f'<small title="within two standard errors over query seeds">≈ {number}</small>'
    return f'<b title="{row.verdict} by more than two standard errors over query seeds, on the same models">{number}</b>'


_LOOK = """
<style>
.values {{ width: 100%; table-layout: fixed; border-collapse: collapse; font-size: .9rem; }}
.values th {{ color: {muted}; font-weight: 400; }}
.values th:nth-child(2) {{ width: 33%; }}
.values th:nth-child(3) {{ width: 22%; }}
.values {{ font-variant-numeric: tabular-nums; }}
.values td, .values th {{ padding: .4rem .2rem; border-bottom: 1px solid {border}; text-align: right; vertical-align: top; }}
.values td:first-child, .values th:first-child {{ text-align: left; overflow-wrap: anywhere; }}
.values i {{ display: inline-block; width: 1.4em; font-style: normal; }}
.values small {{ color: {muted}; font-size: inherit; }}
.values td:last-child small {{ font-size: .8em; }}
</style>
"""
