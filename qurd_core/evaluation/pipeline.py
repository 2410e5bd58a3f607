"""The only place that knows the order of the stages: from the names of schemes to a table of detection rates."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.errors import QurdError, unknown
from qurd_core.evaluation import gaps
from qurd_core.evaluation.plausibility import Labels, findings, lineage_notes, measured_split
from qurd_core.evaluation.runs import RunFile
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.executors import Unit, executor, finish
from qurd_core.folders import default_folder
from qurd_core.lineage import Lineage, roots_in, text_of_roots
from qurd_core.registry import representations, seed_rules
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.statistics.metrics import Rule, aggregate, by_rule, victim_cells
from qurd_core.statistics.sides import NEGATIVE_KINDS, Negatives, Sides, sides
from qurd_core.store import Store
from qurd_core.types import Pair

_Bank = tuple[str, str]  # a model and a split: its answers on the whole seed set
_Where = tuple[str, str, str, int]  # what `workbench` takes

MOST = 1_000_000  # queries of one set: more are a slip
SQUARE = 1_000  # where answers are compared pair by pair, which takes a matrix per model
COSTS = ("distinct", "samples", "gradients", "converged")
BANK_UNIT = 12  # models per unit of the answer bank
TOGETHER = 16  # schemes whose cells are averaged at once: more take memory, fewer take time


@dataclass(frozen=True)
class Request:
    """What to evaluate.

    Attributes:
        bench: the pairs.
        schemes: distinct, in the order asked.
        budgets: rising.
        seeds: number of query seeds; the seeds are 0, 1, ...
        tasks: tasks reported and pooled.
        negatives: whether hard unrelated models count as unrelated.
        pool: root lineages of the unrelated models that calibrate, or None for all of the benchmark.
    """

    bench: Benchmark
    schemes: tuple[Scheme, ...]
    budgets: tuple[int, ...]
    seeds: int
    tasks: tuple[str, ...]
    negatives: Negatives = "unrelated"
    pool: tuple[str, ...] | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """The request as JSON values."""
        lists = {"schemes": list(map(str, self.schemes)), "budgets": list(self.budgets), "tasks": list(self.tasks)}
        choices = {"seeds": self.seeds, "negatives": self.negatives, "pool": self.pool and list(self.pool)}
        return {"benchmark": self.bench.name, **lists, **choices}

    @property
    def reported(self) -> str:
        """What the rows of a table are about: the one task that was chosen of several, else all of them together."""
        return self.tasks[0] if len(self.tasks) == 1 < len(self.bench.tasks) else "all"

    @property
    def victims(self) -> tuple[str, ...]:
        """The victims of which some stolen model serves a task that was asked for."""
        stolen = {pair.victim for pair in self.bench.pairs if pair.kind == "positive" and {*pair.tasks} & {*self.tasks}}
        return tuple(victim for victim in self.bench.victims if victim in stolen)

    def pairs(self, victim: str) -> list[Pair]:
        """The victim's pairs that count, with the tasks that were asked for."""
        kept = []
        for pair in self.bench.pairs_of(victim):
            served = tuple(task for task in pair.tasks if task in self.tasks)
            left_out = pair.kind == "negative" and self.pool is not None and self.bench.root(pair.suspect) not in self.pool
            if served and not left_out:
                kept.append(replace(pair, tasks=served))
        return kept


