"""Benchmarks that somebody brings, each by a name of its own: what pages and commands offer beside those that ship.

A registration is a small file of the store that says where the benchmark lies. Links and files of others say the name alone.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qurd_core.benchmarks.saved_benchmarks import called
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, default_folder, file_digest, read_json, shipped_name, write_json

EXAMPLES = ASSETS / "answers"  # what is registered everywhere: tables that ship, by their names
FORMAT, ENDING = 1, ".json"
GONE = "gone"  # the state of files that are not there
_AGAIN = "Register it anew with 'register'."


@dataclass(frozen=True)
class Registration:
    """Where a benchmark lies.

    Attributes:
        uploaded: it came over a page, and lies in the store.
    """

    name: str
    path: Path
    uploaded: bool = False


def write(found: Registration) -> None:
    """Keep a registration; an older one of that name is replaced.

    Raises:
        QurdError: the name is none, or the disk refuses.
    """
    said = {"format": FORMAT, "path": str(found.path), "uploaded": found.uploaded}
    home = _home_of(found.name)
    try:
        write_json(home, said)
    except OSError as error:
        raise QurdError(f"Expected to write {home}. The disk refused: {error.strerror}. Nothing was registered.") from None


def read(name: str) -> Registration:
    """
    Raises:
        QurdError: nothing has that name, or its file was altered.
    """
    if is_example(name):
        return Registration(name, EXAMPLES / f"{name}.parquet")
    home = _home_of(name)
    try:
        found = read_json(home, _AGAIN)
        return Registration(name, Path(found["path"]), found["uploaded"] is True)
    except (OSError, KeyError, TypeError):
        raise QurdError(f"Expected where the benchmark {name} lies in {home}. Got something else. {_AGAIN}") from None


def is_example(name: str) -> bool:
    """Whether it is a table that ships."""
    return name in examples()


@cache
def examples() -> tuple[str, ...]:
    """The tables that ship, by their names."""
    return tuple(sorted(path.stem for path in EXAMPLES.glob("*.parquet") if "-" not in path.stem))


def has(name: str) -> bool:
    """Whether a benchmark of that name was registered, or ships as an example."""
    try:
        return is_example(name) or _home_of(name).is_file()
    except (QurdError, PermissionError):  # whoever needs the store says so
        return False


def names() -> list[str]:
    """The registered benchmarks, examples first."""
    try:
        found = [path.stem for path in _folder().glob(f"*{ENDING}")]
    except (PermissionError, QurdError):  # whoever needs the store says so
        return []
    return [*examples(), *sorted(filter(has, found))]


def name_of(path: str) -> str | None:
    """The name of what lies at a path, if it has one."""
    try:
        there = os.path.realpath(path)
    except ValueError:  # a character that no name holds
        return None
    return next((name for name in names() if there == os.path.realpath(read(name).path)), None)


def forget(name: str) -> None:
    """Take a registration away; what it leads to stays."""
    _home_of(name).unlink(missing_ok=True)


def state(path: Path) -> str:
    """Changes whenever a file does, or one below a folder, by names, sizes and times: nothing is read. `GONE` where nothing
    lies.
    """
    if shipped_name(path):  # whoever gets a copy gets it with other times
        return file_digest(path)[:20]
    sha = hashlib.sha256()
    try:
        for name, about in sorted(_files(path)):
            sha.update(json.dumps([name, about.st_size, about.st_mtime_ns]).encode())
    except OSError:
        return GONE
    return sha.hexdigest()[:20]


def _files(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every file with what the disk knows of it."""
    if not path.is_dir():
        yield "", path.stat()
        return
    for place, _, files in os.walk(path):
        for name in files:
            there = Path(place, name)
            yield there.relative_to(path).as_posix(), there.lstat()


def _home_of(name: str) -> Path:
    return _folder() / f"{called(name)}{ENDING}"


def _folder() -> Path:
    return default_folder() / "registered"
