"""Rules, p-values and intervals against closed forms. Table and test numbers are those of the specification."""

import math
import subprocess
import sys

import numpy as np
import pytest

from qurd_core.errors import QurdError
from qurd_core.statistics import allowed_below, calibrated_rule, conformal_pvalue, min_pool, refusal


@pytest.mark.parametrize(("alpha", "pool"), [(0.05, 19), (0.01, 99), (0.001, 999), (0.1, 9), (0.3, 3)])
def test_the_smallest_pool_is_the_first_that_is_not_refused(alpha, pool):
    assert min_pool(alpha) == pool
    assert allowed_below(pool, alpha, "conformal") == 0
    assert allowed_below(pool - 1, alpha, "conformal") is None


# n; then k, mean false-alarm rate and its upper limit for the paper's and for the conformal rule.
RULES = [
    (10, 0, 0.091, 0.259, None, None, None),
    (19, 0, 0.05, 0.146, 0, 0.05, 0.146),
    (20, 1, 0.095, 0.216, 0, 0.048, 0.139),
    (41, 2, 0.071, 0.146, 1, 0.048, 0.111),
    (59, 2, 0.05, 0.103, 2, 0.05, 0.103),
    (61, 3, 0.065, 0.122, 2, 0.048, 0.1),
    (99, 4, 0.05, 0.09, 4, 0.05, 0.09),
    (199, 9, 0.05, 0.078, 9, 0.05, 0.078),
]


@pytest.mark.parametrize("row", RULES, ids=[f"n={row[0]}" for row in RULES])
def test_rules_have_the_false_alarm_rates_of_the_table(row):
    n = row[0]
    for kind, (k, mean, upper) in {"paper": row[1:4], "conformal": row[4:]}.items():
        rule = calibrated_rule(np.arange(n), 0.05, kind)
        assert rule.k == k
        if k is None:
            assert rule.refused_reason
            continue
        assert rule.threshold == k
        assert rule.mean_fpr == pytest.approx(mean, abs=0.0006)
        assert rule.fpr_upper95 == pytest.approx(upper, abs=0.0006)


def test_rules_on_twenty_models_in_closed_form():
    paper, conformal = (calibrated_rule(range(20), 0.05, kind) for kind in ("paper", "conformal"))
    assert (paper.k, paper.threshold, paper.mean_fpr) == (1, 1.0, 2 / 21)
    assert paper.fpr_upper95 == pytest.approx(0.216, abs=0.0005)
    assert (conformal.k, conformal.mean_fpr, conformal.attainable) == (0, 1 / 21, 1 / 21)
    assert conformal.fpr_upper95 == pytest.approx(1 - 0.05 ** (1 / 20), abs=1e-12)


def test_a_refused_rule_flags_nothing_and_says_what_is_attainable():
    rule = calibrated_rule(range(10), 0.05, "conformal")
    assert rule.k is None
    assert rule.attainable == 1 / 11
    assert rule.refused_reason == (
        "Refused: at most 5 % false alarms can be guaranteed from 19 independent lineages of unrelated models on. There are "
        "10: 9 more are needed. The lowest false-alarm rate that can be guaranteed is 9.1 %."
    )
    assert math.isnan(rule.threshold)


def test_a_guarantee_counts_lineages_and_not_models():
    family = [f"train(net,seed={number % 5})" for number in range(40)]
    refused = calibrated_rule(np.arange(40), lineages=family)
    assert refused.k is None
    assert (refused.n, refused.attainable) == (5, 1 / 6)
    assert "There are 5, behind 40 models: 14 more are needed." in refused.refused_reason
    assert calibrated_rule(np.arange(40), 0.05, "paper", lineages=family).k == 2
    many = calibrated_rule(np.arange(40), lineages=[f"train(net,seed={number % 20})" for number in range(40)])
    assert (many.n, many.k, many.threshold) == (20, 0, 0.0)
    apart = [f"train(net,seed={number})" for number in range(40)]
    assert calibrated_rule(np.arange(40), lineages=apart).threshold == calibrated_rule(np.arange(40)).threshold == 1


