"""What surrounds every page: the list of pages, the benchmark, the tools and the stage."""

import gc
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui import cached, links, notice, stage, story
from pages.ui.own import bringing, measuring
from qurd_core.benchmarks.saved_benchmarks import from_token, saved_names
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, checked
from qurd_core.plots.drawing.theme import SURFACES, Mode, Style, ink_on
from qurd_core.records.rate_records import EMBEDDED, SHIPPED
from qurd_core.views import designer

LOGO = ASSETS / "logo"
# In the order of the paper, so that the same row is the talk.
PAGES = ("leaderboard", "benchmark", "compose", "budget", "separability", "queries", "check", "atlas", "paper")
HOME = PAGES[0]
OF_NONE = ("atlas", "paper")  # pages that show no benchmark
ROOMY = 7  # benchmarks that fit beside the tools of a window of 1440 pixels as they are
HEADLINE, SUBLINE = 84, 165  # letters that fit one line of a window of 1440 pixels


class View(NamedTuple):
    """What all pages need to know."""

    benchmark: str
    style: Style


def navigate() -> st.Page:
    """Declare the pages and return the one that was asked for. Nothing of Streamlit may run before."""
    pages = _pages()
    # The default page has no name in links, so it is one of its own that leads to the first page at once.
    door = st.Page(_door, title="Home", url_path="home", default=True, visibility="hidden")
    docs = st.Page("pages/docs.py", title="Documentation", url_path="docs", visibility="hidden")
    page = st.navigation([*pages.values(), docs, door], position="top")
    st.session_state["framed"] = True
    if page == door:
        # Once a control is bound to a part of the link, only the control may set it, and keeps it.
        st.switch_page(pages[HOME], query_params=None if "bench" in st.session_state else _asked())
    _follow(story.asked(), page)
    asked = st.session_state.pop("go", None)
    if asked:
        st.session_state["told"] = asked.link
        if not story.parts(asked):  # the number of a step says it all
            st.session_state["unsaid"] = parse_qs(urlsplit(asked.link).query)
        st.switch_page(pages[asked.page], query_params=story.parts(asked))
    _arrive(page)
    return page


def go(target: links.Target) -> None:
    """Show a view of any page at the next run, as its link would show it in a fresh browser; for callbacks, which cannot
    switch pages themselves.
    """
    for key in set(st.session_state) - set(target.values):
        del st.session_state[key]
    st.session_state["go"] = target
    _hold(target)


def require() -> None:
    """Start again with app.py if it has not run before the page; the first line of every page.

    A server learns from the first call of `st.navigation` that the folder `pages/` is not to be run file by file. Until
    then a deep link runs the page alone.
    """
    if not st.session_state.get("framed"):
        navigate()
        st.rerun()


def draw() -> None:
    """The row above every page: benchmark to the left, room for the page's tools, and the stage switch."""
    st.set_page_config("QuRD Explorer", _mark("icon.png"), "wide", menu_items={"About": _ABOUT})
    if logo := _mark("qurd.svg"):
        st.logo(logo, size="large")
    benches = offered()
    links.check("bench", benches, "benchmark")
    links.check("stage", links.SWITCH, "stage")
    story.follow()
    accent, ink = st.get_option(f"theme.{_mode()}.primaryColor"), SURFACES[_mode()].ink
    st.html(_BAR + _CROWDED * (len(benches) > ROOMY) + _LEGIBLE.format(on_accent=ink_on(accent), ink=ink))
    with st.container(horizontal=True, vertical_alignment="center", key="bar"):
        st.segmented_control(
            "Benchmark",
            benches,
            default=SHIPPED[0],
            required=True,
            key="bench",
            bind="query-params",
            label_visibility="collapsed",
        )
        row = st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center")
    with row:
        st.session_state["tools"] = st.container(
            horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="tools"
        )
        if not st.session_state.get("stage"):
            story.menu(go)  # which would stay open over the stage
        on = st.toggle("Stage", key="stage", bind="query-params")
    if on:
        stage.set_up(go)
    elif st.session_state.get("arrived") in PAGES:
        _say_limits(st.session_state["bench"])
    page = st.session_state.get("arrived")
    if page in set(PAGES).difference(OF_NONE) and not measuring.follow(st.session_state["bench"], page):
        stop()


def offered() -> tuple[str, ...]:
    """The benchmarks to choose from: those that ship, then those that were saved or brought."""
    return (*SHIPPED, *saved_names(), *bringing.offered())


