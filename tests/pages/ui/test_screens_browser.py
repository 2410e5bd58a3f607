"""Every page and every step of a story at the sizes that people have: nothing overlaps, is cut, has no size or lies under
something else, and axe-core finds nothing wrong.
"""

from urllib.parse import urlencode

import pytest

from pages.ui import definitions, frame, story
from qurd_core.records import evidence, rate_records
from tests.pages import opening
from tests.pages.test_browser import PATIENCE, browser, serving  # noqa: F401 (a fixture)
from tests.pages.ui.geometry import PHONE, STAGES, faults

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAIR = evidence.pairs("patchwork-sac").iloc[5]
DUEL = urlencode(opening.DUEL, doseq=True)  # a question whose answers ship
VIEWS = [
    *(f"leaderboard?view={view}" for view in ("chart", "table", "swap")),
    *("leaderboard?pin=SAC", "leaderboard?bench=published-sdog120", "leaderboard?bench=patchwork-reuse&view=table"),
    *(f"benchmark?section={section}" for section in ("overview", "lineage", "effort", "images", "bench")),
    *(f"benchmark?bench=patchwork-reuse&section={section}" for section in ("lineage", "bench")),
    *("benchmark?bench=published-sdog120", "benchmark?bench=published-sdog120&section=effort"),
    *("leaderboard?group=photographs", "leaderboard?group=photographs&view=table", "budget?group=photographs"),
    *("compose?pick=SAC", "compose?samplers=masked&columns=lime", "compose?bench=published-sdog120"),
    *("budget?", "budget?panel=distance", "budget?x=labelled", "budget?play=true&sent=100"),
    *(f"separability?rows={rows}" for rows in ("one", "tasks", "victims", "benchmarks")),
    *(
        "separability?show=bound",
        f"separability?bench=patchwork-sac&{urlencode({'victim': PAIR['victim'], 'pair': PAIR['suspect']})}",
    ),
    *(
        "queries?left=uniform(test)",
        "queries?left=uniform(train)->pgd&right=uniform(test)&reveal=labels",
        "queries?view=telling",
        "queries?bench=published-sdog120",
    ),
    *("check?", f"check?{DUEL}&view=dots", f"check?{DUEL}&view=path", f"check?{DUEL}&view=duel&act=opened"),
    *("paper?claim=table3", "paper?view=table2", "paper?view=table3", "paper?view=table3&mode=honest"),
    *("paper?view=agreement", "atlas?", "atlas?reveal=labels"),
]
STEPS = [(name, step) for name in story.names() for step in range(1, len(story.read(name)) + 1)]
# Until a page is still: its script has ended, its charts are there, fill their room and stay where they are.
STILL = """() => {
    const wait = '[data-test-script-state=running], [data-testid=stSkeleton], [data-testid=stProgress], .waiting';
    if (!document.querySelector('h1, h2, h3') || document.querySelector(wait)) return false;
    for (const chart of document.querySelectorAll('[data-testid=stPlotlyChart]')) {
        const drawn = chart.querySelector('.main-svg');
        if (!drawn || Math.abs(drawn.width.baseVal.value - chart.clientWidth) > 2) return false;
    }
    const parts = document.querySelectorAll('.main-svg, .annotation, h2, button, .card, [data-testid=stElementContainer]');
    const seen = [innerWidth, location.href, ...[...parts].flatMap(part => {
        const box = part.getBoundingClientRect();
        return [box.left | 0, box.top | 0, box.width | 0, box.height | 0];
    })].join();
    if (window.lately !== seen) [window.lately, window.since] = [seen, performance.now()];
    return performance.now() - window.since > 250;
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all, on the shipped records and a store of its own."""
    folder = tmp_path_factory.mktemp("screens")
    with serving(rate_records.FOLDER, folder / "server.log", QURD_STORE=str(folder / "store")) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser):  # noqa: F811
    """One for all, which keeps what it has loaded."""
    opened = browser.new_page()
    opened.set_default_timeout(PATIENCE)
    return opened


def show(page, address: str, theme: str = "light") -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": STAGES[-1][0], "height": STAGES[-1][1]})
    page.goto(address)
    settle(page)


def turn_stage(page, theme: str) -> None:
    """On or off, which draws the page anew, in the theme."""
    page.emulate_media(color_scheme=theme)
    before = page.locator(".st-key-leave").count()
    page.locator(".st-key-stage label").click()
    page.wait_for_function("before => document.querySelectorAll('.st-key-leave').length !== before", arg=before)
    settle(page)


def settle(page) -> None:
    page.wait_for_function(STILL, polling=100)


def at_sizes(page, sizes, *, stage: bool) -> list[str]:
    """What is wrong at each size."""
    found = []
    for size in sizes:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        settle(page)
        found += [f"{size[0]}x{size[1]}: {fault}" for fault in faults(page, stage=stage)]
    return found


# A rule, and whose markup cannot be changed: browsers scroll by key what holds nothing that can have the focus.
STREAMLITS = {"scrollable-region-focusable": 'data-testid="stPopoverBody"'}
OPENED = [  # a view, and the button that opens something over it
    ("leaderboard?", "Definitions"),
    ("leaderboard?", "Export"),
    ("leaderboard?", "Stories"),
    ("compose?pick=SAC", "Card"),
    ("compose?pick=SAC", "Seeds"),
    ("benchmark?section=bench", "Tick by name"),
    ("benchmark?section=bench", "Suggest"),
    ("benchmark?section=bench", "Save"),
    ("queries?left=uniform(test)", "Look closely at query 1"),
]