def request(
    bench: Benchmark | str,
    schemes: Iterable[str],
    *,
    budgets: Sequence[int],
    seeds: int = 5,
    tasks: Sequence[str] = (),
    negatives: Negatives = "unrelated",
    pool: Sequence[str] | None = None,
) -> Request:
    """Check everything that a run can be asked, before anything is computed.

    Raises:
        QurdError: an unknown name, parts that do not go together, a budget or number of seeds below 1.
    """
    bench = benchmark(bench) if isinstance(bench, str) else bench
    parsed = tuple(dict.fromkeys(Scheme.parse(text) for text in schemes))
    if not parsed or not budgets:
        raise QurdError("Expected at least one scheme and one budget. Name a scheme with --scheme, see 'schemes'.")
    if min(budgets) < 1 or seeds < 1:
        raise QurdError(f"Expected budgets and a number of seeds of at least 1. Got {min(budgets)} and {seeds}.")
    if max(budgets) > MOST:
        raise QurdError(f"Expected budgets of at most {MOST:,}. Got {max(budgets):,}.")
    if benchmark(bench.name) != bench:
        raise QurdError(f"Expected a registered benchmark, which workers find by its name. Got another '{bench.name}'.")
    for scheme in parsed:
        if max(budgets) < scheme.group_size:
            raise QurdError(
                f"Every cell of '{label(scheme)}' is empty: a budget of {max(budgets)} buys no group of"
                f" {scheme.group_size} queries. Ask for a larger one."
            )
        _check_square(scheme, max(budgets))
        _check_answers(bench, scheme)
        _check_classes(bench, scheme)
    if negatives not in NEGATIVE_KINDS:
        raise unknown("choice of negatives", negatives, NEGATIVE_KINDS)
    for task in tasks:
        if task not in bench.tasks:
            raise unknown(f"task of {bench.name}", task, bench.tasks)
    roots = {bench.root(pair.suspect) for pair in bench.pairs if pair.kind == "negative"}
    chosen = None if pool is None else tuple(map(_root, pool))
    for lineage in chosen or ():
        if lineage not in roots:
            raise unknown(f"lineage of the unrelated models of {bench.name}", lineage, roots)
    kept = tuple(task for task in bench.tasks if task in tasks) or bench.tasks
    return Request(bench, parsed, tuple(sorted(set(budgets))), seeds, kept, negatives, chosen)


def _root(text: str) -> str:
    """The text by which a benchmark knows a root, or several, however it was spelled."""
    return text_of_roots(root for part in roots_in(text) for root in Lineage.parse(part).roots)


def evaluate(
    bench: Benchmark | str,
    schemes: Iterable[str],
    *,
    budgets: Sequence[int],
    seeds: int = 5,
    tasks: Sequence[str] = (),
    negatives: Negatives = "unrelated",
    pool: Sequence[str] | None = None,
    by_task: bool = False,
    rule: Rule | None = None,
    store: Store | None = None,
    runtime: Runtime | None = None,
) -> pd.DataFrame:
    """Detection rates of schemes on a benchmark: one row per scheme and budget, and per task if asked.

    Args:
        bench: a benchmark or its name.
        schemes: named schemes or texts `sampler | representation | detector`.
        budgets: numbers of images sent to a suspect.
        seeds: number of repetitions, each with its own queries.
        tasks: only these tasks, instead of all; the rows of a single one are called by its name.
        negatives: `"unrelated"`, or `"unrelated+hard"` to count hard unrelated models too.
        pool: root lineages of the unrelated models that calibrate, instead of all.
        by_task: one row per task beside the pooled one.
        rule: adds `value` and `spread`, the rate by the paper's rule or by the guaranteed one and its standard deviation.
        store: where results are kept; the user's cache folder if not given.
        runtime: how to compute.

    Returns:
        the columns of `metrics.ROWS`, with `COSTS`: different images among those sent, labelled images looked at and
        victim gradients computed per query set, and the share of the seeds tried that gave queries.

    Raises:
        QurdError: bad input, or a scheme whose every cell is empty. Single empty cells are warned of before anything runs.
    """
    asked = request(bench, schemes, budgets=budgets, seeds=seeds, tasks=tasks, negatives=negatives, pool=pool)
    tell = partial(warnings.warn, stacklevel=3)
    table = run(asked, store or Store(default_folder()), runtime or Runtime(), tell=tell, by_task=by_task)
    return by_rule(table, rule) if rule else table


def run(
    asked: Request, store: Store, runtime: Runtime, *, tell: Callable[[str], None], by_task: bool = False
) -> pd.DataFrame:
    """Compute what the store lacks, then the table.

    Args:
        tell: hears one sentence per kind of empty cell before anything runs, the caveats of the benchmark, what is asked
            about one that somebody brings, and where stolen models lie farther from a victim than unrelated ones.
    """
    for sentence in (*asked.bench.caveats, *examine(asked, store, runtime)):
        tell(sentence)
    if plan(asked, store, runtime):
        for sentence in empty_cells(asked, store, runtime):
            tell(sentence)
        _check_seeds(asked, store, runtime)
        compute(asked, store, runtime)
    table = tabulate(asked, store, runtime, by_task=True)
    for scheme, rows in table.groupby("scheme", sort=False):
        if not rows["used"].any():
            raise QurdError(f"Every cell of '{scheme}' is empty: {rows['reason'].iloc[0]}. Ask for other budgets.")
    for sentence in _backwards(table):
        tell(sentence)
    return table if by_task else _reported(table, asked)


