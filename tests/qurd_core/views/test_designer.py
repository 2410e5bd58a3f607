"""The Designer's bench: what is in, what the schemes reach then, and which few models tell them apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.records import evidence, rate_records
from qurd_core.records.bank import Bank
from qurd_core.records.evidence import Scores
from qurd_core.views import contents, designer, separability
from qurd_core.views.suggest import suggest

GOOD, BAD = "negative(test) | labels | hamming", "uniform(test) | labels | hamming"
NAMES = {GOOD: "AKH", BAD: "Random"}
VICTIMS = ("v1", "v2")
THEFTS = ("same", "easy", "easy(seed=1)", "tricky", "tricky(seed=1)", "lost")
TASKS = {"same": "same", "lost": "lost"}


def pair(victim, suspect, kind, tasks, root):
    return {"victim": victim, "suspect": suspect, "kind": kind, "tasks": list(tasks), "root": root}


@pytest.fixture
def table():
    """Two victims with six thefts, twenty strangers and one hard unrelated model each."""
    rows = []
    for victim in VICTIMS:
        for theft in THEFTS:
            name = victim if theft == "same" else f"{victim}->{theft}"
            rows.append(pair(victim, name, "positive", [TASKS.get(theft, theft.split("(")[0])], victim))
        every = ("same", "easy", "tricky", "lost")
        rows += [pair(victim, f"s{number}", "negative", every, f"s{number}") for number in range(20)]
        rows.append(pair(victim, f"{victim}(seed=1)", "hard", every, f"{victim}(seed=1)"))
    return pd.DataFrame(rows)


@pytest.fixture
def scores(table):
    """Strangers lie at 0.5 to 0.69. AKH catches all but `lost`; Random misses `tricky` too; hard models lie at 0.1."""
    columns = pd.DataFrame(
        [(scheme, seed, 100) for scheme in NAMES for seed in range(3)], columns=["scheme", "query_seed", "budget"]
    )
    near = {"same": (0.0, 0.0), "easy": (0.2, 0.2), "tricky": (0.3, 0.9), "lost": (0.9, 0.9)}
    suspects, values = {}, {}
    for victim, rows in table.groupby("victim", sort=False):
        grid = []
        for row in rows.itertuples():
            place = int(row.suspect[1:]) if row.kind == "negative" else 0
            both = {"positive": near.get(row.tasks[0]), "hard": (0.1, 0.1), "negative": (0.5 + place / 100,) * 2}[row.kind]
            grid.append(np.repeat(both, 3))
        suspects[victim], values[victim] = tuple(rows["suspect"]), np.array(grid, np.float32)
    return Scores(columns, suspects, values)


def out_of(table, **choice):
    mask = np.logical_and.reduce([table[name] == value for name, value in choice.items()])
    return frozenset(designer.keys(table[mask]))


def test_a_scheme_catches_what_lies_below_the_threshold_for_most_query_seeds(scores, table):
    caught = designer.catches(scores, table)
    assert caught.loc[("v1", "v1->easy")].tolist() == [True, True]
    assert caught.loc[("v1", "v1->tricky")].tolist() == [True, False]
    assert caught.loc[("v2", "v2->lost")].tolist() == [False, False]
    values = scores.values["v1"]
    row = scores.suspects["v1"].index("v1->tricky")
    values[row, 0] = 0.9  # one of AKH's three query seeds
    assert designer.catches(scores, table).loc[("v1", "v1->tricky"), GOOD]
    values[row, 1] = 0.9
    assert not designer.catches(scores, table).loc[("v1", "v1->tricky"), GOOD]


def test_hard_unrelated_models_lower_the_threshold_only_when_they_count(scores, table):
    caught = designer.catches(scores, table, "unrelated+hard")
    # Of 21 one may lie below: the hard one, so that the threshold is that of the nearest stranger still.
    assert caught.loc[("v1", "v1->easy")].all()
    few = designer.kept(table, frozenset(pair for pair in designer.keys(table) if pair[1] in {"s0", "s1", "s2"}))
    assert designer.catches(scores, few).loc[("v1", "v1->easy")].all()
    assert not designer.catches(scores, few, "unrelated+hard").loc[("v1", "v1->easy")].any()


def test_a_scheme_without_a_value_somewhere_is_left_out(scores, table):
    scores.values["v2"][3, 4] = np.nan
    assert designer.catches(scores, table).columns.tolist() == [GOOD]


def test_narrowed_scores_give_the_same_rates(scores, table):
    whole = evidence.rates(scores, table)
    part = evidence.rates(scores.only([GOOD], 100), table)
    pd.testing.assert_frame_equal(part, whole[whole["scheme"] == GOOD].reset_index(drop=True))


def test_compare_tells_what_leaving_out_does(scores, table):
    before = evidence.rates(scores, table)
    after = evidence.rates(
        scores, designer.kept(table, out_of(table, suspect="v1->lost") | out_of(table, suspect="v2->lost"))
    )
    every = designer.compare(before, after, NAMES)
    found = every[every["task"] == "all"]
    assert found["label"].tolist() == ["AKH", "Random"]
    assert np.allclose(found["before"], [5 / 6, 3 / 6])
    assert np.allclose(found["after"], [1, 3 / 5])
    assert np.allclose(found["change"], [1 / 6, 1 / 10])
    assert designer.compare(before, None, NAMES)["after"].isna().all()


def test_compare_tells_every_task(scores, table):
    out = out_of(table, suspect="v1->tricky") | out_of(table, suspect="v1->lost") | out_of(table, suspect="v2->lost")
    after = evidence.rates(scores, designer.kept(table, out))
    found = designer.compare(evidence.rates(scores, table), after, NAMES).set_index(["task", "label"])
    assert len(found) == 5 * 2
    assert found.loc[("tricky", "AKH"), ["before", "after"]].tolist() == [1, 1]
    assert found.loc[("tricky", "Random"), ["before", "after"]].tolist() == [0, 0]
    assert found.loc[("lost", "AKH"), "before"] == 0
    assert np.isnan(found.loc[("lost", "AKH"), "after"])  # nobody is left
    assert found.loc[("same", "Random"), "change"] == 0


@pytest.mark.parametrize("negatives", ["unrelated", "unrelated+hard"])
def test_the_overlap_is_that_of_separability(negatives):
    pairs, some = evidence.pairs("patchwork-sac"), Scores.read("patchwork-sac").only([GOOD], 100)
    kept = designer.kept(pairs, frozenset(designer.keys(pairs)[::5]))
    found = designer.overlap(some, kept, GOOD, 100, negatives, share=True)
    (row,) = separability.rows(separability.Distances.of_scheme(kept, some, GOOD, 100), negatives=negatives, alpha=0.05)
    assert found == separability.overlap(row, share=True)
    assert 0 < found < 1


def test_there_is_no_overlap_of_few_pairs_or_without_scores(scores, table):
    assert np.isnan(designer.overlap(scores, table, GOOD, 100, share=True))  # twelve stolen pairs have no density
    scores.values["v2"][3, 0] = np.nan
    assert np.isnan(designer.overlap(scores, table, GOOD, 100, share=True))
    assert np.isnan(designer.overlap(scores, table.iloc[:0], GOOD, 100, share=True))


def test_turning_leaves_all_out_if_any_is_in():
    some = [("v", "a"), ("v", "b")]
    once = designer.turned(frozenset(some[:1]), some)
    assert once == frozenset(some)
    assert designer.turned(once, some) == frozenset()


def test_groups_are_tasks_and_kinds_of_unrelated_models(table):
    table.at[6, "tasks"] = ["easy"]
    found = dict(zip(designer.keys(table), designer.groups(table), strict=True))
    assert found["v1", "v1"] == "same"
    assert found["v1", "s0"] == "unrelated: easy"
    assert found["v1", "s1"] == "unrelated"
    assert found["v1", "v1(seed=1)"] == "hard unrelated"


def test_a_whole_bench_has_no_objection(table):
    assert designer.objection(table) is None
    assert designer.weakest(table) == (20, 20)


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"victim": "v1", "kind": "positive"}, "No stolen model of v1 is left"),
        ({"victim": "v1"}, None),  # a victim that is left out whole
        ({"suspect": "s0"}, None),  # 19 are enough
        ({"kind": "negative"}, "task same of v1 has 0 left."),
    ],
)
def test_objections(table, choice, says):
    found = designer.objection(designer.kept(table, out_of(table, **choice)))
    assert (found is None) if says is None else (says in found)


def test_eighteen_unrelated_models_are_too_few(table):
    left = designer.kept(table, out_of(table, suspect="s0", victim="v2") | out_of(table, suspect="s1", victim="v2"))
    said = designer.objection(left)
    assert said == (
        "A guarantee of 5 % false alarms needs 19 independent lineages of unrelated models: task same of v2 has 18 left. "
        "The lowest false-alarm rate that can be guaranteed is 5.3 %."
    )


def test_nothing_ticked_is_no_bench(table):
    nothing = designer.kept(table, frozenset(designer.keys(table)))
    assert "Nothing is ticked" in designer.objection(nothing)
    assert not designer.measurable(nothing)


def test_a_suggestion_takes_what_parts_the_schemes(scores, table):
    found = suggest(scores, table, frozenset())
    assert found.recipes[:2] == ("tricky", "tricky(seed=1)")
    assert len(found.recipes) == 5
    assert found.chosen_on == ("v1",)
    assert found.reported_on == ("v2",)
    # AKH catches all five or all but one, Random all but the two tricky ones.
    assert found.chosen == pytest.approx(found.reported)
    assert found.before == pytest.approx(np.std([5 / 6, 3 / 6]))
    assert {victim for victim, _ in found.pairs} == set(VICTIMS)
    assert found == suggest(scores, table, frozenset())


def test_the_reporting_half_has_no_say(scores, table):
    before = suggest(scores, table, frozenset())
    scores.values["v2"][:] = np.random.default_rng(0).random(scores.values["v2"].shape)
    after = suggest(scores, table, frozenset())
    assert (after.recipes, after.chosen) == (before.recipes, before.chosen)
    assert after.reported != before.reported


def test_a_suggestion_needs_two_victims(scores, table):
    with pytest.raises(QurdError, match="two victims"):
        suggest(scores, table, out_of(table, victim="v2"))


def test_spread_of_nothing_is_nothing():
    assert np.isnan(designer.spread(np.array([np.nan])))
    assert designer.spread(np.array([0.0, 1.0, np.nan])) == 0.5


def test_tasks_are_counted(table):
    counts = contents.tasks(table).set_index("task")
    assert counts.index.tolist() == ["all", "same", "easy", "tricky", "lost"]
    assert counts.loc["all"].tolist() == [12, 2, 20, 20]
    assert counts.loc["easy"].tolist() == [4, 2, 20, 20]
    without = designer.kept(table, out_of(table, kind="negative", victim="v2"))
    assert contents.tasks(without).set_index("task").loc["easy", "unrelated"] == 0


def test_who_saw_which_images(table):
    names = sorted({*table["suspect"], *table["victim"]})
    regions = [["victim"] if name in VICTIMS else ["attacker"] if "->" in name else [] for name in names]
    found = contents.seen(table, pd.DataFrame({"lineage": names, "regions": regions}), ["test", "victim", "attacker"])
    assert found.index.tolist() == ["test", "victim", "attacker"]
    assert found.loc["victim"].tolist() == [2, 0, 0, 0]
    assert found.loc["attacker"].tolist() == [0, 10, 0, 0]
    assert found.loc["test"].sum() == 0


def test_samples_are_of_their_class():
    truth = np.array([0, 1] * 5, np.uint8)
    places = np.arange(50).reshape(10, 5)
    bank = Bank(("v",), ("v",), ("cat", "dog"), np.zeros((1, 10), np.uint8), truth, places, {}, {})
    found = contents.samples(bank, 3)
    assert found["cat"].tolist() == [0, 4, 8]
    assert contents.recognised(bank) == {"cat": 1.0, "dog": 0.0}
    assert contents.images(bank)["class"].tolist() == ["cat", "dog"] * 5
    assert contents.images(bank)["turn"].tolist() == places[:, 4].tolist()
    nowhere = contents.images(replace(bank, places=None))
    assert nowhere.columns.tolist() == ["class"]


@pytest.mark.parametrize("name", rate_records.EMBEDDED)
@pytest.mark.slow
def test_the_bench_says_what_the_other_pages_say(name):
    """Rates of every pair from raw scores are those of the records."""
    names = designer.named(rate_records.schemes(), Scores.read(name))
    some = Scores.read(name).only(list(names), 100)
    found = evidence.rates(some, evidence.pairs(name)).set_index(["scheme", "task"])["tpr"]
    for task in ("all", "prune"):
        recorded = rate_records.read(name, task=task).query("budget == 100").set_index("scheme")["tpr"]
        for scheme in names:
            assert found[scheme, task] == pytest.approx(recorded[scheme], abs=6e-5)
