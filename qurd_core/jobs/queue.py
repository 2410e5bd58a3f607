"""Long work for the app: one worker process at a time, jobs that sessions share, states in files that others see.

A job is named by what it computes, so two sessions that ask for the same one share it. It goes on while one of them is open;
a session has few at a time, and a server not many. Its state lies in `runs/<key>.json`
of the store, beside its results, as that of a run of the command line does (`qurd_core.records.runs`). Nothing here
imports torch: the worker does.
"""

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, ROOT, alone, file_digest, make_folder, read_json
from qurd_core.records.runs import ACTIVE, State, Status, active, alive, ended, key_of, path_of, publish, read

PATIENCE = 0.7  # seconds that a cancelled job has to stop by itself
AGAIN = 5.0  # seconds after which the worker is asked anew how long a job takes: what has been stored costs nothing
LOOK = 0.05  # seconds between two looks at the worker
OF_ONE = 4  # jobs of one session that wait or run: two sides of a page, and what the victim looked at in both
OF_ALL = 24  # jobs that wait
ALONE = 60.0  # seconds that a job goes on when no session is open that wants it: a page may be loaded again meanwhile
MODELS = "*/manifest.json"  # below the assets: what ships of every wing
WORKER = "qurd_core.jobs.worker"
UNWRITTEN = 3  # exit code of a worker that cannot note how its job has ended


@dataclass(frozen=True)
class Job:
    """What a worker is to compute: `KINDS` of `worker.py` says who does it.

    Attributes:
        kind: name of the work.
        args: JSON values that it is called with.
    """

    kind: str
    args: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The same for the same work on the same models."""
        return key_of([self.kind, dict(self.args), _models()])

    @property
    def about(self) -> dict[str, Any]:
        """What was asked, as the job's file says it."""
        return {"kind": self.kind, **self.args}


@dataclass
class _Wanted:
    """Who wants a job.

    Attributes:
        by: sessions.
        seen: when one of them was open last, on the clock of `time.monotonic`.
    """

    by: set[str] = field(default_factory=set)
    seen: float = field(default_factory=time.monotonic)


