"""Table 3 of the paper measured anew on the official benchmarks, beside what is printed and what the published scores give.

Models and pictures are fetched, the paper's six schemes are run with its 100 queries and five query seeds, and one report
file tells the 48 cells, of every victim and query seed, with the commits and digests that they rest on. Whatever was fetched
or computed is kept, so a killed call is continued by the same one. A benchmark that cannot be fetched costs its cells alone;
the report says why.
"""

import math
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from qurd_core.benchmarks.base import Benchmark, benchmark, component
from qurd_core.benchmarks.official.blank import blanked, kinds, lacking_bytes
from qurd_core.errors import QurdError
from qurd_core.evaluation.pairs import table_of
from qurd_core.evaluation.pipeline import compute
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.scores import raw_scores
from qurd_core.evaluation.speed import Speed, gradients
from qurd_core.evaluation.workbench import PART, Workbench, workbench
from qurd_core.files import hub_folder, publish, sealed_json
from qurd_core.paper import names, summary, tables
from qurd_core.records.evidence import Scores, cells
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.store import Store

BENCHMARKS = {  # of the model hub, by the data set of the paper
    "CIFAR10": "sacbench-cifar10",
    "Flower102": "modelreuse-flower102",
    "SDog120": "modelreuse-sdog120",
}
SEEDS = 5
SPARE = 2 * 10**9  # bytes of the disk beside the weights: pictures and results
# By name, as the authors run them: their images are cut by quickshift.
SCHEMES = {name: names.CUT.get(text, text) for name, text in summary.NAMED.items()}

Tell = Callable[[str], None]


def reproduce(
    store: Store, runtime: Runtime, out: Path, tell: Tell, *, budget: int = names.PRINTED_BUDGET, seeds: int = SEEDS
) -> tuple[list[dict[str, Any]], list[str]]:
    """Fetch, run, and write the report, which is written again after every benchmark.

    Args:
        out: the report.
        tell: hears what is to come and how long it takes at most, before anything is fetched, and what is done.

    Returns:
        the 48 cells; and a sentence for every benchmark that could not be measured.

    Raises:
        QurdError: the disk is too small, or the report cannot be written.
    """
    _check_disk(tell)
    for dataset, name in BENCHMARKS.items():
        tell(f"{dataset}: {estimate(request_of(name, budget, seeds), store, runtime)}")
    found: dict[str, dict[str, Any]] = {}
    rates: dict[str, pd.DataFrame] = {}
    for dataset, name in BENCHMARKS.items():
        began = time.perf_counter()
        try:
            declared, values = component(name)
            declared.declares.fetch(runtime.track, **values)
            rates[dataset] = measure(request_of(name, budget, seeds), store, runtime)
        except QurdError as error:
            found[dataset] = {"benchmark": name, "problem": str(error)}
        else:
            bare = without(request_of(name, budget, seeds), rates[dataset])
            found[dataset] = {"benchmark": name, "problem": None, "without": bare, **sources(benchmark(name))}
            for sentence in bare:
                tell(f"{dataset}: {sentence}")
        found[dataset]["seconds"] = round(time.perf_counter() - began, 1)
        rows = table(rates, budget)
        _write(out, rows, rates, found, runtime.device, budget, seeds)
        tell(f"{dataset}: {found[dataset]['problem'] or 'measured'} ({found[dataset]['seconds'] / 60:.0f} minutes)")
    return rows, [f"{dataset}: {one['problem']}" for dataset, one in found.items() if one["problem"]]


def request_of(name: str, budget: int, seeds: int) -> Request:
    """The paper's schemes on an official benchmark."""
    return request(name, [*SCHEMES.values()], budgets=[budget], seeds=seeds)


def measure(asked: Request, store: Store, runtime: Runtime) -> pd.DataFrame:
    """Rates per scheme, victim, task and query seed: rows of name, victim, task, budget, query_seed and both rates."""
    compute(asked, store, runtime)
    desk = workbench(asked.bench, store, runtime)
    scores = Scores.of_table(raw_scores(asked, asked.schemes, asked.budgets, desk))
    pairs = table_of(asked.bench, [pair for victim in asked.victims for pair in asked.pairs(victim)])
    labels = {str(Scheme.read(text)): name for name, text in SCHEMES.items()}
    rows = cells(scores, pairs)
    kept = ["victim", "task", "budget", "query_seed", "tpr", "tpr_conformal"]
    return rows[kept].assign(name=rows["scheme"].map(labels))


def table(rates: dict[str, pd.DataFrame], budget: int) -> list[dict[str, Any]]:
    """The cells of Table 3: printed, from the published scores, and measured here.

    What is measured is averaged as the paper does it and over the same data sets: the published scores of one scheme lack
    one. It is None unless all of them were measured.

    Args:
        rates: from `measure`, by data set.
    """
    published = tables.by_victim()
    published = published[published["budget"] == names.PRINTED_BUDGET]
    ours = [rows.assign(benchmark=names.BY_DATASET[dataset]) for dataset, rows in rates.items()]
    measured = pd.concat(ours, ignore_index=True) if ours else published.iloc[:0]
    found = []
    for row in tables.table3():
        name, task = row["fingerprint"], row["task"]
        theirs, mine = (rows[(rows["name"] == name) & (rows["task"] == task)] for rows in (published, measured))
        over = {*theirs["benchmark"]}
        whole = over <= {*mine["benchmark"]}
        cell = tables.table3_cell(mine[mine["benchmark"].isin(over)], "paper") if whole else {}
        found.append(
            {
                "scheme": name,
                "task": task,
                "printed": row["printed"],
                "printed_plus_minus": row["printed_plus_minus"],
                "published": row["tpr"],
                "published_plus_minus": row["plus_minus"],
                "measured": cell.get("tpr"),
                "measured_plus_minus": cell.get("plus_minus"),
            }
        )
    return found


