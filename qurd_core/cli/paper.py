"""Commands about the paper: its published scores, and the tables and figures that follow from them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from qurd_core.cli.options import (
    ByTask,
    Device,
    Form,
    Negatives,
    Rule,
    ShownName,
    StoreFolder,
    Workers,
    budgets,
    check_by,
    check_shown,
    computing,
    results,
)
from qurd_core.cli.output import noted, progress, rows, show, show_rates
from qurd_core.errors import QurdError

app = typer.Typer(help="The paper's tables and figures, from its published scores.", no_args_is_help=True)

PaperMode = Annotated[str, typer.Option("--mode", help="paper: as printed; honest: with a guaranteed false-alarm rate.")]
PaperBudget = Annotated[int | None, typer.Option("--budget", help="Queries; the paper's if not given.")]


@app.command()
def rates(
    benchmark: ShownName,
    scheme: Annotated[list[str] | None, typer.Option("--scheme", "-s", help="Only this one; repeat for several.")] = None,
    budget: Annotated[str | None, typer.Option("--budget", help="Only these, separated by commas.")] = None,
    task: Annotated[str, typer.Option("--task", help="This task instead of all together.")] = "all",
    negatives: Negatives = "unrelated",
    by: ByTask = None,
    rule: Rule = None,
    form: Form = None,
) -> None:
    """TPR@5% of combinations on a published benchmark or a part of one, as 'run' gives it for others."""
    from qurd_core.records import evidence

    check_by(by)
    check_shown(benchmark)
    chosen = {"budgets": budgets(budget) if budget else (), "task": task, "negatives": negatives}
    show_rates(evidence.select(benchmark, scheme or (), by_task=by == "task", **chosen), rule, form)


@app.command()
def table1(form: Form = None) -> None:
    """Table 1: which schemes make queries how, as printed and as they run here."""
    from qurd_core.paper import tables

    show(tables.table1().to_dict("records"), form)


@app.command()
def table2(form: Form = None) -> None:
    """Table 2: which tasks every data set has, as printed and as counted."""
    _paper("table2", "paper", form)


@app.command()
def table3(mode: PaperMode = "paper", budget: PaperBudget = None, form: Form = None) -> None:
    """Table 3: TPR@5% of the named schemes by task."""
    _paper("table3", mode, form, budget)


@app.command()
def figure1(mode: PaperMode = "paper", budget: PaperBudget = None, form: Form = None) -> None:
    """Figure 1: every combination on every data set."""
    _paper("figure1", mode, form, budget)


@app.command()
def figure2(mode: PaperMode = "paper", budget: PaperBudget = None, form: Form = None) -> None:
    """Figure 2: what a named scheme gains with another sampler."""
    _paper("figure2", mode, form, budget)


@app.command()
def figure3(mode: PaperMode = "paper", form: Form = None) -> None:
    """Figure 3: the conditioned Hamming distance of every pair."""
    _paper("figure3", mode, form)


@app.command()
def figure4(mode: PaperMode = "paper", form: Form = None) -> None:
    """Figure 4: the named schemes against the query budget."""
    _paper("figure4", mode, form)


@app.command("claims")
def graded_claims(form: Form = None) -> None:
    """Every claim of the paper: what it printed, what its scores give, and whether they support it."""
    from qurd_core.paper import claims

    found = claims.rows()
    show(found if form == "json" else [{key: row[key] for key in ("id", "claim", "verdict", "why")} for row in found], form)


@app.command("agreement")
def rank_agreement(form: Form = None) -> None:
    """Does winning on one benchmark mean winning on another? Kendall's tau of every two benchmarks, per budget."""
    from qurd_core.paper import agreement

    table = agreement.read()
    show(rows(table, tuple(table.columns)), form)


@app.command("export-summary")
def export_summary(
    out: Annotated[Path | None, typer.Option("--out", help="Folder; the app's own if not given.")] = None,
    store: StoreFolder = None,
) -> None:
    """Write what the app ships of imported scores: rates per combination, task and budget, and the facts of every pair."""
    from qurd_core.evaluation.recording import inventory
    from qurd_core.files import default_folder, made
    from qurd_core.paper import claims, summary
    from qurd_core.records import rate_records
    from qurd_core.schemes import Scheme

    folder = made(out or rate_records.PUBLISHED_FOLDER)
    noted(summary.export(store or default_folder(), folder, progress))
    schemes = [Scheme.parse(text) for text in summary.schemes(folder)]
    noted([inventory.write_schemes(schemes, folder / "schemes.json")])
    noted([claims.write(folder)])


def import_scores(
    source: Annotated[
        Path, typer.Argument(help="A checkout of the authors' repository, or one Parquet table of its scores.")
    ],
    store: StoreFolder = None,
) -> None:
    """Read the paper's published scores, so that the app can show every one. A killed import is continued."""
    from qurd_core.files import default_folder, not_a_file
    from qurd_core.paper import importer

    report = importer.import_scores(source, not_a_file(store or default_folder()), progress)
    print("\n".join(report.sentences))  # noqa: T201


def reproduce(
    what: Annotated[str, typer.Argument(help="table3: the only table that is measured anew.")],
    official: Annotated[
        bool, typer.Option("--official", help="On the models and pictures of the hub, fetched over a network.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", help="The report to send back.")] = Path("table3.json"),
    form: Form = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Measure Table 3 anew: 48 cells, printed, from the published scores, and measured here. A killed call is continued."""
    from qurd_core.evaluation import reproduction

    if what != "table3" or not official:
        raise QurdError(
            f"Expected `reproduce table3 --official`. Got `reproduce {what}{' --official' * official}`. What follows from"
            " the published scores is printed by `paper table3` and its like."
        )

    def tell(sentence: str) -> None:
        print(sentence, file=sys.stderr)  # noqa: T201

    cells, problems = reproduction.reproduce(results(store), computing(device, workers), out, tell)
    show(cells, form)
    tell(f"Report: {out}")
    if problems:
        raise QurdError(f"{len(problems)} of {len(reproduction.BENCHMARKS)} benchmarks were not measured. {problems[0]}")


def _paper(what: str, mode: str, form: str, budget: int | None = None) -> None:
    from qurd_core.paper import tables

    show(tables.rows_of(what, mode, budget), form)
