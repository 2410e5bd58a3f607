"""Commands about sealed challenges."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from qurd_core.cli.options import Form, StoreFolder, computing, results
from qurd_core.cli.output import print_json, show

app = typer.Typer(help="A contest: models without labels, sealed labels beside them, and scores of submissions.")
SHORT = ("part", "tpr", "low", "high", "caught", "of", "others", "step", "kind", "tied", "auc")


@app.command()
def make(
    bench: Annotated[str, typer.Argument(help="A folder of models, or the name of an embedded benchmark for practice.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder for the models; the labels are put beside it.")],
    public: Annotated[
        float, typer.Option("--public", help="Share of the suspects whose scores are told before the end.")
    ] = 0.3,
    victim: Annotated[
        str | None, typer.Option("--victim", help="Whose thieves are looked for; may be left out where there is one only.")
    ] = None,
    store: StoreFolder = None,
) -> None:
    """Write a folder of models without labels, and beside it the labels, whose digest the folder holds."""
    from qurd_core.benchmarks.base import benchmark
    from qurd_core.files import not_a_file
    from qurd_core.suspects.challenge import making

    found = making.make(benchmark(bench), victim, not_a_file(out), public, results(store), computing("cpu", 1))
    stolen = found.table.groupby("part")["stolen"].agg(["sum", "size"]).loc[list(making.PARTS)]
    rows = [{"part": part, "suspects": int(one["size"]), "stolen": int(one["sum"])} for part, one in stolen.iterrows()]
    show(rows, "table")
    for note in found.notes:
        print(f"Note: {note}", file=sys.stderr)  # noqa: T201
    print(f"Hand out: {found.folder}")  # noqa: T201
    print(f"Keep: {found.labels}")  # noqa: T201


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="The folder that was handed out.")],
    submission: Annotated[Path, typer.Argument(help="CSV file with id,score: high means stolen.")],
    labels: Annotated[Path, typer.Option("--labels", help="The labels that were kept.")],
    team: Annotated[str, typer.Option("--team", help="Whose tries are counted.")],
    private: Annotated[bool, typer.Option("--reveal-private", help="Tell the private part as well, after the end.")] = False,
    form: Form = None,
) -> None:
    """Score a submission: TPR at 5 % false alarms with its interval, ties, and the number of tries of the team."""
    from dataclasses import asdict

    from qurd_core.suspects.challenge import scoring

    found = scoring.score(folder, labels, submission, team, private=private)
    if form == "json":
        print_json(asdict(found))
        return
    rows = [asdict(part) | {"part": part.name, "tied": len(part.tied)} for part in found.parts]
    show([{name: row[name] for name in SHORT} | {"team": team, "tries": found.tries} for row in rows], form)
    for note in found.notes:
        print(f"Note: {note}", file=sys.stderr)  # noqa: T201
