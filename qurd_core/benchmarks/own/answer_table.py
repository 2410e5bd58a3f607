"""A table of answers alone: a benchmark without a model or an image, hence of any modality and any API.

One row per item and model, as CSV or Parquet: `item, truth, model, label`, and if known `p_<class>` for every class, or the
classes after the label (`top_2`, `top_3`, ...), `split` (train or test; test if left out), `lineage` (the model's name if
left out), `accuracy` (as it was declared) and `role`. What is empty in all rows of a model that model does not reveal.

An answer that is missing has no row. It counts as disagreement with a victim: it is a class of its own beside the others.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, Source, reads
from qurd_core.benchmarks.own.foreign import look_alikes, unpacked_bytes
from qurd_core.benchmarks.own.kinship import lineage_faults, read_lineages
from qurd_core.benchmarks.own.missing import lacking, missing_of_victims
from qurd_core.benchmarks.own.revealing import (
    TOP,
    Revealed,
    in_order,
    least,
    revealed,
    told,
    top_columns,
    with_probits,
    wrong_tops,
)
from qurd_core.benchmarks.own.roles import NAMELESS, SUSPECT, cast, faults, nameless, without_lineage
from qurd_core.errors import PARQUET, RECOGNISED, QurdError, is_filled, lies_at, misplaced
from qurd_core.executors.limited import limited
from qurd_core.files import file_digest, opened
from qurd_core.lineage import Lineage
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.types import Images

NEEDED = ("item", "truth", "model", "label")
OPTIONAL = ("split", "lineage")
DECLARED, ROLE = "accuracy", "role"  # columns that may be empty
SPLITS = ("train", "test")
PROBIT = "p_"
CELLS = 100_000_000  # rows times columns that are read, and answers of all models to all items
BYTES = 500_000_000  # of a CSV file, or of a Parquet file when unpacked
MODELS = 5_000
LONGEST = 2_000  # characters of a text
CLASSES = 10_000
OFF = 1e-3  # how far probits may sum from one beside their rounding
DECIMALS = range(2, 7)  # to which an API may have rounded its probits
NO_NUMBERS = ("nan", "<na>")  # what programs write in place of a number that is missing
SHOWN = 12  # classes in a sentence
FLOOR = 1e-12  # the smallest probit of which a logarithm is taken


@dataclass(frozen=True)
class Answered:
    """The answers of all models on one seed set.

    Attributes:
        items: names, sorted.
        truth: (n,) classes.
        labels: (M,n) classes; C where the answer is missing.
        logs: (M,n,C) float32 logarithms of the probits, the label's the largest, or numbers in the order of the classes
            that are named; None where only labels are known. Where answers are missing, or name no class of these, there
            is one more class.
        missing: number of answers of all models.
    """

    items: tuple[str, ...]
    truth: Tensor
    labels: Tensor
    logs: Tensor | None
    missing: int

    @cached_property
    def digest(self) -> str:
        """Content address of items and truth."""
        return hashlib.sha256(json.dumps(self.items).encode() + self.truth.numpy().tobytes()).hexdigest()


class AnswerTable(Source):
    """The source of a benchmark whose models are known by their answers only.

    Args:
        path: said in errors.
        classes: names, in the order of the numbers in `seed_sets`.
        lineages: of every model, in the order of the rows in `seed_sets`.
        seed_sets: answers by split.
        declared: accuracies, of the models that have one.
        roles: of the models that have one.
        beside: names of suspects and failed thefts: whatever they lack, nobody else has a class for it.
        reveals: of every model.
    """

    kept = False
    asks = False

    def __init__(
        self,
        path: Path,
        classes: tuple[str, ...],
        lineages: dict[str, Lineage],
        seed_sets: dict[str, Answered],
        declared: dict[str, float],
        roles: dict[str, str],
        beside: tuple[str, ...],
        reveals: dict[str, Revealed],
    ):
        self.path, self.classes, self.lineages, self.seed_sets = path, classes, lineages, seed_sets
        self.declared, self.roles, self.beside, self.reveals = declared, roles, beside, reveals
        self.splits = tuple(seed_sets)
        self._row = {model: row for row, model in enumerate(lineages)}
        self._digests: dict[str, str] = {}

    def lineage(self, model: str) -> Lineage:
        return self.lineages[model]

    def record(self, model: str) -> dict[str, Any]:
        """Accuracies are shares of the items that the model answers."""
        right: dict[str, float | str | None] = {}
        for split, known in self.seed_sets.items():
            labels = known.labels[self._row[model]]
            right[f"accuracy_{split}"] = float((labels == known.truth)[labels < len(self.classes)].double().mean())
        if self.declared:
            right["accuracy_declared"] = self.declared.get(model)
        if self.roles:
            right[ROLE] = self.roles.get(model)
        if len({*self.reveals.values()}) > 1:
            right["reveals"] = str(self.reveals[model].access)
        return {"lineage": str(self.lineages[model]), "model": model, "classes": len(self.classes), **right}

    def missing(self, split: str) -> dict[str, tuple[int, int]]:
        """By model in the pairs, how many answers are missing, of how many items."""
        gone = (self.seed_sets[split].labels == len(self.classes)).sum(1).tolist()
        known = [model for model in self._row if model not in self.beside]
        return {model: (gone[self._row[model]], len(self.seed_sets[split].items)) for model in known}

    def digest(self, model: str) -> str:
        if model not in self._digests:
            self._digests[model] = self._digest(model)
        return self._digests[model]

    def _digest(self, model: str) -> str:
        sha = hashlib.sha256(json.dumps(self.classes).encode())
        for split, known in self.seed_sets.items():
            outputs = known.labels[self._row[model]] if known.logs is None else self.answers(model, split)
            sha.update(f"{split} {known.digest}".encode() + outputs.contiguous().numpy().tobytes())
        return sha.hexdigest()

    def images(self, split: str) -> Images:
        """Items as images without height and width: natural schemes look at their answers only."""
        known = self.seed_sets[split]
        return Images(torch.zeros(len(known.items), 3, 0, 0, dtype=torch.uint8), known.truth)

    def images_digest(self, split: str) -> str:
        return self.seed_sets[split].digest

    def names(self, split: str) -> tuple[str, ...]:
        """What the items are called, in their order."""
        return self.seed_sets[split].items

    def answers(self, model: str, split: str) -> Tensor:
        """Logarithms of the probits, or the label's class at 1 where nothing else is known."""
        known, row = self.seed_sets[split], self._row[model]
        most = None if model in self.beside or self._lacks[split] else len(self.classes)
        if known.logs is None:
            return F.one_hot(known.labels[row], len(self.classes) + bool(known.missing)).float()[:, :most]
        return known.logs[row][:, :most]

    @cached_property
    def _lacks(self) -> dict[str, bool]:
        """By split, whether some model in the pairs lacks an answer."""
        return {split: any(gone for gone, _ in self.missing(split).values()) for split in self.splits}

    def oracle(self, model: str, runtime: Runtime) -> Oracle:
        raise QurdError(
            f"'{model}' cannot be asked anything new: {self.path.name} holds its answers, not the model. Use a scheme that"
            " sends the items as they are."
        )


