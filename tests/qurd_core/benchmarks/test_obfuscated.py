"""A benchmark behind obfuscations: who is asked how often, who stands where, and what is refused before anything runs."""

import warnings

import pandas as pd
import pytest
import torch

from qurd_core.access import Access
from qurd_core.benchmarks.base import benchmark, register_benchmarks
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.benchmarks.serving import FLOOR
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.plan import ask_natural
from qurd_core.evaluation.request import request
from qurd_core.evaluation.scores import score_table
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.registry import obfuscations
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from tests.toy import STRANGERS, VICTIMS

register_benchmarks()
NATURAL, CRAFTED = "uniform(test) | probits | cosine", "uniform(test)->pgd | probits | cosine"
ON_ANSWERS = [name for name in obfuscations if obfuscations[name].declares.changes == "answers"]
ASKING = [name for name in obfuscations if name not in ON_ANSWERS]


@pytest.fixture(autouse=True)
def fresh():
    workbench.cache_clear()
    yield
    workbench.cache_clear()


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def behind(by: str, *, pool: bool = False, of: str = "toy"):
    return benchmark(f'obfuscated("{of}","{by}"{",pool=true" if pool else ""})')


def desk(bench, store) -> Workbench:
    return Workbench(bench, store, Runtime())


def scores(desk, text, budgets=(20,)):
    """Distances of the models of the first victim."""
    scheme = Scheme.parse(text)
    return desk.scores(VICTIMS[0], [scheme], 0, budgets)[scheme]["values"]


def asked(desk) -> int:
    return sum(oracle.asked for oracle in desk.oracles.values())


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("scheme", ["AKH", CRAFTED])
def test_what_changes_answers_takes_no_pass_where_the_answers_are_stored(store, scheme, pool):
    clean = scores(desk(benchmark("toy"), store), scheme)
    for name in ON_ANSWERS if scheme == "AKH" else ("topk(k=2)", "temperature->rounding"):
        bench = behind(name, pool=pool)
        if Scheme.parse(scheme).access > bench.access:
            continue
        if name == "modelguard_s":  # which recalls what the model behind it answers to all test images
            ask_natural(benchmark("toy"), "test", store, Runtime())
        hidden = desk(bench, store)
        found = scores(hidden, scheme)
        assert asked(hidden) == 0
        assert found.shape[0] == clean.shape[0] + 1  # the victim, and itself behind the obfuscation


def test_modelguard_s_is_told_what_is_stored(store):
    ask_natural(benchmark("toy"), "test", store, Runtime())
    scores(desk(benchmark("toy"), store), CRAFTED)
    hidden = desk(behind("topk(k=2)->modelguard_s"), store)
    scores(hidden, CRAFTED)
    assert asked(hidden) == 0


@pytest.mark.parametrize("name", ASKING)
def test_what_has_models_asked_again_is_stored_under_keys_of_its_own(store, name):
    clean = scores(desk(benchmark("toy"), store), "AKH")
    bench = behind(name)
    hidden = desk(bench, store)
    found = scores(hidden, "AKH")
    stolen = [model for model in hidden.models(VICTIMS[0]) if model.endswith(f"->{name}")]
    assert len(stolen) == 3
    assert {model for model, oracle in hidden.oracles.items() if oracle.asked} == {*stolen}
    again = desk(bench, store)
    assert torch.equal(scores(again, "AKH"), found)
    assert asked(again) == 0
    strangers = torch.tensor([model in STRANGERS for model in hidden.models(VICTIMS[0])])
    assert torch.equal(found[strangers], clean[-len(STRANGERS) - 1 : -1])
    assert torch.equal(scores(desk(benchmark("toy"), store), "AKH"), clean)


def test_smoothing_is_asked_about_what_is_sent_and_nothing_else(store):
    hidden = desk(behind("smooth_mean(copies=10)"), store)
    scores(hidden, "AKH", budgets=(10, 20))
    stolen = [oracle for model, oracle in hidden.oracles.items() if "smooth" in model]
    assert [oracle.asked for oracle in stolen] == [20, 20, 20]


def test_answers_after_an_asking_step_are_looked_up(store):
    scores(desk(behind("jpeg"), store), NATURAL)
    hidden = desk(behind("jpeg->topk(k=2)->temperature"), store)
    scores(hidden, NATURAL)
    assert asked(hidden) == 0


def test_the_workbench_and_the_oracle_give_the_same_answers(store):
    for by in (
        "jpeg(30)->topk(k=2)->modelguard_s",
        "topk(k=2)->posterise(2)",
        "smooth_vote(copies=9)",
        "modelguard_s->jpeg",
    ):
        bench = behind(by)
        at = desk(bench, store)
        model = at.models(VICTIMS[0])[1]
        oracle = bench.oracle(model, Runtime(batch_size=7))
        x = bench.images("test").pixels.float() / 255
        assert torch.allclose(at.natural(model, "test"), oracle.logits(x), atol=1e-5)
        assert oracle.access == Access.LOGITS
        with pytest.raises(QurdError, match="answers logits only, gradients were asked for"):
            oracle.gradient(torch.sum, x)


