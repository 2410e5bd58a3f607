"""What is wrong in a benchmark that somebody brings, and what can be expected of it."""

from dataclasses import dataclass

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, benchmark, reader
from qurd_core.errors import QurdError
from qurd_core.evaluation.metrics import sides

ENOUGH = 19  # independent unrelated lineages below which the guaranteed rule refuses 5 %


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        problems: what keeps the benchmark from being run, a sentence each.
        notes: what limits it, a sentence each.
        victims: a row per victim: how many models stand against it.
        facts: sizes of the whole.
    """

    problems: list[str]
    notes: list[str]
    victims: list[dict[str, object]]
    facts: dict[str, object]


def check(text: str) -> Report:
    """Look at a folder of models or a table of answers, or at any other benchmark, without scoring anything."""
    found = reader(text)
    problems = found[0].problems(found[1]) if found else []
    if problems:
        return Report(problems, [], [], {})
    bench = benchmark(text)
    return Report([], _notes(bench), [_victim(bench, victim) for victim in bench.victims], _facts(bench))


def _facts(bench: Benchmark) -> dict[str, object]:
    sizes = {split: len(bench.images(split)) for split in bench.splits}
    return {
        "benchmark": bench.name,
        "models": len(bench.models),
        "classes": len(bench.classes),
        "tasks": list(bench.tasks),
        "items": ", ".join(f"{n} {split}" for split, n in sizes.items()),
        "reveals": str(bench.access),
    }


def _victim(bench: Benchmark, victim: str) -> dict[str, object]:
    kinds = [pair.kind for pair in bench.pairs_of(victim)]
    return {
        "victim": victim,
        "stolen": kinds.count("positive"),
        "unrelated": kinds.count("negative"),
        "hard": kinds.count("hard"),
        "mistakes": _mistakes(bench, victim),
    }


def _mistakes(bench: Benchmark, victim: str) -> int | None:
    """Test items that the victim gets wrong, where its answers are known."""
    known = bench.answers(victim, "test") if "test" in bench.splits else None
    return None if known is None else int((known.argmax(1) != bench.images("test").truth).sum())


def _notes(bench: Benchmark) -> list[str]:
    notes = list(bench.notes)
    if bench.caveat:
        notes.append(f"{bench.caveat} Schemes that cannot count it so do not run, such as those on ranks or lists.")
    if not bench.source.asks:
        notes.append("Schemes that craft queries cannot run: there are answers here, no models.")
    if bench.access < Access.PROBITS:
        notes.append("Labels only: schemes that need probits cannot run.")
    if "train" not in bench.splits:
        notes.append("No train split: schemes that start from training items cannot run.")
    for victim in bench.victims:
        pairs = bench.pairs_of(victim)
        roots = [bench.root(pair.suspect) for pair in pairs]
        served = sides([pair.kind for pair in pairs], [pair.tasks for pair in pairs], roots, "unrelated")
        least = min(side.lineages for side in served.values())
        if least < ENOUGH:
            notes.append(f"{victim} faces {least} unrelated lineages: below {ENOUGH} the guaranteed rule refuses 5 %.")
        if _mistakes(bench, victim) == 0:
            notes.append(f"{victim} is right on every test item: AKH has no queries and delta_C does not exist.")
    return notes


def sentence(report: Report) -> QurdError:
    """The error that ends a command on a benchmark with problems."""
    return QurdError(f"{len(report.problems)} problem(s). Nothing was changed; mend them and check again.")
