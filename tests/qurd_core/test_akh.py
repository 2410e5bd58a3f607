"""Proposition 1 and the sequential test against closed forms, enumeration and the paper's own counts."""

from itertools import combinations, permutations
from math import exp, log

import duckdb
import numpy as np
import pytest
import torch
from scipy.stats import binom

from qurd_core.akh import (
    EProcess,
    counts_to_deltas,
    deltas,
    log_e_value,
    official,
    total_false_alarm,
)
from qurd_core.errors import QurdError
from tests.qurd_core.paper.published import KIND


def random_labels(seed: int, classes: int = 4, images: int = 60, suspects: int = 200):
    rng = torch.Generator().manual_seed(seed)
    truth = torch.randint(classes, (images,), generator=rng)
    victim = torch.where(torch.rand(images, generator=rng) < 0.7, truth, torch.randint(classes, (images,), generator=rng))
    copies = torch.rand(suspects, images, generator=rng) < torch.rand(suspects, 1, generator=rng)
    other = torch.randint(classes, (suspects, images), generator=rng)
    return victim, torch.where(copies, victim, other), truth


def test_the_quantities_of_a_table_of_counts():
    found = counts_to_deltas([[[5, 10], [12, 0]], [[5, 0], [0, 68]]])
    expected = {
        "alpha": 0.8,
        "alpha_p": 0.78,
        "delta": 0.27,
        "delta_c": 0.75,
        "bound": 0.25,
        "rho": 0.5,
    }
    assert vars(found) == pytest.approx(expected, abs=1e-15)
    assert official(found.delta_c, found.alpha) == pytest.approx(0.1875)


def test_all_suspects_at_once_equal_the_definitions():
    victim, suspects, truth = random_labels(0)
    found = deltas(victim, suspects, truth)
    wrong = victim != truth
    assert found.delta_c.shape == (200,)
    np.testing.assert_allclose(found.alpha, (victim == truth).double().mean())
    np.testing.assert_allclose(found.alpha_p, (suspects == truth).double().mean(1))
    np.testing.assert_allclose(found.delta, (suspects != victim).double().mean(1))
    np.testing.assert_allclose(found.delta_c, (suspects != victim)[:, wrong].double().mean(1))
    np.testing.assert_allclose(found.rho, (suspects != truth)[:, wrong].double().mean(1))


@pytest.mark.parametrize("seed", range(5))
def test_the_slack_of_proposition_1_is_the_chance_that_both_are_wrong(seed):
    found = deltas(*random_labels(seed))
    np.testing.assert_allclose(found.bound, (found.delta - (1 - found.alpha_p)) / (1 - found.alpha), atol=1e-12)
    np.testing.assert_allclose(found.delta_c - found.bound, found.rho, atol=1e-12)
    assert (found.delta_c >= found.bound - 1e-12).all()


