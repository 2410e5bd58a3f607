"""Live runs: the numbers of a table, in the order in which somebody watching wants them, asking no more than needed."""

import pandas as pd
import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.evaluation import speed
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.jobs import live
from qurd_core.jobs.kinds import rate_job
from qurd_core.records import rate_records
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from tests.toy import STRANGERS, VICTIMS

PGD = "uniform(test)->pgd(eps=0.1,steps=3) | labels | hamming"
RATES = ["budget", "task", "tpr", "tpr_conformal", "sd", "auc", "n_negatives", "mean_stolen", "used", "samples", "gradients"]


@pytest.fixture(autouse=True)
def fresh():
    for cached in (workbench, rate_job.desk_of):
        cached.cache_clear()
    yield
    for cached in (workbench, rate_job.desk_of):
        cached.cache_clear()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a job; gives its rows, and the query seeds and largest budget that were published one after another."""

    def start(scheme, pool=None, seeds=2, progress=lambda done, total: None):
        shown = []
        monkeypatch.setattr(live, "write", lambda table, path: (shown.append(table), write(table, path)))
        args = {"benchmark": "toy", "scheme": scheme, "pool": pool, "seeds": seeds, "version": ""}
        rate_job.run(tmp_path, tmp_path / "job", progress, **args)
        return pd.read_parquet(tmp_path / "job.parquet"), [(table["seeds"].max(), table["budget"].max()) for table in shown]

    write = live.write
    return start


def reference(tmp_path, scheme, **choice):
    store = Store(tmp_path / "other")
    return evaluate("toy", [scheme], budgets=rate_records.BUDGETS, by_task=True, store=store, **choice)


@pytest.mark.parametrize(
    "scheme", ["AKH", PGD, "negative(test) | probits | cosine", "negative(test)->cutmix | labels | hamming"]
)
@pytest.mark.slow
def test_the_rows_are_those_of_the_pipeline(run, tmp_path, scheme):
    every, _ = run(scheme)
    assert tuple(every.columns) == rate_records.COLUMNS
    assert set(every["scheme"]) == {str(Scheme.parse(scheme))}
    for negatives in ("unrelated", "unrelated+hard"):
        found = every[every["negatives"] == negatives].reset_index(drop=True)
        wanted = reference(tmp_path, scheme, seeds=2, negatives=negatives)
        pd.testing.assert_frame_equal(found[RATES], wanted[RATES], check_dtype=False, atol=1e-6, obj=negatives)


@pytest.mark.slow
def test_the_first_point_comes_before_the_curve_and_seeds_one_by_one(run):
    assert run(PGD, seeds=3)[1] == [(1, 100), (1, 400), (2, 400), (3, 400)]
    assert run("AKH")[1] == [(1, 50), (1, 100), (1, 400), (2, 400)]


@pytest.mark.slow
def test_natural_images_that_are_not_sent_are_not_asked_about(run, tmp_path):
    run("negative(test) | labels | hamming")
    desk, _ = rate_job.desk_of(str(tmp_path), "toy")
    images = len(desk.images("test"))
    asked = {name: oracle.asked for name, oracle in desk.oracles.items()}
    assert all(asked[victim] == images for victim in VICTIMS)
    assert 0 < asked[STRANGERS[0]] < images
    run("negative(test) | probits | cosine")  # on the same images
    assert asked == {name: oracle.asked for name, oracle in desk.oracles.items()}


@pytest.mark.slow
def test_a_run_from_another_process_finds_what_was_asked_while_somebody_watched(run, tmp_path):
    run("AKH")
    desk = Workbench(benchmark("toy"), Store(tmp_path), rate_job.Runtime())
    assert desk.has_scores(VICTIMS[0], Scheme.parse("AKH"), 0, rate_records.BUDGETS)
    desk.scores(VICTIMS[0], [Scheme.parse("negative(test) | probits | cosine")], 0, rate_records.BUDGETS)
    assert not any(oracle.asked for oracle in desk.oracles.values())
    list(rate_job.prepared(tmp_path, "toy", lambda: False))
    assert desk.has_natural(STRANGERS[0], "test")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.slow
def test_a_pool_calibrates_the_scheme_and_its_reference(run, tmp_path):
    found, shown = run(PGD, pool=STRANGERS[:20])
    assert set(found["name"].dropna()) == {"AKH"}
    assert set(found.loc[found["negatives"] == "unrelated", "n_negatives"]) == {20}
    assert shown[-1] == (2, 400)
    own = found[found["name"].isna() & (found["negatives"] == "unrelated")].reset_index(drop=True)
    wanted = reference(tmp_path, PGD, seeds=2, pool=STRANGERS[:20])
    pd.testing.assert_frame_equal(own[RATES], wanted[RATES], check_dtype=False, atol=1e-6)


def test_a_run_that_is_stopped_leaves_what_it_has_published(run, tmp_path):
    class Stopped(Exception):  # noqa: N818
        pass

    def stop(done, total):
        if done > 0.7 * total:
            raise Stopped

    with pytest.raises(Stopped):
        run(PGD, progress=stop, seeds=4)
    assert 1 <= pd.read_parquet(tmp_path / "job.parquet")["seeds"].max() < 4
    assert rate_job.desk_of(str(tmp_path), "toy")[1].listener is None


def test_progress_rises_to_the_end_and_hears_of_every_batch(run):
    told = []
    run(PGD, seeds=1, progress=lambda done, total: told.append((done, total)))
    done = [one for one, _ in told]
    assert done == sorted(done)
    assert told[-1][0] == told[-1][1]
    assert len(told) > 30


def test_a_preparation_gives_way_and_goes_on(tmp_path):
    busy = iter([True, True])
    steps = list(rate_job.prepared(tmp_path, "toy", lambda: next(busy, False)))
    desk, ear = rate_job.desk_of(str(tmp_path), "toy")
    assert all(desk.has_natural(model, "test") for model in desk.bench.models)
    assert ear.listener is None
    assert len(steps) == 1 + 2 * len(desk.bench.models) + len(VICTIMS) + 2
    measured = speed.Speed.read(tmp_path, "toy")
    assert set(measured.passes) == set(desk.bench.models)
    assert all(second > 0 for second in measured.gradients.values())


def test_the_expected_seconds_follow_from_the_passes(tmp_path):
    desk = Workbench(benchmark("toy"), Store(tmp_path), rate_job.Runtime())
    known = speed.Speed(dict.fromkeys(desk.bench.models, 0.001), dict.fromkeys(VICTIMS, 0.01))
    scheme = Scheme.parse(PGD)
    models = len(desk.models(VICTIMS[0]))
    wanted = 128 * models * 0.001 + 64 * 3 * 0.01 + speed.LOOK  # two parts of 64 queries, 3 steps for each of 64 seeds
    assert speed.seconds(desk, scheme, 1, (100,), known) == pytest.approx(2 * wanted)
    for victim in VICTIMS:
        desk.scores(victim, [scheme], 0, (100,))
    assert speed.seconds(desk, scheme, 1, (100,), known) == 0


def test_images_that_were_asked_about_cost_nothing_more(tmp_path):
    desk = Workbench(benchmark("toy"), Store(tmp_path), rate_job.Runtime())
    known = speed.Speed(dict.fromkeys(desk.bench.models, 0.001), dict.fromkeys(VICTIMS, 0.01))
    desk.scores(VICTIMS[0], [Scheme.parse("Random")], 0, (100,))
    other = Scheme.parse("uniform(test) | probits | cosine")
    assert speed.query_set(desk, VICTIMS[0], other, 0, (100,), known) == speed.LOOK
    assert speed.query_set(desk, VICTIMS[0], other, 1, (100,), known) > speed.LOOK


def test_a_run_writes_the_answers_of_a_model_once_for_all_victims(run, tmp_path, monkeypatch):
    kept, keep = [], Store._keep
    monkeypatch.setattr(Store, "_keep", lambda self, key, made: kept.append(key) or keep(self, key, made))
    run("Random", seeds=1)
    some = [key.spec["model"] for key in kept if key.spec.get("to") == "some"]
    steps = 3  # two first looks, and the curve
    assert 0 < max(map(some.count, some)) <= steps


def test_a_job_says_its_seconds_once_the_models_are_measured(tmp_path):
    asked = {"benchmark": "toy", "scheme": PGD, "pool": None, "seeds": 2, "version": ""}
    assert rate_job.expected(tmp_path, **asked) is None
    desk, _ = rate_job.desk_of(str(tmp_path), "toy")
    known = speed.Speed(dict.fromkeys(desk.bench.models, 0.001), dict.fromkeys(VICTIMS, 0.01))
    known.write(tmp_path, "toy")
    alone = speed.seconds(desk, Scheme.parse(PGD), 2, rate_records.BUDGETS, known)
    assert rate_job.expected(tmp_path, **asked) == alone > 0
    asked["pool"] = STRANGERS[:20]  # then the reference is measured too
    assert rate_job.expected(tmp_path, **asked) > alone


def test_steps_that_are_all_taken_count_and_others_are_a_limit(monkeypatch):
    monkeypatch.setattr(speed, "_recorded", lambda bench: {"pgd": 40.0, "boundary": 20.0})
    for text, wanted in (
        ("uniform(test)->pgd(steps=10)", 10),
        ("uniform(test)->boundary", 20),
        ("uniform(test)->boundary(steps=5)", 5),
        ("uniform(test)", 0),
    ):
        assert speed.gradients("toy", Scheme.parse(f"{text} | labels | hamming")) == wanted


def test_speeds_that_cannot_be_read_are_not_known(tmp_path):
    assert speed.Speed.read(tmp_path, "toy") is None
    path = speed.path_of(tmp_path, "toy")
    path.parent.mkdir()
    path.write_text("{}")
    assert speed.Speed.read(tmp_path, "toy") is None


def test_rows_of_a_run_are_read_by_task_and_negatives(run, tmp_path):
    run(PGD, seeds=1)
    rows = live.rows(tmp_path / "job.parquet", "unrelated+hard", task="finetune")
    assert set(rows["task"]) == {"finetune"}
    assert rows["name"].isna().all()
    assert live.rows(tmp_path / "job.parquet", "unrelated", task="nap") is None
    assert live.rows(tmp_path / "no.parquet", "unrelated", task="all") is None


def test_a_job_is_named_by_what_changes_its_result():
    one = live.rates_job("patchwork-sac", PGD, ("b", "a"), "1")
    assert one.key == live.rates_job("patchwork-sac", PGD, ("a", "b"), "1").key
    others = [
        ("patchwork-reuse", PGD, ("a", "b"), "1"),
        ("patchwork-sac", PGD, (), "1"),
        ("patchwork-sac", PGD, ("a", "b"), "2"),
    ]
    assert one.key not in {live.rates_job(*other).key for other in others}
