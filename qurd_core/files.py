"""Files: the one atomic write, the one checked read, and what identifies a file: its content.

Whatever the program writes or ships and reads again carries the SHA-256 of what it holds, and every read compares it:

* What ships below `assets/` stays byte for byte as it was measured. Its digests stand in `assets/digests.json`, which
  `python -m qurd_core.files` writes anew.
* What is written for the user (runs, saved benchmarks, imports, notes of what was fetched) is *sealed*: under the name
  `qurd-seal`, in a JSON file or in the header of a Parquet or safetensors file, stands the digest of the file's own bytes,
  taken while zeros stood in its place. One rename publishes both, so nobody ever reads a file with the digest of another.
* Results of the store hold the digest of their tensors: see `store`.

A file without a seal was written by hand or by an older version: it is taken as it is. An altered one is left where it lies,
and an `AlteredError` says how to get a good one.
"""

import errno
import hashlib
import json
import math
import os
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from qurd_core.errors import QurdError, misplaced

try:
    import fcntl
except ImportError:  # on Windows nobody can remove a file that somebody writes
    fcntl = None

if TYPE_CHECKING:  # importing it takes time that only those who write a table need to spend
    import pyarrow as pa

_INSTALLED = Path(__file__).parent / "_app"  # where a wheel has what lies beside `qurd_core` in a checkout
ROOT = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[1]  # the folder of app.py, pages and assets
ASSETS = ROOT / "assets"
DIGESTS = "digests.json"
UNREAD = "screens"  # the folder below `assets/` that no program reads
SEAL = {"qurd-seal": "0" * 64}  # the entry of a header that `sealed` completes
QUIET = 2_000_000_000  # nanoseconds: no clock of a file system ticks more slowly
WHOLE = 2**63 - 1  # the largest whole number in a file

_MARK = b"qurd-seal"
_SEALED = re.compile(rb"qurd-seal[^0-9a-f]{2,4}([0-9a-f]{64})(?![0-9a-f])")
_State = tuple[int, int, int, int, int]
_known: dict[str, tuple[_State, str]] = {}


class AlteredError(QurdError):
    """A file does not hold what was written into it."""


@contextmanager
def publishing(path: Path, aside: Path | None = None) -> Iterator[Path]:
    """Write a file whole: yields a name that no other writer has, flushes what was written there and puts it in its place.

    The draft is locked as long as its writer lives: see `remove_abandoned`.

    Args:
        aside: the folder of that name, on the same disk; the one of the file if not given.

    Raises:
        OSError: the disk refuses. What was at `path` is still there.
    """
    make_folder(path.parent)
    draft = (aside or path.parent) / f"{path.name}.{uuid.uuid4().hex}"
    owner = _locked(draft, "xb")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
        owner.close()
    _sync_folder(path.parent)


@contextmanager
def alone(claim: Path) -> Iterator[None]:
    """Wait until nobody else, of this process or another one, is within this with the same file. Whoever dies makes room.

    On a file system without locks everybody is let in.

    Args:
        claim: a file that is made, and gone afterwards.

    Raises:
        OSError: the disk refuses it.
    """
    owner = _locked(claim, "ab")
    try:
        yield
    finally:
        with suppress(OSError):
            claim.unlink()
        owner.close()


def _locked(path: Path, mode: str) -> BinaryIO:
    """A file, opened to be written and made if it is missing, that is locked until it is closed or its process has ended."""
    while True:
        file = path.open(mode)
        if not fcntl:
            file.close()  # where an open file cannot be put in its place either
            return file
        with suppress(OSError):  # a file system without locks, on which nothing is ever taken for abandoned
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # it was removed before it was locked


def remove_abandoned(draft: Path) -> None:
    """Remove a draft whose writer is gone, however old it is: the clocks of two machines may differ by a day."""
    if fcntl:
        with suppress(OSError), draft.open("rb+") as file:  # locked, renamed or removed meanwhile
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), draft.stat()):  # and no other file has its name by now
                draft.unlink()


