"""Tests of two schemes on the same models against closed forms, enumeration and scipy."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from qurd_core.errors import QurdError
from qurd_core.statistics import holm, sign_flip, victims_needed


@pytest.mark.parametrize("m", range(1, 13))
def test_equal_differences_have_the_smallest_p_value_that_there_is(m):
    assert sign_flip(np.full(m, 0.3)) == 2 / 2**m
    assert sign_flip(np.zeros(m)) == 1


def test_the_sign_flip_counts_all_signs():
    differences = np.round(np.random.default_rng(0).normal(0.3, 1, 9), 1)
    sums = np.array([np.dot(signs, differences) for signs in product((-1, 1), repeat=9)])
    assert sign_flip(differences) == (abs(sums) >= abs(differences.sum()) - 1e-9).mean()
    assert sign_flip(0.1 * differences) == sign_flip(differences) == sign_flip(-differences)


@pytest.mark.parametrize(("only_a", "only_b"), [(9, 2), (5, 5), (1, 0), (12, 3)])
def test_flips_of_hits_and_misses_are_the_exact_mcnemar_test(only_a, only_b):
    differences = np.r_[np.ones(only_a), -np.ones(only_b), np.zeros(5)]
    assert sign_flip(differences) == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)


def test_beyond_twenty_units_signs_are_drawn_and_always_the_same():
    differences = np.random.default_rng(1).normal(0.4, 1, 24)
    found = sign_flip(differences)
    sums = np.zeros(1)
    for difference in differences:
        sums = np.r_[sums + difference, sums - difference]
    exact = (abs(sums) >= abs(differences.sum()) - 1e-9).mean()
    assert found == pytest.approx(exact, abs=4 * math.sqrt(exact / 100_000))
    assert found == sign_flip(differences)


def test_adjusted_p_values_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, np.nan, 0.03]), [0.03, 0.06, np.nan, 0.06])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1, 1])
    np.testing.assert_allclose(holm([0.2]), [0.2])
    assert np.isnan(holm([np.nan])).all()


def test_the_victims_needed_are_the_first_number_with_a_narrow_enough_interval():
    diffs = np.random.default_rng(2).normal(0.1, 0.3, 16)
    found = victims_needed(diffs, 0.1, power=0.5)
    sd = diffs.std(ddof=1)

    def half_width(m: int) -> float:
        return stats.t.ppf(0.975, m - 1) * sd / math.sqrt(m)

    assert half_width(found) <= 0.1 < half_width(found - 1)
    assert victims_needed(diffs, 0.1) > found > victims_needed(diffs, 0.2, power=0.5)


def test_without_any_spread_six_victims_are_needed_all_the_same():
    assert victims_needed([0.3, 0.3, 0.3]) == 6
    assert victims_needed([0.3, 0.3, 0.3], level=0.99) == 8


def test_a_power_analysis_finds_the_effect_as_often_as_it_says():
    rng, sd = np.random.default_rng(3), 0.3
    needed = victims_needed(rng.normal(0, sd, 4000), 0.1)
    sample = rng.normal(0.1, sd, (4000, needed))
    found = (stats.ttest_1samp(sample, 0, axis=1).pvalue <= 0.05).mean()
    assert found == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sign_flip([]), "at least one difference"),
        (lambda: sign_flip([0.1, math.nan]), "NaN"),
        (lambda: victims_needed([0.1]), "at least 2 victims"),
        (lambda: victims_needed([0.1, 0.2], effect=0), "effect above 0"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(QurdError, match=message):
        call()