def _problems(path: Path) -> list[str]:
    """Everything that is wrong in a table, a sentence each."""
    try:
        table = _read(path)
    except QurdError as error:
        return [str(error)]
    wrong = list(_wrong_rows(table, path)) or list(faults(_lineages(table), _roles(table)))
    return wrong or list(missing_of_victims(table, cast(_lineages(table), _roles(table)).pairs))


@reads(".csv", ".parquet", what="a table of answers", content=file_digest, problems=_problems)
def answer_table(path: Path) -> Benchmark:
    """A table of answers: one row per item and model."""
    for problem in limited(partial(_problems, path), path):
        raise QurdError(problem if path.name in problem else f"{problem} (In {path}.)")
    table = _read(path)
    lineages, roles = _lineages(table), _roles(table)
    classes, probits, found = _classes(table), _probit_columns(table), cast(lineages, roles)
    answered = _seed_sets(table, list(lineages), classes, probits)
    beside = tuple(model for model in lineages if model not in found.models)
    reveals = revealed(table, probits, _tops(table), classes)
    source = AnswerTable(path, classes, lineages, answered, _declared(table), roles, beside, reveals)
    known = least(reveals[model] for model in found.models)
    gone = {split: source.missing(split) for split in source.splits}
    missing = sum(number for models in gone.values() for number, _ in models.values())
    notes = (*_unseen(table), *lacking(gone), *told(reveals), *found.notes)
    return Benchmark(
        str(path),
        classes,
        found.pairs,
        found.models,
        source,
        known.access,
        missing=missing,
        notes=notes,
        suspects=found.suspects,
        reveals={name: reveals[name].access for name in found.suspects if reveals[name].access < known.access},
        ranked=known.ranked if known.access is Access.TOPK else None,
        tops={name: one.ranked for name in found.suspects if (one := reveals[name]).access is Access.TOPK},
    )