def publish(path: Path, data: bytes, aside: Path | None = None) -> Path:
    """Write some bytes whole: see `publishing`."""
    with publishing(path, aside) as draft:
        draft.write_bytes(data)
    return path


def write_json(path: Path, value: Mapping[str, Any], indent: int | None = None) -> Path:
    """Publish names with values, sealed."""
    return publish(path, sealed_json(value, indent))


def write_table(path: Path, table: "pa.Table", compression: str = "snappy") -> Path:
    """Publish a table as Parquet, sealed."""
    return publish(path, sealed(parquet(table.replace_schema_metadata((table.schema.metadata or {}) | SEAL), compression)))


def parquet(table: "pa.Table", compression: str = "snappy", **options: Any) -> bytes:
    """A table as the bytes of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=compression, **options)
    return sink.getvalue().to_pybytes()


def sealed_json(value: Mapping[str, Any], indent: int | None = None) -> bytes:
    """Names with values as the bytes of a sealed JSON file."""
    return sealed(json.dumps(SEAL | dict(value), indent=indent).encode())


def sealed(data: bytes) -> bytes:
    """The bytes of a file with `SEAL` in its header, completed."""
    (place,) = _SEALED.finditer(data)
    return data[: place.start(1)] + _digest(data, place).encode() + data[place.end(1) :]


def is_sealed(data: bytes) -> bool:
    """Whether a file tells the digest of what it holds, rightly or not."""
    return _MARK in data


def checked(path: Path, again: str = "") -> bytes:
    """What a file holds, once that is known to be what was written into it.

    Args:
        again: how to get a good one, as sentences; for what ships that is known.

    Raises:
        AlteredError: it was altered, or ships and is not among the digests.
        OSError: it cannot be read.
    """
    with opened(path) as file:
        data, name = file.read(), shipped_name(path)
    if name is None:
        if not _is_whole(data):
            raise AlteredError(f"{path} was altered after it was written: it does not match its digest. {again}")
    elif hashlib.sha256(data).hexdigest() != digests().get(name):
        raise AlteredError(f"{path} was altered: it is not the file that ships. {restore(name)}")
    return data


def read_json(path: Path, again: str = "") -> Any:
    """The values in a JSON file, checked; without its seal.

    Raises:
        QurdError: it was altered, or is no JSON.
        OSError: it cannot be read.
    """
    data, name = checked(path, again), shipped_name(path)
    try:
        found = json_values(data)
    except ValueError as error:
        raise QurdError(f"Cannot read {path}: {error}. {restore(name) if name else again}") from None
    return {key: value for key, value in found.items() if key not in SEAL} if isinstance(found, dict) else found


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, to be read. Nobody waits for a pipe, and nothing is read of a device, which may never end.

    Raises:
        OSError: there is none that this user may read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError:  # a character that no name holds
        raise FileNotFoundError(errno.ENOENT, "No file has such a name") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "It is no regular file")
    with os.fdopen(handle, "rb") as file:
        yield file


def json_values(data: bytes | str, names: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """What a JSON text says, whoever wrote it.

    Args:
        names: makes a value of the names with values in one pair of braces; a dictionary if not given.

    Raises:
        ValueError: it is none, is nested too deeply, or holds what `whole`, `finite` and `utf8` refuse.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        found = json.loads(text, parse_int=whole, parse_float=finite, parse_constant=finite, object_pairs_hook=names)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\u" in text:
        utf8(json.dumps(found, ensure_ascii=False))
    return found


def whole(text: str) -> int:
    """A whole number out of a text, if it is one of at most `WHOLE`.

    Raises:
        ValueError: it is not.
    """
    number = int(text) if len(text) <= len(str(-WHOLE)) else math.inf
    if abs(number) > WHOLE:
        raise ValueError(f"it holds a whole number of {len(text):,} characters")
    return number


def finite(text: str) -> float:
    """A number out of a text, if there is one so large.

    Raises:
        ValueError: it is not.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it holds the number {text[:20]}, which is not finite")
    return number


def utf8(text: str) -> str:
    """A text that can be written into a file.

    Raises:
        ValueError: it holds half a character.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"it holds half a character, U+{ord(text[error.start]):04X}") from None
    return text


