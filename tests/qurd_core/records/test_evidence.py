"""What pages read: whole benchmarks from records, benches as parts of them, and the files that hold benches."""

import json

import numpy as np
import pandas as pd
import pytest

from qurd_core.benchmarks import saved_benchmarks
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.workbench import workbench
from qurd_core.records import evidence, rate_records
from qurd_core.records.evidence import Scores
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.views import designer
from qurd_core.views.leaderboard import by_task
from tests.toy import STRANGERS, VICTIMS, Toy

BASE = "patchwork-sac"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    workbench.cache_clear()
    yield tmp_path
    workbench.cache_clear()


@pytest.fixture
def bench(home):
    """Without the second victim and without pruned models."""
    table = evidence.pairs(BASE)
    table = table[np.array([tasks != ["prune"] for tasks in table["tasks"]]) & (table["victim"] != "train(res,victim)")]
    BenchFile(BASE, frozenset(designer.keys(table))).write(saved_benchmarks.home_of("mine"))
    return "mine"


def toy_file(folder, pairs, name="toy"):
    path = folder / "part.json"
    BenchFile(name, frozenset(pairs)).write(path)
    return str(path)


def keys(bench):
    return [(pair.victim, pair.suspect) for pair in bench.pairs]


def test_a_file_gives_back_what_was_written(home):
    file = BenchFile(BASE, frozenset({("a", "b"), ("a", 'c("d")')}))
    file.write(saved_benchmarks.home_of("one"))
    assert BenchFile.read(saved_benchmarks.home_of("one")) == file
    assert saved_benchmarks.saved_names() == ["one"]
    assert [path.name for path in (home / "benches").iterdir()] == ["one.json"]
    saved_benchmarks.remove("one")
    saved_benchmarks.remove("one")
    assert saved_benchmarks.saved_names() == []


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "a/b", "x" * 41, "-a", "ü", "a.json"])
def test_names_that_are_no_names(name):
    with pytest.raises(QurdError, match="small letters"):
        saved_benchmarks.home_of(name)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "as the Benchmark page saves it"),
        ("[]", "as the Benchmark page saves it"),
        ("null", "as the Benchmark page saves it"),
        ("{}", "as the Benchmark page saves it"),
        ('{"format": 2, "benchmark": "toy", "pairs": []}', "format 1"),
        ('{"format": 1, "benchmark": "toy"}', "as the Benchmark page saves it"),
        ('{"format": 1, "benchmark": "toy", "pairs": [["a"]]}', "as the Benchmark page saves it"),
        ('{"format": 1, "benchmark": "toy", "pairs": 3}', "as the Benchmark page saves it"),
        ('{"format": 1, "benchmark": "nothing", "pairs": []}', "nknown benchmark"),
        ('{"format": 1, "benchmark": "toy", "pairs": [["a", "b"]]}', "It has none of a and b"),
        ('{"format": 1, "benchmark": "toy", "pairs": []}', "at least one stolen model"),
    ],
)
def test_a_bad_file_gives_one_sentence(home, text, says):
    (home / "bad.json").write_text(text)
    with pytest.raises(QurdError, match=says) as error:
        benchmark(str(home / "bad.json"))
    assert "\n" not in str(error.value)


