"""What all pages share: words before charts, and an answer that waits for no garbage collection."""

import gc
import re

import pytest
import streamlit as st

from pages.ui import export, frame, story
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.records import rate_records
from tests.benchmarks import flips
from tests.pages.opening import DUEL
from tests.pages.screen import headline, sound

VIEWS = [(page, {}, True) for page in frame.PAGES if page not in ("queries", "check")]  # which have no chart
VIEWS += [("check", DUEL | {"view": view, "act": "play"}, view != "duel") for view in ("dots", "path", "duel")]
VIEWS += [("leaderboard", {"view": "table"}, True), ("separability", {"show": "bound"}, True)]
VIEWS += [("benchmark", {"section": section}, section == "bench") for section in ("lineage", "effort", "bench")]
VIEWS += [("budget", {"play": "true"}, False)]


@pytest.mark.parametrize(("page", "link", "panel"), VIEWS)
@pytest.mark.slow
def test_a_page_says_what_it_found_and_draws_its_chart_last(shipped, monkeypatch, page, link, panel):
    done = []

    def note(owner, name):
        """Notes that something is shown, which styles alone are not."""
        show = getattr(owner, name)

        def noting(*asked, **more):
            if re.sub("<style>.*?</style>", "", str(asked[0]), flags=re.DOTALL).strip():
                done.append(name)
            return show(*asked, **more)

        monkeypatch.setattr(owner, name, noting)

    monkeypatch.setattr(export, "offer", lambda *asked, **more: None)  # a menu that is closed
    note(frame, "finding")
    for name in ("plotly_chart", "html", "caption", "metric"):
        note(st, name)
    sound(shipped(page=page, **link))
    words, chart = done.index("finding"), done.index("plotly_chart")
    assert words < chart == len(done) - 1
    assert panel == (chart > words + 1)


@pytest.mark.slow
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


@pytest.mark.parametrize("page", ["leaderboard", "paper"])
@pytest.mark.slow
def test_altered_logos_stories_and_benchmarks_of_ones_own_take_no_other_view_down(shipped, monkeypatch, tmp_path, page):
    pairs = rate_records.pairs("patchwork-sac")
    home = home_of("mine")
    with flips.copied_assets(tmp_path) as assets:
        monkeypatch.setattr(frame, "LOGO", assets / "logo")
        BenchFile("patchwork-sac", frozenset(zip(pairs["victim"], pairs["suspect"], strict=True))).write(home)
        altered = [assets / "logo" / "qurd.svg", assets / "logo" / "icon.png", assets / "stories" / "mistakes.json", home]
        for path in altered:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 128
            path.write_bytes(data)
        story._file.cache_clear()
        sound(shipped(page=page))
        app = shipped(page="leaderboard", bench="mine", story="mistakes")
    assert not app.exception
    assert [header.value for header in app.subheader] == ["This page cannot be shown"]
    assert "Save it again on the Benchmark page" in app.text[0].value
