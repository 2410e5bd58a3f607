"""All that is measured of this machine, in one run."""

import os
import platform
from typing import Any

import torch

from qurd_core.benchmarks.base import benchmark
from qurd_core.evaluation.timing import bare, crafted, growth, peers, processes
from qurd_core.evaluation.timing.clock import load
from qurd_core.paper.summary import NAMED
from qurd_core.runtime import Track, silent
from qurd_core.schemes import Scheme


def measured(name: str, track: Track = silent) -> dict[str, Any]:
    """How fast a benchmark is measured here: the schemes of the paper's Table 3 from an empty store, on one thread.

    Args:
        name: a benchmark whose models can be asked.

    Returns:
        `machine`; `bare` (a run beside its bare passes), `crafts`, `growth` and `processes`, as these modules give them;
        `missing`: packages that the crafts could be compared with and that are not installed.
    """
    bench = benchmark(name)
    schemes = [Scheme.parse(text) for text in NAMED]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        before = load()
        found = {
            "bare": bare.compared(bench, schemes, track),
            "crafts": [*crafted.crafted(bench, track)],
            "growth": [*growth.axes(bench, schemes, track)],
            "processes": processes.processes(name, [*NAMED], track),
        }
    finally:
        torch.set_num_threads(threads)
    machine = {
        "benchmark": bench.name,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load": [before, load()],
    }
    return {"machine": machine, **found, "missing": peers.missing()}
