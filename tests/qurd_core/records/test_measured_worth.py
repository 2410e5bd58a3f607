"""What rates are worth: the shipped intervals, that the raw scores give them, and how they are put into words."""

import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.findings.language import worth_words
from qurd_core.records import evidence, measured_worth, rate_records
from qurd_core.schemes import REFERENCE
from qurd_core.statistics import node_bootstrap, simultaneous
from qurd_core.statistics.worth import COLUMNS, side, worth
from tests.score_tables import score_table

VERDICTS = {"beats", "trails", "on par", "ahead", "behind", "not distinguished"}


@pytest.mark.parametrize("benchmark", rate_records.SHIPPED)
def test_what_ships_holds_together(benchmark):
    table = measured_worth.HONEST.read(benchmark)
    assert set(table["rule"]) == set(measured_worth.KINDS)
    assert set(table["budget"]) <= set(rate_records.RAW_BUDGETS)
    known = table.dropna(subset=["low"])
    assert (known["low"] <= known["point"] + 1e-3).all()
    assert (known["point"] <= known["high"] + 1e-3).all()
    ranked = table.dropna(subset=["rank_low"])
    assert (ranked["rank_low"] >= 1).all()
    assert (ranked["rank_low"] <= ranked["rank_high"]).all()
    assert set(table["verdict"].dropna()) <= VERDICTS
    assert table.loc[table["label"] == REFERENCE, "verdict"].isna().all()
    tested = table["p"].notna()
    assert not table.loc[~tested, "verdict"].isin(["beats", "trails", "on par"]).any(), "an unnamed one was never tested"
    for choice, rows in table.groupby("negatives", observed=True):
        summary = rate_records.read(benchmark, negatives=choice)
        label = summary["name"].fillna(summary["scheme"])
        expected = summary.set_index([label.rename("label"), "budget"])["tpr"]
        paper = rows[(rows["rule"] == "paper") & (rows["task"] == "all")].dropna(subset=["point"])
        found = expected.reindex(pd.MultiIndex.from_frame(paper[["label", "budget"]].astype({"label": object})))
        np.testing.assert_allclose(paper["point"], found.to_numpy(), atol=2e-3)


def test_transfer_is_refused_at_ten_unrelated_models():
    table = measured_worth.HONEST.read("published-cifar10").query("task == 'transfer' and rule == 'conformal'")
    assert table["point"].isna().all()
    assert table["method"].astype(str).str.contains("refused").all()


def test_held_out_kinds_of_models_cost_more_than_promised():
    """AKH accuses about a quarter of the models of a pre-trained network that it was not calibrated on."""
    for benchmark, expected in (("published-flower102", 0.248), ("published-sdog120", 0.233)):
        table = measured_worth.HONEST.read(benchmark)
        table = table.query("label == 'AKH' and task == 'all' and rule == 'paper' and budget == 100")
        assert table["audit"].iloc[0] == pytest.approx(expected, abs=0.02)
        assert table["nominal"].iloc[0] < 0.1


@pytest.mark.slow
def test_the_scores_give_what_ships():
    names = measured_worth.names_of("patchwork-reuse")
    pairs, scores = evidence.pairs("patchwork-reuse"), evidence.Scores.read("patchwork-reuse").only(names, 100)
    shipped = measured_worth.HONEST.read("patchwork-reuse").query("budget == 100 and rule == 'conformal'")
    for negatives in ("unrelated", "unrelated+hard"):
        table = measured_worth.score_table(scores, pairs, 100, names)
        tried = measured_worth.hypotheses(names.values())
        found = worth(table, "conformal", negatives, named=tried).set_index(["label", "task"])
        there = shipped[shipped["negatives"] == negatives].astype({"label": object, "task": object})
        there = there.set_index(["label", "task"]).loc[[key for key in found.index if key[0] in tried]]
        found = found.loc[there.index]
        verdicts = [rows["verdict"].astype(object).fillna("none").tolist() for rows in (there, found)]
        assert verdicts[0] == verdicts[1]
        for column in ("point", "low", "high", "rank_low", "rank_high", "diff", "diff_low", "p"):
            np.testing.assert_allclose(found[column].astype(float), there[column].astype(float), atol=1e-3)


