"""Evidence that somebody else hands over: every hash, the chain, and the verdicts are computed again, without any model.

It shows that nothing changed since the file was written and that the verdicts follow; and, where the seal number was known
to somebody before, that scheme, queries, unrelated models and level were fixed before the answers. It does not show that the
answers came from the suspect, that the unrelated models are what they are called, that no other seal was thrown away, or
when anything happened.
"""

import csv
import io
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from qurd_core.errors import QurdError
from qurd_core.files import json_values, opened
from qurd_core.schemes import Scheme
from qurd_core.statistics.verdicts import Count
from qurd_core.suspects.asking import Heard
from qurd_core.suspects.evidence import (
    ANSWERS,
    FILES,
    FORMAT,
    NONE,
    QUERIES,
    REFERENCE,
    SEAL,
    VERDICT,
    canonical,
    plain,
    sha,
)
from qurd_core.suspects.judging import judged
from qurd_core.suspects.question import Question

MEMBERS, BYTES = 200, 2_000_000_000
NEEDED = (SEAL, QUERIES, REFERENCE, ANSWERS, VERDICT, FILES)


@dataclass(frozen=True)
class Verified:
    """What a look at evidence found.

    Attributes:
        number: the seal number, to be compared with the one that was handed over before.
        sentences: of the verdicts, by suspect, as they were computed again; none where something does not match.
        faults: what does not match, a sentence each.
    """

    number: str
    sentences: dict[str, list[str]]
    faults: list[str]


def verify(path: Path) -> Verified:
    """Compute everything in a folder or zip of evidence again.

    Raises:
        QurdError: it is no evidence.
    """
    held = _held(path)
    if SEAL not in held:
        raise QurdError(f"Expected evidence at {path}: a folder or zip with {SEAL}. There is none in it.")
    number = sha(held[SEAL])
    for check in (_members, _seal, _tables):
        if faults := list(check(held)):
            return Verified(number, {}, faults)
    sealed = _json(held, SEAL)
    try:
        asked, heard = _question(sealed), None
        faults = list(_chain(held, sealed))
        if not faults:
            heard = _answers(held, sealed, asked)
            found = [plain(one) for one in judged(asked, heard)]
            faults = list(_verdicts(held, found))
    except QurdError as error:
        return Verified(number, {}, [str(error)])
    return Verified(number, {} if faults else {one["suspect"]: one["sentences"] for one in found}, faults)


def _held(path: Path) -> dict[str, bytes]:
    """Every member of a folder or zip, within limits."""
    if path.is_dir():
        files = sorted(path.iterdir())
        if len(files) > MEMBERS or any(not stat.S_ISREG(one.lstat().st_mode) for one in files):
            raise QurdError(f"Expected at most {MEMBERS} plain files in {path}. It holds more, or links and folders.")
        if sum(one.stat().st_size for one in files) > BYTES:
            raise QurdError(f"Expected evidence of at most {BYTES:,} bytes in {path}. It holds more.")
        return {one.name: one.read_bytes() for one in files}
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


def _json(held: Mapping[str, bytes], name: str) -> Any:
    try:
        return json_values(held[name])
    except ValueError as error:
        raise QurdError(f"{name} cannot be read: {error}.") from None


def _members(held: Mapping[str, bytes]) -> Iterator[str]:
    """What is missing, is there beside the rest, or is not what `files.json` says."""
    for name in NEEDED:
        if name not in held:
            yield f"{name} is missing."
            return
    try:
        listed = _json(held, FILES)
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
    sealed = _json(held, SEAL)
    if canonical(sealed) != held[SEAL]:
        yield f"{SEAL} was written anew: it is not in the one spelling that it has."
    elif sealed.get("format") != FORMAT:
        yield f"{SEAL} has the format {sealed.get('format')!r}. This program reads {FORMAT}."


def _tables(held: Mapping[str, bytes]) -> Iterator[str]:
    """Whether the two tables are those that were sealed."""
    sealed = _json(held, SEAL)
    for name, field in ((QUERIES, "queries"), (REFERENCE, "reference")):
        if sealed.get(field) != sha(held[name]):
            yield f"{name} is not the table that was sealed: field '{field}' of {SEAL}."