def answers_of(path: Path, classes: tuple[str, ...]) -> AnswerTable:
    """The answers of suspects to items whose truth this table does not know: `item`, `model`, `label`, and if known the
    columns of `top_` or `p_`.

    Args:
        classes: of the benchmark; a label beside them counts as no answer.

    Raises:
        QurdError: what is wrong in it, one sentence.
    """
    for problem in limited(partial(_wrong_answers, path, classes), path):
        raise QurdError(problem if path.name in problem else f"{problem} (In {path}.)")
    table, models = _suspects(path, classes), {}
    for model in table["model"].unique():
        models[model] = nameless(SUSPECT, model)
    lineages, probits = read_lineages(models), [f"{PROBIT}{name}" for name in classes if f"{PROBIT}{name}" in table]
    reveals = revealed(table, probits, _tops(table), classes)
    return AnswerTable(
        path, classes, lineages, _seed_sets(table, [*models], classes, probits), {}, {}, tuple(models), reveals
    )


def _suspects(path: Path, classes: tuple[str, ...]) -> pd.DataFrame:
    """The rows of answers of suspects, as those of a table in which every item is of the first class."""
    table = _read(path, ("item", "model", "label"))
    return table.assign(truth=classes[0], split="test", lineage="", role=SUSPECT)


def _wrong_answers(path: Path, classes: tuple[str, ...]) -> list[str]:
    try:
        table = _suspects(path, classes)
    except QurdError as error:
        return [str(error)]
    if table.empty:
        return [f"Expected rows in {path}. It has a header only."]
    where, probits = partial(_where, path), _probit_columns(table)
    if found := list(_wrong_texts(table, ("item", "model", "label", *_tops(table)), where)):
        return found
    if probits and sorted(probits) != sorted(f"{PROBIT}{name}" for name in classes):
        strange = sorted({*probits} ^ {f"{PROBIT}{name}" for name in classes})[0]
        return [
            f"Expected a column p_<class> for each of the {len(classes):,} classes, or for none. '{strange[:60]}' is at"
            " fault."
        ]
    if len(table) * len(classes) > CELLS:
        return [f"Expected at most {CELLS:,} answers times classes. {path} has more: split it."]
    found = [*look_alikes(table["model"].unique(), "models"), *wrong_tops(table, probits, _tops(table), where)]
    with_any = with_probits(table, probits)
    beside = with_any & ~table["label"].isin(classes)
    if beside.any():
        found.append(f"The label '{table['label'][beside].iloc[0]}' in {where(beside)} has probits and is no class.")
    elif probits:
        found += _wrong_probits(table, classes, [f"{PROBIT}{name}" for name in classes], with_any, where)
    return found or list(_wrong_grid(table, where))


