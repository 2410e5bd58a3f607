"""How time and memory grow with what is asked: suspects, queries, combinations, query seeds.

One victim of a benchmark, one process on one thread, an empty store. What n combinations cost is what a sweep of n
combinations costs, with the answers that all of them share. An exponent is the slope of the line through the logarithms: 1
is in proportion, 0 is for nothing.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qurd_core.benchmarks.base import Benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.request import check_scheme
from qurd_core.evaluation.sweep import fitting
from qurd_core.evaluation.timing.clock import Peak
from qurd_core.evaluation.workbench import Workbench
from qurd_core.records.rate_records import RAW_BUDGETS
from qurd_core.runtime import Runtime, Track, silent
from qurd_core.schemes import Scheme
from qurd_core.store import Store

SUSPECTS = (10, 20, 40, 80)
QUERIES = (50, 100, 200, 400, 800)
COMBINATIONS = (1, 3, 10, 30, 100)
SEEDS = (1, 2, 5, 10, 20)
FEW = 20  # suspects where their number is not the point
BUDGET = 100


class Point(NamedTuple):
    """CPU seconds and bytes that so much took."""

    number: int
    seconds: float
    memory: int


@dataclass(frozen=True)
class Axis:
    """What is asked more of.

    Attributes:
        what: in words.
        numbers: how much of it, rising.
        goal: the largest exponent that is wanted; in proportion is 1.
        measure: does so much of it and yields the points.
    """

    what: str
    numbers: tuple[int, ...]
    goal: float
    measure: Callable[[Benchmark, Sequence[Scheme], Sequence[int]], Iterator[Point]]


def axes(bench: Benchmark, schemes: Sequence[Scheme], track: Track = silent) -> Iterator[dict[str, Any]]:
    """A row per axis: what grows, the numbers with their seconds and memory, the exponents, whether the goal is met."""
    for axis in track(AXES, len(AXES), "growth"):
        points = [*axis.measure(bench, schemes, axis.numbers)]
        numbers = [point.number for point in points]
        slope = exponent(numbers, [point.seconds for point in points])
        yield {
            "against": axis.what,
            "numbers": numbers,
            "seconds": [round(point.seconds, 3) for point in points],
            "exponent": slope,
            "goal": axis.goal,
            "met": slope <= axis.goal,
            "memory_mb": [round(point.memory / 1e6) for point in points],
            "memory_exponent": exponent(numbers, [point.memory for point in points]),
        }


def exponent(numbers: Sequence[int], values: Sequence[float]) -> float:
    """The slope of the line through the logarithms; NaN where there is no line.

    >>> exponent([10, 20, 40], [3.0, 6.0, 12.0])
    1.0
    """
    if len(numbers) < 2 or min(values) <= 0:
        return math.nan
    return round(float(np.polyfit(np.log(numbers), np.log(values), 1)[0]), 3)


def by_suspects(bench: Benchmark, schemes: Sequence[Scheme], numbers: Sequence[int]) -> Iterator[Point]:
    """Answers of more and more suspects, and distances, to queries that were made before: these are the victim's."""
    for number in within(numbers, len(bench.pairs_of(bench.victims[0]))):
        with standing(bench, number) as desk:
            (victim,) = desk.bench.victims
            for scheme in schemes:
                for _ in desk.queries(victim, scheme, 0, BUDGET):
                    pass
            wake(desk)
            watch = Watch()
            for scheme in schemes:
                desk.scores(victim, [scheme], 0, (BUDGET,))
            yield watch(number)


def by_queries(bench: Benchmark, schemes: Sequence[Scheme], numbers: Sequence[int]) -> Iterator[Point]:
    """Larger and larger query sets: crafted, answered and compared, by the schemes that can spend each budget whole."""
    with standing(bench, FEW) as desk:
        numbers = [number for number in numbers if any(spends(desk, scheme, number) for scheme in schemes)]
        kept = [scheme for scheme in schemes if all(spends(desk, scheme, number) for number in numbers)]
    for number in numbers:
        with standing(bench, FEW) as desk:
            (victim,) = desk.bench.victims
            for scheme in kept:
                desk.draw(victim, scheme, 0)  # by the victim's labels, which are asked once for all budgets
            wake(desk)
            watch = Watch()
            for scheme in kept:
                desk.scores(victim, [scheme], 0, (number,))
            yield watch(number)


