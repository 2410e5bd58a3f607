"""Rates against scikit-learn with ties, and the aggregation against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from qurd_core.errors import QurdError
from qurd_core.statistics import calibrated_rule
from qurd_core.statistics.metrics import ROWS, aggregate, rates, victim_cells
from qurd_core.statistics.sides import SCORES, sides
from tests.score_tables import cells


def tied(seed: int, n: int, p: int, budgets: int):
    """Distances on a coarse grid, stolen models smaller: (n,B) and (p,B)."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 15, (n, budgets)) / 14, rng.integers(0, 11, (p, budgets)) / 14


def as_labels(negatives, positives):
    """Truth and score as scikit-learn wants them: large = stolen."""
    return np.r_[np.zeros(len(negatives)), np.ones(len(positives))], -np.r_[negatives, positives]


@pytest.mark.parametrize(("n", "p"), [(10, 3), (19, 1), (20, 20), (41, 7), (61, 24), (100, 5)])
def test_rates_equal_scikit_learn_under_ties(n, p):
    negatives, positives = tied(n, n, p, 60)
    found = rates(negatives, positives)
    for budget in range(60):
        truth, score = as_labels(negatives[:, budget], positives[:, budget])
        fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
        assert found.tpr[budget] == pytest.approx(tpr[fpr <= 0.05 + 1e-12].max(), abs=1e-12)
        assert found.auc[budget] == pytest.approx(roc_auc_score(truth, score), abs=1e-12)


@pytest.mark.parametrize("n", [5, 18, 19, 41, 61])
def test_rates_are_those_of_the_calibrated_rules(n):
    negatives, positives = tied(n, n, 12, 30)
    found = rates(negatives, positives)
    for budget in range(30):
        for kind, rate in (("paper", found.tpr), ("conformal", found.tpr_conformal)):
            rule = calibrated_rule(negatives[:, budget], 0.05, kind)
            expected = np.nan if rule.k is None else (positives[:, budget] < rule.threshold).mean()
            assert rate[budget] == pytest.approx(expected, nan_ok=True)
    assert np.isnan(found.tpr_conformal).all() == (n < 19)


def test_repeated_negatives_count_repeatedly_except_for_the_conformal_promise():
    negatives, positives = tied(0, 45, 12, 40)
    repeat = np.random.default_rng(0).integers(1, 8, 45)
    found, copied = rates(negatives, positives, repeat=repeat), rates(np.repeat(negatives, repeat, axis=0), positives)
    once = rates(negatives, positives)
    np.testing.assert_array_equal(found.tpr, copied.tpr)
    np.testing.assert_allclose(found.auc, copied.auc, rtol=1e-12)
    np.testing.assert_array_equal(found.tpr_conformal, once.tpr_conformal)
    assert (copied.tpr_conformal != once.tpr_conformal).any()
    assert (found.tpr != once.tpr).any()
    assert (found.auc != once.auc).any()


def test_seven_copies_of_ten_models_are_still_ten_models():
    negatives, positives = tied(1, 10, 4, 3)
    assert np.isnan(rates(negatives, positives, repeat=np.full(10, 7)).tpr_conformal).all()


