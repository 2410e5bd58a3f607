"""Thefts by what hides them: the rates of schemes on every column of a benchmark's grid, as the app shows them.

The grid of `some-name` is the benchmark `some-name-grid`: its tasks are thefts, its parameter the steps that follow them,
and every obfuscation is a further column. What has every model asked many times for an answer is measured if it is named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core import registry
from qurd_core.benchmarks.base import Benchmark, benchmark, kind_of, register_benchmarks
from qurd_core.benchmarks.obfuscated import name_of
from qurd_core.errors import QurdError, unknown
from qurd_core.evaluation.pipeline import compute
from qurd_core.evaluation.plan import ask_natural, lacking
from qurd_core.evaluation.plausibility import Labels
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.speed import LOOK, Speed, gradients
from qurd_core.evaluation.tabulate import recorded
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.records import grid_records
from qurd_core.records.grid_records import BUDGET, COLUMNS, KEYS, PART
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.statistics.sides import NEGATIVE_KINDS
from qurd_core.store import Store

DEAR = "model"  # what an obfuscation changes that asks each model many times for an answer
CHANGES = ("images", "answers", DEAR)  # the order of obfuscations by what they change
MEASURED = "test"  # the seed set on which accuracy and agreement are measured


@dataclass(frozen=True)
class Column:
    """One way to hide a stolen model.

    Attributes:
        hiding: its name.
        bench: name of the benchmark whose stolen models are hidden by it.
        dear: every model is asked many times for an answer.
    """

    hiding: str
    bench: str
    dear: bool = False


@dataclass(frozen=True)
class Asked:
    """What is asked of one column.

    Attributes:
        request: of the schemes that go with what is revealed, or None if none does.
        refused: why the others do not.
    """

    column: Column
    request: Request | None
    refused: Mapping[Scheme, str]

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        return (*(self.request.schemes if self.request else ()), *self.refused)


def columns(name: str) -> dict[str, Column]:
    """The columns of a benchmark's grid by their names: none, further steps, obfuscations of images, of answers, of models.

    Raises:
        QurdError: the benchmark has no grid.
    """
    register_benchmarks()
    grids = [one.removesuffix(f"-{PART}") for one in registry.benchmarks if one.endswith(f"-{PART}")]
    if name not in grids:
        raise QurdError(
            f"Expected a benchmark with a grid: {', '.join(grids)}. Got {kind_of(name)}, {name}. Use 'run' on it."
        )
    component = registry.benchmarks[f"{name}-{PART}"]
    (parameter,) = component.parameters.values()
    benches = [str(component.call({parameter.name: choice})) for choice in parameter.choices]
    steps = [Column(choice, bench) for choice, bench in zip(parameter.choices, benches, strict=True)]
    changed = {one: registry.obfuscations[one].declares.changes for one in registry.obfuscations}
    servers = [
        Column(one, name_of(benches[0], one, pool=False), changed[one] == DEAR)
        for one in sorted(changed, key=lambda one: CHANGES.index(changed[one]))
    ]
    return {column.hiding: column for column in (*steps, *servers)}


def asked_of(name: str, schemes: Sequence[str], seeds: int, hidings: Sequence[str] = ()) -> list[Asked]:
    """What is asked of each column, checked before anything is computed.

    Args:
        hidings: only these columns; all that are not dear if none is named.

    Raises:
        QurdError: an unknown benchmark, scheme or column, or models that have not been built.
    """
    every = columns(name)
    for hiding in hidings:
        if hiding not in every:
            raise unknown(f"column of the grid of {name}", hiding, every)
    parsed = [Scheme.parse(text) for text in schemes]
    chosen = [every[hiding] for hiding in hidings] or [column for column in every.values() if not column.dear]
    return [_asked(column, parsed, seeds) for column in chosen]


def estimate(asked: Sequence[Asked], store: Store, runtime: Runtime) -> str:
    """How many cells there are and how long the rest of them will take, in a sentence. What is stored costs nothing."""
    counted: set[tuple] = set()
    seconds, sets = 0.0, 0
    for one in asked:
        desk = _desk(one, store, runtime)
        waiting = list(lacking(one.request, desk)) if one.request else []
        seconds += _seconds(desk, waiting, counted) if waiting else 0.0
        sets += len(waiting)
    thefts, schemes = len(_desk(asked[0], store, runtime).bench.tasks), len(asked[0].schemes)
    return (
        f"{thefts} thefts x {len(asked)} ways to hide them, {schemes} scheme(s), {sets} query sets left: about"
        f" {seconds / runtime.workers / 3600:.1f} hours with {runtime.workers} worker(s) on {runtime.device}."
    )


def measure(name: str, asked: Sequence[Asked], store: Store, runtime: Runtime, out: Path) -> Path:
    """Compute what the store lacks and write the grid. A killed call is continued by the same call.

    The rows of other columns and schemes stay as they are in `out`.
    """
    every, path = columns(name), grid_records.path_of(name, out)
    plain = benchmark(next(iter(every.values())).bench)
    found = pd.concat([_rows(one, store, runtime) for one in asked], ignore_index=True)
    found["queries"] = found["theft"].map(_queries(plain))
    return grid_records.write(_in_order(_with_others(found, path, name), every, plain.tasks), path)


def _asked(column: Column, schemes: Sequence[Scheme], seeds: int) -> Asked:
    """The schemes of a column, and why the others are refused by what is revealed behind it."""
    bench = benchmark(column.bench)
    _check_built(bench)
    fitting, refused = [], {}
    for scheme in schemes:
        try:
            fitting.append(request(column.bench, [str(scheme)], budgets=[BUDGET], seeds=seeds).schemes[0])
        except QurdError as error:
            told = str(error).replace(bench.name, f"a model behind {column.hiding}")
            refused[scheme] = told.partition(". ")[0].rstrip(".")
    found = request(column.bench, [*map(str, fitting)], budgets=[BUDGET], seeds=seeds) if fitting else None
    return Asked(column, found, refused)


def _check_built(bench: Benchmark) -> None:
    """Refuse models that are not there yet, before hours are spent on the others."""
    for model in bench.models:
        try:
            bench.digest(model)
        except QurdError as error:
            raise QurdError(f"Expected all models of {bench.name}. {error} Make those that lack with 'build'.") from None


def _desk(one: Asked, store: Store, runtime: Runtime) -> Workbench:
    return workbench(benchmark(one.column.bench), store, runtime)


def _seconds(desk: Workbench, waiting: list[tuple[int, str, list[Scheme]]], counted: set[tuple]) -> float:
    """Seconds that the query sets of a column take, from the speed of one plain and of one hidden model.

    Args:
        waiting: query seed, victim and schemes of one sampler.
        counted: what other columns ask for, too, and is asked once; grows.
    """
    bench, victim = desk.bench, desk.bench.victims[0]
    hidden = {*bench.models} - {*(bench.behind or bench).models}
    speed, sample = Speed({}, {}), (victim, *sorted(hidden)[:1])
    for _ in speed.measure(replace(desk, bench=replace(bench, models=sample, pairs=bench.pairs_of(victim)))):
        pass

    def asking(models: Iterable[str], images: int) -> float:
        return images * sum(speed.passes[sample[-1] if model in hidden else victim] for model in models)

    needs = {need for _, own, schemes in waiting for need in desk.natural_needs(own, schemes[0])}
    measured = {(bench.answering(model), MEASURED) for model in _measured(bench) if not desk.has_natural(model, MEASURED)}
    banks = (needs | measured) - counted
    spent, whole = sum(asking([model], len(desk.images(split))) for model, split in banks), banks | counted
    for query_seed, own, schemes in waiting:
        queries = (own, str(schemes[0].sampler), query_seed)
        models = frozenset(map(bench.answering, desk.models(own)))
        if schemes[0].natural:
            asked = frozenset(
                m for m in models if (m, schemes[0].split) not in whole and not desk.has_natural(m, schemes[0].split)
            )
        else:
            asked = models
        if not schemes[0].natural and queries not in counted:
            groups = BUDGET / schemes[0].group_size
            spent += groups * gradients(bench.whole, schemes[0]) * speed.gradients[victim]
        if (*queries, asked) not in counted:
            spent += asking(asked, BUDGET)
        spent += LOOK * len(schemes)
        counted |= {queries, (*queries, asked)}
    counted |= banks
    return spent


def _rows(one: Asked, store: Store, runtime: Runtime) -> pd.DataFrame:
    """The rows of a column; cells that no scheme can have are rows without a rate, with the reason."""
    desk, found = _desk(one, store, runtime), []
    ask_natural(replace(desk.bench, models=_measured(desk.bench)), MEASURED, store, runtime)
    if one.request:
        compute(one.request, store, runtime)
        table = recorded(one.request, desk)
        found.append(table[table["task"] != "all"].rename(columns={"task": "theft", "n_positives": "n_models"}))
    for scheme, reason in one.refused.items():
        about = {"scheme": str(scheme), "name": scheme.name, "reason": reason}
        cells = [(theft, kind) for theft in desk.bench.tasks for kind in NEGATIVE_KINDS]
        found.append(pd.DataFrame(cells, columns=["theft", "negatives"]).assign(**about))
    table = pd.concat(found, ignore_index=True).merge(pd.DataFrame(_facts(desk)), on="theft")
    return table.assign(hiding=one.column.hiding).reindex(columns=COLUMNS)


def _measured(bench: Benchmark) -> tuple[str, ...]:
    """The models whose accuracy and agreement are told: those that take one pass for an answer."""
    return tuple(model for model in bench.models if bench.answering(model) not in bench.costly)


def _facts(desk: Workbench) -> Iterator[dict[str, object]]:
    """How accurate the models of each theft are, and how far they agree with their victims beyond chance: means over
    models, NaN where an answer takes many passes.
    """
    for theft in desk.bench.tasks:
        pairs = [pair for pair in desk.bench.pairs if pair.kind == "positive" and theft in pair.tasks]
        asked = {name for pair in pairs for name in (pair.victim, pair.suspect)}
        row = {"theft": theft, "accuracy": np.nan, "kappa": np.nan}
        if not asked & desk.bench.costly:
            known = Labels.of(desk, MEASURED, asked)
            row["accuracy"] = np.mean([known.accuracy(pair.suspect) for pair in pairs])
            row["kappa"] = np.mean([known.kappa(pair.victim, pair.suspect).value for pair in pairs])
        yield row


def _queries(bench: Benchmark) -> dict[str, float]:
    """Images that each theft sent to its victim, a mean over models."""
    sent = {theft: [] for theft in bench.tasks}
    for pair in bench.pairs:
        if pair.kind == "positive":
            sent[pair.tasks[0]].append(bench.record(pair.suspect).get("victim_queries", 0))
    return {theft: float(np.mean(numbers)) for theft, numbers in sent.items()}


def _with_others(table: pd.DataFrame, path: Path, name: str) -> pd.DataFrame:
    """A table and the rows of all other cells in the file that it will replace, if there is one."""
    if not path.exists():
        return table
    before = grid_records.read(name, path.parent)
    cell = list(KEYS)
    kept = ~pd.MultiIndex.from_frame(before[cell]).isin(pd.MultiIndex.from_frame(table[cell]))
    return pd.concat([table, before[kept]], ignore_index=True)


def _in_order(table: pd.DataFrame, hidings: Iterable[str], thefts: Iterable[str]) -> pd.DataFrame:
    """Thefts and columns as the grid has them, schemes by their names."""
    places = {"theft": list(thefts).index, "hiding": list(hidings).index}
    keys = [table[name].map(place) for name, place in places.items()]
    return table.iloc[np.lexsort([table["negatives"], table["scheme"], *keys[::-1]])]
