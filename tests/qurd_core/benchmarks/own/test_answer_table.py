"""A table of answers is a benchmark: same numbers as by hand, one sentence for whatever is wrong in it."""

import itertools
import json
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from qurd_core.access import Access
from qurd_core.benchmarks import base
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.own import answer_table
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.errors import QurdError
from qurd_core.evaluation.checks import check
from qurd_core.evaluation.pairs import pair_table
from qurd_core.evaluation.pipeline import compute, evaluate, request
from qurd_core.evaluation.scores import worth_of
from qurd_core.evaluation.workbench import workbench
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store

ITEMS, CLASSES = 200, 4
ON_PROBITS = ["AKH", "FBI", "uniform(test) | probits | jensen_shannon", "negative(test) | listwise | l2"]
PER_QUERY = ["cosine", "l1", "l2", "jensen_shannon"]
NATURAL = ["AKH", "Random", "accuracy", "uniform(test) | labels | mutual_information"]


def answers(strangers=20, probits=False, split="test", seed=0):
    """A victim, two thieves, a twin and strangers, who all err at random; thieves err mostly where the victim does."""
    return _answers(strangers, probits, split, seed).copy()  # which a test may change


@cache
def _answers(strangers, probits, split, seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(CLASSES, size=ITEMS)

    def off(labels, share):
        other = (labels + rng.integers(1, CLASSES, size=ITEMS)) % CLASSES
        return np.where(rng.random(ITEMS) < share, other, labels)

    mine = off(truth, 0.3)
    models = {
        "mine": ("train(forest,mine)", mine),
        "copy": ("train(forest,mine)->prune(0.5)", off(mine, 0.05)),
        "student": ("train(forest,mine)->label_extraction(tree)", off(mine, 0.2)),
        "twin": ("train(forest,mine,seed=1)", off(truth, 0.3)),
    } | {f"other{n}": (f"train(forest,theirs,seed={n})", off(truth, 0.3)) for n in range(strangers)}
    tables = []
    for model, (lineage, labels) in models.items():
        table = pd.DataFrame({"item": [f"row-{n}" for n in range(ITEMS)], "truth": truth, "model": model, "label": labels})
        table = table.assign(split=split, lineage=lineage)
        if probits:
            p = rng.random((ITEMS, CLASSES)) * 0.4
            p[np.arange(ITEMS), labels] += 1
            p = np.round(p / p.sum(1, keepdims=True), 5)
            table = table.assign(**{f"p_{k}": p[:, k] for k in range(CLASSES)})
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def write(tmp_path):
    def to(table, name="answers.csv"):
        path = tmp_path / name
        table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path, index=False)
        return str(path)

    return to


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_lineages_give_the_pairs(write):
    bench = benchmark(write(answers()))
    assert bench.victims == ("mine",)
    kinds = {pair.suspect: (pair.kind, pair.tasks) for pair in bench.pairs}
    assert kinds["mine"] == ("positive", ("same",))
    assert kinds["student"] == ("positive", ("label_extraction",))
    assert kinds["twin"] == ("hard", ("same", "prune", "label_extraction"))
    assert kinds["other3"][0] == "negative"
    assert bench.root("copy") == "train(forest,mine)"


@pytest.mark.parametrize("scheme", NATURAL)
def test_every_natural_scheme_runs_on_labels(write, store, scheme):
    table = evaluate(write(answers()), [scheme], budgets=[10, 20], seeds=2, by_task=True, store=store)
    assert table["tpr"].notna().all()
    assert table["tpr_conformal"].notna().all()
    assert (table["n_negatives"] >= 20).all()


@pytest.mark.parametrize("scheme", ON_PROBITS)
def test_schemes_on_probits_run_where_they_are_given(write, store, scheme):
    path = write(answers(probits=True), "answers.parquet")
    assert evaluate(path, [scheme], budgets=[20], seeds=2, store=store)["tpr"].notna().all()


def test_akh_on_all_mistakes_is_delta_c(write, store):
    table = answers()
    path = write(table)
    labels = table.pivot(index="item", columns="model", values="label")
    truth = table.groupby("item")["truth"].first()
    wrong = labels["mine"] != truth
    pairs = pair_table(path, store, Runtime()).set_index("suspect")
    for model in ("copy", "student", "other0"):
        differ = labels[model] != labels["mine"]
        assert pairs.loc[model, "delta"] == pytest.approx(differ.mean())
        assert pairs.loc[model, "delta_c"] == pytest.approx(differ[wrong].mean())
        assert pairs.loc[model, "accuracy_suspect"] == pytest.approx((labels[model] == truth).mean())


def gaps(table, model, number, seed=3):
    """The table without some answers of a model."""
    rows = table.index[table["model"] == model]
    return table.drop(index=np.random.default_rng(seed).choice(rows, number, replace=False))


