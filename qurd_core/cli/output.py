"""What commands print: tables or JSON on the output, progress on the error output."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

RUN_COLUMNS = (
    *("scheme", "benchmark", "task", "budget", "used", "tpr", "tpr_conformal", "sd", "sd_conformal", "auc"),
    *("n_positives", "n_negatives", "n_lineages", "n_victims", "seeds", "distinct", "samples", "gradients", "converged"),
    "reason",
)
SHORT_COLUMNS = (
    *("scheme", "task", "budget", "tpr", "sd", "tpr_conformal", "auc", "n_positives", "n_negatives", "n_lineages", "reason"),
)
WIDEST = 100_000  # characters of a line that no terminal folds


def show_rates(table: "pd.DataFrame", rule: str | None, form: str) -> None:
    """Rates as `evaluate` or `evidence.select` gives them, with those of one rule as `value` if it was named."""
    from qurd_core.statistics.metrics import by_rule

    table = by_rule(table, rule) if rule else table
    columns = [column for column in (RUN_COLUMNS if form == "json" else SHORT_COLUMNS) if column in table]
    show(rows(table, (*columns, *["value", "spread"] * bool(rule))), form)


def show(rows: list[dict[str, Any]], form: str) -> None:
    """Print rows as one of the forms of `options.Form`."""
    from qurd_core.statistics.printed import cell, latex

    if form != "table":
        print_json(rows) if form == "json" else print(latex(rows))  # noqa: T201
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell(value)) for value in row.values()))
    # A file or another program reads lines, not a page: there a row stays one line, however long.
    Console(width=None if sys.stdout.isatty() else WIDEST).print(table)


def rows(table: "pd.DataFrame", columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Plain rows: NaN becomes None, as JSON has none."""
    kept = table[list(columns)].astype(object)
    return kept.where(kept.notna(), None).to_dict("records")


def print_json(data: Any) -> None:
    print(json.dumps(data, indent=1, default=_plain, allow_nan=False))  # noqa: T201


def _plain(value: Any) -> Any:
    """NumPy numbers as Python's."""
    return value.item()


def noted(paths: Iterable[Path]) -> None:
    """Print where files were written; those of the app's own are taken among the digests of what ships."""
    from qurd_core.files import note

    for path in paths:
        note([path])
        print(path)  # noqa: T201


def progress(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
    """A bar with the time left, on the error output, so that JSON stays clean."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        yield from bar.track(items, total=total, description=label)