def violations(page, look: str) -> list[str]:
    """What axe-core says of our part of the page."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)
    rules = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    found = [(rule["id"], node) for rule in rules for node in rule["nodes"]]
    return [
        f"{look}: {rule}: {node['html'][:120]}: {node['failureSummary']}"
        for rule, node in found
        if not (rule in STREAMLITS and STREAMLITS[rule] in node["html"])
    ]


TEXT = "position:absolute;white-space:nowrap;"
SMALL = [  # a page, whether it is on stage, and what is wrong with it
    ("<p>All is well.</p><button>Go on</button><input value='as it is'>", True, None),
    (
        f"<div style='{TEXT}left:0;top:0'>hamming</div><div style='{TEXT}left:30px;top:2px'>information</div>",
        False,
        "overlap",
    ),
    (f"<div style='{TEXT}left:0;top:0'>hamming</div><div style='{TEXT}left:70px;top:2px'>cosine</div>", False, None),
    ("<svg><text x=10 y=20>hamming</text><text x=40 y=22>information</text></svg>", False, "overlap"),
    (
        "<svg height=120><text transform='translate(20,110) rotate(-45)'>label extraction</text>"
        "<text transform='translate(50,110) rotate(-45)'>label extraction</text></svg>",
        False,
        None,
    ),
    (
        "<svg height=120><text transform='translate(20,110) rotate(-45)'>label extraction</text>"
        "<text transform='translate(28,110) rotate(-45)'>label extraction</text></svg>",
        False,
        "overlap",
    ),
    ("<svg width=60><text x=30 y=20>information</text></svg>", False, "cut"),
    (
        "<svg><clipPath id=c><rect width=50 height=50 /></clipPath>"
        "<g clip-path='url(#c)'><text y=20>information</text></g></svg>",
        False,
        "cut",
    ),
    ("<div style='width:50px;overflow:hidden;white-space:nowrap'>information</div>", False, "cut"),
    ("<div style='width:50px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis'>information</div>", False, "cut"),
    ("<div style='width:50px;overflow:auto;white-space:nowrap'>information</div>", False, "scrolls sideways"),
    (f"<div style='{TEXT}left:1900px'>information</div>", False, "beside the window"),
    (f"<div style='{TEXT}top:1070px'>information</div>", True, "below the fold"),
    (f"<div style='{TEXT}top:1070px'>information</div>", False, None),
    (
        "<div style='width:0'><div style='width:80%;height:9px;background:red'></div></div>",
        False,
        "mark without size",
    ),
    (
        "<img alt='' style='width:0;height:20px' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>",
        False,
        "mark without size",
    ),
    ("<div class=js-plotly-plot><svg><g class=point><path d='M0,0Z'></path></g></svg></div>", False, "mark without size"),
    (
        "<div class=js-plotly-plot><svg><rect class=nsewdrag width=9 height=200></rect></svg></div>",
        False,
        "chart without room",
    ),
    (
        "<button>Play</button><div style='position:fixed;inset:0 0 auto 0;height:60px;background:red'></div>",
        False,
        "control under another element",
    ),
]


@pytest.mark.parametrize(("html", "stage", "wrong"), SMALL)
def test_the_check_finds_what_is_wrong(browser, html, stage, wrong):  # noqa: F811
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    page.set_content(f"<!doctype html><body>{html}</body>")
    found = {fault.partition(":")[0] for fault in faults(page, stage=stage)}
    page.close()
    assert wrong in found if wrong else not found


def test_every_page_has_a_view_here():
    assert {view.partition("?")[0] for view in VIEWS} == set(frame.PAGES)


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_a_step_of_a_story_is_whole_at_every_size(server, page, name, step):
    steps = story.read(name)
    show(page, f"{server}/{steps[step - 1].target.page}?story={name}&step={step}")
    page.get_by_text(f"{step} / {len(steps)}").wait_for()
    assert at_sizes(page, STAGES, stage=True) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_whole_at_every_size_and_axe_finds_nothing(server, page, view):
    """Off stage and on, in light and dark."""
    show(page, f"{server}/{view}")
    found = violations(page, "light page") + at_sizes(page, [*STAGES, PHONE], stage=False)
    page.set_viewport_size({"width": STAGES[-1][0], "height": STAGES[-1][1]})
    turn_stage(page, "dark")
    found += violations(page, "dark stage") + at_sizes(page, STAGES, stage=True)
    turn_stage(page, "dark")
    found += violations(page, "dark page")
    turn_stage(page, "light")
    found += violations(page, "light stage")
    assert found == []


@pytest.mark.parametrize("doc", definitions.pages())
def test_a_page_of_the_documentation_is_whole_and_axe_finds_nothing(server, page, doc):
    show(page, f"{server}/docs?doc={doc}")
    found = violations(page, "light") + at_sizes(page, [*STAGES, PHONE], stage=False)
    show(page, f"{server}/docs?doc={doc}", "dark")
    assert found + violations(page, "dark") == []


@pytest.mark.parametrize(("view", "button"), OPENED)
def test_axe_finds_nothing_in_what_a_button_opens(server, page, view, button):
    found = []
    for theme in ("light", "dark"):
        show(page, f"{server}/{view}", theme)
        page.get_by_role("button", name=button).first.click()
        page.locator("[data-testid=stPopoverBody], [role=dialog]").first.wait_for()
        settle(page)
        found += violations(page, theme)
    assert found == []
