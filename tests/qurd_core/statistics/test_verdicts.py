"""What may be said of suspects: closed forms, and what is promised, simulated."""

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from qurd_core.errors import QurdError
from qurd_core.statistics import benjamini_hochberg, conformal_pvalue, holm, stratum_pvalue
from qurd_core.statistics.sequential import bound_pvalues, peak_pvalues, peaks
from qurd_core.statistics.verdicts import (
    expected_false_alarms,
    false_alarm_range,
    fused,
    needed_lineages,
    pvalues,
    then_by,
)

RUNS = 2000


def names(number: int) -> list[str]:
    return [f"train(net,theirs,seed={seed})" for seed in range(number)]


def at_most(alarms: list[bool] | np.ndarray, level: float) -> bool:
    """Whether a rate of false alarms is no higher than promised, up to three standard errors."""
    rate, error = np.mean(alarms), math.sqrt(level * (1 - level) / len(alarms))
    return rate <= level + 3 * error


@pytest.mark.parametrize(
    ("level", "questions", "lineages"), [(0.05, 1, 19), (0.05, 3, 59), (0.05, 360, 7199), (0.01, 1, 99)]
)
def test_how_many_lineages_a_level_takes(level, questions, lineages):
    assert needed_lineages(level, questions) == lineages
    assert questions / (lineages + 1) <= level + 1e-12 < questions / lineages


def test_how_many_suspects_must_be_close_before_a_lead_is_named():
    raw = np.full(360, 0.9)
    raw[:71] = 0.01
    assert not (benjamini_hochberg(raw) <= 0.05).any()
    raw[:72] = 0.01
    assert (benjamini_hochberg(raw) <= 0.05).sum() == 72


def test_a_lineage_counts_by_its_closest_model_and_ties_against_an_accusation():
    pool, kin = [0.5, 0.3, 0.4, 0.6], ["a", "a", "b", "c"]
    p, ranks = pvalues([0.3, 0.29, math.nan, 0.4], pool, kin)
    np.testing.assert_array_equal(ranks, [1, 0, 0, 2])
    np.testing.assert_array_equal(p, [2 / 4, 1 / 4, math.nan, 3 / 4])


def test_many_suspects_of_one_pool_are_adjusted_as_scipy_does():
    pool = np.linspace(0.3, 1, 199)
    raw, _ = pvalues([0.1, 0.305, 0.34, 0.7, 0.9], pool, names(199))
    np.testing.assert_allclose(benjamini_hochberg(raw), false_discovery_control(raw))


def test_the_evidence_of_agreements_by_hand():
    all_agree = np.exp(peaks([[1] * 5])[0])
    np.testing.assert_allclose(all_agree, [2.5, 7, 21.25, 68.2, 227.5], rtol=1e-3)
    np.testing.assert_allclose(np.exp(peaks([[1, 1, 0, 1, 1, 1]])[0]), [2.5, 7, 7, 7, 15.1, 43.29], rtol=1e-3)


def test_a_suspect_is_closer_as_soon_as_its_peak_passes_all_others():
    suspect = peaks([[1] * 6])[0]
    for highest, first in ((30.0, 4), (math.exp(suspect[3]), 5)):  # of equals the one that is accused is not
        path = peak_pvalues(suspect, np.log(np.full((19, 6), highest)), names(19))
        assert int(np.flatnonzero(path <= 0.05 + 1e-9)[0]) + 1 == first
        assert path[-1] == pytest.approx(1 / 20)
        assert (np.diff(path) <= 0).all()


def test_the_bound_pays_for_the_choice_of_its_rate():
    pool, agrees = [0.25] * 39, [True] * 12
    path = bound_pvalues(agrees, pool, names(39), 0.05, 400)
    assert path[0] == pytest.approx(1 / 40 + 1 / 2.5, rel=0.02)
    assert (path <= 0.05).any()
    assert (bound_pvalues([True] * 20, pool[:19], names(19), 0.05, 400) > 0.05).all()  # all of 1/20 is spent on the rate
    with pytest.raises(QurdError, match="They never do"):
        bound_pvalues(agrees, [1.0] * 39, names(39), 0.05, 400)


def test_ranks_of_several_schemes_are_multiplied():
    ranked = np.exp(fused([[0.1, 0.2, 0.3, 0.05], [0.5, 0.4, 0.6, 0.45]]))
    np.testing.assert_allclose(ranked, [6, 3, 16, 2])
    assert pvalues(ranked[3:], ranked[:3], names(3))[0] == pytest.approx([1 / 4])
    scores = np.random.default_rng(0).normal(size=30)
    assert np.array_equal(fused([scores, scores]).argsort(), scores.argsort())  # fused with itself
    assert np.array_equal(fused([scores, np.ones(30)]).argsort(), scores.argsort())  # with what tells nobody apart
    assert np.isnan(fused([[0.1, math.nan], [0.2, 0.3]])).tolist() == [False, True]


def test_a_second_score_orders_equals_only():
    ranks = then_by([0.5, 0.5, 0.1, 0.9, math.nan], [3.0, 2.0, 9.0, 0.0, 1.0])
    assert ranks.tolist()[:4] == [2.0, 1.0, 0.0, 3.0]
    assert math.isnan(ranks[4])


