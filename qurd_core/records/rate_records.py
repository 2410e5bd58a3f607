"""The shipped records: what `sweep` measured, read from disk without models, and without importing torch."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qurd_core.benchmarks import registered
from qurd_core.benchmarks.published import BENCHMARKS
from qurd_core.errors import QurdError, unknown
from qurd_core.files import ASSETS, AlteredError, checked, default_folder, file_digest, parquet, publish, read_json
from qurd_core.records import own_records, ran_records

FOLDER, PUBLISHED_FOLDER = ASSETS / "records", ASSETS / "published"
EMBEDDED = ("fashion-sac", "patchwork-sac", "patchwork-reuse")  # with models and images
PUBLISHED = tuple(BENCHMARKS)  # the paper's own scores
SHIPPED = EMBEDDED + PUBLISHED
BUDGETS = tuple(range(10, 401, 10))  # of every record
RAW_BUDGETS = (10, 20, 50, 100, 200, 400)  # those of which raw scores are kept: the paper's
COSTS = ("distinct", "samples", "gradients")  # of a query set, means over victims and query seeds
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
    *COSTS,
)
OBFUSCATED = "-obfuscations"  # how the names of files end that hold what was measured behind obfuscations
_TEXTS = ("scheme", "name", "negatives", "task", "reason")
_SHARES = ("tpr", "tpr_conformal", "auc")


EXPORT = "python -m qurd_core paper export-summary"  # makes what ships of the published scores


def imported() -> Path:
    """Where the published scores lie once somebody has imported them."""
    return default_folder() / "published"


def is_whole(benchmark: str) -> bool:
    """Whether a benchmark has records of its own: it ships, or somebody brought it. Others are a part of one."""
    return benchmark in SHIPPED or registered.has(benchmark)


def rebuild(benchmark: str, part: str = "") -> str:
    """The command that makes the records of a benchmark, or those behind obfuscations."""
    if benchmark in PUBLISHED:
        return "python -m qurd_core import-scores CHECKOUT"
    return f"python -m qurd_core sweep --benchmark {benchmark}{' --obfuscations' * part.startswith(OBFUSCATED)}"


def path_of(benchmark: str, folder: Path | None = None) -> Path:
    """Where the records of a benchmark lie, whether they are there or not."""
    if not is_whole(benchmark):
        raise unknown("benchmark", benchmark, (*SHIPPED, *registered.names()))
    return (folder or _usual_folder(benchmark)) / f"{benchmark}.parquet"


def _usual_folder(benchmark: str) -> Path:
    if benchmark in SHIPPED:
        return PUBLISHED_FOLDER if benchmark in PUBLISHED else FOLDER
    return own_records.folder_of(benchmark)


def tasks(benchmark: str, folder: Path | None = None) -> list[str]:
    """The recorded tasks, `"all"` first, the others in the order of the benchmark."""
    found = table_of(benchmark, folder, lambda file: pq.read_table(file, columns=["task"]))["task"].unique().to_pylist()
    return sorted(found, key=lambda task: task != "all")


def read(benchmark: str, *, task: str = "all", negatives: str = "unrelated", folder: Path | None = None) -> pd.DataFrame:
    """The records of one task against one choice of negatives: a row per combination and budget.

    Returns:
        the columns `COLUMNS`; `name` and `reason` are None where there is none, numbers are float64 or int64.

    Raises:
        QurdError: the records are missing or damaged, or have no such task or negatives.
    """
    return rows_of(benchmark, f"of task '{task}'", {"task": task, "negatives": negatives}, folder)


def read_at(benchmark: str, budget: int, *, negatives: str = "unrelated", folder: Path | None = None) -> pd.DataFrame:
    """As `read`, of all tasks at one budget.

    Raises:
        QurdError: the records are missing or damaged, or have no such budget or negatives.
    """
    return rows_of(benchmark, f"at {budget} queries", {"budget": budget, "negatives": negatives}, folder)


def scores(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """Raw distances of the named and the best schemes: scheme, victim, suspect, query_seed, budget, value.

    Those of a published benchmark are not shipped; they are there once they are imported.
    """
    texts = ["scheme", "victim", "suspect"]
    home = scores_path(benchmark, folder).parent
    table = table_of(benchmark, home, lambda file: pq.read_table(file, read_dictionary=texts), part="-scores").to_pandas()
    ran = ran_records.scores(benchmark) if folder is None else None
    ran = ran if ran is None else ran[~ran["scheme"].isin(table["scheme"].unique())]
    if ran is None or ran.empty:
        return table
    both = pd.concat([table.astype(dict.fromkeys(texts, str)), ran[table.columns]], ignore_index=True)
    return both.astype(dict.fromkeys(texts, "category"))


def pairs(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """One row per pair: the columns of `pair_table`, and `root`, the lineage of the suspect."""
    table = table_of(benchmark, folder, part="-pairs").to_pandas()
    return table.assign(tasks=table["tasks"].map(list))


def models(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """One row per model: what the manifest says of it, and `root`."""
    table = table_of(benchmark, folder, part="-models").to_pandas()
    return table.assign(regions=table["regions"].map(list)) if "regions" in table else table


def bank_path(benchmark: str, folder: Path | None = None) -> Path:
    """Where the answers of all models on the test patches lie."""
    return path_of(benchmark, folder).with_name(f"{benchmark}-bank.safetensors")


def has_facts(benchmark: str, folder: Path | None = None) -> bool:
    """Whether all that is shipped of a benchmark is there: its rates, pairs and models, and what else it has."""
    path = path_of(benchmark, folder)
    parts = [path.with_name(f"{path.stem}{part}.parquet") for part in ("-pairs", "-models")]
    if has_rates(benchmark):
        parts.append(path)
    if benchmark not in PUBLISHED:
        parts += [scores_path(benchmark, folder)] * has_rates(benchmark) + [bank_path(benchmark, folder)]
    return all(part.is_file() for part in parts)


def has_rates(benchmark: str) -> bool:
    """Whether there can be rates of a benchmark: one that somebody brings may have no stolen model."""
    note = None if benchmark in SHIPPED else own_records.note_of(benchmark)
    return note is None or note.stolen


def has_scores(benchmark: str, folder: Path | None = None) -> bool:
    """Whether raw distances are there; those of a published benchmark are once somebody has imported them, until the file
    is altered.
    """
    return scores_path(benchmark, folder).is_file() and altered_scores(benchmark, folder) is None


def altered_scores(benchmark: str, folder: Path | None = None) -> str | None:
    """Why the imported raw distances of a published benchmark cannot be used, or None."""
    path = scores_path(benchmark, folder)
    if benchmark not in PUBLISHED or not path.is_file():
        return None
    return _altered(path, file_digest(path), rebuild(benchmark))


@lru_cache(maxsize=8)
def _altered(path: Path, content: str, remake: str) -> str | None:
    """What is wrong with a file as long as it holds the same."""
    try:
        checked(path, f"Make it again with `{remake}`.")
    except AlteredError as error:
        return str(error)
    return None


def schemes(folder: Path | None = None) -> pd.DataFrame:
    """One row per recorded scheme: its text, name, parts, access, source, and what it does in words."""
    found = []
    for path in ((folder or FOLDER) / "schemes.json", (folder or PUBLISHED_FOLDER) / "schemes.json"):
        try:
            found.append(pd.DataFrame(read_json(path, f"Make it again with `{rebuild(SHIPPED[0])}`.")))
        except OSError as error:
            raise QurdError(f"Cannot read {path}: {error}. Make it again with `{rebuild(SHIPPED[0])}`.") from None
    if folder is None and (ran := ran_records.words()):
        found.append(pd.DataFrame(ran))
    return pd.concat(found, ignore_index=True).drop_duplicates("scheme", ignore_index=True)


def scores_path(benchmark: str, folder: Path | None = None) -> Path:
    """Where the raw distances lie, whether they are there or not."""
    path = path_of(benchmark, folder or (imported() if benchmark in PUBLISHED else None))
    return path.with_name(f"{benchmark}-scores.parquet")


def shipped_table(path: Path, remake: str) -> pd.DataFrame:
    """A small table that ships beside the records.

    Args:
        remake: the command that makes it.

    Raises:
        QurdError: it is missing or damaged.
    """
    again = f"Make it again with `{remake}`."
    try:
        return _opened(path, again, pq.read_table).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise QurdError(f"Cannot read {path}: {error}. {again}") from None


def published_table(name: str, folder: Path | None = None) -> pd.DataFrame:
    """One of those that ship of the published scores. Raises as `shipped_table` does."""
    return shipped_table((folder or PUBLISHED_FOLDER) / name, EXPORT)


def write_table(table: pd.DataFrame, path: Path) -> Path:
    """Write such a table; what is there is replaced in one go."""
    return publish(path, parquet(pa.Table.from_pandas(table, preserve_index=False), "zstd"))


def rows_of(
    benchmark: str,
    which: str,
    chosen: Mapping[str, object],
    folder: Path | None,
    *,
    part: str = "",
    more: Sequence[str] = (),
) -> pd.DataFrame:
    """Some rows of a summary, which are also told in words, with the columns `COLUMNS`, checked.

    Args:
        part: which of the files, by the end of its name.
        more: columns besides; the first one tells rows apart.
    """
    columns = (*COLUMNS, *more)
    table = table_of(benchmark, folder, lambda file: _where(file, chosen, columns), part).to_pandas()
    if not part and folder is None:
        table = _with_ran(table, ran_records.rates(benchmark), chosen)
    if table.empty:
        raise QurdError(f"Expected records {which} against '{chosen['negatives']}' for {benchmark}. There are none.")
    numbers = [name for name in COLUMNS if name not in _TEXTS]
    try:
        table = table.astype(dict.fromkeys(numbers, "float64"))
    except (ValueError, TypeError):
        raise _damaged(benchmark, "a column that must hold numbers holds something else") from None
    table = table.astype({name: "int64" for name in numbers if table[name].notna().all() and (table[name] % 1 == 0).all()})
    table = table.astype(dict.fromkeys(_TEXTS, object))
    table[list(_TEXTS)] = table[list(_TEXTS)].where(table[list(_TEXTS)].notna(), None)
    _check(benchmark, table, more[:1])
    return table


def _where(source: pa.BufferReader, chosen: Mapping[str, object], columns: Sequence[str]) -> pa.Table:
    """The rows that hold some values. A part of the file that holds none of them is not read."""
    with pq.ParquetFile(source, read_dictionary=list(_TEXTS)) as file:  # texts repeat: this takes half the time
        parts = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
        held = [number for number, part in enumerate(parts) if _may_hold(part, chosen)]
        table = file.read_row_groups(held, columns=[*dict.fromkeys([*columns, *chosen])])
    for name, value in chosen.items():
        table = table.filter(pc.field(name) == value)
    return table.select(columns)


def _with_ran(table: pd.DataFrame, ran: pd.DataFrame | None, chosen: Mapping[str, object]) -> pd.DataFrame:
    """Some rows, and those of what was run here and is not among them."""
    if ran is None:
        return table
    for name, value in chosen.items():
        ran = ran[ran[name] == value]
    ran = ran[~ran["scheme"].isin(table["scheme"].astype(object).unique())]
    texts = dict.fromkeys(_TEXTS, object)
    return pd.concat([table.astype(texts), ran[table.columns].astype(texts)], ignore_index=True) if len(ran) else table


def _may_hold(part: pq.RowGroupMetaData, chosen: Mapping[str, object]) -> bool:
    """Whether the values lie between the smallest and the largest of a part of a file."""
    columns = {part.column(index).path_in_schema: part.column(index).statistics for index in range(part.num_columns)}
    known = {name: columns[name] for name in chosen if columns[name] is not None and columns[name].has_min_max}
    return all(found.min <= chosen[name] <= found.max for name, found in known.items())


def table_of(
    benchmark: str, folder: Path | None, read: Callable[[pa.BufferReader], pa.Table] = pq.read_table, part: str = ""
) -> pa.Table:
    """A part of the file, or a sentence that says how to get a good one."""
    path = path_of(benchmark, folder)
    path = path.with_name(f"{path.stem}{part}.parquet")
    if not path.is_file():
        raise QurdError(f"There are no records of {benchmark} at {path}. Make them with `{rebuild(benchmark, part)}`.")
    try:
        return _opened(path, f"Make it again with `{rebuild(benchmark, part)}`.", read)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _damaged(benchmark, str(error).partition("\n")[0].rstrip(".")) from None


def _opened(path: Path, again: str, read: Callable[[pa.BufferReader], pa.Table]) -> pa.Table:
    """A table out of the bytes that were checked."""
    return read(pa.BufferReader(checked(path, again)))


def _check(benchmark: str, table: pd.DataFrame, more: Sequence[str]) -> None:
    """Refuse numbers that no measurement gives."""
    for name in _SHARES:
        # float32 may carry a share a hair's breadth past its bounds.
        if not table[name].dropna().between(-1e-6, 1 + 1e-6).all():
            raise _damaged(benchmark, f"'{name}' must lie between 0 and 1")
    if not (table["budget"] > 0).all():
        raise _damaged(benchmark, "'budget' must be positive")
    if table.duplicated(["scheme", "task", "budget", *more]).any():
        raise _damaged(benchmark, "a combination has two rows for one budget")


def _damaged(benchmark: str, why: str) -> QurdError:
    return QurdError(
        f"The records of {benchmark} cannot be read: {why}. Restore the file or make it again with `{rebuild(benchmark)}`."
    )
