"""What can be asked of a benchmark, checked before anything is computed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.benchmarks.obfuscated import name_of
from qurd_core.errors import QurdError, unknown
from qurd_core.lineage import Lineage, roots_in, text_of_roots
from qurd_core.registry import representations, seed_rules
from qurd_core.schemes import REFERENCE, Scheme
from qurd_core.statistics.sides import NEGATIVE_KINDS, Negatives
from qurd_core.types import Pair

MOST = 1_000_000  # queries of one set: more are a slip
SEEDS = 10_000  # query seeds that a run can be asked
SQUARE = 1_000  # where answers are compared pair by pair, which takes a matrix per model


@dataclass(frozen=True)
class Request:
    """What to evaluate.

    Attributes:
        bench: the pairs.
        schemes: distinct, in the order asked.
        budgets: rising.
        seeds: number of query seeds; the seeds are 0, 1, ...
        tasks: tasks reported and pooled.
        negatives: whether hard unrelated models count as unrelated.
        pool: root lineages of the unrelated models that calibrate, or None for all of the benchmark.
    """

    bench: Benchmark
    schemes: tuple[Scheme, ...]
    budgets: tuple[int, ...]
    seeds: int
    tasks: tuple[str, ...]
    negatives: Negatives = "unrelated"
    pool: tuple[str, ...] | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """The request as JSON values."""
        lists = {"schemes": list(map(str, self.schemes)), "budgets": list(self.budgets), "tasks": list(self.tasks)}
        choices = {"seeds": self.seeds, "negatives": self.negatives, "pool": self.pool and list(self.pool)}
        return {"benchmark": self.bench.name, **lists, **choices}

    @property
    def reported(self) -> str:
        """What the rows of a table are about: the one task that was chosen of several, else all of them together."""
        return self.tasks[0] if len(self.tasks) == 1 < len(self.bench.tasks) else "all"

    @property
    def victims(self) -> tuple[str, ...]:
        """The victims of which some stolen model serves a task that was asked for."""
        stolen = {pair.victim for pair in self.bench.pairs if pair.kind == "positive" and {*pair.tasks} & {*self.tasks}}
        return tuple(victim for victim in self.bench.victims if victim in stolen)

    def pairs(self, victim: str) -> list[Pair]:
        """The victim's pairs that count, with the tasks that were asked for."""
        kept = []
        for pair in self.bench.pairs_of(victim):
            served = tuple(task for task in pair.tasks if task in self.tasks)
            left_out = pair.kind == "negative" and self.pool is not None and self.bench.root(pair.suspect) not in self.pool
            if served and not left_out:
                kept.append(replace(pair, tasks=served))
        return kept


def request(
    bench: Benchmark | str,
    schemes: Iterable[str],
    *,
    budgets: Sequence[int],
    seeds: int = 5,
    tasks: Sequence[str] = (),
    negatives: Negatives = "unrelated",
    pool: Sequence[str] | None = None,
    obfuscate: str | None = None,
    obfuscate_pool: bool = False,
) -> Request:
    """Check everything that a run can be asked, before anything is computed.

    Raises:
        QurdError: an unknown name, parts that do not go together, a budget or number of seeds below 1.
    """
    bench = _registered(bench, obfuscate, pool=obfuscate_pool)
    parsed = tuple(dict.fromkeys(Scheme.parse(text) for text in schemes))
    if not parsed or not budgets:
        raise QurdError("Expected at least one scheme and one budget. Name a scheme with --scheme, see 'schemes'.")
    if min(budgets) < 1 or seeds < 1:
        raise QurdError(f"Expected budgets and a number of seeds of at least 1. Got {min(budgets)} and {seeds}.")
    if max(budgets) > MOST or seeds > SEEDS:
        raise QurdError(
            f"Expected budgets of at most {MOST:,} and {SEEDS:,} query seeds. Got {max(budgets):,} and {seeds:,}."
        )
    for scheme in parsed:
        check_scheme(bench, scheme, max(budgets))
    if negatives not in NEGATIVE_KINDS:
        raise unknown("choice of negatives", negatives, NEGATIVE_KINDS)
    if not bench.tasks:
        raise QurdError(
            f"There are no stolen models in {bench.name}, so there is no detection rate. Ask about suspects with 'check'."
        )
    for task in tasks:
        if task not in bench.tasks:
            raise unknown(f"task of {bench.name}", task, bench.tasks)
    roots = {bench.root(pair.suspect) for pair in bench.pairs if pair.kind == "negative"}
    chosen = None if pool is None else tuple(map(_root, pool))
    for lineage in chosen or ():
        if lineage not in roots:
            raise unknown(f"lineage of the unrelated models of {bench.name}", lineage, roots)
    kept = tuple(task for task in bench.tasks if task in tasks) or bench.tasks
    return Request(bench, parsed, tuple(sorted(set(budgets))), seeds, kept, negatives, chosen)


