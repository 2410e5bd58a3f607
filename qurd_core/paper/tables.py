"""The paper's table and figures again, from the shipped summary of its scores: as printed, or under the honest rule.

*Paper mode* repeats the authors' arithmetic, whatever it is worth. *Honest mode* takes the rule whose false alarms are
guaranteed, averages nothing that was measured on different data sets without saying so, and takes delta_C by its definition.
"""

import math
from collections.abc import Iterable
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from qurd_core.access import Access
from qurd_core.akh import official
from qurd_core.errors import QurdError, unknown
from qurd_core.lineage import count_independent
from qurd_core.paper import names, pooled, summary
from qurd_core.records import rate_records
from qurd_core.schemes import BASELINES, CONTROL, NAMED, REFERENCE, VARIANT, Scheme, combinations, story_of
from qurd_core.statistics.metrics import whole_means

Mode = Literal["paper", "honest"]
Rows = list[dict[str, Any]]

MODES = ("paper", "honest")
_RATE = {"paper": "tpr", "honest": "tpr_conformal"}
_PARTS = ("split", "sampler", "representation", "distance")
BUDGETS = rate_records.RAW_BUDGETS
# The column of Table 1 that a craft belongs to, by the story of its queries.
_CRAFTED = {"adversarial": "adversarial", "hinge": "adversarial", "masked": "subsampling", "blended": "subsampling"}


def table2(mode: Mode = "paper", *, folder: Path | None = None) -> Rows:
    """Table 2: which tasks a benchmark has, as printed and as counted in the published scores; the same in both modes.

    Returns:
        per task and data set: whether the paper ticks it, stolen models and their victims, and the unrelated models and
        lineages that the victim with fewest has against it.
    """
    every = {dataset: rate_records.pairs(names.BY_DATASET[dataset], folder) for dataset in names.PRINTED["same"]}
    rows = []
    for task in names.TASKS:
        for dataset, pairs in every.items():
            own = pairs[pairs["tasks"].map(lambda served, task=task: task in served)]
            stolen, unrelated = (own[own["kind"] == kind].groupby("victim") for kind in ("positive", "negative"))
            counts = {
                "stolen": int(stolen.size().sum()),
                "victims": stolen.ngroups,
                "unrelated": int(unrelated.size().min()) if len(own) else 0,
                "lineages": int(unrelated["root"].agg(count_independent).min()) if len(own) else 0,
            }
            how = "model leak" if task in names.LEAKS else "model extraction"
            benchmark, _ = names.BENCHMARKS[names.BY_DATASET[dataset]]
            cell = {"task": task, "stolen_by": how, "benchmark": benchmark, "dataset": dataset}
            rows.append(cell | {"printed": dataset in names.PRINTED[task]} | counts)
    return rows


def table3(mode: Mode = "paper", *, budget: int = 100, folder: Path | None = None) -> Rows:
    """Table 3: the named schemes by task.

    A rate is the mean over victims, then over the data sets that have the cell, then over query seeds; the paper's "+-" is
    .95 sd / sqrt(n) over the query seeds. Paper mode adds what is printed, at the budget of the table. Honest mode adds on
    how many data sets a row rests, why a cell is refused, the 95 % interval over models and query seeds, and the difference
    to AKH on the data sets that both have, with its verdict.
    """
    table = _at(by_victim(folder), budget)
    known = pooled.read(folder) if mode == "honest" else None
    reasons = _reasons(budget, folder) if mode == "honest" else {}
    rows = []
    for name in summary.NAMED:
        own = table[table["name"] == name]
        for task in names.TASKS:
            cell = own[own["task"] == task]
            if not cell.empty:
                found = {"fingerprint": name, "task": task} | table3_cell(cell, mode)
                if known is not None:
                    here, there = cell["benchmark"].unique(), table.loc[table["task"] == task, "benchmark"].nunique()
                    told = {why: None for benchmark in here if (why := reasons.get((benchmark, name, task)))}
                    found |= {"covers": f"{len(here)} of {there} data sets", "reason": " ".join(told) or None}
                    found |= _worth(known, name, task, budget)
                elif budget == names.PRINTED_BUDGET:
                    printed = names.PRINTED_RATES[name][names.TASKS.index(task)]
                    found |= dict(zip(("printed", "printed_plus_minus"), printed, strict=True))
                rows.append(found)
    return rows


def figure1(mode: Mode = "paper", *, budget: int = 200, folder: Path | None = None) -> Rows:
    """Figure 1: every combination on every data set, all tasks of a victim pooled."""
    rows = []
    for benchmark, (_, dataset) in names.BENCHMARKS.items():
        table = _at(rate_records.read(benchmark, folder=folder), budget)
        for row in table.itertuples():
            parts = dict(zip(_PARTS, names.BY_SCHEME[row.scheme], strict=True))
            rows.append({"dataset": dataset, **parts, "tpr": _number(getattr(row, _RATE[mode])), "auc": _number(row.auc)})
    return rows


