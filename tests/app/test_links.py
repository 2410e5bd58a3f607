"""Views as links, and stories made of them."""

import json

import pytest

from pages.ui import story
from pages.ui.frame import PAGES
from pages.ui.links import Target
from qurd_core.evaluation import records


def test_a_view_becomes_a_link_with_every_value_as_the_controls_write_it():
    view = Target("budget", {"bench": "patchwork-sac", "budget": 50, "hard": True, "pin": ["AKH", "a(b) | c | d"]})
    assert view.link == "budget?bench=patchwork-sac&budget=50&hard=true&pin=AKH&pin=a%28b%29+%7C+c+%7C+d"


@pytest.mark.parametrize("name", story.names())
def test_every_story_has_steps_on_known_pages_and_benchmarks_with_something_to_say(name):
    steps = story.read(name)
    assert len(steps) >= 5
    for number, step in enumerate(steps, start=1):
        assert step.target.page in PAGES
        assert step.target.values["bench"] in records.SHIPPED
        assert step.target.values["step"] == number
        assert 10 < len(step.say) < 140


def test_the_stories_are_files_of_links(tmp_path):
    found = json.loads((story.FOLDER / "mistakes.json").read_text("utf-8"))
    assert set(found) == {"title", "steps"}
    assert set(found["steps"][0]) == {"say", "page", "link"}
