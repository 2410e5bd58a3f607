"""How long the Designer's bench takes to answer a tick: python -m tests.benchmarks.designer_bench

One tick is what the page computes after a click: the pairs that are kept, why they are no bench, the rates of the named
schemes on them and their change per task, the overlap of one, what the link says, and the tiles. Reading the records is not
timed: that happens once. The page has 0.5 s for all of it and for drawing.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from qurd_core import plots, views
from qurd_core.benchmarks import saved_benchmarks
from qurd_core.records import evidence, rate_records
from qurd_core.records.evidence import Scores
from qurd_core.views import designer
from qurd_core.views.suggest import suggest

REPEATS = 15
BUDGET = 100


def milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Median and largest of some repeats, in CPU time, which other programs on the machine do not change."""
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        call()
        taken.append(1000 * (time.process_time() - started))
    return statistics.median(taken), max(taken)


def main() -> None:
    print(f"{'':16} {'step':12} {'median':>9} {'largest':>9}")
    for name in rate_records.EMBEDDED:
        table, scores = evidence.pairs(name), Scores.read(name)
        names = designer.named(rate_records.schemes(), scores)
        every = designer.keys(table)
        some = frozenset(every[place] for place in np.random.default_rng(0).choice(len(every), 60, replace=False))
        part = scores.only(list(names), BUDGET)
        kept, rows = designer.kept(table, some), views.designer.tiles(table)
        before, after = evidence.rates(part, table), evidence.rates(part, kept)
        scheme = next(iter(names))
        steps = {
            "choose": lambda: designer.kept(table, some),  # noqa: B023 (called before the next turn)
            "object": lambda: designer.objection(kept),  # noqa: B023
            "rates": lambda: evidence.rates(part, kept),  # noqa: B023
            "compare": lambda: designer.compare(before, after, names),  # noqa: B023
            "overlap": lambda: designer.overlap(part, kept, scheme, BUDGET, share=True),  # noqa: B023
            "link": lambda: saved_benchmarks.token(every, some),  # noqa: B023
            "tiles": lambda: plots.designer.figure(rows, some).to_json(),  # noqa: B023
            "suggest": lambda: suggest(part, table, some),  # noqa: B023
        }
        for step, call in steps.items():
            median, largest = milliseconds(call)
            print(f"{name:16} {step:12} {median:6.0f} ms {largest:6.0f} ms")


if __name__ == "__main__":
    main()
