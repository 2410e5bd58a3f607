"""Evidence as a file: what its members are called, and whether they are what was sealed; without models or torch.

A folder, or one zip of it, holds

* `seal.json`: victim, unrelated models, scheme, budget, level, and the digests of the two tables below; on disk before any
  suspect is asked. Its SHA-256 is the *seal number*.
* `queries.csv`: the queries in the order in which they are asked, each by the digest of its pixels.
* `reference.csv`: what the victim and all known models answer.
* `answers.jsonl`: what suspects answer, a line each, with the digest of the line before; the first holds the seal number.
* `verdict.json`: the verdicts, whose numbers are whole or texts.
* `queries.safetensors`: the pictures of all queries, only where they are revealed.
* `files.json`: name, bytes and SHA-256 of all others.

No weights, and no pictures unless they are revealed. `suspects.evidence` writes it, and `suspects.verifying` computes the
verdicts again.
"""

import csv
import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from qurd_core.errors import QurdError, is_filled, misplaced
from qurd_core.files import json_values, opened

FORMAT = 1
SEAL, QUERIES, REFERENCE = "seal.json", "queries.csv", "reference.csv"
ANSWERS, VERDICT, FILES = "answers.jsonl", "verdict.json", "files.json"
REVEALED, PICTURES = "queries.safetensors", "pictures"  # a member that need not be there, and the tensor in it
NEEDED = (SEAL, QUERIES, REFERENCE, ANSWERS, VERDICT, FILES)
NONE = ""  # the label of an answer that is missing or counts as none
MEMBERS, BYTES = 200, 2_000_000_000  # that are read


def canonical(value: Any) -> bytes:
    """JSON that has one spelling: sorted keys, no spaces, ASCII, no floats.

    >>> canonical({"b": 1, "a": "é", "c": [True]})
    b'{"a":"\\\\u00e9","b":1,"c":[true]}'
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _plain(value: Any) -> Any:
    """Floats as texts, so that no number is printed twice differently."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def held_in(path: Path) -> dict[str, bytes]:
    """Every member of a folder or zip, within limits.

    Raises:
        QurdError: it is no evidence, or holds more or other things than it may.
    """
    if path.is_dir():
        files = sorted(path.iterdir())
        if len(files) > MEMBERS or any(not stat.S_ISREG(one.lstat().st_mode) for one in files):
            raise QurdError(f"Expected at most {MEMBERS} plain files in {path}. It holds more, or links and folders.")
        if sum(one.stat().st_size for one in files) > BYTES:
            raise QurdError(f"Expected evidence of at most {BYTES:,} bytes in {path}. It holds more.")
        return {one.name: one.read_bytes() for one in files}
    if not is_filled(path):
        raise misplaced("evidence, a folder or a zip,", path)
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            return dict(_unpacked(archive, path))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise QurdError(f"Expected evidence at {path}: a folder, or a zip. {error}.") from None


def _unpacked(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, bytes]]:
    members = archive.infolist()
    if len(members) > MEMBERS or len({one.filename for one in members}) < len(members):
        raise QurdError(f"Expected at most {MEMBERS} members in {path}, each of another name. It has {len(members)}.")
    if sum(one.file_size for one in members) > BYTES:
        raise QurdError(f"Expected evidence of at most {BYTES:,} bytes in {path}. It claims more.")
    for one in members:
        name, linked = one.filename, stat.S_ISLNK(one.external_attr >> 16)
        if one.compress_type != zipfile.ZIP_STORED or linked or Path(name).name != name or name in ("", ".", ".."):
            raise QurdError(f"Expected plain files in {path}, stored as they are. '{name[:60]}' is another thing.")
        yield name, archive.read(one)


def json_of(held: Mapping[str, bytes], name: str) -> Any:
    """The values in a member.

    Raises:
        QurdError: it cannot be read.
    """
    try:
        return json_values(held[name])
    except ValueError as error:
        raise QurdError(f"{name} cannot be read: {error}.") from None


def faults_of(held: Mapping[str, bytes]) -> list[str]:
    """What does not match among members, hashes, tables and the chain of answers, a sentence each; none where all does."""
    for check in (_members, _seal, _tables, _chain, _pictures):
        if found := list(check(held)):
            return found
    return []


def _members(held: Mapping[str, bytes]) -> Iterator[str]:
    """What is missing, is there beside the rest, or is not what `files.json` says."""
    for name in NEEDED:
        if name not in held:
            yield f"{name} is missing."
            return
    try:
        listed = json_of(held, FILES)
        said = {one["name"]: (one["bytes"], one["sha256"]) for one in listed}
    except (QurdError, TypeError, KeyError):
        yield f"{FILES} cannot be read."
        return
    if canonical(listed) != held[FILES]:
        yield f"{FILES} was written anew: it is not in the one spelling that it has."
    for name in sorted({*held} - {FILES} | {*said}):
        if name not in held:
            yield f"{name} is missing: {FILES} lists it."
        elif name not in said:
            yield f"{name} is not listed in {FILES}."
        elif said[name] != (len(held[name]), sha(held[name])):
            yield f"{name} is not what {FILES} says: it was changed."


