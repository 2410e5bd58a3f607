"""The whole way from scheme names to a table, on a toy benchmark; and that models are asked once."""

import inspect
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from qurd_core.access import Access
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.errors import QurdError
from qurd_core.evaluation import pipeline
from qurd_core.evaluation import plan as planning
from qurd_core.evaluation import request as requests
from qurd_core.evaluation.pipeline import compute, empty_cells, evaluate, plan, reported, request, tabulate
from qurd_core.evaluation.workbench import Sent, Workbench, workbench
from qurd_core.oracle import Oracle
from qurd_core.registry import crafts, representations, seed_rules
from qurd_core.runtime import Runtime
from qurd_core.schemes import CONTROL, NAMED, Scheme, combinations
from qurd_core.statistics.metrics import RULES
from qurd_core.store import Store
from qurd_core.types import Draw
from tests.toy import STRANGERS, VICTIMS, Toy

NATURAL = ["AKH", "Random", "FBI", "uniform(test) | probits | jensen_shannon", "noise | logits | cosine"]
CRAFTED = ["ModelDiff", "uniform(test)->boundary(steps=40) | labels | hamming", "SAC"]


@pytest.fixture
def bench():
    workbench.cache_clear()
    yield benchmark("toy")
    workbench.cache_clear()


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def desk(bench, store):
    return Workbench(bench, store, Runtime())


def asked(desk):
    return sum(oracle.asked for oracle in desk.oracles.values())


def gradients(desk):
    return sum(oracle.gradients for oracle in desk.oracles.values())


def scores(desk, text, query_seed=0, budgets=(10, 20, 40)):
    return desk.scores(VICTIMS[0], [Scheme.parse(text)], query_seed, budgets)[Scheme.parse(text)]


@pytest.mark.parametrize("text", NATURAL + CRAFTED)
def test_a_second_look_costs_no_pass(desk, text):
    first = scores(desk, text)
    before = asked(desk)
    second = scores(desk, text)
    assert asked(desk) == before
    assert all(torch.equal(first[name].nan_to_num(-1), second[name].nan_to_num(-1)) for name in first)


@pytest.mark.parametrize("sampler", ["negative(test)", "uniform(test)", "uniform(test)->pgd", "negative(train)->cutmix"])
def test_another_representation_of_the_same_queries_costs_no_pass(desk, sampler):
    scores(desk, f"{sampler} | labels | hamming")
    before = asked(desk)
    scores(desk, f"{sampler} | listwise | l2")
    scores(desk, f"{sampler} | probits | cosine")
    assert asked(desk) == before


@pytest.mark.parametrize("sampler", ["negative(test)", "uniform(test)->pgd", "uniform(test)->boundary(steps=40)"])
def test_a_smaller_budget_costs_no_pass_and_gives_the_same_scores(desk, sampler):
    text = f"{sampler} | labels | hamming"
    large = scores(desk, text)
    before = asked(desk)
    small = scores(desk, text, budgets=(10, 20))
    assert asked(desk) == before
    assert torch.equal(small["values"], large["values"][:, :2])
    for name in ("used", "samples", "gradients"):
        assert torch.equal(small[name], large[name][:2])


@pytest.mark.parametrize("sampler", ["negative(test)", "uniform(test)", "noise"])
def test_a_further_query_seed_asks_about_images_that_no_other_has_sent_only(desk, sampler):
    scheme = Scheme.parse(f"{sampler} | labels | hamming")
    first, before = scores(desk, str(scheme)), asked(desk)
    second = scores(desk, str(scheme), query_seed=1)
    known, sent = ({*desk.sent(Sent(VICTIMS[0], str(scheme), seed, 40)).tolist()} for seed in (0, 1))
    assert asked(desk) == before + len(sent - known) * (len(desk.models(VICTIMS[0])) - desk.has_natural(VICTIMS[0], "test"))
    assert not torch.equal(first["values"], second["values"])


def test_whole_seed_sets_are_asked_of_the_victims_that_choose_by_them_and_of_nobody_else(bench, store):
    evaluate(bench, ["AKH"], budgets=[10], seeds=2, store=store)
    desk = workbench(bench, store, Runtime())
    images, own = len(desk.images("test")), {}
    for victim in VICTIMS:
        rows = [desk.sent(Sent(victim, str(Scheme.parse("AKH")), seed, 10)) for seed in range(2)]
        own |= {model: {*own.get(model, ()), *torch.cat(rows).tolist()} for model in desk.models(victim)}
    wanted = {model: images if model in VICTIMS else len(rows) for model, rows in own.items()}
    assert {model: oracle.asked for model, oracle in desk.oracles.items()} == wanted


