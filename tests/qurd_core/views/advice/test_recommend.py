"""What is recommended follows from the shipped records, and every other scheme has a reason."""

import json

import numpy as np
import pytest

from qurd_core.errors import QurdError
from qurd_core.findings.advice import recommend as words
from qurd_core.records import rate_records
from qurd_core.registry import seed_rules
from qurd_core.schemes import NAMED, Scheme
from qurd_core.views.advice.recommend import (
    GRADIENTS,
    PHOTOS,
    Means,
    Recommended,
    _Recorded,
    _shared,
    groups,
    recommend,
)

AKH = NAMED["AKH"].scheme


@pytest.fixture(scope="module")
def asked():
    """Recommendations by what there is, each made once."""
    known: dict[Means, Recommended] = {}

    def ask(access, budget, **more) -> Recommended:
        means = Means(access, budget, **more)
        return known.setdefault(means, recommend(means)) if means not in known else known[means]

    return ask


def reason(found: Recommended, label: str) -> str:
    (row,) = found.losers[found.losers["label"] == label].to_dict("records")
    return row["reason"]


def test_labels_at_a_hundred_queries_are_akh(asked):
    found = asked("labels", 100)
    first = found.rows.iloc[0]
    assert (first["label"], found.benchmarks) == ("AKH", rate_records.SHIPPED)
    each = found.each[found.each["scheme"] == AKH].set_index("benchmark")
    for name in rate_records.SHIPPED:
        recorded = rate_records.read(name).query("scheme == @AKH and budget == 100").iloc[0]
        assert each.loc[name, "tpr"] == recorded["tpr"]
        assert each.loc[name, "low"] <= recorded["tpr"] <= each.loc[name, "high"]
    assert (first["worst"], first["on"]) == (each["tpr"].min(), each["tpr"].idxmin())
    assert first["mean"] == pytest.approx(each["tpr"].mean())
    assert [round(value, 2) for value in (first["worst"], each["tpr"].drop("fashion-sac").mean())] == [0.72, 0.86]
    refused = each["guaranteed"].isna()
    assert first["guaranteed_on"] == (~refused).sum() == 4
    assert first["guaranteed"] == each["guaranteed"].min()


def test_logits_at_twenty_queries_are_a_combination_without_a_name_which_was_picked_by_its_number(asked):
    found = asked("logits", 20)
    first = found.rows.iloc[0]
    assert first["label"] == "negative(test) | logits | cosine"
    older = found.each[found.each["benchmark"] != "fashion-sac"]
    for scheme, worst, mean in ((first["scheme"], 0.72, 0.81), (AKH, 0.62, 0.74)):
        rates = older[older["scheme"] == scheme]["tpr"]
        assert (round(rates.min(), 2), round(rates.mean(), 2)) == (worst, mean)
    said = list(words.notes(found, Means("logits", 20)))
    assert any("has no name: it was picked as the best of" in sentence and "expect less" in sentence for sentence in said)
    assert not any("has no name" in sentence for sentence in words.notes(asked("labels", 100), Means("labels", 100)))


@pytest.mark.slow
def test_whoever_runs_out_of_mistakes_is_none_and_fewer_queries_are_named_where_they_catch_more(asked):
    assert reason(asked("labels", 400), "AKH") == "runs out of mistakes at 400"
    assert asked("labels", 400).fewer is None  # whoever makes more of the same mistakes catches more
    found = asked("labels", 400, labelled=3000)
    assert "AKH" not in {*found.rows["label"]}
    assert (found.fewer.budget, found.fewer.label) == (200, "AKH")
    assert found.fewer.worst > found.rows["worst"].max()
    assert "Send fewer: with 200 queries AKH catches" in next(words.notes(found, Means("labels", 400, labelled=3000)))
    assert asked("labels", 100).fewer is None


def test_every_scheme_is_ranked_or_has_one_reason(asked):
    for found in (asked("labels", 100), asked("logits", 20), asked("labels", 100, gradients=False)):
        schemes = rate_records.schemes()
        labels = {*schemes["name"].where(schemes["name"].notna(), schemes["scheme"])}
        none = {"accuracy"}  # no fingerprint
        ranked, lost = {*found.rows["label"]}, [*found.losers["label"]]
        assert not ranked & {*lost}
        assert len({*lost}) == len(lost)
        assert labels - none >= ranked | {*lost}
        assert {name for name in labels if name in NAMED} - none <= ranked | {*lost}


