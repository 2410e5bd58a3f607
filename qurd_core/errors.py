"""The one error of the core: a sentence that says what was expected, what came, and what to do."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

LONGEST = 600  # characters of the known names in a sentence
SHOWN = 80  # characters of the name that came
NOTHING, A_FOLDER, NO_FILE = "nothing", "a folder", "neither a file nor a folder"
PARQUET = "a Parquet table"
_EMPTY, _LOST, _LOCKED = "an empty file", "a link to nothing", "something that this user may not read"
_BEGINNINGS = {  # of files whose endings often say something else, or nothing
    b"PAR1": PARQUET,
    b"PK\x03\x04": "a ZIP archive, as PyTorch, NumPy and Excel write them",
    b"\x80": "a pickle, as older PyTorch writes them",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a gzip archive",
}
RECOGNISED = frozenset(_BEGINNINGS.values())


class QurdError(ValueError):
    """Something the caller can mend. Its text is one sentence that can be shown as it is: what nobody sees in a name that it
    quotes is written out, as `\\u200b`.

    >>> print(unknown("scheme", "AKHH", ["AKH", "SAC"]))
    Unknown scheme 'AKHH'. Did you mean 'AKH'? Known: AKH, SAC.
    """

    def __init__(self, text: str):
        super().__init__(visible(text))


def visible(text: str) -> str:
    """A text with everything in it that nobody sees, or that no file can hold, written out.

    >>> print(visible("one\\u200b\\ud800\\x00 two"))
    one\\u200b\\ud800\\x00 two
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def unknown(kind: str, name: str, known: Iterable[str]) -> QurdError:
    """The error for a name that nobody registered, with the nearest known one.

    Args:
        kind: what the name should have been, in words: `"craft"`, `"benchmark"`.
        name: what came.
        known: every name that would have been right.
    """
    known = sorted(known)
    close = get_close_matches(name[:SHOWN], known, n=1, cutoff=0.5)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return QurdError(f"Unknown {kind} '{name[:SHOWN]}'.{hint} Known: {_some(known) or 'none'}.")


def _some(names: list[str]) -> str:
    """The names, or as many of the first ones as a sentence can take."""
    length = 0
    for number, name in enumerate(names):
        length += len(name) + 2
        if number and length > LONGEST:
            return f"{', '.join(names[:number])} and {len(names) - number} more"
    return ", ".join(names)


def refused(error: OSError) -> str:
    """The sentence for whatever the disk or the system refuses where nobody can say more."""
    return f"The disk refused: {error}. Nothing stored before is lost; free space or rights, then run it again."


def misplaced(wanted: str, path: Path, todo: str = "") -> QurdError:
    """The error for a path at which something else lies than was expected, or nothing.

    Args:
        wanted: what should lie there, in words: `"a table of answers"`.
        todo: a sentence that says what to do.
    """
    return QurdError(f"Expected {wanted} at {path}. There is {lies_at(path)}. {todo}".rstrip())


def is_filled(path: Path) -> bool:
    """Whether a path is a file with something in it that this user may read."""
    return lies_at(path) not in (NOTHING, A_FOLDER, NO_FILE, _EMPTY, _LOST, _LOCKED)


def lies_at(path: Path) -> str:
    """What lies at a path, in words: `"a folder"`, `"an empty file"`, `"a .txt file"`; `NOTHING` where nothing does."""
    try:
        if path.is_dir():
            os.scandir(f"{path}{os.sep}.").close()  # which needs the rights to list it and to enter it
            return A_FOLDER
        if path.is_symlink() and not path.exists():
            return _LOST
        if not path.exists():
            return NOTHING
        if not path.is_file():
            return NO_FILE
        with path.open("rb") as file:
            first = file.read(10)
    except PermissionError:
        return _LOCKED
    except (OSError, ValueError):  # too long for a file system, or a character that no name holds
        return NOTHING
    if not first:
        return _EMPTY
    known = next((what for beginning, what in _BEGINNINGS.items() if first.startswith(beginning)), None)
    return known or (f"a {path.suffix} file" if path.suffix else "a file without an ending")


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Add the surrounding step to any `QurdError` that leaves the block.

    Args:
        what: continues "while ...", for example `"sampling negative(test) for train(vgg,victim)"`.
    """
    try:
        yield
    except QurdError as error:
        raise QurdError(f"{error} (While {what}.)") from error
