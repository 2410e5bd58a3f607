"""What a link says stays when another page is opened, at the very first click too, which only a browser makes."""

from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest

from pages.ui.frame import PAGES
from tests.pages.test_browser import browser, server, visit  # noqa: F401 (fixtures)
from tests.pages.test_tour_browser import folder, settle, store  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# No control has its usual value.
VICTIM = "train(res,victim2)"
LINKS = {
    "leaderboard": {"view": "swap", "task": "finetune", "rule": "guaranteed", "budget": "50", "reveal": "probits"}
    | {"hard": "true", "group": "adversarial", "pin": ["SAC", "AKH"], "scheme": "FBI"},
    "benchmark": {"section": "bench", "budget": "50", "hard": "true", "scheme": "SAC", "rates": "tasks"},
    "compose": {"pick": "SAC", "split": "train", "samplers": "masked", "columns": "labels", "task": "finetune"}
    | {
        "rule": "guaranteed",
        "budget": "50",
        "reveal": "probits",
        "hard": "true",
        "pin": ["SAC"],
        "pool": "train(vgg,attacker)",
    },
    "budget": {"task": "finetune", "rule": "guaranteed", "budget": "50", "x": "labelled", "panel": "distance"}
    | {"hard": "true", "grey": "false", "group": "adversarial", "pin": ["SAC"], "reveal": "probits"},
    "separability": {
        "task": "finetune",
        "of": "Random",
        "reveal": "labels",
        "rows": "victims",
        "fpr": "10",
        "budget": "50",
        "seed": "2",
    }
    | {"hard": "true", "victim": VICTIM},
    "queries": {
        "victim": "train(res,victim)",
        "seed": "2",
        "budget": "50",
        "left": "uniform(test)",
        "right": "noise",
        "page": "2",
    }
    | {"only": "disagrees", "reveal": "topk", "bench": "patchwork-sac"},  # where a second page is left of them
    "check": {"victim": VICTIM, "suspect": ["train(vgg,victim1)", "train(mb,victim1)"], "scheme": "Random", "budget": "50"}
    | {"stop": "peak", "view": "path"},
    "atlas": {"bench": "patchwork-reuse", "reveal": "labels"},
    "paper": {"view": "agreement", "budget": "50", "bench": "patchwork-reuse"},
}
# These mean the same on all pages that have them.
SAME = {"bench", "task", "rule", "budget", "hard", "group", "pin", "victim", "reveal"}
# Shown by one view only, which is not the usual one: it waits until that view is shown.
EXTRA = {"paper": {"budget"}, "benchmark": {"budget", "hard"}, "separability": {"budget"}}


def parts(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def click(page, name: str) -> None:
    page.get_by_role("link", name=name.title(), exact=True).first.click()
    page.wait_for_url(f"**/{name}*")
    settle(page)


@pytest.mark.parametrize("source", PAGES)
def test_a_first_click_on_another_page_loses_nothing_of_a_link(visit, source):  # noqa: F811
    link = {key: value if isinstance(value, list) else [value] for key, value in LINKS[source].items()}
    address, page = f"/{source}?{urlencode(link, doseq=True)}", visit("/paper")
    for target in [page for page in PAGES if page != source]:
        page.goto(urljoin(page.url, address))  # a session of its own
        settle(page)
        assert parts(page) == link
        click(page, target)
        shared = SAME & set(link) & set(LINKS[target]) - EXTRA.get(target, set())
        page.wait_for_function("keys => keys.every(key => new URLSearchParams(location.search).has(key))", arg=[*shared])
        assert {key: parts(page)[key] for key in shared} == {key: link[key] for key in shared}, target
        click(page, source)
        page.wait_for_function("keys => keys.every(key => new URLSearchParams(location.search).has(key))", arg=[*link])
        assert parts(page) == link, target


def option(page, key: str, name: str) -> None:
    page.locator(f".st-key-{key}").get_by_text(name, exact=True).first.click()


def test_one_press_of_back_undoes_one_choice_on_the_page_before_too(visit):  # noqa: F811
    page = visit("/leaderboard")
    trail = []

    def choose(act) -> None:
        trail.append(page.url)
        before = page.evaluate("history.length")
        act()
        page.wait_for_function("number => history.length === number", arg=before + 1)
        settle(page)

    def slide() -> None:
        page.get_by_role("slider").first.focus()
        page.keyboard.press("ArrowRight")

    choose(lambda: option(page, "rule", "guaranteed"))
    page.locator(".st-key-open-suspect button").first.click()
    choose(lambda: option(page, "reveal-words", "probits"))
    page.keyboard.press("Escape")
    choose(slide)
    choose(lambda: page.get_by_text("Hard unrelated").first.click())
    choose(lambda: page.get_by_role("link", name="Compose").first.click())
    page.wait_for_url("**/compose?*budget*")
    choose(lambda: option(page, "split-words", "noise"))
    choose(lambda: option(page, "bench", "patchwork-reuse"))
    for url in reversed(trail):
        page.go_back()
        page.wait_for_function("query => location.search === query", arg=f"?{urlsplit(url).query}".removesuffix("?"))
        settle(page)
        assert page.url == url


def test_a_late_answer_does_not_take_the_place_that_back_went_to(visit):  # noqa: F811
    page = visit("/leaderboard")
    option(page, "rule", "guaranteed")
    page.wait_for_url("**rule=guaranteed")
    settle(page)
    page.go_back()
    page.wait_for_url("**/leaderboard")
    page.evaluate("history.replaceState(null, '', '?rule=guaranteed')")  # what Streamlit does with an answer
    assert parts(page) == {}
    page.locator("h2").click()  # whatever is clicked, an answer after it is one to a choice
    page.evaluate("history.replaceState(null, '', '?rule=guaranteed')")
    assert parts(page) == {"rule": ["guaranteed"]}


def test_a_claim_opens_its_view_with_all_of_it_in_the_link(visit):  # noqa: F811
    page = visit("/paper?claim=explains")
    page.get_by_role("button", name="Show the view").click()
    page.wait_for_url("**/leaderboard?*view=table*")
    page.wait_for_url("**bench=published-cifar10*")
    page.get_by_role("link", name="Budget").first.click()
    page.wait_for_url("**/budget?bench=published-cifar10*")
    page.go_back()
    page.wait_for_url("**/leaderboard?*bench=published-cifar10*")
    assert parts(page) == {"view": ["table"], "bench": ["published-cifar10"]}


def test_a_clicker_starts_play_and_goes_on_at_the_next_press(visit):  # noqa: F811
    page = visit("/budget?story=mistakes&step=4", size=(1920, 1080))
    page.get_by_text("Next starts it").wait_for()
    page.wait_for_selector(".updatemenu-button", state="attached")
    sent = "document.querySelector('.js-plotly-plot')._fullData[1].y.length"
    assert page.evaluate(sent) == 1
    page.keyboard.press("PageDown")
    page.wait_for_function(f"{sent} >= 5")
    assert "step=4" in page.url
    page.keyboard.press("PageDown")
    page.get_by_text("5 / 6").wait_for()
    page.keyboard.press("PageDown")
    page.get_by_text("The last step: Esc leaves the stage").wait_for()


def test_a_clicker_starts_play_on_a_stage_without_a_story(visit):  # noqa: F811
    page = visit("/budget?play=true&stage=true", size=(1920, 1080))
    page.wait_for_selector(".updatemenu-button", state="attached")
    page.keyboard.press("PageDown")
    page.wait_for_function("document.querySelector('.js-plotly-plot')._fullData[1].y.length >= 5")
