"""Opens the app."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from pages.ui.frame import HOME
from pages.ui.hosting import visitor
from pages.ui.hosting.visitor import Peer
from qurd_core.files import ROOT
from qurd_core.jobs.queue import Jobs

BENCH = "patchwork-sac"  # what a link of a test leads to unless it names another one, or a story


class _Navigated(PagesManager):
    """A server that has run `st.navigation` before, as any has after its first request. AppTest starts every run as a fresh
    one, which would run the file of a page without app.py.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        PagesManager.uses_pages_directory = False


@pytest.fixture(scope="session", autouse=True)
def coloured() -> None:
    """Streamlit reads the colours of the app once, in the folder where it is first asked: a test may be in another one."""
    with contextlib.chdir(ROOT):
        config.get_config_options()


@pytest.fixture(scope="session", autouse=True)
def components() -> Iterator[None]:
    """Components of other packages are looked for once, as a server does: AppTest would read about every package again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def navigated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_test, "PagesManager", _Navigated)
    # A script that AppTest runs stays behind as the main module, which worker processes of later tests would run again.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def idle(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker process, which would ask models for minutes beside the tests, unless a test takes a `worker`."""

    def refuse(jobs: Jobs) -> None:
        raise OSError

    if "worker" not in request.fixturenames:
        monkeypatch.setattr(Jobs, "_ready", refuse)


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens the app runs it: AppTest has no connection of which Streamlit could say where it comes from."""
    monkeypatch.setattr(visitor, "peer", lambda: Peer(None, {"host": "localhost:8501"}))


@pytest.fixture
def show(folder: Path) -> Callable[..., AppTest]:
    """Opens the app with the parameters of a link, on the small records."""
    return _open


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the app with the parameters of a link, on the shipped records and an empty store."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path))
    return _open


def _open(
    theme: str = "light", page: str | None = None, link: Mapping[str, str] | None = None, **more: str | list[str]
) -> AppTest:
    """The app as a link opens it; `link` has the parts that share their name with an argument."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.context = {"theme": theme}
    asked = (link or {}) | more
    for key, value in (asked if "story" in asked else {"bench": BENCH} | asked).items():
        app.query_params[key] = value
    if page and page != HOME:  # before the first run, so that it is as if the link were followed
        app.switch_page(f"pages/{page}.py")
    return app.run()
