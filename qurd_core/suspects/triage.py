"""Hundreds of models of unknown origin, ranked by how close they are to a victim, with the false alarms to expect."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from qurd_core.benchmarks.base import Benchmark
from qurd_core.errors import QurdError, unknown
from qurd_core.evaluation.workbench import workbench
from qurd_core.files import publish
from qurd_core.findings.language import words
from qurd_core.runtime import Runtime
from qurd_core.statistics.printed import percent
from qurd_core.statistics.verdicts import LEVEL, expected_false_alarms, false_alarm_range, needed_lineages
from qurd_core.store import Store
from qurd_core.suspects.asking import hear
from qurd_core.suspects.checking import answered
from qurd_core.suspects.judging import scores
from qurd_core.suspects.question import Question

DIRECTIONS, IDS = ("high", "low"), ("name", "number")
COLUMNS = ("rank", "suspect", "score", "tied_with", "p", "q", "expected_false_alarms", "used", "missing", "note")
HEAD = "# small score = close to the victim\n"


def ranked(bench: Benchmark, asked: Question, store: Store, runtime: Runtime) -> pd.DataFrame:
    """One row per suspect with `COLUMNS`, the closest first.

    Without unrelated models there is a ranking and no p. About whom nothing can be said, a note says why.
    """
    if asked.pool:
        each = answered(bench, asked, store, runtime, leads=True).each
        rows = [(one.suspect, one.score, one.p, one.p_adjusted, one.asked, one.missing, one.reason or "") for one in each]
    else:
        heard = hear(asked, workbench(bench, store, runtime), runtime, asked.suspects)
        found = zip(asked.suspects, scores(asked, heard, asked.suspects)[1], strict=True)
        rows = [(name, score, math.nan, math.nan, len(heard[name].agrees), heard[name].missing, "") for name, score in found]
    table = pd.DataFrame(rows, columns=["suspect", "score", "p", "q", "used", "missing", "note"])
    table = table.sort_values(["score", "suspect"], na_position="last", ignore_index=True)
    alike = table.groupby("score")["score"].transform("size").fillna(1).astype(int) - 1
    expected = expected_false_alarms(table["p"], len(table))
    return table.assign(rank=np.arange(1, len(table) + 1), tied_with=alike, expected_false_alarms=expected)[[*COLUMNS]]


def write(table: pd.DataFrame, path: Path) -> Path:
    """The ranking as CSV, below a line that says its direction."""
    return publish(path, (HEAD + table.to_csv(index=False, float_format="%.6g")).encode())


def write_submission(table: pd.DataFrame, path: Path, direction: str, ids: str) -> Path:
    """`id,score` as contests take it: every suspect once, and every score finite.

    Args:
        direction: `"high"` writes minus the distance, so that a high score means stolen.
        ids: `"number"` takes the digits at the end of each name.

    Raises:
        QurdError: a name without a number, or two names with one.
    """
    for what, value, known in (("direction", direction, DIRECTIONS), ("kind of id", ids, IDS)):
        if value not in known:
            raise unknown(what, value, known)
    worst = table["score"].max()
    distance = table["score"].fillna(1.0 if math.isnan(worst) else worst)
    found = pd.DataFrame({"id": table["suspect"], "score": -distance if direction == "high" else distance})
    if ids == "number":
        found["id"] = [_number(name) for name in found["id"]]
        if found["id"].duplicated().any():
            twice = found.loc[found["id"].duplicated(), "id"].iloc[0]
            raise QurdError(f"Expected a number of its own at the end of every name. Two suspects end with {twice}.")
        found = found.sort_values("id")
    return publish(path, found.to_csv(index=False, float_format="%.9g").encode())


def sentences(asked: Question, table: pd.DataFrame) -> Iterator[str]:
    """What a ranking says and what it does not, from its numbers."""
    number, lineages = len(table), asked.lineages
    if not lineages:
        yield f"{words.counted(number, 'suspect')} ranked. There is no p without unrelated models: how close is close?"
        return
    judged = int(table["p"].notna().sum())
    if lineages >= needed_lineages(LEVEL):
        low, high = false_alarm_range(lineages, judged, LEVEL)
        yield (
            f"At {percent(LEVEL)} of {words.counted(judged, 'suspect')}, expect {LEVEL * judged:.3g} false alarms if all are"
            f" unrelated; {low} to {high} in 95 % of cases, because all share one pool of {lineages} unrelated lineages."
        )
    else:
        yield f"{lineages} unrelated lineages allow no threshold at {percent(LEVEL)}: {needed_lineages(LEVEL)} are needed."
    if lineages < needed_lineages(LEVEL, judged):
        needed = needed_lineages(LEVEL, judged)
        yield (f"No suspect can be called closer with {lineages} unrelated lineages ({needed:,} needed): this is a ranking.")
    leads = table[table["q"] <= LEVEL]
    if len(leads):
        expected = float(leads["expected_false_alarms"].max())
        yield (
            f"Leads, no verdicts: {len(leads)} of {judged} are this close, {expected:.2g} would be expected if all were"
            " unrelated."
        )
    if len(table) > judged:
        yield f"No verdict on {len(table) - judged} of {number}: see their notes."


def _number(name: str) -> int:
    found = re.search(r"(\d{1,18})$", name)
    if not found:
        raise QurdError(f"Expected digits at the end of every name for --ids number. Got '{name}': use --ids name.")
    return int(found[1])
