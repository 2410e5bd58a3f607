"""Queries sent one by one: distances, thresholds and verdicts against known answers."""

import numpy as np
import pandas as pd
import pytest

from qurd_core.records import evidence, rate_records
from qurd_core.records.bank import Bank
from qurd_core.views import play

NAMES = ("victim", "copy", "other", "far", "twin")
PAIRS = pd.DataFrame(
    {
        "victim": "victim",
        "suspect": ["copy", "other", "far", "twin"],
        "kind": ["positive", "negative", "negative", "hard"],
        "tasks": [["same"], ["same"], ["same"], ["same"]],
        "root": ["victim", "other", "far", "twin"],
    }
)


@pytest.fixture
def bank():
    """Five models on four patches; the victim is wrong on patches 3, 1 and 0, which are drawn in this order."""
    labels = np.array([[1, 1, 0, 1], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]], np.uint8)
    drawn, empty = np.array([[3, 1, 0, -1]]), np.array([[-1, -1, -1, -1]])
    draws = {("negative(test)", "victim"): drawn, ("uniform(test)", "victim"): empty}
    places = np.array([[0, 0, 0, 32, 0]] * 4)
    truth = np.zeros(4, np.uint8)
    return Bank(NAMES, ("victim",), ("cat", "coffee"), labels, truth, places, draws, draws)


def test_distances_run_and_the_threshold_follows_the_unrelated_models(bank):
    trial = play.trial(bank, PAIRS, "victim", "AKH")
    assert trial.queries.tolist() == [3, 1, 0]
    assert trial.thresholds.tolist() == pytest.approx([1, 1 / 2, 2 / 3])  # 5 % of 2 is none: below the closest of the two
    assert (trial.unrelated, trial.lineages) == (2, 2)
    rows = trial.rows(play.Duel("copy", "far"))
    assert rows["distance_stolen"].tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert rows["distance_innocent"].tolist() == [1, 1, 1]
    assert rows.loc[0, ["image", "truth", "victim", "stolen", "innocent"]].tolist() == [3, "cat", "coffee", "cat", "cat"]


def test_suspects_are_ranked_and_a_tie_is_not_flagged(bank):
    trial = play.trial(bank, PAIRS, "victim", "AKH")
    assert trial.suspects["suspect"].tolist() == ["copy", "twin", "other", "far"]
    assert trial.suspects["flagged"].tolist() == [True, True, False, False]
    assert trial.pick() == ("copy", "far")
    assert trial.hardest == ["twin"]
    assert play.trial(bank, PAIRS[PAIRS["kind"] != "hard"], "victim", "AKH").hardest == ["other", "far"]


def test_a_model_counts_once_per_task_that_it_serves(bank):
    twice = PAIRS.assign(tasks=[["same"], ["same", "prune"] * 10, ["same"], ["same"]])
    assert play.trial(bank, twice, "victim", "AKH").thresholds[-1] == pytest.approx(2 / 3)
    many = PAIRS.assign(tasks=[["same"], ["same"], ["same"] * 19, ["same"]])
    assert play.trial(bank, many, "victim", "AKH").thresholds[-1] == 1.0  # 5 % of 20 is one, which may lie below


def test_a_rule_that_is_refused_gives_no_threshold_and_a_reason(bank):
    trial = play.trial(bank, PAIRS, "victim", "AKH", rule="conformal")
    assert np.isnan(trial.thresholds).all()
    assert "There are 2" in trial.reason
    assert not trial.suspects["flagged"].any()


def test_a_victim_without_queries_has_an_empty_trial(bank):
    trial = play.trial(bank, PAIRS, "victim", "Random")
    assert not len(trial.queries)
    assert not trial.suspects["flagged"].any()


@pytest.mark.parametrize("benchmark", rate_records.EMBEDDED)
@pytest.mark.slow
def test_distances_agree_with_the_records(benchmark):
    scores, pairs, bank = evidence.Scores.read(benchmark), evidence.pairs(benchmark), evidence.bank(benchmark)
    for scheme, seeds in play.SEEDS.items():
        recorded = scores.of(bank.victims[1], f"{seeds} | labels | hamming", play.LAST)[2]
        trial = play.trial(bank, pairs, bank.victims[1], scheme, query_seed=2)
        found = trial.suspects.set_index("suspect")["distance"]
        assert found.to_numpy() == pytest.approx(recorded.reindex(found.index).to_numpy(), abs=1e-6)


def test_pictures_are_those_of_the_queries(bank):
    assert play.trial(bank, PAIRS, "victim", "AKH").pictures().shape == (3, 32, 32, 3)