def figure2(mode: Mode = "paper", *, budget: int = 100, folder: Path | None = None) -> Rows:
    """Figure 2: the named schemes with other samplers before the same representation and detector.

    Returns:
        per data set, named scheme and sampler: the rate, what it gains in points, and which of split, seed rule and craft
        differ from the scheme's own.
    """
    rows = []
    for benchmark, (_, dataset) in names.BENCHMARKS.items():
        rates = _at(rate_records.read(benchmark, folder=folder), budget).set_index("scheme")[_RATE[mode]]
        for name, own in summary.NAMED.items():
            mine = names.BY_SCHEME[own]
            for text, value in rates.items():
                parts = names.BY_SCHEME[text]
                if parts[2:] != mine[2:]:
                    continue
                gain = 100 * (value - rates.get(own, math.nan))
                row = {"dataset": dataset, "fingerprint": name, "split": parts.split, "sampler": parts.sampler}
                rows.append(row | {"tpr": _number(value), "delta_points": _number(gain), "changed": changed(own, text)})
    return rows


def figure3(mode: Mode = "paper", *, folder: Path | None = None) -> Rows:
    """Figure 3: delta_C of every pair on the test images; in paper mode by the authors' formula.

    Their formula divides by the accuracy of the victim instead of its error rate (`conditioned_hamming` of their toolbox).
    """
    rows = []
    for benchmark, (_, dataset) in names.BENCHMARKS.items():
        for row in rate_records.pairs(benchmark, folder).itertuples():
            value = official(row.delta_c, row.accuracy_victim) if mode == "paper" else row.delta_c
            pair = {"dataset": dataset, "victim": row.victim, "suspect": row.suspect, "kind": row.kind}
            rows.append(pair | {"tasks": row.tasks, "delta_c": value})
    return rows


def figure4(mode: Mode = "paper", *, folder: Path | None = None) -> Rows:
    """Figure 4: the named schemes against the budget, with the mean distances of stolen and of unrelated pairs."""
    rows = []
    for benchmark, (_, dataset) in names.BENCHMARKS.items():
        table = rate_records.read(benchmark, folder=folder)
        for name, own in summary.NAMED.items():
            for row in table[table["scheme"] == own].sort_values("budget").itertuples():
                distances = {"mean_stolen": _number(row.mean_stolen), "mean_unrelated": _number(row.mean_unrelated)}
                value = {"tpr": _number(getattr(row, _RATE[mode]))}
                rows.append({"dataset": dataset, "fingerprint": name, "budget": row.budget, **value, **distances})
    return rows


FIGURES = {each.__name__: each for each in (table2, table3, figure1, figure2, figure3, figure4)}


def rows_of(what: str, mode: str, budget: int | None = None, folder: Path | None = None) -> Rows:
    """The rows of a table or figure by its name.

    Raises:
        QurdError: there is none of that name, no such mode, or no such budget.
    """
    if what not in FIGURES:
        raise unknown("table or figure of the paper", what, FIGURES)
    if mode not in MODES:
        raise unknown("mode", mode, MODES)
    if budget is None:
        return FIGURES[what](mode, folder=folder)
    if what in ("table2", "figure3", "figure4"):
        raise QurdError(
            f"Expected no budget for {what}, which shows {'all' if what == 'figure4' else 'none'}. Got {budget}."
        )
    return partial(FIGURES[what], budget=budget)(mode, folder=folder)


def changed(own: str, other: str) -> list[str]:
    """Which of split, seed rule and craft of a sampler differ between two combinations."""
    one, another = Scheme.read(own), Scheme.read(other)
    parts = {
        "split": one.split != another.split,
        "seed rule": one.seeds.name != another.seeds.name,
        "craft": one.craft != another.craft,
    }
    return [what for what, differs in parts.items() if differs]


def _reasons(budget: int, folder: Path | None) -> dict[tuple[str, str, str], str]:
    """Why the guaranteed rule refuses a scheme on a benchmark and task, by the names of the three."""
    found = {}
    for benchmark in names.BENCHMARKS:
        told = rate_records.read_at(benchmark, budget, folder=folder).dropna(subset=["name", "reason"])
        found |= {
            (benchmark, row.name, row.task): row.reason for row in told[["name", "task", "reason"]].itertuples(index=False)
        }
    return found


def table3_cell(cell: pd.DataFrame, mode: Mode) -> dict[str, Any]:
    rate = _RATE[mode]
    per_set = whole_means(cell, ["benchmark", "query_seed"], [rate])
    per_seed = whole_means(per_set, ["query_seed"], [rate])[rate]
    spread = 0.95 * per_seed.std() / math.sqrt(len(per_seed))
    return {"tpr": _number(per_seed.mean()), "plus_minus": _number(spread)}


def _worth(known: pd.DataFrame, name: str, task: str, budget: int) -> dict[str, Any]:
    """What the rate of a cell is worth under the guaranteed rule."""
    chosen = (known["label"] == name) & (known["task"] == task) & (known["budget"] == budget)
    row = known[chosen & (known["rule"] == "conformal")].iloc[0]
    numbers = {part: _number(row[part]) for part in ("low", "high", "diff", "diff_low", "diff_high", "p")}
    texts = {part: row[part] if isinstance(row[part], str) else None for part in ("verdict", "notes")}
    return numbers | texts | {"independent_victims": int(row["lineages"])}