@pytest.mark.parametrize("scheme", ["Random", *(f"uniform(test) | probits | {name}" for name in PER_QUERY)])
@pytest.mark.slow
def test_a_missing_answer_is_as_far_from_the_victims_as_any_answer_can_be(write, store, scheme):
    """Instead of three answers: nothing, or all the weight on the class that the victim holds for least likely."""
    whole = answers(strangers=2, probits=True)
    gone = whole.index[whole["model"] == "copy"][:3]
    probits = [f"p_{k}" for k in range(CLASSES)]
    farthest = whole.loc[:2, probits].to_numpy().argmin(axis=1)
    other = whole.copy()
    other.loc[gone, probits], other.loc[gone, "label"] = np.eye(CLASSES)[farthest], farthest
    found = []
    for name, table in (("gaps", whole.drop(index=gone)), ("farthest", other)):
        desk = workbench(benchmark(write(table, f"{name}.parquet")), store, Runtime())
        one = Scheme.parse(scheme)
        values = desk.scores("mine", [one], 0, (ITEMS,))[one]["values"]
        found.append(float(values[desk.models("mine").index("copy"), 0]))
    mean_over = (CLASSES + 1) / CLASSES  # the class of its own adds a column of zeros to all other answers
    grown = {"l1": mean_over, "l2": mean_over**0.5}.get(scheme.rpartition(" ")[2], 1)
    assert found[0] * grown >= found[1] - 1e-6


def test_missing_answers_count_as_disagreement_by_hand(write, store):
    table = gaps(gaps(answers(), "copy", 12), "other3", 5)
    path = write(table)
    assert benchmark(path).missing == 17
    labels = table.pivot(index="item", columns="model", values="label")
    truth = table.groupby("item")["truth"].first()
    wrong = labels["mine"] != truth
    with pytest.warns(UserWarning, match=r"17 answer\(s\) are missing: each counts as disagreement"):
        evaluate(path, ["AKH"], budgets=[20], store=store)
    pairs = pair_table(path, store, Runtime()).set_index("suspect")
    for model in ("copy", "other3", "student"):
        differ = labels[model] != labels["mine"]  # NaN differs from everything
        assert pairs.loc[model, "delta"] == pytest.approx(differ.mean())
        assert pairs.loc[model, "delta_c"] == pytest.approx(differ[wrong].mean())
        assert pairs.loc[model, "accuracy_suspect"] == pytest.approx((labels[model] == truth).mean())
    assert pairs.loc["copy", "delta"] > pair_table(write(answers(), "all.csv"), store, Runtime())["delta"][1]


@pytest.mark.parametrize(
    "scheme", ["FBI", "accuracy", "uniform(test) | labels | mutual_information", "negative(test) | listwise | l2"]
)
def test_a_scheme_that_cannot_count_a_missing_answer_says_so(write, store, scheme):
    path = write(gaps(answers(probits=True), "copy", 3), "answers.parquet")
    with pytest.raises(QurdError, match="cannot count a missing answer as disagreement, and 3 are missing"):
        evaluate(path, [scheme], budgets=[20], store=store)


def only(table, models, items):
    """The table where some models have answered some items only."""
    return table[~table["model"].isin(models) | table["item"].isin(items)]


def _mistakes(table):
    """The items that the victim gets wrong."""
    mine = table[table["model"] == "mine"]
    return mine["item"][mine["label"] != mine["truth"]]


def test_answers_that_nobody_asks_for_may_be_missing(write, store):
    """Every other model was asked what AKH asks, the victim's mistakes, and nothing else."""
    table = answers()
    others = table["model"].unique()[1:]
    path = write(only(table, others, _mistakes(table)))
    with pytest.warns(UserWarning, match="are missing: each counts as disagreement") as told:
        some = evaluate(path, ["AKH"], budgets=[20, 50], seeds=3, store=store)
    assert any("23 model(s) have no answer to more than 10% of the items of test" in str(one.message) for one in told)
    whole = evaluate(write(table, "all.csv"), ["AKH"], budgets=[20, 50], seeds=3, store=store)
    pd.testing.assert_frame_equal(some.drop(columns="benchmark"), whole.drop(columns="benchmark"))
    with pytest.raises(
        QurdError, match=r"'other\d+', which is unrelated to 'mine', to answer at least 90% of what 'Random'"
    ):
        evaluate(path, ["Random"], budgets=[20], store=store)
    with pytest.raises(QurdError, match=r"of what delta asks. It has no answer to 148 of 200 items of test: ask it these"):
        pair_table(path, store, Runtime())
    assert any("have no answer to more than 10%" in note for note in check(path, store, Runtime()).notes)


def test_a_table_is_read_and_its_answers_are_hashed_once_for_a_request(write, store, monkeypatch):
    path, contents, hashed = write(answers()), [], []
    reads, hashes = base.reader, answer_table.AnswerTable._digest
    monkeypatch.setattr(base, "reader", lambda text: contents.append(text) or reads(text))
    monkeypatch.setattr(
        answer_table.AnswerTable, "_digest", lambda source, model: hashed.append(model) or hashes(source, model)
    )
    asked = request(path, ["AKH", "Random"], budgets=[10], seeds=2)
    assert contents == [path]
    compute(asked, store, Runtime())
    assert sorted(hashed) == sorted(asked.bench.models)


