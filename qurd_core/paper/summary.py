"""What ships of the published scores: rates per combination, task and budget, and the facts of every pair.

The scores themselves stay with whoever imported them. `export` makes the summary from an import, so that anyone
can repeat it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from qurd_core.errors import QurdError
from qurd_core.files import made, parquet, publish
from qurd_core.paper import agreement, importer, names, pooled
from qurd_core.records import rate_records
from qurd_core.records.evidence import Scores, cells, rates
from qurd_core.runtime import Track, silent
from qurd_core.schemes import BASELINES, PUBLISHED, Scheme
from qurd_core.statistics.sides import NEGATIVE_KINDS

BY_VICTIM = "named.parquet"  # rates of the named schemes per victim and query seed: what spreads and comparisons rest on
SOURCE = {
    "scores": "Godinot et al., Queries, Representation & Detection: The Next 100 Model Fingerprinting Schemes (AAAI 2025)",
    "repository": "grodino/QuRD",
    "commit": "d6f18d2",
    "folder": "generated",
    "licence": "MIT",
    "made by": rate_records.EXPORT,
}
# The named schemes of which scores were published.
NAMED = {name: text for name in (*BASELINES, *PUBLISHED) if (text := str(Scheme.read(name))) in names.BY_SCHEME}
LABELS = {text: label for label, text in NAMED.items()}


def export(store: Path, out: Path, track: Track = silent) -> Iterator[Path]:
    """Write the summary of every imported benchmark and yield the paths.

    Raises:
        QurdError: nothing was imported into the store.
    """
    folder = importer.home(store)
    present = [name for name in names.BENCHMARKS if (folder / f"{name}-scores.parquet").is_file()]
    if not present:
        raise QurdError(f"Expected imported scores in {store}. Run `python -m qurd_core import-scores CHECKOUT` first.")
    made(out)
    named = []
    for name in present:
        scores, pairs = Scores.read(name, folder), rate_records.pairs(name, folder)
        yield _write(summarise(scores, pairs), out / f"{name}.parquet")
        for part, table in (("pairs", pairs), ("models", rate_records.models(name, folder))):
            yield rate_records.write_table(table, out / f"{name}-{part}.parquet")
        named.append(by_victim(scores, pairs).assign(benchmark=name))
    yield _write(pd.concat(named, ignore_index=True), out / BY_VICTIM)
    if len(present) == len(names.BENCHMARKS):
        yield _write(agreement.measure(folder, track), out / agreement.FILE)
        yield _write(pooled.measure(folder, LABELS, track), out / pooled.FILE)
    yield publish(out / "source.json", (json.dumps(SOURCE, indent=2) + "\n").encode())


def summarise(scores: Scores, pairs: pd.DataFrame) -> pd.DataFrame:
    """Rates of every published combination: rows of `records.COLUMNS`.

    What the schemes cost besides queries was not published.
    """
    table = rates(scores, pairs)
    table = table.assign(name=table["scheme"].map(LABELS), **dict.fromkeys(rate_records.COSTS, np.nan))
    # No published model is hard unrelated, so counting those too changes nothing.
    both = [table.assign(negatives=choice) for choice in NEGATIVE_KINDS]
    return pd.concat(both, ignore_index=True)[list(rate_records.COLUMNS)]


def by_victim(scores: Scores, pairs: pd.DataFrame) -> pd.DataFrame:
    """Rates of the named schemes: rows of name, victim, task, budget, query_seed, tpr and tpr_conformal."""
    table = cells(scores.only(LABELS), pairs)
    kept = ["victim", "task", "budget", "query_seed", "tpr", "tpr_conformal"]
    return table[kept].assign(name=table["scheme"].map(LABELS))


def schemes(folder: Path) -> list[str]:
    """Every combination of a summary, as text."""
    tables = [
        rate_records.shipped_table(path, rate_records.EXPORT)[["scheme"]]
        for name in names.BENCHMARKS
        if (path := folder / f"{name}.parquet").is_file()
    ]
    return sorted(pd.concat(tables)["scheme"].unique())


def _write(table: pd.DataFrame, path: Path) -> Path:
    """Parquet; rates to six decimals, so that what is printed is not rounded twice."""
    numbers = table.select_dtypes("float").columns
    arrow = pa.Table.from_pandas(table.round(dict.fromkeys(numbers, 6)).astype(dict.fromkeys(numbers, np.float32)))
    return publish(path, parquet(arrow.replace_schema_metadata({"qurd": json.dumps({"format": 1, **SOURCE})}), "zstd"))