def test_missing_binary_and_large_files_give_one_sentence(home):
    with pytest.raises(QurdError, match="There is nothing"):
        benchmark(str(home / "none.json"))
    (home / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(QurdError, match="as the Benchmark page saves it"):
        benchmark(str(home / "binary.json"))
    (home / "large.json").write_bytes(b" " * (saved_benchmarks.LARGEST + 1))
    with pytest.raises(QurdError, match="at most"):
        benchmark(str(home / "large.json"))


def test_a_victim_without_stolen_models_is_refused(home):
    with pytest.raises(QurdError, match="stolen model of every victim"):
        benchmark(toy_file(home, [(VICTIMS[0], VICTIMS[0]), (VICTIMS[1], STRANGERS[0])]))


def test_a_part_keeps_its_pairs_and_its_models(home):
    pairs = [pair for pair in keys(benchmark("toy")) if pair[0] == VICTIMS[0]]
    part = benchmark(toy_file(home, pairs))
    assert keys(part) == pairs
    assert part.victims == (VICTIMS[0],)
    assert not [name for name in part.models if name.startswith(VICTIMS[1])]
    assert part.whole == "toy"


def test_a_saved_bench_is_found_by_its_name(home):
    pairs = keys(benchmark("toy"))[:20]
    BenchFile("toy", frozenset(pairs)).write(saved_benchmarks.home_of("small"))
    assert keys(benchmark("small")) == pairs


@pytest.mark.parametrize("scheme", ["AKH", "uniform(test)->pgd(steps=3) | labels | hamming"])
def test_a_part_asks_no_model_again(home, monkeypatch, scheme):
    store, asked = Store(home), {"budgets": [10, 20], "seeds": 2}
    whole = evaluate("toy", [scheme], store=store, runtime=Runtime(), **asked)
    path = toy_file(home, keys(benchmark("toy")))
    workbench.cache_clear()
    monkeypatch.setattr(Toy, "oracle", lambda *_: pytest.fail("a model was asked again"))
    part = evaluate(path, [scheme], store=store, runtime=Runtime(), **asked)
    pd.testing.assert_frame_equal(part.drop(columns="benchmark"), whole.drop(columns="benchmark"))
    fewer = [pair for pair in keys(benchmark("toy")) if pair[1] not in STRANGERS[:3]]
    less = evaluate(toy_file(home, fewer), [scheme], store=store, runtime=Runtime(), **asked)
    assert (less["n_negatives"] == 21).all()


def test_a_bench_is_a_part_of_its_base(bench):
    assert evidence.base_of(bench) == BASE
    assert set(evidence.pairs(bench)["victim"]) == {"train(vgg,victim)", "train(dense,victim)"}
    assert evidence.tasks(bench)[0] == "all"
    assert set(evidence.tasks(BASE)) - set(evidence.tasks(bench)) == {"prune"}
    assert "train(res,victim)" not in set(evidence.models(bench)["lineage"])
    assert evidence.bank(bench).victims == evidence.bank(BASE).victims


def test_the_rates_of_a_bench_have_the_columns_of_the_records(bench):
    found, whole = evidence.read(bench, task="finetune"), evidence.read(BASE, task="finetune")
    assert found.columns.tolist() == list(rate_records.COLUMNS)
    assert (found["n_victims"] == 2).all()
    assert set(found["name"].dropna()) == set(whole["name"].dropna())
    assert set(found["scheme"]) < set(whole["scheme"])
    assert not found.duplicated(["scheme", "budget"]).any()


def test_a_bench_with_every_pair_has_the_rates_of_its_base(home):
    BenchFile(BASE, frozenset(designer.keys(evidence.pairs(BASE)))).write(saved_benchmarks.home_of("all"))
    found, whole = (
        evidence.read(name, negatives="unrelated+hard").set_index(["scheme", "budget"]) for name in ("all", BASE)
    )
    for column in ("tpr", "tpr_conformal", "auc", "n_negatives", "n_lineages", "used", "samples"):
        some = found[column].dropna()
        assert np.allclose(some.to_numpy(float), whole.loc[some.index, column].to_numpy(float), atol=1e-4), column


def test_scores_of_one_scheme_are_a_row_per_suspect():
    scores = Scores.read(BASE)
    victim = next(iter(scores.suspects))
    found = scores.of(victim, "negative(test) | labels | hamming", 100)
    assert found.shape == (len(scores.suspects[victim]), 20)
    assert found.loc[victim].abs().max() == 0


def test_a_task_that_no_victim_has_gives_one_sentence():
    with pytest.raises(QurdError, match=r"some victim has a stolen model\. Got 'nothing'"):
        evidence.cells(Scores.read(BASE).only(["negative(test) | labels | hamming"]), evidence.pairs(BASE), task="nothing")


def test_a_bench_whose_file_is_gone_gives_one_sentence(home):
    with pytest.raises(QurdError, match="There is nothing"):
        evidence.pairs("gone")


def test_the_file_is_plain_json(bench):
    found = json.loads(saved_benchmarks.home_of(bench).read_text())
    assert found["benchmark"] == BASE
    assert found["pairs"] == sorted(found["pairs"])


@pytest.mark.slow
def test_costs_are_not_known_of_a_part_that_lacks_a_victim(tmp_path, monkeypatch):
    """They are means over victims: those of the whole are not those of the part."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    pairs = evidence.pairs("patchwork-sac")
    one = pairs["victim"] == pairs["victim"].iloc[0]
    for name, kept, known in (("whole", pairs, True), ("one", pairs[one], False)):
        BenchFile("patchwork-sac", frozenset(zip(kept["victim"], kept["suspect"], strict=True))).write(
            saved_benchmarks.home_of(name)
        )
        read = evidence.read(name), by_task(name, 100)
        assert all(table["samples"].notna().any() == known for table in read), name
