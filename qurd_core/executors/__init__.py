"""Run independent units of work: in this process, or in worker processes. A unit publishes its result itself.

Nothing but errors comes back from a unit, so killing a worker or the caller costs only the units in flight, and the same
units run again find what was published.
"""

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from qurd_core.errors import QurdError, refused
from qurd_core.records.runs import Cancelled, RunFile, key_of, path_of

ATTEMPTS = 3  # how often a worker may die of a unit that runs alone


@dataclass(frozen=True)
class Unit:
    """One piece of work.

    Attributes:
        key: its name; what it publishes is found under it.
        work: an importable function; called with `args`, publishes, returns nothing.
        args: what it is called with; small, since worker processes receive a copy.
        needs: keys of units that must have ended before.
    """

    key: str
    work: Callable[..., None]
    args: tuple[Any, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """How a unit ended: `error` is None, or the sentence to show."""

    key: str
    error: str | None = None


class Executor(Protocol):
    """Maps over units. Of the same units all executors leave the same bytes in the store."""

    def run(self, units: Sequence[Unit]) -> Iterator[Done]:
        """Every unit once, in an order that respects `needs`; yields as they end. Closing the iterator stops early."""


def executor(workers: int) -> Executor:
    """The executor for that many processes: 1 stays in this one."""
    return Inline() if workers == 1 else ProcessPool(workers)


class Inline:
    """One unit after another in this process, on one CPU thread."""

    def run(self, units: Sequence[Unit]) -> Iterator[Done]:
        plan = _Plan(units)
        with _one_thread():
            while ready := plan.ready():
                done = Done(ready.key, _attempt(ready.work, ready.args))
                yield from plan.ended(done)


class ProcessPool:
    """Spawned worker processes of one CPU thread each."""

    def __init__(self, workers: int):
        self.workers = workers

    def run(self, units: Sequence[Unit]) -> Iterator[Done]:
        plan = _Plan(units)
        suspects: set[str] = set()  # units that were in flight when a worker died; each runs alone until it has ended
        deaths: dict[str, int] = {}
        running: dict[Future[str | None], Unit] = {}
        pool = self._pool()
        try:
            while True:
                try:
                    while len(running) < (1 if suspects else 2 * self.workers) and (unit := plan.ready()):
                        running[pool.submit(_attempt, unit.work, unit.args)] = unit
                except BrokenProcessPool:  # a worker died while it had nothing to do, or its end was not noticed yet
                    plan.again(unit)
                    pool = self._replaced(pool, running, plan, suspects)
                    continue
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    unit = running[future]
                    try:
                        done = Done(unit.key, future.result())
                    except BrokenProcessPool:
                        if len(running) == 1:
                            deaths[unit.key] = deaths.get(unit.key, 0) + 1
                        if deaths.get(unit.key, 0) == ATTEMPTS:
                            del running[future]
                            suspects.discard(unit.key)
                            yield from plan.ended(Done(unit.key, f"its worker process died {ATTEMPTS} times"))
                        pool = self._replaced(pool, running, plan, suspects)
                        break
                    del running[future]
                    suspects.discard(unit.key)
                    yield from plan.ended(done)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _replaced(
        self, pool: ProcessPoolExecutor, running: dict[Future[str | None], Unit], plan: "_Plan", suspects: set[str]
    ) -> ProcessPoolExecutor:
        """A new pool for a broken one. Every unit in flight is marked as failed, though one at most is to blame."""
        for unit in running.values():
            suspects.add(unit.key)
            plan.again(unit)
        running.clear()
        pool.shutdown(wait=False)
        return self._pool()

    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_start_worker)


def watched(ended: Iterator[Done], total: int, folder: Path, asked: dict[str, Any], device: str) -> Iterator[Done]:
    """The same units, noted in the file that a run has in the folder of a store, named by what was asked (JSON values). One
    that is told to stop ends after the unit in hand.
    """
    path, state, failed = path_of(folder, key_of(asked)), "failed", False
    with suppress(OSError):
        path.with_suffix(".cancel").unlink(missing_ok=True)
    file = RunFile(path, asked | {"device": device}, total)
    try:
        for number, done in enumerate(ended, start=1):
            failed |= done.error is not None
            yield done
            file(number, total)
        state = "failed" if failed else "done"
    except Cancelled:
        state = "cancelled"
        raise QurdError(
            f"Stopped after {number} of {total} units. What was computed is stored; run it again to continue."
        ) from None
    finally:
        file.note(state)


def finish(ended: Iterator[Done]) -> None:
    """Run to the end, then raise one error if units failed: the first sentence and how many there were."""
    failed = [done for done in ended if done.error]
    if failed:
        more = f" ({len(failed)} units failed; the others are stored, so running it again repeats only these.)"
        raise QurdError(failed[0].error + (more if len(failed) > 1 else ""))


class _Plan:
    """Which units may start. A unit whose need failed fails with the same sentence."""

    def __init__(self, units: Sequence[Unit]):
        self.waiting = {unit.key: unit for unit in units}
        self.missing = {unit.key: {need for need in unit.needs if need in self.waiting} for unit in units}
        self.queue = [unit for unit in units if not self.missing[unit.key]]
        self.queue.reverse()

    def ready(self) -> Unit | None:
        return self.queue.pop() if self.queue else None

    def again(self, unit: Unit) -> None:
        self.queue.append(unit)

    def ended(self, done: Done) -> Iterator[Done]:
        """The unit itself, and every unit that can no longer start."""
        del self.waiting[done.key]
        yield done
        freed = []
        for unit in [unit for unit in self.waiting.values() if done.key in self.missing[unit.key]]:
            self.missing[unit.key].discard(done.key)
            if done.error:
                if unit.key in self.waiting:
                    yield from self.ended(Done(unit.key, done.error))
            elif not self.missing[unit.key]:
                freed.append(unit)
        self.queue += reversed(freed)


def _attempt(work: Callable[..., None], args: tuple[Any, ...]) -> str | None:
    try:
        work(*args)
    except QurdError as error:
        return str(error)
    except OSError as error:
        return refused(error)
    return None


def _start_worker() -> None:
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        # Workers of a killed caller would otherwise stay for ever.
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
