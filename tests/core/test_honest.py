"""What rates are worth: the shipped intervals, and that the raw scores give them."""

import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.evaluation import honest, records
from qurd_core.plots import honest as said


@pytest.mark.parametrize("benchmark", records.SHIPPED)
def test_what_ships_holds_together(benchmark):
    table = honest.read(benchmark)
    assert set(table["rule"]) == set(honest.RULES)
    assert set(table["budget"]) <= set(honest.BUDGETS)
    known = table.dropna(subset=["low"])
    assert (known["low"] <= known["point"] + 1e-3).all()
    assert (known["point"] <= known["high"] + 1e-3).all()
    ranked = table.dropna(subset=["rank_low"])
    assert (ranked["rank_low"] >= 1).all()
    assert (ranked["rank_low"] <= ranked["rank_high"]).all()
    assert set(table["verdict"].dropna()) <= {"beats", "trails", "on par", "not distinguished"}
    assert table.loc[table["label"] == honest.REFERENCE, "verdict"].isna().all()
    summary = records.read(benchmark).set_index(["name", "budget"])["tpr"]
    paper = table[(table["rule"] == "paper") & (table["task"] == "all")].dropna(subset=["point"])
    for row in paper.itertuples():
        assert row.point == pytest.approx(summary[row.label, row.budget], abs=2e-3)


def test_transfer_is_refused_at_ten_unrelated_models():
    table = honest.read("published-cifar10").query("task == 'transfer' and rule == 'conformal'")
    assert table["point"].isna().all()
    assert table["method"].str.contains("refused").all()


def test_held_out_kinds_of_models_cost_more_than_promised():
    """AKH accuses about a quarter of the models of a pre-trained network that it was not calibrated on."""
    for benchmark, expected in (("published-flower102", 0.248), ("published-sdog120", 0.233)):
        table = honest.read(benchmark).query("label == 'AKH' and task == 'all' and rule == 'paper' and budget == 100")
        assert table["audit"].iloc[0] == pytest.approx(expected, abs=0.02)
        assert table["nominal"].iloc[0] < 0.1


def test_the_scores_give_what_ships(monkeypatch):
    monkeypatch.setattr(honest, "BUDGETS", (100,))
    monkeypatch.setattr(honest, "RULES", ("conformal",))
    table = honest.measure("patchwork-reuse")
    shipped = honest.read("patchwork-reuse").query("budget == 100 and rule == 'conformal'").reset_index(drop=True)
    assert (
        table[["label", "task", "verdict"]].equals(shipped[["label", "task", "verdict"]].astype(object))
        or (table[["label", "task"]].to_numpy() == shipped[["label", "task"]].to_numpy()).all()
    )
    for column in ("point", "low", "high", "rank_low", "rank_high", "diff", "audit"):
        np.testing.assert_allclose(table[column].astype(float), shipped[column].astype(float), atol=1e-3)


def test_a_damaged_file_gets_a_sentence_and_a_missing_one_gives_nothing(tmp_path):
    assert honest.read("patchwork-sac", tmp_path).empty
    honest.path_of("patchwork-sac", tmp_path).write_bytes(b"PAR1")
    with pytest.raises(QurdError, match="honest --benchmark patchwork-sac"):
        honest.read("patchwork-sac", tmp_path)


def row(**more):
    known = {"low": 0.84, "high": 0.92, "rank_low": 1.0, "rank_high": 2.0, "diff": -0.1, "diff_low": -0.2, "diff_high": 0.0}
    known |= {"p": 0.5, "needed": 12.0, "verdict": "not distinguished", "notes": None, "lineages": 3, "audit": 0.24}
    return pd.Series(known | more)


def test_a_row_in_words():
    assert said.interval(row()) == "84 to 92 %"
    assert said.interval(row(low=np.nan)) == ""
    assert said.rank(row()) == "rank 1 to 2"
    assert said.rank(row(rank_high=1.0)) == "rank 1"
    assert said.short("not distinguished") == "undecided"
    assert "Ten points would be found with 12 independent victims." in said.verdict(row())


def test_who_could_be_the_best():
    table = pd.DataFrame([row(), row(rank_high=3.0, audit=0.5)], index=["AKH", "SAC"])
    assert "AKH and SAC may be the best" in said.basis(table)
    assert "held out SAC accuses 50%" in said.basis(table)
    assert "AKH is the best in 95 % of the draws" in said.basis(table.head(1).assign(rank_high=1.0))
