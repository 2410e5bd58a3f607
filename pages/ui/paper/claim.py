"""One claim of the paper: its words, what it printed, what its scores give, and the view that shows it."""

from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qs

import streamlit as st

from pages.ui import controls, frame, links
from qurd_core import findings, plots
from qurd_core.findings.language.again import Again
from qurd_core.paper.row import Claim
from qurd_core.plots.drawing.theme import Style


def choose(shown: Sequence[Claim]) -> Claim:
    """The claim that is read."""
    ids = [claim.id for claim in shown]
    chosen = controls.choose("Claim", ids, "claim", said=lambda id: shown[ids.index(id)].claim)
    return shown[ids.index(chosen)]


def show(claim: Claim, style: Style) -> None:
    """The card; on stage without what only a reader needs."""
    hue = plots.paper.colour(claim.verdict, style)
    rows = [("printed", claim.printed), ("from its scores", claim.recomputed)]
    rows += [] if style.stage else [("on the embedded benchmarks", claim.embedded)]
    method = "" if style.stage else f"<small>{_told(claim.method)}</small>"
    terms = "".join(f"<dt>{name}</dt><dd>{_told(text)}</dd>" for name, text in rows)
    st.html(
        f"{_LOOK.format(muted=style.surface.muted, border=style.surface.border, hue=hue)}<div class='claim'>"
        f"<h3>{escape(claim.claim)}</h3><blockquote>“{escape(claim.quote)}”<br><small>{escape(claim.place)}</small></blockquote>"
        f"<p class='verdict'>{plots.paper.GLYPHS[claim.verdict]} {claim.verdict}</p><p>{_told(claim.why)}</p>"
        f"<dl>{terms}</dl>{method}</div>"
    )
    if not style.stage:
        st.button("Show the view", type="primary", on_click=frame.go, args=[target(claim.link)])


def _told(text: str) -> str:
    return escape(findings.paper.told(text))


def again(command: str, call: str) -> Again:
    """What gives a table of the page again."""
    module = call.partition(".")[0]
    uses = f"import pandas as pd\nfrom qurd_core.paper import {module}"
    return Again(f"python -m qurd_core paper {command} --json", f"{uses}\n\ntable = pd.DataFrame({call})")


def read_button(id: str, label: str) -> None:
    """Goes to the card of a claim."""
    st.button(label, on_click=frame.go, args=[links.Target("paper", {"view": "claims", "claim": id})])


def target(link: str) -> links.Target:
    """A link of the app as a view."""
    page, _, query = link.partition("?")
    values = {key: found[0] for key, found in parse_qs(query).items()}
    typed = {key: int(text) if text.isdecimal() else text for key, text in values.items()}
    return links.Target(page, typed)


_LOOK = """
<style>
.claim {{ border: 1px solid {border}; border-radius: .6rem; padding: 1rem 1.2rem; overflow-wrap: anywhere; }}
.claim h3 {{ padding: 0; margin: .2rem 0 .5rem; font-size: 1.15rem; }}
.claim p {{ margin: 0 0 .5rem; }}
.claim .verdict {{ color: {hue}; font-weight: 700; }}
.claim blockquote {{ border-left: 3px solid {border}; margin: 0 0 .6rem; padding: 0 0 0 .7rem; }}
.claim small, .claim dt {{ color: {muted}; font-size: .85rem; font-weight: 400; }}
.claim dl {{ margin: .4rem 0; padding: 0; }}
.claim dt {{ margin: .4rem 0 0; padding: 0; }}
.claim dd {{ margin: 0; padding: 0; font-size: .95rem; }}
</style>
"""
