"""Views as links, and stories made of them."""

import json
import random
import re

import pytest

from pages.ui import story
from pages.ui.frame import PAGES
from pages.ui.links import Target
from qurd_core.records import rate_records
from tests.pages.screen import headline, notices, sound


def bar(app):
    return [text.value for text in app.markdown if " / " in text.value]


def test_a_view_becomes_a_link_with_every_value_as_the_controls_write_it():
    view = Target("budget", {"bench": "patchwork-sac", "budget": 50, "hard": True, "pin": ["AKH", "a(b) | c | d"]})
    assert view.link == "budget?bench=patchwork-sac&budget=50&hard=true&pin=AKH&pin=a%28b%29+%7C+c+%7C+d"


@pytest.mark.parametrize("name", story.names())
def test_every_story_has_steps_on_known_pages_and_benchmarks_with_something_to_say(name):
    steps = story.read(name)
    assert len(steps) >= 5
    for number, step in enumerate(steps, start=1):
        assert step.target.page in PAGES
        assert step.target.values["bench"] in rate_records.SHIPPED
        assert step.target.values["step"] == number
        assert 10 < len(step.say) < 140


def test_the_stories_are_files_of_links(tmp_path):
    found = json.loads((story.FOLDER / "mistakes.json").read_text("utf-8"))
    assert set(found) == {"title", "steps"}
    assert set(found["steps"][0]) == {"say", "page", "link"}


@pytest.mark.parametrize("step", ["7", "0", "x", "٣", ""])
def test_a_step_that_is_not_there_gives_way_to_the_first_and_says_so(shipped, step):
    app = shipped(page="queries", story="mistakes", step=step)
    assert bar(app)[0].startswith("**1 / 6**")
    assert notices(app) == [f"Not found here, so left out: step {step}."] * bool(step)


@pytest.mark.parametrize("page", [None, "budget"])
def test_a_link_to_a_step_leads_to_the_page_of_the_step_from_any_other(shipped, page):
    app = sound(shipped(page=page, story="mistakes", step="2"))
    assert bar(app)[0].startswith("**2 / 6**")
    assert "of the victim's 10 mistakes" in headline(app)


@pytest.mark.parametrize("page", ["leaderboard", "compose", "budget", "queries"])
@pytest.mark.slow
def test_a_budget_beyond_the_recorded_ones_is_left_out_and_said(shipped, page):
    app = shipped(page=page, budget="2000")
    assert not app.exception
    assert notices(app) == ["Not found here, so left out: budget 2000."]


def test_a_story_that_is_not_there_is_left_out_on_stage_or_not(shipped):
    for stage in ({}, {"stage": "true"}):
        app = shipped(story="nothing", step="2", **stage)
        assert not app.exception
        assert bar(app) == []
        assert notices(app) == ["Not found here, so left out: story nothing."]


@pytest.mark.slow
def test_a_step_that_the_browser_goes_back_to_is_shown_as_its_link_shows_it(shipped):
    app = shipped(page="benchmark", story="hardness", step="3")
    there = app.header[0].value
    app.button(key="stage_next").click().run()
    assert bar(app)[0].startswith("**4 / 5**")
    app.query_params["story"], app.query_params["step"] = "hardness", "3"
    app.switch_page("pages/benchmark.py").run()
    assert bar(app)[0].startswith("**3 / 5**")
    assert app.header[0].value == there
    assert app.segmented_control(key="section").value == "effort"


@pytest.mark.parametrize(
    ("asked", "seconds"), [("3", 3), ("120", 120), ("2", 0), ("121", 0), ("-5", 0), ("4.5", 0), ("x", 0)]
)
def test_a_story_advances_by_itself_after_seconds_that_the_link_may_ask_for(shipped, asked, seconds):
    app = shipped(page="benchmark", story="hardness", step="1", auto=asked)
    (keys,) = [one.proto for one in app.get("bidi_component") if one.proto.component_name == "stage_keys"]
    assert json.loads(keys.json) == {"auto": seconds}
    assert notices(app) == ([] if seconds else [f"Not found here, so left out: number of seconds {asked}."])
    app.button(key="stage_next").click().run()
    assert app.query_params.get("auto") == (asked if seconds else None)


@pytest.mark.parametrize(("host", "codes"), [("talk.example", 1), ("localhost", 0)])
@pytest.mark.slow
def test_the_last_step_has_a_code_of_its_link_where_phones_can_follow_it(shipped, host, codes):
    app = shipped(page="separability", story="hardness", step="5")
    app.context = {"theme": "light", "url": f"http://{host}:8501/separability"}
    app.run()
    assert len(app.get("image")) == codes
    assert sum("that phones in the room can reach" in text.value for text in app.markdown) == 1 - codes


def test_menus_show_words_and_links_keep_tokens(show):
    app = sound(show(page="budget", task="transfer"))
    assert (app.selectbox(key="task").value, app.selectbox(key="task-words").value) == ("transfer", "transfer")
    assert app.selectbox(key="task-words").options == ["all tasks", "exact copy", "transfer"]
    assert app.query_params["task"] == "transfer"
    app.selectbox(key="task-words").select("same").run()
    assert sound(app).selectbox(key="task").value == "same"
    assert "exact copy" in headline(app)


