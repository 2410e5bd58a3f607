"""Reads the authors' published scores into the store: from a checkout of their repository, or from one Parquet table.

The work is cut by benchmark and query seed. A part is published when it is whole and kept until all are there, so a killed
import is continued by the same command; only then the benchmarks change, one rename each.
"""

import hashlib
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from qurd_core.akh import counts_to_deltas
from qurd_core.benchmarks.own.foreign import unpacked_bytes
from qurd_core.errors import A_FOLDER, QurdError, is_filled, lies_at, misplaced
from qurd_core.files import checked, file_digest, write_table
from qurd_core.paper import names
from qurd_core.runtime import Track, silent

COLUMNS = ("seed", "split", "sampler", "representation", "distance", "budget", "source_model", "target_model", "value")
LARGEST = 100_000_000  # bytes of one CSV file
MOST_CELLS = 400_000_000  # rows x columns of a table, by its footer: a small file can claim to be a huge one
MOST_BYTES = 4_000_000_000  # of a table once every row holds its own texts
_VERSION = 1  # of what a part holds


@dataclass
class Report:
    """What an import brought.

    Attributes:
        rows: scores by benchmark.
        skipped: what was left out, with the reason; files by their path inside the checkout.
        dropped: scores that are no numbers, by where they stood.
        repeated: scores that came twice with the same value.
    """

    rows: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)

    @property
    def sentences(self) -> list[str]:
        """The report in words."""
        found = [f"{name}: {rows:,} scores" for name, rows in self.rows.items()]
        for what, count in (("no number", self.dropped), ("came twice", self.repeated)):
            found += [f"{where}: {number:,} dropped, {what}" for where, number in count.items()]
        if self.skipped:
            found.append(f"{len(self.skipped):,} skipped:")
            found += [f"  {where}: {why}" for where, why in self.skipped.items()]
        return found


class Part(NamedTuple):
    """The scores of one benchmark and query seed.

    Attributes:
        sign: changes when the source does.
        read: gives its rows, `COLUMNS`, and tells the report what it leaves out.
    """

    benchmark: str
    seed: int
    sign: str
    read: Callable[[Report], pd.DataFrame]


def home(store: Path) -> Path:
    """Where imported scores lie in a store."""
    return store / "published"


def import_scores(source: Path, store: Path, track: Track = silent) -> Report:
    """Read published scores, and the distances and accuracies beside them, into a store.

    Args:
        source: a checkout of the authors' repository, its folder `generated`, or a Parquet table with the columns
            `benchmark`, `dataset` and `COLUMNS`.

    Raises:
        QurdError: there are no scores at `source`, or no disk for them. What was imported before stays as it was.
    """
    folder, report = home(store), Report()
    found = list(_of_table(source) if is_filled(source) else _of_checkout(source))
    aside = folder / "parts"
    try:
        parts: dict[str, list[Path]] = {}
        for part in track(found, len(found), "importing scores"):
            path = aside / f"{part.benchmark}-{part.seed}-{part.sign}.parquet"
            _keep(part, path, report)
            parts.setdefault(part.benchmark, []).append(path)
        for name, paths in parts.items():  # one at a time, aside: the largest has half of all scores
            table = _whole(paths)
            if len(table):
                report.rows[name] = len(table)
                _publish(table, aside / f"{name}-scores.parquet")
        for name in report.rows:
            (aside / f"{name}-scores.parquet").replace(folder / f"{name}-scores.parquet")
        if not report.rows:
            raise QurdError(f"Expected published scores in {source}. {_first(report)} Nothing was imported.")
        _facts(source, folder, report)
        shutil.rmtree(aside)
    except OSError as error:
        raise QurdError(f"Cannot import {source}: {error.strerror or error}. Nothing was changed.") from None
    return report


def _of_checkout(source: Path) -> Iterator[Part]:
    """The parts of a checkout, by its folders `generated/<seed>/<benchmark>/<dataset>/`."""
    root = generated(source)
    for folder in sorted(root.glob("*/*/*")):
        seed, benchmark, dataset = folder.parts[-3:]
        if seed.isdecimal() and names.BENCHMARKS.get(names.BY_DATASET.get(dataset, "")) == (benchmark, dataset):
            files = sorted(folder.glob("*/*.csv"))
            states = [(str(path.relative_to(root)), file_digest(path)) for path in files]
            name = names.BY_DATASET[dataset]
            if files:
                yield Part(name, int(seed), _sign(states), partial(_join, files, root, int(seed), dataset))


