"""The best of many schemes without the winner's curse."""

import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.records import evidence, rate_records
from qurd_core.records.measured_winners import (
    WINNERS,
    best_of,
    halves,
    levels_of,
    lineages_of,
    measured,
    recorded,
)
from qurd_core.records.scheme_table import LEVELS, allowed, unnamed

NOISE = [f"noise{number:02}" for number in range(60)]
LEVEL = dict.fromkeys(NOISE, 0)
VICTIMS = {f"v{number}": f"root{number}" for number in range(8)}


def cells(rates: dict[str, np.ndarray]) -> pd.DataFrame:
    """Two query seeds around every rate (V,), whose mean it is."""
    rows = [
        {"scheme": scheme, "victim": victim, "query_seed": seed, "tpr": rate + shift, "tpr_conformal": 0.5, "auc": 0.5}
        for scheme, per_victim in rates.items()
        for victim, rate in zip(VICTIMS, per_victim, strict=True)
        for seed, shift in enumerate((-0.01, 0.01))
    ]
    return pd.DataFrame(rows)


def drawn(seed: int) -> dict[str, np.ndarray]:
    """Rates that say nothing of a scheme: the same chance for all, on every victim."""
    draw = np.random.default_rng(seed)
    return {scheme: draw.uniform(0.3, 0.7, len(VICTIMS)) for scheme in NOISE} | {"AKH": np.full(len(VICTIMS), 0.6)}


@pytest.fixture
def noise():
    return drawn(0)


def test_the_best_of_noise_is_no_better_than_the_rest():
    tables = [drawn(seed) for seed in range(40)]
    found = [best_of(cells(table), VICTIMS, LEVEL, "AKH") for table in tables]
    naive = np.mean([max(table[scheme].mean() for scheme in NOISE) for table in tables])
    assert naive > 0.58
    assert np.mean([one.chosen for one in found]) > naive
    assert np.mean([one.reported for one in found]) == pytest.approx(0.5, abs=0.02)
    assert {(one.among, one.halves) for one in found} == {(60, (4, 4))}
    assert found[0].reference == pytest.approx(0.6)


def test_a_true_winner_stays(noise):
    found = best_of(cells(noise | {"truth": np.linspace(0.9, 0.97, 8)}), VICTIMS, LEVEL | {"truth": 0}, "AKH")
    assert found.winners == ("truth", "truth")
    assert found.reported == pytest.approx(np.linspace(0.9, 0.97, 8).mean())


def test_both_numbers_by_hand():
    """Each half prefers a scheme of its own, and reports what the other half's choice is worth there."""
    first, second = np.tile([0.9, 0.1], 4), np.tile([0.3, 0.8], 4)
    found = best_of(cells({"a": first, "b": second, "AKH": np.tile([0.2, 0.4], 4)}), VICTIMS, {"a": 0, "b": 0}, "AKH")
    assert found.winners == ("a", "b")
    assert (found.chosen, found.reported, found.reference) == pytest.approx((0.85, 0.2, 0.3))


def test_equal_rates_are_ranked_by_auc(noise):
    table = cells(dict.fromkeys(["a", "b", "AKH"], np.full(8, 0.5)))
    table.loc[table["scheme"] == "b", "auc"] = 0.6
    assert best_of(table, VICTIMS, {"a": 0, "b": 0}, "AKH").winners == ("b", "b")


def test_victims_of_one_lineage_stay_together():
    lineages = dict(zip("abcdef", ["x", "x", "y", "y", "z", "x"], strict=True))
    assert halves([*"abcdef"], lineages) == ([*"abef"], [*"cd"])


def test_of_equals_the_one_that_needs_less_access_is_chosen_and_a_tie_is_no_disagreement():
    """`a` is the first by its text, `b` needs less, and `best` as good as both on one half, and better on the other."""
    first = np.tile([0.5, 0.1], 4)
    table = cells({"a": first, "b": first, "best": np.tile([0.5, 0.2], 4), "AKH": first})
    found = best_of(table, VICTIMS, {"best": 2, "a": 1, "b": 0}, "AKH")
    assert found.winners == ("b", "best")
    assert found.agree == (True, True)
    assert best_of(table, VICTIMS, {"a": 1, "best": 2, "b": 0}, "AKH").agree == (True, False)
    table.loc[table["scheme"] == "b", "auc"] = 0.6
    assert best_of(table, VICTIMS, {"best": 2, "a": 1, "b": 0}, "AKH").agree == (False, True)


def test_the_lineages_are_those_of_victims_that_have_the_task():
    pairs = pd.DataFrame({"victim": ["a", "b", "b"], "root": ["x", "y", "z"], "kind": ["positive", "positive", "negative"]})
    pairs["tasks"] = [["prune"], ["prune", "same"], []]
    assert lineages_of(pairs) == lineages_of(pairs, "prune") == {"a": "x", "b": "y"}
    assert lineages_of(pairs, "same") == {"b": "y"}


def test_one_lineage_is_not_enough(noise):
    with pytest.raises(QurdError, match="two independent victims or more"):
        best_of(cells(noise), dict.fromkeys(VICTIMS, "root"), LEVEL, "AKH")


