"""The records of a benchmark that somebody brings are what the pipeline computes, and are complete after every scheme."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qurd_core.benchmarks import base, registered
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.recording import brought, own
from qurd_core.jobs.kinds import own_job, rate_job
from qurd_core.records import evidence, measured_worth, own_records, rate_records
from qurd_core.records.runs import Cancelled
from qurd_core.schemes import Scheme
from qurd_core.store import Store
from qurd_core.views import leaderboard
from tests.qurd_core.benchmarks.own.test_answer_table import answers

RATES = ["budget", "task", "tpr", "tpr_conformal", "sd", "auc", "n_negatives", "used", "samples"]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A store, and the folder beside it."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    rate_job.desk_of.cache_clear()
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """One query seed, and no intervals: these take the time."""
    monkeypatch.setattr(own, "SEEDS", 1)
    monkeypatch.setattr(own.Recording, "write_worth", lambda recording: None)


def bring(table, name="shop"):
    """Register a table under a name."""
    table.to_csv(f"{name}.csv", index=False)
    base.register(name, f"{name}.csv")
    return name


def measure(place, name="shop", progress=lambda done, total: None):
    """Run the job that measures it."""
    own_job.run(place / "store", place / "job", progress, benchmark=name, state="", parts="")
    return own_records.note_of(name)


@pytest.mark.slow
def test_rates_are_those_of_the_pipeline_and_pages_read_them_as_those_that_ship(place):
    note = measure(place, bring(answers(probits=True)))
    assert note.schemes == ("AKH", "Random", "FBI", "accuracy")
    assert note.whole
    assert own_records.folder_of("shop") == place / "store" / "records" / note.digest
    assert rate_records.has_facts("shop")
    found = evidence.read("shop")
    assert set(found["budget"]) == set(rate_records.RAW_BUDGETS)
    akh = found[found["name"] == "AKH"].reset_index(drop=True)
    wanted = evaluate("shop.csv", ["AKH"], budgets=rate_records.RAW_BUDGETS, seeds=5, store=Store(place / "other"))
    pd.testing.assert_frame_equal(akh[RATES], wanted[RATES], check_dtype=False, atol=1e-6)
    pairs, models, bank = evidence.pairs("shop"), evidence.models("shop"), evidence.bank("shop")
    assert set(pairs["victim"]) == {"mine"}
    assert set(models["lineage"]) == {*pairs["victim"], *pairs["suspect"]} == {*bank.models}
    own = models.set_index("lineage")["accuracy"]
    assert own["mine"] == pytest.approx(pairs.loc[pairs["victim"] == "mine", "accuracy_victim"].iloc[0])
    assert set(measured_worth.HONEST.read("shop")["label"]) == {*note.schemes}
    assert leaderboard.by_task("shop", 50)["task"].nunique() == 4  # all, same, prune and label extraction
    assert not evidence.has_models("shop")


def test_what_is_measured_is_there_after_every_scheme_and_a_cancelled_job_goes_on(place, quick):
    bring(answers())
    done = []

    def told(at, total):
        note = own_records.note_of("shop")
        if note and note.done == 1:
            found = evidence.read("shop")
            done.append(set(found["name"]))
            raise Cancelled

    with pytest.raises(Cancelled):
        measure(place, progress=told)
    assert done == [{own_records.note_of("shop").schemes[0]}]
    assert own_records.note_of("shop").done == 1
    assert measure(place).whole


@pytest.mark.slow
def test_other_files_other_roles_and_other_versions_of_parts_are_other_records(place, quick, monkeypatch):
    table = answers()
    first = measure(place, bring(table)).digest
    assert measure(place).digest == first
    table.loc[0, "label"] = (table.loc[0, "label"] + 1) % 3
    table.to_csv("shop.csv", index=False)
    second = measure(place)
    assert second.digest != first
    assert second.state == registered.state(place / "shop.csv")
    monkeypatch.setattr(own_records, "parts", lambda: "other versions")
    assert measure(place).digest not in (first, second.digest)


def test_without_a_stolen_model_there_are_pairs_with_suspects_and_no_rates(place):
    table = answers()
    table = table[~table["model"].isin(["twin"])]
    roles = table["model"].map({"mine": "victim", "copy": "suspect", "student": "suspect"}).fillna("unrelated")
    note = measure(place, bring(table.assign(role=roles)))
    assert (note.stolen, note.schemes) == (False, ())
    assert rate_records.has_facts("shop")
    assert not rate_records.has_rates("shop")
    kinds = evidence.pairs("shop")["kind"].value_counts().to_dict()
    assert kinds == {"negative": 20, "suspect": 2}
    assert evidence.tasks("shop") == ["all"]
    suspects = evidence.pairs("shop").query("kind == 'suspect'").set_index("suspect")["delta_c"]
    assert suspects["copy"] < evidence.pairs("shop").query("kind == 'negative'")["delta_c"].min()


def test_why_a_scheme_does_not_go_with_a_table_is_said_by_the_name_of_the_benchmark(place, quick):
    note = measure(place, bring(answers()))
    assert set(note.missing) == {"SAC", "ModelDiff", "IPGuard", "ZestOfLIME", "FBI"}
    assert not [why for why in note.missing.values() if str(place) in why or "shop" not in why]
    schemes = rate_records.schemes()
    lacks = leaderboard.lacking(schemes, "shop")
    assert lacks[str(Scheme.parse("ModelDiff"))] == leaderboard.CRAFT
    assert lacks["uniform(train) | labels | hamming"] == leaderboard.SPLIT.format("train")
    assert lacks[str(Scheme.parse("FBI"))] == leaderboard.ACCESS.format("top-k labels")
    assert str(Scheme.parse("AKH")) not in lacks
    assert leaderboard.lacking(schemes, "patchwork-sac") == {}
    points = pd.DataFrame({"label": ["AKH", "Random"]})
    assert leaderboard.unrecorded(points, schemes, "shop")["IPGuard"] == leaderboard.CRAFT


def test_items_without_pictures_are_cards_with_their_names(place, quick):
    measure(place, bring(answers()))
    bank = evidence.bank("shop")
    assert bank.look.names[:2] == tuple(sorted(f"row-{n}" for n in range(len(bank.truth))))[:2]
    one, other = bank.pictures(np.array([0, 1]))
    assert one.shape == (64, 64, 3)
    assert (one != other).any()


def test_answers_that_are_missing_have_a_word_of_their_own(place, quick):
    table = answers()
    table = table[~((table["model"] == "other0") & (table["item"] == "row-0"))]
    measure(place, bring(table))
    bank = evidence.bank("shop")
    assert bank.classes[-1] == brought.NO_ANSWER
    assert bank.of("other0")[bank.look.names.index("row-0")] == len(bank.classes) - 1


def test_a_victim_that_is_never_wrong_is_one_sentence(place):
    table = answers()
    mine = table["model"].isin(["mine"])
    table.loc[mine, "label"] = table.loc[mine, "truth"]
    bring(table)
    with pytest.raises(QurdError, match="right on all of them: use more or harder ones"):
        measure(place)
    assert own_records.note_of("shop") is None
    assert Path("shop.csv").is_file()
