"""Many sessions of the app, and sessions that go on for long. They ask for pages over plain web sockets, as browsers do."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.clock import _pss, _tree
from tests.benchmarks.latency import READING, server, session
from tests.faults.fault import Fault

SESSIONS, WITHIN = 50, 30.0  # sessions that open within so many seconds
FIRST = 5.0  # seconds until a page is drawn, in 95 of 100 sessions
EACH = 10.0  # MB that a session may cost
WALKERS = 4  # sessions that go from page to page
LOOK = 5.0  # seconds between two looks at the server
SLOPE = 5.0  # MB an hour
HANDLES = 10  # open files and sockets that may come and go


async def _timed(address: str, page: str, after: float) -> tuple[float, str | None]:
    await asyncio.sleep(after)
    began = time.monotonic()
    wrong = await session(address, page)
    return time.monotonic() - began, wrong


async def _open(address: str, count: int, seconds: float) -> list[tuple[float, str | None]]:
    pages = (READING[number % len(READING)] for number in range(count))
    return await asyncio.gather(*(_timed(address, page, number * seconds / count) for number, page in enumerate(pages)))


def _held(pid: int) -> float:
    """MB of the processes of a server, as a sum of PSS."""
    return sum(map(_pss, _tree(pid))) / 1e6


def _handles(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def many(folder: Path, rng: random.Random) -> dict[str, float]:
    """Open 50 sessions within half a minute on a server whose pages were each opened once."""
    with server() as (address, pid):
        asyncio.run(_open(address, len(READING), 0.0))
        before = _held(pid)
        found = asyncio.run(_open(address, SESSIONS, WITHIN))
        after = _held(pid)
    wrong = [error for _, error in found if error]
    assert not wrong, f"{len(wrong)} errors: {wrong[0]}"
    seconds = statistics.quantiles([took for took, _ in found], n=20)[-1]
    return {"p95 s to draw": seconds, "MB per session": (after - before) / SESSIONS}


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
            asyncio.run(_open(address, len(READING), 0.0))
            found, looks = asyncio.run(_watched(address, pid, 60 * minutes, rng))
        wrong = [error for error in found if error]
        assert not wrong, f"{len(wrong)} errors: {wrong[0]}"
        times, held, handles = zip(*looks[len(looks) // 2 :], strict=True)
        slope = 3600 * statistics.linear_regression(times, held).slope
        assert max(handles) - min(handles) <= 2 * HANDLES, f"{min(handles)} to {max(handles)} open files"
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
            f"no error, as many open files (aim: {SLOPE:g} MB an hour over the second half)",
            1,
            1,
            soak(minutes),
        ),
    ]