def test_what_lacks_a_victim_is_not_compared(noise):
    table = cells(noise | {"truth": np.full(8, 0.95)})
    table.loc[(table["scheme"] == "truth") & (table["victim"] == "v3") & (table["query_seed"] == 1), "tpr"] = np.nan
    found = best_of(table, VICTIMS, LEVEL | {"truth": 0}, "AKH")
    assert "truth" not in found.winners
    assert found.among == 60
    with pytest.raises(QurdError, match="none of any of the combinations"):
        best_of(table, VICTIMS, {"truth": 0}, "AKH")
    with pytest.raises(QurdError, match="none of AKH"):
        best_of(table, VICTIMS, LEVEL, "truth")


@pytest.mark.parametrize("benchmark", rate_records.EMBEDDED)
@pytest.mark.slow
def test_the_shipped_scores_have_one(benchmark):
    scores, pairs = evidence.Scores.read(benchmark), evidence.pairs(benchmark)
    known = rate_records.schemes().set_index("scheme")
    some = [scheme for scheme in scores.columns["scheme"].unique() if pd.isna(known.loc[scheme, "name"])]
    reference = known.index[known["name"] == "AKH"][0]
    some = dict(zip(some, known.loc[some, "level"], strict=True))
    found = measured(scores, pairs, some, reference, task="prune", budget=100)
    whole = rate_records.read(benchmark, task="prune").set_index(["scheme", "budget"]).xs(100, level="budget")["tpr"]
    assert 0 < found.reported <= found.chosen
    assert found.chosen >= whole.loc[[*some]].max() - 1e-3
    assert set(found.winners) <= set(some)
    with pytest.raises(QurdError, match="at 130 queries"):
        measured(scores, pairs, some, reference, task="prune", budget=130)


def test_every_victim_is_reported_once():
    """Of three victims one has as much weight as each of the other two, so AKH has the rate that all pages show."""
    table = cells({"a": np.array([0.9, 0.2, 0.6] * 2 + [0.5] * 2), "AKH": np.array([0.8, 0.1, 0.5] * 2 + [0.5] * 2)})
    three = {victim: VICTIMS[victim] for victim in ("v0", "v1", "v2")}
    found = best_of(table[table["victim"].isin(three)], three, {"a": 0}, "AKH")
    assert (found.reported, found.reference, found.halves) == (pytest.approx(1.7 / 3), pytest.approx(1.4 / 3), (2, 1))


@pytest.mark.parametrize("benchmark", rate_records.SHIPPED)
def test_what_ships_holds_together(benchmark):
    table, pairs = WINNERS.read(benchmark), evidence.pairs(benchmark)
    if len(set(lineages_of(pairs).values())) < 2:
        assert table.empty
        with pytest.raises(QurdError, match="two independent victims or more"):
            recorded(table, pairs, task="all", budget=100, negatives="unrelated", rule="paper", reveal="logits")
        return
    summary = rate_records.read(benchmark).set_index(["name", "budget"])["tpr"]
    for budget in (20, 100):
        best = {
            reveal: recorded(table, pairs, task="all", budget=budget, negatives="unrelated", rule="paper", reveal=reveal)
            for reveal in LEVELS
        }
        assert best["labels"].among < best["logits"].among
        assert best["labels"].chosen <= best["logits"].chosen
        assert best["logits"].reference == pytest.approx(summary["AKH", budget], abs=2e-3), "as on all pages"
    with pytest.raises(QurdError, match="at 130 queries"):
        recorded(table, pairs, task="all", budget=130, negatives="unrelated", rule="paper", reveal="logits")


def test_the_scores_give_what_ships():
    scores, pairs = evidence.Scores.read("patchwork-reuse"), evidence.pairs("patchwork-reuse")
    schemes = rate_records.schemes()
    rows = rate_records.read("patchwork-reuse", task="prune").query("budget == 50")
    rows = rows.assign(value=rows["tpr_conformal"], spread=rows["sd_conformal"])
    free = levels_of(unnamed(allowed(rows, schemes, "labels"), schemes))
    reference = schemes.set_index("name").loc["AKH", "scheme"]
    again = measured(scores, pairs, free, reference, task="prune", budget=50, rate="tpr_conformal")
    asked = {"task": "prune", "budget": 50, "negatives": "unrelated", "rule": "conformal", "reveal": "labels"}
    shipped = recorded(WINNERS.read("patchwork-reuse"), pairs, **asked)
    assert (shipped.winners, shipped.agree) == (again.winners, again.agree)
    assert (shipped.among, shipped.halves) == (again.among, again.halves)
    assert shipped.reported == pytest.approx(again.reported, abs=1e-3)


def test_what_was_never_measured_and_what_is_written(tmp_path):
    assert WINNERS.read("patchwork-sac", tmp_path).empty
    table = WINNERS.read("patchwork-reuse").head(5)
    again = pd.read_parquet(WINNERS.write(table, WINNERS.path_of("patchwork-reuse", tmp_path)))
    asked = table.iloc[0][["task", "budget", "negatives", "rule", "reveal"]].to_dict()
    pairs = evidence.pairs("patchwork-reuse")
    assert recorded(again, pairs, **asked) == recorded(table, pairs, **asked)
