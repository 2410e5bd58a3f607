"""What a fault is: something that goes wrong, how often it is tried, and what must hold afterwards."""

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class UnableError(Exception):
    """This machine cannot have the fault; the text says why."""


@dataclass(frozen=True)
class Fault:
    """
    Attributes:
        what: what goes wrong.
        holds: what must hold after each time.
        few: how often a test tries it.
        many: how often the command tries it.
        once: makes it happen once in an empty folder and asserts what must hold; returns what was measured.
    """

    what: str
    holds: str
    few: int
    many: int
    once: Callable[[Path, random.Random], dict[str, float]]

    def __str__(self) -> str:
        return self.what


@dataclass
class Outcome:
    """What came of trying a fault: how often, what failed, the worst of what was measured, and how long it took."""

    times: int = 0
    failed: list[str] = field(default_factory=list)
    worst: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def tried(fault: Fault, times: int) -> Outcome:
    """The fault so often, each time in a folder of its own and with a generator that its number seeds.

    Raises:
        UnableError: this machine cannot have it.
    """
    found, began = Outcome(), time.monotonic()
    for number in range(times):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # who was killed may still be ending
            try:
                measured = fault.once(Path(folder), random.Random(f"{fault.what} {number}"))
            except AssertionError as error:
                found.failed.append(f"{number}: {str(error).partition(chr(10))[0]}")
            else:
                found.worst = {name: max(value, found.worst.get(name, 0.0)) for name, value in measured.items()}
        found.times += 1
    found.seconds = time.monotonic() - began
    return found


def sentence(text: str) -> None:
    """Assert that a text is what a person can be told."""
    assert text and "\n" not in text and "Traceback" not in text and len(text) < 1_000, text
