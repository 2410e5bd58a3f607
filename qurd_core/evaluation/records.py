"""The shipped records: what `sweep` measured, read from disk without models, and without importing torch."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qurd_core.errors import QurdError, unknown

FOLDER = Path(__file__).parents[2] / "assets" / "records"
SHIPPED = ("patchwork-sac", "patchwork-reuse")
COLUMNS = (
    "scheme",
    "name",
    "negatives",
    "task",
    "budget",
    "used",
    "tpr",
    "tpr_conformal",
    "sd",
    "sd_conformal",
    "auc",
    "n_negatives",
    "n_lineages",
    "n_positives",
    "n_victims",
    "seeds",
    "reason",
    "mean_stolen",
    "mean_unrelated",
    "samples",
    "gradients",
)
_TEXTS = ("scheme", "name", "negatives", "task", "reason")
_SHARES = ("tpr", "tpr_conformal", "auc")


def rebuild(benchmark: str) -> str:
    """The command that makes the records of a benchmark."""
    return f"python -m qurd_core sweep --benchmark {benchmark}"


def path_of(benchmark: str, folder: Path | None = None) -> Path:
    """Where the records of a benchmark lie, whether they are there or not."""
    if benchmark not in SHIPPED:
        raise unknown("benchmark", benchmark, SHIPPED)
    return (folder or FOLDER) / f"{benchmark}.parquet"


def tasks(benchmark: str, folder: Path | None = None) -> list[str]:
    """The recorded tasks, `"all"` first, the others in the order of the benchmark."""
    found = _table(benchmark, folder, columns=["task"])["task"].unique().to_pylist()
    return sorted(found, key=lambda task: task != "all")


def read(benchmark: str, *, task: str = "all", negatives: str = "unrelated", folder: Path | None = None) -> pd.DataFrame:
    """The records of one task against one choice of negatives: a row per combination and budget.

    Returns:
        the columns `COLUMNS`; `name` and `reason` are None where there is none, numbers are float64 or int64.

    Raises:
        QurdError: the records are missing or damaged, or have no such task or negatives.
    """
    chosen = [("task", "==", task), ("negatives", "==", negatives)]
    # Texts repeat, and reading them as dictionaries takes half the time.
    table = _table(benchmark, folder, columns=list(COLUMNS), filters=chosen, read_dictionary=list(_TEXTS)).to_pandas()
    if table.empty:
        raise QurdError(f"Expected records of task '{task}' against '{negatives}' for {benchmark}. There are none.")
    numbers = [name for name in COLUMNS if name not in _TEXTS]
    try:
        table = table.astype(dict.fromkeys(numbers, "float64"))
    except (ValueError, TypeError):
        raise _damaged(benchmark, "a column that must hold numbers holds something else") from None
    table = table.astype({name: "int64" for name in numbers if table[name].notna().all() and (table[name] % 1 == 0).all()})
    table = table.astype(dict.fromkeys(_TEXTS, object))
    table[list(_TEXTS)] = table[list(_TEXTS)].where(table[list(_TEXTS)].notna(), None)
    _check(benchmark, table)
    return table


def _table(benchmark: str, folder: Path | None, **choice: object) -> pa.Table:
    """A part of the file, or a sentence that says how to get a good one."""
    path = path_of(benchmark, folder)
    if not path.is_file():
        raise QurdError(f"There are no records of {benchmark} at {path}. Make them with `{rebuild(benchmark)}`.")
    try:
        return pq.read_table(path, **choice)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _damaged(benchmark, str(error).partition("\n")[0].rstrip(".")) from None


def _check(benchmark: str, table: pd.DataFrame) -> None:
    """Refuse numbers that no measurement gives."""
    for name in _SHARES:
        # float32 may carry a share a hair's breadth past its bounds.
        if not table[name].dropna().between(-1e-6, 1 + 1e-6).all():
            raise _damaged(benchmark, f"'{name}' must lie between 0 and 1")
    if not (table["budget"] > 0).all():
        raise _damaged(benchmark, "'budget' must be positive")
    if table.duplicated(["scheme", "budget"]).any():
        raise _damaged(benchmark, "a combination has two rows for one budget")


def _damaged(benchmark: str, why: str) -> QurdError:
    return QurdError(
        f"The records of {benchmark} cannot be read: {why}. Restore the file or make it again with `{rebuild(benchmark)}`."
    )
