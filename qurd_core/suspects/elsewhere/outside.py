"""Suspects that are not here: what a check sends to them, what that costs, and what they answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.own.answer_table import AnswerTable, answers_of
from qurd_core.benchmarks.own.sources.by_picture import name_of
from qurd_core.errors import QurdError
from qurd_core.evaluation.workbench import Workbench, eight_bits, workbench
from qurd_core.runtime import Runtime
from qurd_core.schemes import REFERENCE
from qurd_core.statistics.printed import percent
from qurd_core.store import Store
from qurd_core.suspects.asking import EASY, Heard, changed_by_rounding, in_any_order, labels_of, sent
from qurd_core.suspects.elsewhere import by_hand
from qurd_core.suspects.elsewhere.egress import Line
from qurd_core.suspects.elsewhere.errand import Errand
from qurd_core.suspects.elsewhere.journal import journal_of
from qurd_core.suspects.judging import decided
from qurd_core.suspects.question import Question, question

MOST_CHANGED = 0.1  # share of the victim's labels
WHOEVER = "whoever is asked"


@dataclass(frozen=True)
class Outside:
    """How suspects are heard that are not here.

    Attributes:
        agree: hears what requests will cost, before the first one leaves; whether they may. None sends nothing, and takes
            what was answered before.
        hosts: that may be asked though they are not public, or over plain http.
        answers: what came back from whoever was sent pictures by hand.
    """

    agree: Callable[[str], bool] | None = None
    hosts: tuple[str, ...] = ()
    answers: AnswerTable | None = None

    def names(self, bench: Benchmark) -> set[str]:
        """The suspects that are not here."""
        return {*bench.remote, *(self.answers.lineages if self.answers else ())}

    def rounding(self, asked: Question, rounded: Workbench, plain: Workbench) -> list[str]:
        """What is to be known of queries that are sent as pictures.

        Raises:
            QurdError: rounding to 8 bits changes them too much.
        """
        if all(scheme.natural for scheme in asked.compared):
            return []
        share = changed_by_rounding(asked, rounded, plain)
        if share > MOST_CHANGED:
            raise QurdError(
                f"Expected queries that survive 8 bits, as pictures have them. {percent(share)} of the answers of"
                f" '{asked.victim}' to those of '{asked.scheme}' change: choose natural ones, such as {REFERENCE}."
            )
        return [f"Queries are sent as pictures of 8 bits: {percent(share)} of the victim's answers to them change by that."]

    def errands(
        self, asked: Question, desk: Workbench, heard: Mapping[str, Heard], order: Sequence[str] | None = None
    ) -> list[Errand]:
        """What every API among the suspects is sent; nothing leaves by that.

        Args:
            heard: what the pool answered.
            order: names of queries as `sent` gives them, in the order in which they leave; one that nobody can foresee if
                not given.
        """
        remote = [name for name in asked.suspects if name in desk.bench.remote]
        if not remote:
            return []
        pictures = _pictures(asked, desk)
        names = {query: name for query, (name, _) in pictures.items()}
        queries = tuple(name for query, name in names.items() if query.startswith("0:"))
        easy = frozenset(name for query, name in names.items() if query.startswith(EASY))
        ordered = dict(pictures[query] for query in order or in_any_order(asked, [*pictures]))
        labels = labels_of(asked, desk, asked.victim)
        about = (queries, easy, labels, asked.stop != "none", partial(decided, asked, heard))
        apis = ((name, desk.bench.remote[name], desk.bench.source.outputs(name)) for name in remote)
        return [
            Errand(name, api, journal_of(desk.store.folder, api.address), theirs, desk.bench.classes, ordered, *about)
            for name, api, theirs in apis
        ]

    def hear(
        self,
        asked: Question,
        desk: Workbench,
        runtime: Runtime,
        heard: Mapping[str, Heard],
        order: Sequence[str] | None = None,
    ) -> tuple[Workbench, list[str]]:
        """The workbench with what they answered, and what is to be known, a sentence each; whoever answers over a network
        is asked.

        Args:
            heard, order: see `errands`.
        """
        errands, notes = self.errands(asked, desk, heard, order), []
        lines = {errand.suspect: self._agreed(errand) for errand in errands}  # to all, before one of them is asked
        for errand in errands:
            if line := lines[errand.suspect]:
                asking = errand.asking(line)
                asking.all(runtime.track)
                notes += asking.notes
            notes += errand.notes()
        return self.told(asked, desk, errands), notes

    def told(self, asked: Question, desk: Workbench, errands: Sequence[Errand]) -> Workbench:
        """The workbench with what suspects elsewhere answered."""
        told = {errand.suspect: errand.told() for errand in errands}
        if self.answers:
            models = [name for name in asked.suspects if name in self.answers.lineages]
            told |= by_hand.told(self.answers, dict(_pictures(asked, desk).values()), models)
        return replace(desk, told=told)

    def line(self, errand: Errand) -> Line:
        """The way to an API.

        Raises:
            QurdError: it may not be asked.
        """
        return Line(errand.api, self.hosts)

    def _agreed(self, errand: Errand) -> Line | None:
        """The way to an API that may be asked; None where nothing is left to ask, or nothing is to be sent."""
        bill = errand.bill if self.agree else None
        if not bill or not bill.requests:
            return None
        line = self.line(errand)
        if not self.agree(str(bill)):
            raise QurdError(f"Nothing was sent to {errand.api.host}.")
        return line


def _pictures(asked: Question, desk: Workbench) -> dict[str, tuple[str, np.ndarray]]:
    """Name and pixels (3,H,W) uint8 of the picture of every query, by the name of the query."""
    found = {query.name: eight_bits(query.x).numpy() for query in sent(asked, desk)}
    return {query: (name_of(picture), picture) for query, picture in found.items()}


def outside_of(
    bench: Benchmark, agree: Callable[[str], bool] | None, hosts: Sequence[str], answers: Path | None
) -> tuple[Benchmark, Outside]:
    """A benchmark with the suspects of a table of answers that came back, if any did, and how to hear those elsewhere."""
    found = None if answers is None else answers_of(answers, bench.classes)
    return bench if found is None else by_hand.joined(bench, found), Outside(agree, tuple(hosts), found)


def write_queries(
    bench: Benchmark,
    victim: str | None,
    schemes: Sequence[str],
    budget: int,
    fit: int | None,
    store: Store,
    runtime: Runtime,
    folder: Path,
) -> Path:
    """Write the pictures that a suspect is sent, for somebody who asks it by hand: see `by_hand.write`."""
    whoever = replace(bench, suspects=(WHOEVER,))
    how: dict[str, Any] = {"budget": budget, "level": 0.5, "stop": "none", "fit": fit}
    asked = question(whoever, victim, (WHOEVER,), schemes, **how, elsewhere=(WHOEVER,))
    pictures = _pictures(asked, workbench(bench, store, runtime, rounded=True))
    return by_hand.write((picture for _, picture in pictures.values()), folder)