@pytest.mark.filterwarnings("ignore:.*answer")
def test_only_the_budgets_that_are_asked_for_need_answers(write, store):
    table = answers()
    path = write(table)
    order = workbench(benchmark(path), store, Runtime()).draw("mine", Scheme.parse("AKH"), 0)[1].indices
    sent = np.array(sorted(table["item"].unique()))[order[:20]]
    path = write(only(table, [f"other{n}" for n in range(20)], sent), "some.csv")
    found = evaluate(path, ["AKH"], budgets=[10, 20], seeds=1, store=store)
    assert found["tpr"].notna().all()
    for more in ({"budgets": [20, 50], "seeds": 1}, {"budgets": [20], "seeds": 2}):
        with pytest.raises(QurdError, match="ask it these, leave it out, or ask for other budgets or fewer seeds"):
            evaluate(path, ["AKH"], store=store, **more)


@pytest.mark.filterwarnings("ignore:.*answer")
@pytest.mark.slow
def test_what_a_stolen_model_lacks_is_never_refused_and_never_helps_to_catch_it(write, store):
    table = answers()
    whole = evaluate(write(table), ["AKH", "Random"], budgets=[20, 50], by_task=True, store=store)
    rates = [whole]
    for number in (40, 120, 199):
        path = write(gaps(table, "copy", number), f"{number}.csv")
        rates.append(evaluate(path, ["AKH", "Random"], budgets=[20, 50], by_task=True, store=store))
    for more, fewer in itertools.pairwise(rates):
        assert (fewer[["tpr", "tpr_conformal", "auc"]] <= more[["tpr", "tpr_conformal", "auc"]] + 1e-12).all(axis=None)
    assert rates[-1]["tpr"].sum() < whole["tpr"].sum()


@pytest.mark.filterwarnings("ignore:.*answer")
def test_few_missing_answers_of_an_unrelated_model_are_left_to_chance(write, store):
    """Whichever a draw hits: at most a tenth of all items is missing, so that is what is missing in the mean."""
    path = write(gaps(answers(), "other3", 20))
    assert evaluate(path, ["Random"], budgets=[10], seeds=5, store=store)["tpr"].notna().all()
    path = write(gaps(answers(), "other3", 150), "many.csv")
    with pytest.raises(QurdError, match="'other3', which is unrelated to 'mine'"):
        evaluate(path, ["Random"], budgets=[10], seeds=5, store=store)


def many_classes(items=30, classes=1000, decimals=None, seed=0):
    """Probits of a table with more classes than items, written with some decimals."""
    rng = np.random.default_rng(seed)
    tables = []
    for model, lineage in [("mine", "train(a)"), ("copy", "train(a)->prune(0.5)"), ("other", "train(b)")]:
        z = rng.normal(size=(items, classes)) * 2
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        about = {"item": [f"{n:03}" for n in range(items)], "truth": range(items), "model": model, "label": p.argmax(1)}
        written = p if decimals is None else p.round(decimals)
        columns = pd.DataFrame(written, columns=[f"p_{k}" for k in range(classes)])
        tables.append(pd.concat([pd.DataFrame(about).assign(lineage=lineage), columns], axis=1))
    return pd.concat(tables, ignore_index=True)


def test_there_may_be_more_classes_than_items(write):
    table = many_classes(classes=500)
    labels = table[["item", "truth", "model", "label", "lineage"]]
    bench = benchmark(write(labels))
    assert 30 < len(bench.classes) < 500
    assert (bench.answers("mine", "test").shape) == (30, len(bench.classes))
    assert len(benchmark(write(table, "answers.parquet")).classes) == 500


@pytest.mark.parametrize("decimals", [2, 3, 4, None])
@pytest.mark.slow
def test_probits_may_be_rounded(write, decimals):
    table = many_classes(decimals=decimals)
    sums = table.filter(like="p_").sum(axis=1)
    assert (abs(sums - 1).max() > 0.01) == (decimals in (2, 3))
    bench = benchmark(write(table, "answers.parquet"))
    for model in bench.models:
        assert bench.answers(model, "test").argmax(1).tolist() == table.loc[table["model"] == model, "label"].tolist()


def test_the_label_may_lie_one_step_of_rounding_below_the_most_probable_class(write):
    table = answers(strangers=2, probits=True)
    probits = [f"p_{k}" for k in range(CLASSES)]
    table[probits] = [0.334, 0.333, 0.333, 0.0]
    table["label"] = table["label"] % 3
    named = table[table["model"] == "copy"].sort_values("item")["label"]
    assert benchmark(write(table)).answers("copy", "test").argmax(1).tolist() == named.tolist()
    table[probits] = [0.335, 0.333, 0.332, 0.0]
    with pytest.raises(
        QurdError, match=r"Expected the most probable class .* Got '\d' of 0.33\d where '0' has 0.335 in line"
    ):
        benchmark(write(table))


@pytest.mark.parametrize(
    "row",
    [[0.25, 0.25, 0.25, 0.2], [1, 1, 0, 0], [0, 0, 0, 0], [40.5, 30.2, 20.2, 9.1], [0.123456, 0.3, 0.3, 0.2]],
    ids=str,
)
def test_what_rounding_does_not_explain_is_refused_with_its_sum(write, row):
    table = answers(strangers=2, probits=True)
    table.loc[7, [f"p_{k}" for k in range(CLASSES)]] = row
    with pytest.raises(QurdError, match=rf"up to rounding. Got .* with the sum {sum(row):.4g} in line 9"):
        benchmark(write(table))


