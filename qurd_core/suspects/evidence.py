"""Evidence: what is fixed before a suspect is asked, what it answered, and what follows, for a third party to follow.

`records.sealed` tells what its files are; `verifying` reads them.
"""

import csv
import io
import json
import secrets
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from qurd_core.benchmarks.base import Benchmark
from qurd_core.errors import QurdError
from qurd_core.evaluation.workbench import PART, Workbench
from qurd_core.files import publish
from qurd_core.findings.language.verdict_words import said
from qurd_core.records.sealed import (
    ANSWERS,
    FILES,
    FORMAT,
    NONE,
    PICTURES,
    QUERIES,
    REFERENCE,
    REVEALED,
    SEAL,
    VERDICT,
    canonical,
    rows_of,
    sha,
)
from qurd_core.runtime import Runtime
from qurd_core.schemes import REFERENCE as REFERENCE_SCHEME
from qurd_core.statistics.sequential import P0
from qurd_core.statistics.verdicts import Verdict
from qurd_core.suspects.asking import EASY, Heard, Query, hear, in_any_order, sent
from qurd_core.suspects.question import QUERY_SEED, Question

RULE = "conformal, by lineages"


def seal_number(folder: Path) -> str:
    """SHA-256 of a seal, to be handed to a third party before anything is asked."""
    return sha((folder / SEAL).read_bytes())