def by_combinations(bench: Benchmark, schemes: Sequence[Scheme], numbers: Sequence[int]) -> Iterator[Point]:
    """More and more combinations on natural images, with the answers to all of these: what another one adds to a sweep."""
    every = [scheme for scheme in fitting() if scheme.natural and fits(bench, scheme)]
    with standing(bench, FEW) as desk:
        (victim,), watch, before = desk.bench.victims, Watch(), 0
        for split in dict.fromkeys(scheme.split for scheme in every):
            desk.fill_bank(desk.models(victim), split)
        for number in within(numbers, len(every)):
            for sampler in dict.fromkeys(str(scheme.sampler) for scheme in every[before:number]):
                together = [scheme for scheme in every[before:number] if str(scheme.sampler) == sampler]
                desk.scores(victim, together, 0, RAW_BUDGETS)
            before = number
            yield watch(number)


def by_seeds(bench: Benchmark, schemes: Sequence[Scheme], numbers: Sequence[int], *, whole: bool = True) -> Iterator[Point]:
    """More and more query seeds of the schemes on natural images.

    Args:
        whole: models are asked about the whole seed set first, as a sweep does; else about what is sent to them.
    """
    natural = [scheme for scheme in schemes if scheme.natural and scheme.group_size == 1]
    with standing(bench, FEW) as desk:
        (victim,), watch, before = desk.bench.victims, Watch(), 0
        for split in dict.fromkeys(scheme.split for scheme in natural) if whole else ():
            desk.fill_bank(desk.models(victim), split)
        for number in numbers:
            for query_seed in range(before, number):
                for scheme in natural:
                    desk.scores(victim, [scheme], query_seed, (BUDGET,))
            before = number
            yield watch(number)


PROPORTIONAL, NEARLY_FREE = 1.1, 0.1  # at most
AXES = (
    Axis("suspects", SUSPECTS, PROPORTIONAL, by_suspects),
    Axis("queries", QUERIES, PROPORTIONAL, by_queries),
    Axis("combinations", COMBINATIONS, NEARLY_FREE, by_combinations),
    Axis("query seeds, natural images, all asked first", SEEDS, NEARLY_FREE, by_seeds),
    Axis("query seeds, natural images, asked as sent", SEEDS, PROPORTIONAL, partial(by_seeds, whole=False)),
)


class Watch:
    """CPU seconds and the most memory since this was made."""

    def __init__(self) -> None:
        self._began, self._peak = time.process_time(), Peak()

    def __call__(self, number: int) -> Point:
        return Point(number, time.process_time() - self._began, self._peak())


@contextmanager
def standing(bench: Benchmark, number: int) -> Iterator[Workbench]:
    """A workbench at an empty store, for the first victim and so many of its suspects, stolen and unrelated in turn."""
    pairs = bench.pairs_of(bench.victims[0])
    kept = tuple(pairs[place * len(pairs) // number] for place in range(min(number, len(pairs))))
    with tempfile.TemporaryDirectory() as folder:
        yield Workbench(replace(bench, pairs=kept), Store(Path(folder)), Runtime())


def wake(desk: Workbench) -> None:
    """Load every model and ask it about a batch, which costs more the first time."""
    x = desk.images(desk.bench.splits[0]).pixels[: desk.runtime.batch_size].float() / 255
    for model in desk.models(desk.bench.victims[0]):
        desk.oracle(model).logits(x)


def spends(desk: Workbench, scheme: Scheme, budget: int) -> bool:
    """Whether a scheme finds seeds for a whole budget: then twice as much is twice the work."""
    seeds = len(desk.draw(desk.bench.victims[0], scheme, 0)[1].indices)
    return budget % scheme.group_size == 0 and ((scheme.goes_round and seeds > 0) or seeds * scheme.group_size >= budget)


def within(numbers: Sequence[int], most: int) -> list[int]:
    """The numbers that there are, and the largest that there is in the place of those beyond."""
    return list(dict.fromkeys(min(number, most) for number in numbers))


def fits(bench: Benchmark, scheme: Scheme) -> bool:
    """Whether a scheme can be asked of a benchmark."""
    try:
        check_scheme(bench, scheme, BUDGET)
    except QurdError:
        return False
    return True