def test_what_is_known_of_some_images_is_asked_no_more_when_all_are_wanted(desk):
    scores(desk, "uniform(test) | labels | hamming")
    model = STRANGERS[0]
    some = desk.oracles[model].asked
    assert 0 < some < len(desk.images("test"))
    whole = desk.natural(model, "test")
    assert desk.oracles[model].asked == len(desk.images("test"))
    other = Workbench(desk.bench, Store(desk.store.folder / "other"), desk.runtime)
    torch.testing.assert_close(whole, other.natural(model, "test"), atol=1e-5, rtol=0)


def test_seeds_are_drawn_once_for_all_queries_and_costs_of_a_set(desk, monkeypatch):
    drawn, rule = [], seed_rules["uniform"]
    counted = replace(rule, function=lambda *data, **values: drawn.append(values) or rule.function(*data, **values))
    monkeypatch.setitem(seed_rules._components, "uniform", counted)
    scores(desk, "uniform(test)->pgd | labels | hamming")
    scores(desk, "uniform(test) | labels | hamming")
    assert len(drawn) == 1


def test_seeds_of_uniform_crafts_need_no_answer_bank(desk):
    scores(desk, "uniform(test)->pgd | labels | hamming", budgets=(10,))
    parts = list(desk.parts(VICTIMS[0], Scheme.parse("uniform(test)->pgd | labels | hamming"), 0, 10))
    queries = sum(len(part.queries) for part in parts)
    models = len(desk.models(VICTIMS[0]))
    # Every model once on the queries, and the victim once on the seeds and on every step of the attack.
    assert asked(desk) == queries * models + gradients(desk) + queries // 2


@pytest.mark.parametrize("text", NATURAL + CRAFTED)
def test_the_victim_is_at_distance_zero_from_itself(desk, text):
    values = scores(desk, text)["values"][0]
    assert values[~values.isnan()].abs().max() < 1e-6


@pytest.mark.parametrize("name", [name for name in NAMED if name != CONTROL])
def test_every_published_scheme_tells_an_exact_copy_from_an_unrelated_model(desk, name):
    """Of linear models hinge-probe alone does not: they bend nowhere."""
    values = scores(desk, name, budgets=(20, 100))["values"]  # LIME groups take 100; mistakes and sensitive samples are few
    found = values[:, int((~values[0].isnan()).nonzero().max())]
    models = desk.models(VICTIMS[0])
    own, unrelated = found[models.index(VICTIMS[0])], found[[models.index(one) for one in STRANGERS]]
    assert own.abs() < 1e-6
    assert bool((unrelated > 1e-3).all()) or name == "hinge-probe"


def test_a_distance_is_that_of_the_answers(desk):
    found = scores(desk, "AKH")
    queries = torch.cat([part.queries.seed for part in desk.parts(VICTIMS[0], Scheme.parse("AKH"), 0, 20)])
    labels = {model: desk.natural(model, "test").argmax(1)[queries] for model in desk.models(VICTIMS[0])}
    wanted = [float((labels[model] != labels[VICTIMS[0]]).double().mean()) for model in desk.models(VICTIMS[0])]
    assert np.allclose(found["values"][:, 1], wanted)
    truth = desk.bench.images("test").truth[queries]
    assert (labels[VICTIMS[0]] != truth).all()


@pytest.mark.parametrize("batch_size", [1, 7, 256])
def test_the_batch_size_changes_nothing(bench, tmp_path, batch_size):
    tables = []
    for size in (64, batch_size):
        desk = Workbench(bench, Store(tmp_path / f"{size}"), Runtime(batch_size=size))
        tables.append(scores(desk, "ModelDiff")["values"])
    assert torch.allclose(*tables, atol=1e-5, equal_nan=True)


def test_order_of_requests_changes_nothing(bench, tmp_path):
    forward, backward = (Workbench(bench, Store(tmp_path / name), Runtime()) for name in "ab")
    texts = [*NATURAL, *CRAFTED]
    one = {text: scores(forward, text)["values"] for text in texts}
    other = {text: scores(backward, text)["values"] for text in reversed(texts)}
    assert all(torch.equal(one[text].nan_to_num(-1), other[text].nan_to_num(-1)) for text in texts)


