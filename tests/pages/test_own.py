"""Benchmarks that somebody brings: every page shows what there is of them, and says what is missing or out of date."""

import shutil
import time
from pathlib import Path

import pytest

from pages.ui import cached
from pages.ui.frame import OF_NONE, PAGES
from pages.ui.own import measuring
from qurd_core.benchmarks import base, registered
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.jobs.kinds import own_job, rate_job
from qurd_core.jobs.queue import Jobs, Status
from qurd_core.records import own_records
from tests.qurd_core.benchmarks.own.test_answer_table import answers

PATIENCE = 120  # seconds; the machine may be busy
OF_BENCHES = [page for page in PAGES if page not in OF_NONE]
VIEWS = [
    *((page, {}) for page in OF_BENCHES),
    *(("leaderboard", {"view": view}) for view in ("table", "swap")),
    *(("benchmark", {"section": section}) for section in ("lineage", "images", "bench")),
    ("budget", {"play": "true"}),
    ("queries", {"view": "telling"}),
    ("separability", {"of": "AKH", "victim": "mine", "pair": "copy"}),
    ("separability", {"show": "bound"}),
    ("leaderboard", {"hard": "true", "rule": "guaranteed"}),
]


@pytest.fixture(scope="module")
def brought(tmp_path_factory):
    """A store with a table of answers, a part of it, and the table of an owner without a stolen model, all measured."""
    home = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QURD_STORE", str(home / "store"))
        patch.setattr("qurd_core.evaluation.recording.own.SEEDS", 2)
        rate_job.desk_of.cache_clear()
        table = answers(probits=True)
        roles = table["model"].map({"mine": "victim", "copy": "suspect", "twin": "hard"}).fillna("unrelated")
        owners = table.assign(role=roles)[table["model"] != "student"]
        for name, rows in (("shop", table), ("owner", owners)):
            rows.to_csv(home / f"{name}.csv", index=False)
            base.register(name, str(home / f"{name}.csv"))
            about = {"state": registered.state(home / f"{name}.csv"), "parts": own_records.parts()}
            own_job.run(home / "store", home / "job", lambda done, total: None, benchmark=name, **about)
        pairs = [("mine", name) for name in ("mine", "copy", *(f"other{n}" for n in range(20)))]
        BenchFile("shop", frozenset(pairs)).write(home_of("part"))
    return home


@pytest.fixture
def opened(shipped, brought, tmp_path, monkeypatch):
    """Opens the app on a copy of that store, which a test may change."""
    shutil.copytree(brought / "store", tmp_path / "store")
    monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
    measuring._state.clear()
    return shipped


@pytest.fixture
def worker():
    """Jobs of the store of this test alone, with a worker process."""
    cached.jobs.clear()
    yield
    cached.jobs().close()
    cached.jobs.clear()


def shown_progress(app):
    return app.get("progress")[0].proto.text.replace("\\", "")


def said(app):
    return " ".join(element.value for element in (*app.markdown, *app.caption, *app.text)).replace("\\", "")


@pytest.mark.parametrize("name", ["shop", "part"])
@pytest.mark.parametrize(("page", "link"), VIEWS, ids=str)
@pytest.mark.slow
def test_every_page_shows_it(opened, page, link, name):
    app = opened(page=page, bench=name, link=link)
    assert not app.exception
    assert app.header
    assert not app.subheader
    assert app.segmented_control(key="bench").value == name


@pytest.mark.parametrize("page", OF_BENCHES)
def test_without_stolen_models_pages_of_rates_say_so_and_lead_to_suspects(opened, page):
    app = opened(page=page, bench="owner")
    assert not app.exception
    if page in measuring.OF_RATES:
        assert [one.value for one in app.subheader] == ["No stolen models here"]
        assert [one.value for one in app.code] == ["qurd check owner"]
        assert [one.proto.page for one in app.get("page_link")] == ["check"]
    else:
        assert app.header
        assert not app.subheader


def test_crafts_are_grey_with_the_reason_where_there_are_no_models(opened):
    app = opened(page="compose", bench="shop", pick="AKH")
    assert app.button(key="craft-pgd").disabled
    assert "no model is here that could answer them" in app.button(key="craft-pgd").help
    assert not app.button(key="representation-probits").disabled
    assert "pgd" not in str(opened(page="queries", bench="shop").selectbox(key="left").options)


def test_compose_starts_with_a_scheme_that_fits(opened):
    assert opened(page="compose", bench="shop").header[0].value.startswith("AKH")


def test_a_name_that_nobody_registered_here_is_left_out_and_said(opened):
    app = opened(bench="other")
    assert app.segmented_control(key="bench").value != "other"
    assert app.session_state["reported"] == ["benchmark other"]


