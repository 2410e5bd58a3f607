"""How far apart stolen and unrelated models lie, from recorded distances and without torch.

A distance is delta, delta_C, the authors' formula for it or the score of a scheme, small = stolen. Rates follow the rule of
all pages: a threshold per victim, means over victims, then over query seeds. The one line that a chart can draw over all
victims is kept apart.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from qurd_core.akh import official
from qurd_core.errors import QurdError, unknown
from qurd_core.records import evidence, measured_worth, rate_records
from qurd_core.records.evidence import Scores
from qurd_core.records.obfuscation_records import Behind
from qurd_core.registry import detectors
from qurd_core.schemes import declared
from qurd_core.statistics import TprReport, calibrated_rule, node_bootstrap, tpr_report
from qurd_core.statistics.metrics import Floats, rates
from qurd_core.statistics.sides import Negatives, Sides, sides
from qurd_core.statistics.worth import DRAWS

By = Literal["one", "tasks", "victims"]
Each = By | Literal["benchmarks"]
Alone = tuple[str, str]  # a victim and a task
Report = Callable[..., Mapping[str, TprReport]]

DELTAS = ("delta_c", "delta", "official")
EACH = ("one", "tasks", "victims", "benchmarks")
FEWEST = 20  # pairs from which on a side has a density
POINTS = 256  # of a density
_NO_ALARMS = 1e-9  # "no false alarm" as a share that rules accept


@dataclass(frozen=True)
class Distances:
    """Pairs with their distances.

    Attributes:
        pairs: (P) rows of `evidence.pairs`.
        values: (P,S) one column per query seed; a delta has a single column.
    """

    pairs: pd.DataFrame
    values: Floats

    @classmethod
    def of_delta(cls, pairs: pd.DataFrame, column: str) -> "Distances":
        """delta, delta_C by definition or by the authors' formula (`official`), measured on all test images."""
        if column == "official":
            pairs = pairs.assign(official=official(pairs["delta_c"], pairs["accuracy_victim"]))
        return cls(pairs, pairs[[column]].to_numpy(float))

    @classmethod
    def of_scheme(
        cls, pairs: pd.DataFrame, scores: Scores, scheme: str, budget: int, seed: int | None = None
    ) -> "Distances":
        """The scores of a scheme for every query seed, or for one.

        Raises:
            QurdError: a pair has no score there.
        """
        named = (scores.columns["scheme"] == scheme) & (scores.columns["budget"] == budget)
        chosen = np.flatnonzero(named if seed is None else named & (scores.columns["query_seed"] == seed))
        values = np.full((len(pairs), len(chosen)), np.nan)
        suspects = pairs["suspect"].to_numpy()
        for victim, rows in _rows_of(pairs).items():
            place = {suspect: row for row, suspect in enumerate(scores.suspects[victim])}
            values[rows] = scores.values[victim][np.ix_([place[suspect] for suspect in suspects[rows]], chosen)]
        if not len(chosen) or np.isnan(values).any():
            raise QurdError(f"Expected scores of {scheme} at {budget} queries for every pair. Some are not recorded.")
        return cls(pairs, values)

    def served(self, behind: Behind) -> "Distances":
        """The same, with `served`: the lineage of every suspect with the obfuscation that it stands behind."""
        hidden = (self.pairs["kind"] == "positive") | behind.pool
        names = self.pairs["suspect"].where(~hidden, self.pairs["suspect"] + f"->{behind.by}")
        return Distances(self.pairs.assign(served=names), self.values)

    def of_victim(self, victim: str) -> "Distances":
        """The pairs of one victim."""
        own = (self.pairs["victim"] == victim).to_numpy()
        return Distances(self.pairs[own], self.values[own])

    @property
    def drawn(self) -> Floats:
        """(P,) the mean over query seeds."""
        return self.values.mean(axis=1)


class Separation(NamedTuple):
    """How well a threshold tells two sides apart; NaN where there is none.

    Attributes:
        tpr: share of stolen models below their victim's threshold: mean over victims, then over query seeds.
        sd: its standard deviation over query seeds.
        guaranteed: the same by the conformal rule.
        auc: chance that a stolen model is closer than an unrelated one.
        n_negatives, n_lineages: of the victim that has fewest.
        n_victims: victims that the means are over.
        uneven: whether some unrelated models count more often than others, once for every task that they serve.
    """

    tpr: float
    sd: float
    guaranteed: float
    auc: float
    n_negatives: int
    n_lineages: int
    n_victims: int
    uneven: bool


