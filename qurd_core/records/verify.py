"""Reads everything that carries a digest and says what was altered: what is kept in a store, and what ships."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load

from qurd_core import files
from qurd_core.benchmarks.saved_benchmarks import SAVE_AGAIN
from qurd_core.errors import QurdError
from qurd_core.files import checked, default_folder, file_digest, hub_folder, is_sealed, opened

RUN_AGAIN = "Run it again in the app or with the same command: results that are whole are not computed anew."
IMPORT_AGAIN = "Import again: `python -m qurd_core import-scores CHECKOUT`."
FETCH_AGAIN = "Remove it and fetch again: `python -m qurd_core fetch --benchmark NAME`."
SEALED = {  # files below a store that hold their own digest, and how to get a good one
    "runs/*.json": RUN_AGAIN,
    "runs/*.parquet": RUN_AGAIN,
    "runs/*.safetensors": RUN_AGAIN,
    "runs/*.seconds": "Nothing: it is measured again.",
    "runs/*.report": IMPORT_AGAIN,
    "speeds/*.json": "Nothing: it is measured again.",
    "benches/*.json": SAVE_AGAIN,
    "published/**/*.parquet": IMPORT_AGAIN,
}
NOTES = ("collections/*.json", "models/**/fetched.json", "images/*.json", "raw/**/commit.json")  # below the hub's folder


@dataclass(frozen=True)
class Checked:
    """A file that was read.

    Attributes:
        wrong: what is wrong with it, if anything.
        again: how to get a good one.
        digest: whether it has a digest; what was written by hand or by an older version has none.
    """

    path: Path
    wrong: str | None
    again: str
    digest: bool = True


@dataclass(frozen=True)
class Report:
    """What was read, in numbers, and what was altered."""

    read: int
    bare: int
    altered: list[Checked]

    @property
    def sentence(self) -> str:
        bare = f", {self.bare:,} without a digest (written by hand or by an older version)" if self.bare else ""
        return f"{self.read:,} files checked: {len(self.altered):,} altered{bare}."


def report(found: Iterable[Checked]) -> Report:
    """Read them all."""
    every = list(found)
    return Report(len(every), sum(not one.digest for one in every), [one for one in every if one.wrong])


def shipped() -> Iterator[Checked]:
    """What ships, and what is missing of it."""
    known = files.digests()
    for path in sorted({*files.shipped_files(), *(files.ASSETS / name for name in known)}):
        name = files.shipped_name(path)
        yield Checked(path, _wrong(path, lambda data: None), files.restore(name))
    yield Checked(files.ASSETS / files.DIGESTS, None, files.restore(files.DIGESTS))


def kept(folder: Path) -> Iterator[Checked]:
    """What is kept in a store.

    Raises:
        QurdError: there is none.
    """
    from qurd_core.store import FORM, is_damaged, is_sound, results

    form = folder / FORM
    if not form.is_file():
        raise QurdError(f"Expected a store in {folder}. It has no {FORM}: name another folder with --store.")
    yield Checked(
        form,
        "It tells no format." if is_damaged(form) else None,
        "Any command that opens the store writes it again, from the results beside it.",
        is_sealed(form.read_bytes()),
    )
    for path in results(folder):
        wrong = None if is_sound(path) else "It does not hold what was stored."
        yield Checked(path, wrong, "Nothing: it is moved aside and computed again by the next run that needs it.")
    for pattern, again in SEALED.items():
        for path in sorted(folder.glob(pattern)):
            yield _sealed(path, again)
    yield from _fetched(hub_folder() if folder == default_folder() else folder / "hub")


def _fetched(hub: Path) -> Iterator[Checked]:
    """Notes of what was fetched, and the files that they tell of."""
    for pattern in NOTES:
        for note in sorted(hub.glob(pattern)):
            one = _sealed(note, FETCH_AGAIN)
            yield one
            if not one.wrong:
                yield from _noted(note, files.read_json(note))


def _noted(note: Path, about: dict[str, Any]) -> Iterator[Checked]:
    """The files whose digests stand in a note."""
    home = note.parent
    weights = home / "model.safetensors" if note.name == "fetched.json" else note.with_suffix(".safetensors")
    for path, digest in ((weights, about.get("sha256")), (home / "config.json", about.get("config"))):
        if digest and path.is_file():
            yield Checked(path, None if file_digest(path) == digest else "It is not what was fetched.", FETCH_AGAIN)


def _sealed(path: Path, again: str) -> Checked:
    wrong = _wrong(path, _DECODED.get(path.suffix, json.loads))
    try:
        with opened(path) as file:
            return Checked(path, wrong, again, is_sealed(file.read()))
    except OSError:
        return Checked(path, wrong, again)


def _wrong(path: Path, decoded: Callable[[bytes], Any]) -> str | None:
    """What keeps a file from being read, or None."""
    try:
        decoded(checked(path))
    except OSError as error:
        return f"It cannot be read: {error.strerror or error}."
    except files.AlteredError:
        return "It does not match its digest."
    except Exception as error:  # decoders raise what they like
        return f"It cannot be read: {str(error).partition(chr(10))[0][:200]}"
    return None


_DECODED: dict[str, Callable[[bytes], Any]] = {
    ".parquet": lambda data: pq.read_table(pa.BufferReader(data)),
    ".safetensors": load,
}
