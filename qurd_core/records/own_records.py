"""What was measured of benchmarks that somebody brings: where the records lie, what they hold, and of which files.

They are the files that ship below `assets/records`, in a folder of the store that is named by a digest over models, images,
roles and the versions of components. A note by the name of the benchmark says which folder, and how far it is.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from shutil import rmtree

from qurd_core.access import Access
from qurd_core.benchmarks import registered
from qurd_core.errors import QurdError
from qurd_core.files import ASSETS, default_folder, read_json, write_json
from qurd_core.schemes import NAMED, Scheme

SHIPPED = ASSETS / "records"  # of examples
FORMAT = 1  # of the files: another one is measured again
ENDING = ".json"


@dataclass(frozen=True)
class Note:
    """How far the records of a benchmark are.

    Attributes:
        digest: names their folder.
        state: of the benchmark's files when it was measured, see `registered.state`.
        parts: of the schemes then, see `parts`.
        schemes: the named ones that fit, in the order in which they are measured.
        done: how many of them are.
        missing: the others, with the reason.
        notes: what is to be asked about the benchmark, a sentence each.
        asks: its models can be asked about new images; else their answers alone are known.
        access: the most that they all reveal, a level of `Access`.
        splits: its seed sets.
        stolen: it has stolen models; else there are no rates.
        suspects: its models of unknown origin.
        remote: those of them that are asked over a network.
    """

    digest: str
    state: str
    parts: str
    schemes: tuple[str, ...]
    done: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    asks: bool = True
    access: int = int(Access.GRADIENTS)
    splits: tuple[str, ...] = ()
    stolen: bool = True
    suspects: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.done == len(self.schemes)


def note_of(benchmark: str) -> Note | None:
    """The note of a registered benchmark; None where nothing was measured, or where the note cannot be read.

    That of an example ships, as its records do, until it is measured here.
    """
    try:
        found = read_json((SHIPPED if _ships(benchmark) else _home()) / f"{benchmark}{ENDING}")
        lists = {name: tuple(found[name]) for name in ("schemes", "notes", "splits")}
        lists |= {name: tuple(found.get(name, ())) for name in ("suspects", "remote")}  # which older notes do not have
        return Note(**found | lists)
    except (OSError, QurdError, KeyError, TypeError):
        return None


def write_note(benchmark: str, note: Note) -> None:
    """Keep a note; an older one is replaced."""
    write_json(_note_path(benchmark), asdict(note))


def ship_note(benchmark: str, note: Note) -> Path:
    """The same for an example, whose records lie among those that ship."""
    return write_json(SHIPPED / f"{benchmark}{ENDING}", asdict(note))


def folder_of(benchmark: str) -> Path:
    """Where the records of a registered benchmark lie, whether they are there or not."""
    if _ships(benchmark):
        return SHIPPED
    note = note_of(benchmark)
    return folder_named(note.digest if note else "nothing")


def folder_named(digest: str) -> Path:
    """The folder of records with a digest."""
    return _home() / digest


def forget(benchmark: str) -> None:
    """Remove what was measured of a benchmark."""
    note = note_of(benchmark)
    _note_path(benchmark).unlink(missing_ok=True)
    if note and note.digest not in {other.digest for name in registered.names() if (other := note_of(name))}:
        rmtree(folder_named(note.digest), ignore_errors=True)


def digest_of(content: str) -> str:
    """Names the records of a benchmark that holds something, see `Reader.content`."""
    return hashlib.sha256(json.dumps([FORMAT, content, parts()]).encode()).hexdigest()[:20]


@lru_cache(maxsize=1)
def parts() -> str:
    """Changes with the version of every component of a named scheme."""
    identities = [sorted(Scheme.parse(name).identity(0).items()) for name in NAMED]
    return hashlib.sha256(json.dumps(identities, default=str).encode()).hexdigest()[:20]


def _ships(benchmark: str) -> bool:
    """Whether the records of a benchmark are those that ship."""
    return registered.is_example(benchmark) and not _note_path(benchmark).is_file()


def _note_path(benchmark: str) -> Path:
    return _home() / f"{benchmark}{ENDING}"


def _home() -> Path:
    return default_folder() / "records"
