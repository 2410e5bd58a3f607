"""The suspect, as every page asks about it: what it reveals."""

from typing import Literal, NamedTuple

import streamlit as st

from pages.ui import controls, links
from qurd_core.findings.language import words
from qurd_core.records.scheme_table import LEVELS

USUAL = "logits"  # is revealed unless something else is chosen


class Suspect(NamedTuple):
    """What the controls say.

    Attributes:
        reveal: what it reveals to whoever queries it, one of `LEVELS`.
    """

    reveal: str = USUAL


def choose(width: int | Literal["stretch"] = "stretch") -> Suspect:
    """One popover for all that is known of the suspect; its button says what is not as usual."""
    held = st.session_state.get("reveal", st.query_params.get("reveal"))
    state = f"Suspect **{links.plain(words.REVEALED[held])}**" if held in LEVELS and held != USUAL else "Suspect"
    with (
        st.container(width=width, height="stretch", vertical_alignment="bottom"),
        st.popover(state, width="stretch", key="open-suspect", help=_MEANING),
    ):
        reveal = controls.segments("Reveals", [*LEVELS], "reveal", "answer", words.REVEALED.get, default=USUAL)
    return Suspect(reveal)


_MEANING = "What the suspect reveals. A scheme that needs more is not shown, with the reason."