class Line(NamedTuple):
    """One threshold for all drawn pairs together.

    Attributes:
        threshold: a pair strictly below it is flagged; NaN where there is no unrelated pair.
        caught: share of the stolen pairs below it.
        flagged, unrelated: unrelated pairs below it, and all.
    """

    threshold: float
    caught: float
    flagged: int
    unrelated: int


@dataclass(frozen=True)
class Row:
    """Some pairs on one axis.

    Attributes:
        label: what they have in common.
        table: the pairs, with `value`, the distance that is drawn.
        rates, line: None, with a `reason`, where there is nothing to measure.
        benchmark: where the pairs belong, if not to the benchmark of the page.
        report: the rate with its interval over models, if it was asked for.
    """

    label: str
    table: pd.DataFrame
    rates: Separation | None = None
    line: Line | None = None
    reason: str | None = None
    benchmark: str | None = None
    report: TprReport | None = None

    def values(self, *kinds: str) -> Floats:
        """(n,) distances of the pairs of some kinds."""
        return self.table["value"].to_numpy(float)[np.isin(self._kinds, kinds)]

    @cached_property
    def _kinds(self) -> np.ndarray:
        return self.table["kind"].to_numpy(str)

    @cached_property
    def stolen(self) -> Floats:
        return self.values("positive")

    @cached_property
    def unrelated(self) -> Floats:
        return self.values("negative", "hard")


def rows(found: Distances, *, negatives: Negatives, alpha: float, task: str = "all", by: By = "one") -> list[Row]:
    """The pairs on one axis, or on one per task or victim.

    Args:
        negatives: whether hard unrelated models count.
        alpha: the share of unrelated models that may be flagged, 0 included.
        task: whose pairs; of no meaning for `by="tasks"`.
    """
    standing = _standing(found.pairs, negatives)
    if by == "victims":
        groups = {victim: [tasks[task]] for victim, tasks in standing.items() if task in tasks}
    elif by == "tasks":
        names = dict.fromkeys(name for tasks in standing.values() for name in tasks if name != "all")
        groups = {name: [tasks[name] for tasks in standing.values() if name in tasks] for name in names}
    else:
        groups = {task: [tasks[task] for tasks in standing.values() if task in tasks]}
    return [_row(label, found, group, alpha) for label, group in groups.items()]


def table(
    benchmark: str,
    of: str = DELTAS[0],
    *,
    budget: int = 100,
    seed: int | None = None,
    task: str = "all",
    negatives: Negatives = "unrelated",
    alpha: float = 0.05,
    by: Each = "one",
) -> pd.DataFrame:
    """Every pair with its recorded distance and the rate of its row: the Separability page as a table.

    Args:
        of: one of `DELTAS`, or a scheme with recorded scores.
        budget, seed: of a scheme: its queries, and one query seed instead of the mean over all.
        alpha: the share of unrelated models that may be flagged.
        by: what a row is; a row per benchmark holds all of them that have such distances.

    Raises:
        QurdError: the benchmark has no such distances or no such task, or there is no such choice.
    """
    for what, one, options in (("row", by, EACH), ("task", task, evidence.tasks(benchmark))):
        if one not in options:
            raise unknown(what, one, options)
    known = rate_records.schemes().set_index("name")["scheme"]
    measure = of, None if of in DELTAS else known.get(of, of), budget, seed
    asked = {"negatives": negatives, "alpha": alpha}
    found = []
    for name in dict.fromkeys([*rate_records.SHIPPED, benchmark]) if by == "benchmarks" else [benchmark]:
        try:
            distances = of_benchmark(name, *measure)
        except QurdError:
            if name == benchmark:
                raise
            continue
        each = "one" if by == "benchmarks" else by
        report = partial(reports, distances, draws=measured_worth.draws_of(name), **asked)
        some = reported(rows(distances, task=task, by=each, **asked), each, task, report)
        found += [replace(row, label=name) for row in some] if by == "benchmarks" else some
    return as_table(found)


def of_benchmark(benchmark: str, of: str, scheme: str | None, budget: int, seed: int | None) -> Distances:
    """The recorded distances of every pair: one of `DELTAS`, or the scores of a scheme where one is given."""
    pairs = evidence.pairs(benchmark)
    if scheme is None:
        return Distances.of_delta(pairs, of)
    return Distances.of_scheme(pairs, evidence.Scores.read(benchmark), scheme, budget, seed)