def _read(path: Path, needed: Sequence[str] = NEEDED) -> pd.DataFrame:
    """The table with texts as texts and probits as numbers; `split` and `lineage` filled in.

    Args:
        needed: columns that must be there; of the usual ones others are refused.

    Raises:
        QurdError: no such file, no table, too large, or other columns.
    """
    there = lies_at(path)
    if there in RECOGNISED - {PARQUET} or not is_filled(path):
        raise misplaced("a table of answers", path)
    packed = there == PARQUET or path.suffix.lower() == ".parquet"  # a link may lead to a file of another name
    table = (_read_parquet if packed else _read_csv)(path, needed)
    for name in {"truth", "label", *_tops(table)} & {*table}:  # whole numbers may have been written as floats
        table[name] = table[name].str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    if "split" not in table:
        table["split"] = "test"
    if "lineage" not in table:
        table["lineage"] = "" if ROLE in table else table["model"]
    return table


def _read_csv(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    size = path.stat().st_size
    if size > BYTES:
        raise QurdError(f"Expected a CSV file of at most {BYTES:,} bytes. {path} has {size:,}: write it as Parquet.")
    try:
        with opened(path) as file:
            columns = file.readline(1_000_000).count(b",") + 1
            rows = sum(block.count(b"\n") for block in iter(partial(file.read, 1_000_000), b""))
        if rows * columns > CELLS:
            raise QurdError(f"Expected at most {CELLS:,} cells. {path} has {rows:,} rows of {columns:,} columns: split it.")
        if columns > CLASSES:
            raise QurdError(f"Expected at most {CLASSES:,} classes in {path}. Got {columns:,} columns.")
        table = pd.read_csv(path, dtype=str, na_filter=False, encoding="utf-8-sig", skipinitialspace=True)
        table.columns = [str(name).strip() for name in table.columns]
        _check_columns(list(table.columns), path, needed)
        if not isinstance(table.index, pd.RangeIndex):
            raise QurdError(f"Expected as many values in every line of {path} as names in the first one. Got more.")
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError, ValueError) as error:
        if isinstance(error, QurdError):
            raise
        raise QurdError(f"Cannot read {path} as CSV: {str(error).strip()}. Save it again, in UTF-8.") from None
    for name in _probit_columns(table):
        numbers = pd.to_numeric(table[name], errors="coerce")
        table[name] = numbers.mask(numbers.isna() & (table[name].str.strip() != ""), np.inf).astype(np.float32)
    return table


