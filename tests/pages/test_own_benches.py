"""Saved benchmarks that somebody wrote by hand: every page shows them, or says in one sentence why not."""

import json

import pytest

from pages.ui.frame import PAGES
from qurd_core.records import rate_records

OF_PAGES = [page for page in PAGES if page != "paper"]  # which shows no benchmark
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


def save(tmp_path, name, about):
    path = tmp_path / "benches" / f"{name}.json"
    path.parent.mkdir(parents=True)
    path.write_text(about if isinstance(about, str) else json.dumps({"format": 1} | about if about else about))


@pytest.mark.parametrize("name", BENCHES)
@pytest.mark.parametrize("page", OF_PAGES)
def test_a_bench_without_records_is_one_sentence_on_every_page(shipped, tmp_path, page, name):
    about, says = BENCHES[name]
    save(tmp_path, name, about)
    app = shipped(page=page, bench=name)
    assert not app.exception
    assert [one.value for one in app.subheader] == ["This page cannot be shown"]
    said = app.text[0].value
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("pairs", [STOLEN + UNRELATED, STOLEN, STOLEN[:1] + UNRELATED[:1]], ids=["whole", "stolen", "two"])
def test_a_bench_of_pairs_with_records_is_shown_on_every_page(shipped, tmp_path, page, pairs):
    save(tmp_path, "by-hand", {"benchmark": "patchwork-reuse", "pairs": pairs})
    app = shipped(page=page, bench="by-hand")
    assert not app.exception
    assert "This page cannot be shown" not in [one.value for one in app.subheader]


def test_the_paper_is_shown_whatever_the_bench(shipped, tmp_path):
    save(tmp_path, "of-a-table", BENCHES["of-a-table"][0])
    app = shipped(page="paper", bench="of-a-table")
    assert not app.exception
    assert app.header
