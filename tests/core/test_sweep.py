"""The sweep on a toy benchmark: what it promises before it starts."""

import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation import sweep
from qurd_core.evaluation.pipeline import compute, request
from qurd_core.evaluation.workbench import workbench
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
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


def test_the_estimate_counts_what_the_store_lacks_and_keeps_no_crafted_query(small, tmp_path):
    store = Store(tmp_path)
    told = sweep.estimate("toy", 2, store, Runtime())
    # Two victims: a named scheme on natural images with twenty query seeds, two other combinations with the two asked for.
    assert "3 combinations, 48 query sets left" in told
    assert not list(store.folder.glob("queries/**/*.safetensors"))
    compute(request("toy", TEXTS, budgets=BUDGETS, seeds=2), store, Runtime())
    assert "0 query sets left: about 0 minutes" in sweep.estimate("toy", 2, store, Runtime())
