"""What a first run on natural images costs: python -m tests.benchmarks.asked [BENCHMARK ...]

AKH and Random at 100 queries, one query seed, one thread, an empty store: once with every model asked about the whole test
set first, as whoever wants delta or delta_C does, and once with models asked about the images that are sent to them. Images
are counted by the models themselves; both load every model once.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from qurd_core.benchmarks.base import benchmark
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.plan import ask_natural
from qurd_core.evaluation.workbench import workbench
from qurd_core.runtime import Runtime
from qurd_core.store import Store

SCHEMES, BUDGET = ("AKH", "Random"), 100


def measure(name: str, *, whole: bool) -> tuple[float, int]:
    """Seconds of the processor and images of a first run."""
    workbench.cache_clear()
    with TemporaryDirectory() as folder:
        bench, store, runtime = benchmark(name), Store(Path(folder)), Runtime()
        bench.images("test")
        began = time.process_time()
        if whole:
            ask_natural(bench, "test", store, runtime)
        evaluate(bench, SCHEMES, budgets=[BUDGET], seeds=1, store=store, runtime=runtime)
        seconds = time.process_time() - began
        return seconds, sum(oracle.asked for oracle in workbench(bench, store, runtime).oracles.values())


def main() -> None:
    print(f"{'':18} {'all test images first':>24} {'those that are sent':>24} {'ratio':>12}")
    for name in sys.argv[1:] or ["patchwork-sac", "patchwork-reuse"]:
        before, after = (measure(name, whole=whole) for whole in (True, False))
        told = (f"{seconds:6.1f} s {images:12,}" for seconds, images in (before, after))
        print(f"{name:18} {next(told):>24} {next(told):>24} {before[0] / after[0]:5.1f} {before[1] / after[1]:5.1f} x")


if __name__ == "__main__":
    main()
