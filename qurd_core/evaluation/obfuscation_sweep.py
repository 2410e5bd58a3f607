"""The named schemes behind every obfuscation, at the query budgets of the paper: what the app shows beside plain answers.

Two files per benchmark, as `records.obfuscation_records` reads them. Queries, and what models answer as they are, are those
of a plain sweep: what changes answers takes no pass.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import qurd_core.benchmarks.obfuscations
from qurd_core.benchmarks.base import EMBEDDED, Benchmark, benchmark, kind_of
from qurd_core.benchmarks.obfuscated import name_of
from qurd_core.benchmarks.serving import Step, steps_of
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import compute
from qurd_core.evaluation.plan import lacking
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.scores import raw_scores
from qurd_core.evaluation.speed import LOOK, Speed, query_set
from qurd_core.evaluation.sweep import write
from qurd_core.evaluation.tabulate import COSTS, recorded
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.files import made
from qurd_core.findings.language import words
from qurd_core.grammar import Call
from qurd_core.records import obfuscation_records
from qurd_core.records.rate_records import RAW_BUDGETS
from qurd_core.registry import obfuscations
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED, Scheme
from qurd_core.statistics.metrics import RULES
from qurd_core.store import Store

NATURAL_SEEDS, CRAFTED_SEEDS, SLOW_SEEDS = 3, 2, 1  # query seeds; slow is what asks a model many times for an answer
SLOW_BUDGETS = (100,)
_NOTHING = ("tpr", "tpr_conformal", "sd", "sd_conformal", "auc", "mean_stolen", "mean_unrelated", *COSTS)


class Asked(NamedTuple):
    """What is measured behind one obfuscation.

    Attributes:
        requests: one per number of query seeds.
        refused: the schemes that cannot be scored, with the reason.
    """

    requests: tuple[Request, ...]
    refused: dict[Scheme, str]


def presets() -> list[str]:
    """The obfuscations of this program, with their usual parameters."""
    home = f"{qurd_core.benchmarks.obfuscations.__name__}."
    return [str(Call(name)) for name in obfuscations if obfuscations[name].function.__module__.startswith(home)]


def estimate(name: str, store: Store, runtime: Runtime) -> str:
    """How many query sets are left and how long they will take, in a sentence. What is stored already costs nothing."""
    plain, speed = workbench(_embedded(name), store, runtime), Speed({}, {})
    waiting, seconds, banks, known = 0, 0.0, {}, {}
    for by in presets():
        (step,) = steps_of(by)
        for some in _asked(name, by, pool=True).requests:
            desk = workbench(some.bench, store, runtime)
            cells = [*lacking(some, desk)]
            for _ in speed.measure(plain) if cells and not speed.passes else ():
                pass
            hidden = _behind(speed, some.bench, step)
            for seed, victim, schemes in cells:
                waiting += 2  # once more with unrelated models as they are, which takes a look
                seconds += query_set(desk, victim, schemes[0], seed, some.budgets, hidden) + LOOK * (2 * len(schemes) - 1)
                known[victim, str(schemes[0].sampler), seed] = query_set(
                    plain, victim, schemes[0], seed, some.budgets, speed
                )
                passes = speed.passes | hidden.passes
                needs = desk.natural_needs(victim, schemes[0])
                banks |= {need: passes.get(need[0], 0.0) for need in needs if need[0] != victim}  # which its set counts
    seconds += sum(known.values()) + sum(each * len(plain.images(split)) for (_, split), each in banks.items())
    return (
        f"{len(NAMED)} named schemes behind {len(presets())} obfuscations, {waiting} query sets left: about"
        f" {seconds / runtime.workers / 60:.0f} minutes with {runtime.workers} worker(s) on {runtime.device}."
    )


def measure(name: str, store: Store, runtime: Runtime, out: Path) -> Iterator[Path]:
    """Compute what the store lacks, write the two files, and yield their paths. A killed sweep is continued."""
    _embedded(name)
    made(out)
    summary, raw = [], []
    for by in presets():
        for pool in (True, False):
            asked = _asked(name, by, pool=pool)
            for some in asked.requests:
                compute(some, store, runtime)
            desk = workbench(asked.requests[0].bench, store, runtime)
            rows = _rows(asked, desk).assign(obfuscation=by, pool=pool)
            summary.append(rows.merge(_before(asked, store, runtime), how="left"))
            raw += [_distances(some, desk).assign(obfuscation=by) for some in asked.requests if pool]
    for table, part in ((summary, obfuscation_records.RATES), (raw, obfuscation_records.SCORES)):
        yield write(pd.concat(table, ignore_index=True), out / f"{name}{part}.parquet", name)


def _embedded(name: str) -> Benchmark:
    if (kind := kind_of(name)) != EMBEDDED:
        raise QurdError(
            f"Expected {EMBEDDED}: the app shows records of no other. Got {kind}, {name}. Use 'run --obfuscate' on it."
        )
    return benchmark(name)


def _asked(name: str, by: str, *, pool: bool) -> Asked:
    (step,) = steps_of(by)
    slow = step.declares.changes == "model"
    budgets, bench = SLOW_BUDGETS if slow else RAW_BUDGETS, benchmark(name_of(name, by, pool=pool))
    by_seeds: dict[int, list[str]] = {}
    refused = {}
    for scheme in map(Scheme.parse, NAMED):
        try:
            request(bench, [str(scheme)], budgets=budgets)
        except QurdError as error:
            more = scheme.access > bench.access
            refused[scheme] = words.hidden(str(scheme.access), by, str(bench.access)) if more else _first(str(error))
        else:
            by_seeds.setdefault(_seeds(scheme, slow=slow), []).append(str(scheme))
    return Asked(tuple(request(bench, some, budgets=budgets, seeds=number) for number, some in by_seeds.items()), refused)


def _seeds(scheme: Scheme, *, slow: bool) -> int:
    return SLOW_SEEDS if slow else NATURAL_SEEDS if scheme.natural else CRAFTED_SEEDS


def _first(text: str) -> str:
    """The first sentence."""
    return text.partition(". ")[0]


def _rows(asked: Asked, desk: Workbench) -> pd.DataFrame:
    """Rows of every named scheme, task, choice of negatives and budget; without rates, and with the reason, where a scheme
    cannot be scored or a budget is not measured.
    """
    found = pd.concat([recorded(some, desk) for some in asked.requests], ignore_index=True).drop(columns="benchmark")
    budgets, empty = asked.requests[0].budgets, {"used": 0} | dict.fromkeys(_NOTHING, np.nan)
    why = f"recorded at {', '.join(map(str, budgets))} queries only"
    last = found[found["budget"] == budgets[-1]].assign(reason=why, **empty)
    found = pd.concat([found, *(last.assign(budget=one) for one in RAW_BUDGETS if one not in budgets)], ignore_index=True)
    cells = found.drop_duplicates(["negatives", "task", "budget"]).assign(**empty)
    lost = [
        cells.assign(scheme=str(scheme), name=scheme.name, reason=f"{reason[:1].lower()}{reason[1:]}")
        for scheme, reason in asked.refused.items()
    ]
    return pd.concat([found, *lost], ignore_index=True)


def _before(asked: Asked, store: Store, runtime: Runtime) -> pd.DataFrame:
    """The rates of the same schemes on the same query seeds without the obfuscation, in the columns `BEFORE`."""
    parts = []
    for some in asked.requests:
        plain = replace(some, bench=some.bench.behind)
        compute(plain, store, runtime)
        parts.append(recorded(plain, workbench(plain.bench, store, runtime)))
    names = dict(zip((columns.value for columns in RULES.values()), obfuscation_records.BEFORE, strict=True))
    return pd.concat(parts, ignore_index=True)[["scheme", "negatives", "task", "budget", *names]].rename(columns=names)


def _distances(asked: Request, desk: Workbench) -> pd.DataFrame:
    """The distances of all suspects, by the names that they have without the obfuscation."""
    before = zip(asked.bench.pairs, asked.bench.behind.pairs, strict=True)
    plain = {pair.suspect: own.suspect for pair, own in before}
    table = raw_scores(asked, asked.schemes, asked.budgets, desk)
    return table[table["suspect"].isin(plain)].assign(suspect=lambda rows: rows["suspect"].map(plain))


def _behind(speed: Speed, bench: Benchmark, step: Step) -> Speed:
    """The speed of models behind an obfuscation: as it is, many times as slow, or at no cost."""
    times = {"answers": 0, "images": 1, "model": step.values.get("copies", 1)}[step.declares.changes]
    before = zip(bench.pairs, bench.behind.pairs, strict=True)
    return Speed({pair.suspect: times * speed.passes.get(own.suspect, 0.0) for pair, own in before}, {})
