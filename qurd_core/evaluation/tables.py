"""TPR per group of a large score table on disk, computed where the table lies, by DuckDB."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from qurd_core.errors import PARQUET, QurdError, lies_at, misplaced, unknown
from qurd_core.evaluation.sides import NEGATIVE_KINDS, Negatives

if TYPE_CHECKING:  # importing it takes time that only those who read a table need to spend
    from duckdb import DuckDBPyConnection

# The rules of `statistics.allowed_below`. Only the smallest scores of a group are kept: as many as its largest k needs. An
# index of 0, where the conformal rule is refused, gives NULL, and so does the rate.
_TPR = """
with calibration as (
    select {keys}, count(*) as n, min(value, $most) as smallest from scores where is_negative group by {keys}
), thresholds as (
    select
        {keys}, n,
        smallest[cast(floor($alpha * n + 1e-9) as int) + 1] as paper,
        smallest[cast(floor($alpha * (n + 1) + 1e-9) as int)] as conformal
    from calibration
)
select
    {keys},
    avg(cast(value < paper as int)) as tpr,
    avg(cast(value < conformal as int)) as tpr_conformal,
    coalesce(any_value(n), 0) as n_negatives,
    count(*) as n_positives
from scores left join thresholds using ({keys})
where is_positive
group by {keys}
order by {keys}
"""

_CHECK = """
select
    coalesce(max(n), 0) as most_negatives, coalesce(sum(bad), 0) as bad, coalesce(sum(unnamed), 0) as unnamed
from (
    select
        count(*) filter (where is_negative) as n,
        count(*) filter (where value is null or isnan(value)) as bad,
        count(*) filter (where {any_key_null}) as unnamed
    from scores where is_negative or is_positive group by {keys}
)
"""


def group_tpr(
    path: Path | str,
    keys: Sequence[str],
    *,
    alpha: float = 0.05,
    negatives: Negatives = "unrelated",
    threads: int = 2,
) -> pd.DataFrame:
    """TPR of every group of a score table on disk; the same numbers as `metrics.rates` gives.

    Args:
        path: a Parquet file, or a folder whose Parquet files, at any depth, are one table. It has the columns `keys`, `kind`
            (`"positive"`, `"negative"` or `"hard"`) and `value`.
        keys: the columns that tell groups apart. One integer column is several times faster than many text columns.
        alpha: the share of false alarms that is allowed.
        negatives: whether hard unrelated models count as negatives or are left out.

    Returns:
        rows of `keys`, tpr (the paper's rule), tpr_conformal, n_negatives and n_positives, sorted by `keys`, for every group
        that has positives. A rate is NaN where there are too few negatives.

    Raises:
        QurdError: there is no such table, a column is missing, or a score or a key is null or NaN.
    """
    import duckdb

    if not 0 < alpha < 1:
        raise QurdError(f"Expected 'alpha' between 0 and 1, both excluded. Got {alpha}.")
    if negatives not in NEGATIVE_KINDS:
        raise unknown("choice of negatives", negatives, NEGATIVE_KINDS)
    files = _files(Path(path))
    # Reading Parquet is built in, so nothing ever needs to be fetched.
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": threads}
    with duckdb.connect(config=settings) as con:
        _open(con, files, keys, NEGATIVE_KINDS[negatives])
        names = {"keys": ", ".join(map(_quoted, keys)), "any_key_null": " or ".join(f"{_quoted(k)} is null" for k in keys)}
        most, bad, unnamed = con.execute(_CHECK.format(**names)).fetchone()
        if bad or unnamed:
            raise QurdError(
                f"Expected a number and all keys in every row of {path}. Got {bad} values and {unnamed} keys missing."
            )
        return con.execute(_TPR.format(**names), {"alpha": alpha, "most": int(alpha * most + 1e-9) + 1}).df()


def _files(path: Path) -> list[str]:
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise misplaced("a Parquet file, or a folder with some,", path, "It holds none.")
    if wrong := next((file for file in files if lies_at(file) != PARQUET), None):
        raise misplaced("a Parquet file", wrong)
    return [str(file) for file in files]


def _open(con: "DuckDBPyConnection", files: list[str], keys: Sequence[str], kinds: tuple[str, ...]) -> None:
    """Make the view `scores` with the keys, the value, and on which side each row stands."""
    table = con.read_parquet(files)
    missing = {*keys, "kind", "value"} - set(table.columns)
    if missing or not keys:
        raise QurdError(f"Expected keys among the columns {', '.join(table.columns)}, and 'kind' and 'value'. Got {keys}.")
    columns = [*map(_quoted, keys), "value", "kind = 'positive' as is_positive"]
    columns.append(f"kind in ({', '.join(map(repr, kinds))}) as is_negative")
    table.select(", ".join(columns)).create_view("scores")


def _quoted(name: str) -> str:
    """A column name as SQL."""
    return '"' + name.replace('"', '""') + '"'
