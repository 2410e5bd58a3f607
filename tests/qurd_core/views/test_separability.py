"""Distances of pairs against small tables with known answers, and against the recorded rates of all pages."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from qurd_core.errors import QurdError
from qurd_core.files import ROOT
from qurd_core.records import evidence, rate_records
from qurd_core.records.bank import Bank
from qurd_core.views import separability as sep
from qurd_core.views.differences import by_class, shared_mistakes

AKH = "negative(test) | labels | hamming"


def table(rows):
    """Pairs from (victim, suspect, kind, tasks, delta_c)."""
    found = pd.DataFrame(rows, columns=["victim", "suspect", "kind", "tasks", "delta_c"])
    return found.assign(delta=found["delta_c"] / 2, root=found["suspect"])


def two_victims():
    """Victim a: thresholds 0.5; victim b: 0.3. One stolen model of each lies between the two."""
    stolen = [("a", "a1", 0.1), ("a", "a2", 0.4), ("b", "b1", 0.2), ("b", "b2", 0.4)]
    unrelated = [("a", "u1", 0.5), ("a", "u2", 0.7), ("b", "u1", 0.3), ("b", "u2", 0.8)]
    return table(
        [(victim, name, "positive", ["prune"], value) for victim, name, value in stolen]
        + [(victim, name, "negative", ["prune"], value) for victim, name, value in unrelated]
        + [("a", "h", "hard", ["prune"], 0.05)]
    )


def compare(pairs, **choice):
    request = {"negatives": "unrelated", "alpha": 0.05} | choice
    return sep.rows(sep.Distances.of_delta(pairs, "delta_c"), **request)


def test_rates_have_a_threshold_per_victim_and_the_drawn_line_has_one_for_all():
    (row,) = compare(two_victims())
    assert row.rates.tpr == pytest.approx(0.75)  # a catches both, b one of two
    assert row.rates.auc == pytest.approx((1 + 3 / 4) / 2)
    assert math.isnan(row.rates.sd)
    assert (row.rates.n_negatives, row.rates.n_lineages, row.rates.n_victims) == (2, 2, 2)
    assert row.line == sep.Line(threshold=0.3, caught=0.5, flagged=0, unrelated=4)
    assert "h" not in set(row.table["suspect"])


def test_hard_unrelated_models_count_only_when_they_are_asked_for():
    (row,) = compare(two_victims(), negatives="unrelated+hard")
    assert row.rates.tpr == pytest.approx(0.25)  # the hard model is closer than all of a's
    assert row.values("hard").tolist() == [0.05]
    assert len(row.unrelated) == 5


@pytest.mark.parametrize("benchmark", ["published-sdog120", "patchwork-reuse"])
def test_the_authors_formula_changes_nothing_within_a_victim_and_much_between_them(benchmark):
    """It multiplies the distances of a victim by (1 - accuracy) / accuracy."""
    pairs = evidence.pairs(benchmark)
    factor = (1 - pairs["accuracy_victim"]) / pairs["accuracy_victim"]
    np.testing.assert_allclose(sep.Distances.of_delta(pairs, "official").drawn, pairs["delta_c"] * factor)
    asked = {"negatives": "unrelated", "alpha": 0.05}
    (by_definition,), (by_formula,) = (
        sep.rows(sep.Distances.of_delta(pairs, of), **asked) for of in ("delta_c", "official")
    )
    assert (by_formula.rates.tpr, by_formula.rates.auc) == (by_definition.rates.tpr, by_definition.rates.auc)
    assert by_formula.line.caught < by_definition.line.caught


def test_more_false_alarms_move_the_line_and_none_are_allowed_too():
    pairs = two_victims()
    assert [compare(pairs, alpha=alpha)[0].line.flagged for alpha in (0.0, 0.25, 0.5)] == [0, 1, 2]
    assert math.isnan(compare(pairs, alpha=0.0)[0].rates.guaranteed)


def test_a_row_per_victim_and_per_task():
    pairs = two_victims()
    by_victim = compare(pairs, by="victims")
    assert [(row.label, row.rates.tpr, row.line.threshold) for row in by_victim] == [("a", 1.0, 0.5), ("b", 0.5, 0.3)]
    assert [row.label for row in compare(pairs, by="tasks")] == ["prune"]


def test_a_task_that_nobody_has_is_a_row_with_a_reason():
    (row,) = compare(two_victims(), task="nap")
    assert row.rates is None
    assert "nap" in row.reason
    assert not len(row.table)


def test_a_task_without_unrelated_models_has_a_reason():
    (row,) = compare(table([("a", "s", "positive", ["prune"], 0.1), ("a", "u", "negative", ["same"], 0.5)]), task="prune")
    assert row.rates is None
    assert "unrelated" in row.reason


def test_an_unrelated_model_counts_once_per_task_in_the_pooled_rate():
    many = [("a", f"u{n}", "negative", ["one", "two", "three"], 0.5 + n / 100) for n in range(10)]
    few = [("a", f"v{n}", "negative", ["one"], 0.2 + n / 100) for n in range(2)]
    stolen = [("a", "s", "positive", ["one"], 0.205), ("a", "t", "positive", ["one"], 0.4)]
    (row,) = compare(table(many + few + stolen), alpha=0.05)
    assert row.line.threshold == pytest.approx(0.21)  # 5 % of 32 = 1 below it
    assert row.rates.uneven
    assert not compare(two_victims())[0].rates.uneven


@pytest.mark.parametrize("share", [False, True])
def test_a_density_keeps_its_mass(share):
    spread = np.random.default_rng(0).beta(0.6, 3, 200)
    for values in (spread, np.zeros(30), np.r_[np.zeros(20), 1.0], np.array([0.4])):
        at = sep.grid([values], share=share)
        assert at[0] == 0
        assert float(np.trapezoid(sep.density(values, at, share=share), at)) == pytest.approx(1, abs=0.01)
    assert at[-1] <= 1 or not share


def test_a_density_follows_silverman_and_has_a_floor():
    values = np.linspace(0, 1, 101)
    assert sep.bandwidth(values, 0.001) == pytest.approx(0.9 * values.std(ddof=1) * 101**-0.2)
    assert sep.bandwidth(np.full(50, 0.3), 0.01) == 0.01
    assert sep.bandwidth(np.array([0.3]), 0.01) == 0.01


def test_overlap_of_equal_and_of_distant_sides():
    near, far = np.linspace(0.1, 0.2, 20), np.linspace(0.8, 0.9, 20)
    rows = [("a", f"s{n}", "positive", ["t"], value) for n, value in enumerate(near)]

    def overlap(values):
        other = [("a", f"u{n}", "negative", ["t"], value) for n, value in enumerate(values)]
        return sep.overlap(compare(table(rows + other))[0], share=True)

    assert overlap(near) == pytest.approx(1, abs=0.01)
    assert overlap(far) == pytest.approx(0, abs=1e-3)
    assert math.isnan(overlap(far[:19]))


def test_scores_of_one_query_seed_and_of_their_mean():
    columns = pd.DataFrame({"scheme": "x", "query_seed": [0, 1, 0], "budget": [10, 10, 20]})
    values = np.array([[0.1, 0.3, np.nan], [0.5, 0.7, 0.6]], np.float32)
    scores = evidence.Scores(columns, {"a": ("s", "u")}, {"a": values})
    pairs = table([("a", "u", "negative", ["t"], 0.5), ("a", "s", "positive", ["t"], 0.1)])
    found = sep.Distances.of_scheme(pairs, scores, "x", 10)
    assert found.drawn == pytest.approx([0.6, 0.2])
    assert sep.Distances.of_scheme(pairs, scores, "x", 10, seed=1).drawn == pytest.approx([0.7, 0.3])
    assert sep.budgets(scores, "x", ["a"]) == [10]
    with pytest.raises(QurdError, match="x at 20 queries"):
        sep.Distances.of_scheme(pairs, scores, "x", 20)


@pytest.mark.parametrize("benchmark", rate_records.EMBEDDED)
@pytest.mark.parametrize("negatives", ["unrelated", "unrelated+hard"])
@pytest.mark.slow
def test_numbers_agree_with_the_other_pages(benchmark, negatives):
    found = sep.Distances.of_scheme(evidence.pairs(benchmark), evidence.Scores.read(benchmark), AKH, 100)
    rows = [*sep.rows(found, negatives=negatives, alpha=0.05), *sep.rows(found, negatives=negatives, alpha=0.05, by="tasks")]
    for row in rows:
        table = rate_records.read(benchmark, task=row.label, negatives=negatives)
        known = table[(table["scheme"] == AKH) & (table["budget"] == 100)].iloc[0]
        told = (row.rates.tpr, row.rates.sd, row.rates.guaranteed, row.rates.auc)
        assert told == pytest.approx([known[name] for name in ("tpr", "sd", "tpr_conformal", "auc")], abs=1e-4, nan_ok=True)
        assert (row.rates.n_negatives, row.rates.n_lineages) == (known["n_negatives"], known["n_lineages"])


def small_bank():
    """Truth 0 0 0 0 1 1 2 2; the victim errs on four, the suspect repeats two of them."""
    labels = np.array([[0, 1, 1, 1, 1, 2, 2, 2], [0, 1, 1, 0, 1, 0, 2, 1]], np.uint8)
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2], np.uint8)
    return Bank(("h", "k"), ("h",), ("cat", "dog", "cup"), labels, truth, np.zeros((8, 5), int), {}, {})


def test_where_two_models_differ():
    rows = by_class(small_bank(), "h", "k")
    assert rows["name"].tolist() == ["cat", "dog", "cup"]
    assert rows[["images", "differ", "wrong", "differ_wrong"]].to_numpy().tolist() == [
        [4, 1, 3, 1],
        [2, 1, 1, 1],
        [2, 1, 0, 0],
    ]
    assert rows["delta"].tolist() == [0.25, 0.5, 0.5]
    assert rows["delta_c"].tolist() == pytest.approx([1 / 3, 1.0, math.nan], nan_ok=True)


def test_which_mistakes_two_models_share():
    (one,) = shared_mistakes(small_bank(), "h", "k", 4)
    assert (one.truth, one.answer, one.made, one.repeated) == ("cat", "dog", 3, 2)
    assert one.images.tolist() == [1, 2]
    assert len(shared_mistakes(small_bank(), "h", "h", 4)) == 2
    assert [one.repeated for one in shared_mistakes(small_bank(), "h", "h", 1)] == [3]


def test_torch_is_not_needed():
    script = "import sys, qurd_core.views.separability, qurd_core.views.differences; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize("benchmark", rate_records.SHIPPED)
@pytest.mark.parametrize("alpha", [0, 0.05])
@pytest.mark.slow
def test_reports_have_the_rates_of_the_rows(benchmark, alpha):
    found = sep.Distances.of_delta(evidence.pairs(benchmark), "delta_c")
    reports = sep.reports(found, negatives="unrelated+hard", alpha=alpha, draws=50)
    for by in ("one", "tasks"):
        for row in sep.rows(found, negatives="unrelated+hard", alpha=alpha, by=by):
            report = reports[row.label]
            assert report.point == pytest.approx(row.rates.tpr)
            assert report.ci[0] - 1e-9 <= report.point <= report.ci[1] + 1e-9
    (row, *_) = sep.rows(found, negatives="unrelated", alpha=alpha, by="victims")
    request = {"negatives": "unrelated", "alpha": alpha, "draws": 50}
    own = sep.reports(found, alone=(row.label, "all"), **request)["all"]
    assert own == sep.reports(found.of_victim(row.label), **request)["all"]
    assert (own.point, own.n_victims) == (pytest.approx(row.rates.tpr), 1)


def test_a_lonely_task_leaves_the_others_their_report():
    pairs = pd.concat([two_victims(), table([("a", "a3", "positive", ["probit"], 0.1)])], ignore_index=True)
    pairs = pairs.assign(root=pairs["victim"].where(pairs["kind"] == "positive", pairs["suspect"]))
    found = sep.reports(sep.Distances.of_delta(pairs, "delta_c"), negatives="unrelated", alpha=0.05, draws=50)
    assert found["prune"].point == pytest.approx(0.75)
