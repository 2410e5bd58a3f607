"""The numbers that claims are graded by, each computed once from what ships: published summaries and embedded records."""

from collections.abc import Collection
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from qurd_core.paper import names, summary, tables
from qurd_core.records import rate_records
from qurd_core.schemes import BASELINES, PUBLISHED
from qurd_core.views import separability

REUSE = ("Flower102", "SDog120")
SACBENCH = "CIFAR10"
DATASETS = (*REUSE, SACBENCH)
FIGURE_1, TABLE_3 = 200, 100  # budgets of the paper
ALL = (*BASELINES, *PUBLISHED)


class Swap(NamedTuple):
    """What a change of the sampler brings, over all heads that both samplers have.

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
    """Numbers by place: a published data set, or an embedded benchmark.

    Every rate is asked for at a budget: a claim quotes embedded benchmarks at the one that it speaks of. A scheme is a name
    or a text.

    Args:
        folder: of the published summaries, the shipped one if not given.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder

    @cached_property
    def rates(self) -> dict[str, pd.DataFrame]:
        """Every combination, task and budget of a place, against unrelated models: rows of `records.COLUMNS`."""
        return {place: _whole(*source) for place, source in self._sources.items()}

    @cached_property
    def pairs(self) -> dict[str, pd.DataFrame]:
        """Every pair of a place with its distances."""
        return {place: rate_records.pairs(*source) for place, source in self._sources.items()}

    @cached_property
    def by_victim(self) -> pd.DataFrame:
        table = tables.by_victim(self.folder)
        return table.assign(dataset=[names.BENCHMARKS[benchmark][1] for benchmark in table["benchmark"]])

    def networks(self, place: str) -> "pd.Series[str]":
        """The network that every victim comes from. Victims that share a pre-trained network are not independent."""
        own = self.pairs[place].query("victim == suspect")
        return own.set_index("victim")["root"]

    def side(self, place: str, kind: str) -> pd.DataFrame:
        """The stolen (`positive`) or unrelated (`negative`) pairs."""
        return self.pairs[place].query("kind == @kind")

    def separation(self, place: str, task: str = "all") -> separability.Row:
        """How far apart delta_C puts stolen and unrelated pairs, as the page Separability says it."""
        found = separability.Distances.of_delta(self.pairs[place], "delta_c")
        return separability.rows(found, negatives="unrelated", alpha=0.05, task=task)[0]

    def tpr(self, place: str, scheme: str, task: str, budget: int, rule: str = "tpr") -> float:
        """One rate, or what `rule` names; NaN where it is not known."""
        for rows in self._index[place]:
            if (scheme, task, budget) in rows.index:
                return float(rows.at[(scheme, task, budget), rule])
        return float("nan")

    def named(self, place: str, task: str, budget: int, rule: str = "tpr") -> "pd.Series[float]":
        """The named schemes that have the cell, the paper's baselines first."""
        return pd.Series({name: self.tpr(place, name, task, budget, rule) for name in ALL}).dropna()

    def curves(self, place: str) -> dict[str, dict[int, float]]:
        """TPR of the named schemes by published budget, all tasks pooled."""
        table = pd.DataFrame({budget: self.named(place, "all", budget) for budget in tables.BUDGETS})
        return {str(name): row.dropna().to_dict() for name, row in table.iterrows()}

    def cell(self, name: str, task: str, budget: int, rule: str = "tpr") -> float:
        """A cell of Table 3: means over victims, then data sets, then query seeds; NaN where one of them is."""
        rows = self.by_victim
        rows = rows[(rows["name"] == name) & (rows["task"] == task) & (rows["budget"] == budget)]
        if rows[rule].isna().any():
            return float("nan")
        return float(rows.groupby(["dataset", "query_seed"])[rule].mean().groupby("query_seed").mean().mean())

    def column(self, task: str, budget: int) -> dict[str, float]:
        """A column of Table 3."""
        return {name: self.cell(name, task, budget) for name in summary.NAMED}

    def shared(self, one: str, other: str, task: str, budget: int) -> dict[str, float]:
        """By how much one scheme lies above another on a task, on the data sets that have both."""
        gaps = {d: self.tpr(d, one, task, budget) - self.tpr(d, other, task, budget) for d in DATASETS}
        return {dataset: gap for dataset, gap in gaps.items() if not np.isnan(gap)}

    def swap(self, after: Collection[str], budgets: tuple[int, ...], places: tuple[str, ...] = DATASETS) -> Swap:
        """Some samplers in the place of uniform images, with every published head, split and budget that both have.

        Args:
            after: samplers with a `{split}` to fill in.
        """

        def rate(sampler: str, place: str, split: str, head: str, budget: int) -> float:
            return self.tpr(place, f"{sampler.format(split=split)} | {head}", "all", budget)

        cells = list(product(places, ("train", "test"), names.HEADS.values(), budgets))
        gains = [rate(new, *cell) - rate("uniform({split})", *cell) for cell in cells for new in after]
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
        sums = (gaps - gaps.mean()).groupby(self.networks(dataset)).sum()
        known = len(sums) > 1
        error = np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()) / len(gaps) if known else np.nan
        return Difference(float(gaps.mean()), float(error), len(gaps), len(sums))

    def hard(self, benchmark: str, name: str, budget: int) -> float | None:
        """The rate of a named scheme when hard unrelated models count, all tasks pooled; None where there are none."""
        if self.side(benchmark, "hard").empty:
            return None
        table = rate_records.read_at(benchmark, budget, negatives="unrelated+hard")
        return float(table.loc[(table["name"] == name) & (table["task"] == "all"), "tpr"].iloc[0])

    def share_below(self, place: str, budget: int) -> float:
        """Share of the unnamed combinations below the median published scheme, all tasks pooled."""
        table = self.rates[place].query("task == 'all' and budget == @budget")
        published = table["name"].isin(PUBLISHED)
        return float((table.loc[table["name"].isna(), "tpr"] < table.loc[published, "tpr"].median()).mean())

    def unnamed(self, place: str) -> int:
        """Combinations that nobody published as a scheme."""
        table = self.rates[place]
        return int(table.loc[table["name"].isna(), "scheme"].nunique())

    @property
    def _sources(self) -> dict[str, tuple[str, Path | None]]:
        """The records of every place and the folder that they lie in."""
        published = {dataset: (benchmark, self.folder) for benchmark, (_, dataset) in names.BENCHMARKS.items()}
        return {dataset: published[dataset] for dataset in DATASETS} | {name: (name, None) for name in rate_records.EMBEDDED}

    @cached_property
    def _index(self) -> dict[str, list[pd.DataFrame]]:
        """The rates of every place by the text of a scheme, and by its name."""
        return {
            place: [table[table[key].notna()].set_index([key, "task", "budget"]).sort_index() for key in ("scheme", "name")]
            for place, table in self.rates.items()
        }


def _whole(benchmark: str, folder: Path | None) -> pd.DataFrame:
    """All tasks at once; `records.read` gives one."""
    parts = [rate_records.read(benchmark, task=task, folder=folder) for task in rate_records.tasks(benchmark, folder)]
    return pd.concat(parts, ignore_index=True)