def test_the_check_says_what_missing_answers_count_as(write, store):
    notes = " ".join(check(write(gaps(answers(), "copy", 3)), store, Runtime()).notes)
    assert "3 answer(s) are missing: each counts as disagreement with the victim." in notes
    assert "missing" not in " ".join(check(write(answers(), "all.csv"), store, Runtime()).notes)


@pytest.mark.slow
def test_order_format_and_workers_change_nothing(write, tmp_path):
    table = answers()
    mixed = table.sample(frac=1, random_state=1)
    first = mixed["model"].drop_duplicates().tolist()
    mixed["model"] = pd.Categorical(mixed["model"], [*table["model"].unique()])
    mixed = mixed.sort_values("model", kind="stable").astype({"model": str})
    assert first != mixed["model"].drop_duplicates().tolist()
    paths = [write(table), write(mixed, "mixed.csv"), write(table, "same.parquet")]
    found = [
        evaluate(path, ["AKH", "Random"], budgets=[20], store=Store(tmp_path / f"{n}"), runtime=Runtime(workers=1 + n // 2))
        for n, path in enumerate(paths)
    ]
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0].drop(columns="benchmark"), other.drop(columns="benchmark"))


def test_a_train_split_stands_beside(write, store):
    both = pd.concat([answers(), answers(split="train", seed=1)], ignore_index=True)
    path = write(both)
    assert benchmark(path).splits == ("train", "test")
    assert evaluate(path, ["negative(train) | labels | hamming"], budgets=[20], seeds=2, store=store)["tpr"].notna().all()


def test_the_model_is_its_lineage_and_all_is_test_if_nothing_else_is_said(write):
    table = answers()
    bench = benchmark(write(table.assign(model=table["lineage"]).drop(columns=["lineage", "split"])))
    assert bench.victims == ("train(forest,mine)",)
    assert bench.splits == ("test",)


def test_classes_may_be_words_and_the_named_label_wins_a_tie(write):
    table = answers(strangers=2)
    words = np.array(["ham", "spam", "eggs", "toast"])
    table["truth"], table["label"] = words[table["truth"]], words[table["label"]]
    p = (table["label"].to_numpy()[:, None] == words) * 0.25 + 0.0
    p[:, 0], p[:, 1] = 0.5, 0.5
    table["label"] = "spam"
    bench = benchmark(write(table.assign(**{f"p_{word}": p[:, n] * (n < 2) for n, word in enumerate(words)})))
    assert bench.classes == ("ham", "spam", "eggs", "toast")
    assert (bench.answers("mine", "test").argmax(1) == 1).all()


@pytest.mark.parametrize(
    ("scheme", "says"),
    [
        ("ModelDiff", "crafts queries of its own"),
        ("SAC", "not the models"),
        ("negative(test)->cutmix | labels | hamming", "crafts queries"),
        ("noise | labels | hamming", "Unknown split"),
        ("uniform(train) | labels | hamming", "Known: test"),
        ("uniform(test) | probits | cosine", "reveals labels only"),
        ("FBI", "needs top-k labels"),
    ],
)
def test_a_scheme_that_asks_for_more_says_why(write, store, scheme, says):
    with pytest.raises(QurdError, match=says):
        evaluate(write(answers()), [scheme], budgets=[20], store=store)


def test_no_model_can_be_asked(write):
    with pytest.raises(QurdError, match="holds its answers, not the model"):
        benchmark(write(answers())).oracle("mine", Runtime())


def test_a_changed_file_is_read_again(write, store):
    path = write(answers())
    first = benchmark(path)
    assert benchmark(path) is first
    before = evaluate(path, ["AKH"], budgets=[20], store=store)
    write(answers(strangers=25, seed=5))
    after = evaluate(path, ["AKH"], budgets=[20], store=store)
    assert (before.iloc[0]["n_negatives"], after.iloc[0]["n_negatives"]) == (20, 25)


def test_some_pairs_of_a_table_are_a_bench(write, store, tmp_path):
    path = write(answers())
    pairs = [("mine", "mine"), ("mine", "copy"), *(("mine", f"other{n}") for n in range(19))]
    BenchFile(path, frozenset(pairs)).write(tmp_path / "part.json")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = evaluate(str(tmp_path / "part.json"), ["AKH"], budgets=[20], store=store)
    assert table.iloc[0]["n_negatives"] == 19


def spoil(row, **values):
    def change(table):
        table = table.astype(object)
        for name, value in values.items():
            table.loc[row, name] = value
        return table

    return change


BAD = [
    (lambda t: t.drop(columns="truth"), "'truth' is missing"),
    (lambda t: t.assign(colour="red"), "Got also 'colour'"),
    (lambda t: t.iloc[:0], "a header only"),
    (spoil(7, label=""), "'label' is empty in line 9"),
    (spoil(7, model="x" * 3000), "more than 2000 characters"),
    (spoil(3, model="a\nb"), "holds a line break"),
    (spoil(3, split="validation"), "Expected train or test"),
    (spoil(0, truth=9), "'row-0' has more than one truth"),
    (spoil(5, lineage="train(tree)"), "'mine' has more than one lineage"),
    (lambda t: pd.concat([t, t.iloc[[12]]]), "answers the item 'row-12' of test twice"),
    (lambda t: t.drop(index=50), "'mine' has no answer to the item 'row-50' of test. It is a victim"),
    (lambda t: t.assign(lineage=t["lineage"].str.replace("->", "-").str.replace("(", "", n=1)), "Cannot read the lineage"),
    (lambda t: t.assign(lineage="train(forest,mine)"), "the same lineage"),
    (lambda t: t.assign(lineage=t["lineage"].str.replace("->.*", ",x", regex=True) + "x"), "Cannot read the lineage"),
    (lambda t: t[~t["model"].isin(["copy", "student"])], "No model was made from another one"),
    (lambda t: t[~t["model"].str.startswith("other")], "count as hard"),
    (lambda t: t[t["model"].isin(["mine", "copy"])], "trained on their own"),
    (lambda t: t.assign(label=np.linspace(0, 1, len(t))), "are classes, not numbers"),
    (lambda t: t.assign(label=1, truth=1), "Got 1"),
]


