"""What all pages share: words before charts, and an answer that waits for no garbage collection."""

import gc

import pytest
import streamlit as st

from pages.ui import frame
from tests.app.screen import headline

VIEWS = [(page, {}) for page in frame.PAGES if page != "queries"]  # which has no chart
VIEWS += [("benchmark", {"section": section}) for section in ("lineage", "effort", "bench")]
VIEWS += [("leaderboard", {"view": "table"}), ("budget", {"play": "true"}), ("separability", {"show": "bound"})]


@pytest.mark.parametrize(("page", "link"), VIEWS)
def test_a_page_says_what_it_found_and_draws_its_chart_last(shipped, monkeypatch, page, link):
    done = []
    finding, chart, html = frame.finding, st.plotly_chart, st.html
    monkeypatch.setattr(frame, "finding", lambda *asked: [done.append("words"), finding(*asked)])
    monkeypatch.setattr(st, "plotly_chart", lambda *asked, **more: [done.append("chart"), chart(*asked, **more)])
    monkeypatch.setattr(st, "html", lambda body: [done.append("panel") if "<table" in body else None, html(body)])
    app = shipped(page=page, **link)
    assert not app.exception
    assert done[0] == "words" and done[-1] == "chart" and done.count("chart") == 1


def test_the_garbage_collector_skips_what_was_there_after_the_first_page(shipped):
    gc.unfreeze()
    frame._settle.clear()
    try:
        shipped()
        first = gc.get_freeze_count()
        shipped(page="budget")
        assert first > 50_000  # modules, mostly
        assert gc.get_freeze_count() <= first
    finally:
        gc.unfreeze()


def test_the_names_in_a_headline_are_no_markdown(shipped):
    app = shipped(page="compose", pick="uniform(test)->pgd | hard_pairwise | hamming")
    assert "hard_" in headline(app) and "hard\\_" in app.header[0].value
