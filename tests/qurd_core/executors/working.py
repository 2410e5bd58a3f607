"""A worker without models for the tests of jobs: `python -m tests.qurd_core.executors.working STORE`."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

from qurd_core.errors import QurdError
from qurd_core.jobs.queue import UNWRITTEN


def run(folder: Path, stem: Path, progress: Callable[[int, int], None], *, do: str, steps: int = 3, name: str = "") -> None:
    """Count, be deaf, refuse, break or die."""
    with (folder / "ran.txt").open("a") as log:
        log.write(f"{do}{name}\n")
    if do == "refuse":
        raise QurdError("Expected something else.")
    if do == "break":
        raise ZeroDivisionError("division by zero")
    if do == "fill":
        raise OSError(28, "No space left on device")
    if do == "die":
        os._exit(9)
    if do == "end unwritten":
        os._exit(UNWRITTEN)
    if do == "deaf":
        time.sleep(60)
    for step in range(steps):
        progress(step, steps)
        time.sleep(0.02)
    stem.with_suffix(".txt").write_text("done")


def expected(folder: Path, *, do: str, steps: int = 3) -> float | None:
    """Two hundredths of a second for each step; unknown for whoever is deaf."""
    if do == "refuse":
        raise QurdError("Expected something else.")
    if do == "break":
        raise ZeroDivisionError("division by zero")
    return None if do == "deaf" else 0.02 * steps


def idle(folder: Path, benchmark: str, inbox: object) -> Iterator[None]:
    """Prepares for ever."""
    (folder / "warm.txt").write_text(benchmark)
    while True:
        time.sleep(0.02)
        yield


if __name__ == "__main__":
    sys.modules["torch"] = SimpleNamespace(set_num_threads=lambda threads: None)  # takes seconds to import
    from qurd_core.jobs import worker

    worker.KINDS = {"test": "tests.qurd_core.executors.working"}
    worker.prepare = idle
    worker.main()