def test_truncated_answers_are_read_over_their_sum_and_at_least_the_floor(store):
    at = desk(behind("topk(k=1)"), store)
    logs = at.natural(f"{VICTIMS[0]}->topk(k=1)", "test")
    assert float(logs.min()) == pytest.approx(float(torch.tensor(FLOOR).log()), abs=1e-4)
    assert torch.equal(logs.argmax(1), at.natural(VICTIMS[0], "test").argmax(1))


def test_labels_stay_those_of_the_model_where_a_step_makes_others_as_likely(store):
    at = desk(behind("mad(eps=2)"), store)
    for model in at.models(VICTIMS[0])[1:4]:
        clean = at.natural(at.bench.answering(model), "test")
        assert torch.equal(at.natural(model, "test").argmax(1), clean.argmax(1))


def test_who_stands_behind_it():
    clean = benchmark("toy")
    for pool in (False, True):
        bench = behind("argmax", pool=pool)
        assert bench.victims == clean.victims
        for before, after in zip(clean.pairs, bench.pairs, strict=True):
            hidden = pool or before.kind == "positive"
            assert after.suspect == (f"{before.suspect}->argmax" if hidden else before.suspect)
            assert (after.victim, after.kind, after.tasks) == (before.victim, before.kind, before.tasks)
            assert bench.root(after.suspect) == clean.root(before.suspect)
            assert str(bench.source.lineage(after.suspect)) == after.suspect
        assert len({bench.digest(model) for model in bench.models}) == len(bench.models)


def test_a_name_is_canonical_and_finds_the_same_benchmark():
    bench = behind("jpeg(quality=60)->topk(1)")
    assert bench.name == 'obfuscated(toy,"jpeg->topk(k=1)")'
    assert benchmark(bench.name) is bench
    assert behind("jpeg->topk(k=1)") is bench
    assert behind("jpeg->topk(k=1)", pool=True) is not bench
    other = [behind(by).digest(f"{VICTIMS[0]}->{by}") for by in ("topk(k=1)", "topk(k=2)")]
    assert other[0] != other[1]


def test_a_run_takes_it_from_the_command_line_and_from_python(qurd, store):
    code, out, _ = qurd(
        "run", "-b", "toy", "-s", "AKH", "--budget", "20", "--seeds", "2", "--json", "--obfuscate", "jpeg(30)"
    )
    assert code == 0
    assert '"benchmark": "obfuscated(toy,\\"jpeg(quality=30)\\")"' in out
    by = {"obfuscate": "adaptive_misinformation"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = [
            evaluate("toy", ["AKH"], budgets=[20], seeds=2, store=store, **hidden)
            for hidden in ({}, by, by | {"obfuscate_pool": True})
        ]
        distances = score_table("toy", ["AKH"], budgets=[20], seeds=2, store=store, **by)
    aucs = [float(table["auc"].iloc[0]) for table in tables]
    assert len({*aucs}) == 3, "clean, the pool clean, the pool behind it"
    assert aucs[1] < aucs[0]
    assert isinstance(distances, pd.DataFrame)
    assert {*distances.query("kind == 'positive'")["suspect"].str.endswith("->adaptive_misinformation")} == {True}


def test_a_reconstruction_says_so_beside_its_numbers(store):
    with pytest.warns(UserWarning, match=r"mad is a reconstruction\. The untrained student"):
        evaluate("toy", ["AKH"], budgets=[20], seeds=1, store=store, obfuscate="mad")


def test_a_saved_benchmark_finds_what_the_whole_one_has_stored(tmp_path, store):
    clean = benchmark("toy")
    kept = frozenset((pair.victim, pair.suspect) for pair in clean.pairs if pair.victim == VICTIMS[0])
    path = tmp_path / "mine.json"
    BenchFile("toy", kept).write(path)
    bench = behind("argmax", of=str(path))
    assert len(bench.pairs) == len(kept)
    assert bench.whole == behind("argmax").name
    evaluate("toy", ["AKH"], budgets=[20], seeds=1, store=store, obfuscate="argmax")
    at = workbench(bench, store, Runtime())
    assert at.has_scores(VICTIMS[0], Scheme.parse("AKH"), 0, (20,))


def answers(path, *, probits: bool, lacking: int = 0):
    rows = [
        {"item": f"i{item}", "truth": "ab"[item % 2], "model": model, "label": "ab"[(item + shift) % 2], "lineage": lineage}
        | ({"p_a": 0.8 - 0.6 * ((item + shift) % 2), "p_b": 0.2 + 0.6 * ((item + shift) % 2)} if probits else {})
        for shift, (model, lineage) in enumerate(
            [("mine", "train(a,x)"), ("theirs", "train(a,x)->finetune"), ("it", "train(b,y)")]
        )
        for item in range(40)
    ]
    pd.DataFrame(rows[: len(rows) - lacking]).to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("jpg", "Unknown obfuscation 'jpg'. Did you mean 'jpeg'?"),
        ("jpeg(quality=0)", "The 'quality' of 'jpeg' must be between 1 and 100. Got 0."),
        ("topk(k=4)", "The 'k' of 'topk' must be at most 3, the classes of toy. Got 4."),
        ("topk(n=4)", "Unknown parameter of 'topk' 'n'"),
        ("jpeg | topk", "Expected one chain without '|'"),
        ("", "Expected name, got 'the end'"),
    ],
)
def test_what_is_no_obfuscation_is_refused_before_anything_runs(by, says):
    with pytest.raises(QurdError) as caught:
        request("toy", ["AKH"], budgets=[20], obfuscate=by)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "by", "says"),
    [
        ("SAC", "temperature", "'SAC' needs logits, and obfuscated(toy,temperature) reveals probits only."),
        (NATURAL, "argmax", "needs probits, and obfuscated(toy,argmax) reveals labels only."),
        (NATURAL, "jpeg->topk(k=1)->temperature", "reveals labels only"),
        (
            "FBI",
            "topk(k=2)",
            "The 'k' of 'rank' must be at most 2, the classes sent by obfuscated(toy,\"topk(k=2)\"). Got 3.",
        ),
    ],
)
def test_a_scheme_that_needs_more_than_is_revealed_is_refused_before_anything_runs(scheme, by, says):
    with pytest.raises(QurdError) as caught:
        request("toy", [scheme], budgets=[20], obfuscate=by)
    assert says in str(caught.value)


