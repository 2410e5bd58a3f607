"""What may be said of suspects: adjustment by scipy and by hand, strata, refusals, and the words."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from qurd_core.errors import QurdError
from qurd_core.statistics import benjamini_hochberg, conformal_pvalue, stratum_pvalue, verdicts


def table(suspects: dict[str, float], pool: list[float], *, seeds=1, **more) -> pd.DataFrame:
    """Scores of one victim and scheme: a pool of a lineage each, and suspects of whom nobody knows a thing."""
    models = [(f"pool{n}", "negative", value) for n, value in enumerate(pool)]
    models += [(name, "suspect", value) for name, value in suspects.items()]
    rows = pd.DataFrame(models, columns=["suspect", "kind", "value"]).assign(
        benchmark="mine", scheme="AKH", victim="v", lineage=lambda frame: frame["suspect"], budget=100, **more
    )
    return pd.concat([rows.assign(query_seed=seed) for seed in range(seeds)], ignore_index=True)


def test_many_suspects_of_one_pool_are_adjusted_as_scipy_does():
    pool = np.linspace(0.3, 1, 199)
    suspects = {"a": 0.1, "b": 0.305, "c": 0.34, "d": 0.7, "e": 0.9}
    found = verdicts(table(suspects, pool.tolist()))
    raw = [conformal_pvalue(score, pool).p for score in suspects.values()]
    assert [one.suspect for one in found] == list(suspects)
    assert [one.p.p for one in found] == raw
    np.testing.assert_allclose([one.p_adjusted for one in found], false_discovery_control(raw))
    assert [one.closer for one in found] == [True, True, False, False, False]
    assert "Adjusted for 5 questions (Benjamini and Hochberg 1995)." in found[0].method
    assert any("independent of one another" in sentence for sentence in found[0].assumptions)


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


def test_one_suspect_under_several_schemes_is_adjusted_after_holm():
    pool = np.linspace(0.3, 1, 39).tolist()
    both = pd.concat([table({"s": score}, pool).assign(scheme=name) for name, score in (("AKH", 0.1), ("SAC", 0.32))])
    found = verdicts(both)
    assert [(one.scheme, one.p.p, one.p_adjusted) for one in found] == [
        ("AKH", 1 / 40, pytest.approx(2 / 40)),
        ("SAC", 3 / 40, pytest.approx(3 / 40)),
    ]
    assert [one.closer for one in found] == [True, False]
    assert "Holm" in found[0].method
    two = table({"s": 0.1, "t": 0.2}, pool)
    with pytest.raises(QurdError, match="Got 2 of the former and 2 suspects"):
        verdicts(pd.concat([two, two.assign(victim="w")]))


def test_the_victim_against_itself_is_no_question():
    scores = table({"s": 0.31, "t": 0.5}, np.linspace(0.3, 1, 39).tolist())
    itself = table({"v": 0.0}, []).assign(kind="positive")
    assert verdicts(pd.concat([scores, itself])) == verdicts(scores)


def test_of_one_suspect_asked_several_times_the_adjusted_p_is_promised():
    pool = np.linspace(0.3, 1, 39).tolist()
    both = pd.concat([table({"s": score}, pool).assign(scheme=name) for name, score in (("AKH", 0.1), ("SAC", 0.32))])
    assert "False alarms: at most 5 %," in verdicts(both)[0].sentence


def test_the_words_are_those_that_a_p_value_allows():
    found = {one.suspect: one for one in verdicts(table({"near": 0.1, "far": 0.9}, np.linspace(0.3, 1, 60).tolist()))}
    assert found["near"].sentence == (
        "near: closer to the victim than 95 % of comparable independent models (p 3.3 %, adjusted for 2 questions; 1.6 % "
        "alone). Of all suspects accused at this p, at most 3.3 % are false alarms on average, if the pool is "
        "representative."
    )
    (alone,) = verdicts(table({"near": 0.1}, np.linspace(0.3, 1, 60).tolist()))
    assert alone.sentence == (
        "near: closer to the victim than 95 % of comparable independent models (p 1.6 %). False alarms: at most 1.6 %, if "
        "the pool is representative."
    )
    assert found["far"].sentence.startswith("far: not distinguished from comparable independent models (p ")
    for one in found.values():
        assert not any(word in one.sentence.lower() for word in ("stolen", "innocent", "theft", "probability"))


def test_a_small_pool_says_that_nobody_could_be_told():
    (found,) = verdicts(table({"near": 0.1}, [0.5] * 10))
    assert not found.closer
    assert found.sentence.endswith("No suspect could be: the smallest p here is 9.1 %.")


def test_the_pool_counts_lineages_unless_told_otherwise():
    scores = table({"near": 0.1}, [0.5] * 40)
    kin = scores.assign(lineage=[f"root{n % 5}" for n in range(len(scores))])
    assert verdicts(kin)[0].p.n_effective == 5
    assert verdicts(kin, mode="model")[0].closer


def test_scores_are_averaged_over_query_seeds_before_anything_else():
    scores = table({"near": 0.0}, np.linspace(0.3, 1, 19).tolist(), seeds=2)
    scores.loc[scores["query_seed"] == 1, "value"] += 0.4
    (found,) = verdicts(scores)
    assert found.score == pytest.approx(0.2)
    assert found.p.p == 0.05
    assert "2 times the queries" in found.method


def test_a_missing_score_is_refused_and_asks_no_question():
    scores = table({"near": 0.1, "mute": 0.2}, np.linspace(0.3, 1, 19).tolist(), seeds=2)
    scores.loc[(scores["suspect"] == "mute") & (scores["query_seed"] == 1), "value"] = math.nan
    near, mute = verdicts(scores)
    assert (near.p_adjusted, near.asked) == (0.05, 1)
    assert mute.p is None
    assert not mute.closer
    assert mute.sentence == "mute: refused, for it lacks a score. Ask it again, or leave it out."
    scores.loc[scores["suspect"] == "pool3", "value"] = math.nan
    with pytest.raises(QurdError, match="pool3 lacks one: leave 1 out"):
        verdicts(scores)


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


def test_verdicts_print_the_stratum_of_a_trait():
    scores = table({"near": 0.1}, np.linspace(0.3, 1, 40).tolist()).assign(architecture=["vgg"] * 30 + ["res"] * 11)
    (found,) = verdicts(scores, trait="architecture")
    assert found.stratum.n == 10
    assert found.sentence.endswith("Insufficient: a 5 % verdict among models with res needs 19 of them. There are 10.")
    (other,) = verdicts(scores.assign(architecture="vgg"), trait="architecture")
    assert other.stratum.p.p == other.p.p


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: verdicts(t.drop(columns="lineage")), "Missing: lineage"),
        (lambda t: verdicts(t, trait="colour"), "Missing: colour"),
        (lambda t: verdicts(t.iloc[:0]), "Missing: rows"),
        (lambda t: verdicts(t[t["kind"] == "negative"]), "Expected suspects beside the pool"),
        (lambda t: verdicts(t[t["kind"] != "negative"]), "which are the pool"),
        (lambda t: verdicts(pd.concat([t, t.assign(budget=200)])), "one budget"),
        (lambda t: verdicts(pd.concat([t, t])), "Got two of AKH"),
        (lambda t: verdicts(t, level=5), "between 0 and 1"),
        (lambda _: stratum_pvalue(0.1, [0.1, 0.2], ["a"], "a"), "one trait per model"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(QurdError, match=message):
        call(table({"near": 0.1}, [0.5] * 20))
