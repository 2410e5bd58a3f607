"""The suspect, as every page asks about it: what it reveals, and what stands before it."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import streamlit as st

from pages.ui import cached, controls, links
from qurd_core.findings.language import words
from qurd_core.findings.language.obfuscation_names import aside, said
from qurd_core.records.obfuscation_records import PLAIN, WORST, Behind
from qurd_core.records.scheme_table import LEVELS

USUAL = "logits"  # is revealed unless something else is chosen
NOTHING = "nothing"  # stands before a suspect unless something else is chosen


class Suspect(NamedTuple):
    """What the controls say.

    Attributes:
        reveal: what it reveals to whoever queries it, one of `LEVELS`.
        behind: what stands before it.
    """

    reveal: str = USUAL
    behind: Behind = PLAIN

    @property
    def hidden(self) -> bool:
        """Whether something stands before it."""
        return self.behind != PLAIN


def held(benchmark: str) -> Suspect:
    """What the controls will say, before they are drawn."""
    reveal, by, pool = (st.session_state.get(key, st.query_params.get(key)) for key in ("reveal", "behind", "behind_pool"))
    known = cached.obfuscations(benchmark)
    behind = Behind(by, str(pool).lower() == "true") if known and by in (*known, WORST) else PLAIN
    return Suspect(reveal if reveal in LEVELS else USUAL, behind)


def choose(benchmark: str, width: int | Literal["stretch"] = "stretch") -> Suspect:
    """One popover for all that is known of the suspect; its button says what is not as usual."""
    before = held(benchmark)
    with (
        st.container(width=width, height="stretch", vertical_alignment="bottom"),
        st.popover(_button(before), width="stretch", key="open-suspect", help=_MEANING),
    ):
        return Suspect(_reveals(), _behind(cached.obfuscations(benchmark)))


def revealed(benchmark: str) -> str:
    """The same where nothing stands before suspects: what the suspect reveals, one of `LEVELS`."""
    told = words.REVEALED[held(benchmark).reveal]
    with (
        st.container(height="stretch", vertical_alignment="bottom"),
        st.popover(f"Suspect reveals **{told}**", width="stretch", key="open-suspect", help=_REVEALS),
    ):
        return _reveals()


def about(suspect: Suspect) -> str:
    """What stands before whom, for the line under a headline; empty where nothing does."""
    if not suspect.hidden:
        return ""
    by, pool = suspect.behind
    who = "stolen and unrelated models behind it" if pool else "stolen models behind it, unrelated ones as they are"
    what = "each scheme behind the obfuscation that hurts it most" if by == WORST else said(by)
    return f"{what}: {who}"


def _reveals() -> str:
    return controls.segments("Reveals", [*LEVELS], "reveal", "answer", words.REVEALED.get, default=USUAL)


def _behind(known: Sequence[str]) -> Behind:
    """What stands before suspects, of what is recorded; a choice that nothing is recorded of waits for another benchmark."""
    if not known:
        links.note(*(f"obfuscation {links.cut(by)}" for by in st.query_params.get_all("behind") if by not in ("", NOTHING)))
        st.selectbox("Stands behind", [NOTHING], key="behind-none", disabled=True, help=_UNRECORDED)
        return PLAIN
    options = [NOTHING, *known, WORST]
    by = controls.select("Stands behind", options, "behind", "obfuscation", _called, help=lambda by: _BEHIND)
    plain = by == NOTHING
    pool = controls.switch("Unrelated models stand behind it, too", "behind_pool", disabled=plain, help=_POOL)
    return PLAIN if plain else Behind(by, pool)


def _called(by: str) -> str:
    return {WORST: "worst known, for each scheme", NOTHING: NOTHING}.get(by) or said(by)


def _button(suspect: Suspect) -> str:
    """`Suspect: labels, behind JPEG`."""
    by = suspect.behind.by
    parts = [words.REVEALED[suspect.reveal].replace("top-k labels", "top-k")] * (suspect.reveal != USUAL)
    parts += ["at worst"] if by == WORST else [f"behind {aside(by).partition(' (')[0]}"] * bool(by)
    return f"Suspect **{links.plain(', '.join(parts), 40)}**" if parts else "Suspect"


_REVEALS = "What the suspect reveals to whoever queries it. What needs more is grey, with the reason."
_MEANING = "What the suspect reveals, and what stands before it. What does not fit is not shown, with the reason."
_BEHIND = (
    "A thief may put something between the stolen model and whoever asks it. Worst known is for each scheme, at each budget,"
    " the recorded obfuscation behind which it catches least."
)
_UNRECORDED = (
    "Nothing is recorded behind obfuscations here. For an embedded benchmark `qurd sweep --obfuscations` records it; any"
    " other one with models can be run with `--obfuscate`."
)
_POOL = "The threshold then comes from unrelated models that answer through the same."
