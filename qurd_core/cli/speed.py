"""The command that measures how fast this machine is."""

import sys
from typing import Annotated, Any

import typer

from qurd_core.cli.options import Form
from qurd_core.cli.output import print_json, progress, show
from qurd_core.errors import QurdError


def speed(
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name of an embedded benchmark, no path.")
    ] = "patchwork-sac",
    form: Form = None,
) -> None:
    """Measure this machine: a run beside its bare passes, crafts, how time and memory grow, two processes. Takes minutes."""
    from qurd_core.benchmarks.base import EMBEDDED, kind_of

    if (kind := kind_of(benchmark)) != EMBEDDED:
        raise QurdError(f"Expected an embedded benchmark, whose models are here. Got {kind}, {benchmark}.")
    from qurd_core.evaluation.timing.table import measured

    found = measured(benchmark, progress)
    if form == "json":
        print_json(found)
        return
    for title, rows in _tables(found):
        print(title)  # noqa: T201
        show(rows, form)
    if found["missing"]:
        names = " and ".join(found["missing"])
        told = f"Not compared with {names}, which take an environment of their own: tests/benchmarks/requirements.txt."
        print(told, file=sys.stderr)  # noqa: T201


def _tables(found: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Titles and rows; every craft has the columns of all."""
    columns = dict.fromkeys(column for row in found["crafts"] for column in row)
    return [
        ("This machine", [found["machine"]]),
        ("Six schemes with five query seeds from an empty store, one victim, CPU seconds", [found["bare"]]),
        ("Crafts on 64 seeds, CPU milliseconds", [dict.fromkeys(columns) | row for row in found["crafts"]]),
        ("Growth, CPU seconds", found["growth"]),
        ("One and two processes", [found["processes"]]),
    ]
