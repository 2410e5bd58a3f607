"""The process that computes for the app: python -m qurd_core.jobs.worker STORE, one JSON line per job on its input.

It ends when its input does, so it never outlives the app. While it has nothing to do it prepares the benchmark on screen:
it loads the models, measures how fast they answer here, and asks them about the natural images, in small steps, so that a
job never waits for more than one.
"""

import io
import json
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from qurd_core.errors import QurdError, refused
from qurd_core.jobs import room
from qurd_core.jobs.queue import LOOK, UNWRITTEN
from qurd_core.records.runs import Cancelled, RunFile, path_of, publish

KINDS = {
    "rates": "qurd_core.jobs.kinds.rate_job",
    "queries": "qurd_core.jobs.kinds.query_job",
    "import": "qurd_core.jobs.kinds.import_job",
    "check": "qurd_core.jobs.kinds.check_job",
    "own": "qurd_core.jobs.kinds.own_job",
    "upload": "qurd_core.jobs.kinds.upload_job",
}
PAUSE = 1.5  # seconds before a preparation starts: whoever clicks through benchmarks needs the processor first
NICE = 10  # the page and the browser come first; with a core to spare it costs nothing

Inbox = queue.SimpleQueue  # of messages; None when the input has ended


def work(folder: Path, message: dict[str, Any]) -> None:
    """One job from start to end; whatever happens, its file says so."""
    key, kind, args = message["key"], message["kind"], message["args"]
    progress = RunFile(path_of(folder, key), {"kind": kind, **args})
    state, error = "done", None
    try:
        room.check(folder)
        import_module(KINDS[kind]).run(folder, folder / "runs" / key, progress, **args)
    except Cancelled:
        state = "cancelled"
    except QurdError as wrong:
        state, error = "failed", str(wrong)
    except OSError as wrong:
        state, error = "failed", refused(wrong)
    except Exception as fault:  # the app shows it; a worker that dies of one job would take the queue with it
        state, error = "failed", f"Something went wrong that should not: {type(fault).__name__}: {fault}"
    if not progress.note(state, error):
        os._exit(UNWRITTEN)  # the disk refuses, so the app can learn only by this that the job has ended


def expect(folder: Path, message: dict[str, Any]) -> None:
    """Leave how many seconds a job takes in `runs/<key>.seconds`: null if it cannot run, nothing while that is not known."""
    try:
        room.check(folder)
        seconds = import_module(KINDS[message["kind"]]).expected(folder, **message["args"])
    except Exception:  # whoever runs the job is told; the worker goes on
        seconds = math.nan
    if seconds is not None:
        said = seconds if math.isfinite(seconds) else None
        publish(folder / "runs" / f"{message['expect']}.seconds", {"seconds": said})


def prepare(folder: Path, benchmark: str, inbox: Inbox) -> Iterator[None]:
    """Small steps towards a worker that answers at once; whoever has a job for it waits for one step at most."""
    from qurd_core.jobs.kinds.rate_job import prepared

    until = time.monotonic() + PAUSE
    while time.monotonic() < until:
        time.sleep(LOOK)
        yield
    yield from prepared(folder, benchmark, lambda: not inbox.empty())


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(NICE)
    sys.modules["triton"] = None  # torchvision wakes the compiler of torch, 80 MB for what nobody compiles here
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal of the app ends the app, and with it this
    folder, steps = Path(sys.argv[1]), iter(())
    inbox = _listen()
    while True:
        if inbox.empty() and _step(steps):
            continue
        message = inbox.get()
        if "warm" in message:
            steps = prepare(folder, message["warm"], inbox)
        elif "expect" in message:
            expect(folder, message)
        else:
            work(folder, message)


def _step(steps: Iterator[None]) -> bool:
    """Whether there was something to prepare."""
    try:
        return next(steps, True) is None
    except (OSError, QurdError):
        return False  # whoever runs a job with this model is told


def _listen() -> Inbox:
    """Reads the input in a thread, because what a text file has read ahead cannot be waited for.

    A forked process closes the standard input at once, and would wait for ever for whoever reads it.
    """
    inbox: Inbox = queue.SimpleQueue()
    lines, sys.stdin = sys.stdin, io.StringIO()

    def read() -> None:
        for line in lines:
            inbox.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return inbox


if __name__ == "__main__":
    main()
