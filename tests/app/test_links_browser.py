"""What a link says stays when another page is opened, at the very first click too, which only a browser makes."""

from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest

from pages.ui.frame import PAGES
from tests.app.test_browser import browser, server, visit  # noqa: F401 (fixtures)
from tests.app.test_tour_browser import folder, settle, store  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# No control has its usual value.
VICTIM = "train(res,victim)"
LINKS = {
    "leaderboard": {"view": "swap", "task": "finetune", "rule": "guaranteed", "budget": "50", "reveal": "probits"}
    | {"hard": "true", "pin": ["SAC", "AKH"], "scheme": "FBI"},
    "benchmark": {"section": "bench", "budget": "50", "hard": "true", "scheme": "SAC", "rates": "tasks"},
    "compose": {"pick": "SAC", "split": "train", "columns": "labels", "task": "finetune", "rule": "guaranteed"}
    | {"budget": "50", "hard": "true", "pin": ["SAC"], "pool": "train(vgg,attacker)"},
    "budget": {"task": "finetune", "rule": "guaranteed", "budget": "50", "x": "labelled", "panel": "distance"}
    | {"hard": "true", "grey": "false", "pin": ["SAC"]},
    "separability": {"task": "finetune", "of": "SAC", "rows": "victims", "fpr": "10", "budget": "50", "seed": "2"}
    | {"hard": "true", "victim": VICTIM},
    "queries": {"victim": VICTIM, "seed": "2", "budget": "50", "left": "uniform(test)", "right": "noise", "page": "2"}
    | {"only": "disagrees"},
    "paper": {"view": "agreement", "budget": "50"},
}
SAME = {"task", "rule", "budget", "hard", "pin", "victim"}  # mean the same on all pages that have them
EXTRA = {"paper": {"budget"}}  # shown by one view only, so it waits until that view is shown


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
