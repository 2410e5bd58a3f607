"""The pages of the app on stores that are in a bad way."""

import os
import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from streamlit.testing.v1 import AppTest

from pages.ui.frame import HOME, PAGES
from qurd_core.files import ROOT
from qurd_core.jobs.queue import Jobs
from qurd_core.store import Store
from tests.faults import disks
from tests.faults.fault import Fault
from tests.faults.planted import PLANTS
from tests.faults.runs import Child

HOMES = (("benches", "json"), ("runs", "json"), ("runs", "parquet"), ("runs/active", "x"), ("answers/aa", "safetensors"))
PATIENCE = 180  # seconds for a page


def _open_all(folder: Path, say: Callable[..., None]) -> None:
    """Open every page on a store, in this process; nothing is computed."""
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {"QURD_STORE": str(folder)}))
        stack.enter_context(patch.multiple(Jobs, warm_up=lambda self, name: None, expected=lambda self, job: None))
        for page in PAGES:
            app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
            if page != HOME:
                app.switch_page(f"pages/{page}.py")
            app.run()
            refused = "This page cannot be shown" in [one.value for one in app.subheader]
            say("page", (page, not app.exception and not refused and bool(app.header)))


def _all_shown(child: Child) -> dict[str, float]:
    shown = dict(child.told("page"))
    assert list(shown) == list(PAGES)
    assert all(shown.values()), f"not shown: {[page for page, well in shown.items() if not well]}"
    return {"pages": len(shown)}


def read_only(folder: Path, rng: random.Random) -> dict[str, float]:
    """Open every page on a store that cannot be written."""
    Store(folder)

    def look(say: Callable[..., None]) -> None:
        disks.freeze(folder)
        _open_all(folder, say)

    return _all_shown(disks.apart(look))


def planted(folder: Path, rng: random.Random) -> dict[str, float]:
    """Open every page on a store into which somebody laid saved benchmarks, runs and results."""
    for home, ending in (
        ("benches", "json"),
        ("runs", "json"),
        ("runs/active", "x"),
        ("runs", "parquet"),
        ("answers/aa", "x"),
    ):
        (folder / home).mkdir(parents=True, exist_ok=True)
        for number, plant in enumerate(PLANTS.values()):
            plant(folder / home / f"planted-{number}.{ending}")
    return _all_shown(Child(lambda say: _open_all(folder, say)).well())


FAULTS = [
    Fault("every page of the app on a read-only store", "each is shown", 1, 3, read_only),
    Fault("every page of the app on a store with planted files", "each is shown", 1, 3, planted),
]
