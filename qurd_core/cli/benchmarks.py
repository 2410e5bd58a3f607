"""Commands about benchmarks: what there is, what is in it, whether yours is sound, and how to get more."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from qurd_core.cli.options import BenchmarkName, Device, Form, HubName, StoreFolder, Workers, computing, results
from qurd_core.cli.output import print_json, progress, show
from qurd_core.errors import QurdError, unknown
from qurd_core.grammar import Call

SIZES = ("victims", "tasks", "models", "stolen_pairs", "unrelated_pairs", "hard_pairs")  # of a benchmark
PAIR_KINDS = ("positive", "negative", "hard")  # as the sizes have them


def benchmarks(form: Form = None) -> None:
    """List the benchmarks, those that were saved in the app or registered as well."""
    from qurd_core import registry
    from qurd_core.benchmarks import registered
    from qurd_core.benchmarks.base import benchmark, register_benchmarks
    from qurd_core.benchmarks.saved_benchmarks import saved_names

    register_benchmarks()
    rows = []
    for name in (*registry.benchmarks, *saved_names(), *registered.names()):
        about = registry.benchmarks[name].help if name in registry.benchmarks else None
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
            | {"about": about or f"Your benchmark: {f'a part of {bench.part_of}' if bench.part_of else bench.name}."}
        )
    show(rows, form)


def register(
    name: Annotated[str, typer.Argument(help="What pages and commands call it: small letters, digits and hyphens.")],
    path: Annotated[
        str, typer.Argument(help="A folder of models, a table of answers (.csv, .parquet) or a saved benchmark (.json).")
    ],
) -> None:
    """Give your benchmark a name, by which every page of the app shows it. What it holds stays where it lies."""
    from qurd_core.benchmarks import base

    print(base.register(name, path))  # noqa: T201
    print(f"Next: qurd app, and choose {name} there")  # noqa: T201


def unregister(name: Annotated[str, typer.Argument(help="Name of a registered benchmark, see 'benchmarks'.")]) -> None:
    """Take the name of your benchmark back, and remove what was measured of it. What it holds stays where it lies."""
    from qurd_core.benchmarks import registered
    from qurd_core.benchmarks.saved_benchmarks import saved_names
    from qurd_core.records import own_records

    if name in saved_names():
        raise QurdError(f"Expected a registered benchmark. {name} is a saved one: delete it on the Benchmark page.")
    if registered.is_example(name):
        raise QurdError(f"Expected a benchmark of your own. {name} ships as an example and keeps its name.")
    if not registered.has(name):
        raise unknown("registered benchmark", name, registered.names())
    own_records.forget(name)
    registered.forget(name)


def obfuscations(form: Form = None) -> None:
    """List what stolen models can answer through, with --obfuscate of 'run', and what is revealed behind it."""
    from qurd_core import registry
    from qurd_core.benchmarks.base import register_benchmarks

    register_benchmarks()
    found = [registry.obfuscations[name] for name in registry.obfuscations]
    rows = [
        {
            "obfuscation": str(Call(one.name, options=tuple((name, p.default) for name, p in one.parameters.items()))),
            "changes": one.declares.changes,
            "access": str(one.declares.access),
            "keeps_label": one.declares.keeps_label,
            "source": one.declares.source,
            "reconstruction": one.declares.reconstruction,
            "about": one.help,
        }
        for one in found
    ]
    show(rows, form)


def models(
    benchmark: BenchmarkName,
    form: Form = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """List the models of a benchmark: their lineage, accuracy, and what they were trained on."""
    from qurd_core.benchmarks import base
    from qurd_core.evaluation.checks import records
    from qurd_core.records import evidence

    if evidence.was_published(benchmark):
        show(evidence.models(benchmark).to_dict("records"), form)
        return
    show(records(base.benchmark(benchmark), results(store), computing(device, workers)), form)


def check_benchmark(
    path: Annotated[
        str,
        typer.Argument(
            help="A folder of models, a table of answers (.csv, .parquet), a saved benchmark (.json), or a name."
        ),
    ],
    form: Form = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Say what is wrong or doubtful in your benchmark, how accurate its models are, and who stands against whom."""
    from dataclasses import asdict

    from qurd_core.evaluation.checks import check

    report = check(path, results(store), computing(device, workers))
    if form == "json":
        print_json(asdict(report))
    else:
        for line in (*report.problems, *report.notes):
            print(f"- {line}")  # noqa: T201
        for rows in ([report.facts] if report.facts else [], report.victims, report.models, report.stolen):
            if rows:
                show(rows, form)
    if report.problems:
        raise QurdError(f"{len(report.problems)} problem(s). Nothing was changed; mend them and check again.")


