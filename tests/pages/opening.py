"""Opens every page in this process, which is to be a fresh one, and fails where one of them loads what it can do without."""

import sys
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from pages.ui.frame import HOME
from qurd_core.files import ROOT
from qurd_core.jobs.queue import Jobs

VICTIM = "train(vgg,victim)"
HEAVY = {"torch", "torchvision", "captum", "sklearn"}
SCIPY_TOO = ("budget", "leaderboard", "paper", "compose", "queries")  # the others may load it and come last
DUEL = {  # a question whose answers ship
    "bench": "patchwork-sac",
    "victim": "train(dense,victim)",
    "suspect": ["train(dense,victim)->label_extraction(res)", "train(res,attacker,seed=1)"],
    "stop": "peak",
}
LINKS = {
    "budget": ({}, {"x": "labelled", "panel": "distance", "reveal": "labels"}, {"play": "true"}),
    "leaderboard": tuple({"view": view, "pin": "SAC"} for view in ("chart", "table", "swap")),
    "atlas": ({}, {"reveal": "labels"}),
    "paper": tuple({"view": view} for view in ("claims", "table2", "table3", "agreement")),
    "compose": tuple(
        {"pick": pick} for pick in ("AKH", "negative(test)->pgd(eps=.05) | labels | hamming", "negative(test) | lime | l2")
    ),
    "queries": ({}, {"view": "telling"}, {"reveal": "labels"}),
    "benchmark": tuple({"section": section} for section in ("overview", "lineage", "effort", "images", "bench")),
    "separability": (
        {"bench": "patchwork-sac", "of": "AKH", "victim": VICTIM, "pair": f"{VICTIM}->probit_extraction(dense)"},
    ),
    "check": ({}, DUEL | {"view": "path"}, *(DUEL | {"view": "duel", "act": act} for act in ("seal", "play", "opened"))),
}


def drawn(app: AppTest) -> bool:
    return bool(app.get("plotly_chart"))


SHOWS: dict[str, Callable[[AppTest], bool]] = {  # by which a page is known to have shown what it is for
    "budget": drawn,
    "leaderboard": drawn,
    "atlas": drawn,
    "paper": drawn,
    "check": lambda app: any(word in app.header[0].value for word in ("Choose", "closer", "seal", "Which")),
    "queries": lambda app: any(word in app.header[0].value for word in ("mistakes", "discriminative")),
    "separability": lambda app: drawn(app) and any("Both models call" in element.value for element in app.html),
}


def check(app: AppTest, page: str, *where: object) -> None:
    assert not app.exception, (page, *where, app.exception)
    assert app.header and SHOWS.get(page, bool)(app), (page, *where)
    loaded = (HEAVY | ({"scipy"} if page in SCIPY_TOO else set())) & {*sys.modules}
    assert not loaded, (page, *where, loaded)


def visit(page: str, link: dict[str, str | list[str]]) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=180)
    for key, value in link.items():
        app.query_params[key] = value
    if page != HOME:
        app.switch_page(f"pages/{page}.py")
    check(app.run(), page, link)
    if page == "compose":
        check(app.button(key="representation-probits").click().run(), page, link, "another representation")


if __name__ == "__main__":
    Jobs.warm_up = lambda self, benchmark: None
    Jobs.expected = lambda self, job: None
    Jobs.submit = lambda self, job, by, anew=False: job.key
    for name, links in LINKS.items():
        for link in links:
            visit(name, link)
