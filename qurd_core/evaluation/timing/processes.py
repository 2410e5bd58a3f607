"""What a second process brings: the same run from an empty store in one and in two, as commands from start to end.

An efficiency of 1 is half the time. From start to end it also counts what other programs take of the cores meanwhile; by the
processor it is what remains when nobody else computes: what the work costs more where two processes share it.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qurd_core.evaluation.timing.clock import timed
from qurd_core.runtime import Track, silent

WORKERS = (1, 2)
SEEDS, BUDGET = 2, 100
GOAL = 0.85


def processes(name: str, schemes: Sequence[str], track: Track = silent) -> dict[str, Any]:
    """The run with one and with two processes: seconds from start to end, CPU seconds, megabytes, and the efficiency."""
    ran = {}
    with tempfile.TemporaryDirectory() as folder:
        for workers in track(WORKERS, len(WORKERS), "processes"):
            asked = [part for scheme in schemes for part in ("--scheme", scheme)]
            asked += ["--budget", str(BUDGET), "--seeds", str(SEEDS), "--workers", str(workers), "--device", "cpu", "--json"]
            command = ["-m", "qurd_core", "run", "--benchmark", name, "--store", str(Path(folder, str(workers))), *asked]
            ran[workers] = timed(command, threads=1)
    one, two = (ran[workers] for workers in WORKERS)
    return {
        "seconds": [round(each.seconds, 1) for each in (one, two)],
        "cpu_s": [round(each.cpu, 1) for each in (one, two)],
        "memory_mb": [round(each.memory / 1e6) for each in (one, two)],
        "efficiency": round(one.seconds / (2 * two.seconds), 3),
        "efficiency_by_cpu": round(one.cpu / two.cpu, 3),
        "goal": GOAL,
        "met": one.seconds / (2 * two.seconds) >= GOAL,
    }
