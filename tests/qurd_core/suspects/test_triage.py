"""Hundreds of suspects in one ranking: order, numbers, what a contest takes, and what is kept when it is killed."""

import io

import numpy as np
import pandas as pd
import pytest

from qurd_core.benchmarks.base import benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.workbench import workbench
from qurd_core.runtime import Runtime
from qurd_core.statistics import benjamini_hochberg
from qurd_core.store import Store
from qurd_core.suspects import triage
from qurd_core.suspects.question import question
from tests.qurd_core.suspects.test_checking import VICTIM, answers, table
from tests.qurd_core.suspects.test_folder import Counted, folder_of_suspects


def rows(thieves=12, others=20, **how):
    copies = {f"m-{n}": answers(900 + n, 0.3, VICTIM, 0.9) for n in range(thieves)}
    return table(copies | {f"m-{n}": answers(2000 + n, 0.3) for n in range(thieves, thieves + others)}, **how)


def asked(path, made, **how):
    made.to_csv(path, index=False)
    bench = benchmark(str(path))
    return bench, question(bench, None, (), ["AKH"], budget=100, level=0.05, stop="none", fit=100, **how)


@pytest.fixture
def ranked(tmp_path):
    def rank(made, **how):
        bench, found = asked(tmp_path / "t.csv", made, **how)
        return found, triage.ranked(bench, found, Store(tmp_path / "store"), Runtime())

    return rank


def test_the_closest_stand_first_with_the_false_alarms_to_expect(ranked):
    found, listed = ranked(rows(unrelated=60))
    assert list(listed.columns) == list(triage.COLUMNS)
    assert {*listed["suspect"][:12]} == {f"m-{n}" for n in range(12)}
    assert listed["score"].is_monotonic_increasing
    np.testing.assert_allclose(listed["expected_false_alarms"], 32 * listed["p"])
    np.testing.assert_allclose(listed["q"], benjamini_hochberg(listed["p"]))
    ties = listed["score"].value_counts()
    assert (listed["tied_with"] == listed["score"].map(ties) - 1).all()
    said = list(triage.sentences(found, listed))
    assert said[0].startswith(
        "At 5 % of 32 suspects, expect 1.6 false alarms if all are unrelated; 0 to 5 in 95 % of cases,"
    )
    assert said[1] == "No suspect can be called closer with 60 unrelated lineages (639 needed): this is a ranking."
    leads = int((listed["q"] <= 0.05).sum())
    assert said[2].startswith(f"Leads, no verdicts: {leads} of 32 are this close, ")


def test_a_pool_that_is_too_small_and_none_at_all_still_rank(ranked):
    found, listed = ranked(rows(unrelated=10))
    assert next(triage.sentences(found, listed)) == "10 unrelated lineages allow no threshold at 5 %: 19 are needed."
    found, listed = ranked(rows(unrelated=0))
    assert listed["p"].isna().all()
    assert listed["score"].is_monotonic_increasing
    (said,) = triage.sentences(found, listed)
    assert said.startswith("32 suspects ranked. There is no p without unrelated models")


def test_a_note_says_about_whom_nothing_can_be_said(ranked):
    made = rows()
    silent = (made["model"] == "m-3") & (made["item"] % 2 == 0)
    found, listed = ranked(made[~silent])
    note = listed.set_index("suspect").loc["m-3", "note"]
    assert note.startswith("it answered ")
    assert list(triage.sentences(found, listed))[-1] == "No verdict on 1 of 32: see their notes."


def test_a_submission_holds_every_suspect_once_and_says_its_direction(ranked, tmp_path):
    made = rows()
    _, listed = ranked(made[~((made["model"] == "m-3") & (made["item"] % 2 == 0))])
    high = pd.read_csv(triage.write_submission(listed, tmp_path / "high.csv", "high", "number"))
    low = pd.read_csv(triage.write_submission(listed, tmp_path / "low.csv", "low", "name"))
    assert list(high.columns) == ["id", "score"]
    assert high["id"].tolist() == list(range(32))
    assert np.isfinite(high["score"]).all()
    merged = high.assign(suspect=[f"m-{n}" for n in high["id"]]).merge(low, left_on="suspect", right_on="id")
    np.testing.assert_allclose(merged["score_x"], -merged["score_y"])
    for direction, ids, says in (("up", "name", "Unknown direction 'up'"), ("low", "digits", "Unknown kind of id 'digits'")):
        with pytest.raises(QurdError, match=says):
            triage.write_submission(listed, tmp_path / "no.csv", direction, ids)
    with pytest.raises(QurdError, match=r"Expected digits at the end of every name for --ids number\. Got 'shop'"):
        triage.write_submission(listed.assign(suspect="shop"), tmp_path / "no.csv", "high", "number")
    with pytest.raises(QurdError, match="Two suspects end with 7"):
        triage.write_submission(listed.assign(suspect="shop7"), tmp_path / "no.csv", "high", "number")


def test_the_command_writes_both_files(tmp_path, qurd):
    rows().to_csv(tmp_path / "t.csv", index=False)
    to = ["--out", str(tmp_path / "ranking.csv"), "--submission", str(tmp_path / "scores.csv"), "--ids", "number"]
    code, out, error = qurd("triage", str(tmp_path / "t.csv"), *to)
    assert code == 0, error
    assert out.splitlines()[-2:] == [str(tmp_path / "ranking.csv"), str(tmp_path / "scores.csv")]
    first, rest = (tmp_path / "ranking.csv").read_text().split("\n", 1)
    assert first == "# small score = close to the victim"
    assert len(pd.read_csv(io.StringIO(rest))) == 32
    assert len(pd.read_csv(tmp_path / "scores.csv")) == 32


@pytest.mark.slow
def test_what_is_asked_is_kept_model_by_model(tmp_path, monkeypatch):
    """Killed in the middle, a triage is continued by the same call."""
    home = folder_of_suspects(tmp_path / "bench", suspects=6)
    bench = benchmark(str(home))
    found = question(bench, None, (), ["AKH"], budget=10, level=0.05, stop="none", fit=10)
    store = Store(tmp_path / "store")
    for shelf in (store, Store(tmp_path / "other")):
        workbench(bench, shelf, Runtime())  # reads the files first, in a process with limits
    with Counted(monkeypatch, fails_after=9) as first, pytest.raises(QurdError, match="the power is gone"):
        triage.ranked(bench, found, store, Runtime())
    with Counted(monkeypatch) as second:
        listed = triage.ranked(bench, found, store, Runtime())
    with Counted(monkeypatch) as third:
        again = triage.ranked(bench, found, store, Runtime())
    assert third.images == 0
    pd.testing.assert_frame_equal(listed, again)
    with Counted(monkeypatch) as whole:
        triage.ranked(bench, found, Store(tmp_path / "other"), Runtime())
    assert first.images > 0
    assert first.images + second.images == whole.images
