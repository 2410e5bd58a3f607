"""The named schemes behind obfuscations: what `sweep --obfuscations` measured, read without torch.

Two files per benchmark. `<benchmark>-obfuscations.parquet` has the rows of the summary for every obfuscation, once with
stolen models alone behind it and once with all suspects; `<benchmark>-obfuscations-scores.parquet` the distance of every
suspect behind it.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from qurd_core.errors import unknown
from qurd_core.files import file_digest
from qurd_core.records import evidence, rate_records
from qurd_core.statistics.metrics import RULES, Rule, by_rule
from qurd_core.statistics.sides import Negatives

RATES, SCORES = rate_records.OBFUSCATED, f"{rate_records.OBFUSCATED}-scores"
BEFORE = tuple(f"before_{columns.value}" for columns in RULES.values())  # the rate without it, on the same query seeds
WORST = "worst"  # of all obfuscations the one behind which a scheme catches least
ONLY = "recorded for named schemes only"  # why another combination has no value


class Behind(NamedTuple):
    """What stands before suspects.

    Attributes:
        by: a recorded obfuscation, `WORST`, or nothing.
        pool: unrelated models stand behind it, too; else stolen ones alone.
    """

    by: str = ""
    pool: bool = False


PLAIN = Behind()


def path_of(benchmark: str, folder: Path | None = None, part: str = RATES) -> Path:
    """Where the records lie, whether they are there or not."""
    return rate_records.path_of(benchmark, folder).with_name(f"{benchmark}{part}.parquet")


def recorded(benchmark: str, folder: Path | None = None) -> tuple[str, ...]:
    """The recorded obfuscations, in order; none for a bench of one's own, or where nothing was measured."""
    if benchmark not in rate_records.SHIPPED:
        return ()
    path = path_of(benchmark, folder)
    return _recorded(benchmark, folder, file_digest(path)) if path.is_file() else ()


@lru_cache(maxsize=8)
def _recorded(benchmark: str, folder: Path | None, content: str) -> tuple[str, ...]:
    """As long as the file holds the same."""
    read = rate_records.table_of(benchmark, folder, lambda file: pq.read_table(file, columns=["obfuscation"]), RATES)
    return tuple(read["obfuscation"].unique().to_pylist())


def read(
    benchmark: str,
    behind: Behind,
    *,
    task: str = "all",
    negatives: Negatives = "unrelated",
    rule: Rule = "paper",
    folder: Path | None = None,
) -> pd.DataFrame:
    """The rates of one task: a row per named scheme and budget, with the columns of `records.read`, `obfuscation`, and
    `before`, the rate by the rule without it on the same query seeds.

    Args:
        behind: the obfuscation, or the one that is worst for each scheme and budget.
        rule: by which the worst one is found, and the rate before.

    Raises:
        QurdError: there are no such records.
    """
    return _rows(benchmark, behind, f"of task '{task}'", {"task": task, "negatives": negatives}, rule, folder)


def read_at(
    benchmark: str,
    budget: int,
    behind: Behind,
    *,
    negatives: Negatives = "unrelated",
    rule: Rule = "paper",
    folder: Path | None = None,
) -> pd.DataFrame:
    """As `read`, of all tasks at one budget."""
    return _rows(benchmark, behind, f"at {budget} queries", {"budget": budget, "negatives": negatives}, rule, folder)


def worst(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Of every scheme, task and budget the row with the lowest rate; one without a rate only where none has one.

    Args:
        table: rows of several obfuscations.
    """
    order = table[RULES[rule].value].fillna(np.inf).reset_index(drop=True)
    cell = [table[name].to_numpy() for name in ("scheme", "task", "budget")]
    places = order.groupby(cell, sort=False).idxmin().to_numpy()
    return table.iloc[np.sort(places)].reset_index(drop=True)


def select(
    benchmark: str,
    schemes: list[str],
    *,
    behind: str,
    pool: bool = False,
    budgets: list[int],
    task: str = "all",
    by_task: bool = False,
    negatives: Negatives = "unrelated",
    rule: Rule = "paper",
) -> pd.DataFrame:
    """Recorded rates of some named schemes, with `value` and `spread` by the rule: what pages show as a table.

    Args:
        behind: a recorded obfuscation, or `"worst"`.
        by_task: one row per task beside the pooled one.

    Raises:
        QurdError: nothing is recorded behind it.
    """
    known = recorded(benchmark)
    if behind not in (*known, WORST):
        raise unknown(f"recorded obfuscation of {benchmark}", behind, (*known, WORST))
    asked, how = Behind(behind, pool), {"negatives": negatives, "rule": rule}
    if by_task:
        table = pd.concat([read_at(benchmark, at, asked, **how) for at in budgets], ignore_index=True)
    else:
        table = read(benchmark, asked, task=task, **how)
    return by_rule(table[table["name"].isin(schemes) & table["budget"].isin(budgets)], rule).reset_index(drop=True)


def has_scores(benchmark: str, folder: Path | None = None) -> bool:
    """Whether distances behind obfuscations are there."""
    return benchmark in rate_records.SHIPPED and path_of(benchmark, folder, SCORES).is_file()


def scores(benchmark: str, behind: Behind, folder: Path | None = None) -> evidence.Scores:
    """The distances of the named schemes: of suspects behind one obfuscation, and of all others as recorded plainly."""
    one = [("obfuscation", "=", behind.by)]
    hidden = rate_records.table_of(benchmark, folder, lambda file: pq.read_table(file, filters=one), SCORES)
    texts = dict.fromkeys(("scheme", "victim", "suspect"), str)
    hidden = hidden.to_pandas().drop(columns="obfuscation").astype(texts)
    if behind.pool:
        return evidence.Scores.of_table(hidden)
    pairs = rate_records.pairs(benchmark, folder)
    stolen = pairs.loc[pairs["kind"] == "positive", ["victim", "suspect"]]
    measured = hidden[["scheme", "query_seed", "budget"]].drop_duplicates()
    others = pairs.loc[pairs["kind"] != "positive", ["victim", "suspect"]]
    plain = rate_records.scores(benchmark, folder).astype(texts).merge(measured).merge(others)
    return evidence.Scores.of_table(pd.concat([hidden.merge(stolen), plain], ignore_index=True))


def _rows(
    benchmark: str, behind: Behind, which: str, chosen: dict[str, object], rule: Rule, folder: Path | None
) -> pd.DataFrame:
    one = {} if behind.by == WORST else {"obfuscation": behind.by}
    asked = chosen | {"pool": behind.pool} | one
    table = rate_records.rows_of(benchmark, which, asked, folder, part=RATES, more=("obfuscation", *BEFORE))
    table = table.assign(before=table[f"before_{RULES[rule].value}"].astype(float)).drop(columns=[*BEFORE])
    return worst(table, rule) if behind.by == WORST else table
