"""What pages read of a benchmark, an embedded one or a bench that keeps a part of its pairs, without models or torch.

Everything follows from the records: rates of a part are computed again from the raw scores of the named schemes and of the
best combinations, which are all that a part knows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core.benchmarks import registered
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of, saved_names
from qurd_core.errors import QurdError, unknown
from qurd_core.records import own_records, rate_records
from qurd_core.records.bank import Bank
from qurd_core.schemes import REFERENCE
from qurd_core.statistics.metrics import Floats, Rule, aggregate, by_rule, victim_cells
from qurd_core.statistics.sides import Negatives, sides


@dataclass(frozen=True)
class Scores:
    """Raw distances of the recorded schemes, small = stolen.

    Attributes:
        columns: scheme, query_seed and budget of every column; rows in the order of the columns.
        suspects: of every victim, in the order of its rows.
        values: (M,K) float32 of every victim; NaN where a scheme has no value.
    """

    columns: pd.DataFrame
    suspects: dict[str, tuple[str, ...]]
    values: dict[str, Floats]

    @classmethod
    def read(cls, benchmark: str, folder: Path | None = None) -> "Scores":
        return cls.of_table(rate_records.scores(base_of(benchmark), folder))

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> "Scores":
        """From rows of scheme, victim, suspect, query_seed, budget and value."""
        keys = ["scheme", "query_seed", "budget"]
        column = table.groupby(keys, sort=True, observed=True).ngroup().to_numpy()
        columns = table[keys].drop_duplicates().sort_values(keys).astype({"scheme": object}).reset_index(drop=True)
        suspect = table["suspect"].astype("category").array  # numbers compare faster than names
        suspects, values = {}, {}
        for victim, rows in table.groupby("victim", observed=True, sort=False).indices.items():
            place, found = pd.factorize(suspect.codes[rows])
            grid = np.full((len(found), len(columns)), np.nan, np.float32)
            grid[place, column[rows]] = table["value"].to_numpy()[rows]
            suspects[victim], values[victim] = tuple(suspect.categories[found]), grid
        return cls(columns, suspects, values)

    def only(self, schemes: Collection[str], budget: int | None = None) -> "Scores":
        """The distances of some schemes, at one budget if it is given."""
        kept = self.columns["scheme"].isin(schemes).to_numpy()
        if budget is not None:
            kept = kept & (self.columns["budget"] == budget).to_numpy()
        values = {victim: grid[:, kept] for victim, grid in self.values.items()}
        return Scores(self.columns[kept].reset_index(drop=True), self.suspects, values)

    def of(self, victim: str, scheme: str, budget: int) -> pd.DataFrame:
        """(M,seeds) distances of one scheme at one budget: a row per suspect, a column per query seed; without NaN."""
        chosen = ((self.columns["scheme"] == scheme) & (self.columns["budget"] == budget)).to_numpy()
        table = pd.DataFrame(self.values[victim][:, chosen], self.suspects[victim], self.columns["query_seed"][chosen])
        return table.dropna(axis=1, how="any")


def base_of(benchmark: str) -> str:
    """The benchmark with records that a benchmark is or is a part of.

    Raises:
        QurdError: it is a part of another one, which the app shows nothing of.
    """
    if rate_records.is_whole(benchmark):
        return benchmark
    named = BenchFile.read(home_of(benchmark)).benchmark
    base = named if rate_records.is_whole(named) else registered.name_of(named)
    if base is None:
        raise QurdError(
            f"Expected a part of {', '.join(rate_records.SHIPPED)} in {home_of(benchmark)}: pages show records, and there"
            f" are none of {named}. Commands take it: python -m qurd_core run --benchmark {benchmark} --scheme {REFERENCE}."
        )
    return base


def was_published(benchmark: str) -> bool:
    """Whether all that there is of a benchmark, or of the one that it is a part of, was published: no model can be asked."""
    part = benchmark in saved_names() and BenchFile.read(home_of(benchmark)).benchmark
    return (part or benchmark) in rate_records.PUBLISHED


def has_models(benchmark: str) -> bool:
    """Whether models are there that can be asked about new images."""
    base = base_of(benchmark)
    if base in rate_records.SHIPPED:
        return base not in rate_records.PUBLISHED
    note = own_records.note_of(base)
    return note is not None and note.asks


def pairs(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """One row per pair with the columns of `pair_table`, and `root`, the lineage of the suspect."""
    table = rate_records.pairs(base_of(benchmark), folder)
    if rate_records.is_whole(benchmark):
        return table
    file, keys = BenchFile.read(home_of(benchmark)), list(zip(table["victim"], table["suspect"], strict=True))
    file.check(home_of(benchmark), dict(zip(keys, table["kind"], strict=True)))
    return table[[pair in file.pairs for pair in keys]].reset_index(drop=True)


def models(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """One row per model of the pairs: what the manifest says of it, and `root`."""
    table, kept = rate_records.models(base_of(benchmark), folder), pairs(benchmark, folder)
    return table[table["lineage"].isin({*kept["victim"], *kept["suspect"]})].reset_index(drop=True)


def suspects(benchmark: str) -> tuple[str, ...]:
    """The models of unknown origin, which only a benchmark that somebody brings has."""
    base = base_of(benchmark)
    note = None if base in rate_records.SHIPPED else own_records.note_of(base)
    return note.suspects if note else ()


def remote(benchmark: str) -> tuple[str, ...]:
    """Those of them that are asked over a network."""
    base = base_of(benchmark)
    note = None if base in rate_records.SHIPPED else own_records.note_of(base)
    return note.remote if note else ()


def bank(benchmark: str, folder: Path | None = None) -> Bank:
    """The answers of all models on the test patches."""
    return Bank.read(rate_records.bank_path(base_of(benchmark), folder))


def tasks(benchmark: str, folder: Path | None = None) -> list[str]:
    """The tasks, `"all"` first, the others in the order of the benchmark."""
    if not rate_records.has_rates(base_of(benchmark)):
        return ["all"]
    if rate_records.is_whole(benchmark):
        return rate_records.tasks(benchmark, folder)
    stolen = pairs(benchmark, folder).query("kind == 'positive'")
    return ["all", *dict.fromkeys(task for served in stolen["tasks"] for task in served)]


def read(
    benchmark: str, *, task: str = "all", negatives: Negatives = "unrelated", folder: Path | None = None
) -> pd.DataFrame:
    """The rates of one task against one choice of negatives: a row per combination and budget, as `records.read` gives."""
    if rate_records.is_whole(benchmark):
        return rate_records.read(benchmark, task=task, negatives=negatives, folder=folder)
    return _of_part(benchmark, task, negatives, folder)


def _of_part(benchmark: str, task: str | None, negatives: Negatives, folder: Path | None = None) -> pd.DataFrame:
    """The rates of one task, or of all, on a part of a benchmark."""
    found = cells(Scores.read(benchmark, folder), pairs(benchmark, folder), negatives, task=task)
    known = of_whole(benchmark, rate_records.read(base_of(benchmark), folder=folder), folder)
    table = aggregate(found.assign(benchmark="")).drop(columns=["benchmark", "used"])
    return table.merge(known, on=["scheme", "budget"], how="left").assign(negatives=negatives)[list(rate_records.COLUMNS)]


def of_whole(benchmark: str, whole: pd.DataFrame, folder: Path | None = None) -> pd.DataFrame:
    """What a part of a benchmark takes from the rates of the whole: scheme, budget, name, used and costs.

    Which suspects are asked changes none of it. Costs are means over victims: they are not known of a part that lacks one.
    """
    known = whole[["scheme", "budget", "name", "used", *rate_records.COSTS]]
    kept, every = ({*table["victim"]} for table in (pairs(benchmark, folder), pairs(base_of(benchmark), folder)))
    return known if kept == every else known.assign(**dict.fromkeys(rate_records.COSTS, np.nan))


def select(
    benchmark: str,
    schemes: Collection[str] = (),
    *,
    budgets: Collection[int] = (),
    task: str = "all",
    negatives: Negatives = "unrelated",
    by_task: bool = False,
    rule: Rule | None = None,
) -> pd.DataFrame:
    """Recorded rates as `evaluate` gives computed ones, for benchmarks whose models cannot be asked.

    Args:
        schemes: names or texts, all if not given.
        budgets: all if not given.
        by_task: one row per task beside the pooled one.
        rule: adds `value` and `spread`.

    Raises:
        QurdError: nothing is recorded of a scheme, at a budget, or of the task.
    """
    names = tasks(benchmark)
    if task not in names:
        raise unknown(f"task of {benchmark}", task, names)
    wanted = names if by_task else [task]
    if rate_records.is_whole(benchmark):
        table = pd.concat([read(benchmark, task=name, negatives=negatives) for name in wanted], ignore_index=True)
    else:
        found = _of_part(benchmark, None if by_task else task, negatives)
        table = pd.concat([found[found["task"] == name] for name in wanted], ignore_index=True)
    texts, labels = table["scheme"], table["name"].fillna(table["scheme"])
    for asked in schemes:
        if asked not in {*texts, *labels}:
            raise unknown(f"scheme with recorded rates on {benchmark}", asked, labels.unique())
    if missing := set(budgets) - set(table["budget"]):
        known = ", ".join(map(str, sorted(table["budget"].unique())))
        raise QurdError(f"Expected recorded budgets of {benchmark}: {known}. Got {min(missing)}.")
    chosen = texts.isin(schemes) | labels.isin(schemes) if schemes else texts.notna()
    chosen &= table["budget"].isin(budgets) if budgets else True
    table = table.assign(scheme=labels, benchmark=benchmark)[chosen].reset_index(drop=True)
    return by_rule(table, rule) if rule else table


def rates(
    scores: Scores,
    table: pd.DataFrame,
    negatives: Negatives = "unrelated",
    *,
    budget: int | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Detection rates of every recorded scheme on some pairs: the rows of `metrics.aggregate`, per task and for all.

    Args:
        table: the pairs that count, from `pairs`.
        budget: only this one.
    """
    return aggregate(cells(scores, table, negatives, budget=budget, alpha=alpha).assign(benchmark=""))


