"""What speakers, analysts and designers do in a browser: a story, a query looked at closely, a bench saved and opened."""

import pytest

from tests.pages.shipped_server import folder, store  # noqa: F401 (fixtures)
from tests.pages.test_browser import browser, server, visit  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def settle(page) -> None:
    page.wait_for_selector("h2")
    page.wait_for_function("!document.querySelector('[data-test-script-state=running]')")


def test_a_story_is_walked_with_the_keys(visit):  # noqa: F811
    page = visit("/", theme="dark", size=(1920, 1080))
    page.get_by_role("button", name="Stories").click()
    page.get_by_role("button", name="How hard is your benchmark?").click()
    for step in range(1, 6):
        page.get_by_text(f"{step} / 5").wait_for()
        page.wait_for_url(f"**step={step}*")
        settle(page)
        assert page.locator("h2").count() == 1
        assert not page.locator(".st-key-controls").is_visible()
        if step < 5:
            page.keyboard.press("ArrowRight")
    page.get_by_text("that phones in the room can reach").wait_for()  # tests open the app by a loopback address
    assert "separability" in page.url
    page.keyboard.press("ArrowLeft")
    page.get_by_text("4 / 5").wait_for()
    page.wait_for_url("**/leaderboard?*step=4*")
    settle(page)
    page.keyboard.press("Escape")
    page.locator(".st-key-controls").wait_for()


@pytest.mark.parametrize(
    ("path", "cards"), [("/queries?stage=true&left=uniform(test)", 6), ("/queries?story=mistakes&step=2", 2)]
)
def test_the_cards_are_whole_on_stage_below_a_headline_of_two_lines(visit, path, cards):  # noqa: F811
    page = visit(path, size=(1920, 1080))
    page.locator(".card").nth(cards - 1).wait_for()
    page.evaluate("document.querySelector('h2').textContent = 'The stolen model agrees on some. '.repeat(4)")
    assert page.locator("h2").bounding_box()["height"] > 80
    boxes = [card.bounding_box() for card in page.locator(".card").all()]
    said = page.locator(".st-key-story")
    bottom = said.bounding_box()["y"] if "story" in path else 1080
    assert len(boxes) == cards and all(box["y"] + box["height"] <= bottom for box in boxes)


def test_every_step_of_a_story_is_one_place_in_the_history_of_the_browser(visit):  # noqa: F811
    page = visit("/leaderboard")
    before, said = page.evaluate("history.length"), []
    page.get_by_role("button", name="Stories").click()
    page.get_by_role("button", name="How hard is your benchmark?").click()
    for step in range(1, 6):
        page.get_by_text(f"{step} / 5").wait_for()
        settle(page)
        said.append(page.locator("h2").inner_text())
        if step < 5:
            page.keyboard.press("ArrowRight")
    assert page.evaluate("history.length") == before + 5
    for step in range(4, 0, -1):
        page.go_back()
        page.get_by_text(f"{step} / 5").wait_for()
        page.locator("h2", has_text=said[step - 1]).wait_for()
    page.go_back()
    page.locator(".st-key-controls").wait_for()


def test_a_story_that_advances_by_itself_may_be_moved_by_hand_and_ends_at_its_last_step(visit):  # noqa: F811
    page = visit("/leaderboard?story=hardness&step=4&auto=4")
    page.get_by_text("5 / 5").wait_for()
    assert "auto=4" in page.url
    page.keyboard.press("ArrowLeft")
    page.get_by_text("4 / 5").wait_for()
    page.get_by_text("5 / 5").wait_for()
    assert page.get_by_role("button", name="End").is_disabled()


@pytest.mark.parametrize("rest", ["", "&bench=patchwork-sac&section=effort&stage=true"])
def test_a_step_of_a_story_is_a_link_that_a_fresh_browser_follows(visit, rest):  # noqa: F811
    page = visit(f"/benchmark?story=hardness&step=3{rest}", size=(1920, 1080))
    page.get_by_text("3 / 5").wait_for()
    assert "named schemes" in page.locator("h2").inner_text()
    assert not page.locator(".st-key-controls").is_visible()


def test_a_query_is_looked_at_closely(visit):  # noqa: F811
    page = visit("/queries?left=uniform(test)")
    page.get_by_role("button", name="Look closely at query 1", exact=True).first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    dialog.locator("table.bars").wait_for()
    assert dialog.locator("img").count() >= 1


def test_a_bench_is_saved_and_opened(visit):  # noqa: F811
    page = visit("/benchmark?section=bench")
    page.get_by_role("button", name="Save").click()
    page.get_by_placeholder("my-bench").fill("my-bench")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save your benchmark").click()
    page.get_by_text("Every command accepts it").wait_for()
    page.get_by_role("button", name="Open my-bench").click()
    page.wait_for_url("**bench=my-bench*")
    settle(page)
    page.get_by_role("link", name="Leaderboard").click()
    page.locator("h2", has_text="my-bench").wait_for()
