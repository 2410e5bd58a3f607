"""What is wrong in a benchmark that somebody brings, and what can be expected of it."""

from dataclasses import dataclass, field, replace
from functools import partial

from qurd_core.access import Access
from qurd_core.benchmarks.base import Benchmark, benchmark, reader
from qurd_core.evaluation import plausibility
from qurd_core.evaluation.plan import ask_natural
from qurd_core.evaluation.plausibility import Labels, measured_split
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.executors.limited import limited
from qurd_core.files import default_folder
from qurd_core.findings.language.words import counted
from qurd_core.lineage import count_independent
from qurd_core.runtime import Runtime
from qurd_core.schemes import REFERENCE
from qurd_core.statistics.printed import percent
from qurd_core.statistics.pvalues import ENOUGH
from qurd_core.statistics.sides import sides
from qurd_core.store import Store

APART = 0.05  # of accuracy, by which a victim may lie beside all unrelated models


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        problems: what keeps the benchmark from being run, a sentence each.
        notes: what limits it or is asked about, a sentence each.
        victims: a row per victim: how many models stand against it.
        facts: sizes of the whole.
        models: a row per model that somebody brings: its accuracy.
        stolen: a row per stolen model that somebody brings: how much it answers like its victim.
    """

    problems: list[str]
    notes: list[str]
    victims: list[dict[str, object]]
    facts: dict[str, object]
    models: list[dict[str, object]] = field(default_factory=list)
    stolen: list[dict[str, object]] = field(default_factory=list)


def check(text: str, store: Store | None = None, runtime: Runtime | None = None) -> Report:
    """Look at a folder of models or a table of answers, or at any other benchmark, without scoring anything.

    Models that somebody brings are asked about the items on which they are measured; a run finds these answers in the store.

    Args:
        store: where answers are kept; the user's cache folder if not given.
        runtime: how to compute.
    """
    found = reader(text)
    problems = limited(partial(found[0].problems, found[1]), found[1]) if found else []
    if problems:
        return Report(problems, [], [], {})
    bench = benchmark(text)
    shelf, how = store or Store(default_folder()), runtime or Runtime()
    known, desk = measured(bench, shelf, how), workbench(bench, shelf, how)
    victims = [_victim(bench, victim, known) for victim in bench.victims]
    report = Report([], _notes(bench, known), victims, _facts(bench, desk))
    if known is None:
        return report
    findings = plausibility.findings(bench, known)
    models = [plausibility.model_row(known, model) for model in bench.models]
    notes = [*report.notes, *plausibility.lineage_notes(bench), *findings.notes]
    return replace(
        report, problems=findings.problems, notes=notes, models=models, stolen=plausibility.stolen_rows(bench, known)
    )


def measured(bench: Benchmark, store: Store, runtime: Runtime) -> Labels | None:
    """What the models that somebody brings answer where they are measured; None for any other benchmark."""
    split = measured_split(bench)
    if split is None:
        return None
    ask_natural(bench, split, store, runtime)
    desk = workbench(bench, store, runtime)
    return Labels.of(desk, split, bench.models)


def records(bench: Benchmark, store: Store, runtime: Runtime) -> list[dict[str, object]]:
    """What is known of every model, with the measured accuracy of those that somebody brings."""
    known = measured(bench, store, runtime)
    if known is None:
        return [bench.record(model) for model in bench.models]
    accuracy = f"accuracy_{known.split}"
    return [bench.record(model) | {accuracy: known.accuracy(model)} for model in bench.models]


def _facts(bench: Benchmark, desk: Workbench) -> dict[str, object]:
    sizes = {split: len(desk.images(split)) for split in bench.splits}
    return {
        "benchmark": bench.name,
        "models": len(bench.models),
        "classes": len(bench.classes),
        "tasks": list(bench.tasks),
        "items": ", ".join(f"{n} {split}" for split, n in sizes.items()),
        "reveals": str(bench.access),
    }


def _victim(bench: Benchmark, victim: str, known: Labels | None) -> dict[str, object]:
    kinds = [pair.kind for pair in bench.pairs_of(victim)]
    low, high = _range(bench, victim, known) or (None, None)
    lineages = _lineages(bench, victim)
    return {
        "victim": victim,
        "accuracy": None if known is None else known.accuracy(victim),
        "mistakes": _mistakes(victim, known),
        "stolen": kinds.count("positive"),
        "unrelated": kinds.count("negative"),
        "lineages": lineages,
        "unrelated_low": low,
        "unrelated_high": high,
        "hard": kinds.count("hard"),
        "suspects": len(bench.suspects),
        "smallest_level": 1 / (lineages + 1),
    }


def _lineages(bench: Benchmark, victim: str) -> int:
    """Independent unrelated lineages of a victim, at the task that has the fewest."""
    pairs = bench.pairs_of(victim)
    roots = [bench.root(pair.suspect) for pair in pairs]
    if not any(pair.kind == "positive" for pair in pairs):
        return count_independent(root for root, pair in zip(roots, pairs, strict=True) if pair.kind == "negative")
    served = sides([pair.kind for pair in pairs], [pair.tasks for pair in pairs], roots, "unrelated")
    return min(side.lineages for side in served.values())


def _range(bench: Benchmark, victim: str, known: Labels | None) -> tuple[float, float] | None:
    """The lowest and the highest accuracy of the unrelated models of a victim, where they are measured."""
    unrelated = [pair.suspect for pair in bench.pairs_of(victim) if pair.kind == "negative"]
    if known is None or not unrelated:
        return None
    accuracies = [known.accuracy(model) for model in unrelated]
    return min(accuracies), max(accuracies)


def _mistakes(victim: str, known: Labels | None) -> int | None:
    """Test items that the victim gets wrong, where its answers are known."""
    return None if known is None or known.split != "test" else int((known.labels[victim] != known.truth).sum())


def _notes(bench: Benchmark, known: Labels | None) -> list[str]:
    notes = list(bench.notes)
    if bench.caveat:
        notes.append(f"{bench.caveat} Schemes that cannot count it so do not run, such as those on ranks or lists.")
    if not bench.source.asks:
        notes.append("Schemes that craft queries cannot run: there are answers here, no models.")
    if bench.access < Access.PROBITS:
        what = f"The order of {bench.ranked} classes" if bench.ranked else "Labels"
        notes.append(f"{what} only: schemes that need probits cannot run.")
    if "train" not in bench.splits:
        notes.append("No train split: schemes that start from training items cannot run.")
    for victim in bench.victims:
        least = _lineages(bench, victim)
        if least < ENOUGH:
            more = ENOUGH - least
            notes.append(
                f"{victim} faces {counted(least, 'unrelated lineage')}: no verdict below {percent(1 / (least + 1))}."
                f" {more} more {'allows' if more == 1 else 'allow'} 5 %."
            )
        notes += _apart(bench, victim, known)
        if _mistakes(victim, known) == 0:
            notes.append(f"{victim} is right on every test item: {REFERENCE} has no queries and delta_C does not exist.")
    return notes


def _apart(bench: Benchmark, victim: str, known: Labels | None) -> list[str]:
    """What is asked where a victim is far better or worse than every unrelated model."""
    found = _range(bench, victim, known)
    if found is None or known is None:
        return []
    own, (low, high) = known.accuracy(victim), found
    if low - APART <= own <= high + APART:
        return []
    side = "better" if own < low else "worse"
    return [
        f"{victim} is right on {own:.0%} of the {known.split} items, unrelated models on {low:.0%} to {high:.0%}: do they"
        f" solve another task, or {side}?"
    ]