def test_a_notice_stands_until_it_is_closed_or_the_view_changes(shipped):
    app = shipped(page="budget", pin="nope")
    told = ["Not found here, so left out: pin nope."]
    assert notices(app) == notices(app.run()) == told
    app.get_by_key("rule").set_value("guaranteed").run()
    assert notices(app) == []
    app = shipped(page="budget", pin="nope")
    app.button(key="notice_close").click().run()
    assert notices(app) == notices(app.run()) == []


def test_another_page_has_notices_of_its_own(shipped):
    app = shipped(page="budget", pin="nope")
    app.switch_page("pages/paper.py").run()
    assert notices(app) == []


LINKED = {
    "leaderboard": ("view", "task", "rule", "budget", "reveal", "behind", "hard", "group", "pin", "scheme"),
    "benchmark": ("section", "task", "victim", "budget", "hard", "scheme", "rule", "rates", "out"),
    "compose": ("pick", "split", "samplers", "columns", "task", "rule", "budget", "hard", "pin", "pool", "reveal", "behind"),
    "budget": (
        "task",
        "rule",
        "reveal",
        "behind",
        "behind_pool",
        "budget",
        "x",
        "panel",
        "hard",
        "grey",
        "group",
        "pin",
        "play",
        "by",
        "victim",
        "stolen",
        "sent",
    ),
    "separability": ("show", "task", "of", "rows", "fpr", "budget", "seed", "reveal", "behind", "hard", "victim", "pair"),
    "queries": ("view", "victim", "suspect", "seed", "budget", "left", "right", "only", "look", "reveal", "page"),
    "check": ("victim", "suspect", "scheme", "budget", "stop", "view", "act"),
    "atlas": ("reveal",),
    "paper": ("view", "verdict", "claim", "mode", "budget"),
}
EVERYWHERE = ("bench", "stage", "story", "step", "auto")


@pytest.mark.parametrize("value", ["", "nope", "9" * 320, "<b>", "-1", "٣", "null"])
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.slow
def test_no_value_of_a_link_breaks_a_page(shipped, page, value):
    sound(shipped(page=page, link=dict.fromkeys((*EVERYWHERE, *LINKED[page]), value)))


STRANGE = [
    "9" * 300,
    "-0",
    "1e308",
    "nan",
    "\0",
    "\u200b",
    "\u202e",
    "a\nb",
    "`*_$[x](y)",
    "%00",
    "x" * 5_000,
    "true",
    "AKH",
    "100",
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("page", PAGES)
def test_no_link_breaks_a_page(shipped, page, seed):
    """Each control asked for something else, some of it twice."""
    dice = random.Random(f"{page} {seed}")
    keys = [key for key in (*EVERYWHERE, *LINKED[page]) if dice.random() < 0.7]
    sound(shipped(page=page, link={key: dice.choices(STRANGE, k=dice.choice([1, 1, 2])) for key in keys}))


@pytest.mark.parametrize("key", ["bench", "rule", "reveal", "view", "task", "hard", "pin"])
@pytest.mark.slow
def test_a_part_of_a_link_without_a_value_says_nothing(shipped, key):
    app = shipped(page="leaderboard", **{key: ""})
    usual = {"bench": rate_records.SHIPPED[0]} if key == "bench" else {}
    assert headline(app) == headline(shipped(page="leaderboard", **usual))
    assert notices(app) == []
    assert key not in app.query_params


def test_a_number_of_a_link_that_no_machine_holds_is_a_sentence(shipped):
    app = sound(shipped(page="compose", pick=f"uniform(test)->pgd(eps={'9' * 320}) | labels | hamming"))
    assert "Expected a number of at most 1.8e+308. Got 99999999999999999999… (320 characters)" in app.warning[
        0
    ].value.replace("\\", "")


def said_of(app):
    """Truth, the victim's and the suspect's answer of every query card, and whether the suspect agrees."""
    cards = [element.proto.body for element in app.get("html") if '<div class="card' in element.proto.body]
    return [(*re.findall(r"<b>([^<]*)</b>", card)[:3], "✓ agrees" in card) for card in cards]


def test_a_step_that_speaks_of_one_image_shows_one_that_agrees(shipped):
    step = story.read("mistakes")[1]
    assert step.say.startswith("An image that the victim gets right, and one that it gets wrong")
    (right, wrong) = said_of(sound(shipped(page="queries", story="mistakes", step="2")))
    assert right[0] == right[1] == right[2] and right[3]
    assert wrong[0] != wrong[1] == wrong[2] and wrong[3]


@pytest.mark.slow
def test_a_step_with_something_to_play_and_the_last_one_say_so(shipped):
    steps = story.read("mistakes")
    for number, step in enumerate(steps, start=1):
        (said,) = bar(sound(shipped(page=step.target.page, story="mistakes", step=str(number))))
        assert ("Next starts it." in said) == ("play" in step.target.values)
        assert ("The last step: Esc leaves the stage." in said) == (number == len(steps))