def _read_parquet(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        _check_columns(schema.names, path, needed)
        texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            about = file.metadata
            groups = [about.row_group(number) for number in range(about.num_row_groups)]
            unpacked = sum(group.total_byte_size for group in groups)
            if about.num_rows * about.num_columns > CELLS or unpacked > BYTES:
                raise QurdError(
                    f"Expected at most {CELLS:,} cells and {BYTES:,} bytes. {path} claims {about.num_rows:,} rows of"
                    f" {about.num_columns} columns and {unpacked:,} bytes: split it."
                )
            table = file.read(use_threads=False)
        table.validate(full=True)
        if (unpacked := unpacked_bytes(table, PROBIT)) > BYTES:
            raise QurdError(f"Expected at most {BYTES:,} bytes. {path} holds {unpacked:,} in few words: split it.")
        return pd.DataFrame({name: _column(table[name], name, path) for name in schema.names})
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        first = str(error).strip().partition("\n")[0]
        raise QurdError(f"Cannot read {path} as Parquet: {first}. Save it again.") from None


def _column(column: Any, name: str, path: Path) -> pd.Series:
    """A column of Parquet as texts, or as numbers for a probit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    if name.startswith(PROBIT) and number:
        return column.to_pandas().astype(np.float32)
    if name.startswith(PROBIT) or not (number or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        wanted = "numbers" if name.startswith(PROBIT) else "texts or numbers"
        raise QurdError(f"Expected {wanted} in the column '{name}' of {path}. Got {column.type}.")
    if pa.types.is_dictionary(column.type) and number:
        column = column.cast(kind)
    elif pa.types.is_dictionary(column.type):
        longest = max((pc.max(pc.utf8_length(chunk.dictionary)).as_py() or 0 for chunk in column.chunks), default=0)
        if longest > LONGEST:
            raise QurdError(f"Expected texts of at most {LONGEST} characters in '{name}' of {path}. One has {longest:,}.")
        column = column.cast(pa.large_string())
    found = column.to_pandas()
    return found.astype(str).where(found.notna(), "")


def _check_columns(names: list[str], path: Path, needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in names]
    others = (*OPTIONAL, ROLE, DECLARED) if needed is NEEDED else ()
    usual = (*needed, *others)
    strange = [name for name in names if name not in usual and not name.startswith(PROBIT) and not TOP.fullmatch(name)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    wanted = (
        f"Expected the columns {', '.join(needed)}, and if known {', '.join([*others, 'a p_<class> for each class'])} or"
        f" top_2, top_3, ..., in {path}."
    )
    if missing:
        raise QurdError(f"{wanted} '{missing[0]}' is missing; got {', '.join(names[:12])}.")
    if strange or twice:
        name = (strange or twice)[0][:60]
        raise QurdError(f"{wanted} Got {'also' if strange else 'twice'} '{name}': remove it.")
    if len(names) > CLASSES:
        raise QurdError(f"Expected at most {CLASSES:,} classes in {path}. Got {len(names):,} columns.")
    top_columns(names)


def _tops(table: pd.DataFrame) -> list[str]:
    return top_columns(table.columns)


def _probit_columns(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name.startswith(PROBIT)]


def _classes(table: pd.DataFrame) -> tuple[str, ...]:
    """Names of the classes: those of the probits, else whatever is true or was answered; numbers in their order."""
    named = tuple(name.removeprefix(PROBIT) for name in _probit_columns(table))
    if named:
        return named
    judged = _judged(table)
    named_after = {name for column in _tops(table) for name in judged[column].unique()} - {""}
    return _in_order({*table["truth"].unique(), *judged["label"].unique(), *named_after})


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of models that are no suspects: what a suspect answers beside all others is no class."""
    return table[table[ROLE] != SUSPECT] if ROLE in table else table


def _in_order(found: Iterable[str]) -> tuple[str, ...]:
    """Names of classes; numbers in their order."""
    numbers = all(re.fullmatch(r"-?\d{1,18}", name) for name in found)
    return tuple(sorted(found, key=int if numbers else None))


def _lineages(table: pd.DataFrame) -> dict[str, Lineage]:
    """The lineage of every model, in the order of the table."""
    return read_lineages(_lineage_texts(table))


def _lineage_texts(table: pd.DataFrame) -> dict[str, str]:
    first, roles = table.drop_duplicates("model"), _roles(table)
    texts = dict(zip(first["model"], first["lineage"], strict=True))
    return {model: text or nameless(roles[model], model) for model, text in texts.items()}


def _roles(table: pd.DataFrame) -> dict[str, str]:
    """Of the models that have one."""
    if ROLE not in table:
        return {}
    said = table[table[ROLE] != ""].drop_duplicates("model")
    return dict(zip(said["model"], said[ROLE], strict=True))


def _declared(table: pd.DataFrame) -> dict[str, float]:
    """Accuracies of the models that say one."""
    if DECLARED not in table:
        return {}
    said = table[table[DECLARED] != ""].drop_duplicates("model")
    return dict(zip(said["model"], said[DECLARED].astype(float), strict=True))


def _wrong_rows(table: pd.DataFrame, path: Path) -> Iterator[str]:
    """What is wrong in the rows, a sentence each with the first place; later checks rely on earlier ones."""

    where = partial(_where, path)
    if table.empty:
        yield f"Expected rows in {path}. It has a header only."
        return
    if error := without_lineage(_roles(table[table["lineage"] == ""])):
        yield str(error)
        return
    wrong = list(_wrong_texts(table, (*NEEDED, *OPTIONAL, *_tops(table)), where))
    yield from wrong
    if wrong:
        return
    yield from _wrong_values(table, where)
    yield from _wrong_grid(table, where)


def _where(path: Path, wrong: pd.Series) -> str:
    """The first row that is wrong, in words."""
    rows = np.flatnonzero(wrong.to_numpy())
    first = f"line {rows[0] + 2}" if path.suffix.lower() == ".csv" else f"row {rows[0] + 1}"
    return f"{first} of {path.name}" + (f" and {len(rows) - 1} more" if len(rows) > 1 else "")


def _wrong_texts(table: pd.DataFrame, names: Sequence[str], where: Any) -> Iterator[str]:
    for name in names:
        may_lack = table[ROLE].isin(NAMELESS) if name == "lineage" and ROLE in table else name.startswith("top_")
        for wrong, what in (
            ((table[name].str.strip() == "") & ~may_lack, "is empty"),
            (table[name].str.len() > LONGEST, f"has more than {LONGEST} characters"),
            (table[name].str.contains(r"[\x00-\x1f\x7f]", regex=True), "holds a line break or control character"),
        ):
            if wrong.any():
                yield f"'{name}' {what} in {where(wrong)}. Every row needs one plain text."


def _wrong_values(table: pd.DataFrame, where: Any) -> Iterator[str]:
    """Splits, classes, probits and lineages."""
    wrong = ~table["split"].isin(SPLITS)
    if wrong.any():
        yield f"Expected train or test as 'split'. Got '{table['split'][wrong].iloc[0]}' in {where(wrong)}."
    classes, probits = _classes(table), _probit_columns(table)
    if not 2 <= len(classes) <= CLASSES:
        yield (
            f"Expected 2 to {CLASSES:,} classes. Got {len(classes):,}: truth and label are classes, not numbers; put numbers"
            " into a few ranges."
        )
        return
    models, answered = table["model"].nunique(), table.groupby("split", observed=True)["item"].nunique().sum()
    if models > MODELS:
        yield f"Expected at most {MODELS:,} models. Got {models:,}: is 'model' the column that names them?"
        return
    if models * answered * (len(classes) if probits or _tops(table) else 1) > CELLS:
        yield (
            f"Expected at most {CELLS:,} answers of all models to all items. {models:,} models, {answered:,} items and"
            f" {len(classes):,} classes are more: split the table."
        )
        return
    yield from look_alikes(classes, "classes")
    yield from look_alikes([*table["model"].unique(), *table["lineage"].unique()], "names or lineages of models")
    items, fractions = table["item"].nunique(), [name for name in classes if re.fullmatch(r"-?\d*\.\d+(e-?\d+)?", name)]
    if fractions and not probits and len(classes) > items:
        yield (
            f"Expected names or whole numbers as classes. Got {len(classes):,} for {items:,} items, such as {fractions[0]}:"
            " truth and label are classes, not numbers; put numbers into a few ranges."
        )
        return
    for name in ("truth", "label"):
        judged = table.index.isin(_judged(table).index)  # what a suspect answers beside all classes is none
        wrong = ~table[name].isin(classes) & (judged | with_probits(table, probits) | (name == "truth"))
        if wrong.any():
            yield f"The {name} '{table[name][wrong].iloc[0]}' in {where(wrong)} has no column '{PROBIT}<class>'. Add it."
            return
    if strange := next(_strange_labels(table, where), None):
        yield strange
        return
    if DECLARED in table:
        wrong = (table[DECLARED] != "") & ~pd.to_numeric(table[DECLARED], errors="coerce").between(0, 1)
        if wrong.any():
            yield f"Expected 'accuracy' as a share from 0 to 1. Got '{table[DECLARED][wrong].iloc[0]}' in {where(wrong)}."
    yield from lineage_faults(_lineage_texts(table))
    yield from wrong_tops(table, probits, _tops(table), where)
    if not probits:
        return
    with_any = with_probits(table, probits)
    yield from _wrong_probits(table, classes, probits, with_any, where)


def _wrong_probits(
    every: pd.DataFrame, classes: tuple[str, ...], probits: list[str], with_any: pd.Series, where: Any
) -> Iterator[str]:
    """Of the models that have some, since those of others are empty throughout."""
    table = every[with_any]

    def there(wrong: NDArray[np.bool_]) -> str:
        return where(pd.Series(wrong, index=table.index).reindex(every.index, fill_value=False))

    values = table[probits].to_numpy()
    wrong = ~np.isfinite(values).all(1)
    if wrong.any():
        yield (
            f"Expected a number for every probit. Got none, NaN or infinity in {there(wrong)}. Leave them empty in all rows"
            " of a model that reveals none."
        )
        return
    step = _steps(values, table["model"])
    wrong = _no_probits(values, step)
    if wrong.any():
        row = values[wrong][0]
        yield (
            f"Expected probits from 0 to 1 that sum to one, up to rounding. Got {row.min():.4g} to {row.max():.4g} with the"
            f" sum {row.sum():.4g} in {there(wrong)}: are they logits? Write the softmax of logits, a hundredth of percents."
        )
        return
    label = pd.Index(classes).get_indexer(table["label"])
    chosen, best = values[np.arange(len(values)), label], values.max(1)
    wrong = best - chosen > 1.1 * step  # float32 is no finer
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        yield (
            f"Expected the most probable class as 'label', up to rounding. Got '{table['label'].iloc[first]}' of"
            f" {chosen[first]:.4g} where '{classes[values[first].argmax()]}' has {best[first]:.4g} in {there(wrong)}: write"
            " the most probable one."
        )


def _strange_labels(table: pd.DataFrame, where: Any) -> Iterator[str]:
    """What cannot be a class: no number, and where the classes are known, or are numbers, what is none of these."""
    for name in ("truth", "label"):
        wrong = table[name].str.lower().isin(NO_NUMBERS)
        if wrong.any():
            yield (
                f"Expected a class as '{name}'. Got '{table[name][wrong].iloc[0]}' in {where(wrong)}: leave the row out"
                " where there was no answer."
            )
    known, complete = _true_classes(table)
    listed = ", ".join(known[:SHOWN]) + " ..." * (len(known) > SHOWN)
    for name in ("label", *_tops(table)):
        wrong = ~table[name].isin(known) & (table[name] != "") & table.index.isin(_judged(table).index)
        if not complete:  # of more classes than items there is one limit only: where classes are numbers, a label is, too
            wrong &= all(map(str.isdecimal, known)) & ~table[name].str.fullmatch(r"\d+")
        if not wrong.any():
            continue
        yield (
            f"The {name} '{table[name][wrong].iloc[0]}' in {where(wrong)} is none of the {len(known):,} classes of the"
            f" items: {listed}. Correct it, leave the row out where there was no answer, or name all classes by columns"
            f" '{PROBIT}<class>'."
        )


def _true_classes(table: pd.DataFrame) -> tuple[list[str], bool]:
    """The classes of a table, and whether these are all that there are.

    They are where columns name them, where each is true of two items, and where they are numbers from 0 on without a gap,
    and some item shares its class. Else there may be more classes than items, and models may name some of the others.
    """
    if _probit_columns(table):
        return list(_classes(table)), True
    times = table.drop_duplicates(["split", "item"])["truth"].value_counts()
    known = list(_in_order(times.index))
    gapless = known == list(map(str, range(len(known)))) and times.max() > 1
    return known, bool(gapless or times.min() > 1)


def _unseen(table: pd.DataFrame) -> Iterator[str]:
    """A sentence about labels that are true of no item, where that may be."""
    known, _ = _true_classes(table)
    labels = _judged(table)["label"]
    unseen = labels[~labels.isin(known)]
    if len(unseen):
        yield (
            f"{len(unseen):,} label(s) are true of no item, such as '{unseen.iloc[0]}': each counts as a class beside the"
            f" {len(known):,} of the items."
        )


def _steps(values: np.ndarray, models: pd.Series) -> np.ndarray:
    """(rows,) how coarsely the probits of a row's model are rounded: 0.001 for three decimals."""
    steps = np.full(len(values), 10.0 ** -DECIMALS[-1])
    for rows in models.groupby(models).indices.values():
        mine = values[rows]
        for decimals in DECIMALS:
            if _is_rounded(mine[:100], decimals) and _is_rounded(mine, decimals):
                steps[rows] = 10.0**-decimals
                break
    return steps


def _is_rounded(values: np.ndarray, decimals: int) -> bool:
    scaled = values * 10.0**decimals
    return bool((np.abs(scaled - scaled.round()) <= 1e-7 * 10.0**decimals).all())  # as near as float32 comes


def _no_probits(values: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(rows,) whether no probits that sum to one give the values when they are rounded.

    With a thousand classes three decimals may leave a sum of 0.6: most classes are rounded to 0.
    """
    half = step[:, None] / 2
    least = np.maximum(values - half, 0).sum(1, dtype=np.float64)
    most = values.sum(1, dtype=np.float64) + values.shape[1] * half[:, 0]
    return (values < 0).any(1) | (values.max(1) <= 0) | (least > 1 + OFF) | (most < 1 - OFF)


def _wrong_grid(table: pd.DataFrame, where: Any) -> Iterator[str]:
    """No model answers an item twice, and both mean the same in every row."""
    wrong = table.duplicated(["split", "item", "model"])
    if wrong.any():
        row = table[wrong].iloc[0]
        yield f"'{row['model']}' answers the item '{row['item']}' of {row['split']} twice: {where(wrong)}. Keep one row."
    declared = [(["model"], name) for name in (DECLARED, ROLE) if name in table]
    for of, name in [(["split", "item"], "truth"), (["model"], "lineage"), *declared]:
        wrong = table[name] != table.groupby(of, observed=True)[name].transform("first")
        if wrong.any():
            row = table[wrong].iloc[0]
            yield f"The {of[-1]} '{row[of[-1]]}' has more than one {name}, first in {where(wrong)}. Keep one."


def _seed_sets(table: pd.DataFrame, models: list[str], classes: tuple[str, ...], probits: list[str]) -> dict[str, Answered]:
    """The answers by split, models in their order and items in that of their names, whatever the order of the rows."""
    place = pd.Index(models).get_indexer(table["model"])
    codes = pd.Index(classes)
    found = {}
    for split in SPLITS:
        chosen = (table["split"] == split).to_numpy()
        rows, model = table[chosen], place[chosen]
        if rows.empty:
            continue
        truth = rows.groupby("item", sort=True)["truth"].first()
        item = truth.index.get_indexer(rows["item"])
        shape = len(models), len(truth)
        labels = np.full(shape, len(classes), np.int64)
        labels[model, item] = codes.get_indexer(rows["label"]) % (len(classes) + 1)  # -1, no class, counts as missing
        missing, logs, tops = int((labels == len(classes)).sum()), None, _tops(table)
        if probits or tops:
            places = np.stack([codes.get_indexer(rows[name]) for name in ("label", *tops)], 1)
            foreign = (places < 0) & (rows[["label", *tops]] != "").to_numpy()
            places[foreign] = len(classes)  # of several in an answer the first stands there
            known = np.zeros((*shape, len(classes) + bool(missing or foreign.any())), np.float32)
            less = ~with_probits(table, probits)[chosen].to_numpy()
            known[model, item, : len(classes)] = rows[probits].to_numpy(np.float32) if probits else 0
            known[model[less], item[less]] = in_order(places[less], known.shape[2])
            if missing:
                known[..., -1][labels == len(classes)] = 1
            logs = _logs(known, torch.from_numpy(labels))
        answers = torch.from_numpy(codes.get_indexer(truth).astype(np.int64)), torch.from_numpy(labels), logs
        found[split] = Answered(tuple(truth.index), *answers, missing)
    return found


def _logs(probits: np.ndarray, labels: Tensor) -> Tensor:
    """(M,n,C) logarithms. Of classes that rounding makes equally probable the label is the one that is named."""
    outputs = torch.from_numpy(probits).clamp_min(FLOOR).log()
    return outputs.scatter(2, labels[..., None], outputs.amax(2, keepdim=True) + 1e-6)
