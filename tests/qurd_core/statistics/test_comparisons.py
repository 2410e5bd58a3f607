"""Comparisons on tables whose answer is known, and what they do with cells that only one scheme has."""

import math

import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.statistics import compare, holm, node_bootstrap, sign_flip, smallest_p, victims_to_decide
from tests.score_tables import score_table

SKILLS = {"good": 4.0, "weak": 1.0, "none": 0.0}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return score_table(SKILLS, {"one": 6, "two": 7})


def one(table: pd.DataFrame, a: str, b: str, task: str = "prune", **options):
    (found,) = compare(table, a, b, tasks=[task], draws=300, **options)
    return found


def test_a_scheme_is_on_par_with_itself(table):
    found = one(pd.concat([table, table[table["scheme"] == "weak"].assign(scheme="twin")]), "weak", "twin")
    assert (found.diff, found.p_signflip, found.p_holm, found.equivalent) == (0, 1, 1, True)
    assert found.verdict == "on par"
    assert found.ci95 == (0, 0)
    assert any("no width" in note for note in found.notes)


def test_a_better_scheme_beats_and_the_other_trails(table):
    better, worse = one(table, "good", "none"), one(table, "none", "good")
    assert (better.verdict, worse.verdict) == ("beats", "trails")
    assert better.diff == pytest.approx(-worse.diff)
    assert better.p_signflip == worse.p_signflip
    assert 0 < better.ci95[0] < better.ci90[0] < better.diff < better.ci90[1] <= better.ci95[1]
    assert not better.equivalent


def test_too_little_evidence_is_not_called_equal():
    scores = score_table({"a": 1.5, "b": 1.5}, {"one": 6}, rng=3)
    found = one(scores, "a", "b")
    assert found.verdict == "not distinguished"
    assert found.ci90[1] - found.ci90[0] > 0.1


def test_differences_are_means_over_victims_then_data_sets_and_the_test_flips_victims(table):
    found = one(table, "good", "weak")
    gaps = pd.Series(found.by_victim)
    boot = node_bootstrap(table[table["scheme"] != "none"], draws=300)
    assert found.diff == pytest.approx(gaps.groupby(level=0).mean().mean())
    assert found.diff == pytest.approx(boot.draws("good", "prune")[0] - boot.draws("weak", "prune")[0])
    weights = np.array([1 / 2 / {"one": 6, "two": 7}[benchmark] for benchmark, _ in gaps.index])
    assert found.p_signflip == sign_flip(gaps.to_numpy() * weights)
    assert found.n_units == 13
    assert len(found.by_victim) == 13


def test_the_family_is_every_task_and_competitor_handed_in(table):
    family = compare(table, "good", ["weak", "none"], draws=100)
    assert [(found.b, found.task) for found in family] == [
        *(("weak", "prune"), ("weak", "distill")),
        *(("none", "prune"), ("none", "distill")),
    ]
    np.testing.assert_allclose([found.p_holm for found in family], holm([found.p_signflip for found in family]))
    assert all("Adjusted for 4 comparisons" in found.method for found in family)


def test_only_cells_that_both_have_are_compared(table):
    lacking = (table["scheme"] == "weak") & (
        (table["benchmark"] == "two")
        | (table["victim"] == "one-victim5")
        | (table["suspect"] == "one-stranger3")
        | (table["query_seed"] == 2)
    )
    found = one(table[~lacking], "good", "weak")
    kept = table[
        (table["benchmark"] == "one")
        & (table["victim"] != "one-victim5")
        & (table["suspect"] != "one-stranger3")
        & ((table["query_seed"] != 2) | (table["scheme"] != "weak"))
    ]
    same = one(kept, "good", "weak")
    assert (found.diff, found.ci95, found.p_signflip) == (same.diff, same.ci95, same.p_signflip)
    assert found.matched_on == "one: 5 victims, 215 pairs, 2 and 3 query seeds."
    assert found.dropped == (
        "weak covers 1 of 2 data sets: two is left out.",
        "147 of 792 scores of good on these data sets have no counterpart.",
    )
    assert same.dropped == ()