def manifest(
    folder: Annotated[Path, typer.Argument(help="A folder of models (.onnx, .safetensors) and pictures.")],
    victim: Annotated[str | None, typer.Option("--victim", help="The model that is yours: its file name.")] = None,
    suspect: Annotated[
        list[str] | None, typer.Option("--suspect", help="A model of unknown origin: its file name; repeat.")
    ] = None,
    rest: Annotated[
        str | None, typer.Option("--rest", help="unrelated or suspect: what models are whose names say no role.")
    ] = None,
    side: Annotated[
        int | None, typer.Option("--side", help="Pixels of a side of the pictures, if no model says it.")
    ] = None,
    architecture: Annotated[str | None, typer.Option("--architecture", help="Of .safetensors files.")] = None,
) -> None:
    """Write the manifest of a folder from its files. It asks for what they do not show."""
    from rich.prompt import Prompt

    from qurd_core.benchmarks.own.writing import Answers, write

    def stem(name: str) -> str:
        return Path(name).stem if name.endswith((".onnx", ".safetensors")) else name

    def ask(question: str, choices: Sequence[str]) -> str:
        return Prompt.ask(question, choices=[*choices])

    asking = ask if sys.stdin.isatty() else None
    told = Answers(victim and stem(victim), tuple(map(stem, suspect or ())), rest, side, architecture, asking)
    found = write(folder, told)
    show(found.models, "table")
    for note in found.notes:
        print(f"Note: {note}", file=sys.stderr)  # noqa: T201
    print(found.path)  # noqa: T201
    print(f"Next: qurd check {folder}")  # noqa: T201


def fetch(benchmark: HubName) -> None:
    """Bring a benchmark of the model hub to this machine, over a network. The same command continues a killed fetch."""
    from qurd_core.benchmarks.base import OF_HUB, component, kind_of

    if (kind := kind_of(benchmark)) != OF_HUB:
        raise QurdError(f"Expected {OF_HUB}, which is reached over a network. {benchmark}, {kind}, is here already.")
    found, values = component(benchmark)
    print(found.declares.fetch(progress, **values))  # noqa: T201


def build(
    what: Annotated[str, typer.Argument(help="patchwork or fashion: all models of the embedded benchmarks of that name.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for weights and manifest; the app's own if not given.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Folder with the four files of Fashion-MNIST; Debian's if not given.")
    ] = None,
    workers: Workers = None,
) -> None:
    """Train the embedded models from their lineages. A killed build is continued by the same command."""
    from qurd_core import registry
    from qurd_core.benchmarks.base import benchmark, register_benchmarks
    from qurd_core.benchmarks.wings import WINGS
    from qurd_core.benchmarks.zoo import models
    from qurd_core.executors import executor
    from qurd_core.files import made, note

    if what not in WINGS:
        raise unknown("wing of embedded models", what, WINGS)
    if pictures and what != "fashion":
        raise QurdError(
            f"Expected --pictures with 'build fashion' only. {what} is made from photographs that are here already."
        )
    register_benchmarks()
    named = [call for name in registry.benchmarks if name.startswith(what) for call in registry.benchmarks[name].variants()]
    every = [model for call in named for model in benchmark(str(call)).models]
    folder = made(out or WINGS[what].folder)
    world = WINGS[what].world(folder, pictures)
    models.build(every, folder, world, executor(computing("cpu", workers).workers), progress)
    note(folder.iterdir())