@pytest.mark.parametrize(
    ("label", "access", "more", "why"),
    [
        ("SAC", "labels", {}, "needs logits"),
        ("DeepJudge:probits", "labels", {}, "needs probits"),
        ("FBI", "labels", {}, "needs top-k labels"),
        ("ModelGif", "labels", {}, "needs gradients of the suspect"),
        ("IPGuard", "labels", {"gradients": False}, GRADIENTS),
        ("Random", "labels", {"photos": False}, PHOTOS),
        ("AKH", "labels", {"labelled": 500}, "needs more than 500 labelled images"),
        ("negative(test)->superpixels | labels | hamming", "labels", {}, "not recorded on patchwork-sac"),
    ],
)
def test_reasons(asked, label, access, more, why):
    assert reason(asked(access, 100, **more), label) == why


def test_labelled_images_that_are_enough_keep_a_scheme(asked):
    needed = asked("labels", 100).rows.set_index("label")["samples"]["AKH"]
    assert "AKH" in {*asked("labels", 100, labelled=int(np.ceil(needed))).rows["label"]}
    assert {*asked("labels", 100, labelled=0).rows["samples"]} == {0}


def test_without_photographs_noise_is_left_and_the_benchmarks_that_know_some(asked):
    found = asked("labels", 100, photos=False)
    assert found.benchmarks == rate_records.EMBEDDED
    splits = {
        (seed_rules[one.seeds.name].declares.pool)
        for text in found.rows["scheme"]
        for one, _ in Scheme.parse(text).ingredients
    }
    assert splits == {"noise"}


def test_of_tied_schemes_the_cheaper_one_goes_first(asked):
    rows = asked("logits", 100).rows
    levels = {"labels": 0, "top-k labels": 1, "probits": 2, "logits": 3}
    for _, some in rows.groupby("group"):
        costs = [(levels[row.access], row.gradients, row.name is None) for row in some.replace({np.nan: None}).itertuples()]
        assert costs == sorted(costs)
    assert list(rows["group"]) == sorted(rows["group"])


def test_groups_begin_with_the_best_that_is_left():
    low = np.array([[0.6, 0.6], [0.5, 0.8], [0.5, 0.1], [0.1, 0.1]])
    high = low + 0.2
    assert groups(low, high).tolist() == [0, 0, 1, 2]  # the third lies below the first on one benchmark, the fourth below it
    assert groups(low[:0], high[:0]).tolist() == []


def test_benchmarks_with_fewest_schemes_are_left_out_until_one_scheme_is_on_all():
    def held(*names):
        return _Recorded({*names}, {*names}, set())

    recorded = {"a": held("x", "y"), "b": held("y", "z"), "c": held("q")}
    assert [*_shared({"x", "y", "z"}, recorded)] == ["a", "b"]
    assert [*_shared({"q"}, recorded)] == ["c"]
    assert [*_shared({"nobody"}, recorded)] == []


def test_a_budget_between_recorded_ones_takes_the_smaller_one_and_says_so(asked):
    found = asked("labels", 130)
    assert found.at == 100
    assert "at 100 queries, the most of these that 130 pay for" in next(words.notes(found, Means("labels", 130)))


@pytest.mark.parametrize(
    ("means", "says"),
    [
        (Means("pixels", 100), "Unknown access 'pixels'"),
        (Means("labels", 5), "a budget of at least 10 queries: fewer are recorded nowhere. Got 5"),
        (Means("labels", 100, labelled=-1), "labelled images from 0. Got -1"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(means, says):
    with pytest.raises(QurdError, match=says):
        recommend(means)


@pytest.mark.slow
def test_the_command_says_the_same(qurd, asked):
    code, said, _ = qurd("recommend", "--access", "labels", "--budget", "100")
    assert code == 0
    assert said.startswith("AKH first: with 100 queries it catches 72% of the stolen models where it catches least")
    assert "needs logits" in said
    code, said, _ = qurd("recommend", "--access", "labels", "--budget", "100", "--no-gradients", "--json")
    found = json.loads(said)
    assert code == 0
    assert found["schemes"][0]["label"] == "AKH"
    assert all(row["gradients"] == 0 for row in found["schemes"])
    assert {row["benchmark"] for row in found["each"]} == {*found["benchmarks"]}
