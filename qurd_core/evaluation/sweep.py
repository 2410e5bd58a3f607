"""Every named scheme and every combination of swept parts, on every task and every tenth budget: what the app shows.

Two files per benchmark. `<benchmark>.parquet` has a row per combination, choice of negatives, task and budget;
`<benchmark>-scores.parquet` the raw distances of the named schemes and of the best combinations.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qurd_core.benchmarks.base import EMBEDDED, benchmark, kind_of
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import compute
from qurd_core.evaluation.plan import ask_natural, lacking
from qurd_core.evaluation.recording import inventory
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.scores import raw_scores
from qurd_core.evaluation.speed import LOOK, Speed, query_set
from qurd_core.evaluation.tabulate import recorded
from qurd_core.evaluation.workbench import PART, workbench
from qurd_core.files import made, publishing
from qurd_core.records import rate_records
from qurd_core.records.rate_records import BUDGETS, RAW_BUDGETS, shipped_table
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED, Scheme, combinations, companions, swept
from qurd_core.store import Store

NATURAL_SEEDS, CRAFTED_SEEDS = 20, 10  # of named schemes, at least: conclusions rest on them, and five are thin
FEW_VICTIMS = 10  # below which they are; with so many, five give more query sets than ten with Patchwork's
BEST = 100  # combinations whose raw scores are kept, by TPR@5% over all tasks
BEST_AT = 100  # the budget at which they are ranked


def fitting() -> list[Scheme]:
    """What is recorded: the named schemes, then every combination of swept parts, then companions of the other schemes."""
    named = [Scheme.parse(name) for name in NAMED]
    every = [scheme for scheme in combinations() if swept(scheme) and not scheme.reason]
    return list(dict.fromkeys([*named, *every, *(one for scheme in named for one in companions(scheme))]))


def estimate(name: str, seeds: int, store: Store, runtime: Runtime, *, only: Sequence[str] = ()) -> str:
    """How long the rest of a sweep will take, in a sentence, after asking all models about the test images.

    What is stored already costs nothing.
    """
    asked = _requests(name, seeds, only)
    bench = asked[0].bench
    ask_natural(bench, "test", store, runtime)
    desk, speed = workbench(bench, store, runtime), Speed({}, {})
    waiting = [cell for some in asked for cell in lacking(some, desk)]
    for _ in speed.measure(desk) if waiting else ():
        pass
    seconds = sum(
        query_set(desk, victim, schemes[0], query_seed, BUDGETS, speed) + LOOK * (len(schemes) - 1)
        for query_seed, victim, schemes in waiting
    )
    return (
        f"{sum(len(some.schemes) for some in asked)} combinations, {len(waiting)} query sets left: about"
        f" {seconds / runtime.workers / 60:.0f} minutes with {runtime.workers} worker(s) on {runtime.device}."
    )


def measure(name: str, seeds: int, store: Store, runtime: Runtime, out: Path, *, only: Sequence[str] = ()) -> Iterator[Path]:
    """Compute what the store lacks, write the two files, and yield their paths. A killed sweep is continued.

    Args:
        only: compute these schemes; the rows of all other combinations stay as they are in `out`.

    Raises:
        QurdError: no embedded benchmark, or one of `only` that a sweep does not record.
    """
    asked = _requests(name, seeds, only)
    made(out)
    ask_natural(asked[0].bench, "test", store, runtime)  # delta and the bank are of all of them
    for some in asked:
        compute(some, store, runtime)
    desk = workbench(asked[0].bench, store, runtime)
    path, raw_path = out / f"{name}.parquet", out / f"{name}-scores.parquet"
    tables = [recorded(some, desk).drop(columns="benchmark") for some in asked]
    summary = _joined(tables, path, others=bool(only))
    yield write(summary, path, name)
    best = _best(summary)
    kept = [(some, [one for one in best if one in some.schemes]) for some in asked]
    raw = _joined(
        [raw_scores(some, schemes, RAW_BUDGETS, desk) for some, schemes in kept if schemes], raw_path, others=bool(only)
    )
    yield write(raw[raw["scheme"].isin([*map(str, best)])], raw_path, name)
    yield from inventory.write(desk, seeds, out)
    yield inventory.write_schemes([Scheme.parse(text) for text in _recorded(out, name)], out / "schemes.json")


def _recorded(folder: Path, swept: str) -> list[str]:
    """Every scheme of which the folder holds rates on some benchmark: one file has the words for all of them."""
    paths = [folder / f"{name}.parquet" for name in dict.fromkeys((*rate_records.EMBEDDED, swept))]
    columns = [pq.read_table(path, columns=["scheme"])["scheme"] for path in paths if path.exists()]
    return list(dict.fromkeys(text for column in columns for text in column.unique().to_pylist()))


def _requests(name: str, seeds: int, only: Sequence[str] = ()) -> list[Request]:
    """One request per number of query seeds: of named schemes on natural images, of those that craft, of all others."""
    if (kind := kind_of(name)) != EMBEDDED:
        raise QurdError(f"Expected {EMBEDDED}, or one with a name: see 'register'. Got {kind}, {name}. Use 'run' on it.")
    schemes, wanted = fitting(), dict.fromkeys(Scheme.parse(text) for text in only)
    if others := [str(scheme) for scheme in wanted if scheme not in schemes]:
        raise QurdError(f"Expected schemes that a sweep records. Got {'; '.join(others)}. Use 'run' on it.")
    by_seeds: dict[int, list[str]] = {}
    crafted = CRAFTED_SEEDS if len(benchmark(name).victims) < FEW_VICTIMS else seeds
    for scheme in wanted or schemes:
        least = 0 if not scheme.name else NATURAL_SEEDS if scheme.natural else crafted
        by_seeds.setdefault(max(seeds, least), []).append(str(scheme))
    return [request(name, schemes, budgets=BUDGETS, seeds=number) for number, schemes in by_seeds.items()]


def _joined(tables: Sequence[pd.DataFrame], path: Path, *, others: bool) -> pd.DataFrame:
    """Tables as one, with the rows of all other schemes in the file that it will replace, if wanted and there is one."""
    swept = [scheme for table in tables for scheme in table["scheme"].unique()]
    if others and path.exists():
        before = shipped_table(path, "python -m qurd_core sweep")
        tables = [*tables, before[~before["scheme"].isin(swept)]]
    return pd.concat(tables, ignore_index=True)


def _best(summary: pd.DataFrame) -> list[Scheme]:
    """The named schemes, and the best combinations by what the paper ranks by."""
    ranked = summary[(summary["task"] == "all") & (summary["budget"] == BEST_AT) & (summary["negatives"] == "unrelated")]
    best = ranked.sort_values(["tpr", "auc"], ascending=False)["scheme"].head(BEST)
    return list(dict.fromkeys([*map(Scheme.parse, NAMED), *map(Scheme.parse, best)]))


def write(table: pd.DataFrame, path: Path, name: str) -> Path:
    """Parquet with the benchmark in its metadata; rates to six decimals, so that what is printed is not rounded twice."""
    rates = table.select_dtypes("float").columns
    decimals = {column: 6 for column in rates if column != "value"}
    small = table.round(decimals).astype(dict.fromkeys(rates, np.float32))
    arrow = pa.Table.from_pandas(small, preserve_index=False)
    about = {"benchmark": name, "part": PART, "format": 1}
    arrow = arrow.replace_schema_metadata({"qurd": json.dumps(about)})
    # Who looks at one task reads its part of the file only.
    among = ("pool", "negatives", "task") if "task" in table else ("obfuscation",)
    apart = [name for name in among if name in table]
    parts = [arrow.take(rows) for rows in small.groupby(apart, sort=False).indices.values()] if apart else [arrow]
    with publishing(path) as draft, pq.ParquetWriter(draft, arrow.schema, compression="zstd", compression_level=15) as file:
        for part in parts:
            file.write_table(part)
    return path
