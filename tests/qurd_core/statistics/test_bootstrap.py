"""The node bootstrap against copies instead of weights, and reports against the rates of the leaderboard."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from qurd_core.errors import QurdError
from qurd_core.statistics import allowed_below, metrics, node_bootstrap, tpr_report
from tests.benchmarks.coverage import WORLDS, coverage
from tests.score_tables import cells, score_table

SKILLS = {"good": 2.5, "weak": 1.0}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return score_table(SKILLS, {"one": 3, "two": 4}, levels=40)


def report(table: pd.DataFrame, scheme: str, task: str, **options):
    return next(found for found in tpr_report(table, draws=200, **options) if (found.scheme, found.task) == (scheme, task))


@pytest.mark.parametrize(("rule", "column"), [("paper", "tpr"), ("conformal", "tpr_conformal")])
@pytest.mark.parametrize("levels", [None, 20])
def test_without_weights_the_rates_are_those_of_the_leaderboard(rule, column, levels):
    scores = score_table(SKILLS, {"one": 3, "two": 1}, levels=levels)
    boot = node_bootstrap(scores, rule=rule, draws=2)
    rows = metrics.aggregate(cells(scores))
    assert len(rows) == 2 * 2 * 3
    for row in rows.itertuples():
        assert boot.by_dataset(row.scheme, row.task)[row.benchmark][0] == pytest.approx(getattr(row, column))


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "place"), [("paper", 0), ("conformal", 1)])
def test_weights_are_as_good_as_copies(table, rule, place):
    boot = node_bootstrap(table, rule=rule, draws=4)
    for (scheme, benchmark, task), found in boot.rates.items():
        rows = table[(table["scheme"] == scheme) & (table["benchmark"] == benchmark)]
        for column in range(1, 5):
            times = {name: weights[column] for (of, name), weights in boot.lineage_weights.items() if of == benchmark}
            expected = [copied(rows[rows["query_seed"] == seed], task, times)[place] for seed in range(3)]
            np.testing.assert_allclose(found[:, column], expected)


def copied(rows: pd.DataFrame, task: str, times: dict[str, float]) -> tuple[float, float]:
    """Rates by both rules, with every unrelated model copied six times as often as its lineage counts: victims count V/(V-1)
    times, which is no whole number. Task "all" by the paper's count, lineages by their closest model for the guarantee.
    """
    found, weights = [], []
    for victim, group in rows.groupby("victim"):
        serves = group["tasks"].map(lambda tasks: task == "all" or task in tasks)
        stolen = group.loc[serves & (group["kind"] == "positive"), "value"].to_numpy()
        unrelated = group[serves & (group["kind"] == "negative")]
        closest = unrelated.sort_values("value").drop_duplicates("lineage")
        counts = unrelated["tasks"].map(len) if task == "all" else 1
        found.append(
            [
                caught(unrelated["value"], unrelated["lineage"].map(times) * counts, stolen, "paper"),
                caught(closest["value"], closest["lineage"].map(times), stolen, "conformal"),
            ]
        )
        weights.append(times[victim])
    found, weights = np.array(found), np.array(weights)[:, None] * ~np.isnan(found)
    return tuple((np.nan_to_num(found) * weights).sum(axis=0) / weights.sum(axis=0))


def caught(values: pd.Series, counts: pd.Series, stolen: np.ndarray, rule: str) -> float:
    copies = np.sort(np.repeat(values.to_numpy(), (6 * counts).round().astype(int)))
    allowed = allowed_below(round(counts.sum()), kind=rule)
    return np.nan if allowed is None else (stolen < copies[6 * allowed]).mean()


def test_draws_depend_on_names_and_not_on_order_or_company(table):
    boot = node_bootstrap(table, draws=50)
    shuffled = node_bootstrap(table.sample(frac=1, random_state=0), draws=50)
    alone = node_bootstrap(table[(table["scheme"] == "weak") & (table["benchmark"] == "two")], draws=50)
    for cell, rates in boot.rates.items():
        np.testing.assert_allclose(rates, shuffled.rates[cell])
    np.testing.assert_allclose(alone.rates["weak", "two", "prune"], boot.rates["weak", "two", "prune"])
    other = node_bootstrap(table, draws=50, seed=1)
    assert (other.draws("weak", "prune") != boot.draws("weak", "prune")).any()


def test_every_draw_has_as_many_lineages_as_there_are(table):
    boot = node_bootstrap(table, draws=30)
    for benchmark, victims in (("one", 3), ("two", 4)):
        drawn = {name: weights for (of, name), weights in boot.lineage_weights.items() if of == benchmark}
        assert len(drawn) == victims + 20
        of_victims = np.array([weights for name, weights in drawn.items() if "victim" in name])
        np.testing.assert_allclose(of_victims.sum(axis=0), victims)
        assert (of_victims[:, 1:] * (victims - 1) / victims % 1 < 1e-9).all()  # one victim fewer is drawn
        assert (sum(weights for name, weights in drawn.items() if "stranger" in name) == 20).all()
    assert (boot.seed_weights[0, 1, 2].sum(axis=0) == 3).all()


def test_a_scheme_may_have_more_query_seeds_than_another():
    many, few = score_table({"many": 1.0}, {"one": 3}, seeds=6), score_table({"few": 1.0}, {"one": 3}, seeds=2)
    boot = node_bootstrap(pd.concat([many, few]), draws=50)
    for scheme, table in (("many", many), ("few", few)):
        np.testing.assert_array_equal(boot.draws(scheme, "prune"), node_bootstrap(table, draws=50).draws(scheme, "prune"))


def test_equal_schemes_have_equal_draws(table):
    twin = table[table["scheme"] == "weak"].assign(scheme="twin")
    boot = node_bootstrap(pd.concat([table, twin]), draws=100)
    np.testing.assert_array_equal(boot.draws("weak", "prune"), boot.draws("twin", "prune"))
    assert boot.draws("weak", "prune").std() > 0.01


@pytest.mark.slow
def test_the_interval_holds_the_rate_of_other_models_about_as_often_as_it_says():
    options = {"tasks": ["prune"], "strangers": 30, "seeds": 2}
    truth = report(score_table({"weak": 1.5}, {"one": 60}, rng=99, **options), "weak", "prune", rule="paper").point
    inside = []
    for rng in range(40):
        found = report(score_table({"weak": 1.5}, {"one": 10}, rng=rng, **options), "weak", "prune", rule="paper")
        inside.append(found.ci[0] <= truth <= found.ci[1])
    assert np.mean(inside) > 0.8


def test_a_report_says_what_it_rests_on(table):
    found = report(table, "weak", "prune")
    assert (found.n_victims, found.n_victim_lineages, found.n_positives) == (7, 7, 14)
    assert (found.n_negatives, found.n_lineages) == (20 + 2 * 4, 20 + 2)
    assert found.coverage == "covers 2 of 2 data sets"
    assert found.mean_fpr == pytest.approx(1 / 23)  # of the lineages
    assert found.fpr_upper95 == pytest.approx(1 - 0.05 ** (1 / 22))
    assert "(28 unrelated models, 22 lineages)" in found.sentence
    assert "on average and at most" in found.sentence
    assert "200 draws" in found.method
    assert set(found.by_dataset) == {"one", "two"}
    assert found.point == pytest.approx(np.mean(list(found.by_dataset.values())))


def test_where_everything_is_caught_the_interval_is_made_as_everywhere_and_not_wider():
    sure = report(score_table({"sure": 30.0}, {"one": 8}), "sure", "prune")
    assert sure.point == sure.ci[1] == 1
    assert 0.8 < sure.ci[0] < 1
    nothing = report(score_table({"none": -30.0}, {"one": 8}), "none", "prune")
    assert nothing.point == nothing.ci[0] == 0
    assert 0 < nothing.ci[1] < 0.2
    nearly = report(score_table({"nearly": 4.0}, {"one": 8}), "nearly", "prune")
    assert 0.85 < nearly.point < 1
    assert sure.method == nothing.method == nearly.method
    assert sure.ci[1] - sure.ci[0] < nearly.ci[1] - nearly.ci[0]
    one = report(score_table({"sure": 30.0}, {"one": 1}), "sure", "prune")
    assert one.ci[0] < sure.ci[0]  # from two stolen models, not from sixteen
    assert any("one independent victim" in note for note in one.notes)


def test_intervals_narrow_along_a_curve_that_rises_to_one():
    curve = [report(score_table({"s": skill}, {"one": 3}, per_task=8), "s", "prune") for skill in (2.0, 3.0, 4.0, 6.0, 30.0)]
    assert [found.point for found in curve] == sorted(found.point for found in curve)
    widths = [found.ci[1] - found.ci[0] for found in curve]
    assert widths == sorted(widths, reverse=True)
    assert all(found.ci[0] <= found.point <= found.ci[1] for found in curve)


def test_of_one_victim_stolen_models_are_drawn():
    scores = score_table({"fair": 1.5}, {"one": 1}, per_task=20, seeds=2)
    found = report(scores, "fair", "prune")
    assert found.ci[0] < found.point < found.ci[1]
    assert any("stolen models are drawn" in sentence for sentence in found.assumptions)
    single = report(scores[scores["query_seed"] == 0], "fair", "prune")
    exact = binomtest(round(20 * single.point), 20).proportion_ci()
    assert exact.high - exact.low < 2 * (single.ci[1] - single.ci[0])  # and that of the threshold is in it, too
    assert single.method == found.method


def test_victims_of_one_lineage_are_one_victim(table):
    merged = table.assign(victim_lineage=np.where(table["benchmark"] == "one", "root", table["victim"]))
    found = report(merged, "weak", "prune")
    assert (found.n_victims, found.n_victim_lineages) == (7, 5)


def test_too_few_unrelated_models_are_refused_and_said_so():
    found = report(score_table(SKILLS, {"one": 1}, strangers=10), "good", "prune")
    assert math.isnan(found.point)
    assert math.isnan(found.ci[0])
    assert "There are 10" in found.refused_reason
    assert found.sentence == found.refused_reason
    assert report(score_table(SKILLS, {"one": 1}, strangers=10), "good", "prune", rule="paper").point > 0


def test_the_share_of_refused_draws_is_told():
    found = report(score_table({"weak": 2.5}, {"one": 4}, tasks=["prune"], strangers=16), "weak", "prune")
    assert found.refused_reason is None
    assert 0.05 < found.refusals < 0.8
    assert any("the rule is refused" in note for note in found.notes)


def test_a_data_set_that_a_scheme_lacks_is_missing_and_not_zero(table):
    partial = table[(table["scheme"] != "weak") | (table["benchmark"] != "two")]
    found = report(partial, "weak", "prune")
    assert found.coverage == "covers 1 of 2 data sets"
    assert "weak covers 1 of 2 data sets: it has no scores on two." in found.notes
    assert math.isnan(found.by_dataset["two"])
    assert found.point == found.by_dataset["one"]
    assert found.n_victims == 3


def test_missing_scores_are_left_out_and_counted(table):
    holes = table.copy()
    hole = (holes["suspect"] == "one-stranger0") & (holes["query_seed"] == 1) & (holes["scheme"] == "weak")
    holes.loc[hole, "value"] = np.nan
    found = report(holes, "weak", "prune")
    assert any(note.startswith("9 of ") for note in found.notes)  # three victims, all three query seeds of the model
    gone = table[(table["suspect"] != "one-stranger0") | (table["scheme"] != "weak")]
    assert found.point == report(gone, "weak", "prune").point


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="lineage"), "Missing: lineage"),
        (lambda table: table.iloc[:0], "Missing: rows"),
        (lambda table: pd.concat([table, table.assign(budget=50)]), "the budgets 50, 100: choose one"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "Got two of good for one-victim0"),
        (lambda table: table.assign(lineage=table["suspect"]), "add the column victim_lineage"),
        (
            lambda table: table[(table["kind"] != "positive") | (table["victim"] != "one-victim0")],
            "Got none for one-victim0",
        ),
    ],
)
def test_errors_say_what_was_expected(table, change, message):
    with pytest.raises(QurdError, match=message):
        node_bootstrap(change(table), draws=5)


def test_options_are_checked(table):
    with pytest.raises(QurdError, match="at least one draw"):
        node_bootstrap(table, draws=0)
    with pytest.raises(QurdError, match="'level' between 0 and 1"):
        tpr_report(table, level=95)
    with pytest.raises(QurdError, match="task nothing"):
        node_bootstrap(table, draws=5).draws("good", "nothing")


@pytest.mark.slow
@pytest.mark.parametrize("victims", [3, 8])
def test_intervals_hold_the_rate_of_other_models_about_as_often_as_they_say(victims):
    """With few worlds, for time's sake; tests/benchmarks/coverage.py has the figures."""
    assert 0.88 <= np.mean([coverage(victims, WORLDS[number], 40, draws=200) for number in (1, 3)]) <= 1
