"""What a run is doing, in a file of the store, so that another process sees it and can stop it."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from qurd_core.errors import QurdError
from qurd_core.executors import Done
from qurd_core.files import write_json

State = Literal["running", "done", "cancelled", "failed"]
EVERY = 1.0  # seconds between two writes


class RunFile:
    """`runs/<key>.json` while a run goes on: pid, done, total, device, state, written at most once a second.

    A file `runs/<key>.cancel` stops the run after the unit in hand; what was stored stays. A disk that refuses the file does
    not stop the run.

    Args:
        folder: of the store.
        asked: what was asked, as JSON values: the run's identity.
    """

    def __init__(self, folder: Path, asked: dict[str, Any], total: int, device: str):
        self.about = asked | {"pid": os.getpid(), "device": device, "total": total}
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:20]
        self.path = folder / "runs" / f"{key}.json"
        self.cancel = self.path.with_suffix(".cancel")
        self.done = 0

    def __enter__(self) -> "RunFile":
        with suppress(OSError):
            self.cancel.unlink(missing_ok=True)
        self._write("running")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        self._write("done" if error is None else "cancelled" if self.cancel.exists() else "failed")

    def watch(self, ended: Iterator[Done]) -> Iterator[Done]:
        """The same units, noting each."""
        written = time.monotonic()
        for done in ended:
            self.done += 1
            if time.monotonic() - written >= EVERY:
                self._write("running")
                written = time.monotonic()
            yield done
            if self.cancel.exists():
                raise QurdError(
                    f"Stopped after {self.done} of {self.about['total']} units. What was computed is stored; run it again"
                    " to continue."
                )

    def _write(self, state: State) -> None:
        with suppress(OSError):
            write_json(self.path, self.about | {"done": self.done, "state": state})
