"""The command line: `python -m qurd_core COMMAND --help`."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qurd_core.errors import QurdError, unknown

if TYPE_CHECKING:
    import pandas as pd

    from qurd_core.records.verify import Checked
    from qurd_core.runtime import Runtime
    from qurd_core.store import Store

app = typer.Typer(help="Model fingerprinting schemes on benchmarks of stolen and unrelated models.", no_args_is_help=True)

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
RecordedName = Annotated[
    str,
    typer.Option(
        *_BENCHMARK,
        help="Name of a benchmark with shipped records, such as patchwork-sac or published-cifar10; no path, no saved one.",
    ),
]
ShownName = Annotated[
    str,
    typer.Option(*_BENCHMARK, help="Name of a benchmark with shipped records, or of a saved one; no path."),
]
HubName = Annotated[
    str, typer.Option(*_BENCHMARK, help="Name of a benchmark of the model hub, such as sacbench-cifar10; no path.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
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


def main() -> None:
    """Run a command; bad input ends with one sentence and exit code 2."""
    try:
        app(standalone_mode=True)
    except QurdError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


@app.command()
def benchmarks(as_json: AsJson = False) -> None:
    """List the benchmarks, those that were saved in the app as well."""
    from qurd_core.benchmarks.base import benchmark, register_benchmarks
    from qurd_core.benchmarks.saved_benchmarks import saved_names
    from qurd_core.registry import benchmarks as registered

    register_benchmarks()
    rows = []
    for name in (*registered, *saved_names()):
        about = registered[name].help if name in registered else None
        try:
            bench = benchmark(name)
        # A collection of the hub whose list of models has not been fetched, or a benchmark that cannot be read.
        except QurdError as error:
            rows.append({"benchmark": name} | dict.fromkeys(SIZES) | {"about": about or str(error)})
            continue
        kinds = [pair.kind for pair in bench.pairs]
        sizes = (len(bench.victims), list(bench.tasks), len(bench.models), *map(kinds.count, PAIR_KINDS))
        rows.append(
            {"benchmark": name}
            | dict(zip(SIZES, sizes, strict=True))
            | {"about": about or f"Your benchmark: a part of {bench.part_of}."}
        )
    _show(rows, as_json)


@app.command()
def models(
    benchmark: BenchmarkName,
    as_json: AsJson = False,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """List the models of a benchmark: their lineage, accuracy, and what they were trained on."""
    from qurd_core.benchmarks.base import benchmark as find
    from qurd_core.evaluation.checks import records
    from qurd_core.records import evidence

    if evidence.was_published(benchmark):
        _show(evidence.models(benchmark).to_dict("records"), as_json)
        return
    _show(records(find(benchmark), _store(store), _runtime(device, workers)), as_json)


@app.command("check-benchmark")
def check_benchmark(
    path: Annotated[
        str,
        typer.Argument(
            help="A folder of models, a table of answers (.csv, .parquet), a saved benchmark (.json), or a name."
        ),
    ],
    as_json: AsJson = False,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Say what is wrong or doubtful in your benchmark, how accurate its models are, and who stands against whom."""
    from dataclasses import asdict

    from qurd_core.evaluation.checks import check, sentence

    report = check(path, _store(store), _runtime(device, workers))
    if as_json:
        _print_json(asdict(report))
    else:
        for line in (*report.problems, *report.notes):
            print(f"- {line}")  # noqa: T201
        for rows in ([report.facts] if report.facts else [], report.victims, report.models, report.stolen):
            if rows:
                _show(rows, as_json)
    if report.problems:
        raise sentence(report)


