"""Commands that read what is kept or shipped and name what was altered."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from qurd_core.cli.options import Form, StoreFolder
from qurd_core.cli.output import show
from qurd_core.errors import QurdError

if TYPE_CHECKING:
    from qurd_core.records.verify import Checked

app = typer.Typer(help="The folder of results.", no_args_is_help=True)


@app.command("verify")
def verify_store(form: Form = None, store: StoreFolder = None) -> None:
    """Read everything that is kept (results, runs, saved benchmarks, imports, fetched files) and name what was altered."""
    from qurd_core.files import default_folder
    from qurd_core.records.verify import kept

    _verified(kept(store or default_folder()), form)


def verify_assets(form: Form = None) -> None:
    """Read everything that ships with the program and name what was altered."""
    from qurd_core.records.verify import shipped

    _verified(shipped(), form)


def _verified(found: "Iterable[Checked]", form: str) -> None:
    """Show what was altered; a sentence and exit code 2 if anything was."""
    from qurd_core.records.verify import report

    told = report(found)
    show([{"file": str(one.path), "wrong": one.wrong, "again": one.again} for one in told.altered], form)
    print(told.sentence, file=sys.stderr)  # noqa: T201
    if told.altered:
        raise QurdError(f"{len(told.altered):,} altered file(s). Nothing was changed: each row says how to get a file back.")
