"""The side panel of the Compose page: the picked combination in words, its value, and its curve."""

import math
from html import escape

import streamlit as st
from pandas import DataFrame

from pages.ui import cards, controls, links, running
from pages.ui.compose import spark
from pages.ui.compose.compose_controls import PARTS, explained
from qurd_core import views
from qurd_core.findings.language import words, worth_words
from qurd_core.jobs.queue import Job
from qurd_core.plots.drawing.theme import GLYPHS, SCHEMES, Style
from qurd_core.schemes import REFERENCE, Scheme, describe
from qurd_core.statistics.metrics import Rule
from qurd_core.views.heatmap import Pick, Value


def title(pick: Pick, style: Style) -> None:
    """The name, with its mark."""
    named = pick.label in SCHEMES
    colour, symbol, _ = style.mark(pick.label) if named else (style.surface.ink, "circle", "")
    name = "Unpublished combination" if pick.label == pick.scheme else pick.label
    mark = f"<i style='color:{colour}'>{GLYPHS.get(symbol, '●')}</i>" if named else ""
    st.html(f"{_LOOK.format(muted=style.surface.muted)}<div class='mix'><h3>{mark} {escape(name)}</h3></div>")


def about(scheme: Scheme, style: Style) -> None:
    """What sampler, representation and detector do."""
    lines = {part: explained(part, getattr(scheme, part).name).rstrip(".") for part in PARTS}
    body = "".join(f"<dt>{_LETTERS[part]}</dt><dd>{escape(text)}.</dd>" for part, text in lines.items())
    st.html(f"{_LOOK.format(muted=style.surface.muted)}<div class='mix'><dl>{body}</dl></div>")
    told = describe(scheme)
    if told["reconstruction"]:
        st.caption(links.plain(f"A reconstruction. {told['reconstruction']}", 400))


def number(value: Value | None, reference: Value | None, pick: Pick, at: int, refused: str) -> None:
    """The value with its spread, and the gap to the reference in points.

    Args:
        refused: why the suspect's answers do not allow the combination; empty where they do.
    """
    if refused:
        st.caption(links.plain(f"{refused[:1].upper()}{refused[1:]}.", 300))
    if value is None or math.isnan(value.value):
        why = (value.reason if value else None) or views.heatmap.NOWHERE
        st.caption(links.plain(f"{why[:1].upper()}{why[1:].rstrip('.')}.", 300))
        return
    known = reference is not None and not math.isnan(reference.value) and pick.label != REFERENCE
    difference = value.value - reference.value if known else 0.0
    gap = words.apart(difference, REFERENCE) if known else None
    look = {"delta_color": "green", "delta_arrow": "up"} if difference > 0 else {"delta_color": "red", "delta_arrow": "down"}
    seeds = f"live, {value.live} query seeds" if value.live else words.counted(value.seeds, "query seed")
    st.metric(f"TPR@5% at {at} queries · {seeds}", words.precise(value.value, value.spread), gap, **look)
    if between := worth_words.interval(value.low, value.high):
        against = f"; {words.PHRASES[value.verdict][0]} {REFERENCE}" if value.verdict else ""
        st.caption(f"95 % interval over models: {between}{against}")


def curve(points: DataFrame, reference: DataFrame, at: int, pick: Pick, style: Style) -> None:
    """Its values over budgets, the reference dashed."""
    st.html(spark.curve(points, reference, at, label=pick.label, style=style))


def pin(pick: Pick, recorded: bool) -> None:
    """Keep the combination on all pages, or let it go."""
    held = pick.label in st.session_state.get("pin", [])
    st.button(
        "Unpin" if held else "Pin",
        icon=":material/keep_off:" if held else ":material/keep:",
        key="keep",
        disabled=not recorded,
        help="Pinned combinations have a line of their own on the Budget page." if recorded else _UNPINNED,
        on_click=controls.turn_pins,
        args=[{pick.label}],
    )


def card(benchmark: str, scheme: Scheme, run: Job | None, at: int, style: Style, rule: Rule, *, known: bool) -> None:
    """The scheme's card, opened on demand.

    Args:
        run: where its numbers are, if they are not in the records.
        known: whether there are any.
    """
    going = run is not None and running.busy(run)  # every seed of it draws the page anew, which would close the card
    if st.button("Card", icon=":material/badge:", key="card", disabled=going or not known, help=_LATER if going else None):
        _card(benchmark, scheme, run, at, style, rule)


@st.dialog("Scheme", width="medium")
def _card(benchmark: str, scheme: Scheme, run: Job | None, at: int, style: Style, rule: Rule) -> None:
    if run:
        cards.show_run(scheme, run, at, style=style, rule=rule)
    else:
        cards.show(benchmark, scheme.name or str(scheme), at, style=style, rule=rule)


_LETTERS = {"seeds": "Q", "craft": "", "representation": "R", "detector": "D"}
_LATER = "Opens when the run has ended."
_UNPINNED = "Other pages show what is in the records, and this combination is not in them."


_LOOK = """
<style>
.mix h3 {{ padding: 0; margin: 0; font-size: 1.15rem; overflow-wrap: anywhere; }}
.mix i {{ font-style: normal; }}
.mix dl {{ display: grid; grid-template-columns: 1.2rem 1fr; gap: .1rem .2rem; margin: 0; padding: 0; line-height: 1.3; }}
.mix dd, .mix dt {{ padding: 0; }}
.mix dl * {{ font-size: .85rem; }}
.mix dt {{ font-weight: 700; margin: 0; }}
.mix dd {{ margin: 0; color: {muted}; }}
</style>
"""