def test_how_many_false_alarms_are_to_be_expected():
    np.testing.assert_allclose(expected_false_alarms([0.05, 0.1], 360), [18, 36])
    assert false_alarm_range(19, 360) == (0, 65)
    assert false_alarm_range(99, 360) == (4, 38)
    with pytest.raises(QurdError, match=r"at least 19 unrelated lineages\. Got 10"):
        false_alarm_range(10, 360)


def test_unrelated_suspects_are_accused_no_more_often_than_promised_though_scores_tie():
    rng = np.random.default_rng(1)
    scores = rng.binomial(10, 0.6, size=(RUNS, 40)) / 10  # ten queries: a handful of different scores
    found = [pvalues(run[:1], run[1:], names(39))[0][0] <= 0.05 for run in scores]
    assert at_most(found, 0.05)


def test_a_pool_of_few_lineages_is_counted_by_these():
    """Forty models of five lineages that resemble each other: counted as models they accuse more than is promised."""
    rng, kin = np.random.default_rng(2), [f"root{n % 5}" for n in range(40)]
    by_lineage, by_model = [], []
    for _ in range(RUNS):
        pool = math.sqrt(0.7) * np.resize(rng.normal(size=5), 40) + math.sqrt(0.3) * rng.normal(size=40)
        suspect = rng.normal()
        by_lineage.append(pvalues([suspect], pool, kin)[0][0] <= 1 / 6)
        by_model.append(conformal_pvalue(suspect, pool).p <= 0.05)
    assert at_most(by_lineage, 1 / 6)
    assert not at_most(by_model, 0.05)


@pytest.mark.slow
def test_of_360_unrelated_suspects_hardly_ever_one_is_accused():
    """Holm over all, with a pool that is just large enough; all suspects share it."""
    rng, needed = np.random.default_rng(3), needed_lineages(0.05, 360)
    kin, alarms = names(needed), []
    for _ in range(150):
        suspects, pool = np.sort(rng.random(360)), rng.random(needed)
        raw = np.ones(360)
        raw[:2] = pvalues(suspects[:2], pool, kin)[0]  # whoever lies farther away than these cannot be accused before them
        alarms.append(bool((holm(raw) <= 0.05 + 1e-9).any()))
    assert at_most(alarms, 0.05)


def test_looking_after_every_query_accuses_no_more_often_than_promised():
    """Unrelated models differ: each agrees with a chance of its own, and answers to one image resemble each other."""
    rng = np.random.default_rng(4)
    chance, hardness = rng.beta(4, 12, size=(RUNS, 40, 1)), rng.normal(size=(RUNS, 1, 60))
    agrees = rng.random((RUNS, 40, 60)) < np.clip(chance + 0.1 * hardness, 0.01, 0.99)
    paths = peaks(agrees.reshape(-1, 60)).reshape(RUNS, 40, 60)
    assert at_most([(peak_pvalues(run[0], run[1:], names(39)) <= 0.05 + 1e-9).any() for run in paths], 0.05)


@pytest.mark.parametrize("correlation", [0.0, 0.8, 1.0])
def test_several_schemes_accuse_no_more_often_than_promised_however_much_they_depend(correlation):
    rng, alarms = np.random.default_rng(5), []
    for _ in range(RUNS):
        shared = rng.normal(size=40)
        scores = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * rng.normal(size=(3, 40))
        joined = fused(np.round(scores, 1))
        alarms.append(pvalues(joined[:1], joined[1:], names(39))[0][0] <= 0.05 + 1e-9)
    assert at_most(alarms, 0.05)
    assert np.mean(alarms) > 0.02  # and it does accuse


def test_accusations_are_false_no_more_often_than_promised():
    """Half of the suspects are innocent: of those accused, at most a tenth are, in the mean over pools."""
    rng, shares = np.random.default_rng(0), []
    for _ in range(300):
        innocent, stolen, pool = rng.normal(size=6), rng.normal(-3, 1, size=6), rng.normal(size=99)
        raw = np.array([(1 + (pool <= score).sum()) / 100 for score in (*innocent, *stolen)])
        accused = benjamini_hochberg(raw) <= 0.1
        shares.append(accused[:6].sum() / max(1, accused.sum()))
    assert np.mean(shares) <= 0.1 * 6 / 12 + 3 * np.std(shares) / np.sqrt(300)
    assert np.isnan(benjamini_hochberg([math.nan])).all()


def test_a_stratum_is_the_pool_of_those_that_look_alike():
    pool, traits = np.linspace(0.3, 1, 40), ["vgg"] * 25 + ["res"] * 15
    found = stratum_pvalue(0.31, pool, traits, "vgg")
    assert (found.n, found.p.p) == (25, conformal_pvalue(0.31, pool[:25]).p)
    assert found.sentence == "Among models with vgg p is 7.7 %."
    few = stratum_pvalue(0.31, pool, traits, "res")
    assert few.p is None
    assert few.sentence == "Insufficient: a 5 % verdict among models with res needs 19 of them. There are 15."
    assert stratum_pvalue(0.31, pool, traits, "dense").n == 0
    lineages = [n // 5 for n in range(40)]
    assert stratum_pvalue(0.31, pool, traits, "vgg", lineages, "lineage_min").n == 5
