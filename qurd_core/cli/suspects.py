"""Commands about models of unknown origin."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qurd_core.cli.options import Device, StoreFolder, Workers, computing, results
from qurd_core.cli.output import print_json, show
from qurd_core.errors import QurdError

if TYPE_CHECKING:
    from qurd_core.suspects.checking import Verdicts

Bench = Annotated[
    str,
    typer.Argument(help="A folder of models, a table of answers (.csv, .parquet), a saved benchmark (.json), or a name."),
]
Victim = Annotated[
    str | None, typer.Option("--victim", help="The model that is yours; may be left out where there is one only.")
]
Schemes = Annotated[
    list[str] | None, typer.Option("--scheme", "-s", help="Scheme, AKH if not given; repeat to fuse several by their ranks.")
]
Budget = Annotated[int, typer.Option("--budget", help="Images sent to each suspect.")]
Fit = Annotated[
    int | None,
    typer.Option(
        "--fit",
        help="Easy images sent beside, on which it is seen whether the unrelated models are as good; 100 if not given, 50"
        " where a suspect is asked elsewhere.",
    ),
]
SHORT = ("suspect", "verdict", "p_adjusted", "p", "score", "used", "lineages", "smallest_p", "fit")


def check(
    bench: Bench,
    victim: Victim = None,
    suspect: Annotated[
        list[str] | None, typer.Option("--suspect", help="Model asked about; repeat. All with role suspect if not given.")
    ] = None,
    scheme: Schemes = None,
    then: Annotated[str | None, typer.Option("--then", help="Scheme on the same queries that breaks ties.")] = None,
    budget: Budget = 100,
    level: Annotated[float, typer.Option("--level", help="Share of false alarms that is allowed.")] = 0.05,
    stop: Annotated[
        str | None,
        typer.Option(
            "--stop",
            help="none, peak or bound: when a verdict may be said early, after which nothing more is sent over a network;"
            " none if not given, peak where a suspect is asked over one.",
        ),
    ] = None,
    fit: Fit = None,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="Table of what came back from suspects who were sent 'queries' by hand.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Folder, or .zip, for what a third party can verify.")
    ] = None,
    seal_only: Annotated[
        bool, typer.Option("--seal-only", help="Fix the question in --evidence and print its number; ask no suspect.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send what costs without a question.")] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="Host that may be asked though it is not public, or over plain http; repeat."),
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Put the pictures of the queries into --evidence; they are burnt then.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Ask whether suspects are closer to your model than unrelated models are, and say what that means."""
    from qurd_core.benchmarks.base import benchmark
    from qurd_core.suspects.checking import answered, with_evidence
    from qurd_core.suspects.elsewhere.outside import outside_of
    from qurd_core.suspects.question import question

    how: dict[str, Any] = {"budget": budget, "level": level, "stop": stop, "fit": fit, "then": then}
    of, outside = outside_of(benchmark(bench), _agree(yes), allow_host or (), answers)
    asked = question(of, victim, suspect or (), scheme or (_reference(),), **how, elsewhere=outside.names(of))
    shelf, runtime = results(store), computing(device, workers)
    if seal_only and not evidence:
        raise QurdError("Expected --evidence with --seal-only: the folder or .zip that the seal begins.")
    if reveal and (seal_only or not evidence):
        raise QurdError("Expected --evidence with --reveal, and no --seal-only: queries are revealed with the answers.")
    if evidence:
        wanted = {"outside": outside, "seal_only": seal_only, "revealed": reveal, "tell": _aside}
        found = with_evidence(of, asked, shelf, runtime, evidence, **wanted)
    else:
        found = answered(of, asked, shelf, runtime, outside)
    if found is None:
        return
    for note in found.notes:
        _aside(f"Note: {note}")
    if as_json:
        print_json(_rows(found))
        return
    for sentences in found.sentences.values():
        print(f"- {' '.join(sentences)}\n")  # noqa: T201
    show([{name: _short(row[name]) for name in SHORT} for row in _rows(found)], "table")


