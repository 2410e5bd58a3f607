"""Suspects against a victim, on tables of answers: verdicts, refusals, and what changes nothing."""

import json

import numpy as np
import pandas as pd
import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.workbench import workbench
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects import question as asking
from qurd_core.suspects.asking import fit_rows
from qurd_core.suspects.checking import check

ITEMS, CLASSES = 400, 5


def answers(seed: int, wrong: float, like: np.ndarray | None = None, copied: float = 0.0) -> np.ndarray:
    """(ITEMS,) labels of a model that is wrong on a share of the items, and answers like another one on a share."""
    rng, truth = np.random.default_rng(seed), np.arange(ITEMS) % CLASSES
    labels = (truth + (rng.random(ITEMS) < wrong) * rng.integers(1, CLASSES, ITEMS)) % CLASSES
    return labels if like is None else np.where(rng.random(ITEMS) < copied, like, labels)


VICTIM = answers(0, 0.3)


def table(suspects: dict[str, np.ndarray], *, unrelated=40, more: dict[str, tuple[str, str, np.ndarray]] | None = None):
    """A table of answers; `more` are models by name with role, lineage and answers."""
    models = {"mine": ("victim", "train(vgg,mine)", VICTIM)} | (more or {})
    models |= {f"u{n}": ("unrelated", f"train(net,theirs,seed={n})", answers(100 + n, 0.3)) for n in range(unrelated)}
    models |= {name: ("suspect", "", labels) for name, labels in suspects.items()}
    rows = [
        pd.DataFrame({"item": np.arange(ITEMS), "truth": np.arange(ITEMS) % CLASSES, "model": name, "label": labels}).assign(
            role=role, lineage=lineage
        )
        for name, (role, lineage, labels) in models.items()
    ]
    return pd.concat(rows, ignore_index=True)


@pytest.fixture
def asked(tmp_path):
    """Ask about a table."""
    made = []

    def ask(rows: pd.DataFrame, **how):
        made.append(tmp_path / f"table{len(made)}.csv")
        rows.to_csv(made[-1], index=False)
        return check(str(made[-1]), store=Store(tmp_path / "store"), **how)

    return ask


COPY, OTHER = answers(1, 0.3, VICTIM, 0.9), answers(2, 0.3)


def test_a_copy_is_closer_and_another_model_is_not_distinguished(asked):
    found = asked(table({"shop": COPY, "app": OTHER}))
    shop, app = found.each
    assert (shop.said, shop.rank, shop.p, shop.p_adjusted) == ("closer", 0, 1 / 41, 2 / 41)
    assert (app.said, app.questions, app.needed, app.lineages) == ("not_distinguished", 2, 39, 40)
    assert found.sentences["shop"] == [
        "shop is closer to mine than all 40 unrelated lineages (p 2.4 %; 4.9 % after 2 questions). If it were just another"
        " independent model like these, this would happen in at most 4.9 % of cases.",
        "It does not say who copied whom, nor whether a licence was broken. A model trained on the same data in the same way"
        " would look the same; none was tried here.",
    ]
    assert found.sentences["app"][0].startswith("app is not distinguished from 40 unrelated lineages (p ")
    assert found.sentences["app"][0].endswith("This clears nobody.")
    every = " ".join(text for texts in found.sentences.values() for text in texts).lower()
    assert not [word for word in ("stolen", "guilty", "likely", "innocent") if word in every]
    assert list(found.table["suspect"]) == ["shop", "app"]


def test_the_order_in_which_suspects_are_named_and_other_suspects_change_no_p(asked):
    alone = asked(table({"shop": COPY}), level=0.3).each[0]
    several = {"app": OTHER, "shop": COPY} | {f"s{n}": answers(300 + n, 0.3) for n in range(8)}
    many = asked(table(several), level=0.3).each
    assert (alone.p, alone.p_adjusted) == (1 / 41, 1 / 41)
    assert [one.p for one in many if one.suspect == "shop"] == [alone.p]
    assert asked(table({"shop": COPY, "app": OTHER}), level=0.3, suspects=["shop"]).each == (alone,)