def test_a_craft_that_is_not_nested_is_run_for_each_budget(desk, monkeypatch):
    anew = replace(crafts["pgd"], declares=replace(crafts["pgd"].declares, nested=False))
    monkeypatch.setitem(crafts._components, "pgd", anew)
    text = "uniform(test)->pgd | labels | hamming"
    both = scores(desk, text, budgets=(10, 20))
    alone = scores(desk, text, budgets=(10,))
    assert torch.equal(both["values"][:, :1], alone["values"])
    queries = [part.queries.x for budget in (10, 20) for part in desk.parts(VICTIMS[0], Scheme.parse(text), 0, budget)]
    assert not torch.equal(queries[0][:10], queries[1][:10])


def test_the_table_has_what_the_design_asks_for(bench, store):
    table = evaluate(bench, ["AKH", "Random"], budgets=[10, 20], seeds=3, store=store)
    assert list(table["scheme"]) == ["AKH", "AKH", "Random", "Random"]
    assert set(table["task"]) == {"all"}
    assert (table["n_negatives"] == 24).all()
    assert (table["n_victims"] == 2).all()
    assert (table["seeds"] == 3).all()
    assert table["tpr"].between(0, 1).all()
    akh, random = table[table["scheme"] == "AKH"], table[table["scheme"] == "Random"]
    assert (random["samples"] == 0).all()
    assert (akh["samples"] >= akh["used"]).all()
    assert (table["gradients"] == 0).all()


def test_a_look_that_needs_the_truth_needs_labelled_images(bench, store):
    """The place of the true class cannot be told without it, though the images were drawn without."""
    table = evaluate(bench, ["uniform(test) | rank(k=2) | mutual_information"], budgets=[10, 20], seeds=1, store=store)
    assert table["samples"].tolist() == table["used"].tolist() == [10, 20]


def test_tasks_are_rows_when_asked_and_restrict_the_pool(bench, store):
    table = evaluate(bench, ["AKH"], budgets=[20], seeds=2, by_task=True, store=store)
    assert set(table["task"]) == {"all", "same", "finetune"}
    only = evaluate(bench, ["AKH"], budgets=[20], seeds=2, tasks=["same"], store=store)
    row = table[table["task"] == "same"].iloc[0]
    assert only.iloc[0]["tpr"] == row["tpr"]
    assert only.iloc[0]["n_positives"] == 2
    assert only["task"].tolist() == ["same"], "called as it was asked for"


def test_a_victim_without_the_task_is_left_out(store, tmp_path):
    """Of a part, whose tasks need not be those of every victim."""
    one, _ = VICTIMS
    thief = f"{one}->finetune(seed=1)"
    pairs = {(victim, suspect) for victim in VICTIMS for suspect in (victim, *STRANGERS)} | {(one, thief)}
    BenchFile("toy", frozenset(pairs)).write(tmp_path / "part.json")
    asked = {"budgets": [20], "seeds": 2, "store": store}
    row = evaluate(str(tmp_path / "part.json"), ["AKH"], tasks=["finetune"], **asked).iloc[0]
    every = evaluate(str(tmp_path / "part.json"), ["AKH"], by_task=True, **asked).set_index("task").loc["finetune"]
    assert row["n_victims"] == every["n_victims"] == 1
    assert row["tpr"] == every["tpr"]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_names_the_columns_of_its_rates(bench, store, rule):
    table = evaluate(bench, ["AKH"], budgets=[20], seeds=2, rule=rule, store=store)
    chosen = RULES[rule]
    assert table["value"].equals(table[chosen.value])
    assert table["spread"].equals(table[chosen.spread])
    with pytest.raises(QurdError, match="Did you mean 'paper'"):
        evaluate(bench, ["AKH"], budgets=[20], seeds=2, rule="papers", store=store)


def test_hard_unrelated_models_count_when_asked(bench, store):
    plain = evaluate(bench, ["AKH"], budgets=[20], seeds=2, store=store)
    hard = evaluate(bench, ["AKH"], budgets=[20], seeds=2, negatives="unrelated+hard", store=store)
    assert plain.iloc[0]["n_negatives"] + 1 == hard.iloc[0]["n_negatives"]


