"""The command that measures what hides a stolen model."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from qurd_core.cli.options import Device, StoreFolder, Workers, computing, results
from qurd_core.cli.output import noted


def grid(
    benchmark: Annotated[
        str, typer.Option("--benchmark", "-b", help="Name of a benchmark with a grid, fashion-sac; no path, no saved one.")
    ],
    scheme: Annotated[
        list[str], typer.Option("--scheme", "-s", help="A named scheme, or 'sampler | representation | detector'.")
    ],
    hiding: Annotated[
        list[str] | None,
        typer.Option("--hiding", help="Only this column; repeat. If none is named, all but smoothing, which takes long."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Repetitions, each with queries of its own.")] = 10,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the grid; the app's own if not given.")] = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Evaluate schemes on every theft of a benchmark, followed by every way to hide it. Prints its time first."""
    from qurd_core.evaluation.grid import asked_of, estimate, measure
    from qurd_core.files import made
    from qurd_core.records import rate_records

    folder, shelf, runtime = made(out or rate_records.FOLDER), results(store), computing(device, workers)
    asked = asked_of(benchmark, scheme, seeds, hiding or ())
    print(estimate(asked, shelf, runtime), file=sys.stderr)  # noqa: T201
    noted([measure(benchmark, asked, shelf, runtime, folder)])