@pytest.mark.slow
def test_one_alone_may_name_any_model_and_its_lineage_calibrates_no_more(asked):
    more = {"kin": ("", "train(net,theirs,seed=3)->prune(0.5)", answers(103, 0.3))}
    (one,) = asked(table({}, more=more), suspects=["u3"]).each
    assert one.lineages == 39
    with pytest.raises(QurdError, match="Got 'mine', which is no question"):
        asked(table({}), suspects=["mine"])
    with pytest.raises(QurdError, match=r"Unknown suspect 'u99'\. Did you mean"):
        asked(table({}), suspects=["u99"])
    with pytest.raises(QurdError, match=r"models with role: suspect\. There are none"):
        asked(table({}))


def test_a_pool_that_is_too_small_asks_nobody_and_says_how_many_are_missing(asked):
    (one,) = asked(table({"shop": COPY}, unrelated=12)).each
    assert (one.said, one.asked, one.needed) == ("refused", 0, 19)
    assert one.reason == "12 unrelated lineages allow 7.7 % at best, not 5 %. Seven more are needed."
    found = asked(table({"shop": COPY, "app": OTHER}, unrelated=30))
    assert [one.said for one in found.each] == ["refused"] * 2
    assert (
        "allow 6.5 % about 2 suspects at best, not 5 %. Nine more are needed. Or rank them with 'triage'"
        in found.each[0].reason
    )
    assert asked(table({"shop": COPY}, unrelated=12), level=0.08).each[0].said == "closer"
    none = asked(table({"shop": COPY}, unrelated=0)).each[0]
    assert none.reason.startswith("there is no unrelated model to compare with. 19 unrelated lineages allow 5 %")


def test_lineages_count_and_not_models(asked):
    kin = {f"k{n}": ("", f"train(net,theirs,seed={n % 9})->prune(0.5,seed={n})", answers(500 + n, 0.3)) for n in range(30)}
    (one,) = asked(table({"shop": COPY}, unrelated=9, more=kin)).each
    assert one.reason == "9 unrelated lineages (39 models) allow 10 % at best, not 5 %. Ten more are needed."


@pytest.mark.slow
def test_hard_unrelated_models_are_asked_and_calibrate_nothing(asked):
    hard = {f"h{n}": ("hard", f"train(res,mine,seed={n})", answers(600 + n, 0.3, VICTIM, 0.9)) for n in range(3)}
    thieves = {
        f"t{n}": ("stolen", f"train(vgg,mine)->prune(0.{n})", answers(700 + n, 0.3, VICTIM, 0.9 * (n > 1)))
        for n in range(1, 5)
    }
    found = asked(table({"shop": COPY, "app": OTHER}, more=hard | thieves))
    shop = found.each[0]
    assert (shop.lineages, shop.hard) == (40, (3, 3))
    assert "would look the same: 3 of 3 here do." in found.sentences["shop"][1]
    far = {f"h{n}": ("hard", f"train(res,mine,seed={n})", answers(600 + n, 0.3)) for n in range(3)}
    assert "would look the same, though none of 3 here does." in asked(table({"shop": COPY}, more=far)).sentences["shop"][1]
    assert "of 4 known thieves of mine this scheme misses 1 at 100 queries" in found.sentences["app"][0]
    assert asked(table({"shop": COPY}, more=hard | thieves)).each[0].p == asked(table({"shop": COPY})).each[0].p


def test_a_suspect_that_leaves_out_more_than_a_tenth_is_refused_and_less_counts_as_disagreement(asked):
    rows = table({"shop": COPY})
    wrong = rows["item"][(rows["model"] == "mine") & (rows["label"] != rows["truth"])]
    few, many = rows.copy(), rows[~((rows["model"] == "shop") & rows["item"].isin(wrong[::4]))]
    gone = (few["model"] == "shop") & few["item"].isin(wrong[:4])
    whole = asked(rows, fit=0).each[0]
    some = asked(few[~gone], fit=0).each[0]
    assert some.said == "closer"
    assert 0 <= some.missing <= 4
    assert some.score >= whole.score
    refused = asked(many, fit=0).each[0]
    assert refused.said == "refused"
    assert f"it answered {100 - refused.missing} of 100 queries, and at most 10 may be missing." in refused.reason