def queries(
    bench: Bench,
    out: Annotated[Path, typer.Option("--out", help="New folder for the pictures, and for the list of them.")],
    victim: Victim = None,
    scheme: Schemes = None,
    budget: Budget = 100,
    fit: Fit = None,
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Write the pictures that a suspect is sent, to be sent by hand. 'check --answers' takes what comes back."""
    from qurd_core.benchmarks.base import benchmark
    from qurd_core.suspects.elsewhere.outside import write_queries

    written = write_queries(
        benchmark(bench), victim, scheme or (_reference(),), budget, fit, results(store), computing(device, workers), out
    )
    print(written)  # noqa: T201


def triage(
    bench: Bench,
    out: Annotated[Path, typer.Option("--out", help="CSV file for the ranking, the closest first.")],
    victim: Victim = None,
    scheme: Schemes = None,
    then: Annotated[str | None, typer.Option("--then", help="Scheme on the same queries that breaks ties.")] = None,
    budget: Budget = 100,
    fit: Fit = None,
    submission: Annotated[Path | None, typer.Option("--submission", help="CSV file with id,score for a contest.")] = None,
    direction: Annotated[str, typer.Option("--direction", help="high or low: which score of it means stolen.")] = "high",
    ids: Annotated[str, typer.Option("--ids", help="name, or number for the digits at the end of a name.")] = "name",
    store: StoreFolder = None,
    device: Device = None,
    workers: Workers = None,
) -> None:
    """Rank all suspects by how close they are to your model, with the false alarms to expect. It gives leads only."""
    from qurd_core.benchmarks.base import benchmark
    from qurd_core.suspects import triage as ranking
    from qurd_core.suspects.question import question

    how: dict[str, Any] = {"budget": budget, "level": ranking.LEVEL, "stop": "none", "fit": fit, "then": then}
    of = benchmark(bench)
    asked = question(of, victim, (), scheme or (_reference(),), **how)
    table = ranking.ranked(of, asked, results(store), computing(device, workers))
    written = [ranking.write(table, out)]
    if submission:
        written.append(ranking.write_submission(table, submission, direction, ids))
    for sentence in ranking.sentences(asked, table):
        print(sentence)  # noqa: T201
    for path in written:
        print(path)  # noqa: T201


def verify(
    path: Annotated[Path, typer.Argument(help="A folder or .zip of evidence.")],
    number: Annotated[str | None, typer.Option("--seal", help="The seal number that was handed over before.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="NAME=SOURCE: ask a model again, of a folder or benchmark that has it; repeat."),
    ] = None,
    store: StoreFolder = None,
    device: Device = None,
) -> None:
    """Compute hashes and verdicts of evidence again, without any model. Exit code 1 where something does not match."""
    from qurd_core.suspects import verifying

    found = verifying.verify(path)
    faults = [*found.faults]
    for asked in () if faults else model or ():
        told, holds = _again(path, asked, store, device)
        if holds:
            print(f"- {told}")  # noqa: T201
        else:
            faults.append(told)
    if number and number != found.number:
        faults.append(f"The seal number is {found.number}, not {number}: it is another seal.")
    for fault in faults:
        print(f"- {fault}")  # noqa: T201
    for sentences in () if faults else found.sentences.values():
        print(f"- {' '.join(sentences)}\n")  # noqa: T201
    print(f"Seal number {found.number}: {'something does not match' if faults else 'all matches'}.")  # noqa: T201
    if faults:
        raise typer.Exit(1)


def _agree(yes: bool) -> Callable[[str], bool]:
    """Whether what a bill says may be sent: as the command says, else as the answer to a question."""

    def asked(bill: str) -> bool:
        told = f"{bill[:1].upper()}{bill[1:]}"
        if yes:
            _aside(told)
            return True
        if not sys.stdin.isatty():
            raise QurdError(f"Expected agreement to {bill} Add --yes to send them.")
        return typer.confirm(f"{told} Go on?", err=True)

    return asked


def _again(path: Path, asked: str, store: Path | None, device: str | None) -> tuple[str, bool]:
    """What a model says when it is asked again, as a sentence, and whether that is what the evidence says.

    Args:
        asked: `NAME=SOURCE`; names of models may have an equals sign, too.
    """
    from qurd_core.benchmarks.base import benchmark
    from qurd_core.statistics.printed import percent
    from qurd_core.suspects import verifying

    known = verifying.names_in(path)
    cut = next((place for place, sign in enumerate(asked) if sign == "=" and asked[:place] in known), None)
    if cut is None:
        raise QurdError(
            f"Expected NAME=SOURCE with --model, NAME out of the evidence: {', '.join(known[:5])}. Got '{asked[:80]}'."
        )
    name, source = asked[:cut], benchmark(asked[cut + 1 :])
    again = verifying.ask_again(path, name, source, results(store), computing(device, None))
    digest = "its digest is the sealed one" if again.same else "its digest is another one than the sealed one"
    told = f"{name}, asked again, gives {again.equal} of {again.of} answers as in the evidence; {digest}."
    return (told, True) if again.holds else (f"{told} At least {percent(verifying.ENOUGH)} are expected.", False)


def _aside(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


def _reference() -> str:
    from qurd_core.schemes import REFERENCE

    return REFERENCE


def _rows(found: "Verdicts") -> list[dict[str, Any]]:
    """Verdicts as JSON values: what is no number is None."""
    from dataclasses import asdict

    rows = []
    for one in found.each:
        row = asdict(one) | {
            "verdict": one.said,
            "sentences": found.sentences[one.suspect],
            "fit": one.fit and one.fit._asdict(),
            "hard": one.hard and {"closer": one.hard.number, "of": one.hard.of},
            "thieves": one.thieves and {"missed": one.thieves.number, "of": one.thieves.of},
        }
        del row["said"]
        rows.append({name: None if value != value else value for name, value in row.items()})
    return rows


def _short(value: Any) -> Any:
    return f"{value['right']} of {value['asked']}" if isinstance(value, dict) else value