@app.command()
def pairs(
    benchmark: BenchmarkName,
    task: Annotated[str, typer.Option("--task", help="Only the pairs that this task sets against each other.")] = "all",
    negatives: Negatives = "unrelated+hard",
    by: Annotated[str | None, typer.Option("--by", help="'task' counts the pairs of every task instead.")] = None,
    as_json: AsJson = False,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """List the pairs of a benchmark with delta, delta_C and Proposition 1's bound on the test split."""
    from qurd_core.evaluation.pairs import listed, pair_table
    from qurd_core.records import evidence
    from qurd_core.views import contents

    _check_by(by)
    if evidence.was_published(benchmark):
        table = evidence.pairs(benchmark)
    elif by == "task":
        table = listed(benchmark)
    else:
        table = pair_table(benchmark, _store(store), _runtime(device, workers))
    table = contents.tasks(table) if by == "task" else contents.counted(table, task, negatives)
    _show(table.to_dict("records"), as_json)


@app.command()
def separability(
    benchmark: ShownName,
    of: Annotated[
        str, typer.Option("--of", help="delta_c, delta, official (the authors' formula), or a scheme.")
    ] = "delta_c",
    budget: Annotated[int, typer.Option("--budget", help="Queries of the scheme.")] = 100,
    seed: Annotated[int | None, typer.Option("--seed", help="One query seed of the scheme; else the mean over all.")] = None,
    task: Annotated[str, typer.Option("--task", help="Only the pairs that this task sets against each other.")] = "all",
    negatives: Negatives = "unrelated",
    alarms: Annotated[int, typer.Option("--alarms", help="Allowed share of false alarms in percent.")] = 5,
    by: Annotated[str, typer.Option("--by", help="A rate for: one (all pairs), tasks, victims, benchmarks.")] = "one",
    as_json: AsJson = False,
) -> None:
    """List the recorded distance of every pair, and what a threshold between stolen and unrelated models catches."""
    from qurd_core.views import separability as distances

    _check_shown(benchmark)
    asked = {"budget": budget, "seed": seed, "task": task, "negatives": negatives, "alpha": alarms / 100}
    table = distances.table(benchmark, of, by=by, **asked)
    _show(_rows(table, tuple(table.columns)), as_json)


@app.command()
def schemes(as_json: AsJson = False) -> None:
    """List the named schemes and every combination of parts, with the reason for those that do not go together."""
    from qurd_core.schemes import NAMED, Scheme, combinations

    named = [
        {
            "name": name,
            "scheme": str(Scheme.parse(name)),
            "access": str(Scheme.parse(name).access),
            "reconstruction": about.reconstruction,
            "source": about.source,
        }
        for name, about in NAMED.items()
    ]
    every = [
        {"scheme": str(s), "access": str(s.access), "compatible": s.reason is None, "reason": s.reason}
        for s in combinations()
    ]
    if as_json:
        _print_json({"named": named, "combinations": every})
        return
    _show(named, as_json)
    fitting = [row for row in every if row["compatible"]]
    print(f"{len(fitting)} of {len(every)} combinations go together; --json lists them all.")  # noqa: T201


@app.command()
def run(
    benchmark: BenchmarkName,
    scheme: Annotated[
        list[str], typer.Option("--scheme", "-s", help="A named scheme, or 'sampler | representation | detector'.")
    ],
    budget: Annotated[str, typer.Option("--budget", help="Images sent to a suspect, separated by commas.")] = "100",
    seeds: Annotated[int, typer.Option("--seeds", help="Repetitions, each with queries of its own.")] = 5,
    task: Annotated[list[str] | None, typer.Option("--task", help="Only this task; repeat for several.")] = None,
    negatives: Negatives = "unrelated",
    pool: Annotated[
        list[str] | None, typer.Option("--pool", help="Calibrate with this unrelated lineage only; repeat.")
    ] = None,
    by: ByTask = None,
    rule: Rule = None,
    honest: Annotated[
        bool,
        typer.Option(
            "--honest", help="Intervals over models, and which schemes differ from AKH, by the guaranteed rule or --rule."
        ),
    ] = False,
    as_json: AsJson = False,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """TPR@5% of schemes at query budgets."""
    from qurd_core.evaluation import pipeline
    from qurd_core.statistics.metrics import RULES

    _check_by(by)
    if rule not in (None, *RULES):
        raise unknown("rule", rule, RULES)
    asked = pipeline.request(
        benchmark, scheme, budgets=_budgets(budget), seeds=seeds, tasks=task or (), negatives=negatives, pool=pool or None
    )

    def tell(sentence: str) -> None:
        print(f"Note: {sentence}", file=sys.stderr)  # noqa: T201

    shelf, runtime = _store(store), _runtime(device, workers)
    table = pipeline.run(asked, shelf, runtime, tell=tell, by_task=by == "task")
    if honest:
        from qurd_core.evaluation.scores import worth_of

        kind = RULES[rule or "guaranteed"].kind
        found = worth_of(asked, shelf, runtime, rule=kind, by_task=by == "task")
        found = found.rename(columns={"label": "scheme", "point": "tpr"})
        cell = ["scheme", "task", "budget"]
        found = table[[*cell, "reason"]].merge(
            found, on=cell, how="left"
        )  # a cell without scores is known by its reason only
        _show(_rows(found, HONEST_COLUMNS if as_json else SHORT_HONEST_COLUMNS), as_json)
        return
    _show_rates(table, rule, as_json)


@app.command()
def sweep(
    benchmark: EmbeddedName,
    seeds: Annotated[int, typer.Option("--seeds", help="Repetitions; named schemes have 10 or 20 at least.")] = 5,
    named: Annotated[
        bool, typer.Option("--named", help="Evaluate the named schemes only, and keep the records of all others.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the records; the app's own if not given.")] = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Evaluate every combination that goes together and write the records that the app shows. Prints its time first."""
    from qurd_core.evaluation import sweep as every
    from qurd_core.files import made
    from qurd_core.records import rate_records

    folder, shelf, runtime = made(out or rate_records.FOLDER), _store(store), _runtime(device, workers)
    print(every.estimate(benchmark, seeds, shelf, runtime, only_named=named), file=sys.stderr)  # noqa: T201
    _noted(every.sweep(benchmark, seeds, shelf, runtime, folder, only_named=named))


@app.command()
def honest(
    benchmark: RecordedName,
    out: Annotated[Path | None, typer.Option("--out", help="Folder; the app's own if not given.")] = None,
) -> None:
    """Intervals over models of rates, differences to AKH and swapped samplers, and the best by halves; from raw scores."""
    from qurd_core.benchmarks.base import kind_of
    from qurd_core.files import made
    from qurd_core.records import measured_gains, measured_winners, rate_records
    from qurd_core.records import measured_worth as worth

    if benchmark not in rate_records.SHIPPED:
        raise QurdError(
            f"Expected a benchmark with shipped records: {', '.join(rate_records.SHIPPED)}. Got {kind_of(benchmark)},"
            f" {benchmark}. Use `run --honest` on it."
        )
    if out:
        made(out)
    kinds = (worth.HONEST, measured_gains.GAINS, measured_winners.WINNERS)
    _noted(kind.write(kind.measure(benchmark, track=_progress), kind.path_of(benchmark, out)) for kind in kinds)


@app.command("import-scores")
def import_scores(
    source: Annotated[
        Path, typer.Argument(help="A checkout of the authors' repository, or one Parquet table of its scores.")
    ],
    store: StoreFolder = None,
) -> None:
    """Read the paper's published scores, so that the app can show every one. A killed import is continued."""
    from qurd_core.files import default_folder, not_a_file
    from qurd_core.paper import importer

    report = importer.import_scores(source, not_a_file(store or default_folder()), _progress)
    print("\n".join(report.sentences))  # noqa: T201


paper = typer.Typer(help="The paper's tables and figures, from its published scores.", no_args_is_help=True)
app.add_typer(paper, name="paper")

PaperMode = Annotated[str, typer.Option("--mode", help="paper: as printed; honest: with a guaranteed false-alarm rate.")]
PaperBudget = Annotated[int | None, typer.Option("--budget", help="Queries; the paper's if not given.")]


def _paper(what: str, mode: str, as_json: bool, budget: int | None = None) -> None:
    from qurd_core.paper import tables

    _show(tables.rows_of(what, mode, budget), as_json)


@paper.command()
def rates(
    benchmark: ShownName,
    scheme: Annotated[list[str] | None, typer.Option("--scheme", "-s", help="Only this one; repeat for several.")] = None,
    budget: Annotated[str | None, typer.Option("--budget", help="Only these, separated by commas.")] = None,
    task: Annotated[str, typer.Option("--task", help="This task instead of all together.")] = "all",
    negatives: Negatives = "unrelated",
    by: ByTask = None,
    rule: Rule = None,
    as_json: AsJson = False,
) -> None:
    """TPR@5% of combinations on a published benchmark or a part of one, as 'run' gives it for others."""
    from qurd_core.records import evidence

    _check_by(by)
    _check_shown(benchmark)
    chosen = {"budgets": _budgets(budget) if budget else (), "task": task, "negatives": negatives}
    _show_rates(evidence.select(benchmark, scheme or (), by_task=by == "task", **chosen), rule, as_json)


@paper.command()
def table2(as_json: AsJson = False) -> None:
    """Table 2: which tasks every data set has, as printed and as counted."""
    _paper("table2", "paper", as_json)


@paper.command()
def table3(mode: PaperMode = "paper", budget: PaperBudget = None, as_json: AsJson = False) -> None:
    """Table 3: TPR@5% of the named schemes by task."""
    _paper("table3", mode, as_json, budget)


@paper.command()
def figure1(mode: PaperMode = "paper", budget: PaperBudget = None, as_json: AsJson = False) -> None:
    """Figure 1: every combination on every data set."""
    _paper("figure1", mode, as_json, budget)


@paper.command()
def figure2(mode: PaperMode = "paper", budget: PaperBudget = None, as_json: AsJson = False) -> None:
    """Figure 2: what a named scheme gains with another sampler."""
    _paper("figure2", mode, as_json, budget)


@paper.command()
def figure3(mode: PaperMode = "paper", as_json: AsJson = False) -> None:
    """Figure 3: the conditioned Hamming distance of every pair."""
    _paper("figure3", mode, as_json)


@paper.command()
def figure4(mode: PaperMode = "paper", as_json: AsJson = False) -> None:
    """Figure 4: the named schemes against the query budget."""
    _paper("figure4", mode, as_json)


@paper.command()
def claims(as_json: AsJson = False) -> None:
    """Every claim of the paper: what it printed, what its scores give, and whether they support it."""
    from qurd_core.paper import claims as graded

    found = graded.rows()
    _show(found if as_json else [{key: row[key] for key in ("id", "claim", "verdict", "why")} for row in found], as_json)


@paper.command()
def agreement(as_json: AsJson = False) -> None:
    """Does winning on one benchmark mean winning on another? Kendall's tau of every two benchmarks, per budget."""
    from qurd_core.paper import agreement as ranks

    table = ranks.read()
    _show(_rows(table, tuple(table.columns)), as_json)


@paper.command("export-summary")
def export_summary(
    out: Annotated[Path | None, typer.Option("--out", help="Folder; the app's own if not given.")] = None,
    store: StoreFolder = None,
) -> None:
    """Write what the app ships of imported scores: rates per combination, task and budget, and the facts of every pair."""
    from qurd_core.evaluation import inventory
    from qurd_core.files import default_folder, made
    from qurd_core.paper import claims as graded
    from qurd_core.paper import summary
    from qurd_core.records import rate_records
    from qurd_core.schemes import Scheme

    folder = made(out or rate_records.PUBLISHED_FOLDER)
    _noted(summary.export(store or default_folder(), folder, _progress))
    schemes = [Scheme.parse(text) for text in summary.schemes(folder)]
    _noted([inventory.write_schemes(schemes, folder / "schemes.json")])
    _noted([graded.write(folder)])


@app.command()
def fetch(benchmark: HubName) -> None:
    """Bring a benchmark of the model hub to this machine, over a network. The same command continues a killed fetch."""
    from qurd_core.benchmarks.base import OF_HUB, component, kind_of

    if (kind := kind_of(benchmark)) != OF_HUB:
        raise QurdError(f"Expected {OF_HUB}, which is reached over a network. {benchmark}, {kind}, is here already.")
    found, values = component(benchmark)
    print(found.declares.fetch(_progress, **values))  # noqa: T201


@app.command()
def build(
    what: Annotated[str, typer.Argument(help="patchwork: all models of both Patchwork benchmarks.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for weights and manifest; the app's own if not given.")
    ] = None,
    workers: Workers = None,
) -> None:
    """Train the embedded models from their lineages. A killed build is continued by the same command."""
    from qurd_core.benchmarks.base import benchmark, register_benchmarks
    from qurd_core.benchmarks.patchwork import zoo
    from qurd_core.benchmarks.patchwork.protocol import FOLDER
    from qurd_core.executors import executor
    from qurd_core.files import made, note
    from qurd_core.registry import benchmarks as registered

    if what != "patchwork":
        raise QurdError(f"Expected 'build patchwork'. Got 'build {what}'.")
    register_benchmarks()
    every = [model for name in registered if name.startswith(what) for model in benchmark(name).models]
    folder = made(out or FOLDER)
    zoo.build(every, folder, executor(_runtime("cpu", workers).workers), _progress)
    note(folder.iterdir())


store_app = typer.Typer(help="The folder of results.", no_args_is_help=True)
app.add_typer(store_app, name="store")


@store_app.command("verify")
def verify_store(as_json: AsJson = False, store: StoreFolder = None) -> None:
    """Read everything that is kept (results, runs, saved benchmarks, imports, fetched files) and name what was altered."""
    from qurd_core.files import default_folder
    from qurd_core.records.verify import kept

    _verified(kept(store or default_folder()), as_json)


@app.command("verify-assets")
def verify_assets(as_json: AsJson = False) -> None:
    """Read everything that ships with the program and name what was altered."""
    from qurd_core.records.verify import shipped

    _verified(shipped(), as_json)


def _verified(found: "Iterable[Checked]", as_json: bool) -> None:
    """Show what was altered; a sentence and exit code 2 if anything was."""
    from qurd_core.records.verify import report

    told = report(found)
    _show([{"file": str(one.path), "wrong": one.wrong, "again": one.again} for one in told.altered], as_json)
    print(told.sentence, file=sys.stderr)  # noqa: T201
    if told.altered:
        raise QurdError(f"{len(told.altered):,} altered file(s). Nothing was changed: each row says how to get a file back.")


def _noted(paths: Iterable[Path]) -> None:
    """Print where files were written; those of the app's own are taken among the digests of what ships."""
    from qurd_core.files import note

    for path in paths:
        note([path])
        print(path)  # noqa: T201


SIZES = ("victims", "tasks", "models", "stolen_pairs", "unrelated_pairs", "hard_pairs")  # of a benchmark
PAIR_KINDS = ("positive", "negative", "hard")  # as the sizes have them
RUN_COLUMNS = (
    *("scheme", "benchmark", "task", "budget", "used", "tpr", "tpr_conformal", "sd", "sd_conformal", "auc"),
    *("n_positives", "n_negatives", "n_lineages", "n_victims", "seeds", "distinct", "samples", "gradients", "converged"),
    "reason",
)
HONEST_COLUMNS = (
    *("scheme", "task", "budget", "tpr", "low", "high", "method", "lineages", "diff", "diff_low", "diff_high", "p"),
    *("verdict", "needed", "rank_low", "rank_high", "notes", "reason"),
)
SHORT_HONEST_COLUMNS = (
    *("scheme", "task", "budget", "tpr", "low", "high", "diff", "diff_low", "diff_high", "p", "verdict", "reason"),
)
SHORT_COLUMNS = (
    *("scheme", "task", "budget", "tpr", "sd", "tpr_conformal", "auc", "n_positives", "n_negatives", "n_lineages", "reason"),
)
WIDEST = 100_000  # characters of a line that no terminal folds


def _check_by(by: str | None) -> None:
    if by not in (None, "task"):
        raise QurdError(f"Expected --by task. Got '{by}'.")


def _show_rates(table: "pd.DataFrame", rule: str | None, as_json: bool) -> None:
    """Rates as `evaluate` or `evidence.select` gives them, with those of one rule as `value` if it was named."""
    from qurd_core.statistics.metrics import by_rule

    table = by_rule(table, rule) if rule else table
    columns = [column for column in (RUN_COLUMNS if as_json else SHORT_COLUMNS) if column in table]
    _show(_rows(table, (*columns, *["value", "spread"] * bool(rule))), as_json)


def _check_shown(benchmark: str) -> None:
    """Refuse what the app shows nothing of."""
    from qurd_core.benchmarks.base import kind_of
    from qurd_core.benchmarks.saved_benchmarks import saved_names
    from qurd_core.records import rate_records

    if benchmark not in (*rate_records.SHIPPED, *saved_names()):
        raise QurdError(
            f"Expected a benchmark with shipped records ({', '.join(rate_records.SHIPPED)}) or the name of a saved one. Got"
            f" {kind_of(benchmark)}, {benchmark}. Use 'pairs' or 'run' on it."
        )


def _budgets(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise QurdError(f"Expected budgets as whole numbers separated by commas. Got '{text}'.") from None


def _store(folder: Path | None) -> "Store":
    from qurd_core.files import default_folder, not_a_file
    from qurd_core.store import Store

    return Store(not_a_file(folder or default_folder()))


def _runtime(device: str | None, workers: int | None) -> "Runtime":
    from qurd_core.runtime import Runtime, available_devices

    chosen = device or available_devices()[-1]
    usual = _cores() if chosen == "cpu" else 1
    return Runtime(chosen, workers=usual if workers is None else workers, track=_progress)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _progress(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
    """A bar with the time left, on the error output, so that JSON stays clean."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        yield from bar.track(items, total=total, description=label)


def _rows(table: "pd.DataFrame", columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Plain rows: NaN becomes None, as JSON has none."""
    kept = table[list(columns)].astype(object)
    return kept.where(kept.notna(), None).to_dict("records")


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        _print_json(rows)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    # A file or another program reads lines, not a page: there a row stays one line, however long.
    Console(width=None if sys.stdout.isatty() else WIDEST).print(table)


def _cell(value: Any) -> str:
    from qurd_core.statistics.printed import fixed

    if value is None:
        return ""
    if isinstance(value, float):
        return fixed(value, 3)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=1, default=_plain, allow_nan=False))  # noqa: T201


def _plain(value: Any) -> Any:
    """NumPy numbers as Python's."""
    return value.item()
