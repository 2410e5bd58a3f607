"""Measures one scheme while somebody watches: a job of the worker.

First a few queries of one query seed, so that there is a point to look at, then the whole curve, then seed after seed; the
rows so far are published after each.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from qurd_core.benchmarks import base
from qurd_core.evaluation.recording.running import remember
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.speed import BATCH, Speed, query_set, seconds
from qurd_core.evaluation.tabulate import recorded
from qurd_core.evaluation.workbench import Sent, Workbench
from qurd_core.jobs import live
from qurd_core.records import rate_records
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED, REFERENCE, Scheme
from qurd_core.store import Store

FIRST = (50, 100)  # budgets of the first look at natural images; crafted ones start with the second
UNKNOWN = Speed({}, {})

Progress = Callable[[int, int], None]


@dataclass
class Ear:
    """Hears of every batch that goes through a model, and hands it on to whoever listens just now."""

    listener: Callable[[int, bool], None] | None = None

    def __call__(self, images: int, gradient: bool) -> None:
        if self.listener:
            self.listener(images, gradient)


class Interrupted(Exception):  # noqa: N818 (no error: there is something better to do)
    """A preparation was broken off."""


def desk_of(folder: str, benchmark: str) -> tuple[Workbench, Ear]:
    """The workbench of this process and its ear, so that jobs share the models that are loaded; other ones once the files of
    a benchmark have changed.
    """
    return _desk(folder, base.benchmark(benchmark))


@lru_cache(maxsize=2)
def _desk(folder: str, bench: base.Benchmark) -> tuple[Workbench, Ear]:
    ear = Ear()
    desk = Workbench(bench, Store(Path(folder)), Runtime(batch_size=BATCH, heard=ear))
    desk.vet()
    return desk, ear


desk_of.cache_clear = _desk.cache_clear


def run(
    folder: Path,
    stem: Path,
    progress: Progress,
    *,
    benchmark: str,
    scheme: str,
    pool: list[str] | None,
    seeds: int,
    version: str,
) -> None:
    """Leave `<stem>.parquet`: the rows of every task against both choices of negatives, in the columns of the records. With
    a pool the reference is measured too, calibrated with the same.
    """
    asked = request(benchmark, [scheme], budgets=rate_records.BUDGETS, seeds=seeds, pool=pool)
    desk, ear = desk_of(str(folder), asked.bench.whole)
    speed = Speed.read(folder, asked.bench.whole) or UNKNOWN
    steps = plan(asked, desk)
    meter = Meter(progress, [cost(step, asked, desk, speed) for step in steps])
    ear.listener = meter.heard
    try:
        for step in steps:
            with meter.step():
                step.take(asked, desk, meter)
                if step.shown:
                    live.write(recorded(step.told(asked), desk), stem.with_suffix(".parquet"))
        remember(asked, desk, benchmark)
    finally:
        ear.listener = None


def expected(folder: Path, *, benchmark: str, scheme: str, pool: list[str] | None, seeds: int, version: str) -> float | None:
    """Seconds that the same takes, or None while the speed of the models is not measured."""
    asked = request(benchmark, [scheme], budgets=rate_records.BUDGETS, seeds=seeds, pool=pool)
    desk, _ = desk_of(str(folder), asked.bench.whole)
    known = Speed.read(folder, asked.bench.whole)
    measured = dict.fromkeys(step.scheme for step in plan(asked, desk))
    return sum(seconds(desk, one, seeds, rate_records.BUDGETS, known) for one in measured) if known else None


@dataclass(frozen=True)
class Step:
    """A part of a run that leaves rows.

    Attributes:
        scheme: what is measured.
        query_seed: with the queries of this seed.
        budgets: at these.
        shown: whether the rows so far are published.
    """

    scheme: Scheme
    query_seed: int
    budgets: tuple[int, ...] = rate_records.BUDGETS
    shown: bool = True

    def take(self, asked: Request, desk: Workbench, meter: "Meter") -> None:
        needs: dict[str, dict[str, list[Sent]]] = {}
        for victim in asked.bench.victims:
            for model, split, sent in desk.sent_needs(victim, self.scheme, self.query_seed, max(self.budgets)):
                needs.setdefault(split, {}).setdefault(model, []).append(sent)
        for split, models in needs.items():
            desk.ask_sent(split, models)
        for victim in asked.bench.victims:
            desk.scores(victim, [self.scheme], self.query_seed, self.budgets)
            meter.tell()

    def told(self, asked: Request) -> Request:
        """The request that is answered after this step."""
        both = tuple(dict.fromkeys([*asked.schemes, self.scheme]))
        return replace(asked, schemes=both, seeds=self.query_seed + 1, budgets=self.budgets)


def plan(asked: Request, desk: Workbench) -> list[Step]:
    """The steps of a run, the quickest point first; with a pool the reference comes last."""
    (scheme,) = asked.schemes
    group = -(-scheme.group_size // 10) * 10
    firsts = sorted({min(max(first, group), max(asked.budgets)) for first in FIRST})
    waits = any(True for victim in asked.bench.victims for _ in desk.sent_needs(victim, scheme, 0, max(asked.budgets)))
    steps = [Step(scheme, 0, tuple(range(10, first + 1, 10))) for first in (firsts if waits else firsts[-1:])]
    steps += [Step(scheme, seed) for seed in range(asked.seeds)]
    reference = Scheme.parse(NAMED[REFERENCE].scheme)
    if asked.pool is not None and scheme != reference:
        steps += [Step(reference, seed, shown=seed + 1 == asked.seeds) for seed in range(asked.seeds)]
    return steps


def cost(step: Step, asked: Request, desk: Workbench, speed: Speed) -> float:
    """Seconds that a step takes, about."""
    return sum(query_set(desk, victim, step.scheme, step.query_seed, step.budgets, speed) for victim in asked.bench.victims)


class Meter:
    """Turns batches into progress, in thousandths of the expected seconds.

    Args:
        progress: told of it.
        costs: expected seconds of every step.
    """

    def __init__(self, progress: Progress, costs: list[float]):
        self.progress = progress
        self.costs = [max(one, 0.02) for one in costs]
        self.total = round(1000 * sum(self.costs))
        self.before = 0.0
        self.at = 0
        self.began = time.monotonic()

    @contextmanager
    def step(self) -> Iterator[None]:
        """The next step."""
        self.began = time.monotonic()
        self.tell()
        yield
        self.before += self.costs[self.at]
        self.at += 1
        self.progress(round(1000 * self.before), self.total)

    def heard(self, images: int, gradient: bool) -> None:
        self.tell()

    def tell(self) -> None:
        """By the clock, but never past the end of the step: a slow machine makes the bar wait, not run over."""
        spent = min(time.monotonic() - self.began, 0.98 * self.costs[self.at])
        self.progress(round(1000 * (self.before + spent)), self.total)


def prepared(folder: Path, benchmark: str, wanted: Callable[[], bool]) -> Iterator[None]:
    """Get ready for jobs on a benchmark in small steps: images, models and their speed, then the natural answers.

    Args:
        wanted: whether something better is to be done; a step that hears of it breaks off and is taken again later.
    """
    desk, ear = desk_of(str(folder), base.benchmark(benchmark).whole)
    desk.images("test")
    yield
    speed = Speed({}, {})
    for _ in speed.measure(desk):
        yield
    speed.write(folder, desk.bench.name)
    for model in dict.fromkeys((*desk.bench.victims, *desk.bench.models)):
        while not desk.has_natural(model, "test"):
            yield
            _ask(desk, ear, model, wanted)


def _ask(desk: Workbench, ear: Ear, model: str, wanted: Callable[[], bool]) -> None:
    """A model's natural answers, unless something better comes in between."""

    def listen(images: int, gradient: bool) -> None:
        if wanted():
            raise Interrupted

    ear.listener = listen
    try:
        desk.natural(model, "test")
    except Interrupted:
        pass
    finally:
        ear.listener = None
