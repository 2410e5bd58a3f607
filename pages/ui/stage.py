"""Stage mode: large type, nothing but the headline and the chart, and stories that are told step by step."""

from collections.abc import Callable

import streamlit as st

from pages.ui import links, story
from pages.ui.hosting import visitor

PLAYS, LAST = "Next starts it.", "The last step: Esc leaves the stage."
NO_CODE = "Opened by an address that phones in the room can reach, the app shows a code of this link here."

# Streamlit has no presentation mode and cannot change its font size while it runs. These test ids are not promised to stay:
# a browser test looks at the result. Charts and type are made for a wall of 1920x1080 and grow or shrink with the window, so
# that all of them are as large on the wall whatever the projector. The chart takes the room that the words leave.
_STYLE = """
<style>
:root { --scale: 1; }
html { font-size: calc(23px * var(--scale)) !important; }
[data-testid="stHeader"], .st-key-tools, .st-key-stories, [class*=st-key-controls], .st-key-subline {
  display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 1.2rem 2rem 1rem !important; height: 100vh; }
[data-testid="stMainBlockContainer"] h2 { padding: 0 !important; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { height: 100%; }
[data-testid="stMainBlockContainer"] > * *:has([class*=st-key-hero]):not([data-testid="stColumn"]) { flex: 1 1 0 !important;
  min-height: 0; height: auto; }
[data-testid="stHorizontalBlock"]:has([class*=st-key-hero]) { align-items: stretch; }
[data-testid="stColumn"]:has([class*=st-key-hero]) { display: flex; flex-direction: column; }
div:has(> [class*=st-key-hero]) { position: relative; overflow: clip; }
[class*=st-key-hero] { position: absolute; max-width: none !important; overflow: clip;
  width: calc(100% / var(--scale)) !important; height: calc(100% / var(--scale)) !important; }
[class*=st-key-hero] .js-plotly-plot { transform: scale(var(--scale)); transform-origin: 0 0; }
.st-key-leave { position: fixed; left: -100vw; }
</style>
"""

# The sentence of a step stands below the chart; the code of the last above it.
_BAR = """
<style>
div:has(> .st-key-story) { order: 1; margin-top: auto; }
.st-key-story { position: relative; flex-wrap: nowrap !important; }
.st-key-code { position: absolute; right: 0; bottom: 100%; width: auto !important; }
.st-key-story button { opacity: .45; }
.st-key-story button:hover, .st-key-story button:focus-visible { opacity: 1; }
</style>
"""

# The scale as a number, which not every browser computes from lengths.
_SCALE = """
export default function () {
    const root = document.documentElement.style;
    const fit = () => root.setProperty('--scale', Math.min(innerWidth / 1920, innerHeight / 1080));
    fit();
    addEventListener('resize', fit);
    return () => { removeEventListener('resize', fit); root.removeProperty('--scale'); };
}
"""

# Streamlit's own shortcuts do nothing while a control has the focus, and a press during a run is lost. Where the link asks
# for it the next step comes by itself once the step has stood still for so many seconds. A clicker has no other key: where
# there is something to play, the first press plays it.
_KEYS = """
export default function ({ data }) {
    const press = { Escape: 'leave', ArrowRight: 'next', PageDown: 'next', ArrowLeft: 'back', PageUp: 'back' };
    const reel = () => document.querySelector('.st-key-hero .js-plotly-plot:has(.updatemenu-button)');
    const plays = () => reel()?._transitionData?._animationRaf;
    const busy = () => document.querySelector('[data-test-script-state=running]');
    const waiting = [], rest = 400;  // milliseconds until a click has surely started a run
    let clicked = -rest;
    let step, still, played;
    const play = () => {
        const button = reel()?.querySelector('.updatemenu-button');
        if (!button || played === location.href) return false;
        played = location.href;
        button.dispatchEvent(new MouseEvent('click', { bubbles: true }));
        return true;
    };
    const go = () => {
        if (!waiting.length || busy() || performance.now() - clicked < rest) return;
        clicked = performance.now();
        const wish = waiting.shift();
        if (wish === 'next' && play()) return;
        const button = document.querySelector(`.st-key-stage_${wish} button`);
        if (button && !button.disabled) button.click();
    };
    const on = event => {
        const writes = event.target.closest?.('input, textarea, [contenteditable], [role=dialog], [role=slider]');
        if (!(event.key in press) || writes || event.ctrlKey || event.altKey || event.metaKey) return;
        const goes = document.querySelector(`.st-key-stage_${press[event.key]} button`);
        if (!goes && !(press[event.key] === 'next' && reel())) return;
        event.preventDefault();
        event.stopPropagation();
        document.activeElement?.blur();
        waiting.push(press[event.key]);
        go();
    };
    const advance = () => {
        const asked = new URLSearchParams(location.search).get('step');
        if (busy() || plays() || asked !== step) [step, still] = [asked, performance.now()];
        if (data.auto && performance.now() - still > 1000 * data.auto) {
            still = performance.now();
            waiting.push('next');
        }
    };
    const timer = setInterval(() => { advance(); go(); }, 80);
    document.addEventListener('keydown', on, { capture: true });
    return () => { clearInterval(timer); document.removeEventListener('keydown', on, { capture: true }); };
}
"""


def set_up(go: Callable[[links.Target], None]) -> None:
    """Change the page's look; Esc leaves the stage, Left and Right (or a clicker) walk through the story of the link."""
    st.html(_STYLE)
    with st.container(key="leave"):
        st.button("Leave the stage", key="stage_leave", on_click=st.session_state.update, args=[{"stage": False}])
        st.components.v2.component("stage_scale", js=_SCALE)(key="stage_scale")
        st.components.v2.component("stage_keys", js=_KEYS)(key="stage_keys", data={"auto": story.auto()})
    step = story.asked()
    if step is None:
        return
    steps = story.read(st.query_params["story"])
    at = steps.index(step)
    st.html(_BAR)
    before, after = steps[max(at - 1, 0)].target, steps[min(at + 1, len(steps) - 1)].target
    last = at + 1 == len(steps)
    hints = [PLAYS] * step.plays + [LAST] * last
    hints += [NO_CODE] * (last and visitor.opens_here(st.context.url or ""))
    with st.container(horizontal=True, vertical_alignment="center", key="story"):
        st.button("Back", key="stage_back", disabled=at == 0, on_click=go, args=[before])
        said = " ".join([links.plain(step.say, 300), *(f":gray[{hint}]" for hint in hints)])
        st.markdown(f"**{at + 1} / {len(steps)}** · {said}", width="stretch")
        st.button("End" if last else "Next", key="stage_next", disabled=last, on_click=go, args=[after])
        if last:
            story.code(step.target)