def generated(source: Path) -> Path:
    """The folder `generated` of a checkout.

    Raises:
        QurdError: `source` holds none.
    """
    there = lies_at(source)
    for root in (source / "generated", source) if there == A_FOLDER else ():
        if root.is_dir() and (root.name == "generated" or root == source / "generated"):
            return root
    raise misplaced(
        "a checkout of the authors' repository, which has a folder 'generated', or a Parquet table of its scores,",
        source,
        "It holds no 'generated'." if there == A_FOLDER else "",
    )


def _join(files: list[Path], root: Path, seed: int, dataset: str, report: Report) -> pd.DataFrame:
    """The rows of some CSV files; a malformed one is named and left out."""
    tables = []
    for path in files:
        where = str(path.relative_to(root))
        try:
            tables.append(_checked(_read_csv(path), where, dataset, report).assign(seed=seed))
        except QurdError as error:
            report.skipped[where] = str(error)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _read_csv(path: Path) -> pd.DataFrame:
    """The rows of one file, which must say the same as its place in the checkout."""
    sampler, split, budget = [*path.parent.name.rsplit("-", 2), "", ""][:3]
    representation, _, distance = path.stem.partition("-")
    names.scheme_of(split, sampler, representation, distance)
    if not budget.isdecimal():
        raise QurdError(f"Expected a folder SAMPLER-SPLIT-BUDGET. Got '{path.parent.name}'.")
    if path.stat().st_size > LARGEST:
        raise QurdError(f"Expected at most {LARGEST:,} bytes. Got {path.stat().st_size:,}.")
    kinds = {"value": pa.float64(), "source_model": pa.string(), "target_model": pa.string()}
    try:
        table = pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(include_columns=list(kinds), column_types=kinds))
    except (pa.ArrowException, KeyError, UnicodeDecodeError) as error:
        first = str(error).partition("\n")[0][:200]
        raise QurdError(f"Expected a CSV file with the columns {', '.join(kinds)}. {first}") from None
    place = {"split": split, "sampler": sampler, "representation": representation, "distance": distance}
    return table.to_pandas().assign(**place, budget=int(budget))


def _of_table(source: Path) -> Iterator[Part]:
    """The parts of a Parquet table, by benchmark and query seed."""
    file = _opened(source)
    wanted = {"benchmark", "dataset", *COLUMNS}
    missing = sorted(wanted - set(file.schema_arrow.names))
    if missing:
        raise QurdError(f"Expected a table with the columns {', '.join(sorted(wanted))}. Missing: {', '.join(missing)}.")
    kinds = {name: file.schema_arrow.field(name).type for name in wanted}
    for name, kind in kinds.items():
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        number = pa.types.is_integer(plain) or pa.types.is_floating(plain)
        if number != (name in ("seed", "budget", "value")):
            raise QurdError(f"Expected {'numbers' if not number else 'texts'} in the column '{name}'. Got {plain}.")
    if file.metadata.num_rows * len(wanted) > MOST_CELLS:
        raise QurdError(f"Expected at most {MOST_CELLS // len(wanted):,} rows. {source} says {file.metadata.num_rows:,}.")
    unpacked = sum(
        unpacked_bytes(_read(source, [name], words=[name])) for name in sorted(wanted - {"seed", "budget", "value"})
    )
    if unpacked > MOST_BYTES:
        raise QurdError(f"Expected at most {MOST_BYTES:,} bytes of texts. {source} holds {unpacked:,} in few words.")
    keys = _read(source, ["benchmark", "dataset", "seed"]).unify_dictionaries()
    keys = keys.group_by(["benchmark", "dataset", "seed"]).aggregate([])
    sign = _sign([file_digest(source)])
    for row in sorted(keys.to_pylist(), key=lambda row: (str(row["dataset"]), row["seed"] or 0)):
        name = names.BY_DATASET.get(row["dataset"])
        if name is None or names.BENCHMARKS[name] != (row["benchmark"], row["dataset"]):
            raise QurdError(
                f"Expected the data sets {', '.join(names.BY_DATASET)} of their benchmarks. "
                f"Got {row['benchmark']} / {row['dataset']}."
            )
        yield Part(name, int(row["seed"]), sign, partial(_rows_of, source, row))