def estimate(asked: Request, store: Store, runtime: Runtime) -> str:
    """What is to come, in a sentence, from the speed of networks of the same shapes on this machine.

    A craft that stops early is counted with all the steps that it may take. What is stored is not counted off.
    """
    source = asked.bench.source
    bytes_ = lacking_bytes(source.models.values(), source.data.classes)
    speed, some, alike = Speed({}, {}), blanked(asked.bench), kinds(asked.bench)
    for _ in speed.measure(Workbench(some, store, Runtime(runtime.device, runtime.batch_size))):
        pass
    seconds = sum(_seconds(asked, victim, scheme, speed, alike) for victim in asked.victims for scheme in asked.schemes)
    return (
        f"{len(asked.bench.models)} models, {bytes_ / 1e9:.1f} GB of weights to fetch, then at most"
        f" {seconds / runtime.workers / 3600:.1f} hours with {runtime.workers} worker(s) on {runtime.device}."
    )


def without(asked: Request, rates: pd.DataFrame) -> list[str]:
    """A sentence for every scheme that has no rate on some victims: its seed set or its craft gave too few queries."""
    counts = {name: len(asked.victims) - rates.loc[rates["name"] == name, "victim"].nunique() for name in SCHEMES}
    return [
        f"{name} has no rate on {number} of {len(asked.victims)} victims, of which it got fewer queries than the budget."
        for name, number in counts.items()
        if number
    ]


def sources(bench: Benchmark) -> dict[str, Any]:
    """Commits and digests of what an official benchmark was measured with."""
    facts = ("repository", "commit", "sha256")
    models = {model: {fact: record[fact] for fact in facts} for model in bench.models for record in [bench.record(model)]}
    return {"models": models, "pictures": {split: bench.images_digest(split) for split in bench.source.data.splits}}


def _seconds(asked: Request, victim: str, scheme: Scheme, speed: Speed, alike: dict[str, str]) -> float:
    """Seconds until a scheme is measured on a victim with all query seeds."""
    (budget,), data = asked.budgets, asked.bench.source.data
    models = [alike[model] for model in dict.fromkeys([victim, *(pair.suspect for pair in asked.pairs(victim))])]
    size = scheme.seeds_per_part(PART) * scheme.group_size
    queries = budget if scheme.natural else math.ceil(budget / size) * size
    each = sum(speed.passes[model] for model in models) * queries
    crafted = queries / scheme.group_size * gradients(asked.bench.whole, scheme) * speed.gradients[alike[victim]]
    return data.sizes[scheme.split] * speed.passes[alike[victim]] + asked.seeds * (each + crafted * (not scheme.natural))


def _check_disk(tell: Tell) -> None:
    """Refuse to begin what the disk cannot hold."""
    benches = [benchmark(name) for name in BENCHMARKS.values()]
    needed = SPARE + sum(lacking_bytes(bench.source.models.values(), bench.source.data.classes) for bench in benches)
    hub = hub_folder()
    there = next(folder for folder in (hub, *hub.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise QurdError(
            f"Expected {needed / 1e9:.0f} GB of free space for models and pictures at {hub}. There are {free / 1e9:.0f}:"
            " free some, or name a folder on another disk with QURD_HUB. What is fetched already is kept."
        )
    tell(f"Models and pictures go to {hub}: {needed / 1e9:.0f} GB are needed, {free / 1e9:.0f} GB are free.")


def _write(
    out: Path,
    rows: list[dict[str, Any]],
    rates: dict[str, pd.DataFrame],
    found: dict[str, dict[str, Any]],
    device: str,
    budget: int,
    seeds: int,
) -> None:
    """The report: JSON with a seal."""
    by_victim = [one for dataset, each in rates.items() for one in _records(each.assign(dataset=dataset))]
    about = {"format": 1, "table": "table3", "budget": budget, "seeds": seeds, "schemes": SCHEMES}
    machine = {"device": device, "python": platform.python_version(), "torch": torch.__version__}
    if device.startswith("cuda"):
        machine["gpu"] = torch.cuda.get_device_name(device)
    report = {**about, "machine": machine, "cells": rows, "benchmarks": found, "by_victim": by_victim}
    try:
        publish(out, sealed_json(report, indent=1))
    except OSError as error:
        raise QurdError(f"Expected to write the report at {out}. The disk refused: {error.strerror}.") from None


def _records(rates: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Plain rows: NaN becomes None, as JSON has none."""
    kept = rates.astype(object)
    return iter(kept.where(kept.notna(), None).to_dict("records"))