@pytest.mark.slow
def test_a_bench_of_ones_own_gets_intervals_at_once():
    """A part of the pairs, which gives what the whole gives when the part is the whole."""
    scores = evidence.Scores.read("patchwork-sac")
    found = measured_worth.of_part("patchwork-sac", scores, 100, "conformal", "unrelated")
    found = found[found["task"] == "all"].set_index("label")
    shipped = measured_worth.HONEST.read("patchwork-sac").query("budget == 100 and rule == 'conformal' and task == 'all'")
    shipped = shipped[shipped["negatives"] == "unrelated"].astype({"label": object}).set_index("label")
    assert set(COLUMNS) - {"label"} <= set(found)
    assert set(found.index) <= set(shipped.index) | {"accuracy"}
    np.testing.assert_allclose(found.loc["SAC", "point"], shipped.loc["SAC", "point"], atol=1e-3)
    np.testing.assert_allclose(found.loc["SAC", "low"], shipped.loc["SAC", "low"], atol=1e-3)
    assert measured_worth.of_part("patchwork-sac", scores, 7, "conformal", "unrelated").empty


def test_what_was_looked_through_has_no_p_value_and_a_wider_interval():
    """Of two equal schemes the named one is tested; the other was found by looking, and its interval allows for that."""
    skills = {"AKH": 2.0, "SAC": 1.0, "mix": 1.0} | {f"mix{number}": 1.0 for number in range(6)}
    table = score_table(skills, {"a": 8}, tasks=["prune"], per_task=6, seeds=2)
    table.loc[table["scheme"] == "mix", "value"] = table.loc[table["scheme"] == "SAC", "value"].to_numpy()
    found = worth(table, "paper", named=["AKH", "SAC"], tasks=["prune"], draws=300).set_index("label")
    named, mix = found.loc["SAC"], found.loc["mix"]
    assert named["verdict"] == "trails"
    assert named["p"] == pytest.approx(2 / 2**8)
    assert np.isnan(mix["p"])
    assert mix["verdict"] in ("behind", "not distinguished")
    assert mix["diff"] == pytest.approx(named["diff"])
    assert mix["diff_high"] - mix["diff_low"] > named["diff_high"] - named["diff_low"]


def test_few_victims_allow_intervals_but_no_test():
    table = score_table({"AKH": 3.0, "SAC": 0.5}, {"a": 3}, tasks=["prune"], per_task=6, seeds=2)
    row = worth(table, "paper", named=["AKH", "SAC"], tasks=["prune"], draws=300).set_index("label").loc["SAC"]
    assert row["p"] == pytest.approx(2 / 2**3)
    assert row["verdict"] == "behind"


def test_intervals_that_hold_together():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(20, 4000))
    draws = {f"n{row}": np.concatenate([[0.0], (1 + row) * values]) for row, values in enumerate(noise)}
    found = simultaneous(draws)
    # 20 independent normal numbers: each is inside with .95^(1/20), that is 3.02 standard deviations to either side.
    for row, (low, high) in enumerate(found.values()):
        assert high == pytest.approx((1 + row) * 3.02, rel=0.06)
        assert low == pytest.approx(-high)
    assert simultaneous({"one": np.r_[0.0, rng.normal(size=4000)]})["one"][1] == pytest.approx(1.96, rel=0.05)


def test_intervals_of_what_does_not_vary_or_is_not_known():
    still, unknown = np.full(5, 0.3), np.array([np.nan, 1.0, 2.0, 3.0, 4.0])
    assert simultaneous({"still": still})["still"] == (0.3, 0.3)
    assert np.isnan(simultaneous({"still": still, "unknown": unknown})["unknown"]).all()
    assert np.isnan(simultaneous({"refused": np.array([0.3, np.nan, np.nan])})["refused"]).all()
    assert simultaneous({}) == {}


def test_only_the_wanted_tasks_are_drawn():
    table = score_table({"AKH": 2.0}, {"a": 2}, seeds=2)
    some, every = (node_bootstrap(table, draws=50, tasks=tasks) for tasks in (["prune"], None))
    assert set(some.victims["task"]) == {"prune"}
    np.testing.assert_array_equal(some.draws("AKH", "prune"), every.draws("AKH", "prune"))


def test_a_damaged_file_gets_a_sentence_and_a_missing_one_gives_nothing(tmp_path):
    assert measured_worth.HONEST.read("patchwork-sac", tmp_path).empty
    measured_worth.HONEST.path_of("patchwork-sac", tmp_path).write_bytes(b"PAR1")
    with pytest.raises(QurdError, match="honest --benchmark patchwork-sac"):
        measured_worth.HONEST.read("patchwork-sac", tmp_path)