@pytest.mark.parametrize(("change", "says"), BAD, ids=[says for _, says in BAD])
@pytest.mark.slow
def test_a_bad_table_is_one_sentence_and_the_check_finds_it(write, store, change, says):
    path = write(change(answers()))
    with pytest.raises(QurdError) as told:
        benchmark(path)
    assert says in str(told.value)
    assert "\n" not in str(told.value)
    assert any(says in problem for problem in check(path, store, Runtime()).problems)


NO_CLASSES = [
    (spoil(7, label="7"), "The label '7' in line 9 of answers.csv is none of the 4 classes of the items: 0, 1, 2, 3."),
    (spoil(7, label="-1"), "The label '-1' in line 9"),
    (spoil(7, label="1.5"), "The label '1.5' in line 9"),
    (spoil(7, label="error"), "The label 'error' in line 9"),
    (spoil(7, label="nan"), "Expected a class as 'label'. Got 'nan' in line 9 of answers.csv: leave the row out"),
    (spoil([7, 9], label="NaN"), "in line 9 of answers.csv and 1 more"),
    (spoil(7, label="1e3"), "The label '1e3' in line 9"),
    (lambda t: t.assign(truth=t["truth"].replace(3, "nan")), "Expected a class as 'truth'"),
]


@pytest.mark.parametrize(("change", "says"), NO_CLASSES, ids=[says[:30] for _, says in NO_CLASSES])
@pytest.mark.slow
def test_a_label_that_is_no_class_is_refused_with_its_row(write, store, change, says):
    path = write(change(answers()))
    with pytest.raises(QurdError) as told:
        benchmark(path)
    assert says in str(told.value)
    assert any(says in problem for problem in check(path, store, Runtime()).problems)


def test_a_word_that_is_no_class_is_refused(write):
    table = answers().astype({"truth": str, "label": str}).replace({"truth": {"0": "cat"}, "label": {"0": "cat"}})
    assert benchmark(write(table)).classes == ("1", "2", "3", "cat")
    table.loc[3, "label"] = "cta"
    with pytest.raises(QurdError, match=r"The label 'cta' in line 5 of answers.csv is none of the 4 classes of the items"):
        benchmark(write(table))


@pytest.mark.parametrize("label", ["-1", "error"])
def test_where_there_may_be_more_classes_than_items_labels_are_still_numbers(write, label):
    table = many_classes(classes=500)[["item", "truth", "model", "label", "lineage"]].astype(object)
    told = " ".join(benchmark(write(table)).notes)
    assert "label(s) are true of no item, such as '" in told
    assert "each counts as a class beside the 30 of the items." in told
    table.loc[40, "label"] = label
    with pytest.raises(QurdError, match=rf"The label '{label}' in line 42 .* is none of the 30 classes .*: 0, 1, .* \.\.\."):
        benchmark(write(table))


def test_classes_below_zero_are_classes_where_they_are_true(write):
    table = answers()
    signs = {0: -1, 1: 1, 2: 0, 3: 2}
    bench = benchmark(write(table.assign(truth=table["truth"].map(signs), label=table["label"].map(signs))))
    assert bench.classes == ("-1", "0", "1", "2")


BAD_PROBITS = [
    (spoil(9, p_1="much"), "Expected a number for every probit"),
    (spoil(9, p_1=float("nan")), "Got none, NaN or infinity in line 11"),
    (spoil(9, p_1=-0.5, p_0=0.9), "sum to one"),
    (lambda t: t.assign(p_0=t["p_0"] * 30), "are they logits?"),
    (lambda t: t.assign(label=(t["label"] + 1) % CLASSES), "Expected the most probable class"),
    (lambda t: t.drop(columns="p_3"), "has no column 'p_<class>'"),
]


