"""Whether the command and the Python of every export give the numbers of its CSV, over the product of all choices.

    QURD_STORE=... python -m tests.benchmarks.exports [--one-in N] [VIEW ...]

Rates of the embedded benchmarks are computed with their models: a store that holds the scores saves hours. What needs the
scores of the published benchmarks is refused where they are not imported. Prints, per view, states tried, equal, different,
and refused with the reason. `--one-in 7` tries every seventh state of each view.
"""

import ast
import contextlib
import io
import itertools
import json
import shlex
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pandas as pd
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from pages.ui import export
from pages.ui.frame import HOME
from qurd_core import cli
from qurd_core.benchmarks import saved_benchmarks
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.evaluation import pipeline
from qurd_core.findings.language.again import Again
from qurd_core.records import evidence, rate_records
from qurd_core.schemes import BASELINES, PAPER, grouped

APP = Path(__file__).parents[2] / "app.py"
CLOSE = 5.1e-5  # records hold six decimals, those of combinations without a name four
KEYS = ("benchmark", "label", "task", "budget", "pool")  # what a row of rates is about
PINNED = "uniform(test) | probits | cosine"
PUBLISHED_PIN = "uniform(test) | logits | cosine"
PARTS = {"exports-part-sac": "patchwork-sac", "exports-part-cifar10": "published-cifar10"}  # benchmarks of one's own

Link = Mapping[str, str | list[str]]


class Taken(NamedTuple):
    """What a view offers."""

    rows: pd.DataFrame
    again: Again
    unsaved: BenchFile | None


class _Navigated(PagesManager):
    """As a server that has run before: see `tests/pages/conftest.py`."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        PagesManager.uses_pages_directory = False


def taken(page: str, link: Link) -> Taken:
    """The export of a view, opened by its link."""
    found = []

    def offer(rows: Any, file_name: str, again: Again, unsaved: BenchFile | None = None, **more: Any) -> None:
        found.append(Taken(rows() if callable(rows) else rows, again, unsaved))

    with patch.object(export, "offer", offer), patch.object(app_test, "PagesManager", _Navigated), _main():
        app = AppTest.from_file(str(APP), default_timeout=120)
        for key, value in link.items():
            app.query_params[key] = value
        if page != HOME:
            app.switch_page(f"pages/{page}.py")
        app.run()
    assert not app.exception, f"{page} {link}: {app.exception[0].value}"
    if not found:
        said = [element.value for element in (*app.subheader, *app.header)]
        raise NothingOfferedError(said[0] if said else "nothing on screen")
    return found[-1]


class NothingOfferedError(Exception):
    """A view that shows no data, and why."""


@contextlib.contextmanager
def _main() -> Iterator[None]:
    """AppTest leaves its script as the main module, which worker processes would run again."""
    main = sys.modules["__main__"]
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def by_command(command: str) -> pd.DataFrame:
    """What the lines of a command print, as one table."""
    return pd.concat([_printed(line) for line in command.replace("\\\n", " ").splitlines()], ignore_index=True)


@lru_cache(maxsize=4096)
def _printed(line: str) -> pd.DataFrame:
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "qurd_core"], line
    one = ["--device", "cpu", "--workers", "1"] if words[3] in ("run", "pairs", "models") else []
    arguments = [*words[3:], *one] + ["--json"] * ("--json" not in words)
    out = io.StringIO()
    with patch.object(sys, "argv", ["qurd_core", *arguments]), contextlib.redirect_stdout(out), _quiet():
        try:
            cli.main()
        except SystemExit as ended:
            assert not ended.code, f"{line}: exit code {ended.code}"
    return pd.DataFrame(json.loads(out.getvalue()))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without progress and warnings of benchmarks that are hard."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def by_python(code: str) -> pd.DataFrame:
    """`table` after running some Python."""
    names: dict[str, Any] = {}
    with _quiet():
        exec(compile(ast.parse(code), "export", "exec"), names)
    return names["table"]


def differences(rows: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """What is not alike in the data of a view and in a table that is to give them again, a sentence each.

    Rates of named combinations are looked for among all that the data have; other tables have the same rows in order.
    """
    if "scheme" in found and "tpr" in found:
        return _rates_differ(rows, found)
    one, other = _as_file(rows), _as_file(found)
    if len(one) != len(other):
        return [f"{len(one)} rows in the data, {len(other)} again"]
    return _columns_differ(one, other)


def _rates_differ(rows: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    found = found.rename(columns={"scheme": "label"})
    found["benchmark"] = [Path(name).stem if name.endswith(".json") else name for name in found["benchmark"]]
    ours = _designed(rows, found) if "before" in rows else _labelled(rows)
    keys = [key for key in KEYS if key in ours and key in found]
    if ours.duplicated(keys).any():
        return [f"the data have two rows for one of {keys}"]
    # Of a part, what has no rate at a budget is not recorded; the command says why.
    there = found[keys].merge(ours[keys], on=keys, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    found = found[found["tpr"].notna() | there]
    joined = found[keys].merge(ours.assign(there=True), on=keys, how="left")
    if joined["there"].isna().any():
        lost = joined.loc[joined["there"].isna(), keys].iloc[0].to_dict()
        return [f"the data have no row of {lost}"]
    named = [*BASELINES, *grouped(PAPER), *found["label"]]
    drawn = ours[ours["value" if "value" in ours else "tpr"].notna() & ours["label"].isin(named)]
    left = drawn[keys].merge(found[keys].assign(there=True), on=keys, how="left")
    if left["there"].isna().any():
        return [
            f"{left['there'].isna().sum()} drawn rows are not given again, as {left[left['there'].isna()].iloc[0].to_dict()}"
        ]
    return _columns_differ(_as_file(joined.drop(columns="there")), _as_file(found))


def _labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Data with a label, whatever they call their combinations."""
    if "label" in rows:
        return rows.drop(columns="scheme", errors="ignore").astype({"label": object})
    labels = rows["name"].where(rows["name"] != "", rows["scheme"])
    return rows.drop(columns=["scheme", "task"], errors="ignore").assign(label=labels)


