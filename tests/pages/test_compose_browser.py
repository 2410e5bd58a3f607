"""The Compose page in a browser: a click on the map, a run that is stopped, a run whose point appears."""

import pytest

from tests.pages.shipped_server import folder, store  # noqa: F401 (fixtures)
from tests.pages.test_browser import browser, server, visit  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Where a cell lies in the window; the last two move away from its centre, in cells.
PLACE = """([scheme, right, down]) => {
    const chart = [...document.querySelectorAll('.js-plotly-plot')].find(n => n._fullData.some(t => t.name === 'cells'));
    const cells = chart._fullData.find(trace => trace.name === 'cells'), box = chart.getBoundingClientRect();
    const {xaxis, yaxis} = chart._fullLayout, at = [...cells.customdata].indexOf(scheme);
    const x = xaxis._offset + xaxis.c2p(cells.x[at] + right), y = yaxis._offset + yaxis.c2p(cells.y[at] + down);
    return [box.left + x, box.top + y];
}"""
# The same once it has not moved for a dozen frames: fonts and sizes may arrive late on a busy machine.
STILL = f"""what => new Promise(done => {{
    let before, frames = 0;
    const look = () => {{
        const now = ({PLACE})(what).join();
        frames = now === before ? frames + 1 : 0;
        before = now;
        frames > 12 ? done(now.split(',').map(Number)) : requestAnimationFrame(look);
    }};
    look();
}})"""
HEADLINE = "text => document.querySelector('h2').innerText.startsWith(text)"


def settle(page) -> None:
    """Wait for the map, which has no annotations, and the end of the script."""
    page.wait_for_selector(".js-plotly-plot .xtick")
    page.wait_for_function("!document.querySelector('[data-test-script-state=running]')")


def click_cell(page, scheme: str, right: float = 0, down: float = 0) -> None:
    settle(page)
    x, y = page.evaluate(STILL, [scheme, right, down])
    page.mouse.move(x - 2, y - 2)
    page.mouse.move(x, y)
    page.wait_for_timeout(100)
    page.mouse.click(x, y)
    page.wait_for_function(HEADLINE, arg=scheme)
    settle(page)


def test_cells_are_picked_wherever_they_are_clicked(visit):  # noqa: F811
    page = visit("/compose?bench=patchwork-sac&pick=AKH")
    for scheme, right, down in (
        ("uniform(test) | probits | cosine", 0, 0),
        ("negative(test)->pgd | labels | hamming", 0.47, 0.45),
        ("uniform(test)->pgd | topk | hamming", -0.47, -0.45),
    ):
        click_cell(page, scheme, right, down)
    page.wait_for_url("**pick=uniform%28test%29-%3Epgd+%7C+topk+%7C+hamming*")
    assert page.locator(".spark img").evaluate("picture => picture.naturalWidth > 0")


def test_a_new_combination_runs_is_stopped_and_another_shows_its_point(visit):  # noqa: F811
    page = visit("/compose?bench=patchwork-sac&pick=uniform(test)->pgd(eps=0.05)+|+labels+|+hamming")
    settle(page)
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Stopped").wait_for()
    page.locator(".st-key-pick input").first.fill("uniform(test) | topk(k=2) | hamming")
    page.keyboard.press("Enter")
    page.wait_for_function(HEADLINE, arg="uniform(test) | topk(k=2) | hamming has not been measured")
    settle(page)  # the headline comes first, and the button below is still that of the pick before
    page.get_by_role("button", name="Run").click()
    page.wait_for_function(HEADLINE, arg="uniform(test) | topk(k=2) | hamming catches")
    page.locator(".js-plotly-plot").get_by_text("live 1 of 5").first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Stopped").wait_for()