def test_what_has_changed_since_it_was_measured_is_said_and_old_records_are_shown(opened, tmp_path):
    moved = tmp_path / "moved.csv"
    shutil.copy(registered.read("shop").path, moved)
    registered.write(registered.Registration("shop", moved))
    moved.write_text(moved.read_text() + "\n")
    app = opened(page="budget", bench="shop")
    assert "shop has changed since it was measured." in said(app)
    assert app.button(key="measure-own").label == "Measure again"
    assert app.get("plotly_chart")
    moved.unlink()
    measuring._state.clear()
    app = opened(page="budget", bench="shop")
    assert "shop is not where it was registered any more" in said(app)
    assert app.get("plotly_chart")


def test_what_was_never_measured_is_asked_for_once_and_says_how_far_it_is(opened, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(Jobs, "submit", lambda jobs, job, by, anew=False: asked.append(job))
    own_records.forget("shop")
    app = opened(page="budget", bench="shop")
    assert [(job.kind, job.args["benchmark"]) for job in asked] == [("own", "shop")]
    assert not app.header
    running = Status("", "running", 300, 1000, 12.0)
    monkeypatch.setattr(Jobs, "status", lambda jobs, key: running)
    app = opened(page="budget", bench="shop")
    assert shown_progress(app) == "Measuring shop: asking its models, about 28 s left"
    assert len(asked) == 1


def test_how_many_schemes_are_measured_is_said_while_pages_show_them(opened, monkeypatch):
    note = own_records.note_of("shop")
    about = {"benchmark": "shop", "state": note.state, "parts": note.parts}
    own_records.write_note("shop", own_records.Note(**{**vars(note), "done": 2}))
    app = opened(page="budget", bench="shop")
    assert "2 of 4 schemes are measured on shop" in said(app)
    assert app.button(key="measure-own").label == "Measure the rest"
    monkeypatch.setattr(Jobs, "status", lambda jobs, key: Status(key, "running", 500, 1000, 40.0))
    app = opened(page="budget", bench="shop")
    assert shown_progress(app) == "Measuring shop: 2 of 4 schemes, about 40 s left"
    assert app.button(key="cancel-own").label == "Cancel"
    assert app.get("plotly_chart")
    assert measuring.job_of("shop", note.state).args == about


def test_why_it_cannot_be_measured_is_one_sentence(opened, monkeypatch):
    own_records.forget("shop")
    failed = Status("", "failed", error="delta_C needs images that the victim gets wrong.")
    monkeypatch.setattr(Jobs, "status", lambda jobs, key: failed)
    app = opened(page="budget", bench="shop")
    assert not app.exception
    assert "delta_C needs images that the victim gets wrong." in said(app)
    assert app.button(key="measure-own")


@pytest.mark.slow
def test_a_benchmark_is_measured_by_a_worker_while_its_page_is_open(opened, worker):
    own_records.forget("shop")
    opened(page="benchmark", bench="shop")
    job = measuring.job_of("shop", registered.state(Path(registered.read("shop").path)))
    status, end = cached.jobs().status(job.key), time.monotonic() + PATIENCE
    while status.active and time.monotonic() < end:
        time.sleep(0.05)
        status = cached.jobs().status(job.key)
    assert (status.state, status.error) == ("done", None)
    app = opened(page="benchmark", bench="shop")
    assert app.header
    assert own_records.note_of("shop").whole


@pytest.mark.parametrize(("name", "suspects"), [("owner", ["copy"]), ("shop", [])])
def test_check_offers_models_of_unknown_origin_first(opened, name, suspects):
    app = opened(page="check", bench=name)
    options = app.multiselect(key="suspect").options
    assert options[: len(suspects)] == suspects
    assert "mine" not in options and len(options) == len(set(options))
    assert app.header[0].value.startswith("Choose the model")
    app.multiselect(key="suspect-words").set_value(["copy"]).run()
    assert app.header[0].value.replace("\\", "").startswith("Is copy closer to mine than 20 unrelated lineages are?")
    assert not app.button(key="ask").disabled


def test_check_says_what_to_do_where_unrelated_models_are_few(opened):
    app = opened(page="check", bench="owner", suspect=["copy", "twin"])
    assert app.header[0].value.replace("\\", "") == "20 unrelated lineages: 19 more allow a verdict about 2 suspects at 5 %"
    assert "Add the answers of more unrelated models to your table" in said(app)
    assert app.button(key="ask").disabled


@pytest.mark.slow
def test_a_check_of_a_table_is_asked_by_the_worker_and_said(opened, worker):
    app = opened(page="check", bench="owner", suspect=["copy"], budget="10", stop="peak", view="path")
    app.button(key="ask").click().run()
    end = time.monotonic() + PATIENCE
    while app.get("progress") and time.monotonic() < end:
        time.sleep(0.5)
        app.run()
    assert "copy" in app.header[0].value and "unrelated lineages" in app.header[0].value
    assert [button.label for button in app.get("download_button")][-1] == "Evidence"