def test_the_guarantee_holds_for_models_of_lineages_that_resemble_one_another():
    """Twenty lineages of five models each, of an innocent provider who may be any of its own five."""
    rng, flagged, by_models, draws = np.random.default_rng(3), 0, 0, 4_000
    names = np.repeat([f"train(net,seed={number})" for number in range(20)], 5)
    for _ in range(draws):
        pool = (rng.normal(size=(20, 1)) + 0.6 * rng.normal(size=(20, 5))).ravel()
        innocent = rng.normal() + 0.6 * rng.normal(size=5)
        flagged += innocent.min() < calibrated_rule(pool, lineages=list(names)).threshold
        by_models += innocent.min() < calibrated_rule(pool).threshold
    assert flagged / draws < 0.05 + 3 * (0.05 * 0.95 / draws) ** 0.5
    assert by_models / draws > 0.1  # which is what counting models would promise as 5 %


@pytest.mark.parametrize("kind", ["paper", "conformal"])
def test_without_unrelated_models_there_is_no_rule(kind):
    assert "There are none" in calibrated_rule([], 0.05, kind).refused_reason


def test_products_that_are_whole_on_paper_are_whole_in_floats():
    for percent in range(1, 100):
        assert allowed_below(100, percent / 100, "paper") == percent
        assert allowed_below(99, percent / 100, "conformal") == percent - 1


def test_under_ties_the_threshold_is_the_lowest_that_flags_as_many_as_allowed():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(19, 90))
        scores = rng.integers(0, 12, n) / 12
        for kind in ("paper", "conformal"):
            rule = calibrated_rule(scores, 0.05, kind)
            assert (scores < rule.threshold).sum() <= rule.k
            assert (scores <= rule.threshold).sum() > rule.k


def test_a_suspect_is_flagged_exactly_if_its_p_value_is_small_enough_even_under_ties():
    rng = np.random.default_rng(1)
    flagged = 0
    for _ in range(10_000):
        n, alpha = int(rng.integers(9, 64)), rng.choice([0.05, 0.1])
        pool, suspect = rng.integers(0, 20, n) / 20, rng.integers(0, 8) / 20
        flag = suspect < calibrated_rule(pool, alpha, "conformal").threshold
        assert flag == (conformal_pvalue(suspect, pool).p <= alpha)
        flagged += flag
    assert 500 < flagged < 9_500


@pytest.mark.parametrize(("suspect", "p"), [(0.05, 1 / 5), (0.2, 3 / 5), (0.25, 3 / 5), (0.5, 1.0)])
def test_p_values_in_closed_form(suspect, p):
    found = conformal_pvalue(suspect, [0.1, 0.2, 0.3, 0.4])
    assert found.p == p
    assert (found.rank, found.n_effective, found.smallest_p) == (round(5 * p) - 1, 4, 1 / 5)


def test_a_five_percent_verdict_needs_nineteen_models():
    assert conformal_pvalue(0.0, np.ones(19)).p == 0.05
    assert conformal_pvalue(0.0, np.ones(19)).warnings == ()
    eighteen = conformal_pvalue(0.0, np.ones(18))
    assert eighteen.p == 1 / 19
    assert eighteen.warnings == ("A 5 % verdict needs 19 independent models. There are 18.",)


def test_the_calibration_conditional_limit_of_a_p_value():
    assert conformal_pvalue(0.0, np.ones(20)).p_pac95 == pytest.approx(0.13911, abs=5e-6)
    assert conformal_pvalue(0.0, np.ones(61)).p_pac95 == pytest.approx(0.04792, abs=5e-6)
    assert conformal_pvalue(1.0, np.ones(20)).p_pac95 == 1


