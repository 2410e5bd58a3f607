"""How the numbers of a view are had again: one description of what it shows, as a command and as Python."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.records import evidence, measured, rate_records
from qurd_core.records.obfuscation_records import PLAIN, WORST, Behind
from qurd_core.statistics.metrics import Rule
from qurd_core.statistics.sides import Negatives

NO_COMMAND = "No command gives these rows; the Python does."
_NO_WORST = (
    "No command gives the worst known, which is another obfuscation for every scheme and budget; the Python reads it from"
    " the records."
)


class Again(NamedTuple):
    """What a view offers beside its data.

    Attributes:
        command, code: shell and Python; empty where there is none.
        note: what they leave out, or why there is none, in one sentence.
    """

    command: str
    code: str
    note: str = ""


@dataclass(frozen=True)
class Rates:
    """Rates of some combinations on one benchmark: the arguments of `evaluate`, and of `evidence.select` for what was
    published, whose models nobody can ask.

    Attributes:
        labels: names, or texts of combinations without one.
        task: a task, or `"all"`.
        by_task: every task has rows, not the chosen one alone.
        pool: the lineages that calibrate, all if empty.
        behind: what stands before suspects.
    """

    benchmark: str
    labels: tuple[str, ...]
    budgets: tuple[int, ...]
    seeds: int
    task: str = "all"
    negatives: Negatives = "unrelated"
    rule: Rule = "paper"
    by_task: bool = False
    pool: tuple[str, ...] = ()
    behind: Behind = PLAIN

    @property
    def command(self) -> str:
        """The command, an option per line; none for the worst known, which is another obfuscation for every rate."""
        if self.behind.by == WORST:
            return ""
        recorded = evidence.was_published(self.benchmark)
        parts = [f"python -m qurd_core {'paper rates' if recorded else 'run'} --benchmark {shlex.quote(self.benchmark)}"]
        parts += [f"--scheme {shlex.quote(label)}" for label in self.labels]
        parts += [f"--budget {','.join(map(str, self.budgets))}"] + [f"--seeds {self.seeds}"] * (not recorded)
        parts += ["--by task"] if self.by_task else [f"--task {shlex.quote(self.task)}"] * (self.task != "all")
        parts += [f"--negatives {self.negatives}"] * (self.negatives != "unrelated")
        parts += [f"--pool {shlex.quote(lineage)}" for lineage in self.pool]
        parts += [f"--obfuscate {shlex.quote(self.behind.by)}"] * bool(self.behind.by)
        parts += ["--obfuscate-pool"] * self.behind.pool
        return " \\\n  ".join([*parts, f"--rule {self.rule}"])

    @property
    def call(self) -> str:
        """The call of a function."""
        if self.behind.by == WORST:
            return self._worst
        recorded = evidence.was_published(self.benchmark)
        one = None if self.by_task or self.task == "all" else self.task
        task = {"task": one} if recorded else {"seeds": self.seeds, "tasks": one and [one], "pool": self.pool or None}
        return call(
            "evidence.select" if recorded else "q.evaluate",
            *(self.benchmark, self.labels),
            budgets=self.budgets,
            **task,
            by_task=self.by_task or None,
            negatives=None if self.negatives == "unrelated" else self.negatives,
            rule=self.rule,
            obfuscate=self.behind.by or None,
            obfuscate_pool=self.behind.pool or None,
        )

    @property
    def uses(self) -> str:
        """What the call takes to be imported."""
        if self.behind.by == WORST:
            return "from qurd_core.records import obfuscation_records"
        if evidence.was_published(self.benchmark):
            return "from qurd_core.records import evidence"
        return "import qurd_core as q"

    @property
    def _worst(self) -> str:
        return call(
            "obfuscation_records.select",
            *(self.benchmark, self.labels),
            behind=self.behind.by,
            pool=self.behind.pool or None,
            budgets=self.budgets,
            task=None if self.by_task else self.task,
            by_task=self.by_task or None,
            negatives=None if self.negatives == "unrelated" else self.negatives,
            rule=self.rule,
        )


def rates(benchmark: str, rows: pd.DataFrame, labels: Iterable[str], **view: Any) -> list[Rates]:
    """What gives the rates of some combinations again: a request per number of query seeds that they were measured with.

    Args:
        rows: of the benchmark, with label, budget, tpr and seeds. What has no rate in them cannot be asked for.
        view: task, negatives, rule, by_task, pool and behind of `Rates`.
    """
    rows = rows[rows["label"].isin([*labels])]
    known = rows[rows["tpr"].notna()].groupby("label", observed=True)["seeds"].max().to_dict()
    budgets = tuple(sorted(rows["budget"].unique().tolist()))
    found: dict[int, list[str]] = {}
    for label in labels:
        if label in known:
            found.setdefault(int(known[label]), []).append(label)
    return [Rates(benchmark, tuple(some), budgets, seeds, **view) for seeds, some in found.items()]


def of_rates(asked: Sequence[Rates], note: str = "") -> Again:
    """All of them, as commands and as one table in Python.

    Args:
        asked: of benchmarks that were all published, or none.
    """
    if not asked:
        return Again("", "", "Nothing here has a rate, so there is nothing to compute again.")
    uses = asked[0].uses
    if asked[0].behind.by == WORST:
        note = f"{_NO_WORST} {note}"
    if len(asked) == 1:
        return Again(asked[0].command, f"{uses}\n\ntable = {asked[0].call}", note)
    calls = "".join(f"    {one.call},\n" for one in asked)
    code = f"import pandas as pd\n{uses}\n\ntable = pd.concat([\n{calls}], ignore_index=True)"
    return Again("\n".join(filter(None, (one.command for one in asked))), code, note)


def rest(benchmark: str, asked: Sequence[Rates], every: int) -> str:
    """What of the data of a view is not among the rates that are computed again.

    Args:
        every: number of rows of combinations in the data.
    """
    named = sum(len(one.labels) for one in asked)
    others = words.counted(every - named, "other combination")
    more = f"Gives the combinations that are named, pinned or picked; the data also hold {others}. " * (every > named)
    if asked and asked[0].behind.by:
        return f"{more}Behind obfuscations there are no intervals, and verdicts rest on the spread over query seeds."
    shipped = rate_records.is_whole(benchmark)
    worth = f"come from {measured.rebuild(benchmark)}" if shipped else "are drawn in the app alone"
    return f"{more}Intervals (low, high) and verdicts {worth}."


def command(name: str, benchmark: str, **options: object) -> str:
    """A command that prints a table of a benchmark; options that are None are left out."""
    given = [f"--{option} {shlex.quote(str(value))}" for option, value in options.items() if value is not None]
    return " ".join([f"python -m qurd_core {name} --benchmark {shlex.quote(benchmark)}", *given, "--json"])


class Code(str):
    """Python that stands as it is among the arguments of a call."""


def call(function: str, *data: object, **options: object) -> Code:
    """A call in Python; options that are None are left out."""
    given = [f"{name}={_value(value)}" for name, value in options.items() if value is not None]
    return Code(f"{function}({', '.join([*map(_value, data), *given])})")


def code(table: str, *modules: str) -> str:
    """Python that puts a call into `table`.

    Args:
        modules: that it names, below `qurd_core`.
    """
    homes = (module.rpartition(".") for module in modules)
    return "".join(f"from qurd_core.{home} import {name}\n" for home, _, name in homes) + f"\ntable = {table}"


def _value(value: object) -> str:
    """A value in Python: texts in double quotes, tuples as lists."""
    if isinstance(value, Code):
        return value
    return repr(value) if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
