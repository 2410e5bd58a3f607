"""The numbers that claims are graded by, each computed once from what ships: published summaries and Patchwork records."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from qurd_core.evaluation import records
from qurd_core.evaluation.paper import names, summary, tables

REUSE = ("Flower102", "SDog120")
SACBENCH = "CIFAR10"
DATASETS = (*REUSE, SACBENCH)


class Swap(NamedTuple):
    """What a change of the sampler brings, over all heads that both samplers were published with.

    Attributes:
        mean: difference of TPR@5%.
        better: share of the comparisons that it improves.
        count: comparisons.
    """

    mean: float
    better: float
    count: int


class Facts:
    """Numbers by data set (published) or benchmark (Patchwork).

    Args:
        folder: of the published summaries, the shipped one if not given.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder

    @cached_property
    def rates(self) -> pd.DataFrame:
        """Every published combination, task and budget: dataset, scheme, name, task, budget, tpr, tpr_conformal, sd, auc."""
        tables_ = [self._summary(name).assign(dataset=dataset) for name, (_, dataset) in names.BENCHMARKS.items()]
        return pd.concat(tables_, ignore_index=True)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Every published pair with its distances, and `dataset`."""
        every = [records.pairs(name, self.folder).assign(dataset=dataset) for name, (_, dataset) in names.BENCHMARKS.items()]
        return pd.concat(every, ignore_index=True)

    @cached_property
    def by_victim(self) -> pd.DataFrame:
        return tables.by_victim(self.folder).assign(dataset=lambda rows: rows["benchmark"].map(self._dataset))

    def tpr(self, dataset: str, scheme: str, task: str = "all", budget: int = 100, rule: str = "tpr") -> float:
        """One rate; NaN where it was not published. `scheme` is a name or a text."""
        rows = self._index
        try:
            return float(rows.loc[(dataset, summary.NAMED.get(scheme, scheme), task, budget), rule])
        except KeyError:
            return float("nan")

    def named(self, dataset: str, task: str = "all", budget: int = 100, rule: str = "tpr") -> "pd.Series[float]":
        """The named schemes that have the cell."""
        found = {name: self.tpr(dataset, name, task, budget, rule) for name in summary.NAMED}
        return pd.Series(found).dropna()

    def cell(self, name: str, task: str, rule: str = "tpr", budget: int = 100) -> float:
        """A cell of Table 3: means over victims, then data sets, then query seeds."""
        rows = self.by_victim
        rows = rows[(rows["name"] == name) & (rows["task"] == task) & (rows["budget"] == budget)]
        return float(rows.groupby(["dataset", "query_seed"])[rule].mean().groupby("query_seed").mean().mean())

    def swap(self, before: str, after: str, budgets: tuple[int, ...], datasets: tuple[str, ...] = DATASETS) -> Swap:
        """One sampler in the place of another, with every head, split, data set and budget that both have."""
        gains = []
        for dataset in datasets:
            for split in ("train", "test"):
                for head in names.HEADS:
                    for budget in budgets:
                        one, two = (
                            self.tpr(dataset, names.SCHEMES[names.Published(split, sampler, *head)], "all", budget)
                            for sampler in (before, after)
                        )
                        gains.append(two - one)
        known = np.array(gains)[~np.isnan(gains)]
        return Swap(float(known.mean()), float((known > 0).mean()), len(known))

    def difference(self, dataset: str, one: str, other: str, budget: int, rule: str = "tpr") -> tuple[float, float]:
        """Mean and standard error over victims of the difference of two named schemes, all tasks pooled.

        With one victim there is no standard error between victims: it is NaN.
        """
        rows = self.by_victim
        rows = rows[(rows["dataset"] == dataset) & (rows["task"] == "all") & (rows["budget"] == budget)]
        wide = rows.groupby(["victim", "name"])[rule].mean().unstack()
        gaps = wide[one] - wide[other]
        return float(gaps.mean()), float(gaps.sem()) if len(gaps) > 1 else float("nan")

    def patchwork(self, benchmark: str, scheme: str, task: str = "all", budget: int = 100, rule: str = "tpr") -> float:
        """One rate of an embedded benchmark; NaN where it is not recorded. `scheme` is a name or a text."""
        rows = _embedded(benchmark)
        key = (scheme, task, budget)
        if key not in rows.index:
            by_name = _embedded(benchmark, by="name")
            return float(by_name.loc[key, rule]) if key in by_name.index else float("nan")
        return float(rows.loc[key, rule])

    def hard(self, benchmark: str, name: str, budget: int) -> float:
        """The rate of a named scheme when hard unrelated models count, all tasks pooled."""
        table = records.read_at(benchmark, budget, negatives="unrelated+hard")
        return float(table.loc[(table["name"] == name) & (table["task"] == "all"), "tpr"].iloc[0])

    def share_below(self, benchmark: str, budget: int) -> float:
        """Share of an embedded benchmark's unnamed combinations below its median published scheme, all tasks pooled."""
        table = records.read_at(benchmark, budget)
        table = table[table["task"] == "all"]
        published = table["name"].isin(set(summary.NAMED) - {"AKH", "Random"})
        return float((table.loc[table["name"].isna(), "tpr"] < table.loc[published, "tpr"].median()).mean())

    def telling_tasks(self, benchmark: str, solved: float, margin: float, budget: int = 100) -> list[str]:
        """Tasks of an embedded benchmark that AKH does not solve and on which the named schemes differ."""
        table = records.read_at(benchmark, budget)
        table = table[table["name"].isin(summary.NAMED) & (table["task"] != "all")]
        wide = table.pivot_table(index="task", columns="name", values="tpr", sort=False)
        apart = wide.max(axis=1) - wide.min(axis=1) > margin
        return wide.index[(wide["AKH"] < solved) & apart].tolist()

    def unnamed(self, benchmark: str) -> int:
        """Recorded combinations that nobody published."""
        table = records.read_at(benchmark, 100)
        return int(table.loc[table["name"].isna(), "scheme"].nunique())

    def patchwork_pairs(self, benchmark: str) -> pd.DataFrame:
        return records.pairs(benchmark)

    @cached_property
    def _index(self) -> pd.DataFrame:
        return self.rates.set_index(["dataset", "scheme", "task", "budget"]).sort_index()

    def _summary(self, benchmark: str) -> pd.DataFrame:
        # All tasks at once; `records.read` gives one.
        parts = [records.read(benchmark, task=task, folder=self.folder) for task in records.tasks(benchmark, self.folder)]
        return pd.concat(parts, ignore_index=True)

    def _dataset(self, benchmark: str) -> str:
        return names.BENCHMARKS[benchmark][1]


@lru_cache(maxsize=8)
def _embedded(benchmark: str, by: str = "scheme") -> pd.DataFrame:
    parts = [records.read(benchmark, task=task) for task in records.tasks(benchmark)]
    table = pd.concat(parts, ignore_index=True)
    return table[table[by].notna()].set_index([by, "task", "budget"]).sort_index()
