"""Stage mode: large type, nothing but the headline and the chart, and stories that are told step by step."""

from collections.abc import Callable

import streamlit as st

from pages.ui import links, story

# Streamlit has no presentation mode and cannot change its font size while it runs. These test ids are not promised to stay:
# a browser test looks at the result.
_STYLE = """
<style>
html { font-size: 23px !important; }
[data-testid="stHeader"], .st-key-tools, .st-key-stories, .st-key-controls, .st-key-subline { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 1.2rem 2rem 0.5rem !important; }
[data-testid="stMainBlockContainer"] h2 { padding: 0 !important; }
.st-key-leave { position: fixed; left: -100vw; }
.st-key-story { position: fixed; left: 2rem; right: 2rem; bottom: .4rem; width: auto !important; z-index: 100; }
.st-key-story button { opacity: .25; }
.st-key-story button:hover, .st-key-story button:focus-visible { opacity: 1; }
</style>
"""


def set_up(go: Callable[[links.Target], None]) -> None:
    """Change the page's look; Esc leaves the stage, Left and Right walk through the story of the link."""
    st.html(_STYLE)
    with st.container(key="leave"):
        st.button("Leave the stage", shortcut="Esc", on_click=_leave)
    links.check("story", story.names(), "story")
    step = story.asked()
    if step is None:
        return
    steps = story.read(st.query_params["story"])
    at = steps.index(step)
    before, after = steps[max(at - 1, 0)].target, steps[min(at + 1, len(steps) - 1)].target
    with st.container(horizontal=True, vertical_alignment="center", key="story"):
        st.button("Back", shortcut="Left", disabled=at == 0, on_click=go, args=[before])
        st.markdown(f"**{at + 1} / {len(steps)}** · {links.plain(step.say, 300)}", width="stretch")
        if at + 1 == len(steps):
            story.code(step.target)
        st.button("Next", shortcut="Right", disabled=at + 1 == len(steps), on_click=go, args=[after])


def _leave() -> None:
    st.session_state["stage"] = False
