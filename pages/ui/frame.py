"""What surrounds every page: the list of pages, the benchmark, the tools and the stage."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.ui import links, stage
from qurd_core.errors import QurdError
from qurd_core.evaluation.records import SHIPPED
from qurd_core.plots.theme import Style

LOGO = Path(__file__).parents[2] / "assets" / "logo"


class View(NamedTuple):
    """What all pages need to know."""

    benchmark: str
    style: Style


def navigate() -> st.Page:
    """Declare the pages and return the one that was asked for. Nothing of Streamlit may run before."""
    page = st.navigation(_pages(), position="top")
    st.session_state["framed"] = True
    return page


def require() -> None:
    """Start again with app.py if it has not run in this session; the first line of every page.

    A server learns from the first call of `st.navigation` that the folder `pages/` is not to be run file by file. Until
    then a deep link runs the page alone.
    """
    if not st.session_state.get("framed"):
        navigate()
        st.rerun()


def draw() -> None:
    """The row above every page: benchmark to the left, room for the page's tools, and the stage switch."""
    st.set_page_config("QuRD Explorer", LOGO / "icon.png", "wide", menu_items={"About": _ABOUT})
    st.logo(LOGO / "qurd.svg", size="large")
    links.check("bench", SHIPPED, "benchmark")
    links.check("stage", links.SWITCH, "stage")
    with st.container(horizontal=True, vertical_alignment="center", key="bar"):
        st.segmented_control(
            "Benchmark",
            SHIPPED,
            default=SHIPPED[0],
            required=True,
            key="bench",
            bind="query-params",
            label_visibility="collapsed",
        )
        row = st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center")
    with row:
        st.session_state["tools"] = st.container(horizontal=True, horizontal_alignment="right", key="tools")
        on = st.toggle("Stage", key="stage", bind="query-params")
    if on:
        stage.set_up()


def view() -> View:
    """What the row above the page says, and the colours of the page."""
    mode = st.context.theme.type or "light"
    return View(st.session_state["bench"], Style(mode, st.session_state["stage"]))


def tools() -> st.delta_generator.DeltaGenerator:
    """Where a page puts its definitions and its export."""
    return st.session_state["tools"]


def tall() -> st.delta_generator.DeltaGenerator:
    """Room for the hero chart: what the window leaves, within bounds."""
    above = "9.5rem" if st.session_state["stage"] else "23rem"
    st.html(
        f"<style>div:has(> .st-key-hero) {{ flex-basis: clamp(22rem, calc(100vh - {above}), 50rem) !important; }}</style>"
    )
    return st.container(key="hero", height=540, border=False, gap=None)


def close() -> None:
    """What comes after every page."""
    links.report()


def explain(error: QurdError) -> None:
    """An error as a sentence, with its text to copy; the other pages keep working."""
    with st.container(border=True):
        st.subheader("This page cannot be shown")
        st.text(str(error))
        with st.popover("Copy details"):
            st.code(str(error), language=None, wrap_lines=True)


def _pages() -> list[st.Page]:
    file = "pages/budget.py"
    return [
        # Icons belong into the titles: Streamlit fetches that of `icon=` from the network as the browser's icon.
        st.Page(file, title=":material/show_chart: Budget", url_path="budget"),
        # `/` shows the only page there is.
        st.Page(file, title="Home", url_path="home", default=True, visibility="hidden"),
    ]


_ABOUT = "**QuRD Explorer**: which fingerprints catch a stolen model, and how many queries they need."