def view() -> View:
    """What the row above the page says, and the colours of the page."""
    return View(st.session_state["bench"], Style(_mode(), st.session_state["stage"]))


def tools() -> st.delta_generator.DeltaGenerator:
    """Where a page puts its definitions and its export."""
    return st.session_state["tools"]


def finding(place: st.delta_generator.DeltaGenerator, headline: str, basis: str) -> None:
    """The headline of a page and what it rests on, in the place kept for them.

    Pages say it before they draw panels and, after those, their chart: the browser shows the words while it still draws.
    """
    st.session_state["wordy"] = 2.6 * (len(headline) > HEADLINE) + 1.6 * (len(basis) > SUBLINE)
    with place:
        st.header(links.plain(headline, 300), anchor=False)
        with st.container(key="subline"):
            st.markdown(f":gray[{links.plain(basis, 600)}]")


def tall(rows: int = 1, key: str = "hero", *, wide: float = 620, high: float = 352) -> st.delta_generator.DeltaGenerator:
    """Room for a chart: what the window leaves, within bounds. In a smaller one it is scrolled to, never overprinted.

    Args:
        rows: of controls above it.
        key: of the hero chart, or one that begins like it.
        wide, high: the least pixels that keep what it says apart.
    """
    if not st.session_state["stage"]:  # which has a rule of its own
        above = 19.5 + 3.5 * rows + st.session_state["wordy"]
        room = f"clamp({high:.0f}px, calc(100vh - {above}rem), max(50rem, {high:.0f}px))"
        basis = f"div:has(> .st-key-hero) {{ flex-basis: {room} !important; }}"
        st.html(f"<style>{basis} .st-key-hero > * {{ min-width: {wide:.0f}px; }}</style>")
    return st.container(key=key, height=540, border=False, gap=None)


def close() -> None:
    """What comes after every page."""
    st.session_state["framed"] = False
    surface = view().style.surface
    said = {"arrived": str(st.session_state.get("arrived"))} | links.report()
    notice.show(said, surface.border, surface.background)
    _settle()


def stop() -> NoReturn:
    """End the page here. After `st.stop` alone nothing that comes after every page would run."""
    close()
    st.stop()


def explain(error: QurdError) -> None:
    """An error as a sentence, with its text to copy; the other pages keep working."""
    with st.container(border=True):
        st.subheader("This page cannot be shown")
        st.text(str(error))
        with st.popover("Copy details"):
            st.code(str(error), language=None, wrap_lines=True)


def _say_limits(bench: str) -> None:
    """What the benchmark rests on, below the page. It is said before the page, which draws its chart last; where tables are
    missing, the page says what to do.
    """
    with st.container(key="limits"), suppress(QurdError):
        st.caption(links.plain(cached.limits(bench), 300))


def _mark(name: str) -> Path | None:
    """A picture of the app's own; None where it was altered, for which no page need fall."""
    try:
        checked(LOGO / name)
    except (OSError, QurdError):
        return None
    return LOGO / name


@st.cache_resource(show_spinner=False)
def _settle() -> None:
    """Set aside what the first page has loaded, once per server: Streamlit collects garbage after every script, and would
    go through all modules each time, which takes longer than most pages do and holds the answer up.
    """
    gc.collect()
    gc.freeze()


def _pages() -> dict[str, st.Page]:
    """The pages by their name in links. Without icons: Streamlit fetches that of `icon=` from the network as the browser's
    icon, and one in a title takes the room of its name, so that six titles do not fit.
    """
    return {name: st.Page(f"pages/{name}.py", title=name.title(), url_path=name) for name in PAGES}


def _arrive(page: st.Page) -> None:
    """What is done once where a link has led to a page: parts that say nothing are dropped, before a control takes nothing
    for a choice, and what the others say is made to stay.
    """
    before = st.session_state.get("arrived")
    if before == page.url_path:
        links.stay()
        return
    asked, run = _asked(), get_script_run_ctx()
    if before and run.is_history_navigation and story.asked() is None:
        _return(page, parse_qs(run.query_string))
    if base := _base(asked):
        links.note(*(f"benchmark {links.cut(name)}" for name in asked.get("bench", ())))
        st.switch_page(page, query_params=asked | {"bench": [base]})
    if len(asked) < len(st.query_params):
        st.switch_page(page, query_params=asked)
    links.arrive({key: values for key, values in asked.items() if key not in ("auto", *story.PARTS)})
    st.session_state["arrived"] = page.url_path