@pytest.mark.parametrize(("n", "level"), [(19, 1 / 20), (20, 1 / 21), (41, 2 / 42), (61, 3 / 62)])
def test_an_innocent_model_is_flagged_as_often_as_the_conformal_rule_says(n, level):
    draws = 100_000
    scores = np.random.default_rng(n).standard_normal((n + 1, draws), dtype=np.float32)
    found = rates(scores[:n], scores[n:])
    error = 4 * np.sqrt(level * (1 - level) / draws)
    assert found.tpr_conformal.mean() == pytest.approx(level, abs=error)
    paper = (n // 20 + 1) / (n + 1)
    assert found.tpr.mean() == pytest.approx(paper, abs=4 * np.sqrt(paper * (1 - paper) / draws))


def test_budgets_may_have_more_than_one_dimension():
    negatives, positives = tied(2, 25, 6, 12)
    flat, folded = rates(negatives, positives), rates(negatives.reshape(25, 3, 4), positives.reshape(6, 3, 4))
    for one, other in zip(flat, folded, strict=True):
        np.testing.assert_allclose(one, other.reshape(-1))


def by_hand() -> pd.DataFrame:
    """Two victims, two query seeds, two tasks, one budget. Victim A has both tasks, B only prune."""
    a = [("n1", "negative", ["prune", "distill"], "r1"), ("n2", "negative", ["prune"], "r2")]
    a += [("p1", "positive", ["prune"], "A"), ("p2", "positive", ["prune"], "A"), ("d1", "positive", ["distill"], "A")]
    b = [("n1", "negative", ["prune"], "r1"), ("n3", "negative", ["prune"], "r1"), ("p3", "positive", ["prune"], "B")]
    a.append(("h1", "hard", ["prune"], "r9"))
    values = {
        ("A", 0): [0.4, 0.5, 0.1, 0.45, 0.5, 0.05],
        ("A", 1): [0.4, 0.5, 0.1, 0.2, 0.3, 0.05],
        ("B", 0): [0.3, 0.6, 0.2],
        ("B", 1): [0.3, 0.6, 0.35],
    }
    rows = [
        ("toy", "akh", victim, *suspect, seed, 10, 10 if victim == "A" else 8, value)
        for (victim, seed), numbers in values.items()
        for suspect, value in zip(a if victim == "A" else b, numbers, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(SCORES))


def test_means_over_victims_then_query_seeds_equal_those_by_hand():
    table = aggregate(cells(by_hand()))
    assert list(table.columns) == list(ROWS)
    assert table["task"].tolist() == ["prune", "distill", "all"]
    prune, distill, pooled = (row for _, row in table.iterrows())
    # prune: A catches 1 of 2 then 2 of 2, B 1 of 1 then none; distill: A alone, 0 then 1.
    assert prune["tpr"] == pytest.approx((0.75 + 0.5) / 2)
    assert prune["sd"] == pytest.approx(0.25 / np.sqrt(2))
    assert (distill["tpr"], distill["sd"]) == pytest.approx((0.5, np.sqrt(0.5)))
    # all: A catches 1 of 3 then 3 of 3, B as in prune.
    assert pooled["tpr"] == pytest.approx((2 / 3 + 0.5) / 2)
    assert pooled["sd"] == pytest.approx(1 / 6 / np.sqrt(2))
    # all, A, seed 0: n1 counts twice; .1 beats all three, .45 only n2, .5 ties with n2: 4.5 of 9.
    assert pooled["auc"] == pytest.approx((0.5 + 1 + 1 + 0.5) / 4)
    assert pooled["mean_unrelated"] == pytest.approx(((2 * 0.4 + 0.5) / 3 + 0.45) / 2)
    assert prune["mean_stolen"] == pytest.approx((0.275 + 0.2 + 0.15 + 0.35) / 4)


def test_rows_say_what_they_rest_on():
    prune, distill, pooled = aggregate(cells(by_hand())).to_dict("records")
    assert (prune["n_negatives"], prune["n_positives"], prune["n_lineages"]) == (2, 3, 1)
    assert (distill["n_negatives"], distill["n_positives"], distill["n_victims"]) == (1, 1, 1)
    assert (pooled["n_negatives"], pooled["n_positives"], pooled["n_victims"], pooled["seeds"]) == (2, 4, 2, 2)
    assert (prune["used"], distill["used"]) == (9, 10)
    assert isinstance(prune["used"], int)
    assert np.isnan(prune["tpr_conformal"])
    assert np.isnan(prune["sd_conformal"])
    assert "There are 1, behind 2 models: 18 more are needed." in prune["reason"]
    assert "The lowest false-alarm rate that can be guaranteed is 50 %." in prune["reason"]


def test_hard_models_are_negatives_only_when_asked_for():
    unrelated, hard = (aggregate(cells(by_hand(), negatives=kind)) for kind in ("unrelated", "unrelated+hard"))
    # The hard model of A is closer than all its stolen models, so A's prune rate falls to 0.
    assert unrelated["tpr"][0] == pytest.approx(0.625)
    assert hard["tpr"][0] == pytest.approx((0.5 + 0) / 2)
    assert cells(by_hand(), negatives="unrelated+hard")["n_negatives"][0] == 3


def test_one_query_seed_has_no_spread_and_part_of_an_image_is_no_integer():
    scores = by_hand().query("query_seed == 0")
    scores.loc[scores["victim"] == "B", "used"] = 9
    table = aggregate(cells(scores))
    assert table["sd"].isna().all()
    assert table["used"].tolist() == [9.5, 10, 9.5]


def synthetic(victims: dict[str, int], seeds: int, budgets: list[int]) -> pd.DataFrame:
    """Random scores of victims with a given number of unrelated models each and two stolen ones."""
    rng = np.random.default_rng(5)
    stolen, unrelated = ("positive", ["prune"]), ("negative", ["prune", "same"])
    rows = [
        (
            "toy",
            "akh",
            victim,
            f"s{s}",
            *(unrelated if s < n else stolen),
            f"s{s}",
            seed,
            budget,
            budget,
            rng.random(),
        )
        for victim, n in victims.items()
        for seed in range(seeds)
        for s in range(n + 2)
        for budget in budgets
    ]
    return pd.DataFrame(rows, columns=list(SCORES))


def test_a_rate_that_one_victim_lacks_is_not_averaged_over_the_others():
    table = aggregate(cells(synthetic({"A": 10, "B": 30}, 2, [20, 10])))
    assert table["budget"].tolist() == [10, 20, 10, 20]
    assert table["tpr_conformal"].isna().all()
    assert table["tpr"].notna().all()
    assert all("There are 10: 9 more are needed." in reason for reason in table["reason"])
    fewest_last = aggregate(cells(synthetic({"A": 12, "B": 10}, 1, [10])))
    assert all("There are 10:" in reason for reason in fewest_last["reason"])
    alone = aggregate(cells(synthetic({"B": 30}, 2, [20, 10])))
    assert alone["tpr_conformal"].notna().all()
    assert alone["reason"].tolist() == [None] * 4


def test_twenty_five_children_of_one_network_guarantee_nothing():
    table = synthetic({"B": 25}, 2, [10])
    assert aggregate(cells(table))["tpr_conformal"].notna().all()
    family = table.assign(lineage=np.where(table["kind"] == "negative", "train(net)", table["lineage"]))
    rows = aggregate(cells(family))
    assert rows["tpr_conformal"].isna().all()
    assert (rows["n_negatives"] == 25).all() and (rows["n_lineages"] == 1).all()
    assert all("There are 1, behind 25 models: 18 more are needed." in reason for reason in rows["reason"])
    np.testing.assert_array_equal(rows["tpr"], aggregate(cells(table))["tpr"])  # the paper's rule counts models


def test_a_lineage_is_represented_by_its_closest_model():
    negatives, positives = np.arange(40.0)[:, None], np.array([[0.5], [1.5], [2.5]])
    pairs = [number // 2 for number in range(40)]
    alone, paired = rates(negatives, positives), rates(negatives, positives, groups=pairs)
    assert alone.tpr_conformal == 1 / 3  # below the second of forty
    assert paired.tpr_conformal == 0  # below the first of twenty
    assert alone.tpr == paired.tpr == 2 / 3


def test_a_cell_that_one_victim_could_not_fill_tells_why_rather_than_a_refusal():
    table = cells(synthetic({"A": 10, "B": 30}, 1, [10]))
    empty = table["victim"] == "B"
    table.loc[empty, ["tpr", "tpr_conformal", "auc"]] = np.nan
    table.loc[empty, "reason"] = "The seed set is too small."
    found = aggregate(table)
    assert found["tpr"].isna().all()
    assert set(found["reason"]) == {"The seed set is too small."}


def test_a_task_without_unrelated_models_is_a_row_with_a_reason():
    scores = by_hand()
    scores["tasks"] = [
        ["prune"] if kind == "negative" else tasks for kind, tasks in zip(scores["kind"], scores["tasks"], strict=True)
    ]
    distill = aggregate(cells(scores)).set_index("task").loc["distill"]
    assert distill[["tpr", "tpr_conformal", "auc", "mean_unrelated"]].isna().all()
    assert distill["n_negatives"] == 0
    assert "There are none" in distill["reason"]


def test_the_table_gives_what_the_arrays_give_whatever_the_order_of_its_rows():
    scores = synthetic({"A": 25}, 1, [10, 20, 40])
    shuffled = cells(scores.sample(frac=1, random_state=0)).set_index(["task", "budget"]).sort_index()
    values = scores["value"].to_numpy().reshape(-1, 3)
    suspects = scores.iloc[::3]
    tasks = sides(suspects["kind"].tolist(), suspects["tasks"].tolist(), suspects["lineage"].tolist())
    arrays = victim_cells(values, tasks, [10, 20, 40], [10, 20, 40]).set_index(["task", "budget"]).sort_index()
    for column in ("tpr", "tpr_conformal", "auc", "mean_stolen", "mean_unrelated"):
        np.testing.assert_allclose(shuffled[column], arrays[column])
    found = rates(values[:25], values[25:])
    np.testing.assert_array_equal(arrays.loc["prune", "tpr"], found.tpr)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates([[0.1], [np.nan]], [[0.2]]), "NaN"),
        (lambda: rates([[0.1]], [[np.nan]]), "NaN"),
        (lambda: rates([[0.1]], [[0.1, 0.2]]), "same budgets"),
        (lambda: rates([[0.1]], np.empty((0, 1))), "p at least 1"),
        (lambda: rates([[0.1]], [[0.1]], repeat=[0]), "positive 'repeat'"),
        (lambda: cells(by_hand().assign(value=np.nan)), "NaN"),
        (lambda: cells(by_hand().query("kind != 'positive'")), "at least one stolen model"),
        (lambda: cells(by_hand(), negatives="hard"), "Unknown choice of negatives 'hard'"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(QurdError, match=message):
        call()
