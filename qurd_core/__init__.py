"""QuRD Explorer's core: benchmarks, fingerprinting schemes, and how well they do.

    import qurd_core as q

    bench = q.benchmark("patchwork-sac")
    q.evaluate(bench, ["AKH", "SAC"], budgets=[100], seeds=5)

    q.benchmark(text)      a `Benchmark`: victims, models, pairs, images (n,3,H,W)
    q.evaluate(...)        rates as a table, a row per scheme and budget, and per task if asked
    q.score_table(...)     the distances behind them, a row per pair, query seed and budget
    q.check(...)           whether a suspect is closer to your model than unrelated models are
    q.Scheme, q.NAMED      a sampler, a representation and a detector; the published ones by name
    q.combinations()       every scheme that the registered parts make
    q.Store, q.Runtime     where results are kept; device, batch size, workers
    q.QurdError            what all of them raise on bad input: a sentence

`help` says more of each, with an example that a test runs. `qurd_core.records` holds what was computed already,
`qurd_core.views` makes tables of it, and `qurd_core.plots` draws these.

Nothing is imported before it is used: pages that only read records start without torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "benchmark": "qurd_core.benchmarks.base",
    "evaluate": "qurd_core.evaluation.pipeline",
    "score_table": "qurd_core.evaluation.scores",
    "check": "qurd_core.suspects.checking",
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
