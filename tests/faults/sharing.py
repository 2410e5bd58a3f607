"""Several processes on one store, and clocks that differ."""

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import torch

from qurd_core.jobs.queue import Job, Jobs
from qurd_core.records import runs as run_files
from qurd_core.records.runs import publish
from qurd_core.store import Key, Store
from tests.faults import runs
from tests.faults.fault import Fault
from tests.faults.runs import FORK, Child, whole

DAY = 86_400.0
OLD = 10_000  # files of runs that have ended
PATIENCE = 60.0  # seconds for a job
CLICKS = 50  # sessions that press Run at once


def together(folder: Path, rng: random.Random) -> dict[str, float]:
    """Start the same run in two processes at once."""
    known, barrier = whole(), FORK.Barrier(2)

    def compute(say: Callable[..., None]) -> None:
        barrier.wait()
        runs.compute(folder)
        say("passes", runs.passes(folder))

    children = [Child(compute) for _ in range(2)]
    passes = sum(child.well().told("passes")[0] for child in children)
    assert passes == known.passes, f"{passes} passes instead of {known.passes}"
    assert runs.content(folder) == known.content, "other results than alone"
    assert not runs.drafts(folder)
    return {"passes for one": passes / known.passes}


def ahead(folder: Path, rng: random.Random) -> dict[str, float]:
    """Publish while another process, whose clock is days ahead, opens the store over and over."""
    ended = FORK.Event()

    def publishing(say: Callable[..., None]) -> None:
        store = Store(folder)
        for number in range(100):
            store.get(Key("answers", {"number": number}), lambda number=number: {"x": torch.arange(9) + number})
        ended.set()

    def opening(say: Callable[..., None]) -> None:
        now, opened = time.time, 0
        with patch.object(time, "time", lambda: now() + rng.randrange(1, 9) * DAY):
            while not ended.is_set():
                Store(folder)
                opened += 1
        say("opened", opened)

    other = Child(opening)
    Child(publishing).well()
    assert other.well().told("opened")[0] > 0
    assert len(runs.content(folder)) == 100
    assert not runs.drafts(folder)
    return {}


def old_runs(folder: Path, rng: random.Random) -> dict[str, float]:
    """Look for what runs, and open the store, beside the files of 10,000 runs that have ended."""
    publish(folder / "runs" / "now.json", {"state": "running", "pid": os.getpid()})
    jobs = Jobs(folder)
    Store(folder)
    text = '{"state": "done", "pid": 1, "about": {}}'
    for number in range(OLD):
        (folder / "runs" / f"{number}.json").write_text(text)
    looked, read = [], run_files.read
    with patch("qurd_core.jobs.queue.read", lambda path: looked.append(path.stem) or read(path)):
        began = time.monotonic()
        active = [status.key for status in jobs.active()]
        Store(folder)
        seconds = time.monotonic() - began
    assert active == looked == ["now"], f"{len(looked)} files were read"
    return {"ms": 1000 * seconds}


ASKED = Job("test", {"do": "count", "steps": 20})
WORKER = "tests.qurd_core.executors.working"


def _end(jobs: Jobs) -> str:
    """Wait until the job has ended, and tell how."""
    end = time.monotonic() + PATIENCE
    while (status := jobs.status(ASKED.key)) is None or status.active:
        assert time.monotonic() < end, "it did not end"
        time.sleep(0.01)
    return status.state


def apps(folder: Path, rng: random.Random) -> dict[str, float]:
    """Press Run in two apps on one store at once."""
    barrier = FORK.Barrier(2)

    def app(say: Callable[..., None]) -> None:
        jobs = Jobs(folder, worker=WORKER)
        barrier.wait()
        jobs.submit(ASKED, "whoever")
        say("state", _end(jobs))
        barrier.wait()
        jobs.close()

    assert [child.well().told("state") for child in [Child(app) for _ in range(2)]] == [["done"], ["done"]]
    assert (folder / "ran.txt").read_text() == "count\n", "it was computed more than once"
    return {}


def clicks(folder: Path, rng: random.Random) -> dict[str, float]:
    """Press Run in 50 sessions of one app at once."""
    jobs, keys = Jobs(folder, worker=WORKER), []
    barrier = threading.Barrier(CLICKS)

    def press() -> None:
        barrier.wait()
        keys.append(jobs.submit(ASKED, "whoever"))

    threads = [threading.Thread(target=press) for _ in range(CLICKS)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert _end(jobs) == "done"
    finally:
        jobs.close()
    assert keys == [ASKED.key] * CLICKS
    assert (folder / "ran.txt").read_text() == "count\n", "it was computed more than once"
    return {}


FAULTS = [
    Fault("two processes start the same crafted run on one store", "every model pass once, the same bytes", 2, 50, together),
    Fault("a second process whose clock is days ahead", "nothing that is being published is removed", 1, 50, ahead),
    Fault("files of 10,000 runs that have ended", "none of them is read to know what runs", 1, 5, old_runs),
    Fault("two apps on one store press Run at once", "computed once, both show its end", 2, 50, apps),
    Fault("50 sessions of one app press Run at once", "computed once", 1, 50, clicks),
]