def test_the_pool_can_be_chosen_by_lineage(bench, store):
    table = evaluate(bench, ["AKH"], budgets=[20], seeds=1, pool=STRANGERS[:10], store=store)
    assert table.iloc[0]["n_negatives"] == 10
    assert np.isnan(table.iloc[0]["tpr_conformal"])
    assert "9.1" in table.iloc[0]["reason"]
    with pytest.raises(QurdError, match="Did you mean"):
        evaluate(bench, ["AKH"], budgets=[20], pool=["train(vgg,atacker)"], store=store)


def test_an_empty_cell_is_a_row_with_a_reason_announced_before(bench, store):
    text = "uniform(test)->superpixels(masks=30) | lime | l2"
    wanted = request(bench, [text, "negative(test) | labels | hamming"], budgets=[10, 30, 60, 90], seeds=1)
    told = empty_cells(wanted, workbench(wanted.bench, store, Runtime()))
    assert any("10 buys no group of 30 queries" in sentence for sentence in told)
    assert any("has seeds for" in sentence and "60, 90" in sentence for sentence in told)
    compute(wanted, store, Runtime())
    table = reported(tabulate(wanted, workbench(wanted.bench, store, Runtime())), wanted)
    lime = table[table["scheme"].str.contains("lime")].set_index("budget")
    assert np.isnan(lime.loc[10, "tpr"])
    assert lime.loc[10, "used"] == 0
    assert "buys no group of 30" in lime.loc[10, "reason"]
    assert lime.loc[30, "tpr"] >= 0
    negative = table[table["scheme"] == "AKH"].set_index("budget")
    assert "gives 40 queries only" in negative.loc[90, "reason"]


@pytest.mark.parametrize(
    "text", ["AKH", "negative(test)->cutmix | labels | hamming", "negative(test)->pgd | labels | hamming"]
)
def test_a_victim_without_mistakes_leaves_a_row_with_a_reason(bench, store, monkeypatch, text):
    real = Workbench.draw

    def draw(self, victim, scheme, query_seed):
        pool, drawn = real(self, victim, scheme, query_seed)
        return pool, Draw(drawn.indices[:0], drawn.looked[:0]) if victim == VICTIMS[0] else drawn

    monkeypatch.setattr(Workbench, "draw", draw)
    with pytest.warns(UserWarning, match="seeds for 0 queries only"):
        table = evaluate(bench, [text], budgets=[10, 20], seeds=2, store=store)
    assert table["tpr"].isna().all()
    assert set(table["reason"]) == {"negative(test) finds no image"}
    assert table["used"].tolist() == [10, 20]


def test_python_is_warned_of_empty_cells_before_anything_runs(bench, store):
    with pytest.warns(UserWarning, match="90") as told:
        evaluate(bench, ["AKH"], budgets=[20, 90], seeds=1, store=store)
    assert told[0].filename == __file__


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_each_seed_set_is_drawn_once_before_anything_runs(bench, store, monkeypatch):
    drawn = []
    real = Workbench.draw

    def stop(*_):
        raise QurdError("That was all that comes before.")

    monkeypatch.setattr(Workbench, "draw", lambda desk, *asked: drawn.append(asked) or real(desk, *asked))
    monkeypatch.setattr(pipeline, "carry_out", stop)
    with pytest.raises(QurdError, match="all that comes before"):
        evaluate(bench, ["AKH", "Random"], budgets=[20, 90], seeds=1, store=store)
    assert len(drawn) == len({*drawn}) == 2 * len(VICTIMS)


@pytest.mark.filterwarnings("error")
def test_a_run_that_is_refused_warns_of_nothing(bench, store):
    with pytest.raises(QurdError, match="Every cell of 'Random' is empty"):
        evaluate(bench, ["ModelDiff", "Random"], budgets=[200, 250], seeds=1, store=store)


def test_a_sweep_keeps_a_scheme_whose_every_cell_is_empty(bench, store):
    wanted = request(bench, ["uniform(test)->superpixels(masks=30) | lime | l2"], budgets=[170, 180], seeds=1)
    wanted = replace(wanted, budgets=(10, 20))
    compute(wanted, store, Runtime())
    table = reported(tabulate(wanted, workbench(wanted.bench, store, Runtime())), wanted)
    assert table["used"].tolist() == [0, 0]
    assert table["tpr"].isna().all()


