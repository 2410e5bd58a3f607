"""Links: a view as text, and what a link, or an older choice, asks for that is not there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import streamlit as st

from pages.ui import notice

SWITCH = ("true", "false", "True", "False")

# Once for every arrival at a page. Just after a click it waits: where that asked for another page, a message from this one
# would call it back.
_SETTLE = """
let told;
export default function ({ data, setTriggerValue }) {
    const tell = () => {
        if (told !== data) setTriggerValue('there', true);
        told = data;
    };
    const timer = setTimeout(tell, Math.max(0, (history.clicked ?? -Infinity) + 5000 - performance.now()));
    return () => clearTimeout(timer);
}
"""

Value = str | int | bool | list[str]


@dataclass(frozen=True)
class Target:
    """A view: a page, and what its controls say.

    Attributes:
        page: name of the page, as in `frame.PAGES`.
        values: key of a control to its value.
    """

    page: str
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def query(self) -> list[tuple[str, str]]:
        """The values as a link has them."""
        found = []
        for key, value in self.values.items():
            for one in value if isinstance(value, list) else [value]:
                found.append((key, str(one).lower() if isinstance(one, bool) else str(one)))
        return found

    @property
    def link(self) -> str:
        """The view below the address of the app."""
        return f"{self.page}?{urlencode(self.query)}"


def check(key: str, options: Sequence[object], what: str, most: int = 1) -> None:
    """Note what the link asks for in vain, before the widget of that key drops it without a word.

    Args:
        key: of the widget, and of the link.
        options: what the widget offers.
        what: the thing in words.
        most: how many values the widget takes.
    """
    known, asked = set(map(str, options)), st.query_params.get_all(key)
    known.add(st.session_state.get("gone", ""))  # the link still names a bench that was deleted a moment ago
    notes = [f"{what} {cut(value)}" for value in asked if value and value not in known]
    notes += [f"all but {most} of {len(asked)} {what}s"] * (len(asked) > most)
    note(*notes)
    st.session_state.setdefault("drawn", {})[key] = tuple(options)
    _forget(key, options)


def settle() -> None:
    """Make what the controls took from a link stay.

    Streamlit keeps such a value from the next message of the browser on; if that one asks for another page, the value is
    lost. So the browser sends a message that changes nothing as soon as the page is there. Where code has set the controls
    the page is run again, because only then Streamlit lets the link follow.
    """
    arrival = st.session_state.get("unsettled")
    if arrival:
        st.components.v2.component("settle", js=_SETTLE)(key="settle", data=arrival, on_there_change=_settled)


def carry() -> None:
    """Keep what the controls say, where the next page is asked for before the browser has sent its message."""
    if st.session_state.get("unsettled"):
        _hold()
        st.session_state["unsaid"] = True


def _settled() -> None:
    st.session_state.pop("unsettled", None)
    if st.session_state.pop("unsaid", False):
        _hold()


def _hold() -> None:
    """Set the controls to what they say, as code does."""
    said = {key: st.session_state[key] for key in st.session_state.get("linked", ()) if key in st.session_state}
    st.session_state.update(said)


def note(*missing: str) -> None:
    """Remember what the link asks for in vain."""
    st.session_state.setdefault("left_out", []).extend(missing)


def report() -> dict[str, str]:
    """Say what was left out, once.

    Returns:
        what the controls of the page say, each by its key.
    """
    notes = [*dict.fromkeys(st.session_state.pop("left_out", []))]
    if notes and notes != st.session_state.get("reported"):
        notice.say(f"Not found here, so left out: {', '.join(notes)}.")
    st.session_state["reported"] = notes
    drawn = st.session_state.pop("drawn", {})
    said = {key: st.session_state[key] for key in drawn if key in st.session_state}
    st.session_state.setdefault("chosen", {}).update({(key, drawn[key]): value for key, value in said.items()})
    st.session_state["linked"] = [*said]
    return {key: str(value) for key, value in said.items()}


def cut(text: str, longest: int = 60) -> str:
    """A text from outside, no longer than there is room."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def plain(text: str, longest: int = 60) -> str:
    """A text from outside as Markdown that shows it as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", cut(text, longest))  # all ASCII punctuation


def _forget(key: str, options: Sequence[object]) -> None:
    """Drop a choice that another page or benchmark offered, so that the link does not keep it either. What was chosen among
    these options before comes back.
    """
    held = st.session_state.get(key)
    if isinstance(held, list):
        kept = [value for value in held if value in options]
        if kept != held:
            st.session_state[key] = kept
    elif held is not None and not isinstance(held, bool) and held not in options:
        st.session_state[key] = st.session_state.get("chosen", {}).get((key, tuple(options)), next(iter(options)))
