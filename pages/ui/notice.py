"""A notice: what a visitor must be told in passing. It stands over the page until it is closed or another view is shown.

Streamlit's own toasts may go before a page that takes a second or two to draw is read.
"""

from collections.abc import Mapping
from html import escape

import streamlit as st

KEY = "notice"

_LOOK = """
<style>
.st-key-notice { position: fixed; bottom: 5.5rem; right: 1rem; z-index: 999; width: min(28rem, 90vw) !important;
  flex-wrap: nowrap !important; padding: .5rem .6rem .5rem 1rem; border: 1px solid %s; border-radius: .6rem;
  background: %s; }
.st-key-notice p { margin: 0; overflow-wrap: anywhere; }
.st-key-notice > :first-child { flex: 1; min-width: 0; }
</style>
"""


def say(text: str) -> None:
    """Tell the visitor something at the end of this run; from callbacks, too."""
    st.session_state[KEY] = text, {}


def show(view: Mapping[str, str], border: str, background: str) -> None:
    """Draw the notice, if there is one and the view is the one that it was first shown beside.

    Args:
        view: what the controls say, each by its key.
        border, background: colours.
    """
    text, beside = st.session_state.pop(KEY, ("", {}))
    if not text or any(view.get(key, value) != value for key, value in beside.items()):
        return
    st.session_state[KEY] = text, view
    st.html(_LOOK % (border, background))
    with st.container(key=KEY, horizontal=True, vertical_alignment="center"):
        st.html(f'<p role="status">{escape(text)}</p>')
        st.button("Close", key="notice_close", type="tertiary", on_click=_close)


def _close() -> None:
    st.session_state.pop(KEY, None)
