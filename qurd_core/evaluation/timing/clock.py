"""What time and memory are measured with: commands from start to end, alternating timings, how busy the machine is."""

import contextlib
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from qurd_core.files import ROOT

POLL = 1.0  # seconds between two looks at the memory


class Timed(NamedTuple):
    """How long a command took from start to end, what it and its workers spent of the CPU, their largest sum of PSS.

    CPU seconds are what other programs on the machine change least.
    """

    seconds: float
    cpu: float
    memory: int


def timed(arguments: Sequence[str], *, threads: int | None = None, look: bool = True) -> Timed:
    """Run Python with these arguments in the checkout, from process start to process end.

    Args:
        threads: threads of every process, where the program does not say itself.
        look: whether to watch the memory, which costs a little time.
    """
    several = {} if threads is None else {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    peak, ended = [0], threading.Event()
    started, spent = time.perf_counter(), _children()
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | several, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:

        def watch() -> None:
            while not ended.wait(POLL):
                peak[0] = max(peak[0], memory_of(process.pid))

        watcher = threading.Thread(target=watch, daemon=True)
        if look:
            watcher.start()
        said = process.communicate()[0].decode()
        seconds = time.perf_counter() - started
        ended.set()
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{said[-2_000:]}")
    return Timed(seconds, _children() - spent, peak[0])


def best(work: Callable[[], object], tries: int = 3) -> float:
    """The fewest CPU seconds that some work took."""
    seconds = []
    for _ in range(tries):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


def alternate(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median CPU seconds of each function, on the threads that it uses; they take turns, and warm up once."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            started = time.process_time()
            function()
            if turn:
                seconds[name].append(time.process_time() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def load() -> str:
    """How busy the machine is."""
    return f"{os.cpu_count()} cores, load average of the last minute {os.getloadavg()[0]:.1f}"


def memory_of(pid: int) -> int:
    """Bytes of memory that a process and everything that it started hold."""
    return sum(map(_pss, family(pid)))


class Peak:
    """The most memory that this process has held since this was made, in bytes; 0 where the system does not tell."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def __call__(self) -> int:
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
        except OSError:
            return 0
        return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _children() -> float:
    """CPU seconds of every process that was started from here and has ended, with what those started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(root: int) -> list[int]:
    """The process and everything that it started."""
    found = [root]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def _pss(pid: int) -> int:
    """Proportional set size of a process in bytes; 0 if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