def test_a_victim_whose_stolen_models_one_scheme_lacks_is_left_out(table):
    gone = (table["scheme"] == "weak") & (table["victim"] == "two-victim1") & (table["kind"] == "positive")
    found = one(table[~gone], "good", "weak")
    assert ("two", "two-victim1") not in found.by_victim
    assert found.n_units == 12


def test_victims_of_one_lineage_are_flipped_together(table):
    scores = table[table["benchmark"] == "two"]
    merged = scores.assign(victim_lineage=scores["victim"].str[-1].astype(int).floordiv(2).astype(str))
    found = one(merged, "good", "none")
    assert found.n_units == 4
    assert found.p_signflip >= 2 / 2**4
    assert found.verdict == "not distinguished"
    assert (
        "With 4 independent units the exact test cannot decide a comparison: its smallest p is 12 %. From 6 on it can."
        in (found.notes)
    )


def test_what_the_exact_test_can_decide_depends_on_how_many_comparisons_are_seen_at_once():
    assert smallest_p(6) == 2 / 64
    assert smallest_p(8, 6) == 6 * 2 / 256
    assert smallest_p(4, 6) == 0.75
    assert smallest_p(2, 6) == 1
    for asked in (1, 2, 5, 23):
        enough = victims_to_decide(asked)
        assert smallest_p(enough, asked) <= 0.05 < smallest_p(enough - 1, asked)
    assert [victims_to_decide(asked) for asked in (1, 5, 23)] == [6, 8, 10]


def test_victims_that_share_a_network_across_data_sets_are_one_unit(table):
    shared = table.assign(
        victim_lineage=np.where(table["victim"].str.endswith("0"), "pretrain(net)", table["victim"]),
    )
    assert one(table, "good", "none").n_units == 13
    assert one(shared, "good", "none").n_units == 12


def test_of_one_victim_the_stolen_models_are_compared():
    scores = score_table({"good": 4.0, "none": 0.0}, {"one": 1}, per_task=12)
    found = one(scores, "good", "none")
    assert found.n_units == 12
    assert "McNemar" in found.method
    assert found.verdict == "beats"
    assert any("one independent victim" in note for note in found.notes)
    single = one(scores[scores["query_seed"] == 0], "good", "none")
    gap = round(12 * single.diff)
    assert single.p_signflip == pytest.approx(2 / 2**gap)  # the other scheme catches nothing that this one misses


@pytest.mark.slow
def test_a_verdict_against_the_interval_is_marked():
    # The same few unrelated models decide for all victims: the test sees victims that agree, the interval sees the models.
    scores = pd.concat(
        score_table({"a": 2.0, "b": 1.2}, {"one": 9}, strangers=19, tasks=["prune"], per_task=3, rng=rng).assign(case=rng)
        for rng in range(12)
    )
    found = [one(scores[scores["case"] == rng], "a", "b") for rng in range(12)]
    marked = [any("holds 0" in note for note in each.notes) for each in found]
    against = [each.p_holm <= 0.05 and each.ci95[0] <= 0 <= each.ci95[1] for each in found]
    assert marked == against


def test_where_the_rule_is_refused_nothing_is_compared():
    found = one(score_table(SKILLS, {"one": 2}, strangers=10, tasks=["prune"]), "good", "none")
    assert math.isnan(found.diff)
    assert math.isnan(found.p_holm)
    assert (found.verdict, found.equivalent) == ("not distinguished", False)
    assert found.notes == ("The rule is refused on these data, so there is nothing to compare.",)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda table: compare(table, "good", "best"), "two of the schemes good, none, weak. Got good and best"),
        (lambda table: compare(table, "good", "good"), "two of the schemes"),
        (lambda table: compare(table, "good", "weak", margin=10), "'margin' between 0 and 1"),
        (lambda table: compare(table, "good", "weak", tasks=["steal"], draws=5), "tasks that both schemes have"),
        (
            lambda table: compare(
                table[(table["scheme"] == "good") == (table["benchmark"] == "one")], "good", "weak", draws=5
            ),
            "Got none for good and weak",
        ),
    ],
)
def test_errors_say_what_was_expected(table, call, message):
    with pytest.raises(QurdError, match=message):
        call(table)
