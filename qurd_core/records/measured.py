"""Tables that are measured once from the raw scores and kept beside the records: bootstraps take longer than a click may."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core.records import rate_records


@dataclass(frozen=True)
class Measured:
    """One such table of every benchmark; `python -m qurd_core honest` measures them all.

    Attributes:
        part: names the file, `<benchmark>-<part>.parquet`.
        columns: those of a benchmark of which nothing was measured.
        texts: columns that take few values.
        counts: columns of small whole numbers.
        measure: from a benchmark, the folder of its raw scores and pairs, and `track` to the rows.
    """

    part: str
    columns: tuple[str, ...]
    texts: tuple[str, ...]
    counts: tuple[str, ...]
    measure: Callable[..., pd.DataFrame]

    @property
    def nothing(self) -> pd.DataFrame:
        return pd.DataFrame(columns=list(self.columns))

    def path_of(self, benchmark: str, folder: Path | None = None) -> Path:
        """Where the rows lie, whether they are there or not."""
        return rate_records.path_of(benchmark, folder).with_name(f"{benchmark}-{self.part}.parquet")

    def read(self, benchmark: str, folder: Path | None = None) -> pd.DataFrame:
        """The rows of `measure`; none for a benchmark of which nothing was measured.

        Raises:
            QurdError: the file is damaged.
        """
        path = self.path_of(benchmark, folder)
        return rate_records.shipped_table(path, rebuild(benchmark)) if path.is_file() else self.nothing

    def write(self, table: pd.DataFrame, path: Path) -> Path:
        """Parquet with six decimals, so that what is printed is not rounded twice."""
        decimals = dict.fromkeys(table.select_dtypes("float").columns, 6)
        kinds = dict.fromkeys(decimals, np.float32) | dict.fromkeys(self.texts, "category")
        kinds |= dict.fromkeys(self.counts, np.int16)
        return rate_records.write_table(table.round(decimals).astype(kinds), path)


def rebuild(benchmark: str) -> str:
    """The command that measures them."""
    return f"python -m qurd_core honest --benchmark {benchmark}"