def shipped_name(path: Path) -> str | None:
    """What a file is called among the digests; None for one that does not ship."""
    return path.relative_to(ASSETS).as_posix() if path.is_relative_to(ASSETS) and path != ASSETS / DIGESTS else None


def restore(name: str) -> str:
    """How to get back a file that ships."""
    return f"Get it back with `git checkout -- assets/{name}`, or install the program again."


def digests() -> dict[str, str]:
    """The digests of what ships, by the path below `assets/`.

    Raises:
        QurdError: the file of digests is missing or altered.
    """
    path = ASSETS / DIGESTS
    try:
        return read_json(path, restore(DIGESTS))
    except OSError as error:
        raise QurdError(f"Expected the digests of what ships at {path}: {error.strerror}. {restore(DIGESTS)}") from None


def shipped_files() -> list[Path]:
    """Everything below `assets/` that is read."""
    every = [path for path in sorted(ASSETS.rglob("*")) if path.is_file()]
    return [path for path in every if path.name != DIGESTS and path.relative_to(ASSETS).parts[0] != UNREAD]


def note(paths: Iterable[Path]) -> None:
    """Take the digests of files that were made anew among those of what ships; other files need none."""
    made = {name: _content(path) for path in paths if (name := shipped_name(path.absolute()))}
    if made:
        write_json(ASSETS / DIGESTS, dict(sorted((digests() | made).items())), indent=0)


def note_all() -> None:
    """Write the digests of everything that ships as it is now."""
    found = {shipped_name(path): _content(path) for path in shipped_files()}
    write_json(ASSETS / DIGESTS, dict(sorted(found.items())), indent=0)


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_whole(data: bytes) -> bool:
    """Whether what a file holds matches its seal, if it has one."""
    if not is_sealed(data):
        return True
    places = list(_SEALED.finditer(data))
    return len(places) == 1 and _digest(data, places[0]) == places[0][1].decode()


def _digest(data: bytes, place: re.Match[bytes]) -> str:
    """SHA-256 of some bytes with zeros where their own digest stands."""
    sha, whole = hashlib.sha256(), memoryview(data)
    for part in (whole[: place.start(1)], SEAL["qurd-seal"].encode(), whole[place.end(1) :]):
        sha.update(part)
    return sha.hexdigest()


def make_folder(folder: Path) -> None:
    """Make a folder that is missing, and those above it, so that they survive a power cut.

    Raises:
        OSError: the disk refuses.
    """
    if not folder.is_dir():
        if not folder.parent.exists():
            make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make what was renamed or made in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
        with opened(path) as file:
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


if __name__ == "__main__":
    note_all()


def default_folder() -> Path:
    """The store unless another folder is named: `QURD_STORE`, else the user's cache folder.

    Raises:
        QurdError: the user has no home.
    """
    from platformdirs import user_cache_path

    named = os.environ.get("QURD_STORE")
    try:
        return Path(named) if named else user_cache_path("qurd-explorer")
    except RuntimeError:  # neither HOME nor the list of users says where
        raise QurdError(
            "Expected a home folder to keep results in. This user has none: name a folder with QURD_STORE."
        ) from None


def hub_folder() -> Path:
    """Models and pictures of the official benchmarks: `QURD_HUB`, else beside the results.

    Raises:
        QurdError: it is a file.
    """
    named = os.environ.get("QURD_HUB")
    return not_a_file(Path(named)) if named else default_folder() / "hub"


def not_a_file(folder: Path) -> Path:
    """The path of a folder that need not be there yet.

    Raises:
        QurdError: a file lies there.
    """
    if folder.exists() and not folder.is_dir():
        raise misplaced("a folder", folder, "Name another one.")
    return folder


def made(folder: Path) -> Path:
    """A folder to write into, made if it is missing. Asked for before minutes of computing.

    Raises:
        QurdError: it cannot be made.
    """
    not_a_file(folder)
    try:
        make_folder(folder)
    except OSError as error:
        raise QurdError(f"Expected a folder to write into. {folder} cannot be made: {error.strerror}.") from None
    return folder
