"""The Compose page as a user sees it, without a browser, and without a worker: runs are files in the store."""

import json
import math
import os
import time
from itertools import product

import pandas as pd
import pytest

from pages.ui import cached
from pages.ui.compose import compose_controls
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.errors import QurdError
from qurd_core.jobs import live
from qurd_core.jobs.queue import UNWANTED, Jobs, publish
from qurd_core.records import evidence, rate_records
from qurd_core.schemes import Scheme
from tests.pages.screen import headline, notices, sound

OTHER = "negative(test)->pgd(eps=0.05) | labels | hamming"
AKH = "negative(test) | labels | hamming"


@pytest.fixture(autouse=True)
def submitted(monkeypatch):
    """The jobs that were asked for."""
    asked = []
    cached.jobs.clear()
    monkeypatch.setattr(Jobs, "submit", lambda jobs, job, by, anew=False: asked.append(job))
    yield asked
    cached.jobs.clear()


@pytest.fixture
def compose(shipped):
    return lambda theme="light", **link: shipped(theme, page="compose", **link)


def job(scheme=OTHER, bench="patchwork-sac", pool=()):
    parsed = Scheme.parse(scheme)
    return live.rates_job(bench, str(parsed), pool, str(sorted(parsed.identity(0).items())))


def note(folder, one, state, **more):
    publish(folder / "runs" / f"{one.key}.json", {"state": state, "pid": os.getpid(), "about": one.about, **more})


def leave(folder, one, seeds, last=400):
    """The rows of a recorded combination as what a run has left; one that calibrates on lineages adds the reference."""
    tables = []
    for negatives, task in product(("unrelated", "unrelated+hard"), evidence.tasks("patchwork-sac")):
        table = rate_records.read("patchwork-sac", task=task, negatives=negatives)
        tables.append(table[table["scheme"] == "negative(test)->pgd | labels | hamming"])
    mine = pd.concat(tables).assign(scheme=one.args["scheme"], seeds=seeds)
    table = pd.concat([mine, mine.assign(scheme=AKH, name="AKH")]) if one.args["pool"] else mine
    (folder / "runs").mkdir(exist_ok=True)
    live.write(table[table["budget"] <= last], folder / "runs" / f"{one.key}.parquet")


def spec(app):
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return next(chart for chart in charts if any(trace["name"] == "cells" for trace in chart["data"]))


def labels(app):
    return [button.label for button in app.button]


def said(app):
    return " ".join(element.value for element in (*app.markdown, *app.caption))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("bench", rate_records.EMBEDDED)
def test_the_page_opens_twice(compose, bench, theme):
    app = compose(theme, bench=bench)
    for _ in range(2):
        assert headline(app).startswith("ModelDiff catches ")
        assert "AKH" in headline(app)
        assert len(spec(app)["data"]) <= 6
        assert "Run" not in "".join(labels(app))
        app.run()
    assert not notices(app)


@pytest.mark.slow
def test_every_control_changes_the_page(compose):
    app = compose()
    app.get_by_key("split").set_value("test").run()
    assert "negative(test)" in spec(sound(app))["layout"]["yaxis"]["ticktext"]
    app.selectbox(key="columns").select("probits").run()
    assert "probits" in " ".join(spec(sound(app))["layout"]["xaxis"]["ticktext"])
    app.selectbox(key="task").select("prune").run()
    assert "--task prune" in sound(app).code[0].value
    app.get_by_key("rule").set_value("guaranteed").run()
    assert "the guaranteed rule allows" in said(sound(app)).replace("\\", "")
    app.select_slider(key="budget").set_value(10).run()
    assert "at 10 queries" in said(sound(app)).replace("\\", "")
    app.toggle(key="hard").set_value(True).run()
    assert "--negatives unrelated+hard" in sound(app).code[0].value
    app.multiselect(key="pin").set_value(["SAC"]).run()
    sound(app)
    app.multiselect(key="pool").set_value(app.multiselect(key="pool").options[:20]).run()
    assert "--pool" in sound(app).code[0].value
    assert headline(app) == "ModelDiff has not been measured yet"
    app.toggle(key="stage").set_value(True).run()
    assert spec(sound(app))["layout"]["height"] == 800


def test_a_recorded_combination_is_found_by_typing_and_any_other_is_typed(compose):
    menu = sound(compose()).selectbox(key="pick")
    assert menu.options[:4] == ["AKH", "Random", "SAC", "SAC:original"]
    assert "negative(test) | probits | l1" in menu.options
    assert menu.proto.accept_new_options
    typed = "uniform(test)->pgd(eps=.05) | labels | hamming"
    assert typed in sound(compose(pick=typed)).selectbox(key="pick").options


def test_rows_are_of_one_kind_of_image_and_the_rest_is_counted(compose):
    app = compose(split="train")
    assert app.selectbox(key="samplers").options == ["main", "natural", "adversarial", "blended", "masked"]
    app.selectbox(key="samplers").select("masked").run()
    rows = spec(sound(app))["layout"]["yaxis"]["ticktext"]
    assert all("superpixels" in row for row in rows[:-1]) and rows[-1] == "uniform(train)-&gt;pgd"
    assert "more samplers under Rows" in said(app)


@pytest.mark.slow
def test_a_part_is_chosen_and_what_follows_gives_way(compose):
    app = compose(pick="AKH")
    app.button(key="representation-probits").click().run()
    assert sound(app).selectbox(key="pick").value == "negative(test) | probits | cosine"
    app.button(key="craft-superpixels").click().run()
    app.button(key="representation-lime").click().run()
    assert sound(app).selectbox(key="pick").value == "negative(test)->superpixels | lime | cosine"
    app.button(key="seeds-noise").click().run()
    assert sound(app).selectbox(key="pick").value == "noise | labels | hamming"
    assert app.get_by_key("split").value == "noise"


def test_impossible_choices_are_grey_with_the_reason(compose):
    app = compose(pick="AKH")
    assert app.button(key="representation-pairwise").disabled
    assert app.button(key="representation-pairwise").help.endswith(
        "needs pairs of images, which negative(test) does not give"
    )
    assert not app.button(key="representation-logits").disabled
    assert app.button(key="detector-cosine").disabled
    assert "pairs of images" in said(app)


def test_parameters_come_from_the_signature(compose):
    app = compose(pick="ModelDiff")
    eps = app.number_input(key="craft.pgd.eps")
    assert (eps.value, eps.min, eps.max) == (0.03, 0.0, 1.0)
    eps.set_value(0.1).run()
    app.selectbox(key="craft.pgd.norm").select("l2").run()
    assert sound(app).selectbox(key="pick").value.startswith("uniform(train)->pgd(eps=0.1,norm=l2) |")
    assert headline(app).endswith("has not been measured yet")
    app.selectbox(key="representation.pairwise.of").select("probits").run()
    assert "pairwise | cosine" in sound(app).selectbox(key="pick").value


def test_a_link_holds_the_whole_view(compose):
    link = {
        "bench": "patchwork-reuse",
        "pick": "FBI",
        "split": "train",
        "columns": "lime",
        "budget": "200",
        "rule": "guaranteed",
    }
    app = sound(compose(**link, hard="true", pin=["SAC"]))
    assert not notices(app)
    assert headline(app).startswith("With hard unrelated models, FBI drops from ")
    assert app.get_by_key("split").value == "train"
    assert app.selectbox(key="columns").value == "lime"
    assert app.multiselect(key="pin").value == ["SAC"]


def test_wrong_values_in_a_link_fall_back_with_a_notice(compose):
    app = compose(pick="<b>x</b> |", split="moon", samplers="y", columns="x", pool=["nobody"], budget="7")
    assert headline(app).startswith("ModelDiff")
    assert "Cannot read" in app.warning[0].value
    assert r"\<b\>" in app.warning[0].value
    for part in ("seed set moon", "rows y", "columns x", "lineage nobody", "budget 7"):
        assert part in notices(app)[0]
    app = compose(pick="negative(test) | pairwise | cosine")
    assert "does not go together" in app.warning[0].value


def test_a_clicked_cell_is_picked_and_an_impossible_one_says_why(compose, monkeypatch):
    monkeypatch.setattr(compose_controls.st, "session_state", {})
    compose_controls.choose("uniform(train)->pgd | labels | hamming")
    assert compose_controls.st.session_state == {"pick": "uniform(train)->pgd | labels | hamming", "split": "train"}
    compose_controls.choose("negative(test) | labels | hamming")
    assert compose_controls.st.session_state["pick"] == "AKH"
    compose_controls.choose("negative(test) | pairwise | cosine")
    assert "needs pairs of images" in compose_controls.st.session_state["notice"][0]
    assert compose_controls.st.session_state["pick"] == "AKH"


def test_an_unrecorded_combination_offers_to_run(compose, submitted):
    app = sound(compose(pick=OTHER))
    assert headline(app) == f"{OTHER} has not been measured yet"
    app.button(key="run").click().run()
    assert submitted[0].args["scheme"] == OTHER
    assert sound(app).button(key="keep").disabled


def test_a_run_that_is_not_taken_is_a_notice(compose, monkeypatch):
    def refuse(jobs, job, by, anew=False):
        raise QurdError("Expected fewer runs.")

    monkeypatch.setattr(Jobs, "submit", refuse)
    app = compose(pick=OTHER)
    app.button(key="run").click().run()
    assert notices(sound(app)) == ["Expected fewer runs."]


@pytest.mark.parametrize(("seconds", "label"), [(None, "Run"), (math.nan, "Run"), (12.3, "Run · about 12 s")])
def test_the_button_says_how_long_it_takes_on_this_machine(compose, monkeypatch, seconds, label):
    monkeypatch.setattr(Jobs, "expected", lambda jobs, job: seconds)
    assert label in labels(compose(pick=OTHER))


@pytest.mark.slow
def test_a_run_shows_its_place_its_progress_and_what_it_has(compose, tmp_path):
    one = job()
    leave(tmp_path, one, 2)
    note(tmp_path, one, "running", started=time.time() - 10, done=4000, total=10000)
    app = sound(compose(pick=OTHER))
    assert "Cancel" in labels(app)
    assert headline(app).startswith(f"{OTHER} catches ")
    assert "live 2 of 5" in json.dumps(spec(app)["data"])
    assert "2 of 5" in app.metric[0].label
    app.toggle(key="hard").set_value(True).run()
    assert sound(app).metric[0].value
    app.select_slider(key="budget").set_value(400).run()
    assert sound(app).metric[0].value


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        ("cancelled", {}, "Stopped in query seed 2 of 5. What was computed is stored."),
        ("cancelled", {"error": UNWANTED}, "Stopped\\, because no browser tab that wanted it was open any more"),
        ("failed", {"error": "Expected <b>x</b>."}, r"Expected \<b\>x\<\/b\>\."),
    ],
)
@pytest.mark.slow
def test_a_run_that_has_ended_says_how_and_can_be_repeated(compose, tmp_path, state, more, words):
    one = job()
    leave(tmp_path, one, 2)
    note(tmp_path, one, state, **more)
    app = compose(pick=OTHER)
    assert not app.exception
    assert words in " ".join([said(app), *(error.value for error in app.error)])
    assert any(label.startswith("Run") for label in labels(app))


def test_a_run_whose_process_is_gone_says_so(compose, tmp_path):
    note(tmp_path, job(), "running", started=0)
    path = tmp_path / "runs" / f"{job().key}.json"
    os.utime(path, (1_000_000_000, 1_000_000_000))
    app = compose(pick=OTHER)
    assert "worker process ended" in app.error[0].value


def test_a_run_of_the_command_line_is_seen(compose, tmp_path):
    about = {"benchmark": "patchwork-sac", "schemes": [OTHER], "done": 12, "total": 90}
    publish(tmp_path / "runs" / "x.json", {"state": "running", "pid": os.getpid(), **about})
    assert "Another process measures this combination: 12 of 90 units done." in said(sound(compose(pick=OTHER)))


@pytest.mark.slow
def test_a_finished_run_stands_beside_the_records(compose, tmp_path):
    one = job()
    leave(tmp_path, one, 5)
    note(tmp_path, one, "done")
    app = sound(compose(pick=OTHER))
    assert not any(label.startswith("Run") for label in labels(app))
    assert "live, 5 of 5 query seeds" in app.metric[0].label


def test_a_pin_travels_to_the_budget_page(compose):
    app = compose(pick="SAC")
    app.button(key="keep").click().run()
    assert sound(app).multiselect(key="pin").value == ["SAC"]
    app.switch_page("pages/budget.py").run()
    assert sound(app).multiselect(key="pin").value == ["SAC"]


def test_the_card_opens(compose):
    app = compose(pick="SAC")
    app.button(key="card").click().run()
    assert any("scheme-card" in element.value for element in sound(app).html)


@pytest.mark.slow
def test_a_run_has_a_card_too_and_one_that_has_left_nothing_has_none(compose, tmp_path):
    app = compose(pick=OTHER)
    assert app.button(key="card").disabled
    leave(tmp_path, job(), 2)
    app = compose(pick=OTHER)
    app.button(key="card").click().run()
    (card,) = [element.value for element in sound(app).html if "class='scheme-card'" in element.value]
    assert "Live, on 2 of 5 query seeds." in card and "pgd(eps=0.05)" in card
    recorded = rate_records.read("patchwork-sac", task="same")
    rows = recorded[(recorded["scheme"] == "negative(test)->pgd | labels | hamming") & (recorded["budget"] == 100)]
    assert f"Effectiveness<b>{100 * rows['tpr'].iloc[0]:.1f}" in card
    assert "The suspect must reveal labels." in card and "Nobody published this combination" in card


@pytest.mark.slow
def test_the_card_waits_for_the_end_of_the_run_whose_seeds_would_close_it(compose, tmp_path):
    leave(tmp_path, job(), 2)
    note(tmp_path, job(), "running", done=2, total=5, started=time.time())
    assert compose(pick=OTHER).button(key="card").disabled
    note(tmp_path, job(), "cancelled")
    assert not compose(pick=OTHER).button(key="card").disabled


@pytest.mark.slow
def test_the_card_of_a_run_says_that_it_has_left_nothing_at_this_budget(compose, tmp_path):
    leave(tmp_path, job(), 1, last=50)
    app = compose(pick=OTHER, budget="100")
    app.button(key="card").click().run()
    assert "The run has left no value at 100 queries." in said(sound(app))


@pytest.mark.slow
def test_the_card_of_a_calibration_of_ones_own_says_so(compose, tmp_path):
    pool = sorted(evidence.pairs("patchwork-sac").query("kind == 'negative'")["root"].unique())[:30]
    leave(tmp_path, job(pool=tuple(pool)), 5)
    app = compose(pick=OTHER, pool=pool)
    app.button(key="card").click().run()
    assert any("Live, on 5 of 5 query seeds, calibrated on 30 lineages." in element.value for element in sound(app).html)


def test_without_records_the_page_says_what_to_do(compose, tmp_path, monkeypatch):
    monkeypatch.setattr(rate_records, "FOLDER", tmp_path / "none")
    assert sound(compose()).subheader[0].value == "No records yet"


@pytest.mark.parametrize("bench", ["patchwork-sac", "published-cifar10", "mine"])
@pytest.mark.slow
def test_the_reference_itself_can_be_picked(compose, tmp_path, monkeypatch, bench):
    """It has an interval, but no verdict against itself."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    every = evidence.pairs("patchwork-reuse")
    kept = frozenset(zip(every["victim"], every["suspect"], strict=True))
    BenchFile("patchwork-reuse", kept).write(home_of("mine"))
    app = compose(bench=bench, pick="AKH")
    assert not app.exception
    assert headline(app).startswith("AKH catches")
    noted = [note.value for note in app.caption if "over models" in note.value]
    assert len(noted) == 1
    assert noted[0].endswith("%")
    assert ("Part of patchwork-reuse: the named and the best combinations" in said(app).replace("\\", "")) == (
        bench == "mine"
    )


@pytest.mark.slow
def test_a_run_whose_result_was_altered_says_so_and_can_be_run_again(compose, tmp_path):
    one = job()
    note(tmp_path, one, "done")
    leave(tmp_path, one, 5)
    path = tmp_path / "runs" / f"{one.key}.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    app = compose(pick=OTHER)
    assert not app.exception
    (told,) = [error.value for error in app.error]
    assert "was altered" in told and "Run it again" in told
    assert "Run" in labels(app)
    assert path.read_bytes() == data, "nothing is lost"
    assert app.run().error, "nor forgotten at the next look"