def _seal(held: Mapping[str, bytes]) -> Iterator[str]:
    sealed = json_of(held, SEAL)
    if canonical(sealed) != held[SEAL]:
        yield f"{SEAL} was written anew: it is not in the one spelling that it has."
    elif not isinstance(sealed, dict) or sealed.get("format") != FORMAT:
        yield f"{SEAL} has another format than {FORMAT}, which this program reads."


def _tables(held: Mapping[str, bytes]) -> Iterator[str]:
    """Whether the two tables are those that were sealed."""
    sealed = json_of(held, SEAL)
    for name, field in ((QUERIES, "queries"), (REFERENCE, "reference")):
        if sealed.get(field) != sha(held[name]):
            yield f"{name} is not the table that was sealed: field '{field}' of {SEAL}."


def pictures_of(held: Mapping[str, bytes]) -> NDArray[np.float32] | None:
    """(n,3,H,W) the pictures of all queries in the order of their table, in [0,1]; None where they are not revealed.

    Raises:
        QurdError: they cannot be read.
    """
    if REVEALED not in held:
        return None
    try:
        found = load(held[REVEALED])[PICTURES]
    except (SafetensorError, KeyError, ValueError) as error:
        raise QurdError(f"{REVEALED} cannot be read: {str(error)[:200]}.") from None
    if found.ndim != 4 or found.dtype not in (np.uint8, np.float32):
        raise QurdError(f"{REVEALED} holds {found.dtype} {found.shape}, no pictures (n,3,H,W).")
    return found.astype(np.float32) / np.float32(255) if found.dtype == np.uint8 else found


def _pictures(held: Mapping[str, bytes]) -> Iterator[str]:
    """Whether the pictures that are revealed are those whose digests were sealed."""
    found, rows = pictures_of(held), rows_of(held, QUERIES)
    if found is None:
        return
    if len(found) != len(rows):
        yield f"{REVEALED} holds {len(found)} pictures. {len(rows)} queries were sealed."
        return
    for row, picture in zip(rows, found, strict=True):
        if sha(np.ascontiguousarray(picture).tobytes()) != row["sha256"]:
            yield f"{REVEALED} holds another picture for query '{row['query']}' than the one that was sealed in {QUERIES}."
            return


def _chain(held: Mapping[str, bytes]) -> Iterator[str]:
    """Whether every line holds the digest of the one before, and the answers are those that were sealed, each once."""
    sealed = json_of(held, SEAL)
    before, seen = sha(held[SEAL]), set()
    order = [row["query"] for row in rows_of(held, QUERIES)]
    try:
        suspects = [one["name"] for one in sealed["suspects"]]
    except (KeyError, TypeError):
        yield f"{SEAL} lacks what a question needs: the suspects."
        return
    for number, line in enumerate(held[ANSWERS].splitlines(), 1):
        try:
            said = json_values(line)
            about = said["query"], said["suspect"]
            chained = said["before"]
        except (ValueError, TypeError, KeyError):
            yield f"Line {number} of {ANSWERS} cannot be read."
            return
        if chained != before:
            yield f"Line {number} of {ANSWERS} does not follow from the one before: field 'before'."
            return
        if about in seen or about[0] not in order or about[1] not in suspects:
            yield f"Line {number} of {ANSWERS} answers what was not asked: '{str(about[0])[:40]}' of '{str(about[1])[:40]}'."
            return
        seen.add(about)
        before = sha(line)
    if sealed.get("stop") == "none" and len(seen) != len(order) * len(suspects):
        yield f"{ANSWERS} holds {len(seen)} answers. {len(order)} queries to {len(suspects)} suspect(s) were sealed."
        return
    for suspect in suspects:  # where a verdict may be said early, the last queries may be left out, and nothing else
        given = [number for number, query in enumerate(order) if (query, suspect) in seen and query.startswith("0:")]
        until = max(given, default=len(order))
        for number, query in enumerate(order):
            if (query, suspect) not in seen and not (number > until and query.startswith("0:")):
                yield f"{ANSWERS} lacks the answer of '{str(suspect)[:40]}' to query '{query}', and not only the last ones."
                return


def rows_of(held: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    """The rows of a member that is a table.

    Raises:
        QurdError: it cannot be read.
    """
    try:
        return list(csv.DictReader(io.StringIO(held[name].decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise QurdError(f"{name} cannot be read: {error}.") from None
