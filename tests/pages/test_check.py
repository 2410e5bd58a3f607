"""The page Check as a user sees it, without a browser and without a worker: what ships, and states that are planted."""

import json
import os
import zipfile

import numpy as np
import pytest

from pages.ui import cached
from pages.ui.check.asking import Asked
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.files import default_folder
from qurd_core.jobs import live
from qurd_core.jobs.queue import Jobs
from qurd_core.records import evidence, sealed
from qurd_core.records.runs import path_of, publish
from qurd_core.views.check.checked import Checked
from qurd_core.views.check.pool import pool
from tests.pages.opening import DUEL
from tests.pages.screen import headline, notices, sound

BENCH, VICTIM = DUEL["bench"], DUEL["victim"]
THIEF, STRANGER = DUEL["suspect"]
HARD = "train(dense,victim,seed=1)"


@pytest.fixture
def show(shipped):
    """The page with the question whose answers ship, or another one."""
    cached.jobs.clear()  # of another test, with another store
    yield lambda **link: shipped(page="check", **(DUEL | link))
    cached.jobs.clear()


def texts(app, *more):
    """Everything that is said on the page outside of its charts and of what computes it again.

    Args:
        more: kinds of elements.
    """
    found = [element.value for kind in ("markdown", "caption", "warning", *more) for element in app.get(kind)]
    return " ".join([*found, *(element.proto.body for element in app.get("html"))]).replace("\\", "")