def test_an_answer_beside_the_classes_counts_as_none(asked):
    rows = table({"shop": COPY})
    rows["label"] = rows["label"].astype(str).mask((rows["model"] == "shop") & (rows["item"] % 2 == 0), "a cat")
    assert asked(rows).each[0].said == "refused"


def test_an_unrelated_model_that_lacks_what_is_asked_sets_no_threshold(asked):
    rows = table({"shop": COPY})
    wrong = rows["item"][(rows["model"] == "mine") & (rows["label"] != rows["truth"])]
    with pytest.raises(QurdError, match="Expected 'u7', which is unrelated to 'mine', to answer at least 90%"):
        asked(rows[~((rows["model"] == "u7") & rows["item"].isin(wrong[::3]))])


def test_a_weak_suspect_is_refused_where_every_unrelated_model_is_better(asked):
    weak = answers(9, 0.65)
    found = asked(table({"weak": weak, "shop": COPY}))
    one = found.each[0]
    assert one.said == "refused"
    assert one.fit.asked == 100
    assert one.fit.right < one.fit.pool_low <= one.fit.pool_high
    assert one.reason == (
        f"it is right on {one.fit.right} of 100 easy images, every unrelated model on {one.fit.pool_low} or more. Add"
        " unrelated models that are as weak."
    )
    assert found.each[1].questions == 2  # a refused suspect was looked at, too
    unchecked = asked(table({"weak": weak}), fit=0)
    assert unchecked.each[0].said != "refused"
    assert "was not tried with these queries" in unchecked.sentences["weak"][-1]


def test_easy_images_are_those_that_the_victim_gets_right(tmp_path):
    table({"shop": COPY}).to_csv(tmp_path / "t.csv", index=False)
    bench = benchmark(str(tmp_path / "t.csv"))
    how = {"budget": 50, "level": 0.05, "stop": "none"}
    desk = workbench(bench, Store(tmp_path / "store"), Runtime())
    rows = fit_rows(asking.question(bench, None, (), ["AKH"], fit=60, **how), desk).numpy()
    assert len({*rows.tolist()}) == 60
    items = np.array(sorted(map(str, range(ITEMS))), int)[rows]
    assert (VICTIM[items] == items % CLASSES).all()
    assert not len(fit_rows(asking.question(bench, None, (), ["Random"], fit=60, **how), desk))


@pytest.mark.parametrize("stop", ["peak", "bound"])
@pytest.mark.slow
def test_a_verdict_may_be_said_early(asked, stop):
    shop, app = asked(table({"shop": COPY, "app": OTHER}, unrelated=59), stop=stop).each
    assert (shop.said, app.said) == ("closer", "not_distinguished")
    assert shop.used < 60 < app.used == 100
    assert shop.p_adjusted <= 0.05


