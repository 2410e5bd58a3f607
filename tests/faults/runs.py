"""The run that faults are done to: IPGuard's and pgd's queries to both victims of the toy benchmark, in some query seeds."""

import hashlib
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tests.toy  # noqa: F401 (registers the benchmark, also in processes that are spawned)
from qurd_core.evaluation import pipeline
from qurd_core.evaluation.request import Request, request
from qurd_core.evaluation.workbench import workbench
from qurd_core.executors import Unit
from qurd_core.runtime import Runtime
from qurd_core.store import Store, is_sound, results

SCHEMES = ("uniform(train)->boundary(steps=40) | labels | hamming", "ModelDiff")
SEEDS, LONG = 1, 15  # query seeds of a run of 4 units and of one of 60
FORK = multiprocessing.get_context("fork")


def asked(seeds: int = SEEDS) -> Request:
    return request("toy", SCHEMES, budgets=[10], seeds=seeds)


def planned(folder: Path, seeds: int = SEEDS) -> list[Unit]:
    """The units that a store lacks."""
    workbench.cache_clear()
    return pipeline.plan(asked(seeds), workbench(asked(seeds).bench, Store(folder), Runtime()))


def compute(folder: Path, seeds: int = SEEDS, note: Callable[[str, str], None] = lambda what, key: None) -> None:
    """The run in this process.

    Args:
        note: hears of every unit when it is begun and when it has ended.
    """
    units = [replace(unit, work=_noted, args=(note, unit.key, unit.work, unit.args)) for unit in planned(folder, seeds)]
    pipeline.carry_out(units, asked(seeds), Store(folder), Runtime())


def _noted(note: Callable[[str, str], None], key: str, work: Callable[..., None], args: tuple[Any, ...]) -> None:
    note("begun", key)
    work(*args)
    note("ended", key)


def passes(folder: Path, seeds: int = SEEDS) -> int:
    """Images that this process has asked the models of a store about, each with a gradient counted twice."""
    oracles = workbench(asked(seeds).bench, Store(folder), Runtime()).oracles
    return sum(oracle.asked + oracle.gradients for oracle in oracles.values())


def content(folder: Path) -> dict[str, str]:
    """The digests of the files of results, each of which is sound."""
    files = list(results(folder))
    assert all(map(is_sound, files)), "a result at its final name is not what was stored"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def drafts(folder: Path) -> list[str]:
    """What lies aside and was not moved there on purpose."""
    return [path.name for path in (folder / "tmp").iterdir() if path.is_file()]


@dataclass(frozen=True)
class Whole:
    """A run that nothing has disturbed."""

    content: dict[str, str]
    units: tuple[str, ...]
    passes: int
    seconds: float


@cache
def whole(seeds: int = SEEDS) -> Whole:
    """What the run leaves when nothing goes wrong."""
    with TemporaryDirectory() as folder:
        units, began = [], time.monotonic()
        compute(Path(folder), seeds, lambda what, key: units.append(key) if what == "ended" else None)
        return Whole(content(Path(folder)), tuple(units), passes(Path(folder), seeds), time.monotonic() - began)


class Child:
    """A forked process that does something and tells of it: `call(say)`."""

    def __init__(self, call: Callable[[Callable[..., None]], None]):
        self.ours, theirs = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=_do, args=(call, theirs), daemon=True)
        self.began = time.monotonic()
        self.process.start()
        theirs.close()
        self.said: list[tuple[Any, ...]] = []

    def hear(self, until: Callable[[], bool] = lambda: False, seconds: float = 300.0) -> "Child":
        """Listen until something holds, some time has passed, or the process has ended."""
        end = time.monotonic() + seconds
        try:
            while not until() and self.ours.poll(max(0.0, end - time.monotonic())):
                self.said.append(self.ours.recv())
        except EOFError:
            self.process.join()
        return self

    def kill(self) -> "Child":
        """End it as `kill -9` does, and hear what it had said."""
        self.process.kill()
        return self.hear()

    def well(self) -> "Child":
        """Hear it to its end, which must be a good one."""
        self.hear()
        assert self.process.exitcode == 0, f"a process ended with {self.process.exitcode}: {self.said[-1:]}"
        return self

    def told(self, what: str) -> list[Any]:
        return [more[0] for kind, *more in self.said if kind == what]


def _do(call: Callable[[Callable[..., None]], None], pipe: Connection) -> None:
    try:
        call(lambda *what: pipe.send(what))
    except BaseException as error:
        pipe.send(("fault", repr(error)))
        os._exit(1)
