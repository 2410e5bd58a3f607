"""Check in a browser, with the worker that asks: a run, its end within a second, the rest of it, and evidence to keep."""

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from qurd_core.files import default_folder
from qurd_core.suspects.verifying import verify
from tests.pages.opening import DUEL
from tests.pages.shipped_server import folder, store  # noqa: F401 (fixtures)
from tests.pages.test_browser import browser, server, visit  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VICTIM = "train(vgg,victim)"
OWN = {"bench": "patchwork-sac", "victim": VICTIM, "suspect": f"{VICTIM}->finetune(seed=1)", "stop": "peak", "view": "path"}


def settle(page) -> None:
    page.wait_for_selector("h2")
    page.wait_for_function("!document.querySelector('[data-test-script-state=running]')")


def status() -> tuple[dict, Path]:
    """The run of the only check of this store, and the flag that stops it."""
    runs = [
        path
        for path in (default_folder() / "runs").glob("*.json")
        if json.loads(path.read_text())["about"]["kind"] == "check"
    ]
    (path,) = runs
    return json.loads(path.read_text()) | {"noted": path.stat().st_mtime}, path.with_suffix(".cancel")


def test_a_check_is_asked_stopped_continued_and_its_evidence_verified(visit, tmp_path):  # noqa: F811
    page = visit(f"/check?{urlencode(OWN)}")
    assert page.locator("h2").inner_text().startswith("Is VGG victim · fine-tuned, run 2 closer to VGG victim")
    page.get_by_role("button", name="Check").wait_for()
    page.locator("h2").click()  # whatever has the focus would take the key
    page.keyboard.press("Enter")
    page.locator("[data-testid=stProgress]").wait_for()
    page.get_by_text(re.compile(r"Asking the models of known origin first: [1-9]|of 100 queries")).first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.locator("h2", has_text="Stopped after").wait_for()
    found, flag = status()
    assert found["state"] == "cancelled"
    assert found["noted"] - flag.stat().st_mtime < 1.5  # a second, and the time in which the page looks again
    before = found["done"]
    page.get_by_role("button", name="Go on").click()
    page.locator("h2", has_text="is closer to VGG victim than").wait_for()
    found, _ = status()
    assert (found["state"], found["done"]) == ("done", found["total"]) and found["done"] > before
    page.wait_for_selector(".js-plotly-plot .main-svg")
    with page.expect_download() as download:
        page.get_by_role("button", name="Evidence", exact=True).click()
    download.value.save_as(tmp_path / "e.zip")
    taken = verify(tmp_path / "e.zip")
    assert taken.faults == []
    assert page.get_by_text(taken.number).count() == 1
    page.reload()  # the link alone shows what was asked, and asks nobody
    page.locator("h2", has_text="is closer to VGG victim than").wait_for()
    settle(page)


def test_the_duel_is_told_with_the_keys(visit):  # noqa: F811
    page = visit("/check?story=duel&step=1", theme="dark", size=(1920, 1080))
    seal = ""
    for step in range(1, 7):
        page.get_by_text(f"{step} / 6").wait_for()
        settle(page)
        assert not page.locator(".st-key-controls").is_visible()
        if step == 2:
            seal = page.locator(".number").inner_text().replace(" ", "").replace("\n", "")
            assert len(seal) == 64
            assert page.locator("[data-testid=stImage] img, [data-testid=stImage] svg").first.is_visible()
        if step == 3:
            page.wait_for_selector(".updatemenu-button", state="attached")
            sent = "document.querySelector('.js-plotly-plot')._fullData.at(-2).x.length"
            assert page.evaluate(sent) == 1
            page.keyboard.press("ArrowRight")
            page.wait_for_function(f"{sent} >= 5")
        if step == 5:
            assert seal in page.locator(".checks").inner_text()
            assert page.locator("h2").inner_text().startswith("The seal matches")
        if step < 6:
            page.keyboard.press("ArrowRight")
    assert "is closer to DenseNet victim than" in page.locator("h2").inner_text()


def test_suspects_are_chips_in_the_link(visit):  # noqa: F811
    page = visit(f"/check?{urlencode(DUEL, doseq=True)}")
    page.locator("h2", has_text="1 of 2 suspects").wait_for()
    page.locator(".st-key-suspect-words [data-tag]").first.locator("[role=presentation], svg, button").last.click()
    page.locator("h2", has_text="ResNet on other images, run 2").wait_for()
    settle(page)
    assert page.url.count("suspect=") == 1