def cells(
    scores: Scores,
    table: pd.DataFrame,
    negatives: Negatives = "unrelated",
    *,
    budget: int | None = None,
    task: str | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """The rows of `metrics.victim_cells` for every recorded scheme, victim and query seed; the arguments of `rates`.

    Args:
        task: only this one; victims without it have no row.

    Raises:
        QurdError: no victim has the task.
    """
    chosen = np.ones(len(scores.columns), bool) if budget is None else (scores.columns["budget"] == budget).to_numpy()
    found_cells = []
    for victim, rows in table.groupby("victim", sort=False):
        place = {suspect: row for row, suspect in enumerate(scores.suspects[victim])}
        found = sides(rows["kind"].tolist(), rows["tasks"].tolist(), rows["root"].tolist(), negatives)
        found = {name: side for name, side in found.items() if task in (None, name)}
        if not found:
            continue
        values = scores.values[victim][[place[suspect] for suspect in rows["suspect"]]]
        known = chosen & ~np.isnan(values).any(axis=0)
        columns = scores.columns[known]
        budgets = columns["budget"].to_numpy()
        part = victim_cells(values[:, known].astype(float), found, budgets, budgets, alpha=alpha)
        named = {name: np.tile(columns[name].to_numpy(), len(found)) for name in ("scheme", "query_seed")}
        found_cells.append(part.assign(victim=victim, **named))
    if not found_cells:
        raise QurdError(f"Expected a task for which some victim has a stolen model. Got '{task}'.")
    return pd.concat(found_cells, ignore_index=True)
