"""One query, large: every picture of it, and how sure both models are."""

from collections.abc import Mapping
from html import escape

import numpy as np
import streamlit as st

from pages.ui import links, progress
from pages.ui.queries import gallery, sides
from qurd_core import plots
from qurd_core.findings.language import words
from qurd_core.records.scheme_table import LEVELS
from qurd_core.statistics.printed import fixed
from qurd_core.views.query_sets import QuerySet

MASKED = 24  # masked images shown
_CLOSELY = "closely"  # the query that is looked at: its side, what that shows, its number


def choose(name: str, asked: sides.Asked, number: int) -> None:
    """Look closely at a query of a side: a callback."""
    st.session_state[_CLOSELY] = (name, asked, number)


def show(name: str, side: sides.Side, reveal: str) -> None:
    """The dialog, while a query of this side is looked at.

    Args:
        reveal: what the suspect reveals, one of `LEVELS`.
    """
    chosen = st.session_state.get(_CLOSELY)
    if chosen and chosen[:2] == (name, side.asked):
        _dialog(side.asked, side.queries, chosen[2], reveal)


def _forget() -> None:
    del st.session_state[_CLOSELY]


@st.dialog("A query, closely", width="large", on_dismiss=_forget)
def _dialog(asked: sides.Asked, queries: QuerySet, number: int, reveal: str) -> None:
    fact = queries.facts(asked.budget).iloc[number]
    found = gallery.pictures(queries, fact)
    shown = "".join(gallery.picture(*one) for one in found)
    row = f'<div class="row">{gallery.place(fact)}{shown}</div>'
    st.html(f'<div class="card large" style="{gallery.room(fact, len(found))}">{row}</div>')
    st.html(f"<p class='said'>{gallery.verdict(queries, fact)}</p>")
    st.caption(links.plain(_about(asked, fact), 400))
    if queries.story == "masked":
        st.html(_masks(queries, fact))
    side = sides.Side(asked, queries) if "victim_probits" in queries.more else sides.made(asked, "closer")
    _bars(side, int(fact["main"]), reveal)


def _bars(side: sides.Side, row: int, reveal: str) -> None:
    """How probable each class is to the victim, and to a suspect that reveals so much; asked for if nobody has."""
    if side.trouble:
        progress.trouble(side.trouble, side.job, "closer")
    elif side.queries is None:
        progress.wait(side.job, "Asking both models", "closer")
    else:
        told = LEVELS[reveal] >= LEVELS["probits"]
        probits = {role: side.queries.more[f"{role}_probits"][row] for role in ("victim", *["suspect"] * told)}
        st.html(bars(side.queries.classes, probits))
        if not told:
            st.caption(f"A bar of the suspect {words.needs('probits', reveal)}.")


def bars(classes: tuple[str, ...], probits: Mapping[str, np.ndarray]) -> str:
    """A table of a bar per class and model, the largest first.

    Args:
        probits: (C,) of the `victim`, and of the `suspect` if they are known.
    """
    head = f"<tr><th>class</th>{''.join(f'<th>{role}</th>' for role in probits)}</tr>"
    rows = "".join(
        f"<tr><td>{escape(classes[at])}</td>{''.join(_bar(of[at], role) for role, of in probits.items())}</tr>"
        for at in np.argsort(-np.max([*probits.values()], axis=0), kind="stable")
    )
    return f'<table class="bars">{head}{rows}</table>'


def _bar(share: float, role: str) -> str:
    return f'<td><i class="{role}" style="width:{70 * share:.1f}%"></i> {fixed(100 * share, 0)}%</td>'


def _about(asked: sides.Asked, fact: dict) -> str:
    where = f"patch of {fact['photograph']}, {fact['side']} pixels wide, " if fact["photograph"] else ""
    return f"{asked.sampler}: {where}seed image {fact['seed']}, query {fact['main'] + 1} in the order of sending"


def _masks(queries: QuerySet, fact: dict) -> str:
    """The first masked images of a group, each with its verdict."""
    rows = range(fact["first"], min(fact["first"] + MASKED, fact["last"] + 1))
    tiles = "".join(
        gallery.picture(
            plots.pictures.address(queries.pixels[row]), gallery.mark(bool(queries.victim[row] == queries.suspect[row]))
        )
        for row in rows
    )
    return f'<div class="card tiles"><div class="row">{tiles}</div></div>'
