"""Every distance of a run as a score table, and what a run's rates are worth."""

import json

import pytest

from qurd_core.evaluation.pipeline import evaluate, request
from qurd_core.evaluation.scores import score_table, worth_of
from qurd_core.evaluation.workbench import workbench
from qurd_core.runtime import Runtime
from qurd_core.statistics import compare, tpr_report
from qurd_core.statistics.sides import SCORES
from qurd_core.store import Store
from tests.toy import VICTIMS

ASKED = {"budgets": [10, 40], "seeds": 3}


@pytest.fixture
def store(tmp_path):
    workbench.cache_clear()
    yield Store(tmp_path)
    workbench.cache_clear()


def test_the_scores_give_the_rates_of_the_run(store):
    table = score_table("toy", ["AKH", "Random"], **ASKED, store=store, runtime=Runtime())
    assert set(SCORES) - {"used"} <= set(table)
    assert set(table["kind"]) >= {"positive", "negative"}
    rates = evaluate("toy", ["AKH", "Random"], **ASKED, store=store, runtime=Runtime(), by_task=True)
    for budget in ASKED["budgets"]:
        for found in tpr_report(table[table["budget"] == budget], rule="paper", draws=5):
            row = rates[(rates["scheme"] == found.scheme) & (rates["task"] == found.task) & (rates["budget"] == budget)]
            assert found.point == pytest.approx(row["tpr"].iloc[0], abs=1e-9)
    (both,) = compare(table[table["budget"] == 10], "AKH", "Random", tasks=["all"], draws=5)
    assert both.matched_on.startswith("toy: 2 victims")


def test_what_a_run_is_worth_follows_its_request(store):
    asked = request("toy", ["AKH", "Random"], **ASKED)
    score_table("toy", ["AKH", "Random"], **ASKED, store=store, runtime=Runtime())
    pooled, by_task = (worth_of(asked, store, Runtime(), by_task=which) for which in (False, True))
    assert pooled["budget"].tolist() == [10, 10, 40, 40]
    assert set(pooled["task"]) == {"all"}
    assert set(by_task["task"]) == {"all", *asked.tasks}
    rates = evaluate("toy", ["AKH", "Random"], **ASKED, store=store, runtime=Runtime()).set_index(["scheme", "budget"])
    for row in pooled.itertuples():
        assert row.point == pytest.approx(rates.loc[(row.label, row.budget), "tpr_conformal"], abs=1e-9)
        assert row.low <= row.point <= row.high
        assert row.lineages == len(VICTIMS)


def test_the_command_line_says_what_rates_are_worth(qurd):
    usual = ["-s", "AKH", "-s", "Random", "--seeds", "2", "--budget", "20", "--device", "cpu", "--workers", "1"]
    code, out, _ = qurd("run", "-b", "toy", *usual, "--honest", "--json")
    rows = {row["scheme"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["AKH"]["verdict"] is None
    assert rows["Random"]["verdict"] in ("ahead", "behind", "on par", "not distinguished")
    assert rows["AKH"]["lineages"] == 2
    code, out, _ = qurd("run", "-b", "toy", *usual, "--honest")
    assert "verdict" in " ".join(out.split())