def test_an_exact_copy_is_at_distance_zero():
    victim, _, truth = random_labels(3)
    found = deltas(victim, victim[None], truth)
    assert (found.delta[0], found.delta_c[0], found.rho[0], found.bound[0]) == (0, 0, 1, -1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: deltas(torch.tensor([0, 1]), torch.tensor([[0, 1]]), torch.tensor([0, 1])), "right on all of them"),
        (lambda: counts_to_deltas([[[0, 1], [2, 0]], [[1, 1], [0, 4]]]), "the models agree"),
        (lambda: counts_to_deltas(np.ones((2, 2))), "shape"),
        (lambda: deltas(torch.tensor([0, 1]), torch.tensor([0, 1]), torch.tensor([0, 0])), r"\(M,n\) of the suspects"),
        (lambda: EProcess(1.0), "p0 between 0 and 1"),
        (lambda: EProcess(0.4, prior=(0, 1)), "two positive prior numbers"),
        (lambda: EProcess(0.4, pool_size=0), "at least one negative input"),
        (lambda: watched([True] * 4, 0.4, pool_size=3), "at most 3 queries"),
        (lambda: EProcess(0.4).decide(5), "'alpha' between 0 and 1"),
        (lambda: total_false_alarm(10, 10, 0.05), "k from 0 to n - 1"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(QurdError, match=message):
        call()


def watched(answers, p0: float, **options) -> EProcess:
    process = EProcess(p0, **options)
    for agrees in answers:
        process.update(agrees)
    return process


def test_the_evidence_of_a_sequence_in_closed_form():
    assert EProcess(0.4).log_e == 0
    assert exp(watched([True] * 7 + [False] * 3, 0.4).log_e) == pytest.approx(3.46333, abs=5e-6)
    assert exp(watched([False, True] * 3 + [True] * 4, 0.4).log_e) == pytest.approx(3.46333, abs=5e-6)
    assert exp(watched([True] * 10, 0.5).log_e) == pytest.approx(2**11 * (1 - 2**-11) / 11)
    assert exp(log_e_value(8, 10, 0.4, prior=(8e8, 2e8))) == pytest.approx(28.4444, abs=1e-3)  # one bet: q = 0.8


@pytest.mark.parametrize(("p0", "queries"), [(0.37, 5), (0.47, 6), (0.2, 3)])
def test_a_suspect_that_always_agrees_is_flagged_soon(p0, queries):
    assert not watched([True] * (queries - 1), p0).decide(0.05)
    assert watched([True] * queries, p0).decide(0.05)


def test_evidence_that_was_there_stays():
    process = watched([True] * 6 + [False] * 50, 0.4)
    assert process.log_e < 0 < log(20) < process.largest_log_e
    assert process.decide(0.05)
    assert process.anytime_p == pytest.approx(exp(-watched([True] * 6, 0.4).log_e))
    assert watched([False] * 5, 0.4).anytime_p == 1


@pytest.mark.parametrize(("p0", "prior"), [(0.37, (1, 1)), (0.6, (0.5, 0.5)), (0.2, (3, 1))])
def test_the_evidence_against_an_innocent_model_has_mean_one(p0, prior):
    hits = np.arange(31)
    assert binom(30, p0).pmf(hits) @ np.exp(log_e_value(hits, 30, p0, prior)) == pytest.approx(1)
    assert binom(30, p0 / 2).pmf(hits) @ np.exp(log_e_value(hits, 30, p0, prior)) < 1


@pytest.mark.parametrize("p0", [0.37, 0.47])
@pytest.mark.slow
def test_looking_after_every_answer_accuses_no_more_innocent_models_than_promised(p0):
    runs, longest = 2_000, 400
    hits = np.cumsum(np.random.default_rng(0).random((runs, longest)) < p0, axis=1)
    accused = (log_e_value(hits, np.arange(1, longest + 1), p0).max(axis=1) >= log(20)).mean()
    assert 0.01 < accused <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.slow
def test_without_repetition_every_order_of_the_pool_is_counted():
    orders = [np.isin(np.arange(8), list(agree)) for agree in combinations(range(8), 3)]
    processes = [EProcess(0.375, pool_size=8) for _ in orders]
    for answers in list(zip(*orders, strict=True))[:7]:
        evidence = [exp(process.update(agrees)) for process, agrees in zip(processes, answers, strict=True)]
        assert np.mean(evidence) == pytest.approx(1)
    for process, order in zip(processes, orders, strict=True):
        process.update(order[7])
    assert np.mean([process.decide(0.2) for process in processes]) <= 0.2


def test_one_agreement_more_than_the_pool_allows_is_proof():
    for order in set(permutations([True] * 3 + [False] * 2)):
        assert watched(order, 0.4, pool_size=5).anytime_p == 0
        assert watched(order, 0.6, pool_size=5).anytime_p > 0


def test_a_large_pool_is_like_independent_queries():
    answers = np.random.default_rng(1).random(80) < 0.6
    endless = watched(answers, 0.4, pool_size=10**10)
    assert endless.log_e == pytest.approx(watched(answers, 0.4).log_e, abs=1e-5)
    prior = (2.0, 5.0)
    assert watched(answers, 0.4, prior=prior, pool_size=10**10).log_e == pytest.approx(
        watched(answers, 0.4, prior=prior).log_e, abs=1e-5
    )


def test_the_process_says_what_it_does_and_rests_on():
    assert EProcess(0.4).method.startswith("Betting e-process against at most 0.4 agreement, queries drawn independently")
    assert "from 30 negative inputs without repetition" in EProcess(0.4, pool_size=30).method
    assert all(sentence.endswith(".") for sentence in EProcess.assumptions)


def test_the_pool_and_the_looking_both_raise_false_alarms():
    assert total_false_alarm(39, 0, 0.025) == pytest.approx(0.05)
    assert total_false_alarm(20, 0, 0.05) == pytest.approx(1 / 21 + 0.05)
    assert total_false_alarm(1, 0, 0.9) == 1


PAPER = {  # data set: median, smallest, largest and sd of delta_C of unrelated pairs; median and sd of stolen pairs
    "CIFAR10": (0.662, 0.631, 0.961, 0.141, 0.490, 0.137),
    "Flower102": (0.844, 0.535, 0.980, 0.097, 0.602, 0.302),
    "SDog120": (0.708, 0.535, 0.894, 0.111, 0.368, 0.264),
}


@pytest.mark.parametrize("dataset", PAPER)
def test_delta_c_of_the_papers_pairs(dataset, paper_folder):
    pairs = duckdb.sql(
        f"select {KIND} as kind, hamming, counts_matrix from '{paper_folder / 'pair_distances.parquet'}' "
        f"where split = 'test' and dataset = '{dataset}'"
    ).df()
    found = counts_to_deltas(
        pairs["counts_matrix"].map(lambda nested: [[list(row) for row in block] for block in nested]).tolist()
    )
    unrelated, stolen = (found.delta_c[pairs["kind"] == kind] for kind in ("negative", "positive"))
    summary = (
        np.median(unrelated),
        unrelated.min(),
        unrelated.max(),
        unrelated.std(ddof=1),
        np.median(stolen),
        stolen.std(ddof=1),
    )
    assert summary == pytest.approx(PAPER[dataset], abs=0.0006)
    np.testing.assert_allclose(found.delta, pairs["hamming"], atol=1e-6)
    np.testing.assert_allclose(found.delta_c - found.bound, found.rho, atol=1e-12)
