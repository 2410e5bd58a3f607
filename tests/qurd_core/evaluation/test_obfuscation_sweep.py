"""The named schemes behind obfuscations on a toy benchmark: what is recorded, and what cannot be scored."""

import pandas as pd
import pytest

from qurd_core.benchmarks.base import benchmark, register_benchmarks
from qurd_core.errors import QurdError
from qurd_core.evaluation import obfuscation_sweep
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.workbench import workbench
from qurd_core.records import evidence, obfuscation_records, rate_records
from qurd_core.records.obfuscation_records import WORST, Behind
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED
from qurd_core.store import Store
from tests import toy as _toy  # noqa: F401 (importing registers the benchmark)

register_benchmarks()
SCHEMES = ("AKH", "Random", "FBI", "SAC", "ModelDiff")
PRESETS = ["posterise", "temperature", "argmax", "smooth_mean(copies=2)"]
BUDGETS = (10, 20)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the records, and their store."""
    out, store = tmp_path_factory.mktemp("records"), Store(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as patched:
        _small(patched)
        workbench.cache_clear()
        told = obfuscation_sweep.estimate("toy", store, Runtime())
        paths = list(obfuscation_sweep.measure("toy", store, Runtime(), out))
        after = obfuscation_sweep.estimate("toy", store, Runtime())
        workbench.cache_clear()
    return out, store, paths, (told, after)


def _small(patched):
    patched.setattr(obfuscation_sweep, "NAMED", {name: NAMED[name] for name in SCHEMES})
    patched.setattr(obfuscation_sweep, "presets", lambda: PRESETS)
    patched.setattr(obfuscation_sweep, "RAW_BUDGETS", BUDGETS)
    patched.setattr(obfuscation_sweep, "SLOW_BUDGETS", BUDGETS[1:])


@pytest.fixture
def known(home, monkeypatch):
    """Reads the records."""
    monkeypatch.setattr(rate_records, "SHIPPED", ("toy",))

    def read(by, *, pool=False, **more):
        return obfuscation_records.read("toy", Behind(by, pool), folder=home[0], **more).set_index(["name", "budget"])

    return read


@pytest.mark.slow
def test_time_and_numbers_are_told_before_and_nothing_is_left_after(home):
    before, after = home[3]
    # Two victims; posterise and temperature let all 5 schemes and 3 pass, argmax 2, smoothing all: a sampler each.
    assert before.startswith("5 named schemes behind 4 obfuscations, ")
    assert ", 0 query sets left: about 0 minutes" in after
    assert ", 0 query sets" not in before


@pytest.mark.slow
def test_every_scheme_has_a_row_for_every_budget_task_and_choice_of_negatives(home):
    table = pd.read_parquet(home[2][0])
    keys = ["scheme", "obfuscation", "pool", "negatives", "task", "budget"]
    assert not table.duplicated(keys).any()
    tasks = len(benchmark("toy").tasks) + 1
    assert len(table) == len(SCHEMES) * len(PRESETS) * 2 * 2 * tasks * len(BUDGETS)


@pytest.mark.slow
def test_what_cannot_be_scored_is_empty_with_the_reason(known):
    found = known("argmax")
    assert found.loc[("SAC", 20), "reason"] == "needs logits; behind label only the suspect reveals labels"
    assert found.loc["SAC", "tpr"].isna().all()
    assert found.loc["AKH", "tpr"].notna().all()
    assert known("temperature").loc[("ModelDiff", 10), "reason"].startswith("needs logits; behind temperature 4 the suspect")
    slow = known("smooth_mean(copies=2)")
    assert slow.loc[("AKH", 10), "reason"] == "recorded at 20 queries only"
    assert slow.loc[("AKH", 20), "seeds"] == 1


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("by", PRESETS[:3])
def test_rates_are_those_of_a_run(home, known, by, pool):
    asked = {"budgets": BUDGETS, "seeds": obfuscation_sweep.NATURAL_SEEDS, "store": home[1]}
    table = evaluate("toy", ["AKH", "Random"], obfuscate=by, obfuscate_pool=pool, **asked)
    found = known(by, pool=pool)
    for row in table.itertuples():
        assert found.loc[(row.scheme, row.budget), "tpr"] == pytest.approx(row.tpr, abs=1e-5)


def test_the_worst_known_is_the_lowest_of_all_and_names_its_obfuscation(known):
    each = {by: known(by, pool=True) for by in PRESETS}
    found = known(WORST, pool=True)
    for cell in found.index:
        rates = pd.Series({by: table.loc[cell, "tpr"] for by, table in each.items()}).dropna()
        assert found.loc[cell, "tpr"] == rates.min()
        assert each[found.loc[cell, "obfuscation"]].loc[cell, "tpr"] == rates.min()


def test_distances_give_the_same_rates(home, known):
    pairs = pd.DataFrame(
        [(pair.victim, pair.suspect, pair.kind, [*pair.tasks], pair.suspect) for pair in benchmark("toy").pairs],
        columns=["victim", "suspect", "kind", "tasks", "root"],
    )
    pairs.to_parquet(home[0] / "toy-pairs.parquet")
    scores = obfuscation_records.scores("toy", Behind("posterise", pool=True), home[0])
    rates = evidence.rates(scores, pairs).query("task == 'all'").set_index(["scheme", "budget"])["tpr"]
    found = known("posterise", pool=True).reset_index().set_index(["scheme", "budget"])["tpr"].dropna()
    assert rates.to_dict() == pytest.approx(found.to_dict(), abs=1e-5)


@pytest.mark.parametrize("name", ["sacbench-cifar10", "modelreuse-flower102(models=there)"])
def test_only_embedded_benchmarks_have_such_records(tmp_path, name):
    with pytest.raises(QurdError, match="Use 'run --obfuscate' on it"):
        obfuscation_sweep.estimate(name, Store(tmp_path), Runtime())


def test_the_rate_before_is_that_of_the_same_query_seeds(home, known):
    found = known("argmax")
    assert found.loc["AKH", "before"].tolist() == found.loc["AKH", "tpr"].tolist()  # labels are what they were
    asked = {"budgets": BUDGETS, "seeds": 1, "store": home[1]}
    (row,) = evaluate("toy", ["Random"], **asked | {"budgets": BUDGETS[1:]}).itertuples()
    assert known("smooth_mean(copies=2)").loc[("Random", 20), "before"] == pytest.approx(row.tpr, abs=1e-5)
