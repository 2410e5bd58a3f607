"""The paper's Table 3 with intervals: the named schemes over all data sets at once, compared where both have scores."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from qurd_core.paper import names
from qurd_core.records import evidence, measured_worth, rate_records
from qurd_core.runtime import Track, silent
from qurd_core.statistics.worth import worth

FILE = "table3-honest.parquet"


def measure(folder: Path, labels: Mapping[str, str], track: Track = silent) -> pd.DataFrame:
    """`worth` of the named schemes over the three data sets, at every budget, by both rules.

    Data sets count equally. A scheme that lacks one is compared with AKH on the others.

    Args:
        folder: of imported scores.
        labels: the names of the schemes by their texts.

    Returns:
        the rows of `worth` with budget and rule.
    """
    sources = {
        dataset: (evidence.Scores.read(name, folder).only(labels), rate_records.pairs(name, folder))
        for name, (_, dataset) in names.BENCHMARKS.items()
    }
    work, parts = [(budget, rule) for budget in rate_records.RAW_BUDGETS for rule in measured_worth.KINDS], []
    for budget, rule in track(work, len(work), "Table 3"):
        tables = [
            measured_worth.score_table(scores, pairs, budget, dict(labels)).assign(benchmark=dataset)
            for dataset, (scores, pairs) in sources.items()
        ]
        # Which kinds of models were held out is told per data set: they have no kind in common.
        table = pd.concat(tables, ignore_index=True).drop(columns="origin")
        parts.append(worth(table, rule, named=labels.values()).assign(budget=budget, rule=rule))
    return pd.concat(parts, ignore_index=True)


def read(folder: Path | None = None) -> pd.DataFrame:
    """What ships."""
    return rate_records.published_table(FILE, folder)
