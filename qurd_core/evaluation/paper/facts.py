"""The numbers that claims are graded by, each computed once from what ships: published summaries and Patchwork records."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from qurd_core.evaluation import records, separability
from qurd_core.evaluation.paper import names, summary, tables
from qurd_core.schemes import PUBLISHED

REUSE = ("Flower102", "SDog120")
SACBENCH = "CIFAR10"
DATASETS = (*REUSE, SACBENCH)
BASELINES = tuple(name for name in summary.NAMED if name not in PUBLISHED)


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


class Difference(NamedTuple):
    """How two schemes differ over the victims of a data set.

    Attributes:
        mean: of TPR@5%, over victims.
        error: its standard error; NaN where all victims come from one network.
        victims, networks: how many there are. Victims that share a pre-trained network are not independent.
    """

    mean: float
    error: float
    victims: int
    networks: int


class Facts:
    """Numbers by data set (published) or benchmark (Patchwork).

    Every rate is asked for at a budget: a claim quotes Patchwork at the one that it speaks of.

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
    def embedded(self) -> dict[str, pd.DataFrame]:
        """The rates of every embedded benchmark against unrelated models, all tasks: rows of `records.COLUMNS`."""
        found = {}
        for name in records.EMBEDDED:
            parts = [records.read(name, task=task) for task in records.tasks(name)]
            found[name] = pd.concat(parts, ignore_index=True)
        return found

    @cached_property
    def embedded_pairs(self) -> dict[str, pd.DataFrame]:
        return {name: records.pairs(name) for name in records.EMBEDDED}

    def pairs_of(self, place: str, kind: str) -> pd.DataFrame:
        """The stolen (`positive`) or unrelated (`negative`) pairs of a data set or an embedded benchmark."""
        return self._pairs_of(place).query("kind == @kind")

    def separation(self, place: str, task: str = "all") -> separability.Row:
        """How far apart delta_C puts stolen and unrelated pairs, as the page Separability says it."""
        found = separability.Distances.of_delta(self._pairs_of(place), "delta_c")
        return separability.rows(found, negatives="unrelated", alpha=0.05, task=task)[0]

    @cached_property
    def by_victim(self) -> pd.DataFrame:
        return tables.by_victim(self.folder).assign(dataset=lambda rows: rows["benchmark"].map(self._dataset))

    @cached_property
    def networks(self) -> "pd.Series[str]":
        """The network that every published victim comes from, by data set and victim."""
        own = self.pairs[self.pairs["victim"] == self.pairs["suspect"]]
        return own.set_index(["dataset", "victim"])["root"]

    def tpr(self, dataset: str, scheme: str, task: str, budget: int, rule: str = "tpr") -> float:
        """One rate; NaN where it was not published. `scheme` is a name or a text."""
        try:
            return float(self._index.loc[(dataset, summary.NAMED.get(scheme, scheme), task, budget), rule])
        except KeyError:
            return float("nan")

    def named(self, dataset: str, task: str, budget: int) -> "pd.Series[float]":
        """The named schemes that have the cell."""
        found = {name: self.tpr(dataset, name, task, budget) for name in summary.NAMED}
        return pd.Series(found).dropna()

    def cell(self, name: str, task: str, budget: int, rule: str = "tpr") -> float:
        """A cell of Table 3: means over victims, then data sets, then query seeds; NaN where one of them is."""
        rows = self.by_victim
        rows = rows[(rows["name"] == name) & (rows["task"] == task) & (rows["budget"] == budget)]
        if rows[rule].isna().any():
            return float("nan")
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

    def difference(self, dataset: str, one: str, other: str, budget: int) -> Difference:
        """How two named schemes differ, victim by victim, all tasks pooled."""
        rows = self.by_victim
        rows = rows[(rows["dataset"] == dataset) & (rows["task"] == "all") & (rows["budget"] == budget)]
        wide = rows.groupby(["victim", "name"])["tpr"].mean().unstack()
        gaps = wide[one] - wide[other]
        # Victims of one network err together, so their deviations are added before they are squared. With a victim per
        # network this is the usual standard error of a mean.
        sums = (gaps - gaps.mean()).groupby(self.networks[dataset].reindex(gaps.index).to_numpy()).sum()
        known = len(sums) > 1
        error = np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()) / len(gaps) if known else np.nan
        return Difference(float(gaps.mean()), float(error), len(gaps), len(sums))

    def patchwork(self, benchmark: str, scheme: str, task: str, budget: int, rule: str = "tpr") -> float:
        """One number of an embedded benchmark; NaN where it is not recorded. `scheme` is a name or a text."""
        for rows in self._embedded_index[benchmark]:
            if (scheme, task, budget) in rows.index:
                return float(rows.loc[(scheme, task, budget), rule])
        return float("nan")

    def patchwork_named(self, benchmark: str, task: str, budget: int) -> "pd.Series[float]":
        """The named schemes of an embedded benchmark that have the cell, the paper's baselines among them."""
        found = {name: self.patchwork(benchmark, name, task, budget) for name in (*BASELINES, *PUBLISHED)}
        return pd.Series(found).dropna()

    def hard(self, benchmark: str, name: str, budget: int) -> float:
        """The rate of a named scheme when hard unrelated models count, all tasks pooled."""
        table = records.read_at(benchmark, budget, negatives="unrelated+hard")
        return float(table.loc[(table["name"] == name) & (table["task"] == "all"), "tpr"].iloc[0])

    def share_below(self, place: str, budget: int) -> float:
        """Share of the unnamed combinations below the median published scheme, all tasks pooled."""
        table = self.embedded.get(place, self.rates)
        table = table[(table["task"] == "all") & (table["budget"] == budget)]
        table = table if place in self.embedded else table[table["dataset"] == place]
        published = table["name"].isin(PUBLISHED)
        return float((table.loc[table["name"].isna(), "tpr"] < table.loc[published, "tpr"].median()).mean())

    def unnamed(self, benchmark: str) -> int:
        """Recorded combinations of an embedded benchmark that nobody published."""
        table = self.embedded[benchmark]
        return int(table.loc[table["name"].isna(), "scheme"].nunique())

    def _pairs_of(self, place: str) -> pd.DataFrame:
        if place in self.embedded_pairs:
            return self.embedded_pairs[place]
        return self.pairs[self.pairs["dataset"] == place].reset_index(drop=True)

    @cached_property
    def _embedded_index(self) -> dict[str, list[pd.DataFrame]]:
        """The same rates by the text of a scheme, and by its name."""
        return {
            benchmark: [
                table[table[key].notna()].set_index([key, "task", "budget"]).sort_index() for key in ("scheme", "name")
            ]
            for benchmark, table in self.embedded.items()
        }

    @cached_property
    def _index(self) -> pd.DataFrame:
        return self.rates.set_index(["dataset", "scheme", "task", "budget"]).sort_index()

    def _summary(self, benchmark: str) -> pd.DataFrame:
        # All tasks at once; `records.read` gives one.
        parts = [records.read(benchmark, task=task, folder=self.folder) for task in records.tasks(benchmark, self.folder)]
        return pd.concat(parts, ignore_index=True)

    def _dataset(self, benchmark: str) -> str:
        return names.BENCHMARKS[benchmark][1]