class Jobs:
    """The jobs of one store. One heavy job at a time; others wait their turn.

    Args:
        folder: of the store.
        worker: the module that the worker process runs.
        is_open: whether a session is open, by its name.
    """

    def __init__(self, folder: Path, worker: str = WORKER, is_open: Callable[[str], bool] = lambda session: True):
        self.folder = folder
        self._is_open = is_open
        self.runs = folder / "runs"
        self._module = worker
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._current: Job | None = None
        self._cancelled: dict[str, tuple[float, str | None]] = {}  # since when, and why if nobody asked for it
        self._wanted: dict[str, _Wanted] = {}
        self._unwritten: dict[str, Status] = {}  # ends of jobs that the disk refuses to note
        self._worker: subprocess.Popen[str] | None = None
        self._warm: str | None = None
        self._asked: dict[str, float] = {}
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None

    def warm_up(self, benchmark: str) -> None:
        """Have a worker ready that has imported everything and, while it has nothing else to do, asks the models of a
        benchmark about the natural images.
        """
        with self._lock, suppress(OSError):  # a process that cannot start now may start when a job needs it
            worker = self._ready()
            # Every repaint of a page comes by here. Said each time, a busy worker's pipe would fill and block the page.
            if self._warm != benchmark:
                self._warm = benchmark
                self._tell(worker, {"warm": benchmark})

    def expected(self, job: Job) -> float | None:
        """Seconds that a job takes, as the worker said last; nan if it cannot run, None while there is no answer."""
        answer = self.result(job.key, "seconds")
        with self._lock, suppress(OSError):
            if job.key not in self._asked:
                answer.unlink(missing_ok=True)  # of another time, with another store
            if self._current is None and time.monotonic() - self._asked.get(job.key, -AGAIN) >= AGAIN:
                self._asked[job.key] = time.monotonic()
                self._tell(self._ready(), {"expect": job.key, "kind": job.kind, "args": dict(job.args)})
        try:
            said = read_json(answer)["seconds"]
            return math.nan if said is None else float(said)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def submit(self, job: Job, by: str, *, anew: bool = False) -> str:
        """Queue a job unless it waits, runs, here or elsewhere, or has its result; return its key.

        Args:
            by: the session that wants it.
            anew: even if it has its result.

        Raises:
            QurdError: the session has as many as it may, or the server.
        """
        with self._lock, self._alone(job.key):
            known = self._read(job.key)
            here = self._current is not None and self._current.key == job.key
            # A job that has just ended is current for another moment. Asked for in it, it is to run again.
            runs = known is not None and known.active and (here or self._elsewhere(known))
            starts = here and known is None
            if starts or (runs and here) or self._waits(job.key):
                self._want(job.key, by)
            elif not runs and (anew or known is None or known.state != "done"):  # else another app runs it for its sessions
                self._check(by)
                self._want(job.key, by)
                self._waiting.append(job)
                self._asked.pop(job.key, None)  # what it stores costs nothing the next time
                if not here:  # its end would be overwritten before it is seen
                    self._cancelled.pop(job.key, None)
                    self._write(job, "queued")
                if self._thread is None:
                    self._thread = threading.Thread(target=self._serve, daemon=True)
                    self._thread.start()
                self._awake.set()
        return job.key

    def watch(self, key: str, by: str) -> None:
        """Note that a session looks at a job, which is not to end without it."""
        with self._lock:
            if key in self._wanted:
                self._want(key, by)

    def is_shared(self, key: str, by: str) -> bool:
        """Whether another open session wants a job, too."""
        with self._lock:
            wanted = self._wanted.get(key)
            return wanted is not None and any(map(self._is_open, wanted.by - {by}))

    def leave(self, key: str, by: str) -> None:
        """Note that a session does not want a job any more. One that waits and that nobody wants will not run."""
        with self._lock:
            if wanted := self._wanted.get(key):
                wanted.by.discard(by)
                if not wanted.by:
                    self._drop(key, UNWANTED)

    def cancel(self, key: str) -> None:
        """Stop a job, or a run of another process. What it has stored stays."""
        with self._lock:
            if self._drop(key):
                return
            if self._current and self._current.key == key:
                self._cancelled.setdefault(key, (time.monotonic(), None))
        with suppress(OSError):  # a disk that refuses the flag does not keep the job going: its process is ended
            self.flag(key).touch()

    def status(self, key: str) -> Status | None:
        """How a job stands, or None if nobody asked for it."""
        with self._lock:
            waiting = {job.key: job for job in self._waiting}
            current = self._current
        if key in waiting:
            ahead = list(waiting).index(key) + (current is not None)
            return Status(key, "queued", ahead=ahead, about=waiting[key].about)
        found = self._read(key)
        if current and current.key == key and (found is None or found.state == "queued"):
            return Status(key, "running", about=current.about)
        if found is None or not found.active or (current and current.key == key) or alive(self.runs, found):
            return found
        return replace(found, state="failed", error=_LOST)

    def active(self) -> list[Status]:
        """Everything that runs on this store, from the app or from the command line."""
        found = [status for key in active(self.runs) if (status := self.status(key))]
        for status in found:
            if not status.active:
                ended(self.runs, status.key)
        return [status for status in found if status.state == "running"]

    def result(self, key: str, ending: str) -> Path:
        """Where a job leaves what it computed."""
        return self.runs / f"{key}.{ending}"

    def flag(self, key: str) -> Path:
        """The file that tells a job to stop."""
        return self.result(key, "cancel")

    def spoiled(self, job: Job, why: str) -> None:
        """Count a job whose result cannot be read as failed, so that it can be run again; one that goes on will mend it."""
        with self._lock:
            known = self._read(job.key)
            if known is None or not known.active:
                self._write(job, "failed", why)

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._waiting.clear()
            self._wanted.clear()
            if self._worker:
                self._worker.kill()
                self._worker.wait()
                self._worker = None

    def _check(self, by: str) -> None:
        """
        Raises:
            QurdError: no further job is taken.
        """
        theirs = sum(by in wanted.by for wanted in self._wanted.values())
        if theirs >= OF_ONE:
            raise QurdError(
                f"Expected at most {OF_ONE} runs at a time from one browser tab. {theirs} of this one wait or run: cancel"
                " one or wait for its end, then ask again."
            )
        if len(self._waiting) >= OF_ALL:
            raise QurdError(
                f"Expected at most {OF_ALL} runs to wait on this server. {len(self._waiting)} do: ask again in a few"
                " minutes."
            )

    def _want(self, key: str, by: str) -> None:
        wanted = self._wanted.setdefault(key, _Wanted())
        wanted.by.add(by)
        wanted.seen = time.monotonic()

    def _waits(self, key: str) -> bool:
        return any(job.key == key for job in self._waiting)

    def _drop(self, key: str, why: str | None = None) -> bool:
        """Take a job out of the queue; False if it does not wait."""
        waiting = next((job for job in self._waiting if job.key == key), None)
        if waiting is None:
            return False
        self._waiting.remove(waiting)
        self._wanted.pop(key, None)
        self._write(waiting, "cancelled", why)
        return True

    def _end_unwanted(self) -> None:
        """Take out of the queue, or stop, what no open session has wanted for a while."""
        with self._lock:
            for key, wanted in [*self._wanted.items()]:
                if any(map(self._is_open, wanted.by)):
                    wanted.seen = time.monotonic()
                elif time.monotonic() - wanted.seen > ALONE and not self._drop(key, UNWANTED):
                    self._cancelled.setdefault(key, (time.monotonic(), UNWANTED))
                    with suppress(OSError):  # as above
                        self.flag(key).touch()

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Decide about a job while no other app does. A disk that refuses keeps nobody from asking."""
        with ExitStack() as stack:
            with suppress(OSError):
                make_folder(self.runs)
                stack.enter_context(alone(self.result(key, "claim")))
            yield

    def _elsewhere(self, status: Status) -> bool:
        """Whether another living process waits with this job or runs it."""
        return status.about["pid"] != os.getpid() and alive(self.runs, status)

    def _serve(self) -> None:
        while True:
            self._awake.wait()
            with self._lock:
                self._current = self._waiting.popleft() if self._waiting else None
                if self._current is None:
                    self._awake.clear()
                    continue
                worker = self._start(self._current)
            if worker:
                self._await(worker, self._current)
            with self._lock:
                if not self._waits(self._current.key):
                    self._wanted.pop(self._current.key, None)
                    self._cancelled.pop(self._current.key, None)
                self._current = None

    def _start(self, job: Job) -> subprocess.Popen[str] | None:
        """The worker, told about the job; None if no process can be started."""
        self._cancelled.pop(job.key, None)
        self._unwritten.pop(job.key, None)
        self._write(job, "queued")
        try:
            self.flag(job.key).unlink(missing_ok=True)
            worker = self._ready()
        except OSError as error:
            self._write(job, "failed", f"No worker process could be started: {error.strerror}. Run it again later.")
            return None
        self._tell(worker, {"kind": job.kind, "args": dict(job.args), "key": job.key})
        return worker

    def _await(self, worker: subprocess.Popen[str], job: Job) -> None:
        """Until the job has ended, its worker has died, or it was cancelled and did not stop by itself."""
        while worker.poll() is None:
            self._end_unwanted()
            status = self._read(job.key)
            since, why = self._cancelled.get(job.key, (math.inf, None))
            if status and not status.active:
                if why and status.state == "cancelled":
                    self._write(job, "cancelled", why, status)
                return
            if time.monotonic() - since > PATIENCE:
                worker.kill()
                worker.wait()
            time.sleep(LOOK)
        status = self._read(job.key)
        if status is None or status.active:
            lost = _REFUSED if worker.returncode == UNWRITTEN else _LOST
            stopped, why = job.key in self._cancelled, self._cancelled.get(job.key, (0.0, lost))[1]
            self._write(job, "cancelled" if stopped else "failed", why, status)

    def _ready(self) -> subprocess.Popen[str]:
        """The worker, started if there is none."""
        if self._worker is None or self._worker.poll() is not None:
            command = [sys.executable, "-m", self._module, str(self.folder)]
            # One thread computes, out of one pool. (A low trimming threshold would halve the speed of the models.)
            quiet = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            quiet |= {"MALLOC_ARENA_MAX": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
            self._worker = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, encoding="utf-8", env=os.environ | quiet
            )
            self._warm = None
        return self._worker

    def _tell(self, worker: subprocess.Popen[str], message: Mapping[str, Any]) -> None:
        with suppress(BrokenPipeError):  # it has just died: `_await` sees it
            worker.stdin.write(json.dumps(message) + "\n")
            worker.stdin.flush()

    def _read(self, key: str) -> Status | None:
        found = read(path_of(self.folder, key))
        return self._unwritten.get(key, found) if found is None or found.active else found

    def _write(self, job: Job, state: State, error: str | None = None, was: Status | None = None) -> None:
        """Note a state.

        Args:
            was: what the worker noted last, if it had begun.
        """
        counts = {"done": was.done, "total": was.total} if was else {}
        found = {"state": state, "about": job.about, "pid": os.getpid(), "error": error}
        if not publish(path_of(self.folder, job.key), found | counts) and state not in ACTIVE:
            self._unwritten[job.key] = Status(job.key, state, **counts, error=error, about=found["about"])


_REFUSED = "The disk refused to note how the job ended. What it had stored is kept: free space or rights, then run it again."
UNWANTED = "Stopped, because no browser tab that wanted it was open any more. What was computed is stored."
_LOST = "The worker process ended before the job did. What it had stored is kept: run it again to continue."


@cache
def _models() -> list[str]:
    return [file_digest(path) for path in sorted(ASSETS.glob(MODELS))]