def as_table(found: Sequence[Row]) -> pd.DataFrame:
    """The pairs of all rows with their distances and the rate of their row, as a table to take away."""
    tables = [row.table.assign(row=row.label, tasks=row.table["tasks"].map(" ".join), **_rate(row)) for row in found]
    return pd.concat(tables, ignore_index=True)


def reported(found: list[Row], by: By, task: str, report: Report) -> list[Row]:
    """Rows with the interval of their rate.

    Args:
        report: `reports` with everything but `alone`.
    """

    def of(row: Row) -> TprReport:
        alone = (row.label, task) if by == "victims" else None
        return report(alone=alone)[task if alone else row.label]

    return [replace(row, report=of(row)) if row.rates else row for row in found]


def reports(
    found: Distances, *, negatives: Negatives, alpha: float, alone: Alone | None = None, draws: int = DRAWS
) -> dict[str, TprReport]:
    """TPR with an interval over models, by task: the rates of `rows`, drawn as everywhere else.

    Args:
        negatives, alpha: as `rows` takes them.
        alone: the only victim and task that are wanted.
    """
    tasks = None
    if alone:
        found, tasks = found.of_victim(alone[0]), [alone[1]]
    seeds = found.values.shape[1]
    pairs = found.pairs[["victim", "suspect", "kind", "tasks", "root"]].rename(columns={"root": "lineage"})
    scores = pairs.loc[pairs.index.repeat(seeds)].assign(
        value=found.values.ravel(), query_seed=np.tile(range(seeds), len(pairs)), scheme="", benchmark="", budget=0
    )
    how = {"rule": "paper", "alpha": max(alpha, _NO_ALARMS), "tasks": tasks}
    boot = node_bootstrap(scores, negatives=negatives, draws=draws, **how)
    return {report.task: report for report in tpr_report(scores, boot=boot, **how)}


def budgets(scores: Scores, scheme: str, victims: Iterable[str]) -> list[int]:
    """The budgets at which a scheme has a score for every suspect of these victims and every query seed."""
    of_scheme = scores.columns[scores.columns["scheme"] == scheme]
    whole = np.ones(len(of_scheme), bool)
    for victim in victims:
        whole &= ~np.isnan(scores.values[victim][:, of_scheme.index]).any(axis=0)
    return [int(budget) for budget, known in of_scheme.assign(known=whole).groupby("budget")["known"] if known.all()]


def ends_at_one(schemes: pd.DataFrame, scheme: str) -> bool:
    """Whether the distances of a scheme are shares.

    Args:
        schemes: from `records.schemes`.
    """
    (detector,) = schemes.loc[schemes["scheme"] == scheme, "detector"]
    return declared(detectors, detector).end_at_one


def grid(sides: Sequence[Floats], *, share: bool) -> Floats:
    """(POINTS,) where densities are evaluated: from 0 to where the last kernel has faded, or to 1."""
    reach = max((float(values.max()) for values in sides if len(values)), default=0.0) or 1.0
    top = reach + 4 * max((bandwidth(values, 0.01 * reach) for values in sides if len(values)), default=0.0)
    return np.linspace(0.0, min(1.0, top) if share else top, POINTS)


def bandwidth(values: Floats, floor: float) -> float:
    """Silverman's rule, not below `floor`: many models at one distance are a narrow peak, not an infinite one."""
    if len(values) < 2:
        return floor
    spread, middle = float(values.std(ddof=1)), float(np.subtract(*np.percentile(values, [75, 25]))) / 1.34
    return max(floor, 0.9 * (min(spread, middle) or spread) * len(values) ** -0.2)


def density(values: Floats, at: Floats, *, share: bool) -> Floats:
    """(len(at),) Gaussian kernel density of area 1; what would lie below 0, or above 1 for a share, is folded back.

    Args:
        values: (n,) distances.
        at: from `grid`.
    """
    width = bandwidth(values, 0.01 * float(at[-1]))
    mirrored = np.concatenate([values, -values, *([2 - values] if share else [])])
    kernels = np.exp(-0.5 * ((at[:, None] - mirrored) / width) ** 2)
    return kernels.sum(axis=1) / (len(values) * width * math.sqrt(2 * math.pi))


def overlap(row: Row, *, share: bool) -> float:
    """The area that the two densities of a row have in common: 0 apart, 1 alike; NaN where a side has too few pairs."""
    ours, theirs = row.stolen, row.unrelated
    if min(len(ours), len(theirs)) < FEWEST:
        return math.nan
    at = grid([ours, theirs], share=share)
    common = np.minimum(density(ours, at, share=share), density(theirs, at, share=share))
    return min(1.0, float(np.trapezoid(common, at)))


