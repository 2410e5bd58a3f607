"""Tables of answers that came over a page: they lie in the store and are called by what they hold."""

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from qurd_core.benchmarks import registered
from qurd_core.benchmarks.registered import Registration
from qurd_core.errors import QurdError
from qurd_core.files import default_folder, publish

BEGINS = "own-"  # the names of all
ENDINGS = (".csv", ".parquet")
LARGEST = 64_000_000  # bytes of one
ALL = 512_000_000  # bytes of all
KEPT = 24 * 3600  # seconds, where visitors bring them
_PARQUET, _LOOKED = b"PAR1", 4_096  # how such a file begins, and bytes of a text that are looked at


def keep(name: str, data: bytes) -> Path:
    """Write a table into the store, where it waits to be checked; nobody finds it before.

    Args:
        name: of the file as it was uploaded, which says its kind.

    Raises:
        QurdError: it is too large, no such file, or there are too many.
    """
    ending = Path(name).suffix.lower()
    if (
        ending not in ENDINGS
        or (data[:4] == _PARQUET) != (ending == ".parquet")
        or b"\0" in data[:_LOOKED] * (ending == ".csv")
    ):
        raise QurdError(
            "Expected a table of answers as .csv or .parquet. Got a file of another kind: save it as one of them."
        )
    if len(data) > LARGEST:
        raise QurdError(
            f"Expected a table of at most {LARGEST / 1e6:g} MB. This one has {len(data) / 1e6:.1f}: see 'register'."
        )
    path = _folder() / f"{called(data)}{ending}"
    others = sum(_size(one) for one in _folder().glob("*") if one != path)
    if others + len(data) > ALL:
        raise QurdError(f"Expected at most {ALL / 1e6:g} MB of uploaded tables on this server. Try again in a day.")
    try:
        return publish(path, data)
    except OSError as error:
        raise QurdError(f"The disk refused the table: {error.strerror}. Nothing was kept: try again later.") from None


def called(data: bytes) -> str:
    """The name of a table: by what it holds."""
    return f"{BEGINS}{hashlib.sha256(data).hexdigest()[:8]}"


def waiting(name: str) -> Path:
    """Where a table lies that was uploaded.

    Raises:
        QurdError: it is gone.
    """
    for ending in ENDINGS:
        if (path := _folder() / f"{name}{ending}").is_file():
            return path
    raise QurdError(f"Expected the uploaded table {name}. It is gone: upload it again.")


def accept(name: str) -> None:
    """Register a table that was found sound."""
    registered.write(Registration(name, waiting(name), uploaded=True))


def drop(name: str) -> None:
    """Remove a table, and its name."""
    for ending in ENDINGS:
        (_folder() / f"{name}{ending}").unlink(missing_ok=True)
    registered.forget(name)


def expired() -> list[str]:
    """The names of tables that were brought more than a day ago."""
    now, found = time.time(), []
    for path in _folder().glob(f"{BEGINS}*"):
        with suppress(OSError):
            if now - path.stat().st_mtime > KEPT:
                found.append(path.stem)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _folder() -> Path:
    return default_folder() / "uploads"
