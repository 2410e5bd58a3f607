"""The distances behind a table of rates, and what those rates are worth, for any benchmark that can be run."""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from qurd_core.benchmarks.base import Benchmark
from qurd_core.evaluation.pairs import table_of
from qurd_core.evaluation.pipeline import compute, examine
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.files import default_folder
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.statistics import Kind
from qurd_core.statistics.worth import worth
from qurd_core.store import Store


def score_table(
    bench: Benchmark | str,
    schemes: Iterable[str],
    *,
    budgets: Sequence[int],
    seeds: int = 5,
    tasks: Sequence[str] = (),
    pool: Sequence[str] | None = None,
    obfuscate: str | None = None,
    obfuscate_pool: bool = False,
    store: Store | None = None,
    runtime: Runtime | None = None,
) -> pd.DataFrame:
    """Every distance of some schemes: what `qurd_core.statistics` computes from, one budget at a time.

    The arguments are those of `evaluate`; hard unrelated models are among the rows, told by their kind.

    Returns:
        the columns of `sides.SCORES` but `used`; `scheme` holds names where schemes have one. `value` is the distance of a
        pair, at least 0, small = stolen.

    Raises:
        QurdError: bad input, as of `evaluate`.

    >>> table = score_table("patchwork-sac", ["AKH"], budgets=[10], seeds=2)
    >>> bool(table.loc[table["victim"] == table["suspect"], "value"].eq(0).all())
    True
    """
    hidden = {"obfuscate": obfuscate, "obfuscate_pool": obfuscate_pool}
    asked = request(bench, schemes, budgets=budgets, seeds=seeds, tasks=tasks, pool=pool, **hidden)
    shelf, how = store or Store(default_folder()), runtime or Runtime()
    for sentence in examine(asked, shelf, how):
        warnings.warn(sentence, stacklevel=2)
    compute(asked, shelf, how)
    return of_request(asked, shelf, how)


def of_request(asked: Request, store: Store, runtime: Runtime) -> pd.DataFrame:
    """The score table of a request whose scores are in the store."""
    desk = workbench(asked.bench, store, runtime)
    pairs = table_of(asked.bench, [pair for victim in asked.victims for pair in asked.pairs(victim)])
    names = {str(scheme): scheme.label for scheme in asked.schemes}
    table = raw_scores(asked, asked.schemes, asked.budgets, desk).merge(
        pairs.rename(columns={"root": "lineage"}), on=["victim", "suspect"]
    )
    return table.assign(scheme=table["scheme"].map(names), benchmark=asked.bench.name)


def raw_scores(asked: Request, schemes: Iterable[Scheme], budgets: Sequence[int], desk: Workbench) -> pd.DataFrame:
    """One row per scheme, query seed, victim, suspect and budget, where there is a distance."""
    tables = []
    for scheme in schemes:
        for victim in asked.victims:
            models = desk.models(victim)
            for query_seed in range(asked.seeds):
                values = desk.scores(victim, [scheme], query_seed, budgets)[scheme]["values"].numpy()
                index = pd.MultiIndex.from_product([models, budgets], names=["suspect", "budget"])
                rows = pd.DataFrame({"value": values.ravel()}, index=index).reset_index()
                tables.append(rows.assign(scheme=str(scheme), victim=victim, query_seed=np.uint8(query_seed)))
    return pd.concat(tables, ignore_index=True).dropna(subset="value")


def worth_of(
    asked: Request, store: Store, runtime: Runtime, *, rule: Kind = "conformal", by_task: bool = False
) -> pd.DataFrame:
    """`worth` of a request whose scores are in the store, at each of its budgets; all schemes asked are hypotheses."""
    table, negatives = of_request(asked, store, runtime), asked.negatives
    named = [scheme.label for scheme in asked.schemes]
    tasks: list[str] | None = None if by_task else [asked.reported]
    parts = [
        worth(rows, rule, negatives, named=named, tasks=tasks).assign(budget=budget)
        for budget, rows in table.groupby("budget")
    ]
    return pd.concat(parts, ignore_index=True)