def test_models_make_room_for_others(desk, monkeypatch):
    names = desk.models(VICTIMS[0])[:4]
    size = desk.oracle(names[0]).size
    assert size > 0
    monkeypatch.setattr("qurd_core.evaluation.workbench.HELD", 2 * size)
    for name in (names[1], names[0], names[2]):
        desk.oracle(name)
    assert list(desk.oracles) == [names[0], names[2]]
    monkeypatch.setattr("qurd_core.evaluation.workbench.HELD", 0)
    assert desk.oracle(names[3])
    assert list(desk.oracles) == [names[3]]


def test_images_are_cut_once_per_store(store, monkeypatch):
    whole = benchmark("patchwork-sac")
    first = Workbench(whole, store, Runtime()).images("noise")
    monkeypatch.setattr(type(whole), "images", None)
    again = Workbench(whole, store, Runtime()).images("noise")
    assert again.digest == first.digest == whole.images_digest("noise")


def test_a_scheme_with_nothing_but_empty_cells_is_an_error(bench, store):
    with pytest.raises(QurdError, match="Every cell of 'ZestOfLIME' is empty"):
        evaluate(bench, ["ZestOfLIME"], budgets=[10, 20], seeds=1, store=store)


def test_only_schemes_that_compare_answers_pair_by_pair_have_a_small_limit(bench, store):
    square = [scheme for scheme in combinations() if representations[scheme.representation.name].declares.square]
    square = {one.representation.name: one for one in square if one.reason is None and not one.craft.options}
    assert {"hard_listwise", "listwise"} <= square.keys()
    for name, scheme in square.items():
        request(bench, [str(scheme)], budgets=[1000])
        with pytest.raises(
            QurdError, match=rf"compares answers pair by pair \({name}.*\), so it takes budgets of at most 1,000"
        ):
            evaluate(bench, ["AKH", str(scheme)], budgets=[100, 1001], seeds=1, store=store)


@pytest.mark.slow
def test_large_budgets_run_or_say_that_the_seed_set_is_too_small(bench, store):
    """160 test images and 120 of train: SAC's craft goes round, LIME's makes 100 queries of each."""
    more = [
        "negative(train)->cutmix | labels | hamming",
        "ZestOfLIME",
        "negative(train)->cutmix | labels | mutual_information",
    ]
    table = evaluate(bench, more, budgets=[1000, 2000], seeds=1, store=store)
    assert table["used"].tolist() == [1000, 2000] * 3
    assert table["tpr"].notna().all()
    for scheme, queries in {"AKH": 111, "Random": 160, "IPGuard": 120, "ModelDiff": 240, "FBI": 160}.items():
        with pytest.raises(QurdError, match=f"Every cell of '{scheme}' is empty: the seed set gives {queries} queries only"):
            evaluate(bench, [scheme], budgets=[2000, 90_000], seeds=1, store=store)
    both = evaluate(bench, ["Random"], budgets=[100, 999_990], seeds=1, store=store)
    assert both["used"].tolist() == [100, 0]
    assert both["reason"].tolist() == [None, "the seed set gives 160 queries only"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schemes": ["AHK"]}, "Did you mean 'AKH'"),
        ({"schemes": ["negative(test) | lime | l2"]}, "lime needs superpixel masks"),
        ({"schemes": []}, "at least one scheme"),
        ({"budgets": [0]}, "at least 1"),
        ({"budgets": []}, "one budget"),
        ({"seeds": 0}, "at least 1"),
        ({"schemes": ["SAC"], "budgets": [20_000]}, "at most 1,000"),
        ({"budgets": [2_000_000]}, "at most 1,000,000"),
        ({"schemes": ["ZestOfLIME"], "budgets": [20]}, "buys no group of 100"),
        ({"schemes": ["uniform(test) | topk(k=4) | hamming"]}, "at most 3, the classes of toy"),
        ({"schemes": ["uniform(test) | rank(k=4) | hamming"]}, "at most 3, the classes of toy"),
        ({"tasks": ["fintune"]}, "Did you mean 'finetune'"),
        ({"negatives": "hard"}, "choice of negatives"),
    ],
)
def test_bad_requests_are_refused_before_anything_runs(bench, store, changes, says):
    plain = {"schemes": ["AKH"], "budgets": [10], "seeds": 1}
    with pytest.raises(QurdError, match=says):
        evaluate(bench, **(plain | changes), store=store)
    assert not list(store.folder.glob("answers/**/*.safetensors"))


