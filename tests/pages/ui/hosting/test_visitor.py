"""Who may delete and import: whoever runs the app, on its own machine; a visitor is told why not."""

import re
import sys
from types import SimpleNamespace

import pytest
import streamlit as st

from pages.ui.hosting import visitor
from pages.ui.hosting.visitor import ALLOW, Peer
from qurd_core.benchmarks import saved_benchmarks
from qurd_core.benchmarks.own import uploads
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.files import ASSETS
from qurd_core.jobs import queue, room
from qurd_core.records import evidence
from tests.pages.screen import notices, sound

BASE = "patchwork-reuse"
HOME = {"host": "localhost:8501"}
STRANGER = Peer("192.168.1.20", {"host": "talk.example"})
AWAY = "by whoever runs this app: open it as localhost on its own machine, or start it with --allow-files."


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "app.localhost"])
def test_only_this_machine_opens_a_loopback_address(host):
    assert visitor.opens_here(f"http://{host}:8501/budget")


@pytest.mark.parametrize("host", ["talk.example", "192.168.1.20", "[2001:db8::1]", "localhost.example", "128.0.0.1", "[1"])
def test_the_room_may_reach_any_other(host):
    assert not visitor.opens_here(f"http://{host}:8501/budget")


@pytest.mark.parametrize(
    ("address", "headers", "runs"),
    [
        (None, HOME, True),
        ("127.1.2.3", HOME, True),
        ("::ffff:127.0.0.1", {"host": "[::1]:8501"}, True),
        ("192.168.1.20", HOME, False),  # whatever name it gives
        ("::ffff:10.0.0.1", HOME, False),
        ("unknown", HOME, False),
        (None, {"host": "talk.example"}, False),  # a page elsewhere gave this name the address of this machine
        (None, {"host": "[1"}, False),
        (None, HOME | {"x-forwarded-for": "127.0.0.1"}, False),
        (None, HOME | {"forwarded": "for=127.0.0.1"}, False),
        (None, {}, False),  # its connection is gone
    ],
)
def test_whoever_runs_the_app_is_on_its_machine(monkeypatch, address, headers, runs):
    monkeypatch.setattr(visitor, "peer", lambda: Peer(address, headers))
    assert visitor.runs_the_app() == runs
    monkeypatch.setattr(sys, "argv", ["app.py", ALLOW])
    assert visitor.runs_the_app()


@pytest.mark.parametrize("there", [True, False])
def test_a_session_is_open_while_its_tab_is_connected(monkeypatch, there):
    assert not visitor.is_open("one")  # there is no server
    server = SimpleNamespace(is_active_session=lambda name: there and name == "one")
    monkeypatch.setattr(visitor.runtime, "get_instance", lambda: server)
    assert visitor.is_open("one") == there


def test_the_page_on_hosting_has_the_limits_as_they_are():
    limits = re.findall(r"^\| (.*) \| .* \|$", (ASSETS / "docs" / "hosting.md").read_text(), re.MULTILINE)[1:]
    kept = st.get_option("server.disconnectedSessionTTL")
    assert limits == [
        f"a run goes on for {queue.ALONE:g} s after the last browser tab that wanted it is closed",
        f"{queue.OF_ONE} runs of one tab wait or run",
        f"{queue.OF_ALL} runs wait, of all tabs",
        f"{room.MOST:g} GB in the store (`{room.VARIABLE}` says another number)",
        f"a closed tab can come back for {kept} s",
        f"an uploaded table has {st.get_option('server.maxUploadSize')} MB, all of them have {uploads.ALL // 1_000_000} MB",
    ]


@pytest.fixture
def away(monkeypatch):
    monkeypatch.setattr(visitor, "peer", lambda: STRANGER)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A benchmark that somebody has saved."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    saved = BenchFile(BASE, frozenset(designed(-30)))
    saved.write(saved_benchmarks.home_of("mine"))
    return saved


def designed(until):
    return list(zip(*(evidence.pairs(BASE)[role] for role in ("victim", "suspect")), strict=True))[:until]


def test_a_visitor_deletes_no_benchmark_and_is_told_why(shipped, mine, away):
    app = shipped(page="benchmark", bench="mine", section="bench")
    app.menu_button(key="more").click("Delete mine …").run()
    assert notices(sound(app)) == [f"A saved benchmark is deleted only {AWAY}"]
    assert not [button for button in app.button if "for good" in button.label]
    assert saved_benchmarks.saved_names() == ["mine"]


@pytest.mark.slow
def test_a_visitor_replaces_no_benchmark_of_somebody_else_and_saves_new_ones(shipped, mine, away):
    app = shipped(page="benchmark", bench=BASE, section="bench")
    name = app.text_input(key=f"bench_name_{BASE}")
    name.input("mine").run()
    assert [text.value for text in app.text if "mine exists" in text.value and AWAY in text.value]
    assert saving(app).disabled
    name.input("theirs").run()
    BenchFile(BASE, mine.pairs).write(saved_benchmarks.home_of("theirs"))  # while the button is on the screen
    saving(app).click().run()
    assert app.error[0].value.startswith("theirs exists, so choose another name. A saved benchmark is replaced only")
    assert BenchFile.read(saved_benchmarks.home_of("theirs")) == mine
    app.text_input(key=f"bench_name_{BASE}").input("ours").run()
    for _ in range(2):  # what one has saved a moment ago may be saved again
        saving(app).click().run()
        assert len(BenchFile.read(saved_benchmarks.home_of("ours")).pairs) == len(evidence.pairs(BASE))


@pytest.mark.slow
def test_no_benchmark_is_saved_in_a_full_store(shipped, mine, monkeypatch):
    app = shipped(page="benchmark", bench=BASE, section="bench")
    app.text_input(key=f"bench_name_{BASE}").input("ours").run()
    monkeypatch.setenv("QURD_STORE_GB", "1e-9")
    saving(app).click().run()
    assert app.error[0].value.startswith("Expected at most 1e-09 GB in the store of this app.")
    assert saved_benchmarks.saved_names() == ["mine"]


def saving(app):
    return next(button for button in sound_but_for_names(app).button if button.label == "Save your benchmark")


def sound_but_for_names(app):
    assert not app.exception
    return app


def test_a_visitor_is_asked_for_no_path_on_the_server(shipped, away):
    app = sound(shipped(page="benchmark", bench="published-cifar10", section="bench"))
    assert [one.value.replace("\\", "") for one in app.caption if AWAY in one.value.replace("\\", "")]
    assert "import_path" not in [one.key for one in app.text_input]
    assert "Import" not in [button.label for button in app.button]


def test_the_app_that_is_started_for_them_asks_visitors_for_a_path(shipped, away, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py", ALLOW])
    app = sound(shipped(page="benchmark", bench="published-cifar10", section="bench"))
    assert "import_path" in [one.key for one in app.text_input]
