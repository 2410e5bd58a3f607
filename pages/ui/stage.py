"""Stage mode: large type and nothing but the headline and the chart."""

import streamlit as st

# Streamlit has no presentation mode and cannot change its font size while it runs. These test ids are not promised to stay:
# a browser test looks at the result.
_STYLE = """
<style>
html { font-size: 23px !important; }
[data-testid="stHeader"], .st-key-tools, .st-key-controls, .st-key-subline { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 1.2rem 2rem 0.5rem !important; }
[data-testid="stMainBlockContainer"] h2 { padding: 0 !important; }
.st-key-leave { position: fixed; left: -100vw; }
</style>
"""


def set_up() -> None:
    """Change the page's look; Esc leaves the stage."""
    st.html(_STYLE)
    with st.container(key="leave"):
        st.button("Leave the stage", shortcut="Esc", on_click=_leave)


def _leave() -> None:
    st.session_state["stage"] = False
