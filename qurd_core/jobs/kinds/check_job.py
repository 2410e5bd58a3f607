"""Asks about suspects while somebody watches: a job of the worker.

First every model of known origin, one by one, then the suspects, a few queries at a time. What is known so far lies beside
the job after every step, so that whoever stops it sees how far it came; every answer is kept, and the next try goes on.

Suspects behind APIs come last. The job ends before the first request leaves and says what would be sent and what that costs;
it sends that when it is asked for again after somebody has agreed (`views.check.checked.agree`).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from qurd_core.benchmarks.base import Benchmark, benchmark
from qurd_core.runtime import Runtime
from qurd_core.statistics.verdicts import LEVEL
from qurd_core.store import Store
from qurd_core.suspects.checking import Step, desk_for, watched
from qurd_core.suspects.elsewhere.network import Bill
from qurd_core.suspects.elsewhere.outside import Outside
from qurd_core.suspects.evidence import unsealable
from qurd_core.suspects.judging import scores
from qurd_core.suspects.question import Question, question
from qurd_core.views.check.checked import ENDING, MODELS, Asks, Checked, was_agreed

FOLDER = "evidence"  # the ending of the folder of evidence, until it is a zip


def run(
    folder: Path,
    stem: Path,
    progress: Callable[[int, int], None],
    *,
    victim: str,
    suspects: Sequence[str],
    scheme: str,
    budget: int,
    stop: str,
    version: str,
    **where: str,
) -> None:
    """Leave `<stem>.verdict`, which `Checked` reads, and `<stem>.zip` with the evidence where the question can be sealed.

    Steps are the models of known origin, and then the queries of the budget.

    Args:
        where: the `benchmark`.
    """
    bench, outside = benchmark(where["benchmark"]), Outside()
    elsewhere = outside.names(bench)
    how = {"budget": budget, "level": LEVEL, "stop": stop, "fit": None}
    asked = question(bench, victim, suspects, (scheme,), **how, elsewhere=elsewhere)
    desk, first = desk_for(bench, asked, Store(folder), Runtime(), outside), 1 + len(asked.known)
    progress(0, first + budget)

    def agreed(bills: Mapping[str, Bill]) -> bool:
        return was_agreed(stem, _asks(bills))

    with closing(watched(bench, asked, desk, stem.with_suffix(f".{FOLDER}"), outside, agreed)) as steps:
        for step in steps:
            if step.heard or step.found:
                as_seen(bench, asked, step).write(stem.with_suffix(f".{ENDING}"))
            progress(step.known + step.sent, first + budget)


def as_seen(bench: Benchmark, asked: Question, step: Step) -> Checked:
    """What a page shows of a step."""
    found = step.found
    return Checked(
        victim=asked.victim,
        suspects=asked.suspects,
        scheme=asked.scheme,
        budget=asked.budget,
        stop=asked.stop,
        level=asked.level,
        sent=step.sent,
        models=pd.DataFrame(_models(bench, asked, step), columns=[*MODELS]),
        verdicts=found.each if found else (),
        notes=found.notes if found else bench.caveats,
        seal=step.seal,
        unsealed=unsealable(asked),
        asks=_asks(step.bills),
        paid=step.paid,
    )


def _asks(bills: Mapping[str, Bill]) -> tuple[Asks, ...]:
    return tuple(Asks(name, bill.requests, str(bill)) for name, bill in bills.items())


def _models(bench: Benchmark, asked: Question, step: Step) -> Iterator[Mapping[str, Any]]:
    """Rows of `MODELS`; none where nobody was asked."""
    if not step.heard:
        return
    heard, counted = step.heard, asked.schemes[0].counts_agreements
    others = [name for name in (*asked.hard, *asked.suspects) if name in heard]
    values = dict(
        zip((*asked.pool, *others), (value for side in scores(asked, heard, others) for value in side), strict=True)
    )
    for side, names in (("unrelated", asked.pool), ("hard", asked.hard), ("suspect", asked.suspects)):
        for name in names:
            agrees = _bits(heard[name].agrees if name in heard else step.agrees.get(name)) if counted else ""
            root = bench.root(name) if side != "suspect" else ""
            value = float(values.get(name, math.nan))
            yield {
                "model": name,
                "side": side,
                "root": root,
                "score": None if math.isnan(value) else value,
                "agrees": agrees,
            }


def _bits(agrees: Tensor | None) -> str:
    """A letter for every query so far."""
    return "" if agrees is None else "".join("1" if bit else "0" for bit in agrees.tolist())
