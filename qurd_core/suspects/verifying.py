"""Evidence that somebody else hands over: every hash, the chain, and the verdicts are computed again, without any model.

It shows that nothing changed since the file was written and that the verdicts follow; and, where the seal number was known
to somebody before, that scheme, queries, unrelated models and level were fixed before the answers. It does not show that the
answers came from the suspect, that the unrelated models are what they are called, that no other seal was thrown away, or
when anything happened.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from qurd_core.benchmarks.base import Benchmark
from qurd_core.errors import QurdError, unknown
from qurd_core.evaluation.workbench import workbench
from qurd_core.files import json_values
from qurd_core.records.sealed import (
    ANSWERS,
    NONE,
    QUERIES,
    REFERENCE,
    SEAL,
    VERDICT,
    canonical,
    faults_of,
    held_in,
    json_of,
    pictures_of,
    rows_of,
    sha,
)
from qurd_core.runtime import Runtime
from qurd_core.schemes import Scheme
from qurd_core.statistics.verdicts import Count
from qurd_core.store import Store
from qurd_core.suspects.asking import EASY, Heard, disagreement
from qurd_core.suspects.evidence import plain
from qurd_core.suspects.judging import decided, judged
from qurd_core.suspects.question import Question

ENOUGH = 0.99  # share of equal answers: what is computed on another machine may differ in the last digit


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
    held = held_in(path)
    if SEAL not in held:
        raise QurdError(f"Expected evidence at {path}: a folder or zip with {SEAL}. There is none in it.")
    number = sha(held[SEAL])
    try:
        if faults := faults_of(held):
            return Verified(number, {}, faults)
        sealed = json_of(held, SEAL)
        asked = _question(sealed)
        heard = _answers(held, sealed, asked)
        found = [plain(one) for one in judged(asked, heard)]
        faults = list(_early(asked, heard)) or list(_verdicts(held, found))
    except QurdError as error:
        return Verified(number, {}, [str(error)])
    return Verified(number, {} if faults else {one["suspect"]: one["sentences"] for one in found}, faults)


class Again(NamedTuple):
    """What a model says when it is asked again.

    Attributes:
        equal, of: answers that are those of the evidence, of the answers that it holds.
        same: whether the model has the digest that was sealed.
    """

    equal: int
    of: int
    same: bool

    @property
    def holds(self) -> bool:
        """Whether it is the model that answered, as far as its answers tell."""
        return self.equal >= ENOUGH * self.of


def ask_again(path: Path, name: str, bench: Benchmark, store: Store, runtime: Runtime) -> Again:
    """Ask a model the revealed queries of evidence in which all matches.

    Args:
        name: of the model, in the evidence and in the benchmark.

    Raises:
        QurdError: the pictures are not revealed, the model answered nothing there, or it cannot be asked.
    """
    held = held_in(path)
    pictures, sealed = pictures_of(held), json_of(held, SEAL)
    if pictures is None:
        raise QurdError(f"Expected the pictures of the queries in {path}. Only 'check --reveal' puts them into evidence.")
    answers = _labels(held).get(name)
    if answers is None:
        raise unknown("model of the evidence", name, _labels(held))
    if name not in (*bench.models, *bench.suspects):
        raise unknown(f"model of {bench.name}", name, (*bench.suspects, *bench.models))
    if not bench.source.asks:
        raise QurdError(f"Expected models that can be asked. {bench.name} holds answers alone.")
    labels = workbench(bench, store, runtime).oracle(name).labels(torch.from_numpy(pictures)).tolist()
    given = [answers[row["query"]] for row in rows_of(held, QUERIES)]
    pairs = [(was, bench.classes[now]) for was, now in zip(given, labels, strict=True) if was != NONE]
    digests = {one["name"]: one.get("digest", one.get("source")) for one in _models(sealed)}
    return Again(sum(was == now for was, now in pairs), len(pairs), digests.get(name) == bench.digest(name))


def names_in(path: Path) -> list[str]:
    """The models that answered in evidence."""
    return list(_labels(held_in(path)))


def _models(sealed: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [sealed["victim"], *sealed["pool"], *sealed["hard"], *sealed["thieves"], *sealed["suspects"]]


def _labels(held: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """By model and query, what was answered."""
    labels: dict[str, dict[str, str]] = {}
    for row in rows_of(held, REFERENCE):
        labels.setdefault(row["model"], {})[row["query"]] = row["label"]
    for line in held[ANSWERS].splitlines():
        said = json_values(line)
        labels.setdefault(said["suspect"], {})[said["query"]] = said["label"]
    return labels


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
    labels = _labels(held)
    queries = [row["query"] for row in rows_of(held, QUERIES)]
    for name in (asked.victim, *asked.known):
        if set(labels.get(name, ())) != set(queries):
            raise QurdError(f"{REFERENCE} lacks answers of '{name}', or holds others.")
    known = {
        label: place for place, label in enumerate(sorted({one for by in labels.values() for one in by.values()} - {NONE}))
    }
    number, repeated = len(known), sealed["repeated"]
    fit = sorted((query for query in queries if query.startswith(f"{EASY}:")), key=_place)
    parts = [
        sorted((query for query in queries if query.startswith(f"{part}:")), key=_place)
        for part in range(len(asked.schemes))
    ]

    def classes(name: str, some: Sequence[str]) -> torch.Tensor:
        given = (labels[name][query] for query in some if query in labels[name])
        return torch.tensor([known.get(label, number) for label in given], dtype=torch.long)

    mine, heard = asked.victim, {}
    for name in (*asked.known, *asked.suspects):
        given = tuple(classes(name, some) for some in parts)
        agrees = [own == classes(mine, some)[: len(own)] for own, some in zip(given, parts, strict=True)]
        easy = classes(name, fit)
        heard[name] = Heard(
            scores=tuple(map(disagreement, agrees)),
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


def _early(asked: Question, heard: Mapping[str, Heard]) -> Iterator[str]:
    """Suspects who were not asked everything, though no verdict stood."""
    for name in asked.suspects:
        given = len(heard[name].agrees)
        if given < len(heard[asked.pool[0]].agrees) and decided(asked, heard, heard[name].agrees) != given:
            yield f"{ANSWERS} ends after {given} queries to '{name}', after which no verdict stood for the first time."


def _verdicts(held: Mapping[str, bytes], found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What `verdict.json` says otherwise than the answers do."""
    said = json_of(held, VERDICT)
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
