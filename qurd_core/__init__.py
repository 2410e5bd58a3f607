"""QuRD Explorer's core: benchmarks, fingerprinting schemes, and how well they do.

    import qurd_core as q

    bench = q.benchmark("patchwork-sac")
    q.evaluate(bench, ["AKH", "SAC"], budgets=[100], seeds=5)

Nothing is imported before it is used: pages that only read records start without torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "benchmark": "qurd_core.benchmarks.base",
    "evaluate": "qurd_core.evaluation.pipeline",
    "score_table": "qurd_core.evaluation.scores",
    "Scheme": "qurd_core.schemes",
    "combinations": "qurd_core.schemes",
    "NAMED": "qurd_core.schemes",
    "Store": "qurd_core.store",
    "Runtime": "qurd_core.runtime",
    "QurdError": "qurd_core.errors",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'qurd_core' has no attribute '{name}'. It has: {', '.join(__all__)}.")
    return getattr(import_module(_HOME[name]), name)