def _base(asked: dict[str, list[str]]) -> str | None:
    """The benchmark of whose pairs a link leaves some out, where it names none, or one that was saved somewhere else."""
    named, out = (asked.get(key, [""])[0] for key in ("bench", "out"))
    if not out or named in offered():
        return None
    with suppress(QurdError):  # of missing tables, which the page tells
        base = next((name for name in EMBEDDED if from_token(out, designer.keys(cached.pairs(name))) is not None), None)
        return base if named or base != SHIPPED[0] else None
    return None


def _return(page: st.Page, asked: dict[str, list[str]]) -> NoReturn:
    """Show a page that the browser goes back to as its link shows it in a fresh browser.

    Streamlit drops the parts of that link that the page left behind has, too, and takes the usual values for them.
    """
    for key in st.session_state:
        del st.session_state[key]
    st.session_state["unsaid"] = {key: asked.pop(key) for key in ("bench", "stage") if key in asked}
    st.session_state["bench"] = st.session_state["unsaid"].get("bench", SHIPPED[:1])[0]
    st.session_state["stage"] = st.session_state["unsaid"].get("stage", [""])[-1].lower() == "true"
    st.switch_page(page, query_params=asked)


def _follow(step: story.Step | None, page: st.Page) -> None:
    """Show the step that a link or the browser's history asks for; not while a click is on its way to another one.

    The number of a step says it all: its controls need not be in the link.
    """
    if step is None or "go" in st.session_state or st.session_state.get("told") == step.target.link:
        return
    if "bench" in st.session_state or step.target.page != page.url_path:
        go(step.target)
    else:
        _hold(step.target)
        st.session_state["told"] = step.target.link


def _hold(target: links.Target) -> None:
    """Set the controls of a view before they are drawn."""
    st.session_state.update({key: value for key, value in target.values.items() if key not in story.PARTS})


def _mode() -> Mode:
    return st.context.theme.type or "light"


def _door() -> None:
    """Nothing is ever shown here."""


def _asked() -> dict[str, list[str]]:
    """What the link says; a part without a value says nothing."""
    found = {key: [value for value in st.query_params.get_all(key) if value] for key in st.query_params}
    return {key: values for key, values in found.items() if values}


# Five benchmarks and the tools fit one row of a small window only if they are set a little tighter. What only follows the
# link takes no room.
_BAR = """
<style>
.st-key-story_history { position: absolute; }
div:has(> .st-key-limits) { order: 9; }
.st-key-controls [data-testid="stCheckbox"] p { white-space: normal; overflow: visible; line-height: 1.2; }
.st-key-suspect-words [data-tag], .st-key-suspect-words [data-tag] span { max-width: none !important; }
.st-key-open-suspect button { padding: .1rem .5rem; }
.st-key-open-suspect button p { font-size: .85rem; line-height: 1.15; }
[class*="st-key-link-"], div:has(> [class*="st-key-link-"]) { display: none !important; }
@media (max-width: 1400px) {
  [data-testid="stMainBlockContainer"] { padding-left: min(2rem, 4vw); padding-right: min(2rem, 4vw); }
  TIGHT
  .st-key-controls [data-testid="stPopover"] button { padding: .2rem .4rem; }
  .st-key-controls [data-testid="stPopover"] button * { font-size: .8rem; }
}
@media (max-width: 640px) {
  .st-key-tools { flex-wrap: nowrap !important; }
  .st-key-tools button [data-testid="stIconMaterial"]:first-child { display: none; }
}
</style>
"""
_TIGHT = """.st-key-bar [data-testid="stButtonGroup"] button { padding: .2rem .45rem; }
  .st-key-bar [data-testid="stButtonGroup"] button * { font-size: .8rem; }
  .st-key-tools button { padding: .2rem .3rem; }"""
_BAR = _BAR.replace("TIGHT", _TIGHT)
_CROWDED = f"<style>{_TIGHT}</style>"
# Streamlit writes white on the accent, which is too bright for it in the dark, and in it on the dark; colours words of code.
_LEGIBLE = """
<style>
button[kind=primary]:not(:disabled) *, [data-tag] * {{ color: {on_accent} !important; }}
button[kind=primary]:not(:disabled) kbd {{ opacity: 1 !important; }}
button[kind=tertiary], button[kind=tertiary] *, [data-testid="stCode"] .token {{ color: {ink} !important; }}
</style>
"""
_ABOUT = "**QuRD Explorer**: which fingerprints catch a stolen model, and how many queries they need."