@pytest.mark.slow
def test_several_schemes_are_fused_and_a_second_breaks_ties(asked):
    rows = table({"shop": COPY, "app": OTHER})
    fused = asked(rows, scheme=["AKH", "Random"])
    assert [one.said for one in fused.each] == ["closer", "not_distinguished"]
    assert fused.each[0].scheme == "AKH & Random"
    first, then = asked(rows).each[1], asked(rows, then="negative(test) | labels | mutual_information").each[1]
    assert then.p <= first.p
    with pytest.raises(QurdError, match="on the same queries to break its ties"):
        asked(rows, then="Random")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"budget": 0}, "Expected a budget from 1"),
        (
            {"budget": 300},
            r"finds \d+ queries for 'mine', not 300: its seed set gives no more. Ask for a budget of at most 1",
        ),
        ({"level": 1.0}, "Expected 'level' between 0 and 1"),
        ({"fit": -1}, "Expected 0 to 1,000 images for the fit"),
        ({"stop": "early"}, "Unknown way to stop early 'early'"),
        ({"stop": "peak", "scheme": ["AKH", "Random"]}, "Expected one scheme that counts agreements"),
        ({"stop": "bound", "scheme": "Random"}, "Expected queries drawn from all errors of the victim"),
        ({"scheme": "IPGuard"}, "crafts queries of its own"),
        ({"scheme": "SAC"}, "crafts queries of its own"),
        ({"scheme": ()}, "Expected at least one scheme"),
        ({"victim": "u1"}, "Unknown victim 'u1'"),
        ({"scheme": "accuracy"}, "'accuracy' does not look at its answers"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_asked_is_a_sentence(asked, how, says):
    with pytest.raises(QurdError, match=says):
        asked(table({"shop": COPY}), **how)


def test_victims_are_asked_about_one_at_a_time(asked):
    yours = {"yours": ("victim", "train(res,ours)", answers(50, 0.3))}
    rows = table({"shop": COPY}, more=yours)
    with pytest.raises(QurdError, match="Expected one of 2 victims with --victim: mine, yours"):
        asked(rows)
    assert asked(rows, victim="yours").each[0].said == "not_distinguished"
    assert asked(rows, victim="mine").each[0].lineages == 40  # the other victim calibrates nothing


def test_a_run_says_that_there_are_no_thieves(tmp_path, qurd):
    table({"shop": COPY}).to_csv(tmp_path / "t.csv", index=False)
    code, _, error = qurd("run", "--benchmark", str(tmp_path / "t.csv"), "--scheme", "AKH")
    assert code == 2
    assert "There are no stolen models in" in error
    assert "Ask about suspects with 'check'." in error


def test_the_command_prints_sentences_and_json(tmp_path, qurd):
    table({"shop": COPY, "app": OTHER}).to_csv(tmp_path / "t.csv", index=False)
    code, out, error = qurd("check", str(tmp_path / "t.csv"))
    assert code == 0, error
    assert "- shop is closer to mine than all 40 unrelated lineages" in out
    assert "2 suspect(s): they are asked about and calibrate nothing." in error
    code, out, _ = qurd("check", str(tmp_path / "t.csv"), "--json", "--suspect", "app")
    (row,) = json.loads(out)
    assert (row["suspect"], row["verdict"], row["questions"]) == ("app", "not_distinguished", 1)
    assert row["fit"].keys() == {"asked", "right", "pool_low", "pool_high"}
    assert row["hard"] is None
    assert len(row["sentences"]) == 2
    code, out, _ = qurd("check", str(tmp_path / "t.csv"), "--json", "--level", "0.001")
    assert json.loads(out)[0]["p"] is None


def test_the_check_of_a_benchmark_says_what_a_verdict_could_be(tmp_path, qurd):
    good = {f"good{n}": ("unrelated", f"train(net,best,seed={n})", answers(40 + n, 0.05)) for n in range(3)}
    rows = table({"shop": COPY, "app": OTHER}, unrelated=0, more=good)
    rows.to_csv(tmp_path / "t.csv", index=False)
    code, out, _ = qurd("check-benchmark", str(tmp_path / "t.csv"), "--json")
    found = json.loads(out)
    (row,) = found["victims"]
    assert (code, row["suspects"], row["lineages"], row["smallest_level"]) == (0, 2, 3, 0.25)
    assert "mine faces 3 unrelated lineages: no verdict below 25 %. 16 more allow 5 %." in found["notes"]
    assert "2 suspect(s): they are asked about and calibrate nothing." in found["notes"]
    (apart,) = [note for note in found["notes"] if "solve another task" in note]
    assert apart.startswith("mine is right on 7") and apart.endswith("do they solve another task, or better?")


def test_the_bound_calls_several_copies_closer_where_the_pool_is_large_enough(asked):
    copies = {f"s{n}": answers(30 + n, 0.3, VICTIM, 0.95) for n in range(4)}
    found = asked(table(copies, unrelated=100), stop="bound")
    assert [one.said for one in found.each] == ["closer"] * 4
    assert [one.rank for one in found.each] == [0] * 4
    assert asked(table({"shop": COPY}, unrelated=19), stop="bound").each[0].needed == 20  # all of 1/20 is spent on the rate


def test_whoever_answers_none_of_the_easy_images_says_nothing_about_the_fit(asked):
    rows = table({"shop": COPY})
    mistakes = rows["item"][(rows["model"] == "mine") & (rows["label"] != rows["truth"])]
    easy = ~rows["item"].isin(mistakes)
    with pytest.raises(
        QurdError, match="Expected 'u7', which is unrelated to 'mine', to answer at least 90% of the 100 queries"
    ):
        asked(rows[~((rows["model"] == "u7") & easy)])
    assert asked(rows[~((rows["model"] == "shop") & easy)]).each[0].reason.startswith("it answered 0 of 100 queries")


def test_what_any_scheme_asks_and_an_unrelated_model_lacks_is_refused(asked):
    rows = table({"shop": COPY})
    mistakes = rows["item"][(rows["model"] == "mine") & (rows["label"] != rows["truth"])]
    only = rows[~((rows["model"] == "u7") & ~rows["item"].isin(mistakes))]
    with pytest.raises(QurdError, match="Expected 'u7'"):
        asked(only, scheme=["AKH", "Random"], fit=0)


def test_who_is_left_out_is_said(asked):
    found = asked(table({"shop": COPY, "app": OTHER}), suspects=["shop"])
    assert any("1 more suspect(s) are not asked about here" in note for note in found.notes)


def ordered(rows: pd.DataFrame, k: int, first: dict[str, int]) -> pd.DataFrame:
    """The rows with the classes after the label, of some models fewer of them than of others."""
    for place in range(2, k + 1):
        rows[f"top_{place}"] = ((rows["label"] + place - 1) % CLASSES).astype(str)
        rows.loc[rows["model"].map(first).fillna(k) < place, f"top_{place}"] = ""
    return rows


@pytest.mark.slow
def test_a_suspect_that_names_fewer_classes_is_asked_by_schemes_that_need_no_more(asked):
    rows = ordered(table({"shop": COPY, "app": OTHER}), 3, {"shop": 2, "app": 1})
    assert asked(rows).each[0].said == "closer"
    scheme = "uniform(test) | rank(k=2) | mutual_information"
    assert asked(rows, scheme=scheme, suspects=["shop"]).each[0].asked == 100
    with pytest.raises(QurdError, match=r"compares the first 3 classes of an answer, and 'shop' names 2. Use AKH"):
        asked(rows, scheme=scheme.replace("2", "3"), suspects=["shop"])
    with pytest.raises(QurdError, match="needs top-k labels, and 'app' reveals labels only"):
        asked(rows, scheme=scheme)


def test_what_a_suspect_names_beside_the_classes_is_no_class_at_any_place(asked):
    rows = ordered(table({"shop": COPY}), 3, {})
    rows.loc[(rows["model"] == "shop") & (rows["item"] % 2 == 0), "top_2"] = "a cat"
    scheme = "uniform(test) | rank(k=3) | mutual_information"
    whole = asked(ordered(table({"shop": COPY}), 3, {}), scheme=scheme, fit=0).each[0]
    some = asked(rows, scheme=scheme, fit=0).each[0]
    assert (some.missing, some.asked) == (0, 100)
    assert some.score > whole.score
    rows.loc[(rows["model"] == "shop") & (rows["item"] == 0), "top_3"] = "a dog"  # a second one ends the order
    with pytest.raises(QurdError, match="and 'shop' names 2"):
        asked(rows, scheme=scheme)