@pytest.mark.parametrize(("change", "says"), BAD_PROBITS, ids=[says for _, says in BAD_PROBITS])
def test_bad_probits_are_one_sentence(write, change, says):
    with pytest.raises(QurdError) as told:
        benchmark(write(change(answers(strangers=3, probits=True))))
    assert says in str(told.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cut.parquet", b"PAR1\x00\x00junk"),
        ("empty.parquet", b""),
        ("empty.csv", b""),
        ("binary.csv", bytes(range(256)) * 20),
        ("quote.csv", b'item,truth,model,label\n"a,0,m,0\n'),
        ("long.csv", b"item,truth,model,label\n1,0,m,0\n1,0,m,0,9,9\n"),
        ("longer.csv", b"item,truth,model,label\n1,0,m,0,9\n2,0,m,0,9\n"),
        ("short.csv", b"item,truth,model,label\n1,0,m\n2,0,m\n"),
        ("wide.csv", b",".join(b"p_%d" % n for n in range(20_000)) + b"\n"),
    ],
)
@pytest.mark.slow
def test_a_corrupt_file_is_one_sentence(tmp_path, store, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(QurdError) as told:
        benchmark(str(tmp_path / name))
    assert "\n" not in str(told.value)
    assert check(str(tmp_path / name), store, Runtime()).problems


def test_a_truncated_parquet_is_one_sentence(write, tmp_path):
    path = write(answers(), "answers.parquet")
    whole = (tmp_path / "answers.parquet").read_bytes()
    for keep in (8, len(whole) // 2, len(whole) - 1):
        (tmp_path / "answers.parquet").write_bytes(whole[:keep])
        with pytest.raises(QurdError, match="Cannot read"):
            benchmark(path)


def test_a_parquet_that_claims_a_huge_size_is_refused_from_its_footer(tmp_path, monkeypatch):
    once = pa.array(np.zeros(1_000_000, np.int8))
    table = pa.table(dict.fromkeys(["item", "truth", "model", "label"], once))
    pq.write_table(table, tmp_path / "bomb.parquet")
    monkeypatch.setattr(answer_table, "CELLS", 3_000_000)
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("the file was read"))
    with pytest.raises(QurdError, match="claims 1,000,000 rows of 4 columns"):
        benchmark(str(tmp_path / "bomb.parquet"))


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.slow
def test_few_long_words_in_many_rows_are_refused_before_they_are_written_out(tmp_path, monkeypatch, stored):
    """A file of half a megabyte, which would take gigabytes."""
    words = pa.array([f"{n:03}" + "x" * 1_500 for n in range(50)])
    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(500_000) % 50, pa.int32()), words)
    names = ["item", "truth", "model", "label"]
    pq.write_table(pa.table(dict.fromkeys(names, column if stored else column.cast(pa.string()))), tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 4_000_000
    monkeypatch.setattr(answer_table, "_column", lambda *_: pytest.fail("the words were written out"))
    with pytest.raises(QurdError, match=r"holds 3,02\d,000,000 in few words: split it"):
        answer_table._read(tmp_path / "bomb.parquet")


def test_numbers_that_become_texts_count_as_such(tmp_path, monkeypatch):
    column = pa.array(np.zeros(10_000_000, np.int64))
    pq.write_table(pa.table(dict.fromkeys(["item", "truth", "model", "label"], column)), tmp_path / "bomb.parquet")
    monkeypatch.setattr(answer_table, "_column", lambda *_: pytest.fail("the numbers were written out"))
    with pytest.raises(QurdError, match="holds 800,000,000 in few words"):
        answer_table._read(tmp_path / "bomb.parquet")


def test_a_csv_of_many_short_lines_is_refused_before_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "bomb.csv").write_bytes(b"item,truth,model,label\n" + b"a,b,c,d\n" * 300_000)
    monkeypatch.setattr(answer_table, "CELLS", 1_000_000)
    monkeypatch.setattr(pd, "read_csv", lambda *_, **__: pytest.fail("the file was read"))
    with pytest.raises(QurdError, match="has 300,000 rows of 4 columns"):
        answer_table._read(tmp_path / "bomb.csv")


def test_a_table_with_few_rows_may_not_ask_for_many_answers(write, monkeypatch):
    """Everybody but the victim answers one item: the table of all answers to all items would be far larger."""
    monkeypatch.setattr(answer_table, "CELLS", 8_000)
    table = answers(strangers=40)
    few = pd.concat([table[table["model"] == "mine"], table[table["model"] != "mine"].drop_duplicates("model")])
    with pytest.raises(QurdError, match="44 models, 200 items"):
        benchmark(write(few))
    monkeypatch.setattr(answer_table, "CELLS", 9_000)
    monkeypatch.setattr(answer_table, "MODELS", 43)
    with pytest.raises(QurdError, match=r"Expected at most 43 models\. Got 44"):
        benchmark(write(few))


def test_classes_and_models_that_look_alike_are_told(write):
    table = answers(strangers=3).astype({"truth": str, "label": str})
    table.loc[table["label"] == "1", "label"] = "1\u200b"
    table.loc[table["truth"] == "1", "truth"] = "1"
    with pytest.raises(
        QurdError, match=r"Two classes look alike: '1' and '1\\u200b' differ by what nobody sees \(U\+200B\)"
    ):
        benchmark(write(table))
    table = answers(strangers=3)
    table.loc[table["model"] == "copy", "lineage"] = 'train(forest,"mine\u2060")->prune(0.5)'
    table.loc[table["model"] == "other1", "model"] = "other0\ufeff"
    with pytest.raises(QurdError, match="Two names or lineages of models look alike"):
        benchmark(write(table))


