"""Commands that compute or read how well schemes do."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from qurd_core.cli.options import (
    BenchmarkName,
    ByTask,
    Device,
    Form,
    Negatives,
    RecordedName,
    Rule,
    ShownName,
    StoreFolder,
    SweptName,
    Workers,
    budgets,
    check_by,
    check_shown,
    computing,
    own_name,
    results,
)
from qurd_core.cli.output import noted, print_json, progress, rows, show, show_rates
from qurd_core.errors import QurdError, unknown

HONEST_COLUMNS = (
    *("scheme", "task", "budget", "tpr", "low", "high", "method", "lineages", "diff", "diff_low", "diff_high", "p"),
    *("verdict", "needed", "rank_low", "rank_high", "notes", "reason"),
)
SHORT_HONEST_COLUMNS = (
    *("scheme", "task", "budget", "tpr", "low", "high", "diff", "diff_low", "diff_high", "p", "verdict", "reason"),
)


def pairs(
    benchmark: BenchmarkName,
    task: Annotated[str, typer.Option("--task", help="Only the pairs that this task sets against each other.")] = "all",
    negatives: Negatives = "unrelated+hard",
    by: Annotated[str | None, typer.Option("--by", help="'task' counts the pairs of every task instead.")] = None,
    form: Form = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """List the pairs of a benchmark with delta, delta_C and Proposition 1's bound on the test split."""
    from qurd_core.evaluation.pairs import listed, pair_table
    from qurd_core.records import evidence
    from qurd_core.views import contents

    check_by(by)
    if evidence.was_published(benchmark):
        table = evidence.pairs(benchmark)
    elif by == "task":
        table = listed(benchmark)
    else:
        table = pair_table(benchmark, results(store), computing(device, workers))
    table = contents.tasks(table) if by == "task" else contents.counted(table, task, negatives)
    show(table.to_dict("records"), form)


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
    form: Form = None,
) -> None:
    """List the recorded distance of every pair, and what a threshold between stolen and unrelated models catches."""
    from qurd_core.views.separability import table

    check_shown(benchmark := own_name(benchmark))
    asked = {"budget": budget, "seed": seed, "task": task, "negatives": negatives, "alpha": alarms / 100}
    found = table(benchmark, of, by=by, **asked)
    show(rows(found, tuple(found.columns)), form)


def schemes(form: Form = None) -> None:
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
    if form == "json":
        print_json({"named": named, "combinations": every})
        return
    show([row | {"reconstruction": bool(row["reconstruction"])} for row in named], form)
    for row in named:
        if row["reconstruction"]:
            print(f"{row['name']} is a reconstruction. {row['reconstruction']}")  # noqa: T201
    fitting = [row for row in every if row["compatible"]]
    print(f"{len(fitting)} of {len(every)} combinations go together; --json lists them all.")  # noqa: T201


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
    obfuscate: Annotated[
        str | None,
        typer.Option("--obfuscate", help="What stolen models answer through, such as 'jpeg(quality=60)->topk(k=1)'."),
    ] = None,
    obfuscate_pool: Annotated[
        bool, typer.Option("--obfuscate-pool", help="Unrelated models answer through it, too; else they answer as they are.")
    ] = False,
    by: ByTask = None,
    rule: Rule = None,
    honest: Annotated[
        bool,
        typer.Option(
            "--honest", help="Intervals over models, and which schemes differ from AKH, by the guaranteed rule or --rule."
        ),
    ] = False,
    form: Form = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """TPR@5% of schemes at query budgets."""
    from qurd_core.evaluation import pipeline
    from qurd_core.evaluation.recording.running import remember
    from qurd_core.evaluation.workbench import workbench
    from qurd_core.statistics.metrics import RULES

    check_by(by)
    if rule not in (None, *RULES):
        raise unknown("rule", rule, RULES)
    counted = {"tasks": task or (), "negatives": negatives, "pool": pool or None}
    hidden = {"obfuscate": obfuscate, "obfuscate_pool": obfuscate_pool}
    asked = pipeline.request(benchmark, scheme, budgets=budgets(budget), seeds=seeds, **counted, **hidden)

    def tell(sentence: str) -> None:
        print(f"Note: {sentence}", file=sys.stderr)  # noqa: T201

    shelf, runtime = results(store), computing(device, workers)
    table = pipeline.run(asked, shelf, runtime, tell=tell, by_task=by == "task")
    if store is None:
        remember(asked, workbench(asked.bench, shelf, runtime), own_name(benchmark))
    if honest:
        from qurd_core.evaluation.scores import worth_of

        kind = RULES[rule or "guaranteed"].kind
        found = worth_of(asked, shelf, runtime, rule=kind, by_task=by == "task")
        found = found.rename(columns={"label": "scheme", "point": "tpr"})
        cell = ["scheme", "task", "budget"]
        found = table[[*cell, "reason"]].merge(
            found, on=cell, how="left"
        )  # a cell without scores is known by its reason only
        show(rows(found, HONEST_COLUMNS if form == "json" else SHORT_HONEST_COLUMNS), form)
        return
    show_rates(table, rule, form)