def seal(bench: Benchmark, asked: Question, desk: Workbench, runtime: Runtime | None, folder: Path) -> dict[str, Heard]:
    """Ask the victim and all known models, and fix the question on disk; no suspect is asked.

    Returns:
        what they answered.

    Raises:
        QurdError: a scheme compares more than labels, the pool is too small for the level, or the folder holds something.
    """
    _check(asked, folder)
    heard = hear(asked, desk, runtime, (asked.victim, *asked.known))
    pictures = {query.name: _digest(query) for query in sent(asked, desk)}
    order = in_any_order(asked, [*pictures])
    queries = _csv(("query", "sha256"), [(query, pictures[query]) for query in order])
    reference = _csv(("query", "model", "label"), _labels(bench, heard, order))
    sources = {name: bench.digest(name) for name in (asked.victim, *asked.known, *asked.suspects)}
    about = {
        "format": FORMAT,
        "program": _version(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "nonce": secrets.token_hex(32),
        "victim": {"name": asked.victim, "digest": sources[asked.victim]},
        "pool": [
            {"name": name, "lineage": root, "digest": sources[name]}
            for name, root in zip(asked.pool, asked.roots, strict=True)
        ],
        "hard": [{"name": name, "digest": sources[name]} for name in asked.hard],
        "thieves": [{"name": name, "digest": sources[name]} for name in asked.thieves],
        "forged": asked.forged,
        "suspects": [{"name": name, "source": sources[name]} for name in asked.suspects],
        "scheme": [str(scheme) for scheme in asked.schemes],
        "parts": [sha(canonical(scheme.identity(PART))) for scheme in asked.schemes],
        "budget": asked.budget,
        "fit": asked.fit,
        "query_seed": QUERY_SEED,
        "level": asked.level,
        "rule": RULE,
        "stop": asked.stop,
        "p0": P0,
        "repeated": {name: list(one.repeated) for name, one in heard.items() if one.repeated},
        "family": len(asked.suspects),
        "attempt": _attempt(desk, sources[asked.victim]),
        "queries": sha(queries),
        "reference": sha(reference),
    }
    for name, data in ((QUERIES, queries), (REFERENCE, reference), (SEAL, canonical(about))):
        publish(folder / name, data)
    return heard


def conclude(
    bench: Benchmark, asked: Question, heard: Mapping[str, Heard], verdicts: Sequence[Verdict], folder: Path
) -> None:
    """Put what suspects answered, and the verdicts, beside the seal of the question."""
    lines, before = [], seal_number(folder)
    for query, name, label in _labels(bench, {name: heard[name] for name in asked.suspects}, sealed_order(folder)):
        lines.append(canonical({"before": before, "query": query, "suspect": name, "label": label}))
        before = sha(lines[-1])
    publish(folder / ANSWERS, b"".join(line + b"\n" for line in lines))
    publish(folder / VERDICT, canonical([plain(one) for one in verdicts]))
    names = sorted(path.name for path in folder.iterdir() if path.name != FILES)
    held = {name: (folder / name).read_bytes() for name in names}
    listed = [{"name": name, "bytes": len(data), "sha256": sha(data)} for name, data in held.items()]
    publish(folder / FILES, canonical(listed))


def plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict and its words as JSON values."""
    left_out = {"assumptions"} if verdict.forged else {"assumptions", "forged"}
    return {name: value for name, value in asdict(verdict).items() if name not in left_out} | {"sentences": said(verdict)}


def zipped(folder: Path, path: Path) -> Path:
    """One file of a folder of evidence, stored and not deflated, with fixed times."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as file:
        for one in sorted(folder.iterdir()):
            file.writestr(zipfile.ZipInfo(one.name), one.read_bytes())
    return publish(path, held.getvalue())


def unsealable(asked: Question) -> str | None:
    """Why a question cannot be sealed whatever its pool is, as a sentence; None where it can."""
    if asked.then:
        return f"Expected no second scheme beside evidence. Got '{asked.then.label}': leave out --then."
    others = [scheme.label for scheme in asked.schemes if not scheme.counts_agreements]
    if not others:
        return None
    return (
        f"Expected schemes that compare labels query by query, so that a third party can follow them. Got '{others[0]}':"
        f" seal another one, such as {REFERENCE_SCHEME}."
    )


def _check(asked: Question, folder: Path) -> None:
    if why := unsealable(asked):
        raise QurdError(why)
    if not asked.may_tell:
        raise QurdError(
            f"Expected {asked.needed} unrelated lineages for {len(asked.suspects)} suspect(s) at this level before anything"
            f" is sealed. There are {asked.lineages}."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise QurdError(f"Expected a new folder for the evidence. {folder} holds something already: name another one.")


def check_seal(bench: Benchmark, asked: Question, folder: Path) -> None:
    """
    Raises:
        QurdError: the seal in a folder is of another question, or the evidence there is complete already.
    """
    try:
        sealed = json.loads((folder / SEAL).read_bytes())
    except (OSError, ValueError):
        raise QurdError(
            f"Expected a seal at {folder / SEAL}. There is none that can be read: seal the question first."
        ) from None
    if (folder / FILES).exists():
        raise QurdError(f"The evidence in {folder} is complete. Seal another question in a new folder.")
    now = {
        "victim": bench.digest(asked.victim),
        "pool": [bench.digest(name) for name in asked.pool],
        "suspects": [bench.digest(name) for name in asked.suspects],
        "scheme": [str(scheme) for scheme in asked.schemes],
        "budget": asked.budget,
        "fit": asked.fit,
        "level": repr(asked.level),
        "stop": asked.stop,
    }
    then = {
        "victim": sealed["victim"]["digest"],
        "pool": [one["digest"] for one in sealed["pool"]],
        "suspects": [one["source"] for one in sealed["suspects"]],
        **{name: sealed[name] for name in ("scheme", "budget", "fit", "level", "stop")},
    }
    for name, value in now.items():
        if then[name] != value:
            raise QurdError(
                f"The seal in {folder} is of another question: its {name} is another one. Ask as it was sealed, or seal"
                " anew."
            )


def reveal(asked: Question, desk: Workbench, folder: Path) -> None:
    """Put the pictures of all queries beside the seal, in the order of their table: eight bits where these give them back.
    Whoever sees them can have a model answer them in a special way, so they are burnt afterwards.
    """
    found = {query.name: query.x for query in sent(asked, desk)}
    x = torch.stack([found[name] for name in sealed_order(folder)])
    bytes_ = (255 * x).round().to(torch.uint8)
    publish(folder / REVEALED, save({PICTURES: bytes_ if torch.equal(bytes_.float() / 255, x) else x}))


def sealed_order(folder: Path) -> list[str]:
    """The queries in the order in which they are asked."""
    return [row["query"] for row in rows_of({QUERIES: (folder / QUERIES).read_bytes()}, QUERIES)]


def _digest(query: Query) -> str:
    """Of its pixels; of an item without pixels that of its place."""
    return sha(query.x.contiguous().numpy().tobytes() if query.x.numel() else query.item.encode())


def _labels(bench: Benchmark, heard: Mapping[str, Heard], order: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    """Query, model and class of every answer, in the order of the queries."""
    for query in order:
        part, place = query.split(":")
        for name, one in heard.items():
            labels = one.fit_labels if part == EASY else one.labels[int(part)]
            if int(place) >= len(labels):  # its verdict stood before
                continue
            label = int(labels[int(place)])
            yield query, name, bench.classes[label] if label < len(bench.classes) else NONE


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return held.getvalue().encode()


def _attempt(desk: Workbench, victim: str) -> int:
    """How many seals of a victim there are in this store with this one."""
    path = desk.store.folder / "seals" / f"{victim}.txt"
    number = int(path.read_text()) + 1 if path.exists() else 1
    publish(path, str(number).encode())
    return number


def _version() -> str:
    try:
        return version("qurd-explorer")
    except PackageNotFoundError:
        return "of a checkout"