@pytest.mark.slow
def test_no_table_ends_the_program(write, tmp_path):
    """A few hundred, each with some of its values replaced or its bytes changed."""
    rng = np.random.default_rng(0)
    strange = ["", " ", "\0", "9" * 400, "1e400", "nan", "\u200b", "-1", "0x1", "x" * 3000, "a\nb", "=1+1", '"', "train("]
    for number in range(300):
        table = answers(strangers=2, probits=number % 2 == 1).groupby("model").head(9).astype(object)
        for _ in range(int(rng.integers(1, 4))):
            table.iat[int(rng.integers(len(table))), int(rng.integers(table.shape[1]))] = rng.choice(strange)
        path = tmp_path / "answers.csv"
        table.to_csv(path, index=False)
        if number % 3 == 0:
            data = bytearray(path.read_bytes())
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
            path.write_bytes(data)
        for sentence in answer_table._problems(path):
            sentence.encode()
            assert "\n" not in sentence, number


@pytest.mark.slow
def test_no_parquet_ends_the_program(write, tmp_path):
    """A few hundred, each with some bytes of its head, its pages or its foot changed."""
    rng, path = np.random.default_rng(0), tmp_path / "answers.parquet"
    write(answers(strangers=2, probits=True).groupby("model").head(9), path.name)
    whole = path.read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        path.write_bytes(data)
        for sentence in answer_table._problems(path):
            sentence.encode()
            assert "\n" not in sentence


def test_long_texts_and_strange_types_in_a_parquet_are_refused(tmp_path):
    few = {"item": ["a", "b"], "truth": [0, 1], "model": ["m", "m"], "label": [0, 1]}
    for name, values, says in [
        ("model", ["x" * 5000, "y"], "at most 2000 characters"),
        ("item", [[1], [2]], "texts or numbers"),
        ("p_0", ["a", "b"], "Expected numbers"),
    ]:
        pq.write_table(pa.table(few | {name: values}), tmp_path / "bad.parquet")
        with pytest.raises(QurdError, match=says):
            benchmark(str(tmp_path / "bad.parquet"))


def test_parquet_may_hold_categories_and_truth_values(tmp_path):
    table = answers(strangers=2)
    for name in ("truth", "label"):
        table[name] = table[name] > 1
    table["item"] = table["item"].str.removeprefix("row-").astype(int).astype("category")
    table.astype({"model": "category", "lineage": "category"}).to_parquet(tmp_path / "answers.PARQUET", index=False)
    bench = benchmark(str(tmp_path / "answers.PARQUET"))
    assert bench.classes == ("False", "True")
    assert len(bench.images("test")) == ITEMS


def test_a_csv_that_is_too_large_is_not_read(write, monkeypatch):
    path = write(answers(strangers=1))
    monkeypatch.setattr(answer_table, "BYTES", 1000)
    with pytest.raises(QurdError, match="at most 1,000 bytes"):
        benchmark(path)


def test_a_missing_file_or_folder_is_one_sentence(tmp_path):
    with pytest.raises(QurdError, match="There is nothing"):
        benchmark(str(tmp_path / "none.csv"))
    with pytest.raises(QurdError, match="There is nothing"):
        benchmark(str(tmp_path / "none"))


def test_the_command_line_checks_and_runs_a_table(qurd, write):
    path = write(answers())
    code, out, _ = qurd("check-benchmark", path, "--json")
    found = json.loads(out)
    assert (code, found["problems"]) == (0, [])
    (row,) = found["victims"]
    assert 40 < row["mistakes"] < 80
    assert row["unrelated_low"] <= row["unrelated_high"]
    counts = {"victim": "mine", "stolen": 3, "unrelated": 20, "lineages": 20, "hard": 1, "suspects": 0}
    assert row | counts | {"smallest_level": 1 / 21} == row
    assert any("Labels only" in note for note in found["notes"])
    code, out, _ = qurd("run", "-b", path, "-s", "AKH", "--budget", "20", "--seeds", "1", "--workers", "1", "--json")
    assert code == 0
    assert json.loads(out)[0]["n_negatives"] == 20
    code, out, _ = qurd("models", "-b", path, "--json")
    assert json.loads(out)[0]["lineage"] == "train(forest,mine)"


def test_the_check_lists_every_problem_and_ends_with_code_2(qurd, write):
    table = spoil(3, split="validation")(spoil(9, lineage="train(tree)")(answers()))
    code, out, err = qurd("check-benchmark", write(table))
    assert code == 2
    assert "Expected train or test" in out
    assert "more than one lineage" in out
    assert "problem(s)" in err


def test_the_check_says_what_limits_a_table(write, store):
    table = answers(strangers=5)
    right = table["model"] == "mine"
    table.loc[right, "label"] = table.loc[right, "truth"]
    notes = " ".join(check(write(table), store, Runtime()).notes)
    assert "faces 5 unrelated lineages: no verdict below 17 %. 14 more allow 5 %." in notes
    assert "right on every test item" in notes


def test_the_check_a_run_and_the_guarantee_count_the_same_independent_lineages(write, store):
    """Twenty-five unrelated models: of one network each, or all of one."""
    table = answers(strangers=25)
    apart = evaluate(write(table), ["AKH"], budgets=[20], store=store)
    assert apart["tpr_conformal"].notna().all() and apart["reason"].isna().all()
    kin = table["model"].str.startswith("other")
    child = "train(forest,theirs)->prune(" + table["model"].str.removeprefix("other") + ")"
    path = write(table.assign(lineage=table["lineage"].where(~kin, child)), "kin.csv")
    notes = check(path, store, Runtime()).notes
    assert "mine faces 1 unrelated lineage: no verdict below 50 %. 18 more allow 5 %." in notes
    (row,) = evaluate(path, ["AKH"], budgets=[20], store=store).to_dict("records")
    assert (row["n_negatives"], row["n_lineages"]) == (25, 1)
    assert np.isnan(row["tpr_conformal"])
    assert "There are 1, behind 25 models: 18 more are needed." in row["reason"]
    (honest,) = worth_of(request(path, ["AKH"], budgets=[20]), store, Runtime()).to_dict("records")
    assert np.isnan(honest["point"])