def test_what_changes_images_leaves_the_logits():
    assert request("toy", ["SAC"], budgets=[20], obfuscate="jpeg->posterise").bench.access == Access.LOGITS


def test_a_pool_without_obfuscations_and_two_layers_are_refused():
    with pytest.raises(QurdError, match="Expected obfuscations for the pool"):
        request("toy", ["AKH"], budgets=[20], obfuscate_pool=True)
    with pytest.raises(QurdError, match="join them with '->'"):
        request(behind("argmax"), ["AKH"], budgets=[20], obfuscate="jpeg")


def test_it_is_no_embedded_benchmark_so_no_sweep_records_it(qurd):
    code, _, err = qurd("sweep", "-b", "obfuscated(patchwork-sac,argmax)")
    assert code == 2
    assert "a benchmark made of another" in " ".join(err.split())


def test_a_table_of_answers_takes_what_changes_probits_and_nothing_else(tmp_path):
    table = answers(tmp_path / "table.csv", probits=True)
    bench = behind("topk(k=1)", of=table)
    assert "theirs->topk(k=1)" in bench.models
    hidden = desk(bench, Store(tmp_path / "store"))
    assert hidden.natural("theirs->topk(k=1)", "test").shape == (40, 2)
    with pytest.raises(QurdError, match=r"'jpeg' has the models asked again, and .* holds answers only"):
        behind("jpeg", of=table)
    with pytest.raises(QurdError, match=r"'topk' changes probits, and .* reveals labels only"):
        behind("topk", of=answers(tmp_path / "labels.csv", probits=False))
    with pytest.raises(QurdError, match="2 are missing"):
        behind("rounding", of=answers(tmp_path / "gaps.csv", probits=True, lacking=2))


def test_a_table_that_changes_is_read_again(tmp_path):
    table = answers(tmp_path / "table.csv", probits=True)
    first = behind("rounding", of=table)
    assert behind("rounding", of=table) is first
    text = (tmp_path / "table.csv").read_text()
    (tmp_path / "table.csv").write_text(text.replace("i39", "i40"))
    assert behind("rounding", of=table) is not first


BROKEN = {
    "adds": ("answers", {}, lambda probits: probits + 0.5, "answers that sum to 1"),
    "turns": ("answers", {"keeps_label": True}, lambda probits: probits.flip(-1), "answers that keep their label"),
    "loses": ("answers", {}, lambda probits: probits.log(), "numbers of at least 0"),
    "empties": ("answers", {"sums_to_one": False}, lambda probits: 0 * probits, "a number above 0 in every answer"),
    "mixes": ("answers", {}, lambda probits: (probits + probits[:1]) / 2, "to answer each image as if it were alone"),
    "brightens": ("images", {}, lambda images: images + 0.5, "images float32 (3, 3, 16, 16) in [0,1]"),
    "forgets": ("model", {}, lambda ask, images: ask(images)[:, :2], "finite logits (3, 10)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_obfuscation_that_breaks_its_contract_is_refused_before_anything_runs(monkeypatch, name):
    changes, declared, function, says = BROKEN[name]
    function.__doc__ = "Broken."
    monkeypatch.setattr(obfuscations, "_components", dict(obfuscations._components))
    register = obfuscations.register(name=name, changes=changes, access=Access.PROBITS, source="nobody", **declared)
    register(function)
    with pytest.raises(QurdError) as caught:
        request("toy", ["AKH"], budgets=[20], obfuscate=name)
    assert says in str(caught.value)
    assert f"'{name}'" in str(caught.value)
