"""What was run here and is not among the records: combinations with components of other packages, and on benchmarks that
somebody brings any. Every page shows them beside what is recorded, as long as their parts are those that ran.
"""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qurd_core.benchmarks import registered
from qurd_core.errors import QurdError
from qurd_core.files import checked, default_folder, read_json, write_json, write_table
from qurd_core.records import own_records
from qurd_core.registry import crafts, detectors, representations, seed_rules
from qurd_core.schemes import Scheme

KINDS = {"seeds": seed_rules, "craft": crafts, "representation": representations, "detector": detectors}
RATES, SCORES = "-ran", "-ran-scores"  # how the names of the files end
_AGAIN = "Run them again on Compose: what the store holds is not computed anew."
_OURS = "qurd_core."


def counts(benchmark: str, scheme: Scheme) -> bool:
    """Whether a run of a scheme on a whole benchmark is shown on every page."""
    homes = (registry[getattr(scheme, part).name].function.__module__ for part, registry in KINDS.items())
    return registered.has(benchmark) or any(not home.startswith(_OURS) for home in homes)


def path_of(benchmark: str, part: str = RATES) -> Path:
    """Where the rows lie, whether they are there or not."""
    return _home(benchmark) / f"{benchmark}{part}.parquet"


def add(benchmark: str, scheme: Scheme, rates: pd.DataFrame, scores: pd.DataFrame, words: dict[str, object]) -> None:
    """Keep what a run has found of a scheme; an older run of it is replaced.

    Args:
        rates: rows of `rate_records.COLUMNS`.
        scores: scheme, victim, suspect, query_seed, budget and value.
        words: from `schemes.describe`.
    """
    about = _about(benchmark) | {str(scheme): {"version": version(scheme), "words": words}}
    for part, rows in ((RATES, rates), (SCORES, scores)):
        before = _read(path_of(benchmark, part))
        rows = rows if before is None else pd.concat([before[before["scheme"] != str(scheme)], rows], ignore_index=True)
        write_table(path_of(benchmark, part), pa.Table.from_pandas(rows, preserve_index=False))
    write_json(_home(benchmark) / f"{benchmark}{RATES}.json", about)


def rates(benchmark: str) -> pd.DataFrame | None:
    """The rates of what was run; None where nothing was."""
    return _of_today(benchmark, RATES)


def scores(benchmark: str) -> pd.DataFrame | None:
    """The distances behind them."""
    return _of_today(benchmark, SCORES)


def words() -> list[dict[str, object]]:
    """Every scheme that was run on some benchmark, in words."""
    homes = [_shared(), *(own_records.folder_of(name) for name in registered.names())]
    found = {}
    for path in (path for home in dict.fromkeys(homes) for path in sorted(home.glob(f"*{RATES}.json"))):
        found |= {text: one["words"] for text, one in _known(_json(path)).items()}
    return [*found.values()]


def version(scheme: Scheme) -> str:
    """Changes with the version of any part."""
    return hashlib.sha256(json.dumps(sorted(scheme.identity(0).items()), default=str).encode()).hexdigest()[:12]


def _of_today(benchmark: str, part: str) -> pd.DataFrame | None:
    known = _known(_about(benchmark))
    rows = _read(path_of(benchmark, part)) if known else None
    return None if rows is None else rows[rows["scheme"].isin(known)].reset_index(drop=True)


def _known(about: dict[str, dict]) -> dict[str, dict]:
    """Those whose parts are here, and are those that ran."""
    return {text: one for text, one in about.items() if _runs_as(text) == one["version"]}


def _runs_as(text: str) -> str | None:
    try:
        return version(Scheme.parse(text))
    except QurdError:  # of a package that is not here any more
        return None


def _read(path: Path) -> pd.DataFrame | None:
    try:
        return pq.read_table(pa.BufferReader(checked(path, _AGAIN))).to_pandas()
    except OSError:
        return None


def _about(benchmark: str) -> dict[str, dict]:
    return _json(_home(benchmark) / f"{benchmark}{RATES}.json")


def _json(path: Path) -> dict[str, dict]:
    try:
        return read_json(path, _AGAIN)
    except OSError:
        return {}


def _home(benchmark: str) -> Path:
    """Of what somebody brings it lies beside the records, which other files have others of."""
    ships = not registered.has(benchmark) or registered.is_example(benchmark)
    return _shared() if ships else own_records.folder_of(benchmark)


def _shared() -> Path:
    return default_folder() / "records" / "ran"
