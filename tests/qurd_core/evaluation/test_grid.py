"""The grid of thefts and ways to hide them on a toy benchmark: what is asked, what is refused, and what is kept."""

import pandas as pd
import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation import grid
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.records import grid_records
from qurd_core.registry import obfuscations
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from tests import toy
from tests.toy_grid import grid_of_toy  # noqa: F401 (a fixture)

SOFT = "uniform(test) | probits | cosine"
CHOSEN = ("none", "finetune", "posterise", "argmax")


@pytest.fixture(autouse=True)
def fresh(monkeypatch, grid_of_toy):  # noqa: F811 (a fixture)
    monkeypatch.setattr(grid, "BUDGET", 20)  # the toy's victims make 40 mistakes
    workbench.cache_clear()
    yield
    workbench.cache_clear()


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def measured(store, out, hidings=CHOSEN, schemes=("AKH", SOFT)) -> pd.DataFrame:
    asked = grid.asked_of("toy", schemes, 2, hidings)
    path = grid.measure("toy", asked, store, Runtime(), out)
    assert path == grid_records.path_of("toy", out)
    return grid_records.read("toy", out)


def cell(table, theft, hiding, scheme="AKH", negatives="unrelated"):
    (row,) = grid_records.of_scheme(table, scheme, negatives).query("theft == @theft and hiding == @hiding").itertuples()
    return row


def test_the_columns_are_the_steps_and_every_obfuscation():
    found = grid.columns("toy")
    assert list(found)[:6] == ["none", "finetune", "merge", "equalise", "jpeg", "posterise"]
    assert {*list(found)[3:]} == {*obfuscations}
    assert list(found)[-2:] == ["smooth_mean", "smooth_vote"]
    assert {name for name, column in found.items() if column.dear} == {"smooth_mean", "smooth_vote"}
    assert all(benchmark(found[name].bench).victims == toy.VICTIMS for name in ("none", "finetune", "jpeg"))


def test_what_takes_many_passes_is_asked_if_it_is_named(monkeypatch):
    monkeypatch.setattr(grid, "_check_built", lambda bench: None)
    assert {one.column.hiding for one in grid.asked_of("toy", ["AKH"], 1)} == {*grid.columns("toy")} - {
        "smooth_mean",
        "smooth_vote",
    }
    (named,) = grid.asked_of("toy", ["AKH"], 1, ["smooth_vote"])
    assert named.column.dear


@pytest.mark.parametrize(
    ("name", "hidings", "told"),
    [
        ("patchwork-sac", (), "Expected a benchmark with a grid: .*Got an embedded benchmark, patchwork-sac"),
        ("toy", ("jpg",), "Unknown column of the grid of toy 'jpg'.*'jpeg'"),
        ("toy", ("merge",), "Expected all models of toy-grid.hiding=merge..*Make those that lack with 'build'"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_runs(name, hidings, told):
    with pytest.raises(QurdError, match=told):
        grid.asked_of(name, ["AKH"], 1, hidings)


@pytest.mark.slow
def test_a_cell_is_the_rate_of_its_column_and_an_empty_one_has_its_reason(store, tmp_path):
    table = measured(store, tmp_path)
    assert len(table) == 2 * len(CHOSEN) * 2 * 2  # thefts, columns, schemes, choices of negatives
    plain = evaluate("toy-grid", ["AKH"], budgets=[20], seeds=2, by_task=True, store=store).set_index("task")
    hidden = evaluate("toy-grid", ["AKH"], budgets=[20], seeds=2, by_task=True, store=store, obfuscate="posterise")
    hidden = hidden.set_index("task")
    for theft in ("same", "finetune"):
        assert cell(table, theft, "none").tpr == pytest.approx(plain.loc[theft, "tpr"])
        assert cell(table, theft, "posterise").tpr == pytest.approx(hidden.loc[theft, "tpr"])
        assert cell(table, theft, "argmax").tpr == cell(table, theft, "none").tpr  # labels stay
        assert pd.isna(cell(table, theft, "argmax", SOFT).tpr)
        assert cell(table, theft, "argmax", SOFT).reason == (
            f"'{SOFT}' needs probits, and a model behind argmax reveals labels only"
        )
    assert cell(table, "finetune", "none").n_models == 4
    assert list(table["theft"].unique()) == ["same", "finetune"]
    assert list(table["hiding"].unique()) == list(CHOSEN)


def test_a_cell_knows_how_good_and_how_true_its_models_are(store, tmp_path):
    table = measured(store, tmp_path)
    assert cell(table, "same", "none").kappa == 1
    assert 0 < cell(table, "same", "finetune").kappa < 1
    assert 0.3 < cell(table, "same", "none").accuracy < 1
    # Queries are those of the theft, whatever follows it.
    assert {cell(table, "finetune", hiding).queries for hiding in CHOSEN} == {100.0}
    assert {cell(table, "same", hiding).queries for hiding in CHOSEN} == {0.0}


@pytest.mark.slow
def test_other_cells_stay_and_what_is_stored_is_asked_no_more(store, tmp_path, monkeypatch):
    before = measured(store, tmp_path, ("none", "posterise"))
    after = measured(store, tmp_path, ("posterise", "topk"), ["AKH"])
    assert len(after) == len(before) + 2 * 2
    assert list(after["hiding"].unique()) == ["none", "posterise", "topk"]
    keys = list(grid_records.KEYS)
    both = after.merge(before, on=keys, suffixes=("", "_before"))
    assert both["tpr"].equals(both["tpr_before"])
    monkeypatch.setattr(Workbench, "oracle", None)
    again = measured(store, tmp_path, ("posterise", "topk"), ["AKH"])
    pd.testing.assert_frame_equal(again, after)


def test_the_estimate_counts_what_the_store_lacks(store, tmp_path):
    asked = grid.asked_of(
        "toy", ["AKH", "uniform(test)->pgd(steps=2) | labels | hamming"], 2, ["none", "posterise", "argmax"]
    )
    told = grid.estimate(asked, store, Runtime())
    assert told.startswith("2 thefts x 3 ways to hide them, 2 scheme(s), 24 query sets left: about 0.")
    grid.measure("toy", asked, store, Runtime(), tmp_path)
    assert "0 query sets left: about 0.0 hours" in grid.estimate(asked, store, Runtime())


def test_models_that_take_many_passes_are_not_asked_about_all_test_images(store):
    (one,) = grid.asked_of("toy", ["AKH"], 1, ["smooth_mean"])
    facts = list(grid._facts(grid._desk(one, store, Runtime())))
    assert all(pd.isna(row["kappa"]) and pd.isna(row["accuracy"]) for row in facts)
    assert Scheme.parse("AKH") in one.schemes
