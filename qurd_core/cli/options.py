"""What commands are told: the options that several of them take, and what becomes of these."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qurd_core.cli.output import progress
from qurd_core.errors import QurdError

if TYPE_CHECKING:
    from qurd_core.runtime import Runtime
    from qurd_core.store import Store

_BENCHMARK = ("--benchmark", "-b")
BenchmarkName = Annotated[
    str,
    typer.Option(
        *_BENCHMARK,
        help="Name of a benchmark, see 'benchmarks', or the path of a folder of models, a table of answers (.csv, .parquet)"
        " or a saved benchmark (.json).",
    ),
]
EmbeddedName = Annotated[
    str, typer.Option(*_BENCHMARK, help="Name of an embedded benchmark, such as patchwork-sac; no path, no saved one.")
]
SweptName = Annotated[
    str,
    typer.Option(
        *_BENCHMARK,
        help="Name of an embedded benchmark, such as patchwork-sac, or of yours, see 'register'; no path without a name, no"
        " saved one.",
    ),
]
RecordedName = Annotated[
    str,
    typer.Option(
        *_BENCHMARK,
        help="Name of a benchmark with records, such as patchwork-sac, published-cifar10 or yours, see 'register'; no path"
        " without a name, no saved one.",
    ),
]
ShownName = Annotated[
    str,
    typer.Option(*_BENCHMARK, help="Name of a benchmark with records, or of a saved one; no path without a name."),
]
HubName = Annotated[
    str, typer.Option(*_BENCHMARK, help="Name of a benchmark of the model hub, such as sacbench-cifar10; no path.")
]
Form = Annotated[
    bool | None,
    typer.Option(
        "--json/--latex",
        help="Print JSON, or a LaTeX table for the package booktabs, instead of a table.",
        show_default=False,
        callback=lambda chosen: {True: "json", False: "latex"}.get(chosen, "table"),
    ),
]
StoreFolder = Annotated[
    Path | None, typer.Option("--store", help="Folder of results; else QURD_STORE, else the user's cache folder.")
]
Device = Annotated[str | None, typer.Option("--device", help="cpu, cuda, cuda:1, mps; the fastest one if not given.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Processes; one per CPU core if not given, 1 on a GPU.")]
Negatives = Annotated[
    str,
    typer.Option(
        "--negatives", help="unrelated, or unrelated+hard to count independent models trained on the victim's data, too."
    ),
]
ByTask = Annotated[str | None, typer.Option("--by", help="'task' adds a row per task.")]
Rule = Annotated[
    str | None, typer.Option("--rule", help="paper or guaranteed: whose rates stand in 'value' and have intervals.")
]


def check_by(by: str | None) -> None:
    if by not in (None, "task"):
        raise QurdError(f"Expected --by task. Got '{by}'.")


def own_name(benchmark: str) -> str:
    """The name of a benchmark that was registered, by its name or by where it lies; any other text as it is."""
    from qurd_core.benchmarks import registered

    return benchmark if registered.has(benchmark) else registered.name_of(benchmark) or benchmark


def check_shown(benchmark: str) -> None:
    """Refuse what the app shows nothing of."""
    from qurd_core.benchmarks.base import kind_of
    from qurd_core.benchmarks.saved_benchmarks import saved_names
    from qurd_core.records import rate_records

    if benchmark not in saved_names() and not rate_records.is_whole(benchmark):
        raise QurdError(
            f"Expected a benchmark with shipped records ({', '.join(rate_records.SHIPPED)}) or the name of a saved one. Got"
            f" {kind_of(benchmark)}, {benchmark}. Use 'pairs' or 'run' on it."
        )


def budgets(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise QurdError(f"Expected budgets as whole numbers separated by commas. Got '{text}'.") from None


def results(folder: Path | None) -> "Store":
    from qurd_core.files import default_folder, not_a_file
    from qurd_core.store import Store

    return Store(not_a_file(folder or default_folder()))


def computing(device: str | None, workers: int | None) -> "Runtime":
    from qurd_core.runtime import Runtime, available_devices

    chosen = device or available_devices()[-1]
    usual = _cores() if chosen == "cpu" else 1
    return Runtime(chosen, workers=usual if workers is None else workers, track=progress)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