def _rate(row: Row) -> dict[str, float]:
    low, high = row.report.ci if row.report else (math.nan, math.nan)
    return {"tpr": row.rates.tpr if row.rates else math.nan, "tpr_low": low, "tpr_high": high}


def _rows_of(pairs: pd.DataFrame) -> dict[str, np.ndarray]:
    """The places of every victim's pairs, victims in order."""
    codes, victims = pd.factorize(pairs["victim"].to_numpy(object))
    return {victim: np.flatnonzero(codes == code) for code, victim in enumerate(victims)}


def _standing(pairs: pd.DataFrame, negatives: Negatives) -> dict[str, dict[str, Sides]]:
    """Who stands against whom, per victim and task, as places in the whole table."""
    found = {}
    for victim, places in _rows_of(pairs).items():
        part = pairs.iloc[places]
        own = sides(part["kind"].tolist(), part["tasks"].tolist(), part["root"].tolist(), negatives)
        found[victim] = {
            task: replace(side, positives=places[side.positives], negatives=places[side.negatives])
            for task, side in own.items()
        }
    return found


def _row(label: str, found: Distances, group: list[Sides], alpha: float) -> Row:
    """The pairs of one row, one entry of `group` per victim."""
    if not group:
        return Row(label, found.pairs.iloc[:0].assign(value=0.0), reason=f"No victim has the task {label} here.")
    alpha, drawn = max(alpha, _NO_ALARMS), found.drawn
    places = np.concatenate([part for side in group for part in (side.positives, side.negatives)])
    table = found.pairs.iloc[places].assign(value=drawn[places]).reset_index(drop=True)
    against = np.concatenate([side.negatives for side in group])
    if min(len(side.negatives) for side in group) == 0:
        return Row(label, table, reason="A threshold needs unrelated models. There are none: choose a task that has some.")
    times = np.concatenate([side.repeat for side in group])
    threshold = calibrated_rule(np.repeat(drawn[against], times), alpha, "paper").threshold
    ours = drawn[np.concatenate([side.positives for side in group])]
    line = Line(threshold, float((ours < threshold).mean()), int((drawn[against] < threshold).sum()), len(against))
    return Row(label, table, _separation(found.values, group, alpha), line)


def _separation(values: Floats, group: list[Sides], alpha: float) -> Separation:
    """Means over victims first, then over query seeds."""
    each = [
        rates(values[side.negatives], values[side.positives], alpha=alpha, repeat=side.repeat, groups=side.groups)
        for side in group
    ]
    tpr, guaranteed, auc = (np.mean([getattr(one, name) for one in each], axis=0) for name in each[0]._fields)
    return Separation(
        tpr=float(tpr.mean()),
        sd=float(tpr.std(ddof=1)) if len(tpr) > 1 else math.nan,
        guaranteed=float(guaranteed.mean()),
        auc=float(auc.mean()),
        n_negatives=min(len(side.negatives) for side in group),
        n_lineages=min(side.lineages for side in group),
        n_victims=len(group),
        uneven=any(np.ptp(side.repeat) > 0 for side in group),
    )


class Pick(NamedTuple):
    """A pair."""

    victim: str
    suspect: str


_EXACT = 1e-6  # what rounding may take from an inequality


class BoundSummary(NamedTuple):
    """What the proposition says about some pairs.

    Attributes:
        pairs: all of them.
        broken: those whose delta_C lies below the bound; a proof says none.
        silent: those whose bound is 0 or less, which every distance satisfies.
        unrelated, silent_unrelated: the same of the unrelated pairs, whom the bound is meant for.
        slack: median of delta_C minus the bound, over the unrelated pairs, or over all where there is none.
    """

    pairs: int
    broken: int
    silent: int
    unrelated: int
    silent_unrelated: int
    slack: float


def bound_summary(pairs: pd.DataFrame) -> BoundSummary:
    """Count over rows of `evidence.pairs`."""
    silent, unrelated = pairs["bound"] <= 0, pairs["kind"].isin(("negative", "hard"))
    meant = pairs[unrelated] if unrelated.any() else pairs
    return BoundSummary(
        pairs=len(pairs),
        broken=int((pairs["delta_c"] < pairs["bound"] - _EXACT).sum()),
        silent=int(silent.sum()),
        unrelated=int(unrelated.sum()),
        silent_unrelated=int((silent & unrelated).sum()),
        slack=float(meant["slack"].median()),
    )
