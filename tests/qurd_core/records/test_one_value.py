"""One number, one value: the same quantity is printed alike whichever door it comes through."""

import pytest

from qurd_core.findings.language import words
from qurd_core.paper.facts import Facts
from qurd_core.records import evidence, measured_worth, rate_records
from qurd_core.statistics.printed import cell, fixed
from qurd_core.views import leaderboard, separability

AT = 100


@pytest.mark.parametrize(
    ("value", "places", "said"),
    [
        (28.849999999999998, 1, "28.9"),
        (28.85, 1, "28.9"),
        (28.850001, 1, "28.9"),
        (28.8499, 1, "28.8"),
        (-0.04, 1, "-0.0"),
        (0.5, 0, "1"),
        (2.5, 0, "3"),
        (float("nan"), 1, "nan"),
    ],
)
def test_halves_are_rounded_away_from_zero_whatever_the_last_binary_digit(value, places, said):
    assert fixed(value, places) == said


@pytest.mark.parametrize("benchmark", rate_records.EMBEDDED)
@pytest.mark.parametrize("task", ["all", "prune"])
@pytest.mark.slow
def test_a_rate_and_an_auc_are_one_text_on_every_page_in_commands_and_in_claims(benchmark, task):
    rows = rate_records.read(benchmark, task=task).query("budget == @AT and name.notna()").set_index("name")
    scores, pairs = evidence.Scores.read(benchmark), evidence.pairs(benchmark)
    again = evidence.rates(scores.only(rows["scheme"], AT), pairs).query("task == @task").set_index("scheme")
    every = leaderboard.by_task(benchmark, AT).query("task == @task").set_index("name")
    worth = measured_worth.HONEST.read(benchmark)
    worth = worth.query("budget == @AT and task == @task and rule == 'paper' and negatives == 'unrelated'")
    measured, facts = worth.set_index("label")["point"], Facts()
    assert len(rows) >= 8
    for name, row in rows.iterrows():
        found = separability.Distances.of_scheme(pairs, scores, row["scheme"], AT)
        (apart,) = separability.rows(found, negatives="unrelated", alpha=0.05, task=task)
        rates = {
            "records": row["tpr"],
            "a benchmark of one's own": again.loc[row["scheme"], "tpr"],
            "the card": every.loc[name, "tpr"],
            "the interval": measured.get(name, row["tpr"]),
            "claims": facts.tpr(benchmark, name, task, budget=AT),
            "separability": apart.rates.tpr,
        }
        assert len({words.precise(value) for value in rates.values()}) == 1, (name, rates)
        assert len({cell(float(value)) for value in rates.values()}) == 1, (name, rates)
        areas = {"records": row["auc"], "own": again.loc[row["scheme"], "auc"], "separability": apart.rates.auc}
        assert len({fixed(value, 3) for value in areas.values()}) == 1, (name, areas)
