"""The words on screen and the pages behind them, in the app."""

import re

import pytest

from pages.ui import definitions, frame
from tests.benchmarks import flips
from tests.pages.screen import notices, sound


def shown(app) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_definitions_lead_to_every_page_in_the_app(shipped):
    led = {*re.findall(r"\]\(docs\?doc=([a-z-]+)\)", shown(sound(shipped())))}
    assert led == {*definitions.pages()} - {definitions.FIRST}


@pytest.mark.parametrize("name", definitions.pages())
def test_a_link_shows_its_page(shipped, name):
    app = sound(shipped(page="docs", doc=name))
    text = next(element.value for element in app.markdown if element.value.startswith("# "))
    assert text == definitions.text(name).strip()
    assert ".md)" not in text
    assert notices(app) == []


def test_a_link_to_no_page_shows_the_definitions_and_says_so(shipped):
    app = shipped(page="docs", doc="nowhere")
    assert "# Definitions" in shown(sound(app))
    assert notices(app) == ["Not found here, so left out: page nowhere."]


def test_altered_definitions_take_no_view_down(shipped, monkeypatch, tmp_path):
    with flips.copied_assets(tmp_path) as assets:
        monkeypatch.setattr(definitions, "FOLDER", assets / "docs")
        (assets / "docs" / "definitions.md").write_text("# Something else")
        app = sound(shipped(page="budget"))
    assert any("assets/docs/definitions.md" in element.value for element in app.text)


def test_the_documentation_is_no_page_of_the_row():
    assert "docs" not in frame.PAGES
