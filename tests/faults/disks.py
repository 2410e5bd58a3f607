"""Disks that are full or may not be written, and files that are cut or bent."""

import ctypes
import errno
import os
import random
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from qurd_core.errors import QurdError
from qurd_core.files import publish
from tests.benchmarks import flips
from tests.faults import runs
from tests.faults.fault import Fault, UnableError, sentence
from tests.faults.runs import Child, whole

STEPS = ("open", "write", "flush", "fsync", "rename", "fsync of the folder")
NEWNS, NEWUSER, BIND, READ_ONLY, REMOUNT = 0x20000, 0x10000000, 4096, 1, 32  # of the kernel
LARGEST = 15_000  # bytes, less than the largest result of the run has
BITS = 30  # flipped in each file
CUTS = (lambda size: 0, lambda size: 1, lambda size: 8, lambda size: size // 2, lambda size: size - 1)


@contextmanager
def refusing(step: str, at: int) -> Iterator[list[int]]:
    """A disk that is full at one step of a write, from the given time on that it is reached; gives how often it was."""
    reached = [0]
    real = {"open": Path.open, "write": Path.write_bytes, "fsync": os.fsync, "rename": os.replace}

    def full() -> bool:
        reached[0] += 1
        return reached[0] > at

    def refuse() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opened(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        if step == "open" and "r" not in mode and full():
            refuse()
        return real["open"](path, mode, *more, **options)

    def written(path: Path, data: bytes) -> int:
        if step in ("write", "flush") and full():
            real["write"](path, data[: len(data) // 2] if step == "write" else data)
            refuse()
        return real["write"](path, data)

    def synced(handle: int) -> None:
        wanted = "fsync of the folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "fsync"
        if step == wanted and full():
            refuse()
        real["fsync"](handle)

    def renamed(source: Path, place: Path) -> None:
        if step == "rename" and full():
            refuse()
        real["rename"](source, place)

    with ExitStack() as stack:
        for owner, name, put in (
            (Path, "open", opened),
            (Path, "write_bytes", written),
            (os, "fsync", synced),
            (os, "replace", renamed),
        ):
            stack.enter_context(patch.object(owner, name, put))
        yield reached


def _reached(step: str) -> int:
    """How often a whole run reaches a step."""
    if step not in _known:
        with TemporaryDirectory() as folder, refusing(step, 10**9) as reached:
            runs.compute(Path(folder))
        _known[step] = reached[0]
    return _known[step]


_known: dict[str, int] = {}


def _refused(call: Callable[[], Any]) -> str | None:
    """The sentence with which a call was refused; None where it was not, since only notes of the run were concerned."""
    try:
        call()
    except QurdError as error:
        sentence(str(error))
        return str(error)
    return None


def full(folder: Path, rng: random.Random, step: str) -> dict[str, float]:
    """Let the disk be full at one step of a crafted run from some time on, then free it and run it again."""
    known = whole()
    store = publish(folder / "store" / "benches" / "mine.json", b"old").parents[1]
    at = rng.randrange(_reached(step))
    with refusing(step, at):
        said = _refused(lambda: runs.compute(store))
        _refused(lambda: _over(store))
    assert said is None or "No space left on device" in said, said
    assert _old(store) in ((b"old", b"new") if step == "fsync of the folder" else (b"old",)), "the file before is gone"
    runs.content(store)
    assert not runs.drafts(store), "a draft was left"
    runs.compute(store)
    assert runs.content(store) == known.content, "other results than without the fault"
    return {}


def _over(store: Path) -> None:
    try:
        publish(store / "benches" / "mine.json", b"new")
    except OSError as error:
        raise QurdError(error.strerror) from None


def _old(store: Path) -> bytes:
    (path,) = (store / "benches").iterdir()
    return path.read_bytes()


def _mount(*asked: Any) -> None:
    if ctypes.CDLL(None, use_errno=True).mount(*asked) != 0:
        raise UnableError(f"mount: {os.strerror(ctypes.get_errno())}")


def apart(call: Callable[[Callable[..., None]], None]) -> Child:
    """A process that may mount what no other one sees.

    Raises:
        UnableError: the system does not let it.
    """

    def do(say: Callable[..., None]) -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(NEWUSER | NEWNS) != 0:
                raise UnableError(f"unshare: {os.strerror(ctypes.get_errno())}")
            call(say)
        except UnableError as error:
            say("unable", str(error))

    child = Child(do).well()
    if why := child.told("unable"):
        raise UnableError(why[0])
    return child


def freeze(folder: Path) -> None:
    """Let nothing be written into a folder, in a process that is `apart`."""
    _mount(bytes(folder), bytes(folder), None, BIND, None)
    _mount(None, bytes(folder), None, BIND | REMOUNT | READ_ONLY, None)


def limited(folder: Path, rng: random.Random) -> dict[str, float]:
    """Compute in a process whose files the system cuts off at some size, then without that limit."""
    known = whole()
    smallest = rng.randrange(1_000, LARGEST)

    def compute(say: Callable[..., None]) -> None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (smallest, hard))
        say("said", _refused(lambda: runs.compute(folder)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        runs.content(folder)
        assert not runs.drafts(folder), "a draft was left"
        runs.compute(folder)
        say("same", runs.content(folder) == known.content)

    child = Child(compute).well()
    (said,) = child.told("said")
    assert said and "Nothing stored is lost" in said, said
    assert child.told("same") == [True], "other results than without the fault"
    return {}


def read_only(folder: Path, rng: random.Random) -> dict[str, float]:
    """Read what is stored, and ask for more, where nothing can be written."""
    runs.compute(folder)
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    def look(say: Callable[..., None]) -> None:
        freeze(folder)
        runs.compute(folder)
        say("said", _refused(lambda: runs.compute(folder, 2)))

    (said,) = apart(look).told("said")
    assert said and "Read-only file system" in said and "--store" in said, said
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before, "it was changed"
    return {}


def cut(folder: Path, rng: random.Random) -> dict[str, float]:
    """Cut every file that is kept or ships at its beginning, in its middle and before its end, and read it."""
    return _bent(folder, lambda good: [good[: at(len(good))] for at in CUTS if at(len(good)) < len(good)])


def flipped(folder: Path, rng: random.Random) -> dict[str, float]:
    """Flip bits of every file that is kept or ships, one at a time, and read it."""

    def bend(good: bytes) -> list[bytes]:
        places = [rng.randrange(8 * len(good)) for _ in range(BITS)]
        return [good[: at // 8] + bytes([good[at // 8] ^ 1 << at % 8]) + good[at // 8 + 1 :] for at in places]

    return _bent(folder, bend)


def _bent(folder: Path, bend: Callable[[bytes], list[bytes]]) -> dict[str, float]:
    found, files_read = {}, 0
    with flips.copied_assets(folder):
        for name, (path, read) in flips.kinds(folder).items():
            good, right = path.read_bytes(), flips.told(read())
            for bad in bend(good):
                came = flips.changed(path, read, good, bad, right)
                found[came] = found.get(came, 0) + 1
                assert came not in ("silent", "crash"), f"{name}: {came}"
            files_read += 1
    return {"files": files_read, "noticed": found.get("noticed", 0), "harmless": found.get("harmless", 0)}


FAULTS = [
    *(
        Fault(
            f"disk full at {step} of a crafted run, then free again",
            "one sentence, nothing half-written, the file before still there, then the same bytes",
            1,
            25,
            lambda folder, rng, step=step: full(folder, rng, step),
        )
        for step in STEPS
    ),
    Fault(
        "a system that cuts files off at some size (RLIMIT_FSIZE), then no longer",
        "one sentence, nothing half-written, then the same bytes",
        1,
        20,
        limited,
    ),
    Fault("a read-only store", "what is stored is read, more is refused in one sentence, nothing changes", 1, 10, read_only),
    Fault("every kept or shipped file cut at 0, 1, 8, n/2 and n-1 bytes", "noticed, or read as it was", 1, 1, cut),
    Fault(f"every kept or shipped file with {BITS} flipped bits, one by one", "noticed, or read as it was", 0, 1, flipped),
]