def sweep(
    benchmark: SweptName,
    seeds: Annotated[int, typer.Option("--seeds", help="Repetitions; named schemes have 10 or 20 at least.")] = 5,
    named: Annotated[
        bool, typer.Option("--named", help="Evaluate the named schemes only, and keep the records of all others.")
    ] = False,
    scheme: Annotated[
        list[str] | None,
        typer.Option("--scheme", "-s", help="Evaluate this scheme only, and keep the records of all others; repeat."),
    ] = None,
    obfuscations: Annotated[
        bool, typer.Option("--obfuscations", help="Evaluate the named schemes behind every obfuscation instead.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the records; the app's own if not given.")] = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Evaluate every combination that goes together and write the records that the app shows. Prints its time first."""
    from qurd_core.benchmarks import registered
    from qurd_core.evaluation import obfuscation_sweep
    from qurd_core.evaluation.recording import own
    from qurd_core.evaluation.sweep import estimate, measure
    from qurd_core.files import made
    from qurd_core.records import rate_records
    from qurd_core.schemes import NAMED

    if registered.has(benchmark := own_name(benchmark)):
        noted(own.sweep(benchmark, results(store), computing(device, workers)))
        return
    folder, shelf, runtime = made(out or rate_records.FOLDER), results(store), computing(device, workers)
    if obfuscations:
        print(obfuscation_sweep.estimate(benchmark, shelf, runtime), file=sys.stderr)  # noqa: T201
        noted(obfuscation_sweep.measure(benchmark, shelf, runtime, folder))
        return
    only = (*(NAMED if named else ()), *(scheme or ()))
    print(estimate(benchmark, seeds, shelf, runtime, only=only), file=sys.stderr)  # noqa: T201
    noted(measure(benchmark, seeds, shelf, runtime, folder, only=only))


def honest(
    benchmark: RecordedName,
    out: Annotated[Path | None, typer.Option("--out", help="Folder; the app's own if not given.")] = None,
) -> None:
    """Intervals over models of rates, differences to AKH and swapped samplers, and the best by halves; from raw scores."""
    from qurd_core.benchmarks.base import kind_of
    from qurd_core.files import made
    from qurd_core.records import measured_gains, measured_winners, measured_worth, rate_records

    if not rate_records.is_whole(benchmark := own_name(benchmark)):
        raise QurdError(
            f"Expected a benchmark with shipped records: {', '.join(rate_records.SHIPPED)}. Got {kind_of(benchmark)},"
            f" {benchmark}. Use `run --honest` on it."
        )
    if out:
        made(out)
    kinds = (measured_worth.HONEST, measured_gains.GAINS, measured_winners.WINNERS)
    noted(kind.write(kind.measure(benchmark, track=progress), kind.path_of(benchmark, out)) for kind in kinds)
