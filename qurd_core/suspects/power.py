"""What schemes can do against forged thieves: which they catch at a guaranteed rate of false alarms, and how soon."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.benchmarks.base import Benchmark
from qurd_core.benchmarks.forge.plan import Planned
from qurd_core.errors import QurdError
from qurd_core.evaluation.request import check_scheme
from qurd_core.evaluation.workbench import Workbench, workbench
from qurd_core.findings.language import words
from qurd_core.lineage import count_independent
from qurd_core.runtime import Runtime
from qurd_core.schemes import NAMED, Scheme, is_control
from qurd_core.statistics.printed import SLACK, percent
from qurd_core.statistics.sequential import peak_pvalues, peaks
from qurd_core.statistics.verdicts import needed_lineages, pvalues
from qurd_core.store import Store
from qurd_core.suspects.question import QUERY_SEED

LEVEL = 0.05
BUDGETS = (10, 20, 50, 100, 200)
SHOWN = 100  # the budget of the table on screen
COLUMNS = ("theft", "pictures", "scheme", "budget", "level", "thieves", "caught", "queries")


def power(
    bench: Benchmark, victim: str, thieves: Mapping[str, Planned], store: Store, runtime: Runtime
) -> tuple[pd.DataFrame, list[str]]:
    """How many of the thieves of each kind the guaranteed rule catches, by scheme and budget: at 5 %, or with few unrelated
    lineages at the lowest level that they allow.

    Named schemes that send pictures as they are: whoever wants others names them to `run`.

    Returns:
        rows with `COLUMNS`: `caught` of `thieves`, and `queries`, the median number after which the peaks of those that are
        caught so say it, where the scheme counts agreements; and why rows are missing, a sentence each.
    """
    pairs = bench.pairs_of(victim)
    pool = [pair.suspect for pair in pairs if pair.kind == "negative"]
    roots = [bench.root(name) for name in pool]
    lineages = count_independent(roots)
    if not lineages or not thieves:
        lacking = "unrelated model" if thieves else "thief"
        return pd.DataFrame(columns=list(COLUMNS)), [f"What schemes can do is not known here: there is no {lacking}."]
    level, missing = max(LEVEL, 1 / (lineages + 1)), []
    if level > LEVEL:
        missing.append(
            f"{words.counted(lineages, 'unrelated lineage')} allow no verdict below {percent(level)}, so that is the level"
            f" of the table. {needed_lineages(LEVEL) - lineages} more allow {percent(LEVEL)}."
        )
    desk = workbench(bench, store, runtime)
    models = desk.models(victim)
    rows, ours = [models.index(name) for name in pool], [models.index(name) for name in thieves]
    kinds = pd.MultiIndex.from_tuples([(one.by, one.share) for one in thieves.values()])
    found = []
    for name, scheme in _schemes(bench):
        costs = desk.ask(victim, scheme, QUERY_SEED, BUDGETS, (victim,))[1]
        budgets = tuple(budget for budget, used in zip(BUDGETS, costs.used.tolist(), strict=True) if used)
        if len(budgets) < len(BUDGETS):
            most = int(costs.available[0])
            missing.append(f"{name} has {most} queries for '{victim}' here: larger budgets are left out.")
        if not budgets:
            continue
        values = desk.scores(victim, [scheme], QUERY_SEED, budgets)[scheme]["values"].numpy().astype(float)
        caught = np.stack([pvalues(column[ours], column[rows], roots)[0] <= level + SLACK for column in values.T], axis=1)
        soon = _queries(desk, victim, scheme, budgets, rows, ours, roots, level)
        for kind, places in pd.Series(range(len(kinds))).groupby(kinds, sort=False).indices.items():
            for column, budget in enumerate(budgets):
                told = soon[places, column][np.isfinite(soon[places, column])]
                median = float(np.median(told)) if len(told) else np.nan
                found.append((*kind, name, budget, level, len(places), int(caught[places, column].sum()), median))
    return pd.DataFrame(found, columns=list(COLUMNS)), missing


def short(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A row per way to make thieves, at the largest budget up to `SHOWN` that there is: what each scheme catches of
    how many, and in brackets after how many queries.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for scheme, some in table[table["budget"] <= SHOWN].groupby("scheme", sort=False):
        for one in some[some["budget"] == some["budget"].max()].itertuples():
            row = found.setdefault((one.theft, one.pictures), {"theft": one.theft, "pictures": one.pictures})
            soon = "" if np.isnan(one.queries) else f" ({one.queries:g})"
            row[f"{scheme}, {one.budget} queries"] = f"{one.caught} of {one.thieves}{soon}"
    return list(found.values())


def _schemes(bench: Benchmark) -> Iterator[tuple[str, Scheme]]:
    """Named schemes that send pictures as they are and go with the benchmark."""
    for name, named in NAMED.items():
        scheme = Scheme.parse(named.scheme)
        try:
            check_scheme(bench, scheme, max(BUDGETS))
        except QurdError:
            continue
        if scheme.natural and not is_control(str(scheme.detector)):
            yield name, scheme


def _queries(
    desk: Workbench,
    victim: str,
    scheme: Scheme,
    budgets: tuple[int, ...],
    rows: Sequence[int],
    ours: Sequence[int],
    roots: Sequence[str],
    level: float,
) -> NDArray[np.float64]:
    """(t,B) queries after which the peaks of each thief say it, if the budget is fixed before; NaN where they never do, or
    the scheme counts no agreements.

    Args:
        rows, ours: of the unrelated models and of the thieves among the models of the victim.
        roots: of the unrelated models.
    """
    found = np.full((len(ours), len(budgets)), np.nan)
    if not scheme.counts_agreements:
        return found
    labels = desk.ask(victim, scheme, QUERY_SEED, (max(budgets),), desk.models(victim))[0].labels.numpy()
    highest = peaks(labels == labels[:1])
    for column, budget in enumerate(budgets):
        pool = highest[[*rows], :budget]
        for thief, place in enumerate(ours):
            enough = np.flatnonzero(peak_pvalues(highest[place, :budget], pool, roots) <= level + SLACK)
            found[thief, column] = enough[0] + 1 if len(enough) else np.nan
    return found