def test_a_model_that_answers_nan_is_named_and_the_others_stay_stored(bench, store, monkeypatch):
    real = Toy.oracle

    def broken(self, model, runtime):
        oracle = real(self, model, runtime)
        if model == STRANGERS[-1]:
            oracle._module.weight.data[0, 0] = torch.nan
        return oracle

    monkeypatch.setattr(Toy, "oracle", broken)
    with pytest.raises(QurdError, match=r"seed=23.*NaN"):
        evaluate(bench, ["Random"], budgets=[10], seeds=1, store=store)
    assert len(list(store.folder.glob("answers/**/*.safetensors"))) >= 20


def test_a_run_leaves_a_file_that_says_what_became_of_it(bench, store):
    evaluate(bench, ["AKH"], budgets=[10], seeds=1, store=store)
    (path,) = (store.folder / "runs").glob("*.json")
    found = json.loads(path.read_text())
    assert found["state"] == "done"
    assert found["done"] == found["total"] > 0


def test_a_cancelled_run_stops_and_the_next_one_goes_on(bench, store):
    wanted = request(bench, ["AKH", "ModelDiff"], budgets=[10], seeds=2)

    def cancel(items, total, label):
        for number, item in enumerate(items):
            if number == 1:
                (file,) = (store.folder / "runs").glob("*.json")
                file.with_suffix(".cancel").write_text("")
            yield item

    before = len(plan(wanted, workbench(wanted.bench, store, Runtime())))
    with pytest.raises(QurdError, match="Stopped after"):
        compute(wanted, store, Runtime(track=cancel))
    assert 0 < len(plan(wanted, workbench(wanted.bench, store, Runtime()))) < before
    compute(wanted, store, Runtime())
    assert not plan(wanted, workbench(wanted.bench, store, Runtime()))


def test_gradients_of_suspects_are_asked_once_for_all_looks_and_by_the_class_of_each(desk):
    looks = [Scheme.parse(f"uniform(train)->paths(points=5) | gradient_field | {detector}") for detector in ("cosine", "l1")]
    found = desk.scores(VICTIMS[0], looks, 0, (10, 20))
    assert gradients(desk) == len(desk.models(VICTIMS[0])) * 20
    assert float(found[looks[0]]["values"][0].max()) < 1e-6
    assert found[looks[0]]["used"].tolist() == [10, 20]
    desk.scores(VICTIMS[0], looks, 0, (10, 20))
    assert gradients(desk) == len(desk.models(VICTIMS[0])) * 20, "scores are stored"


def test_gradients_that_would_not_fit_in_memory_are_refused_before_anything_runs(bench, store, monkeypatch):
    models, pixels = len(workbench(bench, store, Runtime()).models(VICTIMS[0])), 3 * 8 * 8
    monkeypatch.setattr(planning, "HELD_GRADIENTS", models * pixels * 4 * 44)
    text = "uniform(train)->paths | gradient_field | cosine"
    assert plan(request("toy", [text], budgets=[44], seeds=1), workbench(bench, store, Runtime()))
    with pytest.raises(QurdError, match=r"budgets of at most 44\. Got 55: ask for less, or use a scheme that needs no"):
        evaluate(bench, [text], budgets=[11, 55], seeds=1, store=store)
    assert not list(store.folder.glob("queries/**/*.safetensors"))


def test_gradients_are_refused_where_a_benchmark_reveals_logits_only(bench):
    with pytest.raises(QurdError, match="needs gradients, and toy reveals logits only"):
        requests._check_answers(replace(bench, access=Access.LOGITS), Scheme.parse("ModelGif"))


@pytest.mark.slow
def test_every_named_scheme_runs(bench, store):
    table = evaluate(bench, list(NAMED), budgets=[20, 100], seeds=1, store=store)
    assert set(table["scheme"]) == set(NAMED)


def test_cutmix_sends_all_seeds_first_then_blends_until_the_budget_is_filled(desk):
    parts = list(desk.parts(VICTIMS[0], Scheme.parse("SAC"), 0, 100))
    seeds = len(parts[0].queries)
    assert 0 < seeds < 100
    assert sum(len(part.queries) for part in parts) >= 100
    wrong = desk.natural(VICTIMS[0], "train").argmax(1) != desk.bench.images("train").truth
    assert sorted(parts[0].queries.seed.tolist()) == wrong.nonzero()[:, 0].tolist()
    found = scores(desk, "SAC", budgets=(10, 100))
    assert found["used"].tolist() == [10, 100]
    assert set(torch.cat([part.queries.seed for part in parts[1:]]).tolist()) <= set(parts[0].queries.seed.tolist())