def check_scheme(bench: Benchmark, scheme: Scheme, budget: int) -> None:
    """Refuse a scheme that does not go with a benchmark, or a budget that it cannot spend.

    Raises:
        QurdError: what is needed and what there is.
    """
    if not 1 <= budget <= MOST:
        raise QurdError(f"Expected a budget from 1 to {MOST:,} queries. Got {budget:,}.")
    if budget < scheme.group_size:
        raise QurdError(
            f"Every cell of '{scheme.label}' is empty: a budget of {budget} buys no group of {scheme.group_size} queries."
            " Ask for a larger one."
        )
    _check_square(scheme, budget)
    for one, _ in scheme.ingredients:
        _check_answers(bench, one)
    _check_classes(bench, scheme)


def _registered(bench: Benchmark | str, obfuscate: str | None, *, pool: bool) -> Benchmark:
    """The benchmark that workers will find by its name, its models obfuscated if that is asked."""
    if pool and obfuscate is None:
        raise QurdError("Expected obfuscations for the pool of unrelated models. Name them with --obfuscate.")
    found = benchmark(bench if isinstance(bench, str) else bench.name)
    if not isinstance(bench, str) and found != bench:
        raise QurdError(f"Expected a registered benchmark, which workers find by its name. Got another '{bench.name}'.")
    return found if obfuscate is None else benchmark(name_of(found.name, obfuscate, pool=pool))


def _root(text: str) -> str:
    """The text by which a benchmark knows a root, or several, however it was spelled."""
    return text_of_roots(root for part in roots_in(text) for root in Lineage.parse(part).roots)


def _check_answers(bench: Benchmark, scheme: Scheme) -> None:
    """Refuse a scheme that asks a benchmark for what it has not."""
    if not scheme.natural and not bench.source.asks:
        raise QurdError(
            f"'{scheme.label}' crafts queries of its own ({scheme.craft}), and {bench.name} holds answers to its own items"
            f" only, not the models. Use a scheme without a craft, such as {REFERENCE}."
        )
    if scheme.split not in bench.splits:
        raise unknown(f"split of {bench.name}", scheme.split, bench.splits)
    if bench.missing and not scheme.counts_missing:
        raise QurdError(
            f"'{scheme.label}' cannot count a missing answer as disagreement, and {bench.missing:,} are missing in"
            f" {bench.name}. Use a scheme on labels or probits query by query, such as {REFERENCE}, or leave out the items"
            " that not all models answer."
        )
    if "pool labels" in seed_rules[scheme.seeds.name].declares.needs:
        _check_pools(bench, scheme)
    if scheme.access > bench.access:
        raise QurdError(
            f"'{scheme.label}' needs {scheme.access}, and {bench.name} reveals {bench.access} only. Use a scheme that"
            f" needs less, such as {REFERENCE}."
        )


def _check_pools(bench: Benchmark, scheme: Scheme) -> None:
    """Refuse a scheme that chooses by auxiliary models where there are none, or where they are judged as well."""
    judged = {name for pair in bench.pairs for name in (pair.victim, pair.suspect)}
    for victim in bench.victims:
        pool = bench.auxiliary(victim)
        if not pool:
            raise QurdError(
                f"'{scheme.label}' chooses seeds by auxiliary models, and {bench.name} has none for {victim}. Use a scheme"
                f" that needs none, such as {REFERENCE}."
            )
        if both := sorted(judged & {*pool}):
            raise QurdError(f"Expected auxiliary models that stand in no pair of {bench.name}. Got {both[0]}: leave it out.")


def _check_square(scheme: Scheme, budget: int) -> None:
    """Refuse a budget at which the matrices of a scheme would not fit in memory."""
    if budget > SQUARE and representations[scheme.representation.name].declares.square:
        raise QurdError(
            f"'{scheme.label}' compares answers pair by pair ({scheme.representation}), so it takes budgets of at most"
            f" {SQUARE:,}. Got {budget:,}: ask for less, or use a scheme that takes them one by one, such as {REFERENCE}."
        )


def _check_classes(bench: Benchmark, scheme: Scheme) -> None:
    """Refuse a parameter that counts classes and asks for more than there are."""
    name, asked = classes_counted(scheme)
    most, what = (bench.ranked, "sent by") if bench.ranked else (len(bench.classes), "of")
    if asked > most:
        raise QurdError(
            f"The '{name}' of '{scheme.representation.name}' must be at most {most}, the classes {what} {bench.name}. Got"
            f" {asked}."
        )


def classes_counted(scheme: Scheme) -> tuple[str | None, int]:
    """The parameter that says how many classes of an answer a scheme compares in order, and how many; (None, 0) for none."""
    component = representations[scheme.representation.name]
    name = component.declares.counts_classes
    return name, component.bind(scheme.representation)[name] if name else 0