def in_order(table, k=3, models=None):
    """A table whose models name the classes after their label, by their probits, and no probits."""
    probits = [name for name in table if name.startswith("p_")]
    order = np.argsort(-table[probits].to_numpy(), axis=1, kind="stable")
    tops = {f"top_{place + 1}": order[:, place] for place in range(1, k)}
    found = table.assign(**tops).astype(object)
    whom = found["model"].isin(models) if models else pd.Series(True, index=found.index)
    found.loc[whom, probits] = ""
    found.loc[~whom, list(tops)] = ""
    return found


@pytest.mark.slow
def test_classes_in_order_serve_schemes_on_ranks_as_probits_do(write, store):
    whole = answers(probits=True)
    full, how = benchmark(write(whole, "p.csv")), {"budgets": [20, 50], "seeds": 2, "store": store}
    bare = in_order(whole).drop(columns=[f"p_{k}" for k in range(CLASSES)])
    for name, table in (("bare.csv", bare), ("empty.csv", in_order(whole))):
        bench = benchmark(write(table, name))
        assert (bench.access, bench.ranked, bench.classes) == (Access.TOPK, 3, ("0", "1", "2", "3"))
        for model in bench.models:
            own, theirs = (one.source.answers(model, "test").topk(3).indices for one in (bench, full))
            assert torch.equal(own, theirs)
        assert set(evaluate(bench, ["FBI", "AKH"], **how)["tpr"]) > {1.0}
    with pytest.raises(QurdError, match="The 'k' of 'rank' must be at most 3"):
        evaluate(bench, ["uniform(test) | rank(k=4) | mutual_information"], **how)
    with pytest.raises(QurdError, match=r"needs probits, and .* reveals top-k labels only"):
        evaluate(bench, ["uniform(test) | probits | l1"], **how)
    assert "The order of 3 classes only: schemes that need probits cannot run." in check(str(write(table)), store).notes


def test_what_is_empty_in_all_rows_of_a_model_is_what_it_does_not_reveal(write, store):
    whole = answers(probits=True)
    bench = benchmark(write(in_order(whole, models=["copy"])))
    assert (bench.access, bench.ranked) == (Access.TOPK, 3)
    assert bench.notes == ("1 of 24 models reveals top-k labels only, such as 'copy'.",)
    assert {bench.record(name)["reveals"] for name in bench.models} == {"probits", "top-k labels"}
    table = whole.astype(object)
    table.loc[table["model"] == "copy", [f"p_{k}" for k in range(CLASSES)]] = ""
    bench = benchmark(write(table, "labels.csv"))
    assert (bench.access, bench.ranked) == (Access.LABELS, None)
    labels = whole.loc[whole["model"] == "copy"].sort_values("item")["label"].tolist()
    assert bench.source.answers("copy", "test").argmax(1).tolist() == labels


def test_the_fewest_classes_that_a_row_names_are_what_a_model_reveals(write):
    table = in_order(answers(probits=True), k=4)
    table.loc[table["model"].eq("copy") & table["item"].eq("row-3"), ["top_4", "top_3"]] = ""
    assert benchmark(write(table)).ranked == 2


def test_parquet_may_leave_probits_out_as_well(write):
    whole = answers(probits=True)
    probits = [f"p_{k}" for k in range(CLASSES)]
    table = whole.assign(**whole[probits].where(whole["model"] != "copy"))
    assert benchmark(write(table, "t.parquet")).access is Access.LABELS
    none = whole.assign(**dict.fromkeys(probits))
    assert benchmark(write(none, "n.parquet")).access is Access.LABELS


BAD_TOPS = [
    (lambda t: t.rename(columns={"top_2": "top_4"}), "without a gap, up to top_25. Got top_3, top_4"),
    (spoil(7, top_2=""), "One before the last is empty in line 9"),
    (spoil(7, top_3=9), "The top_3 '9' in line 9 of answers.csv is none of the 4 classes"),
    (lambda t: t.assign(top_2=t["label"]), "Expected different classes in an answer"),
    (
        lambda t: in_order(t.assign(**answers(probits=True)[[f"p_{k}" for k in range(CLASSES)]])).assign(
            p_0=1, p_1=0, p_2=0, p_3=0
        ),
        "Got both in line 2",
    ),
]


@pytest.mark.parametrize(("change", "says"), BAD_TOPS, ids=[says for _, says in BAD_TOPS])
def test_bad_classes_in_order_are_one_sentence(write, change, says):
    table = in_order(answers(probits=True)).drop(columns=[f"p_{k}" for k in range(CLASSES)])
    with pytest.raises(QurdError) as told:
        benchmark(write(change(table)))
    assert says in str(told.value)
