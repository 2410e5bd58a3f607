"""What the benchmark scripts share: timed commands with their memory, alternating timings, a plain table."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SIX = ("AKH", "Random", "IPGuard", "ModelDiff", "SAC", "ZestOfLIME")
BUDGETS = (10, 20, 50, 100, 200, 400)
POLL = 0.25  # seconds between two looks at the memory


class Timed(NamedTuple):
    """How long a command took from start to end, and the largest sum of PSS over its processes in bytes."""

    seconds: float
    memory: int


def run_command(store: Path, *, seeds: int, budgets: Sequence[int], workers: int) -> list[str]:
    """The arguments of `run` with the six schemes on patchwork-sac."""
    asked = [part for scheme in SIX for part in ("--scheme", scheme)]
    asked += ["--budget", ",".join(map(str, budgets)), "--seeds", str(seeds), "--workers", str(workers)]
    return ["-m", "qurd_core", "run", "--benchmark", "patchwork-sac", "--device", "cpu", "--store", str(store), *asked]


def timed(arguments: Sequence[str], *, threads: int | None = None, look: bool = True) -> Timed:
    """Run Python with these arguments in the checkout, from process start to process end.

    Args:
        threads: threads of every process, where the program does not say itself.
        look: whether to watch the memory, which costs a little time.
    """
    several = {} if threads is None else {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    peak, ended = [0], threading.Event()
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | several, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:

        def watch() -> None:
            while not ended.wait(POLL):
                peak[0] = max(peak[0], sum(map(_pss, _tree(process.pid))))

        watcher = threading.Thread(target=watch, daemon=True)
        if look:
            watcher.start()
        said = process.communicate()[0].decode()
        seconds = time.perf_counter() - started
        ended.set()
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{said[-2_000:]}")
    return Timed(seconds, peak[0])


def alternate(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each function; they take turns, so that a busy machine is busy for all, and warm up once."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(repeats + 1):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers are aligned to the right."""
    texts = [list(columns), *([_text(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(columns))]
    print(f"\n{title}")
    for row in texts:
        print("  " + "  ".join(text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths))))


def load() -> str:
    """How busy the machine is."""
    return f"{os.cpu_count()} cores, load average of the last minute {os.getloadavg()[0]:.1f}"


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 10 else f"{value:.1f}" if isinstance(value, float) else str(value)


def _tree(root: int) -> list[int]:
    """The process and everything that it started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _pss(pid: int) -> int:
    """Proportional set size of a process in bytes; 0 if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
