"""Holding out groups of unrelated models, against formulas and cases made by hand."""

import math

import numpy as np
import pytest

from qurd_core.errors import QurdError
from qurd_core.statistics import holdout_audit


@pytest.mark.parametrize(("n", "rate"), [(10, 0.1), (20, 0.05), (41, 3 / 41), (61, 4 / 61)])
def test_leaving_one_out_is_a_formula_and_no_estimate(n, rate):
    for seed in range(3):
        scores = np.random.default_rng(seed).normal(size=n)
        assert holdout_audit(scores, range(n), "paper").mean_fpr == pytest.approx(rate)


def test_alike_groups_are_flagged_as_often_as_promised_and_odd_ones_are_not():
    rng, groups = np.random.default_rng(0), np.repeat(["a", "b", "c"], 20)
    scores = rng.normal(size=(60, 4000))
    alike = holdout_audit(scores, groups, "conformal")
    assert alike.nominal == pytest.approx(2 / 41)
    assert alike.mean_fpr == pytest.approx(2 / 41, abs=0.004)
    odd = holdout_audit(scores - 3 * (groups == "b")[:, None], groups, "conformal")
    assert odd.fpr_by_group["b"] > 0.8
    assert odd.fpr_by_group["a"] < 0.01


def test_groups_count_equally_by_hand():
    found = holdout_audit([0.1, 0.5, 0.6, 0.2, 0.3, 0.4, 0.7, 0.8], list("aaabbbcc"), "paper")
    # a: .1 lies below .2; b: none below .1; c: none.
    assert found.fpr_by_group == {"a": pytest.approx(1 / 3), "b": 0, "c": 0}
    assert found.mean_fpr == pytest.approx(1 / 9)
    assert found.nominal == pytest.approx((1 / 6 + 1 / 6 + 1 / 7) / 3)
    assert found.n_folds_refused == 0


def test_refused_folds_are_counted_and_left_out():
    found = holdout_audit(np.arange(25.0), ["a"] * 20 + ["b"] * 5, "conformal")
    assert found.n_folds_refused == 1
    assert math.isnan(found.fpr_by_group["a"])
    assert found.mean_fpr == found.fpr_by_group["b"] == 0
    assert math.isnan(holdout_audit([1, 2], ["a", "b"]).mean_fpr)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: holdout_audit([0.1, 0.2], ["a"]), "n groups"),
        (lambda: holdout_audit([0.1, math.nan], ["a", "b"]), "Got NaN"),
        (lambda: holdout_audit([0.1, 0.2], ["a", "a"]), "at least two groups"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(QurdError, match=message):
        call()
