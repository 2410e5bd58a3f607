"""The command line: `qurd COMMAND --help`, or `python -m qurd_core COMMAND --help`. A module per group of commands."""

import sys
from io import TextIOWrapper
from typing import NoReturn

import typer

from qurd_core.cli import advice, benchmarks, challenge, forging, grid, launch, new, paper, rates, speed, store, suspects
from qurd_core.errors import QurdError, refused

app = typer.Typer(help="Model fingerprinting schemes on benchmarks of stolen and unrelated models.", no_args_is_help=True)
for command in (  # in the order in which one needs them, which is that of the help
    launch.app,
    *(benchmarks.benchmarks, benchmarks.models, benchmarks.check_benchmark, rates.pairs, rates.separability, rates.schemes),
    benchmarks.obfuscations,
    *(benchmarks.register, benchmarks.unregister),
    *(benchmarks.manifest, suspects.check, suspects.queries, suspects.verify, suspects.triage),
    *(forging.forge, advice.recommend),
    *(
        rates.run,
        rates.sweep,
        grid.grid,
        rates.honest,
        paper.import_scores,
        paper.reproduce,
        benchmarks.fetch,
        benchmarks.build,
    ),
    speed.speed,
    store.verify_assets,
    new.new,
):
    app.command()(command)
app.add_typer(challenge.app, name="challenge")
app.add_typer(paper.app, name="paper")
app.add_typer(store.app, name="store")


def main() -> None:
    """Run a command; bad input ends with one sentence and exit code 2. What a terminal cannot show is written out."""
    if isinstance(sys.stdout, TextIOWrapper):  # which a notebook's or a test's is not
        sys.stdout.reconfigure(errors="backslashreplace")  # as Python itself does with the error output
    try:
        app(standalone_mode=True)
    except QurdError as error:
        _end(str(error))
    except OSError as error:
        _end(refused(error))


def _end(sentence: str) -> NoReturn:
    print(f"Error: {sentence}", file=sys.stderr)  # noqa: T201
    sys.exit(2)
