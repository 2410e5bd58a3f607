"""Saved benchmarks that somebody wrote by hand: every page shows them, or says in one sentence why not."""

import json

import pytest

from pages.ui.frame import PAGES
from qurd_core.records import rate_records

OF_PAGES = [page for page in PAGES if page not in ("atlas", "paper")]  # which show no benchmark
PAIRS = rate_records.pairs("patchwork-reuse")
VICTIM = PAIRS["victim"].iloc[0]
MINE = PAIRS[PAIRS["victim"] == VICTIM]
STOLEN, UNRELATED = (
    [[VICTIM, name] for name in MINE.loc[MINE["kind"] == kind, "suspect"]] for kind in ("positive", "negative")
)
BENCHES = {
    "of-a-table": ({"benchmark": "/somewhere/answers.csv", "pairs": [["a", "b"]]}, "none of /somewhere/answers.csv"),
    "of-no-benchmark": ({"benchmark": "patchwork-sak", "pairs": STOLEN}, "none of patchwork-sak"),
    "of-a-variant": ({"benchmark": "patchwork-reuse(negatives=lineage)", "pairs": STOLEN}, "Commands take it: python"),
    "of-a-part": ({"benchmark": "of-a-table", "pairs": STOLEN}, "none of of-a-table"),
    "of-other-pairs": ({"benchmark": "patchwork-reuse", "pairs": [[VICTIM, "train(x,y)"]]}, f"none of {VICTIM} and train"),
    "of-no-pairs": ({"benchmark": "patchwork-reuse", "pairs": []}, "at least one stolen model of every victim"),
    "of-no-stolen": ({"benchmark": "patchwork-reuse", "pairs": UNRELATED}, "at least one stolen model of every victim"),
    "of-no-format": ({"format": None}, "of format 1"),
    "of-words": ("{", "as the Benchmark page saves it"),
    "of-a-list": ([], "as the Benchmark page saves it"),
    "of-letters": ({"benchmark": "patchwork-reuse", "pairs": ["ab"]}, "as the Benchmark page saves it"),
}


SHOWN = {"whole": STOLEN + UNRELATED, "stolen": STOLEN, "two": STOLEN[:1] + UNRELATED[:1]}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A store with all of them, which pages only read: what a page computes of a bench serves the next page."""
    store = tmp_path_factory.mktemp("store")
    (store / "benches").mkdir()
    benches = {name: about for name, (about, _) in BENCHES.items()}
    benches |= {name: {"benchmark": "patchwork-reuse", "pairs": pairs} for name, pairs in SHOWN.items()}
    for name, about in benches.items():
        text = about if isinstance(about, str) else json.dumps({"format": 1} | about if about else about)
        (store / "benches" / f"{name}.json").write_text(text)
    return store


@pytest.fixture
def opened(shipped, saved, monkeypatch):
    """Opens the app on that store."""
    monkeypatch.setenv("QURD_STORE", str(saved))
    return shipped


@pytest.mark.parametrize("name", BENCHES)
@pytest.mark.parametrize("page", OF_PAGES)
@pytest.mark.slow
def test_a_bench_without_records_is_one_sentence_on_every_page(opened, page, name):
    app = opened(page=page, bench=name)
    assert not app.exception
    assert [one.value for one in app.subheader] == ["This page cannot be shown"]
    said = app.text[0].value
    assert BENCHES[name][1] in said
    assert "\n" not in said


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.slow
def test_a_bench_of_pairs_with_records_is_shown_on_every_page(opened, page, name):
    app = opened(page=page, bench=name)
    assert not app.exception
    assert "This page cannot be shown" not in [one.value for one in app.subheader]


def test_the_paper_is_shown_whatever_the_bench(opened):
    app = opened(page="paper", bench="of-a-table")
    assert not app.exception
    assert app.header