def _rows_of(source: Path, row: dict[str, object], report: Report) -> pd.DataFrame:
    chosen = [("dataset", "==", row["dataset"]), ("seed", "==", row["seed"])]
    table = _read(source, list(COLUMNS), chosen).to_pandas()
    return _checked(table, f"{source.name}, {row['dataset']}, seed {row['seed']}", str(row["dataset"]), report)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise misplaced("a Parquet table", path, str(error).partition("\n")[0][:200]) from None


def _read(
    path: Path,
    columns: list[str],
    chosen: list[tuple[str, str, object]] | None = None,
    words: list[str] | None = None,
) -> pa.Table:
    """Some columns of the chosen rows.

    Args:
        words: columns whose texts are left in the dictionaries of the file.
    """
    try:
        # One row group after the other: reading ahead holds several at once and is no faster.
        return pq.read_table(
            path, columns=columns, filters=chosen, read_dictionary=words, use_threads=False, pre_buffer=False
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise QurdError(f"Cannot read {path}: {str(error).partition(chr(10))[0][:200]}") from None


def _checked(table: pd.DataFrame, where: str, dataset: str, report: Report) -> pd.DataFrame:
    """The rows that are scores of known models, each once.

    Raises:
        QurdError: a model is none of the benchmark, a combination is unknown, or one pair has two scores.
    """
    if table[list(set(table.columns) & set(COLUMNS) - {"value"})].isna().any().any():
        raise QurdError("Expected a name or number in every column. Some are empty.")
    for model in pd.unique(pd.concat([table["source_model"], table["target_model"]])):
        names.check_model(model, dataset)
    for combination in table[list(names.Published._fields)].drop_duplicates().itertuples(index=False):
        names.scheme_of(*combination)
    finite = np.isfinite(table["value"])
    if not finite.all():
        report.dropped[where] += int((~finite).sum())
    table = table[finite]
    once = table.drop_duplicates()
    if len(once) < len(table):
        report.repeated[where] += len(table) - len(once)
    key = [column for column in once.columns if column != "value"]
    if once.duplicated(key).any():
        pair = once[once.duplicated(key)].iloc[0]
        raise QurdError(f"Expected one score per pair. {pair['source_model']} / {pair['target_model']} has two.")
    return once


def _keep(part: Part, path: Path, report: Report) -> None:
    """Read a part into its file, or take from the file what the report said of it."""
    if path.is_file():
        try:
            said = json.loads(_kept(path).schema.metadata[b"report"])
            report.skipped |= said["skipped"]
            report.dropped.update(said["dropped"])
            report.repeated.update(said["repeated"])
            return
        except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
            pass  # it is read once more, out of its source
    own = Report()
    table = part.read(own)
    schemes = table[list(names.Published._fields)].drop_duplicates()
    text = {tuple(row): names.scheme_of(*row) for row in schemes.itertuples(index=False)}
    keys = pd.MultiIndex.from_frame(table[list(names.Published._fields)])
    kept = pd.DataFrame(
        {
            "scheme": pd.Categorical(keys.map(text.__getitem__) if len(table) else []),
            "victim": pd.Categorical(table["source_model"]),
            "suspect": pd.Categorical(table["target_model"]),
            "query_seed": table["seed"].to_numpy("int64"),
            "budget": table["budget"].to_numpy("int64"),
            "value": table["value"].to_numpy("float64"),
        }
    )
    said = {"skipped": own.skipped, "dropped": own.dropped, "repeated": own.repeated}
    report.skipped |= own.skipped
    report.dropped.update(own.dropped)
    report.repeated.update(own.repeated)
    _publish(kept, path, {"report": json.dumps(said)})


def _kept(path: Path) -> pa.Table:
    """A part as it was kept."""
    return pq.read_table(pa.BufferReader(checked(path, "Import again.")))


def _whole(paths: list[Path]) -> pd.DataFrame:
    """All scores of a benchmark, in the order in which the app reads them; numbers as the authors' single precision."""
    table = pa.concat_tables([_kept(path) for path in paths], promote_options="permissive").to_pandas()
    table["value"] = table["value"].astype("float32")
    return table.sort_values(["scheme", "victim", "query_seed", "budget"], kind="stable").reset_index(drop=True)


def _facts(source: Path, folder: Path, report: Report) -> None:
    """Pairs and models of every imported benchmark whose distances and accuracies lie beside the scores."""
    for name, (benchmark, dataset) in names.BENCHMARKS.items():
        if name not in report.rows:
            continue
        try:
            distances, accuracy = _beside(source, benchmark, dataset)
            table = pair_facts(distances, dataset)
            _publish(table, folder / f"{name}-pairs.parquet")
            _publish(model_facts(accuracy, table), folder / f"{name}-models.parquet")
        except (QurdError, pa.ArrowException, KeyError, ValueError) as error:
            report.skipped[f"distances and accuracies of {dataset}"] = str(error)


def _beside(source: Path, benchmark: str, dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts of every pair on the test images, and the accuracy of every model."""
    if source.is_file():
        chosen = [("dataset", "==", dataset), ("split", "==", "test")]
        table = _read(source.with_name("pair_distances.parquet"), ["source_model", "target_model", "counts_matrix"], chosen)
        accuracy = source.with_name("accuracy.csv")
    else:
        folder = generated(source) / "bench_eval" / benchmark / dataset
        table = _read(folder / "test-oracle_distance.pq", ["source_model", "target_model", "counts_matrix"])
        accuracy = folder / "accuracy.csv"
    if not accuracy.is_file():
        raise misplaced("the accuracies", accuracy)
    known = pd.read_csv(accuracy)
    known = known[known["dataset"] == dataset] if "dataset" in known else known
    return table.to_pandas(), known


def pair_facts(distances: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Proposition 1's quantities of every pair, in the columns of a benchmark's pair table, and `root` and `origin`."""
    counts = np.array([[[list(row) for row in half] for half in matrix] for matrix in distances["counts_matrix"]], int)
    known = distances[["source_model", "target_model"]].set_axis(["victim", "suspect"], axis=1)
    known = known.assign(**counts_to_deltas(counts).columns)
    paired = names.pairs(dataset, [*known["victim"], *known["suspect"]])
    table = paired.merge(known, on=["victim", "suspect"], how="left", validate="one_to_one")
    if table["delta"].isna().any():
        lost = table[table["delta"].isna()].iloc[0]
        raise QurdError(f"Expected the counts of every pair. None of {lost['victim']} / {lost['suspect']}.")
    return table


def model_facts(accuracy: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """What is known of every model: its lineage, its accuracy on the test images, what it began as and counts in."""
    measured = dict(zip(accuracy["model"], accuracy["accuracy"], strict=True))
    models = list(dict.fromkeys([*table["victim"], *table["suspect"]]))
    missing = [model for model in models if not 0 <= measured.get(model, math.nan) <= 1]
    if missing:
        raise QurdError(f"Expected the accuracy of every model. None of {missing[0]}.")
    table = pd.DataFrame({"lineage": models, "accuracy": [measured[model] for model in models]})
    return table.assign(architecture=table["lineage"].map(names.origin_of), root=table["lineage"].map(names.root_of))


def _publish(table: pd.DataFrame, path: Path, more: dict[str, str] | None = None) -> None:
    """Write a table whole, with more about it."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    write_table(path, arrow.replace_schema_metadata((arrow.schema.metadata or {}) | (more or {})), "zstd")


def _sign(states: list[object]) -> str:
    return hashlib.sha256(json.dumps([_VERSION, *states]).encode()).hexdigest()[:16]


def _first(report: Report) -> str:
    where = next(iter(report.skipped), None)
    return f"The first of {len(report.skipped):,} that were skipped is {where}: {report.skipped[where]}" if where else ""
