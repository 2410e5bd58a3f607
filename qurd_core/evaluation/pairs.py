"""How far apart the models of every pair are: delta, delta_C, and Proposition 1's bound."""

from collections.abc import Iterable, Sequence

import pandas as pd
import torch

from qurd_core.akh import deltas
from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.evaluation.plan import ask_natural, refuse_gaps
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.types import Pair


def listed(name: str) -> pd.DataFrame:
    """One row per pair without asking any model: victim, suspect, kind, tasks, and root, the lineage of the suspect."""
    bench = benchmark(name)
    return table_of(bench, bench.pairs)


def table_of(bench: Benchmark, pairs: Iterable[Pair]) -> pd.DataFrame:
    """One row per pair of a benchmark, as `listed` gives them."""
    facts = [(pair.victim, pair.suspect, pair.kind, list(pair.tasks), bench.root(pair.suspect)) for pair in pairs]
    return pd.DataFrame(facts, columns=["victim", "suspect", "kind", "tasks", "root"])


def pair_table(name: str, store: Store, runtime: Runtime, more: Sequence[Pair] = ()) -> pd.DataFrame:
    """One row per pair, from the models' labels on all test items: victim, suspect, kind, tasks, and `Deltas.columns`.

    Args:
        more: pairs beside those of the benchmark.

    Raises:
        QurdError: a victim makes no mistake there, so that delta_C does not exist; or unrelated models lack answers.
    """
    bench = benchmark(name)
    ask_natural(bench, "test", store, runtime)
    desk = workbench(bench, store, runtime)
    truth = desk.images("test").truth
    tables = []
    for victim, pairs in table_of(bench, (*bench.pairs, *more)).drop(columns="root").groupby("victim", sort=False):
        if bench.missing:
            _check_gaps(bench, victim, desk)
        labels = torch.stack([desk.natural(suspect, "test").argmax(1) for suspect in pairs["suspect"]])
        found = deltas(desk.natural(victim, "test").argmax(1), labels, truth)
        tables.append(pairs.assign(**found.columns))
    return pd.concat(tables, ignore_index=True)


def _check_gaps(bench: Benchmark, victim: str, desk: Workbench) -> None:
    """Refuse distances over the test items, or over the victim's mistakes, to unrelated models that lack many of these."""
    unrelated = [pair.suspect for pair in bench.pairs_of(victim) if pair.kind != "positive"]
    gone = {model: bench.unanswered(model, "test") for model in unrelated}
    wrong = desk.natural(victim, "test").argmax(1) != desk.images("test").truth
    for items, what in ((torch.arange(len(wrong)), "delta"), (wrong.nonzero()[:, 0], "delta_C")):
        refuse_gaps(gone, items, [len(items)], victim=victim, split="test", what=what)
