"""Runs of the app as others see them, without torch: which job a view asks for, and the rows that it has left so far."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qurd_core.benchmarks import registered
from qurd_core.benchmarks.saved_benchmarks import BenchFile, home_of
from qurd_core.files import ASSETS, AlteredError, checked, write_table
from qurd_core.jobs.queue import Job
from qurd_core.records import evidence, rate_records
from qurd_core.records.runs import key_of

SEEDS = 5  # query seeds of a run, as many as the records have
AGAIN = "Run it again: what the store holds is not computed anew."


def rates_job(benchmark: str, scheme: str, pool: tuple[str, ...], identity: str) -> Job:
    """The job that measures a scheme.

    Args:
        scheme: canonical text.
        pool: root lineages that calibrate; empty for all.
        identity: of the scheme, with the versions of its parts.
    """
    chosen = {"benchmark": benchmark, "scheme": scheme, "pool": sorted(pool) or None}
    return Job("rates", chosen | {"seeds": SEEDS, "version": _version(benchmark, identity)})


def check_job(
    benchmark: str, victim: str, suspects: tuple[str, ...], scheme: str, budget: int, stop: str, identity: str
) -> Job:
    """The job that asks about suspects.

    Args:
        scheme, identity: as for `rates_job`.
    """
    asked = {"benchmark": benchmark, "victim": victim, "suspects": list(suspects), "scheme": scheme, "budget": budget}
    return Job("check", asked | {"stop": stop, "version": _version(benchmark, identity)})


def shipped_check(job: Job) -> Path:
    """Where the answers to a question about suspects lie if they ship: what the job would leave, without the ending."""
    return ASSETS / "checks" / key_of({name: value for name, value in job.args.items() if name != "version"})


def _version(benchmark: str, identity: str) -> str:
    """Changes with the parts of a scheme and with a benchmark of one's own."""
    saved = "" if rate_records.is_whole(benchmark) else BenchFile.read(home_of(benchmark)).identity
    base = evidence.base_of(benchmark)
    held = "" if base in rate_records.SHIPPED else registered.state(registered.read(base).path)
    return hashlib.sha256(json.dumps([identity, saved, *[held] * bool(held)]).encode()).hexdigest()[:12]


def write(table: pd.DataFrame, path: Path) -> None:
    """Publish the rows of a run whole, in the columns of the records."""
    write_table(path, pa.Table.from_pandas(table[list(rate_records.COLUMNS)], preserve_index=False))


def rows(path: Path, negatives: str, *, task: str | None = None, budget: int | None = None) -> pd.DataFrame | None:
    """The rows of one task, or at one budget, or both, that a run has left so far; None while there are none.

    A run that calibrates on some lineages also leaves those of the reference.

    Raises:
        QurdError: they were altered.
    """
    asked = {"negatives": negatives, "task": task, "budget": budget}
    chosen = [(column, "==", value) for column, value in asked.items() if value is not None]
    try:
        data = checked(path, AGAIN)
    except OSError:
        return None
    try:
        table = pq.read_table(pa.BufferReader(data), filters=chosen).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise AlteredError(f"Cannot read {path}: {str(error).partition(chr(10))[0]} {AGAIN}") from None
    texts = ["name", "reason"]
    table[texts] = table[texts].astype(object).where(table[texts].notna(), None)
    return table if len(table) else None


def elsewhere(about: dict, benchmark: str, scheme: str) -> bool:
    """Whether a run of the command line computes this scheme on this benchmark."""
    return about.get("benchmark") == benchmark and scheme in about.get("schemes", ())