def examine(asked: Request, store: Store, runtime: Runtime) -> list[str]:
    """What is to be asked about a benchmark that somebody brings, a sentence each, before it is scored.

    Models are measured where some scheme needs their answers anyway; what it needs is asked here and found there.

    Raises:
        QurdError: a model falls far below its declared accuracy.
    """
    bench, split = asked.bench, measured_split(asked.bench)
    if split is None:
        return []
    told = lineage_notes(bench)
    models = tuple(dict.fromkeys(name for pair in bench.pairs for name in (pair.victim, pair.suspect)))
    if any(scheme.sends_seeds and scheme.split == split for scheme in asked.schemes):
        ask_natural(replace(bench, models=models), split, store, runtime)
    desk = workbench(bench.whole, str(store.folder), runtime.device, runtime.batch_size)
    if not all(desk.has_natural(model, split) for model in models):
        unseen = f"No scheme here sends the {split} items as they are, so the accuracy of the models was not measured."
        return [*told, f"{unseen} 'check-benchmark' does so."]
    found = findings(bench, Labels.of(desk, split, models))
    if found.problems:
        raise QurdError(f"{found.problems[0]} (In {bench.name}.)")
    return told + found.notes


def _backwards(table: pd.DataFrame) -> Iterator[str]:
    """Where unrelated models are closer to a victim than stolen ones, a sentence per scheme.

    By task, because the victim itself, which is among the stolen models of `"all"`, is always closest.
    """
    for scheme, rows in table[table["auc"] < 0.5].groupby("scheme", sort=False):
        worst = rows.loc[rows["auc"].idxmin()]
        more = f", and in {len(rows) - 1} more cells" if len(rows) > 1 else ""
        yield (
            f"{scheme}: thieves lie farther from the victim than unrelated models (AUC {worst['auc']:.2f} on {worst['task']}"
            f" at {worst['budget']} queries{more})."
        )


def _reported(table: pd.DataFrame, asked: Request) -> pd.DataFrame:
    """The rows of what was asked for, of all tasks together or of one."""
    return table[table["task"] == asked.reported].reset_index(drop=True)


def compute(asked: Request, store: Store, runtime: Runtime) -> None:
    """Put every score of the request into the store. A killed call is continued by the same call."""
    units = plan(asked, store, runtime)
    if not units:
        return
    with RunFile(store.folder, asked.identity, len(units), runtime.device) as file:
        finish(runtime.track(file.watch(executor(runtime.workers).run(units)), len(units), "asking models"))


def plan(asked: Request, store: Store, runtime: Runtime) -> list[Unit]:
    """The units whose results the store lacks: the answer bank, then one per query seed, sampler and victim.

    Raises:
        QurdError: unrelated models have not answered what is asked of them.
    """
    bench, desk = asked.bench, workbench(asked.bench.whole, str(store.folder), runtime.device, runtime.batch_size)
    if bench.missing:
        _check_gaps(asked, desk)
    where = (bench.whole, str(store.folder), runtime.device, runtime.batch_size)
    cells: list[Unit] = []  # their needs are answers at first; which unit holds an answer is known at the end
    banks: dict[_Bank, None] = {}
    for query_seed, victim, schemes in lacking(asked, desk):
        needs = [bank for bank in _banks(desk, victim, schemes[0]) if not desk.has_natural(*bank)]
        banks |= dict.fromkeys(needs)
        args = (*where, victim, tuple(map(str, schemes)), query_seed, asked.budgets)
        cells.append(Unit(f"{victim} {schemes[0].sampler} {query_seed}", _score, args, tuple(needs)))
    units, holder = _bank_units(banks, where)
    return units + [replace(unit, needs=tuple(dict.fromkeys(holder[bank] for bank in unit.needs))) for unit in cells]


