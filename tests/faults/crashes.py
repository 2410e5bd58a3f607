"""Processes that are killed, and power that is cut."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import stat
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import torch

from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.executors import ProcessPool
from qurd_core.store import Key, Store
from tests.faults import runs
from tests.faults.fault import Fault
from tests.faults.runs import LONG, Child, whole

RESUMED = 10.0  # seconds from the start of a process that continues until it has ended another unit
TAKEN_OVER = 15.0  # seconds from the death of one process until another has ended a unit that both wanted


def killed(folder: Path, rng: random.Random, seeds: int = LONG) -> dict[str, float]:
    """Kill a run at any moment, then run it again."""
    known = whole(seeds)
    first = Child(lambda say: runs.compute(folder, seeds, say))
    at = rng.randrange(len(known.units))
    first.hear(lambda: len(first.told("begun")) > at)
    first.hear(seconds=rng.uniform(0, known.seconds / len(known.units)))
    first.kill()
    runs.content(folder)
    again = Child(lambda say: runs.compute(folder, seeds, say))
    again.hear(lambda: bool(again.told("ended")))
    waited = time.monotonic() - again.began
    again.well()
    lost = set(first.told("begun")) - set(first.told("ended"))
    assert len(lost) <= 1, f"{len(lost)} units were in hand"
    assert not set(first.told("ended")) & set(again.told("begun")), "a unit that had ended was computed again"
    assert runs.content(folder) == known.content, "other results than without the fault"
    assert not runs.drafts(folder)
    assert waited <= RESUMED
    return {"s to go on": waited}


def note(log: str, key: str, work: Callable[..., None], args: tuple[Any, ...]) -> None:
    """A unit that says in a file when it is begun."""
    with Path(log).open("a") as file:
        file.write(f"{key}\n")
    work(*args)


def worker_killed(folder: Path, rng: random.Random, kills: int = 3) -> dict[str, float]:
    """Kill one of two worker processes some times while their caller goes on."""
    store, log = folder / "store", folder / "log"
    units = runs.planned(store, LONG)
    units = [replace(unit, work=note, args=(str(log), unit.key, unit.work, unit.args)) for unit in units]
    moments = set(rng.sample(range(1, len(units) - 4), kills))
    for number, done in enumerate(ProcessPool(2).run(units)):
        assert done.error is None, done.error
        if number in moments and (alive := multiprocessing.active_children()):
            os.kill(rng.choice(alive).pid, signal.SIGKILL)
    begun = Counter(log.read_text().split("\n"))
    again = sum(times - 1 for key, times in begun.items() if key)
    assert again <= 2 * kills, f"{again} units were begun again"
    assert runs.content(store) == whole(LONG).content, "other results than without the fault"
    return {"units begun again": again}


def taken_over(folder: Path, rng: random.Random) -> dict[str, float]:
    """Kill one of two processes that compute the same on one store."""
    known = whole(LONG)
    first = Child(lambda say: runs.compute(folder, LONG, say))
    other = Child(lambda say: runs.compute(folder, LONG, say))
    at = rng.randrange(len(known.units) - 1)
    first.hear(lambda: len(first.told("begun")) > at)
    first.kill()
    died = time.monotonic()
    other.hear(seconds=0.0)
    before = len(other.told("ended"))
    other.hear(lambda: len(other.told("ended")) > before)
    waited = time.monotonic() - died
    other.well()
    assert runs.content(folder) == known.content, "other results than without the fault"
    assert not runs.drafts(folder)
    assert waited <= TAKEN_OVER
    return {"s to take over": waited}


PAIRS = [frozenset({("a", name), ("a", "c")}) for name in "bd"]  # of a benchmark that is saved, then saved anew
RESULTS = 6


def _key(number: int) -> Key:
    return Key(("answers", "scores")[number % 2], {"number": number})


def _tensors(number: int) -> dict[str, torch.Tensor]:
    return {"x": torch.arange(300) + number}


def _bench(folder: Path) -> Path:
    return folder / "benches" / "mine.json"


def _write_all(folder: Path, reported: Callable[[str], None]) -> None:
    store = Store(folder)
    for turn, pairs in enumerate(PAIRS):
        BenchFile("toy", pairs).write(_bench(folder))
        reported(f"bench {turn}")
        for number in range(turn, RESULTS, 2):
            store.get(_key(number), lambda number=number: _tensors(number))
            reported(f"result {number}")


class Journal:
    """Notes which bytes and names have reached the disk, as far as POSIX promises it, and cuts the power at some step.

    Bytes are safe once their file was flushed, a new name or folder once the folder that it lies in was.

    Args:
        path: of the notes, beside the folder that is written.
        last: the step before which the power goes.
    """

    def __init__(self, path: Path, last: int):
        self.path, self.last, self.steps = path, last, 0
        self.real = {name: getattr(os, name) for name in ("fsync", "replace", "mkdir")}

    def say(self, **what: object) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(what) + "\n")

    def reported(self, what: str) -> None:
        self.say(reported=what)

    def step(self) -> None:
        if self.steps == self.last:
            os._exit(0)
        self.steps += 1

    def fsync(self, handle: int) -> None:
        self.step()
        self.real["fsync"](handle)
        about = os.fstat(handle)
        if stat.S_ISDIR(about.st_mode):
            self.say(folder=str(Path(f"/proc/self/fd/{handle}").readlink()))
        else:
            self.say(flushed=about.st_ino, size=about.st_size)

    def replace(self, source: Path, place: Path) -> None:
        self.step()
        before = Path(place).read_text("latin-1") if Path(place).exists() else None
        self.real["replace"](source, place)
        self.say(place=str(place), source=str(source), before=before)

    def mkdir(self, folder: Path, *more: int) -> None:
        self.step()
        self.real["mkdir"](folder, *more)
        self.say(made=str(folder))


def _journalled(folder: Path, notes: Path, last: int) -> None:
    journal = Journal(notes, last)
    with patch.multiple(os, fsync=journal.fsync, replace=journal.replace, mkdir=journal.mkdir):
        _write_all(folder, journal.reported)
    journal.reported(f"steps {journal.steps}")


def _lose(folder: Path, notes: list[dict[str, Any]], rng: random.Random) -> None:
    """Take from the disk what it had not promised to hold."""
    flushed = {note["flushed"]: note["size"] for note in notes if "flushed" in note}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and flushed.get(path.stat().st_ino) != (size := path.stat().st_size):
            kept = rng.randrange(size + 1)
            path.write_bytes(path.read_bytes()[:kept] + bytes(rng.choice((0, size - kept))))
    for number, note in reversed(list(enumerate(notes))):
        place = note.get("place") or note.get("made")
        later = [other.get("folder") for other in notes[number:]]
        if place is None or str(Path(place).parent) in later or rng.random() < 0.5 or not Path(place).exists():
            continue
        if "made" in note:
            shutil.rmtree(place)
        elif note["before"] is None:
            Path(place).unlink()
        else:
            Path(place).write_text(note["before"], "latin-1")


@cache
def _steps() -> int:
    with TemporaryDirectory() as folder:
        Child(lambda say: _journalled(Path(folder) / "store", Path(folder) / "notes", -1)).well()
        return int(_read(Path(folder) / "notes")[-1]["reported"].split()[1])


def _read(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []


def power_cut(folder: Path, rng: random.Random) -> dict[str, float]:
    """Cut the power at any step of writing results and a saved benchmark, and lose what was not flushed."""
    store, notes, last = folder / "store", folder / "notes", rng.randrange(_steps())
    Child(lambda say: _journalled(store, notes, last)).well()
    noted = _read(notes)
    _lose(store, noted, rng)
    reported = {note["reported"] for note in noted if "reported" in note}
    anew = []
    shelf = Store(store)
    for number in range(RESULTS):
        found = shelf.get(_key(number), lambda number=number: anew.append(number) or _tensors(number))
        assert torch.equal(found["x"], _tensors(number)["x"]), "a torn result was taken for good"
    lost = [number for number in anew if f"result {number}" in reported]
    assert not lost, f"a result that was reported is gone: {lost}"
    saved = [pairs for turn, pairs in enumerate(PAIRS) if f"bench {turn}" in reported]
    if _bench(store).exists():
        pairs = BenchFile.read(_bench(store)).pairs
        assert pairs in PAIRS[max(0, len(saved) - 1) :], "an older benchmark than the one that was saved"
    else:
        assert not saved, "a benchmark that was saved is gone"
    return {"results made anew": len(anew)}


FAULTS = [
    Fault(
        "kill -9 of a crafted run of 60 units (IPGuard, pgd), at any moment",
        "at most 1 unit computed again, goes on within 10 s, the same bytes as without the kill",
        1,
        200,
        killed,
    ),
    Fault(
        "kill -9 of one of two worker processes, three times in 60 units",
        "the run goes on by itself, at most 1 unit per worker and kill begun again, the same bytes",
        1,
        10,
        worker_killed,
    ),
    Fault(
        "kill -9 of one of two processes that compute the same",
        "the other one has ended a further unit within 15 s, the same bytes",
        1,
        20,
        taken_over,
    ),
    Fault(
        "power cut: bytes and names that were not flushed are lost",
        "no torn file taken for good, nothing lost that was reported",
        20,
        1_000,
        power_cut,
    ),
]
