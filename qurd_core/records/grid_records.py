"""The recorded grid of a benchmark: what schemes catch of every theft that is followed by what may hide it.

`grid` measures it. Reading it needs neither models nor torch.
"""

from pathlib import Path

import pandas as pd

from qurd_core.errors import QurdError, unknown
from qurd_core.records import rate_records

PART = "grid"
BUDGET = 100  # queries of every cell
FAILED = 0.1  # agreement with the victim beyond chance (kappa) below which a theft has failed
KEYS = ("theft", "hiding", "scheme", "negatives")  # one row each
RATES = ("tpr", "tpr_conformal", "sd", "sd_conformal")
COUNTS = ("n_models", "n_victims", "n_negatives", "seeds")
FACTS = ("accuracy", "kappa", "queries")  # of the hidden models; means over them, queries of the theft alone
COLUMNS = (*KEYS, "name", *RATES, *COUNTS, *FACTS, "reason")


def path_of(benchmark: str, folder: Path | None = None) -> Path:
    """Where the grid of a benchmark lies, whether it is there or not."""
    return (folder or rate_records.FOLDER) / f"{benchmark}-{PART}.parquet"


def rebuild(benchmark: str) -> str:
    """The command that measures it."""
    return f"python -m qurd_core grid --benchmark {benchmark}"


def has(benchmark: str, folder: Path | None = None) -> bool:
    """Whether a grid was measured."""
    return path_of(benchmark, folder).is_file()


def read(benchmark: str, folder: Path | None = None) -> pd.DataFrame:
    """A row per theft, hiding, scheme and choice of negatives, in the order of the grid.

    Returns:
        `COLUMNS`. `name` is what a scheme is called, or None; `reason` why a cell has no rate, or why the guaranteed rule
        refuses one; rates are shares.

    Raises:
        QurdError: it is missing or damaged.
    """
    table = rate_records.shipped_table(path_of(benchmark, folder), rebuild(benchmark))
    if missing := [column for column in COLUMNS if column not in table]:
        raise QurdError(
            f"Expected {', '.join(COLUMNS)} in {path_of(benchmark, folder)}. Missing: {', '.join(missing)}."
            f" Make it again with `{rebuild(benchmark)}`."
        )
    texts = ["name", "reason", *KEYS]
    table[texts] = table[texts].astype(object).where(table[texts].notna(), None)
    return table[list(COLUMNS)]


def of_scheme(table: pd.DataFrame, scheme: str, negatives: str) -> pd.DataFrame:
    """The cells of one scheme against one choice of negatives.

    Args:
        scheme: its name, or its text where it has none.

    Raises:
        QurdError: the grid has no such scheme.
    """
    labels = table["name"].fillna(table["scheme"])
    if scheme not in set(labels):
        raise unknown("scheme of the grid", scheme, labels.unique())
    return table[(labels == scheme) & (table["negatives"] == negatives)].reset_index(drop=True)


def write(table: pd.DataFrame, path: Path) -> Path:
    """Publish a grid; rates with six decimals, so that what is printed is not rounded twice."""
    kinds = dict.fromkeys((*KEYS, "name", "reason"), "category")
    decimals = dict.fromkeys((*RATES, *FACTS), 6)
    kinds |= dict.fromkeys(decimals, "float32") | dict.fromkeys(COUNTS, "Int16")
    return rate_records.write_table(table[list(COLUMNS)].round(decimals).astype(kinds), path)