def by_victim(folder: Path | None = None) -> pd.DataFrame:
    """Rates of the named schemes per data set, victim, task, budget and query seed."""
    return rate_records.published_table(summary.BY_VICTIM, folder)


def _at(table: pd.DataFrame, budget: int) -> pd.DataFrame:
    found = table[table["budget"] == budget]
    if found.empty:
        known = ", ".join(map(str, sorted(table["budget"].unique())))
        raise QurdError(f"Expected one of the published budgets {known}. Got {budget}.")
    return found


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else round(float(value), 6)


def cells_of(scheme: Scheme) -> tuple[names.Cell, ...]:
    """The cells of Table 1 that a scheme belongs to: one that starts from mistakes and then crafts stands in two."""
    negative = story_of(str(scheme.seeds)) == "mistakes"
    crafted = _CRAFTED.get(story_of(str(scheme.sampler)))
    columns = [column for column, is_so in (("negative", negative), (crafted, crafted)) if is_so] or ["uniform"]
    return tuple((scheme.split, column) for column in columns)


def table1(schemes: Iterable[str] = tuple(NAMED)) -> pd.DataFrame:
    """Table 1 beside ours: every scheme in every cell where the paper prints it or where ours belongs.

    Args:
        schemes: named ones that run here. Variants (`FBI:labels`), the paper's baselines and the control are left out.

    Returns:
        rows of row, column, scheme, printed and here (which table has it in that cell); access (in words), level (as a
        number of `Access`), representation and reconstruction are those of ours, empty where it does not run here.
    """
    ours: dict[tuple[str, names.Cell], Scheme] = {}
    for name in schemes:
        if VARIANT not in name and name not in (*BASELINES, CONTROL):
            scheme = Scheme.parse(name)
            ours |= dict.fromkeys(((name, cell) for cell in cells_of(scheme)), scheme)
    printed = [(name, cell) for name, one in names.PRINTED_CELLS.items() for cell in one.cells]
    found = []
    for cell in product(names.SEED_SETS, names.QUERY_SAMPLING):
        for name in dict.fromkeys(name for name, where in (*ours, *printed) if where == cell):
            scheme = ours.get((name, cell))
            row = {"row": cell[0], "column": cell[1], "scheme": name, "printed": (name, cell) in printed}
            row |= {"here": scheme is not None, "access": str(scheme.access) if scheme else ""}
            row |= {"level": int(scheme.access) if scheme else -1}
            row |= {"representation": str(scheme.representation) if scheme else ""}
            found.append(row | {"reconstruction": bool(scheme and NAMED[scheme.label].reconstruction)})
    return pd.DataFrame(found)


@cache
def compatible() -> tuple[int, dict[names.Cell, str]]:
    """How many combinations of parts go together, and one for each cell that looks at labels, as the reference does: where
    there is a choice, one that stands in no other cell.
    """
    fitting = [scheme for scheme in combinations() if not scheme.reason]
    plain = [scheme for scheme in fitting if scheme.head == Scheme.parse(REFERENCE).head]
    examples: dict[names.Cell, str] = {}
    for scheme in sorted(plain, key=lambda one: len(cells_of(one))):
        for cell in cells_of(scheme):
            examples.setdefault(cell, str(scheme))
    return len(fitting), examples


def differences(rows: pd.DataFrame) -> list[str]:
    """Where ours is not as printed, a sentence each: another cell, another access, or in one table only.

    Args:
        rows: from `table1`.
    """
    said = []
    for name in (name for name in names.PRINTED_CELLS if name in set(rows.loc[rows["here"], "scheme"])):
        mine, there = (rows[(rows["scheme"] == name) & rows[which]] for which in ("here", "printed"))
        if (elsewhere := _cells(mine)) != (first := _cells(there)):
            said.append(f"{name} is printed under {first} and stands here under {elsewhere}")
        needs, access = int(mine["level"].max()), mine["access"].iloc[0]
        if needs > Access.LABELS and not names.PRINTED_CELLS[name].underlined:
            said.append(f"{name} is printed as one that needs labels only and takes {access} here")
        if needs == Access.LABELS and names.PRINTED_CELLS[name].underlined:
            said.append(f"{name} is printed with an underline, for more than labels, and takes labels here")
    only = {
        "Printed, and not here yet": rows.loc[~rows["scheme"].isin(rows.loc[rows["here"], "scheme"]), "scheme"],
        "Here, and not in the printed table": rows.loc[~rows["scheme"].isin(names.PRINTED_CELLS), "scheme"],
    }
    return said + [f"{what}: {', '.join(dict.fromkeys(names))}" for what, names in only.items() if len(names)]


def _cells(rows: pd.DataFrame) -> str:
    """`negative (test set) and subsampling (training set)`."""
    cells = zip(rows["row"], rows["column"], strict=True)
    return " and ".join(f"{names.QUERY_SAMPLING[column]} ({names.SEED_SETS[row]})" for row, column in cells)
