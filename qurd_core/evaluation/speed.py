"""How long a run will take on this machine: from the speed of every model, measured here, and the passes that it needs."""

import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from qurd_core.access import Access
from qurd_core.errors import QurdError
from qurd_core.evaluation.workbench import PART, Sent, Workbench
from qurd_core.files import read_json, write_json
from qurd_core.records import rate_records
from qurd_core.registry import crafts, seed_rules
from qurd_core.schemes import Scheme

LOOK = 0.1  # seconds that comparing the answers of one query set takes, about
BACKWARD = 3  # passes that a gradient with respect to the images costs, about
BATCH = 64  # images with which a model's speed is measured


@dataclass(frozen=True)
class Speed:
    """Seconds per image on this machine, by model.

    Attributes:
        passes: to answer, for every model.
        gradients: for one step of a craft, for every victim.
    """

    passes: dict[str, float]
    gradients: dict[str, float]

    @classmethod
    def read(cls, folder: Path, benchmark: str) -> "Speed | None":
        """What was measured last, or None; what was altered is measured again."""
        try:
            return cls(**read_json(path_of(folder, benchmark)))
        except (OSError, ValueError, TypeError):
            return None

    def measure(self, desk: Workbench) -> Iterator[str]:
        """Measure model after model of a benchmark; names each before it is measured. Answers that are known take no time,
        and a model without gradients has no step of a craft.
        """
        bench = desk.bench
        models = bench.models if bench.source.asks else ()
        victims = bench.victims if models and bench.access is Access.GRADIENTS else ()
        for found, some in ((self.passes, models), (self.gradients, victims)):
            for model in some:
                yield model
                found[model] = _seconds_per_image(desk, model, gradient=found is self.gradients)

    def write(self, folder: Path, benchmark: str) -> None:
        write_json(path_of(folder, benchmark), asdict(self))

    def asking(self, models: tuple[str, ...], images: int) -> float:
        """Seconds until these models have answered so many images each."""
        return images * sum(self.passes.get(model, 0.0) for model in models)


def seconds(desk: Workbench, scheme: Scheme, seeds: int, budgets: tuple[int, ...], speed: Speed) -> float:
    """Seconds until a scheme is measured with so many query seeds; what is stored costs nothing."""
    sets = (
        query_set(desk, victim, scheme, query_seed, budgets, speed)
        for victim in desk.bench.victims
        for query_seed in range(seeds)
    )
    return sum(sets)


def query_set(
    desk: Workbench, victim: str, scheme: Scheme, query_seed: int, budgets: tuple[int, ...], speed: Speed
) -> float:
    """Seconds for the queries of one victim and query seed, the answers to them, and the look at these."""
    if desk.has_scores(victim, scheme, query_seed, budgets):
        return 0.0
    if scheme.mixed:
        each = zip(scheme.mixed, scheme.needed(max(budgets)), strict=True)
        return sum(query_set(desk, victim, one, query_seed, (need,), speed) for (one, _), need in each)
    natural, crafted = _images(desk, victim, scheme, query_seed, max(budgets))
    waiting = tuple(model for model in desk.models(victim) if not desk.has_natural(model, scheme.split))
    looking = tuple(model for model in desk.choosing(victim, scheme) if not desk.has_natural(model, scheme.split))
    if natural and waiting and not looking:  # the images are known, and who is asked has been asked about some
        sent = desk.sent(Sent(victim, str(scheme), query_seed, max(budgets)))
        natural = min(natural, desk.lacking(waiting[-1], scheme.split, sent))
    choosing = speed.asking(looking, len(desk.images(scheme.split))) if looking and query_seed == 0 else 0.0
    steps = crafted / scheme.group_size * gradients(desk.bench.whole, scheme) * speed.gradients.get(victim, 0.0)
    slopes = BACKWARD * speed.asking(desk.models(victim), natural + crafted) if scheme.access is Access.GRADIENTS else 0.0
    asking = speed.asking(waiting, natural) + speed.asking(desk.models(victim), crafted)
    return choosing + asking + steps + slopes + LOOK


def _images(desk: Workbench, victim: str, scheme: Scheme, query_seed: int, budget: int) -> tuple[float, float]:
    """Natural images that no earlier query seed has sent, and crafted ones."""
    if not scheme.sends_seeds:
        size = scheme.seeds_per_part(PART) * scheme.group_size
        return 0.0, math.ceil(budget / size) * size
    pool = len(desk.images(scheme.split))
    if "scarce" in seed_rules[scheme.seeds.name].declares.provides and desk.has_natural(victim, scheme.split):
        pool = len(desk.draw(victim, scheme, 0)[1].indices)
    sent = min(budget, pool)
    new = sent * (1 - sent / max(pool, 1)) ** query_seed
    return new, float(budget - sent) if not scheme.natural else 0.0


def gradients(benchmark: str, scheme: Scheme) -> float:
    """Victim gradients for one group of queries.

    A craft that has been recorded tells how many it takes. One that takes all its steps is scaled by them; one that stops
    early takes no more than they are.
    """
    component = crafts[scheme.craft.name]
    steps = component.bind(scheme.craft).get("steps", 0)
    known = _recorded(benchmark).get(scheme.craft.name)
    if known is None:
        return float(steps)
    usual = component.parameters["steps"].default if "steps" in component.parameters else 0
    return float(steps) if usual and abs(known / usual - 1) < 0.01 else min(known, float(steps or known))


@lru_cache(maxsize=4)
def _recorded(benchmark: str) -> dict[str, float]:
    """Victim gradients per group of queries of every craft, from the records."""
    try:
        table = rate_records.read(benchmark)
    except QurdError:
        return {}
    table = table[table["used"] > 0].groupby("scheme", as_index=False).last()
    found: dict[str, list[float]] = {}
    for row in table.itertuples():
        scheme = Scheme.read(row.scheme)
        found.setdefault(scheme.craft.name, []).append(row.gradients / row.used * scheme.group_size)
    return {craft: sum(values) / len(values) for craft, values in found.items()}


def path_of(folder: Path, benchmark: str) -> Path:
    """Where the speed of a benchmark's models is kept; one that is known by its path has no name that a file can have."""
    name = benchmark if Path(benchmark).name == benchmark else hashlib.sha256(benchmark.encode()).hexdigest()[:20]
    return folder / "speeds" / f"{name}.json"


def _seconds_per_image(desk: Workbench, model: str, *, gradient: bool) -> float:
    """The better of two tries: the first also wakes the model."""
    oracle, x = desk.oracle(model), desk.images("test").pixels[:BATCH].float() / 255
    tries = []
    for _ in range(2):
        began = time.perf_counter()
        if gradient:
            oracle.gradient(lambda logits: logits.logsumexp(1).sum(), x)
        else:
            oracle.logits(x)
        tries.append((time.perf_counter() - began) / len(x))
    return min(tries)