def _chain(held: Mapping[str, bytes], sealed: Mapping[str, Any]) -> Iterator[str]:
    """Whether every line holds the digest of the one before, and the answers are those that were sealed, each once."""
    before, seen = sha(held[SEAL]), set()
    order = [row["query"] for row in _rows(held, QUERIES)]
    suspects = [one["name"] for one in sealed["suspects"]]
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
    if len(seen) != len(order) * len(suspects):
        yield f"{ANSWERS} holds {len(seen)} answers. {len(order)} queries to {len(suspects)} suspect(s) were sealed."


def _rows(held: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    try:
        return list(csv.DictReader(io.StringIO(held[name].decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise QurdError(f"{name} cannot be read: {error}.") from None


def _question(sealed: Mapping[str, Any]) -> Question:
    """What was asked, as the seal has it."""
    try:
        pool = sealed["pool"]
        return Question(
            sealed["victim"]["name"],
            tuple(one["name"] for one in sealed["suspects"]),
            tuple(one["name"] for one in pool),
            tuple(one["lineage"] for one in pool),
            tuple(one["name"] for one in sealed["hard"]),
            tuple(one["name"] for one in sealed["thieves"]),
            tuple(Scheme.parse(text) for text in sealed["scheme"]),
            None,
            sealed["budget"],
            float(sealed["level"]),
            sealed["stop"],
            sealed["fit"],
            sealed.get("forged", False),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise QurdError(f"{SEAL} lacks what a question needs, or holds it otherwise: {error}.") from None


def _answers(held: Mapping[str, bytes], sealed: Mapping[str, Any], asked: Question) -> dict[str, Heard]:
    """What everybody answered, by the two files that hold it."""
    labels: dict[str, dict[str, str]] = {}
    for row in _rows(held, REFERENCE):
        labels.setdefault(row["model"], {})[row["query"]] = row["label"]
    for line in held[ANSWERS].splitlines():
        said = json_values(line)
        labels.setdefault(said["suspect"], {})[said["query"]] = said["label"]
    everybody = (asked.victim, *asked.known, *asked.suspects)
    queries = [row["query"] for row in _rows(held, QUERIES)]
    for name in everybody:
        if set(labels.get(name, ())) != set(queries):
            raise QurdError(f"{REFERENCE} lacks answers of '{name}', or holds others.")
    known = {
        label: place for place, label in enumerate(sorted({one for by in labels.values() for one in by.values()} - {NONE}))
    }
    number, repeated = len(known), sealed["repeated"]
    fit = sorted((query for query in queries if query.startswith("fit:")), key=_place)
    parts = [
        sorted((query for query in queries if query.startswith(f"{part}:")), key=_place)
        for part in range(len(asked.schemes))
    ]

    def classes(name: str, some: Sequence[str]) -> torch.Tensor:
        return torch.tensor([known.get(labels[name][query], number) for query in some], dtype=torch.long)

    mine, heard = asked.victim, {}
    for name in (*asked.known, *asked.suspects):
        given = tuple(classes(name, some) for some in parts)
        agrees = [own == classes(mine, some) for own, some in zip(given, parts, strict=True)]
        easy = classes(name, fit)
        heard[name] = Heard(
            scores=tuple(float((~one).double().mean().float()) for one in agrees),
            agrees=agrees[0],
            missing=max(int((one == number).sum()) for one in given),
            fit=(easy == classes(mine, fit))[easy < number],
            labels=given,
            fit_labels=easy,
            fit_rows=torch.arange(len(fit)),
            repeated=Count(*repeated[name]) if name in repeated else None,
        )
    return heard


def _place(query: str) -> int:
    return int(query.partition(":")[2])


def _verdicts(held: Mapping[str, bytes], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What `verdict.json` says otherwise than the answers do."""
    said = _json(held, VERDICT)
    again = json_values(canonical(list(found)))
    if canonical(said) != held[VERDICT]:
        yield f"{VERDICT} was written anew: it is not in the one spelling that it has."
        return
    if [one.get("suspect") for one in said] != [one["suspect"] for one in again]:
        yield f"{VERDICT} is about other suspects than the answers."
        return
    for theirs, ours in zip(said, again, strict=True):
        for name in sorted({*theirs, *ours}):
            if theirs.get(name) != ours.get(name):
                yield (
                    f"{VERDICT} says {name} {str(theirs.get(name))[:80]} of '{ours['suspect']}', the answers give"
                    f" {str(ours.get(name))[:80]}."
                )
                return
