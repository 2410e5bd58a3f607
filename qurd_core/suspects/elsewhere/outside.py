"""Suspects that are not here: what a check sends to them, what that costs, and what they answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.own.answer_table import AnswerTable, answers_of
from qurd_core.benchmarks.own.sources.by_picture import ByPicture, name_of, png
from qurd_core.errors import QurdError
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.runtime import Runtime
from qurd_core.schemes import REFERENCE
from qurd_core.statistics.printed import percent
from qurd_core.store import Store
from qurd_core.suspects.asking import changed_by_rounding, sent
from qurd_core.suspects.elsewhere import by_hand, network
from qurd_core.suspects.elsewhere.egress import Line
from qurd_core.suspects.elsewhere.journal import journal_of
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

    def hear(
        self, asked: Question, desk: Workbench, runtime: Runtime, order: Sequence[str] | None = None
    ) -> tuple[Workbench, list[str]]:
        """The workbench with what they answered, and what is to be known, a sentence each.

        Args:
            order: names of queries as `sent` gives them, in the order in which they are to be asked; one that nobody can
                foresee if not given.
        """
        queries = {query: (name_of(picture), picture) for query, picture in sent(asked, desk)}
        pictures, sealed = dict(queries.values()), [queries[query][0] for query in order] if order else None
        told: dict[str, ByPicture] = {}
        notes: list[str] = []
        if self.answers:
            told |= by_hand.told(self.answers, pictures, [name for name in asked.suspects if name in self.answers.lineages])
        remote = [name for name in asked.suspects if name in desk.bench.remote]
        lines = {name: self._agreed(name, desk, list(pictures)) for name in remote}  # to all, before one of them is asked
        for name in remote:
            told[name], more = _over_network(name, desk, pictures, runtime, sealed, lines[name])
            notes += more
        return replace(desk, told=told), notes

    def _agreed(self, name: str, desk: Workbench, pictures: list[str]) -> Line | None:
        """The way to an API that may be asked; None where nothing is left to ask, or nothing is to be sent."""
        api = desk.bench.remote[name]
        bill = network.bill(api, pictures, journal_of(desk.store.folder, api.address)) if self.agree else None
        if not bill or not bill.requests:
            return None
        line = Line(api, self.hosts)
        if not self.agree(str(bill)):
            raise QurdError(f"Nothing was sent to {api.host}.")
        return line


def _over_network(
    name: str,
    desk: Workbench,
    pictures: dict[str, np.ndarray],
    runtime: Runtime,
    order: Sequence[str] | None,
    line: Line | None,
) -> tuple[ByPicture, list[str]]:
    """What an API answered, and what is to be known; it is asked about the rest where there is a way to it."""
    api, classes, notes = desk.bench.remote[name], desk.bench.source.outputs(name), []
    journal = journal_of(desk.store.folder, api.address)
    if line:
        files = {picture: png(pixels) for picture, pixels in pictures.items()}
        ordered = {picture: files[picture] for picture in order} if order else network.in_any_order(files)
        notes += network.ask(api, ordered, journal, line, classes, runtime.track)
    found = network.answers(api, journal, classes)
    if again := network.repeated(api, journal, list(pictures), classes):
        notes.append(again)
    return ByPicture(_in_our_order(found, classes, desk.bench.classes), len(classes), api.digest), notes


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
    return by_hand.write((picture for _, picture in sent(asked, workbench(bench, store, runtime, rounded=True))), folder)


def _in_our_order(rows: dict[str, list[float]], theirs: Sequence[str], ours: Sequence[str]) -> dict[str, list[float]]:
    """Rows over classes in the order of an API, in that of the benchmark."""
    places: list[Any] = [list(theirs).index(name) for name in ours]
    return {name: [row[place] for place in places] + row[-1:] for name, row in rows.items()}
