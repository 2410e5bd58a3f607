"""The sweep on a toy benchmark: what it promises before it starts."""

import json

import pandas as pd
import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation import sweep
from qurd_core.evaluation.pipeline import compute, request
from qurd_core.evaluation.workbench import workbench
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED, Scheme, combinations, swept
from qurd_core.store import Store
from tests import toy as _toy  # noqa: F401 (importing registers the benchmark)

TEXTS = ["AKH", "uniform(test) | probits | cosine", "uniform(test)->pgd(steps=3) | labels | hamming"]
BUDGETS = (10, 20)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(sweep, "fitting", lambda: [Scheme.parse(text) for text in TEXTS])
    monkeypatch.setattr(sweep, "BUDGETS", BUDGETS)
    monkeypatch.setattr(benchmark("toy").source, "splits", ("train", "test"))
    workbench.cache_clear()
    yield
    workbench.cache_clear()


@pytest.mark.parametrize("name", ["answers.csv", "sacbench-cifar10", "modelreuse-flower102(models=there)"])
def test_only_embedded_benchmarks_have_records(tmp_path, name):
    with pytest.raises(QurdError, match="Use 'run' on"):
        sweep.estimate(name, 1, Store(tmp_path), Runtime())


def test_only_schemes_that_a_sweep_records_are_swept_alone(small, tmp_path):
    with pytest.raises(QurdError, match=r"Got noise [|] labels [|] hamming. Use 'run' on it."):
        sweep.estimate("toy", 1, Store(tmp_path), Runtime(), only=["AKH", "noise | labels | hamming"])


def test_the_estimate_counts_what_the_store_lacks_and_keeps_no_crafted_query(small, tmp_path):
    store = Store(tmp_path)
    told = sweep.estimate("toy", 2, store, Runtime())
    # Two victims: a named scheme on natural images with twenty query seeds, two other combinations with the two asked for.
    assert "3 combinations, 48 query sets left" in told
    assert not list(store.folder.glob("queries/**/*.safetensors"))
    compute(request("toy", TEXTS[:1], budgets=BUDGETS, seeds=20), store, Runtime())
    compute(request("toy", TEXTS[1:], budgets=BUDGETS, seeds=2), store, Runtime())
    assert "0 query sets left: about 0 minutes" in sweep.estimate("toy", 2, store, Runtime())


def records_of(folder):
    table = pd.read_parquet(folder / "toy.parquet")
    return table.astype(dict.fromkeys(("scheme", "task", "negatives"), str))


@pytest.mark.slow
def test_named_schemes_have_more_query_seeds_than_others_and_are_swept_alone_if_wanted(small, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep.inventory, "write", lambda *_: [])
    monkeypatch.setattr(sweep, "BEST_AT", 20)
    monkeypatch.setattr(sweep, "RAW_BUDGETS", BUDGETS)
    out, store = tmp_path / "records", Store(tmp_path / "store")
    monkeypatch.setattr(sweep.rate_records, "EMBEDDED", ("other", "absent"))
    list(sweep.measure("toy", 2, store, Runtime(), out))
    whole = records_of(out)
    assert whole.groupby("scheme")["seeds"].unique().map(list).to_dict() == {
        str(Scheme.parse(text)): [number] for text, number in zip(TEXTS, (20, 2, 2), strict=True)
    }
    assert (whole["distinct"] == whole["used"]).all()
    raw = pd.read_parquet(out / "toy-scores.parquet")
    assert raw.groupby("scheme")["query_seed"].nunique().to_dict() == whole.groupby("scheme")["seeds"].first().to_dict()

    other = Scheme.parse(TEXTS[1])
    whole.assign(tpr=whole["tpr"].where(whole["scheme"] != str(other), 0.5)).to_parquet(out / "toy.parquet")
    list(sweep.measure("toy", 2, store, Runtime(), out, only=[TEXTS[0], TEXTS[2]]))
    again = records_of(out)
    assert (again.loc[again["scheme"] == str(other), "tpr"] == 0.5).all()  # stays as it was there
    keys = ["scheme", "task", "budget", "negatives"]
    rest = [table[table["scheme"] != str(other)].sort_values(keys).reset_index(drop=True) for table in (whole, again)]
    pd.testing.assert_frame_equal(*rest)
    assert len(pd.read_parquet(out / "toy-scores.parquet")) == len(raw)
    monkeypatch.setattr(sweep, "BEST", 0)
    whole.assign(scheme="noise | labels | hamming").to_parquet(out / "other.parquet")
    list(sweep.measure("toy", 2, store, Runtime(), out, only=TEXTS[:1]))  # raw scores of the best only, whoever was there
    assert {*pd.read_parquet(out / "toy-scores.parquet")["scheme"]} == {str(Scheme.parse("AKH"))}
    list(
        sweep.measure("toy", 2, store, Runtime(), out, only=[str(other)])
    )  # which is none of the best, so alone has no scores
    assert {*pd.read_parquet(out / "toy-scores.parquet")["scheme"]} == {str(Scheme.parse("AKH"))}
    told = [one["scheme"] for one in json.loads((out / "schemes.json").read_text())]  # what another benchmark has, too
    assert sorted(told) == sorted(["noise | labels | hamming", *whole["scheme"].unique()])


@pytest.mark.parametrize(("name", "crafted"), [("patchwork-sac", 10), ("patchwork-reuse", 10), ("fashion-sac", 5)])
def test_schemes_that_craft_have_more_query_seeds_where_victims_are_few(name, crafted):
    found = {scheme.name: asked.seeds for asked in sweep._requests(name, 5, NAMED) for scheme in asked.schemes}
    assert (found["AKH"], found["IPGuard"], found["DeepJudge"]) == (20, crafted, crafted)


def test_records_hold_every_combination_of_swept_parts_and_few_of_the_others():
    found = sweep.fitting()
    assert {scheme for scheme in combinations() if swept(scheme) and not scheme.reason} <= {*found}
    others = [scheme for scheme in found if not swept(scheme)]
    named = [scheme for scheme in map(Scheme.parse, NAMED) if not swept(scheme)]
    assert {*named} <= {*others}
    assert len(others) <= 7 * len(named)
