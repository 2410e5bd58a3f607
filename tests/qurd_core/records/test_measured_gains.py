"""What other samplers bring, with intervals over models that hold for all swaps at once."""

import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.records import evidence, measured_gains, measured_worth, rate_records
from qurd_core.statistics.worth import side
from tests.score_tables import score_table

SKILLS = {"SAC": 1.0, "same": 1.0, "better": 6.0, "worse": -2.0} | {f"mix{number}": 1.0 for number in range(6)}


@pytest.fixture(scope="module")
def table():
    made = score_table(SKILLS, {"a": 8}, tasks=["prune"], per_task=6, seeds=2)
    made.loc[made["scheme"] == "same", "value"] = made.loc[made["scheme"] == "SAC", "value"].to_numpy()
    return made


def test_the_middle_is_the_difference_and_the_sides_follow(table):
    found = measured_gains.gains(table, {"SAC": ["same", "better", "worse"]}, "paper", draws=300).query("task == 'prune'")
    found = found.set_index("label")
    rates = measured_worth.worth(table, "paper", named=["SAC"], tasks=["prune"], draws=2).set_index("label")["point"]
    for label, row in found.iterrows():
        assert (row["low"] + row["high"]) / 2 == pytest.approx(rates[label] - rates["SAC"])
    assert {label: side(row["low"], row["high"]) for label, row in found.iterrows()} == {
        "same": "not distinguished",
        "better": "ahead",
        "worse": "behind",
    }


def test_who_looks_at_more_swaps_gets_wider_intervals(table):
    one = measured_gains.gains(table, {"SAC": ["mix0"]}, "paper", draws=300).iloc[0]
    many = measured_gains.gains(table, {"SAC": [f"mix{number}" for number in range(6)]}, "paper", draws=300).iloc[0]
    assert many["high"] - many["low"] > 1.1 * (one["high"] - one["low"])


def test_a_family_shares_representation_and_detector():
    found = measured_gains.families(rate_records.schemes())
    assert {"AKH", "Random"} <= {*found["IPGuard"], "AKH"}
    assert "accuracy" not in found
    heads = rate_records.schemes().set_index("scheme")["head"]
    ours = heads[rate_records.schemes().set_index("name").loc["SAC", "scheme"]]
    assert {heads[label] for label in found["SAC"] if label in heads} == {ours}


@pytest.mark.parametrize("benchmark", rate_records.SHIPPED)
def test_what_ships_holds_together(benchmark):
    table = measured_gains.GAINS.read(benchmark).query("rule == 'paper' and task == 'all'")
    assert set(table["negatives"]) == {"unrelated", "unrelated+hard"}
    for choice, rows in table.groupby("negatives", observed=True):
        summary = rate_records.read(benchmark, negatives=choice)
        keys = [summary["name"].fillna(summary["scheme"]), summary["budget"]]
        rates = summary.set_index(pd.MultiIndex.from_arrays(keys))["tpr"]
        swapped, own = (rates.reindex(zip(rows[key], rows["budget"], strict=True)).to_numpy() for key in ("label", "name"))
        np.testing.assert_allclose((rows["low"] + rows["high"]) / 2, swapped - own, atol=2e-3)
        assert (rows["low"] <= rows["high"]).all()


def test_the_scores_give_what_ships():
    names, scores = measured_worth.names_of("patchwork-sac"), evidence.Scores.read("patchwork-sac")
    found = measured_gains.families(rate_records.schemes())
    texts = scores.columns["scheme"].map(lambda scheme: names.get(scheme, scheme))
    some = scores.only(scores.columns["scheme"][texts.isin(["SAC", *found["SAC"]])], 100)
    table = measured_worth.score_table(some, evidence.pairs("patchwork-sac"), 100, names)
    again = measured_gains.gains(table, {"SAC": found["SAC"]}, "conformal").set_index(["label", "task"])
    shipped = measured_gains.GAINS.read("patchwork-sac").query("name == 'SAC' and budget == 100 and rule == 'conformal'")
    shipped = shipped[shipped["negatives"] == "unrelated"].astype({"label": object, "task": object})
    shipped = shipped.set_index(["label", "task"]).loc[again.index]
    np.testing.assert_allclose(again[["low", "high"]], shipped[["low", "high"]], atol=1e-3)


@pytest.mark.slow
def test_every_budget_rule_and_choice_of_negatives_is_measured():
    found = measured_worth.over_choices("patchwork-sac", lambda table, rule, negatives: pd.DataFrame({"rows": [len(table)]}))
    assert len(found.drop_duplicates(["budget", "rule", "negatives"])) == len(found) == len(rate_records.RAW_BUDGETS) * 2 * 2
    assert (found["rows"] > 0).all()


def test_nothing_measured_and_a_damaged_file(tmp_path):
    assert measured_gains.GAINS.read("patchwork-sac", tmp_path).empty
    measured_gains.GAINS.path_of("patchwork-sac", tmp_path).write_bytes(b"PAR1")
    with pytest.raises(QurdError, match="python -m qurd_core honest --benchmark patchwork-sac"):
        measured_gains.GAINS.read("patchwork-sac", tmp_path)
    table = measured_gains.GAINS.read("patchwork-reuse").head(9)
    written = measured_gains.GAINS.write(table, tmp_path / "some.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(written)[["low"]], table[["low"]])