def row(**more):
    known = {"low": 0.84, "high": 0.92, "rank_low": 1.0, "rank_high": 2.0, "diff": -0.1, "diff_low": -0.2, "diff_high": 0.0}
    known |= {"p": 0.5, "needed": 12.0, "verdict": "not distinguished", "notes": None, "lineages": 3, "audit": 0.24}
    return pd.Series(known | more)


def test_a_row_in_words():
    assert worth_words.interval(0.84, 0.92) == "84 to 92 %"
    assert worth_words.interval(np.nan, np.nan) == worth_words.hovered(np.nan, np.nan) == ""
    assert worth_words.rank(row()) == "rank 1 to 2"
    assert worth_words.rank(row(rank_high=1.0)) == "rank 1"
    assert worth_words.short("not distinguished") == "undecided"
    assert "Ten points would be found with 12 independent victims." in worth_words.verdict(row())
    assert worth_words.verdict(row(p=np.nan, verdict="behind")).startswith(
        "is behind AKH: −10.0 points, 95 % interval −20.0"
    )
    assert "simultaneous for all unpublished combinations" in worth_words.verdict(row(p=np.nan))


def test_an_interval_without_width_is_silent_on_other_models():
    assert side(-1.0, -1.0) == side(0.3, 0.3) == "not distinguished"
    assert (side(0.1, 0.2), side(-0.2, -0.1), side(-0.1, 0.1)) == ("ahead", "behind", "not distinguished")
    flat = row(p=np.nan, verdict="not distinguished", diff=-1.0, diff_low=-1.0, diff_high=-1.0)
    assert worth_words.verdict(flat).endswith(
        "AKH: −100.0 points, the same in every bootstrap resample, so there is no interval."
    )


@pytest.mark.parametrize("benchmark", rate_records.SHIPPED)
def test_no_shipped_verdict_rests_on_an_interval_without_width(benchmark):
    table = measured_worth.HONEST.read(benchmark)
    flat = table[table["diff_low"] == table["diff_high"]]
    assert not flat["verdict"].isin(["ahead", "behind"]).any()


def test_what_verdicts_rest_on():
    assert worth_words.tests(measured_worth.UNKNOWN) == "comparisons: spread over query seeds only"
    few, enough, one = (pd.DataFrame([row(lineages=number)]) for number in (3, 8, 1))
    assert worth_words.tests(few) == ("comparisons: bootstrap over models, 3 independent victims (an exact test needs 6)")
    assert worth_words.tests(enough) == "comparisons: exact tests, 8 independent victims"
    assert "one victim" in worth_words.tests(one)
    seven = pd.DataFrame([row(lineages=7)] * 6)
    assert worth_words.tests(seven) == "comparisons: bootstrap over models, 7 independent victims (6 exact tests need 8)"


def test_who_could_be_the_best():
    table = pd.DataFrame([row(), row(rank_high=3.0, audit=0.5)], index=["AKH", "SAC"])
    assert "AKH and SAC may rank first" in worth_words.basis(table)
    assert "held out: SAC 50%" in worth_words.basis(table)
    assert "AKH ranks first in 95 % of bootstrap resamples" in worth_words.basis(table.head(1).assign(rank_high=1.0))


def test_a_scheme_without_queries_to_some_victim_has_no_rate():
    """As in the records, where its cell is empty: a mean over the other victims would be one of another benchmark."""
    columns = pd.DataFrame({"scheme": ["a", "b"], "budget": 10, "query_seed": 0})
    rows = [(v, s, kind, ("same",), s) for v in "vw" for s, kind in ((v, "positive"), ("u", "negative"))]
    pairs = pd.DataFrame(rows, columns=["victim", "suspect", "kind", "tasks", "root"])
    values = {"v": np.array([[0.0, 0.0], [0.5, 0.5]]), "w": np.array([[0.0, np.nan], [0.5, np.nan]])}
    scores = evidence.Scores(columns, {victim: [victim, "u"] for victim in "vw"}, values)
    table = measured_worth.score_table(scores, pairs, 10, {})
    assert set(table["scheme"]) == {"a"}
    assert set(table["victim"]) == {"v", "w"}
