"""Many sessions of the app, and sessions that go on for long. They ask for pages over plain web sockets, as browsers do."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from qurd_core.evaluation.timing.clock import memory_of
from tests.benchmarks.latency import READING, server, session
from tests.faults.fault import Fault

SESSIONS, WITHIN = 50, 30.0  # sessions that open within so many seconds
FIRST = 5.0  # seconds until a page is drawn, in 95 of 100 sessions
EACH = 10.0  # MB that a session may cost
WALKERS = 4  # sessions that go from page to page
LOOK = 5.0  # seconds between two looks at the server
SLOPE = 5.0  # MB an hour
HANDLES = 10  # open files and sockets that may come; Streamlit keeps three for each of the last 128 sessions that left


class Drawn(asyncio.Event):
    """What a session waits for once its page is drawn, which is noted."""

    seconds: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()

    async def wait(self) -> bool:
        self.seconds = time.monotonic() - self.began
        return await super().wait()


async def _open(address: str, pid: int, count: int, seconds: float) -> tuple[list[float], list[str], float]:
    """Open so many sessions within some seconds and keep them; seconds until each is drawn, errors, and MB of the server."""
    drawn, tasks = [], []
    for number in range(count):
        drawn.append(Drawn())
        tasks.append(asyncio.create_task(session(address, READING[number % len(READING)], drawn[-1])))
        await asyncio.sleep(seconds / count)
    while not all(task.done() or one.seconds is not None for task, one in zip(tasks, drawn, strict=True)):
        await asyncio.sleep(0.05)
    held = await asyncio.to_thread(_held, pid)
    for one in drawn:
        one.set()
    errors = [error for error in await asyncio.gather(*tasks) if error]
    return [one.seconds for one in drawn if one.seconds is not None], errors, held


def _held(pid: int) -> float:
    """MB of the processes of a server, as a sum of PSS."""
    return memory_of(pid) / 1e6


def _handles(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def many(folder: Path, rng: random.Random) -> dict[str, float]:
    """Open 50 sessions within half a minute on a server whose pages were each opened once."""
    with server() as (address, pid):
        asyncio.run(_open(address, pid, len(READING), 0.0))
        before = _held(pid)
        took, wrong, held = asyncio.run(_open(address, pid, SESSIONS, WITHIN))
    assert not wrong, f"{len(wrong)} errors: {wrong[0]}"
    return {"p95 s to draw": statistics.quantiles(took, n=20)[-1], "MB per session": (held - before) / SESSIONS}


async def _walk(address: str, end: float, rng: random.Random, found: list[str | None]) -> None:
    while time.monotonic() < end:
        found.append(await session(address, rng.choice(READING)))


async def _watched(address: str, pid: int, seconds: float, rng: random.Random) -> tuple[list[str | None], list[list[float]]]:
    end, found, looks = time.monotonic() + seconds, [], []
    walkers = [asyncio.create_task(_walk(address, end, random.Random(rng.random()), found)) for _ in range(WALKERS)]
    began = time.monotonic()
    while time.monotonic() < end:
        await asyncio.sleep(LOOK)
        looks.append([time.monotonic() - began, await asyncio.to_thread(_held, pid), _handles(pid)])
    await asyncio.gather(*walkers)
    return found, looks


def soak(minutes: float) -> Callable[[Path, random.Random], dict[str, float]]:
    """Sessions that open pages at random, one after the other, for some minutes."""

    def once(folder: Path, rng: random.Random) -> dict[str, float]:
        with server() as (address, pid):
            asyncio.run(_open(address, pid, len(READING), 0.0))
            found, looks = asyncio.run(_watched(address, pid, 60 * minutes, rng))
        wrong = [error for error in found if error]
        assert not wrong, f"{len(wrong)} errors: {wrong[0]}"
        half = len(looks) // 2
        times, held, handles = zip(*looks[half:], strict=True)
        before = max(number for _, _, number in looks[:half])
        assert max(handles) <= before + HANDLES, f"{before}, then {max(handles)} open files"
        slope = 3600 * statistics.linear_regression(times, held).slope
        return {"pages": len(found), "MB at the end": held[-1], "MB an hour": slope, "open files": max(handles)}

    return once


def faults(minutes: float) -> list[Fault]:
    """With so many minutes of random walks."""
    return [
        Fault(
            f"{SESSIONS} sessions within {WITHIN:g} s",
            f"no error (aims: 95 % drawn within {FIRST:g} s, {EACH:g} MB each)",
            1,
            1,
            many,
        ),
        Fault(
            f"{WALKERS} sessions on random pages for {minutes:g} min",
            f"no error, no more open files in the second half (aim: {SLOPE:g} MB an hour in it)",
            1,
            1,
            soak(minutes),
        ),
    ]
