"""What identifies a file: its content. Neither its name nor its time does, both of which outlive what it held."""

import hashlib
import os
import time
from pathlib import Path

from qurd_core.errors import QurdError

QUIET = 2_000_000_000  # nanoseconds: no clock of a file system ticks more slowly

_State = tuple[int, int, int, int, int]
_known: dict[str, tuple[_State, str]] = {}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes.

    They are read again unless the file is the one that was read before: same inode, size, time of change and of its inode's
    change, which `os.utime` cannot set back. A file that changed within `QUIET` before it was read may change again without
    another tick of these clocks, so what was read of it is not kept (as git does with "racy" entries of its index).

    Raises:
        QurdError: there is no such file.
    """
    name = str(path)
    try:
        known = _known.get(name)
        if known and known[0] == _state(path.stat()):
            return known[1]
        with path.open("rb") as file:
            begun, before = time.time_ns(), os.fstat(file.fileno())
            found = hashlib.file_digest(file, "sha256").hexdigest()
            after = os.fstat(file.fileno())
    except OSError as error:
        raise QurdError(f"Expected a file at {path}: {error.strerror}. Put it there, or name another one.") from None
    if _state(before) == _state(after) and begun - max(before.st_mtime_ns, before.st_ctime_ns) > QUIET:
        _known[name] = _state(before), found
    return found


def _state(about: os.stat_result) -> _State:
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns
