"""Measures a benchmark that somebody brings, scheme after scheme, and writes its records: a job of the worker."""

from collections.abc import Callable
from pathlib import Path

from qurd_core.evaluation.recording.own import Recording, of_the_paper
from qurd_core.evaluation.request import Request
from qurd_core.evaluation.speed import Speed
from qurd_core.evaluation.workbench import Workbench
from qurd_core.jobs.kinds.rate_job import Meter, Step, cost, desk_of

WORTH = 4.0  # seconds that the intervals of all schemes take, about


def run(folder: Path, stem: Path, progress: Callable[[int, int], None], *, benchmark: str, state: str, parts: str) -> None:
    """Leave the records of a registered benchmark, written anew after each scheme; their note says how many there are.

    Args:
        state, parts: of its files and of the schemes, when it was asked for: what has changed since is another job.
    """
    desk, ear = desk_of(str(folder), benchmark)
    found = Recording.begin(benchmark, desk, of_the_paper())
    speed = _speed(folder, desk, progress)
    with_costs = {}
    asked = found.asked(lambda one: sum(with_costs.setdefault(one.schemes[0], _costs(one, desk, speed))))
    facts = speed.asking(desk.bench.models, len(desk.images("test")))
    meter = Meter(progress, [facts, *(cost for one in asked for cost in with_costs[one.schemes[0]]), WORTH])
    ear.listener = meter.heard
    try:
        with meter.step():
            found.write_facts()
        for number, one in enumerate(asked, 1):
            for step in _steps(one):
                with meter.step():
                    step.take(one, desk, meter)
            found.write_rates(number)
        with meter.step():
            found.write_worth()
    finally:
        ear.listener = None


def _steps(one: Request) -> list[Step]:
    """A step per query seed."""
    return [Step(one.schemes[0], seed, one.budgets) for seed in range(one.seeds)]


def _costs(one: Request, desk: Workbench, speed: Speed) -> list[float]:
    """Seconds that each takes, about."""
    return [cost(step, one, desk, speed) for step in _steps(one)]


def _speed(folder: Path, desk: Workbench, progress: Callable[[int, int], None]) -> Speed:
    """How fast the models are here, as it was measured before or is now."""
    bench = desk.bench
    known = Speed.read(folder, bench.name) or Speed({}, {})
    if not {*bench.models} <= known.passes.keys() or not {*bench.victims} <= known.gradients.keys():
        for _ in known.measure(desk):
            progress(0, 0)
        known.write(folder, bench.name)
    return known