def _designed(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The data of Your benchmark as rates of the whole and of the part."""
    base, *mine = dict.fromkeys(found["benchmark"])
    whole = rows[["task", "label", "before", "auc_before"]].set_axis(["task", "label", "tpr", "auc"], axis=1)
    part = rows[["task", "label", "after", "auc"]].set_axis(["task", "label", "tpr", "auc"], axis=1)
    if not mine:
        return pd.concat([whole.assign(benchmark=base)]) if whole.equals(part) else rows.assign(benchmark="?")
    return pd.concat([whole.assign(benchmark=base), part.assign(benchmark=mine[0])])


def _columns_differ(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Where columns of one name differ, row by row."""
    told = []
    shared = [name for name in one if name in other]
    if not shared:
        return [f"no column in common: {list(one)} and {list(other)}"]
    for name in shared:
        ours, theirs = one[name], other[name]
        if all(pd.api.types.is_numeric_dtype(side) and side.dtype != bool for side in (ours, theirs)):
            alike = (ours.isna() & theirs.isna()) | ((ours - theirs).abs() <= CLOSE + 1e-6 * theirs.abs())
        else:
            alike = ours.fillna("").astype(str) == theirs.fillna("").astype(str)
        if not alike.all():
            at = int((~alike).to_numpy().argmax())
            told.append(f"{name}: {ours.iloc[at]} in the data, {theirs.iloc[at]} again, row {at}")
    return told


def _as_file(table: pd.DataFrame) -> pd.DataFrame:
    """A table as it is read from its CSV."""
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


_SWITCH = ["false", "true"]
_BENCHES = {"bench": [*rate_records.SHIPPED, *PARTS]}
_PAIRS = _BENCHES | {"task": "every", "hard": _SWITCH}
_RATES = _PAIRS | {"rule": ["paper", "guaranteed"], "pin": ["", "two"]}
_REVEAL = {"reveal": ["labels", "logits"]}
_AT = {"budget": ["50", "100"]}
_VICTIMS = {"victim": ["0", "1"]}
VIEWS: dict[str, tuple[str, dict[str, Any]]] = {  # page, and what its links may say
    "leaderboard-chart": ("leaderboard", _RATES | _REVEAL | _AT),
    "leaderboard-table": ("leaderboard", _RATES | _REVEAL | _AT | {"view": ["table"], "task": ["all"]}),
    "leaderboard-swap": (
        "leaderboard",
        _RATES | {"view": ["swap"], "reveal": ["labels"], "scheme": ["AKH"], "budget": ["50"]},
    ),
    "budget": ("budget", _RATES | {"grey": _SWITCH}),
    "compose": ("compose", _RATES | {"pick": ["AKH", "FBI"], "budget": ["50", "130"]}),
    "separability": (
        "separability",
        _PAIRS | {"of": ["delta_c", "official", "AKH"], "rows": ["one", "tasks"], "fpr": ["5", "0"]},
    ),
    "separability-rows": (
        "separability",
        _PAIRS | {"of": ["delta", "AKH"], "rows": ["victims", "benchmarks"], "seed": ["2"]},
    ),
    "separability-bound": ("separability", _PAIRS | {"show": ["bound"]}),
    "benchmark-overview": ("benchmark", _BENCHES | {"section": ["overview"]}),
    "benchmark-lineage": ("benchmark", _BENCHES | {"section": ["lineage"]}),
    "benchmark-images": ("benchmark", _BENCHES | {"section": ["images"]}),
    "benchmark-effort": ("benchmark", _BENCHES | _AT | {"section": ["effort"], "hard": _SWITCH, "task": ["all", "prune"]}),
    "benchmark-bench": ("benchmark", _BENCHES | _AT | {"section": ["bench"], "hard": _SWITCH, "out": ["", "some"]}),
    "atlas": ("atlas", {}),
    "paper": ("paper", {"view": ["claims", "agreement", "table2", "table3"], "mode": ["paper", "honest"]}),
    "queries": (
        "queries",
        _BENCHES
        | _VICTIMS
        | {"left": ["negative(test)"], "right": ["uniform(test)"], "seed": ["0", "3"], "budget": ["20", "130"]}
        | {"only": ["all", "disagrees"]},
    ),
    "queries-telling": ("queries", _BENCHES | _VICTIMS | {"view": ["telling"]}),
    "play": ("budget", _BENCHES | _VICTIMS | {"play": ["true"], "by": ["AKH", "Random"], "rule": _RATES["rule"]}),
}


def states(choices: Mapping[str, Any]) -> Iterator[Link]:
    """The product of some choices as links; what depends on the benchmark is told by a word."""
    given = dict(choices)
    for bench in given.pop("bench", [None]):
        here = given | ({"task": evidence.tasks(bench)} if given.get("task") == "every" else {})
        for values in itertools.product(*here.values()):
            chosen = {key: _meant(bench, key, value) for key, value in zip(here, values, strict=True) if value}
            yield ({"bench": bench} if bench else {}) | chosen


def _meant(bench: str | None, key: str, value: str) -> str | list[str]:
    if key == "pin":
        return [PUBLISHED_PIN if evidence.base_of(bench) in rate_records.PUBLISHED else PINNED, "SAC"]
    if key == "victim":
        victims = evidence.pairs(bench)["victim"].unique()
        return victims[int(value) % len(victims)]
    if key == "out":
        every = [*zip(*(evidence.pairs(evidence.base_of(bench))[side] for side in ("victim", "suspect")), strict=True)]
        return saved_benchmarks.token(every, every[1::9])
    return value


@contextlib.contextmanager
def parts() -> Iterator[None]:
    """Benchmarks of one's own, as the app saves them, where a task is missing for one victim."""
    for name, base in PARTS.items():
        pairs = evidence.pairs(base)
        first = pairs["victim"] == pairs["victim"].iloc[0]
        pruned = pairs["tasks"].map(lambda tasks: tasks == ["prune"]) & (pairs["kind"] == "positive")
        few = (pairs["kind"] != "positive") & (pairs.index % 7 == 0)
        kept = pairs[~((first & pruned) | few)]
        BenchFile(base, frozenset(zip(kept["victim"], kept["suspect"], strict=True))).write(saved_benchmarks.home_of(name))
    try:
        yield
    finally:
        for name in PARTS:
            saved_benchmarks.remove(name)


def compared(page: str, link: Link) -> tuple[str, str]:
    """`"equal"`, `"different"` or `"refused"`, and what there is to say of it."""
    try:
        view = taken(page, link)
    except NothingOfferedError as why:
        return "refused", f"the view shows no data: {why}"
    ways = {"command": (by_command, view.again.command), "Python": (by_python, view.again.code)}
    if not any(text for _, text in ways.values()):
        return "refused", view.again.note
    with _file(view):
        for name, (run, text) in ways.items():
            if text and (told := differences(view.rows, run(text))):
                return "different", f"{name}: {told[0]}"
    return "equal", "" if view.again.command else "Python only"


@contextlib.contextmanager
def _file(view: Taken) -> Iterator[None]:
    """The file of ticks that are not saved, where the command looks for it."""
    if view.unsaved is None:
        yield
        return
    path = Path(next(word for word in shlex.split(view.again.command) if word.endswith(saved_benchmarks.ENDING)))
    view.unsaved.write(path)
    try:
        yield
    finally:
        path.unlink()


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """A command and Python that ask for the very same rates wait for them once."""
    answers: dict[str, pd.DataFrame] = {}
    plain = pipeline.run

    def run(asked: pipeline.Request, *where: Any, by_task: bool = False, **more: Any) -> pd.DataFrame:
        key = json.dumps([asked.identity, by_task], sort_keys=True)
        if key not in answers:
            answers[key] = plain(asked, *where, by_task=by_task, **more)
        return answers[key]

    with patch.object(pipeline, "run", run):
        yield


def main() -> None:
    arguments = sys.argv[1:]
    step = 1
    if arguments[:1] == ["--one-in"]:
        step, arguments = int(arguments[1]), arguments[2:]
    with parts(), remembered():
        for name in arguments or VIEWS:
            page, choices = VIEWS[name]
            began, found, told = time.monotonic(), Counter(), Counter()
            for link in itertools.islice(states(choices), 0, None, step):
                state, why = compared(page, link)
                found[state] += 1
                told[state, why] += bool(why)
                if state == "different":
                    print(f"  {page} {dict(link)}: {why}", flush=True)
            tried = f"{sum(found.values())} tried, {found['equal']} equal, {found['different']} different"
            print(f"{name}: {tried}, {found['refused']} refused, {time.monotonic() - began:.0f} s", flush=True)
            for (state, why), number in told.items():
                if state != "different" and number:
                    print(f"  {number} {state}: {why}", flush=True)


if __name__ == "__main__":
    main()