def test_a_craft_that_drops_failures_says_which_share_arrived(desk):
    easy = scores(desk, "uniform(test)->boundary(steps=300,lr=0.05) | labels | hamming")
    hard = scores(desk, "uniform(test)->boundary(steps=4) | labels | hamming", budgets=(10,))
    assert easy["converged"][0] == 1
    assert 0 < hard["converged"][0] < 1
    assert scores(desk, "AKH")["converged"].tolist() == [1, 1, 1]


def test_samples_are_the_labelled_images_looked_at(desk):
    found = scores(desk, "AKH")
    pool, draw = desk.draw(VICTIMS[0], Scheme.parse("AKH"), 0)
    assert found["samples"].tolist() == [int(draw.looked[used - 1]) for used in found["used"]]
    assert (scores(desk, "Random")["samples"] == 0).all()
    assert len(pool) >= found["samples"].max()


def test_scores_at_fewer_budgets_are_read_and_not_computed_again(desk):
    large = scores(desk, "AKH", budgets=(10, 40, 100))
    entries = len(list(desk.store.folder.glob("scores/*/*")))
    small = scores(desk, "AKH", budgets=(20, 40))
    assert len(list(desk.store.folder.glob("scores/*/*"))) == entries
    assert torch.equal(small["values"][:, 1], large["values"][:, 1])
    scores(desk, "AKH", budgets=(37,))
    assert len(list(desk.store.folder.glob("scores/*/*"))) == entries + 1


def test_a_damaged_entry_is_made_again_at_its_own_budgets(desk):
    """Schemes of one call may be stored at different sets of budgets; what was computed for one must not serve another."""
    labels, probits = (Scheme.parse(f"uniform(test) | {head}") for head in ("labels | hamming", "probits | l1"))
    before = desk.scores(VICTIMS[0], [probits], 0, (150,))[probits]
    (path,) = desk.store.folder.glob("scores/*/*")
    path.write_bytes(b"damaged")
    desk.scores(VICTIMS[0], [labels, probits], 0, (100,))
    again = desk.scores(VICTIMS[0], [probits], 0, (150,))[probits]
    assert torch.equal(before["values"], again["values"])


def test_a_run_asks_for_no_more_than_its_largest_budget(desk):
    scores(desk, "uniform(test)->pgd | labels | hamming", budgets=(30, 60))
    (key, grid) = desk._stored(VICTIMS[0], Scheme.parse("uniform(test)->pgd | labels | hamming"), 0, (30, 60))
    assert desk.store.has(key)
    assert max(grid) == 60


def test_runs_that_differ_in_anything_have_files_of_their_own(bench, store):
    for budgets, seeds in (([10], 1), ([20], 1), ([20], 2)):
        evaluate(bench, ["AKH"], budgets=budgets, seeds=seeds, store=store)
    assert len(list((store.folder / "runs").glob("*.json"))) == 3


def test_a_benchmark_that_is_not_the_registered_one_is_refused(bench, store):
    with pytest.raises(QurdError, match="registered benchmark"):
        evaluate(replace(bench, classes=("x", "y", "z")), ["AKH"], budgets=[10], store=store)


def test_the_stages_run_in_the_order_that_the_front_door_tells():
    told = re.findall(r"^\d\. `(\w+)`", pipeline.__doc__, re.MULTILINE)
    code = inspect.getsource(pipeline.evaluate).rpartition('"""')[2] + inspect.getsource(pipeline.run).rpartition('"""')[2]
    called = [code.index(f"{stage}(") for stage in told]
    assert len(told) >= 6
    assert called == sorted(called)


def test_a_network_that_refuses_an_empty_batch_is_sent_none(bench, store, monkeypatch):
    class Picky(torch.nn.Module):
        def forward(self, x):
            return x.reshape(len(x), -1)[:, :3]  # an error where there is no image

    monkeypatch.setattr(Toy, "oracle", lambda self, model, runtime: Oracle(Picky(), classes=3, runtime=runtime, name=model))
    desk = Workbench(bench, store, Runtime())
    every = torch.arange(len(desk.images("test")))
    some = desk.some(STRANGERS[0], "test", every)
    assert torch.equal(desk.natural(STRANGERS[0], "test"), some)
