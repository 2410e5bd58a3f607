"""Uploaded tables are seen by the session that brought them, and by whoever runs the app; a hosted app keeps them a day."""

import os

import pytest

from pages.ui.benchmark import bench_menu
from pages.ui.hosting import visitor
from pages.ui.hosting.visitor import Peer
from pages.ui.own import bringing
from qurd_core.benchmarks import registered
from qurd_core.benchmarks.own import uploads
from tests.qurd_core.benchmarks.own.test_answer_table import answers


@pytest.fixture
def brought(shipped, monkeypatch):
    """The app with an uploaded table, and one that was registered by a command."""
    data = answers().to_csv(index=False).encode()
    path = uploads.keep("answers.csv", data)
    uploads.accept(uploads.called(data))
    registered.write(registered.Registration("shop", path))
    bringing._brought.clear()
    return uploads.called(data)


def offered(app):
    return app.segmented_control(key="bench").options


def stranger(monkeypatch):
    monkeypatch.setattr(visitor, "peer", lambda: Peer("192.168.1.20", {"host": "qurd.example.org"}))


def test_whoever_runs_the_app_sees_all_and_a_visitor_what_was_registered_and_its_own(shipped, brought, monkeypatch):
    assert {brought, "shop"} <= {*offered(shipped())}
    stranger(monkeypatch)
    app = shipped(bench=brought)
    assert brought not in offered(app)
    assert "shop" in offered(app)
    assert app.session_state["reported"] == [f"benchmark {brought}"]
    monkeypatch.setattr(bringing, "_mine", lambda: {brought})
    assert brought in offered(shipped())


@pytest.mark.parametrize("hosted", [True, False])
def test_uploads_go_after_a_day_where_the_app_is_hosted(shipped, brought, monkeypatch, hosted):
    path = uploads.waiting(brought)
    old = path.stat().st_mtime - uploads.KEPT - 60
    os.utime(path, (old, old))
    monkeypatch.setenv(visitor.HOSTED, str(int(hosted)))
    app = shipped()
    assert (brought in offered(app)) is not hosted
    assert path.exists() is not hosted


@pytest.mark.parametrize(
    ("address", "variable", "hosted"),
    [
        ("127.0.0.1", "", False),
        ("localhost", "", False),
        ("::1", "", False),
        ("0.0.0.0", "", True),
        ("192.168.1.20", "", True),
        (None, "", True),
        ("127.0.0.1", "1", True),
    ],
)
def test_an_app_is_hosted_where_another_machine_can_open_it_or_it_is_said(monkeypatch, address, variable, hosted):
    monkeypatch.setattr(visitor.st, "get_option", {"server.address": address}.get)
    monkeypatch.setenv(visitor.HOSTED, variable)
    assert visitor.hosted() is hosted


def test_a_visitor_saves_no_part_of_an_uploaded_table(monkeypatch):
    stranger(monkeypatch)
    assert "are saved only by whoever runs this app" in bench_menu._complaint("mine", "own-12345678")
