"""How far apart the models of every pair are: delta, delta_C, and Proposition 1's bound."""

from collections.abc import Iterable

import pandas as pd
import torch

from qurd_core.akh import deltas
from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.evaluation.plan import ask_natural, refuse_gaps
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.types import Pair

COLUMNS = (
    *("victim", "suspect", "kind", "tasks", "accuracy_victim", "accuracy_suspect"),
    *("delta", "delta_c", "bound", "slack"),
)


def listed(name: str) -> pd.DataFrame:
    """One row per pair without asking any model: victim, suspect, kind, tasks, and root, the lineage of the suspect."""
    bench = benchmark(name)
    return table_of(bench, bench.pairs)


def table_of(bench: Benchmark, pairs: Iterable[Pair]) -> pd.DataFrame:
    """One row per pair of a benchmark, as `listed` gives them."""
    facts = [(pair.victim, pair.suspect, pair.kind, list(pair.tasks), bench.root(pair.suspect)) for pair in pairs]
    return pd.DataFrame(facts, columns=["victim", "suspect", "kind", "tasks", "root"])


def pair_table(name: str, store: Store, runtime: Runtime, split: str = "test") -> pd.DataFrame:
    """One row of `COLUMNS` per pair, from the models' labels on a whole seed set.

    Raises:
        QurdError: a victim makes no mistake there, so that delta_C does not exist; or unrelated models lack answers.
    """
    bench = benchmark(name)
    ask_natural(bench, split, store, runtime)
    desk = workbench(bench, store, runtime)
    truth = desk.images(split).truth
    tables = []
    for victim, pairs in listed(name).drop(columns="root").groupby("victim", sort=False):
        if bench.missing:
            _check_gaps(bench, victim, split, desk)
        labels = torch.stack([desk.natural(suspect, split).argmax(1) for suspect in pairs["suspect"]])
        found = deltas(desk.natural(victim, split).argmax(1), labels, truth)
        tables.append(pairs.assign(**found.columns))
    return pd.concat(tables, ignore_index=True)


def _check_gaps(bench: Benchmark, victim: str, split: str, desk: Workbench) -> None:
    """Refuse distances over a seed set, or over the victim's mistakes in it, to unrelated models that lack much of it."""
    unrelated = [pair.suspect for pair in bench.pairs_of(victim) if pair.kind != "positive"]
    gone = {model: bench.unanswered(model, split) for model in unrelated}
    wrong = desk.natural(victim, split).argmax(1) != desk.images(split).truth
    for items, what in ((torch.arange(len(wrong)), "delta"), (wrong.nonzero()[:, 0], "delta_C")):
        refuse_gaps(gone, items, [len(items)], victim=victim, split=split, what=what)