def spec(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def job_of(suspects=(THIEF, STRANGER), stop="peak", budget=100):
    found = pool(evidence.pairs(BENCH), VICTIM, suspects, stop)
    return Asked(BENCH, VICTIM, tuple(suspects), "AKH", budget, stop, "path", (), found).job


@pytest.fixture
def planted(shipped):
    """Puts a state of the job of a question into the store, with what it has left so far."""

    def plant(state, done, total, *, error=None, sent=None, suspects=(THIEF,), stop="peak", budget=200):
        job, folder = job_of(suspects, stop, budget), default_folder()
        about = {"state": state, "about": job.about, "pid": os.getpid(), "done": done, "total": total, "error": error}
        publish(path_of(folder, job.key), about | {"started": 0.0, "ended": 20.0})
        if sent is not None:
            whole = Checked.read(live.shipped_check(job_of()).with_suffix(".verdict"))
            models = whole.models[~whole.models["model"].isin({THIEF, STRANGER} - set(suspects))].copy()
            cut = models["side"] == "suspect"
            models.loc[cut, "agrees"] = models.loc[cut, "agrees"].str[:sent]
            models.loc[cut, "score"] = np.nan
            part = Checked(VICTIM, suspects, "AKH", budget, stop, 0.05, sent, models, (), (), whole.seal)
            part.write(folder / "runs" / f"{job.key}.verdict")
        return {"suspect": list(suspects), "stop": stop, "budget": str(budget)}

    return plant


def test_without_a_suspect_it_says_what_to_do_and_asks_nobody(shipped, monkeypatch):
    monkeypatch.setattr(Jobs, "submit", lambda *asked, **more: pytest.fail("nobody was to be asked"))
    app = shipped(page="check")
    for _ in range(2):
        assert headline(app) == "Choose the model that is yours and the one you wonder about"
        assert app.button(key="ask").disabled
        assert "60 unrelated models of 60 lineages: the smallest p for 1 suspect is 1.6 %, level 5 %" in texts(app)
        app.run()
    assert not notices(app)


def test_a_link_alone_starts_no_run(show, monkeypatch):
    monkeypatch.setattr(Jobs, "submit", lambda *asked, **more: pytest.fail("nobody was to be asked"))
    app = show(suspect=[THIEF], budget="50")
    assert (
        headline(app)
        == "Is DenseNet victim · label extraction by ResNet closer to DenseNet victim than 60 unrelated lineages are?"
    )
    assert "Nobody is asked before you press Check" in texts(app)
    assert not app.button(key="ask").disabled


def test_the_button_asks_what_the_link_says(show, monkeypatch):
    asked = []
    monkeypatch.setattr(Jobs, "submit", lambda self, job, by, anew=False: asked.append(job) or job.key)
    show(suspect=[THIEF], budget="50").button(key="ask").click().run()
    (job,) = asked
    assert job.kind == "check"
    assert {name: job.args[name] for name in ("benchmark", "victim", "suspects", "scheme", "budget", "stop")} == {
        "benchmark": BENCH,
        "victim": VICTIM,
        "suspects": [THIEF],
        "scheme": "AKH",
        "budget": 50,
        "stop": "peak",
    }


def test_several_unrelated_suspects_leave_too_few_lineages(show):
    app = show(suspect=[f"train(res,attacker,seed={n})" for n in (1, 2, 3)])
    assert headline(app) == "57 unrelated lineages: two more allow a verdict about 3 suspects at 5 %"
    assert app.button(key="ask").disabled
    assert "Ask about fewer suspects at once" in texts(app)


def test_a_part_with_few_unrelated_models_leads_to_the_whole(shipped):
    pairs = evidence.pairs(BENCH)
    few = pairs[(pairs["victim"] == VICTIM) & ((pairs["kind"] != "negative") | pairs["suspect"].str.startswith("train(res"))]
    BenchFile(BENCH, frozenset(zip(few["victim"], few["suspect"], strict=True))).write(home_of("few"))
    app = sound(shipped(page="check", bench="few", suspect=[THIEF]))
    lineages = int((few["kind"] == "negative").sum())
    assert headline(app).startswith(f"{lineages} unrelated lineages: ")
    next(button for button in app.button if button.label == f"Open {BENCH}").click().run()
    assert app.session_state["bench"] == BENCH


@pytest.mark.parametrize("view", ["dots", "path"])
@pytest.mark.slow
def test_a_verdict_stands_with_what_it_rests_on(show, view):
    app = show(view=view)
    for _ in range(2):
        assert headline(app) == "1 of 2 suspects is closer to DenseNet victim than all 59 unrelated lineages"
        said = texts(app)
        seal = Checked.read(live.shipped_check(job_of()).with_suffix(".verdict")).seal
        assert "smallest p 3.3 % after 2 questions · said after 23 queries · 59 unrelated lineages · level 5 %" in said
        assert f"· seal {seal[:8]} · recorded answers that ship with the program" in said
        for part in (
            "Does the pool fit?",
            "What this does not say",
            "It does not say who copied whom",
            "4 of 4 here do",
            seal,
        ):
            assert part in texts(app, "code")
        (table,) = app.dataframe
        assert table.value["verdict"].tolist() == ["closer", "not distinguished"]
        assert table.value["queries used"].tolist() == ["23 of 100", "100 of 100"]
        assert len(spec(app)["data"]) >= 3
        app.run()
    alt = app.get("plotly_chart")[0].proto.alt
    assert "59 unrelated lineages" in alt and "DenseNet victim · label extraction by ResNet" in alt
    every = (headline(app) + texts(app) + alt).lower()
    assert not [word for word in ("guilty", "likely", "innocent", "accus") if word in every.replace("unlikely", "")]


def test_the_evidence_that_is_offered_can_be_verified(show, tmp_path):
    from qurd_core.suspects.verifying import verify

    assert [button.label for button in show().get("download_button")][-1] == "Evidence"
    path = live.shipped_check(job_of()).with_suffix(".zip")
    found = verify(path)
    assert found.faults == []
    assert found.number == Checked.read(path.with_suffix(".verdict")).seal


def test_what_ships_is_what_the_models_answer():
    """The tables of the evidence against the recorded answers of all models."""
    held, bank = sealed.held_in(live.shipped_check(job_of()).with_suffix(".zip")), evidence.bank(BENCH)
    drawn = bank.draws["negative(test)", VICTIM][0]
    rows = [row for row in sealed.rows_of(held, sealed.REFERENCE) if row["query"].startswith("0:")]
    assert len(rows) == 100 * (1 + 59 + 4 + 50)
    said = [bank.classes[bank.of(row["model"])[drawn[int(row["query"][2:])]]] for row in rows]
    assert said == [row["label"] for row in rows]
    answers = [json.loads(line) for line in held[sealed.ANSWERS].splitlines()]
    known = [
        (bank.classes[bank.of(one["suspect"])[drawn[int(one["query"][2:])]]], one["label"])
        for one in answers
        if one["query"][0] == "0"
    ]
    assert len(known) == 200 and all(one == other for one, other in known)


@pytest.mark.slow
def test_a_single_suspect_is_said_in_the_words_of_the_verdict(show):
    app = show(suspect=[HARD], view="path")
    assert (
        headline(app)
        == "DenseNet on the victim's data, run 2 is closer to DenseNet victim than 58 of 60 unrelated lineages (p 4.9 %)"
    )
    assert "3 of 3 here do" in texts(app)
    assert not app.dataframe


def test_on_stage_there_is_the_headline_and_the_chart_alone(show):
    app = show(view="path", stage="true")
    assert headline(app).startswith("1 of 2 suspects is closer")
    assert not app.dataframe
    assert "Does the pool fit?" not in texts(app)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.slow
def test_while_models_are_asked_it_says_how_far_it_is_and_draws_the_path_so_far(planted, show, monkeypatch):
    link = planted("running", 137, 315, sent=22)
    monkeypatch.setattr(Jobs, "status", lambda self, key: _status(key, "running", 137, 315, 10.0))
    app = show(**link, view="path")
    (bar,) = app.get("progress")
    assert bar.proto.text.replace("\\", "") == "22 of 200 queries · about 13 s left"
    assert [button.label for button in app.button if "Cancel" in button.label]
    assert headline(app).startswith("Is DenseNet victim · label extraction by ResNet closer")
    (line,) = [trace for trace in spec(app)["data"] if trace["name"].startswith("DenseNet victim")]
    assert len(line["x"]) == 22


def _status(key, state, done, total, seconds):
    from qurd_core.records.runs import Status

    return Status(key, state, done, total, seconds)


def test_known_models_are_counted_before_a_suspect_is_asked(planted, show, monkeypatch):
    link = planted("running", 40, 315)
    monkeypatch.setattr(Jobs, "status", lambda self, key: _status(key, "running", 40, 315, 10.0))
    (bar,) = show(**link).get("progress")
    assert bar.proto.text.replace("\\", "").startswith("Asking the models of known origin first: 40 of 115")


@pytest.mark.parametrize(
    ("stop", "says"), [("peak", ": p so far DenseNet victim · label extraction by ResNet 3.3 %"), ("none", "")]
)
@pytest.mark.slow
def test_a_cancelled_check_has_no_verdict_and_says_what_is_left(planted, show, stop, says):
    app = show(**planted("cancelled", 137, 315, sent=22, stop=stop), view="path")
    assert headline(app) == f"Stopped after 22 of 200 queries{says}"
    assert "The answers are kept: going on asks only the other 178." in texts(app)
    assert app.button(key="again-check").label == "Go on"
    assert "closer to" not in headline(app)


@pytest.mark.slow
def test_what_was_drawn_before_the_last_step_is_not_taken_for_the_verdict(planted, show):
    link = {"suspect": [THIEF, STRANGER], "stop": "peak", "budget": "100", "view": "dots"}
    planted("cancelled", 214, 215, sent=100, suspects=(THIEF, STRANGER), budget=100)
    assert [trace["name"] for trace in spec(show(**link))["data"]] == ["unrelated", "hard"]
    planted("done", 215, 215, suspects=(THIEF, STRANGER), budget=100)
    path = live.shipped_check(job_of()).with_suffix(".verdict")
    Checked.read(path).write(default_folder() / "runs" / f"{job_of().key}.verdict")
    assert [trace["name"] for trace in spec(show(**link))["data"]] == ["unrelated", "hard", "suspect"]


def test_a_result_that_is_gone_can_be_asked_for_again(planted, show):
    app = show(**planted("done", 315, 315))
    assert headline(app).startswith("Is DenseNet victim")
    assert not app.button(key="ask").disabled


def test_a_check_that_was_cancelled_before_a_suspect_was_asked_says_so(planted, show):
    app = show(**planted("cancelled", 40, 315))
    assert headline(app) == "Stopped after 0 of 200 queries"
    assert "No suspect was asked yet." in texts(app)


def test_a_check_that_failed_says_why_and_can_be_tried_again(planted, show):
    app = show(**planted("failed", 3, 315, error="Expected 'u1' to answer at least 90% of the 200 queries. It lacks 40."))
    assert "Expected 'u1' to answer at least 90% of the 200 queries." in texts(app)
    assert app.button(key="again-check").label == "Try again"


def test_a_result_that_was_altered_is_a_sentence(planted, show):
    link = planted("done", 315, 315, sent=100, suspects=(THIEF, STRANGER), budget=100)
    path = default_folder() / "runs" / f"{job_of().key}.verdict"
    path.write_bytes(path.read_bytes().replace(b"train(mb", b"train(MB", 1))
    app = show(**link)
    assert "was altered after it was written" in texts(app)
    assert app.button(key="again-check").label == "Try again"


def test_schemes_that_count_no_agreements_have_no_path_and_no_early_stop(show):
    app = show(scheme="SAC", stop="peak", view="path")
    assert app.selectbox(key="stop").options == ["none"]
    assert app.segmented_control(key="view").options == ["dots", "path"]
    assert not app.exception


def test_wrong_values_in_a_link_fall_back_with_one_notice(show):
    app = sound(show(victim="nobody", suspect=["<b>", THIEF], scheme="none such", budget="7", stop="maybe", view="x"))
    (notice,) = notices(app)
    for part in ("victim nobody", "suspect <b>", "scheme none such", "budget 7", "stop early maybe", "view x"):
        assert part in notice
    assert app.multiselect(key="suspect").value == [THIEF]


def test_more_suspects_than_fit_are_left_out_and_said(show):
    app = sound(show(suspect=[f"train(res,attacker,seed={n})" for n in range(1, 8)]))
    assert "all but 5 of 7 suspects" in notices(app)[0]
    assert len(app.multiselect(key="suspect").value) == 5


def test_the_suspect_of_the_queries_page_is_taken_along_and_back(shipped):
    app = sound(shipped(page="queries", victim=VICTIM, suspect=THIEF))
    app.switch_page("pages/check.py").run()
    assert sound(app).multiselect(key="suspect").value == [THIEF]
    app.multiselect(key="suspect").set_value([STRANGER, THIEF]).run()
    app.switch_page("pages/queries.py").run()
    assert sound(app).selectbox(key="suspect").value == STRANGER
    app.switch_page("pages/check.py").run()
    assert sound(app).multiselect(key="suspect").value == [STRANGER, THIEF]  # nothing else was chosen there
    app.switch_page("pages/queries.py").run()
    app.selectbox(key="suspect-words").select(HARD).run()
    app.switch_page("pages/check.py").run()
    assert sound(app).multiselect(key="suspect").value == [HARD]


def test_a_published_benchmark_has_nobody_to_ask(shipped):
    app = shipped(page="check", bench="published-cifar10")
    assert app.subheader[0].value == "Published scores only"


ACTS = {
    "models": "Two unnamed models: one was made from DenseNet victim, and one was not",
    "seal": "The question is sealed before either of the two is asked",
    "play": "Which of the two answers 100 queries like DenseNet victim?",
    "verdict": "Model A is closer to DenseNet victim than all 59 unrelated lineages; Model B is not distinguished",
    "opened": "The seal matches: Model A was made from DenseNet victim, Model B was not",
}


@pytest.mark.parametrize("act", ACTS)
def test_nobody_sees_a_name_before_the_seal_is_opened(show, act):
    app = show(view="duel", act=act, stage="true")
    letters = Checked.read(live.shipped_check(job_of()).with_suffix(".verdict")).unnamed
    swapped = {"Model A": letters[THIEF], "Model B": letters[STRANGER]}
    wanted = ACTS[act].replace("Model A", "#").replace("Model B", swapped["Model B"]).replace("#", swapped["Model A"])
    assert headline(app) == wanted
    shown = texts(app) + headline(app) + "".join(chart.proto.spec + chart.proto.alt for chart in app.get("plotly_chart"))
    for name in ("label extraction", "ResNet on other images", THIEF, STRANGER):
        assert (name in shown) == (act == "opened" and name not in (THIEF, STRANGER))


def test_the_queries_go_out_one_by_one(show):
    drawn = spec(show(view="duel", act="play", stage="true"))
    assert len(drawn["frames"]) == 100
    last = drawn["frames"][-1]
    assert last["layout"]["annotations"][0]["text"].startswith("Query 100 of 100. Same answer as the victim: Model A ")
    assert [len(trace["x"]) for trace in last["data"][:2]] == [100, 100]
    assert [len(trace["x"]) for trace in drawn["frames"][0]["data"][:2]] == [1, 1]


def test_a_seal_that_was_exchanged_is_found_when_it_is_opened(show, planted, tmp_path):
    """Somebody puts another seal into the file, and repairs what lists it."""
    planted("done", 214, 214, sent=100, suspects=(THIEF, STRANGER), budget=100)
    shipped_path, stem = live.shipped_check(job_of()), default_folder() / "runs" / job_of().key
    Checked.read(shipped_path.with_suffix(".verdict")).write(stem.with_suffix(".verdict"))
    held = sealed.held_in(shipped_path.with_suffix(".zip"))
    about = json.loads(held[sealed.SEAL]) | {"level": "0.2"}
    held[sealed.SEAL] = sealed.canonical(about)
    listed = [
        {"name": name, "bytes": len(data), "sha256": sealed.sha(data)}
        for name, data in sorted(held.items())
        if name != sealed.FILES
    ]
    held[sealed.FILES] = sealed.canonical(listed)
    with zipfile.ZipFile(stem.with_suffix(".zip"), "w") as file:
        for name, data in held.items():
            file.writestr(name, data)
    app = show(view="duel", act="opened")
    assert headline(app).startswith("The evidence does not match: Line 1 of answers.jsonl does not follow")
    assert "✓" not in texts(app)