def lacking(asked: Request, desk: Workbench) -> Iterator[tuple[int, str, list[Scheme]]]:
    """Query seed, victim and the schemes of one sampler whose scores are not in the store."""
    samplers: dict[str, list[Scheme]] = {}
    for scheme in asked.schemes:
        samplers.setdefault(str(scheme.sampler), []).append(scheme)
    for query_seed in range(asked.seeds):
        for schemes in samplers.values():
            for victim in asked.bench.victims:
                missing = [s for s in schemes if not desk.has_scores(victim, s, query_seed, asked.budgets)]
                if missing:
                    yield query_seed, victim, missing


def ask_natural(bench: Benchmark, split: str, store: Store, runtime: Runtime) -> None:
    """Put the answers of all models of a benchmark on a whole seed set into the store."""
    where = (bench.whole, str(store.folder), runtime.device, runtime.batch_size)
    lacking = [(model, split) for model in bench.models if not workbench(*where).has_natural(model, split)]
    if not lacking:
        return
    units, _ = _bank_units(lacking, where)
    finish(runtime.track(executor(runtime.workers).run(units), len(units), "asking models"))


def empty_cells(asked: Request, store: Store, runtime: Runtime) -> list[str]:
    """One sentence per scheme and victim whose budgets buy nothing, or whose seed set is too small; asks victims only."""
    desk = workbench(asked.bench.whole, str(store.folder), runtime.device, runtime.batch_size)
    told: dict[str, None] = {}
    for scheme in asked.schemes:
        small = [b for b in asked.budgets if b < scheme.group_size]
        if small:
            told[f"{label(scheme)}: {_list(small)} buys no group of {scheme.group_size} queries."] = None
        for victim in asked.bench.victims:
            seeds = len(desk.draw(victim, scheme, 0)[1].indices)
            if seeds and scheme.goes_round:
                continue
            most = seeds * scheme.group_size
            large = [b for b in asked.budgets if b >= scheme.group_size and b // scheme.group_size > seeds]
            if large:
                told[f"{label(scheme)}: {victim} has seeds for {most} queries only, not for {_list(large)}."] = None
    return list(told)


def tabulate(
    asked: Request, store: Store, runtime: Runtime, *, by_task: bool = False, desk: Workbench | None = None
) -> pd.DataFrame:
    """The table of a request whose scores are in the store, or are known to the given workbench."""
    desk = desk or workbench(asked.bench.whole, str(store.folder), runtime.device, runtime.batch_size)
    facing = {victim: _facing(asked, desk, victim) for victim in asked.victims}
    some = [asked.schemes[start : start + TOGETHER] for start in range(0, len(asked.schemes), TOGETHER)]
    table = pd.concat([_scheme_rows(asked, desk, schemes, facing) for schemes in some], ignore_index=True)
    return table if by_task else _reported(table, asked)


def _scheme_rows(asked: Request, desk: Workbench, schemes: tuple[Scheme, ...], facing: dict[str, "_Facing"]) -> pd.DataFrame:
    cells, costs = [], []
    for scheme in schemes:
        for victim in asked.bench.victims:
            by_seed = [desk.scores(victim, [scheme], seed, asked.budgets)[scheme] for seed in range(asked.seeds)]
            found = {name: torch.cat([one[name] for one in by_seed], dim=-1).numpy() for name in by_seed[0]}
            spent = pd.DataFrame({name: found[name] for name in ("used", "available", *COSTS)})
            spent["distinct"] = spent["distinct"].where(spent["used"] > 0)
            if "truth" in representations[scheme.representation.name].needs:  # so the images that are sent are labelled
                spent["samples"] = np.maximum(spent["samples"], spent["used"] // scheme.group_size)
            spent["query_seed"], spent["budget"] = (axis.ravel() for axis in _grid(asked))
            costs.append(spent.assign(scheme=label(scheme)))
            if victim in facing:
                order, tasks = facing[victim]
                values = found["values"][order].astype(float)
                cells.append(_victim_rows(scheme, values, tasks, spent).assign(victim=victim))
    cells = pd.concat(cells, ignore_index=True).assign(benchmark=asked.bench.name)
    spent = pd.concat(costs).groupby(["scheme", "budget"], as_index=False)[list(COSTS)].mean()
    return aggregate(cells).merge(spent, on=["scheme", "budget"], how="left")


def _grid(asked: Request) -> list[np.ndarray]:
    """Query seed and budget of every column of scores, when those of all seeds lie side by side."""
    return np.meshgrid(range(asked.seeds), asked.budgets, indexing="ij")


def _victim_rows(scheme: Scheme, values: np.ndarray, tasks: dict[str, Sides], spent: pd.DataFrame) -> pd.DataFrame:
    """Rows of every task, query seed and budget of one victim.

    Args:
        values: (M,B) distances, a column per row of `spent`.
    """
    filled = (spent["used"] > 0).to_numpy()
    bought, rest = spent[filled], spent[~filled]
    rows = []
    if filled.any():
        found = victim_cells(values[:, filled], tasks, bought["budget"].to_numpy(), bought["used"].to_numpy())
        rows.append(found.assign(query_seed=np.tile(bought["query_seed"], len(tasks))))
    if len(rest):
        rows.append(_empty(scheme, tasks, rest))
    return pd.concat(rows, ignore_index=True).assign(scheme=label(scheme))


_Facing = tuple[list[int], dict[str, Sides]]


def _facing(asked: Request, desk: Workbench, victim: str) -> _Facing:
    """Rows of the suspects that count among the victim's scores, and the sides of every task in these rows."""
    position = {model: row for row, model in enumerate(desk.models(victim))}
    pairs = asked.pairs(victim)
    roots = [asked.bench.root(pair.suspect) for pair in pairs]
    found = sides([pair.kind for pair in pairs], [pair.tasks for pair in pairs], roots, asked.negatives)
    return [position[pair.suspect] for pair in pairs], found


def _empty(scheme: Scheme, tasks: dict[str, Sides], spent: pd.DataFrame) -> pd.DataFrame:
    """Rows without rates for the budgets that buy nothing, with the reason."""
    rows = [
        {
            "budget": cell.budget,
            "used": 0,
            "task": task,
            "n_negatives": len(side.negatives),
            "n_lineages": side.lineages,
            "n_positives": len(side.positives),
            "query_seed": cell.query_seed,
            "reason": _why_empty(scheme, cell.budget, cell.available),
        }
        for task, side in tasks.items()
        for cell in spent.itertuples()
    ]
    rates = ("tpr", "tpr_conformal", "auc", "mean_stolen", "mean_unrelated")
    return pd.DataFrame(rows).assign(**dict.fromkeys(rates, np.nan))


def _why_empty(scheme: Scheme, budget: int, available: int) -> str:
    if budget < scheme.group_size:
        return f"a budget of {budget} buys no group of {scheme.group_size} queries"
    if not available:
        return f"{scheme.seeds} finds no image"
    return f"the seed set gives {available} queries only"


def _check_answers(bench: Benchmark, scheme: Scheme) -> None:
    """Refuse a scheme that asks a benchmark for what it has not."""
    if scheme.craft.name != "identity" and not bench.source.asks:
        raise QurdError(
            f"'{label(scheme)}' crafts queries of its own ({scheme.craft}), and {bench.name} holds answers to its own items"
            " only, not the models. Use a scheme without a craft, such as AKH."
        )
    if scheme.split not in bench.splits:
        raise unknown(f"split of {bench.name}", scheme.split, bench.splits)
    if bench.missing and not scheme.counts_missing:
        raise QurdError(
            f"'{label(scheme)}' cannot count a missing answer as disagreement, and {bench.missing:,} are missing in"
            f" {bench.name}. Use a scheme on labels or probits query by query, such as AKH, or leave out the items that not"
            " all models answer."
        )
    if scheme.access > bench.access:
        raise QurdError(
            f"'{label(scheme)}' needs {scheme.access}, and {bench.name} reveals {bench.access} only. Use a scheme that"
            " needs less, such as AKH."
        )


def _check_seeds(asked: Request, store: Store, runtime: Runtime) -> None:
    """Refuse a scheme whose seed sets are too small for every budget, before as many queries are made as they allow."""
    desk = workbench(asked.bench.whole, str(store.folder), runtime.device, runtime.batch_size)
    for scheme in asked.schemes:
        seeds = {victim: len(desk.draw(victim, scheme, 0)[1].indices) for victim in asked.bench.victims}
        if not scheme.goes_round and min(asked.budgets) // scheme.group_size > max(seeds.values()) > 0:
            victim = max(seeds, key=seeds.get)
            raise QurdError(
                f"Every cell of '{label(scheme)}' is empty: the seed set gives {seeds[victim] * scheme.group_size} queries"
                f" only, to {victim}. Ask for other budgets."
            )


def _check_square(scheme: Scheme, budget: int) -> None:
    """Refuse a budget at which the matrices of a scheme would not fit in memory."""
    if budget > SQUARE and representations[scheme.representation.name].extra.get("square"):
        raise QurdError(
            f"'{label(scheme)}' compares answers pair by pair ({scheme.representation}), so it takes budgets of at most"
            f" {SQUARE:,}. Got {budget:,}: ask for less, or use a scheme that takes them one by one, such as AKH."
        )


def _check_gaps(asked: Request, desk: Workbench) -> None:
    """Refuse a request of whose very queries unrelated models have not answered enough."""
    unanswered = cache(asked.bench.unanswered)
    for scheme in {str(scheme.sampler): scheme for scheme in asked.schemes}.values():
        for victim in asked.bench.victims:
            unrelated = [pair.suspect for pair in asked.pairs(victim) if pair.kind in NEGATIVE_KINDS[asked.negatives]]
            gone = {model: unanswered(model, scheme.split) for model in unrelated}
            for query_seed in range(asked.seeds):
                drawn = desk.draw(victim, scheme, query_seed)[1].indices
                what = f"'{label(scheme)}' with query seed {query_seed}"
                gaps.refuse(gone, drawn, asked.budgets, victim=victim, split=scheme.split, what=what)


def _check_classes(bench: Benchmark, scheme: Scheme) -> None:
    """Refuse a parameter that counts classes and asks for more than there are."""
    component = representations[scheme.representation.name]
    name = component.extra.get("counts_classes")
    asked = component.bind(scheme.representation)[name] if name else 0
    if asked > len(bench.classes):
        raise QurdError(
            f"The '{name}' of '{component.name}' must be at most {len(bench.classes)}, the classes of {bench.name}."
            f" Got {asked}."
        )


def label(scheme: Scheme) -> str:
    """The name of a scheme if it has one, else its text."""
    return scheme.name or str(scheme)


def _list(budgets: Iterable[int]) -> str:
    return ", ".join(map(str, budgets))


def _banks(desk: Workbench, victim: str, scheme: Scheme) -> list[_Bank]:
    """The natural answers that a cell needs."""
    if scheme.sends_seeds:
        return [(model, scheme.split) for model in desk.models(victim)]
    return [(victim, scheme.split)] if "victim labels" in seed_rules[scheme.seeds.name].needs else []


def _bank_units(banks: Iterable[_Bank], where: _Where) -> tuple[list[Unit], dict[_Bank, str]]:
    """Units for the answer bank, a few models of one split each, and the unit that holds each answer."""
    by_split: dict[str, list[str]] = {}
    for model, split in banks:
        by_split.setdefault(split, []).append(model)
    units, holder = [], {}
    for split, models in by_split.items():
        for start in range(0, len(models), BANK_UNIT):
            some = tuple(models[start : start + BANK_UNIT])
            units.append(Unit(f"bank {split} {some[0]}", _bank, (*where, some, split)))
            holder |= {(model, split): units[-1].key for model in some}
    return units, holder


def _bank(name: str, folder: str, device: str, batch_size: int, models: tuple[str, ...], split: str) -> None:
    """A unit: the answers of some models on a whole seed set."""
    workbench(name, folder, device, batch_size).fill_bank(models, split)


def _score(
    name: str,
    folder: str,
    device: str,
    batch_size: int,
    victim: str,
    schemes: tuple[str, ...],
    query_seed: int,
    budgets: tuple[int, ...],
) -> None:
    """A unit: the scores of one victim and query seed for schemes that share a sampler."""
    workbench(name, folder, device, batch_size).scores(victim, [Scheme.parse(text) for text in schemes], query_seed, budgets)