def test_models_of_one_lineage_count_once():
    pool, lineages = [0.1, 0.11, 0.12, 0.5, 0.6], ["a", "a", "a", "b", "b"]
    by_model = conformal_pvalue(0.105, pool, lineages)
    by_lineage = conformal_pvalue(0.105, pool, lineages, "lineage_min")
    assert by_model.p == 2 / 6
    assert "The 5 models of the pool come from 2 lineages, so they are not independent." in by_model.warnings
    assert (by_lineage.p, by_lineage.n_effective) == (2 / 3, 2)
    repeated = conformal_pvalue(0.105, pool + 10 * [0.1], lineages + 10 * ["a"], "lineage_min")
    assert repeated.p == by_lineage.p


def test_lineages_make_a_verdict_honest_where_models_are_alike():
    rng, lineages = np.random.default_rng(1), np.repeat(np.arange(5), 8)
    flagged = dict.fromkeys(("model", "lineage_min"), 0)
    for _ in range(2000):
        own, pool = rng.normal(size=6), rng.normal(size=40)
        pool, suspect = 2 * own[lineages] + pool, 2 * own[5] + rng.normal()
        for mode in flagged:
            flagged[mode] += conformal_pvalue(suspect, pool, lineages, mode).p <= 1 / 6
    error = 4 * np.sqrt(1 / 6 * 5 / 6 / 2000)
    assert flagged["lineage_min"] / 2000 < 1 / 6 + error / 2 < flagged["model"] / 2000


@pytest.mark.parametrize("n", [19, 20, 41, 61])
def test_an_innocent_suspect_is_flagged_exactly_as_often_as_the_formula_says(n):
    """P(p <= 5 %) = (k+1)/(n+1) with k of the conformal rule, whatever the scores: only their order counts."""
    draws, rng = 100_000, np.random.default_rng(n)
    rank = (rng.normal(size=(draws, n)) <= rng.normal(size=(draws, 1))).sum(axis=1)
    by_rank = np.array([conformal_pvalue(place - 0.5, np.arange(n)).p for place in range(n + 1)])
    expected = (allowed_below(n, 0.05, "conformal") + 1) / (n + 1)
    assert expected == pytest.approx({19: 0.05, 20: 0.0476, 41: 0.0476, 61: 0.0484}[n], abs=5e-5)
    error = math.sqrt(expected * (1 - expected) / draws)
    assert (by_rank[rank] <= 0.05).mean() == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibrated_rule([0.1, math.nan, 0.3]), "NaN in 1 of 3"),
        (lambda: conformal_pvalue(math.nan, [0.1]), "the suspect's score"),
        (lambda: conformal_pvalue(0.1, [0.1, math.nan]), "NaN in 1 of 2"),
        (lambda: calibrated_rule([[0.1]]), "one row of numbers"),
        (lambda: calibrated_rule([0.1], alpha=5), "between 0 and 1"),
        (lambda: calibrated_rule([0.1], kind="exact"), "'conformal' or 'paper'"),
        (lambda: conformal_pvalue(0.1, [0.1, 0.2], ["a"]), "one lineage per model"),
        (lambda: conformal_pvalue(0.1, [0.1], None, "lineage_min"), "needs the lineage"),
        (lambda: conformal_pvalue(0.1, [0.1], ["a"], "lineage"), "'model' or 'lineage_min'"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(QurdError, match=message):
        call()


def test_results_say_what_they_rest_on():
    rule = calibrated_rule(range(41))
    assert rule.method == "Flag a suspect below the 2nd smallest of 41 unrelated scores (conformal rule)."
    assert any("exchangeable" in sentence for sentence in rule.assumptions)
    assert refusal(41) is None


def test_numbers_are_read_without_loading_models_or_statistics_packages():
    loaded = "import sys, qurd_core.akh, qurd_core.statistics.metrics; print(*sys.modules)"
    modules = set(subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split())
    assert "qurd_core.statistics" in modules
    assert not modules & {"torch", "scipy", "streamlit"}
