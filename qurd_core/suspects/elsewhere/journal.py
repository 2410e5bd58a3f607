"""What an API was asked and what it answered, in its own words, a line each on disk: the intent before a request leaves, the
answer before the next one does. Whoever is killed pays for no answer twice.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from qurd_core.files import alone, publish

FOLDER = "asked"  # of the store
_CHECK = "check"  # the key of a line that holds the digest of the others


class Journal:
    """What is known of one API.

    Attributes:
        path: of its file.
        requests: that left; each counts, answered or not.
        answered: by the name of a picture, the first answer.
        again: the same, of pictures that were asked about twice.
        failures: why requests had no answer, and how often.
    """

    def __init__(self, path: Path):
        self.path = path
        self._file: BinaryIO | None = None
        self._load()

    @contextmanager
    def open(self) -> Iterator[None]:
        """While nobody else writes into it: what others have written until then is read first."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with alone(self.path.with_suffix(".claim")):
            if not self.path.exists():
                publish(self.path, b"")
            whole = self._load()
            with self.path.open("r+b") as file:
                file.truncate(whole)  # without half a line of a request that never left
                file.seek(whole)
                self._file = file
                try:
                    yield
                finally:
                    self._file = None

    def intends(self, picture: str, attempt: int) -> None:
        """A request is about to leave."""
        self._add({"asks": picture, "attempt": attempt})

    def has_answer(self, picture: str, text: str) -> None:
        self._add({"answered": picture, "text": text})

    def has_failed(self, picture: str, why: str) -> None:
        self._add({"failed": picture, "why": why})

    def _add(self, line: dict[str, Any]) -> None:
        self._take(line)
        self._file.write(_written(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _load(self) -> int:
        """Read every whole line; how many bytes they have."""
        self.requests: int = 0
        self.answered: dict[str, str] = {}
        self.again: dict[str, str] = {}
        self.failures: Counter[str] = Counter()
        data = self.path.read_bytes() if self.path.exists() else b""
        whole = data.rfind(b"\n") + 1
        for line in data[:whole].splitlines():
            try:
                said = json.loads(line)
                check = said.pop(_CHECK)
                sound = _written(said) == line and check
            except (ValueError, AttributeError, KeyError, TypeError):
                sound = False
            if sound:
                self._take(said)
            else:
                self.requests += 1  # whatever it was: nobody pays for more than the caps allow
        return whole

    def _take(self, line: dict[str, Any]) -> None:
        if "asks" in line:
            self.requests += 1
        elif "failed" in line:
            self.failures[line["why"]] += 1
        else:
            where = self.again if line["answered"] in self.answered else self.answered
            where.setdefault(line["answered"], line["text"])


def _written(line: dict[str, Any]) -> bytes:
    """A line with the digest of what it holds."""
    text = json.dumps(line, sort_keys=True, separators=(",", ":"))
    return json.dumps(line | {_CHECK: hashlib.sha256(text.encode()).hexdigest()[:16]}, sort_keys=True).encode()


def journal_of(store: Path, address: str) -> Journal:
    """The journal of an API in a store."""
    return Journal(store / FOLDER / f"{address}.jsonl")
