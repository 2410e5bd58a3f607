"""What was run here stands beside what is recorded, on every page, as long as its parts are those that ran."""

import pandas as pd
import pytest

from qurd_core.benchmarks import base
from qurd_core.jobs import live
from qurd_core.jobs.kinds import own_job, rate_job
from qurd_core.records import evidence, own_records, ran_records, rate_records
from qurd_core.schemes import Scheme, describe
from tests import toy as _toy  # noqa: F401 (registers the craft of another package)
from tests.qurd_core.benchmarks.own.test_answer_table import answers

MIRROR = "uniform(test)->mirror | labels | hamming"  # of another package
OTHER = "negative(test) | probits | l1"


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
    rate_job.desk_of.cache_clear()
    return tmp_path / "store"


def ran(scheme, like="AKH", on="patchwork-reuse"):
    """Keep a run that found what is recorded of another scheme."""
    rows = rate_records.table_of(on, None).to_pandas()
    rows = rows[rows["name"] == like].assign(scheme=scheme, name=None)
    scores = rate_records.scores(on)
    scores = scores[scores["scheme"] == str(Scheme.parse(like))].assign(scheme=scheme)
    ran_records.add(on, Scheme.parse(scheme), rows, scores, describe(Scheme.parse(scheme)))
    return rows


@pytest.mark.slow
def test_a_run_with_components_of_another_package_is_read_with_the_records_of_its_benchmark():
    before = evidence.read("patchwork-reuse")
    ran(MIRROR)
    found = evidence.read("patchwork-reuse")
    mine = found[found["scheme"] == MIRROR].reset_index(drop=True)
    akh = found[found["name"] == "AKH"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine[["budget", "tpr", "auc"]], akh[["budget", "tpr", "auc"]])
    pd.testing.assert_frame_equal(found[found["scheme"] != MIRROR].reset_index(drop=True), before, check_dtype=False)
    assert MIRROR in set(rate_records.read_at("patchwork-reuse", 100)["scheme"])
    assert MIRROR in set(evidence.Scores.read("patchwork-reuse").columns["scheme"])
    (words,) = rate_records.schemes().query("scheme == @MIRROR").to_dict("records")
    assert words["craft"] == "mirror"
    assert MIRROR not in set(evidence.read("patchwork-sac")["scheme"])


def test_it_is_gone_with_its_package_or_an_older_version_and_comes_back(monkeypatch):
    ran(MIRROR)
    with monkeypatch.context() as patch:
        patch.setattr(ran_records, "version", lambda scheme: "another")
        assert MIRROR not in set(evidence.read("patchwork-reuse")["scheme"])
        assert MIRROR not in set(rate_records.schemes()["scheme"])
    assert MIRROR in set(evidence.read("patchwork-reuse")["scheme"])


def test_a_recorded_scheme_stays_as_it_is_recorded():
    text = str(Scheme.parse("Random"))
    ran(text)
    found = evidence.read("patchwork-reuse")
    assert not found.duplicated(["scheme", "budget"]).any()
    assert found.loc[found["scheme"] == text, "name"].eq("Random").all()


def test_our_own_combinations_count_on_benchmarks_that_somebody_brings_alone(store):
    answers().to_csv(store.parent / "shop.csv", index=False)
    base.register("shop", str(store.parent / "shop.csv"))
    assert ran_records.counts("patchwork-reuse", Scheme.parse(MIRROR))
    assert not ran_records.counts("patchwork-reuse", Scheme.parse(OTHER))
    assert ran_records.counts("shop", Scheme.parse(OTHER))


@pytest.mark.slow
@pytest.mark.parametrize("pool", [None, ["train(forest,theirs)"]])
def test_a_live_run_on_ones_own_benchmark_is_on_all_its_pages_unless_some_lineages_calibrate(store, monkeypatch, pool):
    monkeypatch.setattr("qurd_core.evaluation.recording.own.SEEDS", 1)
    answers(probits=True).to_csv(store.parent / "shop.csv", index=False)
    base.register("shop", str(store.parent / "shop.csv"))
    own_job.run(store, store / "job", lambda done, total: None, benchmark="shop", state="", parts="")
    job = live.rates_job("shop", OTHER, (), "identity")
    if pool:
        pool = [base.benchmark("shop").root("other0")]
    rate_job.run(store, store / "run", lambda done, total: None, **job.args | {"seeds": 1, "pool": pool})
    found = evidence.read("shop")
    assert (OTHER in set(found["scheme"])) is (pool is None)
    if pool is None:
        left = live.rows(store / "run.parquet", "unrelated", task="all")
        mine = found[found["scheme"] == OTHER]
        assert mine["tpr"].tolist() == pytest.approx(left["tpr"].tolist(), nan_ok=True)
        assert ran_records.path_of("shop").parent == own_records.folder_of("shop")
