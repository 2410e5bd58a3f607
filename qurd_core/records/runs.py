"""What a run is doing, in a file of the store: whoever looks sees it, and can stop it. Nothing here imports torch.

Jobs of the app and runs of the command line leave the same `runs/<key>.json`: what was asked, the process, since when, how
far, and what became of it. A file `runs/<key>.cancel` beside it stops the run. As long as it waits or runs there is a file
`runs/active/<key>`, so that whoever looks for it need not read those of all runs that ever were.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qurd_core.files import read_json, write_json

State = Literal["queued", "running", "done", "cancelled", "failed"]
ACTIVE = ("queued", "running")
EVERY = 0.3  # seconds between two notes of the state


class Cancelled(Exception):  # noqa: N818 (no error: somebody changed their mind)
    """The run was told to stop."""


def key_of(asked: Any) -> str:
    """The name of a run: the same for the same question, as JSON values."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Status:
    """What is known of a job, or of a run of the command line.

    Attributes:
        done, total: steps, of whatever the job counts; total is 0 before it is known.
        seconds: since it started; 0 while it waits.
        error: the sentence to show if it failed.
        ahead: jobs that run before it.
        about: what was asked.
    """

    key: str
    state: State
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    error: str | None = None
    ahead: int = 0
    about: Mapping[str, Any] | None = None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def left(self) -> float | None:
        """Seconds left at the pace so far, or None."""
        return self.seconds * (self.total - self.done) / self.done if self.done and self.state == "running" else None


class RunFile:
    """Notes how far a run of this process is, and stops it if its flag is there. A disk that refuses does not stop it.

    Args:
        path: `runs/<key>.json`.
        about: what was asked.
        total: steps, 0 if that is not known.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], total: int = 0):
        self.path, self.flag = path, path.with_suffix(".cancel")
        self.found = {"about": about, "pid": os.getpid(), "started": time.time(), "done": 0, "total": total}
        self.noted = 0.0
        self.note("running")

    def __call__(self, done: int, total: int) -> None:
        if self.flag.exists():
            raise Cancelled
        known = self.found["total"]
        self.found |= {"done": done, "total": total}
        if total != known or time.monotonic() - self.noted >= EVERY:
            self.note("running")

    def note(self, state: State, error: str | None = None) -> bool:
        """Write a state; False if the disk refuses."""
        ended = {} if state == "running" else {"ended": time.time()}
        self.noted = time.monotonic()
        return publish(self.path, self.found | ended | {"state": state, "error": error})


def path_of(folder: Path, key: str) -> Path:
    """The file of a run in a store."""
    return folder / "runs" / f"{key}.json"


def read(path: Path) -> Status | None:
    """The status that a file of `runs/` tells, or None if it tells none, as one that was altered."""
    try:
        found = read_json(path)
        began, ended = found.get("started"), found.get("ended")
        seconds = (ended or time.time()) - began if began else 0.0
        about = (found.get("about") or found) | {"pid": found["pid"]}
        counts = int(found.get("done", 0)), int(found.get("total", 0))
        return Status(path.stem, found["state"], *counts, max(seconds, 0.0), found.get("error"), about=about)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def publish(path: Path, found: Mapping[str, Any]) -> bool:
    """Write what is known of a job; False if the disk refuses, which stops nobody."""
    mark = path.parent / "active" / path.stem
    try:
        if found.get("state") in ACTIVE and not mark.exists():
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        write_json(path, found)
        if found.get("state", ACTIVE[0]) not in ACTIVE:  # without a state it is something else that is known of a job
            mark.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def active(runs: Path) -> list[str]:
    """The keys of the runs in a folder that wait or run, and of some whose processes are gone: see `ended`."""
    try:
        return sorted(path.name for path in (runs / "active").iterdir())
    except OSError:
        return []


def ended(runs: Path, key: str) -> None:
    """Note that a run is over whose process could not."""
    with suppress(OSError):
        (runs / "active" / key).unlink(missing_ok=True)


def alive(runs: Path, status: Status) -> bool:
    """Whether the process that wrote a status into a folder is there."""
    try:
        pid = int(status.about["pid"])
        os.kill(pid, 0)
        return _born(pid) <= (runs / f"{status.key}.json").stat().st_mtime + 1
    except PermissionError:
        return True  # somebody else's
    except (OSError, KeyError, TypeError, ValueError, OverflowError):
        return False


def _born(pid: int) -> float:
    """When a process started, in seconds since 1970; 0 where the system does not say.

    A number is given again: after a restart an old file may name a process that has nothing to do with it.
    """
    try:
        ticks = float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
        return float(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return 0.0
