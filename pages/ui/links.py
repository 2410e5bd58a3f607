"""Links: a view as text, and what a link, or an older choice, asks for that is not there."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitAPIException

from pages.ui import notice

SWITCH = ("true", "false", "True", "False")

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
    said = st.session_state.get("unsaid", {}).get(key)
    if said and known.issuperset(said):
        with suppress(StreamlitAPIException):  # of a control that is drawn already, and writes its part itself
            st.query_params[key] = said[:most]
    st.session_state.setdefault("drawn", {})[key] = tuple(options)
    _one_or_several(key, most)
    _forget(key, options)


def arrive(link: Mapping[str, list[str]]) -> None:
    """A page is opened: keep what the controls of the page left behind say, where Streamlit would not. It keeps what a
    control took from a link from the next message of the browser on, and that may be the click on another page.

    The controls are set here and write their parts of the link as they are drawn. The browser is asked for nothing: a
    message of its own, under way at the moment of a click, would name the page left behind and call it back.

    Args:
        link: what the link of the page opened says.
    """
    left = st.session_state.get("unsettled", {})
    keys = {*st.session_state.pop("linked", ()), *st.session_state.pop("drawn", ())} & set(left)
    st.session_state.update({key: st.session_state[key] for key in keys if key in st.session_state})
    unsaid = st.session_state.setdefault("unsaid", {})
    unsaid.update({key: left[key] for key in keys})
    st.session_state["unsettled"] = {**unsaid, **link}


def stay() -> None:
    """The page is run again. If it was drawn to its end before, Streamlit keeps what its controls took from the link."""
    if "linked" in st.session_state:
        st.session_state["unsettled"] = st.session_state["unsaid"] = {}


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


def _one_or_several(key: str, most: int) -> None:
    """Where one page takes a single choice and another one several: what one of them says holds on the other. Whoever comes
    back without another choice finds all of them.
    """
    held, before = st.session_state.get(key), st.session_state.setdefault("several", {})
    if most > 1 and isinstance(held, str):
        several = before.pop(key, [])
        st.session_state[key] = several if held in several[:1] else [held]
    elif most == 1 and isinstance(held, list):
        before[key] = held
        st.session_state[key] = held[0] if held else None


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
