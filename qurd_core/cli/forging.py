"""The command that makes unrelated models and thieves of a victim of one's own."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from qurd_core.cli.options import Device, StoreFolder, Workers, computing, results
from qurd_core.cli.output import show


def forge(
    folder: Annotated[str, typer.Argument(help="A folder of models with your model and its pictures.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the forged models: a new one, or one to be continued.")],
    victim: Annotated[
        str | None, typer.Option("--victim", help="The model that is yours; may be left out where there is one only.")
    ] = None,
    unrelated: Annotated[int, typer.Option("--unrelated", help="Unrelated models, each a lineage of its own.")] = 40,
    hard: Annotated[int, typer.Option("--hard", help="Hard unrelated models, trained on your model's pictures.")] = 4,
    thieves: Annotated[str, typer.Option("--thieves", help="quick, or all thefts that are known.")] = "quick",
    images: Annotated[
        str | None,
        typer.Option(
            "--images",
            help="Pictures that your model never saw, a folder or .safetensors file inside the folder; 'theirs' if it is"
            " there, else half of test.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be made and how long it takes.")] = False,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Make unrelated models and thieves of your model from your pictures. A killed call is continued by the same one."""
    from qurd_core.benchmarks.forge import writing
    from qurd_core.files import not_a_file
    from qurd_core.suspects import forging
    from qurd_core.suspects.power import short

    writing.check_home(not_a_file(out))
    shelf, runtime = results(store), computing(device, workers)
    with TemporaryDirectory() as aside:
        plan = forging.prepare(
            folder,
            victim,
            Path(aside) if dry_run else out,
            shelf,
            runtime,
            unrelated=unrelated,
            hard=hard,
            which=thieves,
            images=images,
        )
    for note in plan.notes:
        print(f"Note: {note}", file=sys.stderr)  # noqa: T201
    show(plan.table, "table")
    if dry_run:
        return
    found = forging.forge(plan, shelf, runtime)
    for note in found.notes:
        print(f"Note: {note}", file=sys.stderr)  # noqa: T201
    if len(found.power):
        print("Caught by the guaranteed rule, and in brackets the median of the queries until the verdict:")  # noqa: T201
        show(short(found.power), "table")
    print(found.home)  # noqa: T201
    print(f"Next: qurd check {found.home}{'' if plan.bench.suspects else ' --suspect NAME'}")  # noqa: T201
