"""The node bootstrap: what detection rates would be on other models and other query seeds.

A pair is no unit that one could draw: an unrelated model stands against many victims. Lineages are drawn, and a pair weighs
as much as the lineage of its victim times that of its suspect (Snijders and Borgatti 1999; Owen 2007). Weights are drawn
once and serve all schemes, so that differences between schemes are paired. Nothing is copied: a threshold is an order
statistic of the weighted scores.

Victims are few, and as many draws as there are victims would spread too little: of V victims V-1 are drawn, and count
V/(V-1) times each (Rao and Wu 1988).
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from qurd_core.errors import QurdError
from qurd_core.statistics.grids import Grid, checked, grids
from qurd_core.statistics.printed import SLACK
from qurd_core.statistics.rules import Kind, allowed_below
from qurd_core.statistics.sides import Negatives, Sides

Floats = NDArray[np.float64]
Counts = NDArray[np.int_]
Weights = Counts | Floats
Cell = tuple[str, str, str]

LINEAGES = "Lineages are drawn at random from those that could have been tried, and are independent of one another."
ONE_LINEAGE = "Where a data set has one independent victim, its stolen models are drawn at random in place of victims."
DATASETS = "Data sets count equally, as in the paper, and each is resampled on its own."


@dataclass(frozen=True)
class Bootstrap:
    """Detection rates under the drawn weights. Column 0 of every array is the table itself, where all weights are 1.

    A cell is a scheme, a benchmark (data set) and a task.

    Attributes:
        victims: a row per cell and victim: lineage of the victim, tpr (mean over query seeds), refused (no threshold),
            n_scores (of all tasks), n_positives, n_negatives, n_lineages (of the negatives), even (all negatives count as
            often as one another).
        caught: (p,) per cell and victim, the share of query seeds at which each stolen model is caught.
        rates: (S,B+1) per cell, the mean over victims at every query seed; NaN where no victim has a threshold.
        refused: per cell, the share of draws and victims without a threshold.
        seeds: (S,) query seeds per scheme and benchmark.
        seed_weights: (S,B+1) per set of query seeds: schemes that were run at the same ones share their draws.
        lineage_weights: (B+1,) per benchmark and lineage; those of victims are multiples of V/(V-1).
    """

    victims: pd.DataFrame
    caught: dict[tuple[str, str, str, str], Floats]
    rates: dict[Cell, Floats]
    refused: dict[Cell, float]
    seeds: dict[tuple[str, str], tuple[int, ...]]
    seed_weights: dict[tuple[int, ...], Counts]
    lineage_weights: dict[tuple[str, str], Weights]
    method: str
    assumptions: tuple[str, ...]

    def of(self, scheme: str, task: str) -> pd.DataFrame:
        """The rows of `victims` of one scheme and task; none if it has no scores for the task."""
        return self._cells.get((scheme, task), self.victims.iloc[:0])

    @cached_property
    def _cells(self) -> dict[tuple[str, str], pd.DataFrame]:
        return dict(iter(self.victims.groupby(["scheme", "task"], sort=False)))

    def draws(self, scheme: str, task: str) -> Floats:
        """(B+1,) mean over the data sets on which the scheme has the task; NaN where one of them has no rate."""
        return np.mean(list(self.by_dataset(scheme, task).values()), axis=0)

    def by_dataset(self, scheme: str, task: str) -> dict[str, Floats]:
        """(B+1,) mean over query seeds, per data set on which the scheme has the task."""
        found = {
            benchmark: self._over_seeds(scheme, benchmark, rates)
            for (name, benchmark, of), rates in self.rates.items()
            if (name, of) == (scheme, task)
        }
        if not found:
            raise QurdError(f"Expected a scheme with scores for the task {task}. Got {scheme}, which has none.")
        return found

    def _over_seeds(self, scheme: str, benchmark: str, rates: Floats) -> Floats:
        weights = self.seed_weights[self.seeds[scheme, benchmark]]
        with np.errstate(invalid="ignore"):
            return (weights * rates).sum(axis=0) / weights.sum(axis=0)


def node_bootstrap(
    scores: pd.DataFrame,
    *,
    rule: Kind = "conformal",
    alpha: float = 0.05,
    negatives: Negatives = "unrelated",
    tasks: Collection[str] | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> Bootstrap:
    """Draw lineages and query seeds with replacement and compute every detection rate again.

    Lineages of victims and those of suspects only are drawn apart. Where all victims of a data set are of one lineage,
    its stolen models are drawn instead: nothing then is said about other victims.

    Args:
        scores: a score table at one budget, with the columns of `sides.SCORES` (`used` may be missing).
        rule: how thresholds are set. `"paper"` counts a negative once per task that it serves, the others count every
            independent lineage once.
        tasks: those wanted, all if not given.
        seed: of the draws, which depend on it and on the names of data set and lineages, not on their order.

    Raises:
        QurdError: the table is not as it should be, see `grids.checked`.
    """
    if draws < 1:
        raise QurdError(f"Expected at least one draw. Got {draws}.")
    table = checked(scores)
    alone = (table.groupby("benchmark", observed=True)["victim_lineage"].nunique() == 1).any()
    rows, caught, rates, refused, seeds, lineages = [], {}, {}, {}, {}, {}
    for benchmark, group in table.groupby("benchmark", sort=True, observed=True):
        nodes = _Nodes.draw(group, (seed, benchmark), draws)
        lineages |= {(benchmark, lineage): weights for lineage, weights in nodes.weights.items()}
        cells: dict[Cell, list[_Part]] = {}
        for grid in grids(group, negatives):
            seeds[grid.scheme, benchmark] = grid.seeds
            wanted = {task: side for task, side in grid.sides.items() if tasks is None or task in tasks}
            for task, part in _parts(grid, wanted, nodes, rule, alpha):
                cells.setdefault((grid.scheme, benchmark, task), []).append(part)
                caught[grid.scheme, benchmark, task, grid.victim] = part.caught
                rows.append(_row(grid, task, part))
        for cell, parts in cells.items():
            rates[cell], refused[cell] = _over_victims(parts)
    return Bootstrap(
        *(pd.DataFrame(rows), caught, rates, refused, seeds),
        {each: _drawn((seed, "query seeds"), len(each), draws) for each in set(seeds.values())},
        lineages,
        f"Node bootstrap with {draws} draws: lineages and query seeds are drawn with replacement, the same for all schemes.",
        (LINEAGES, DATASETS, *((ONE_LINEAGE,) if alone else ())),
    )


class _Part(NamedTuple):
    """One cell of one victim: its rates (S,B+1), NaN where refused; the weight (B+1,) of the victim; caught (p,)."""

    side: Sides
    rates: Floats
    weight: Weights
    caught: Floats


class _Nodes(NamedTuple):
    """The drawn weights of one data set: (B+1,) per lineage, and whether stolen models are drawn in place of victims."""

    weights: dict[str, Weights]
    one_victim: bool
    names: tuple[int | str, ...]
    draws: int

    @classmethod
    def draw(cls, table: pd.DataFrame, names: tuple[int | str, ...], draws: int) -> "_Nodes":
        victims = sorted(table["victim_lineage"].unique())
        others = sorted(set(table["lineage"]) - set(victims))
        weights = {}
        for role, lineages in (("victims", victims), ("others", others)):
            fewer = role == "victims" and len(victims) > 1
            weights |= zip(lineages, _drawn((*names, role), len(lineages), draws, fewer=fewer), strict=True)
        return cls(weights, len(victims) == 1, names, draws)

    def of(self, lineages: Sequence[str]) -> Weights:
        return np.array([self.weights[lineage] for lineage in lineages])

    def stolen(self, victim: str, task: str, number: int) -> Counts:
        """(p,B+1) weights of the stolen models of a task, or (p,1) ones where victims are drawn."""
        if self.one_victim:
            return _drawn((*self.names, victim, task), number, self.draws)
        return np.ones((number, 1), int)


def generator(names: tuple[int | str, ...]) -> Generator:
    """The generator of some draws, from what they are for."""
    digest = hashlib.sha256(json.dumps(names).encode()).digest()
    return Generator(PCG64(int.from_bytes(digest[:8], "big")))


def _drawn(names: tuple[int | str, ...], number: int, draws: int, *, fewer: bool = False) -> Weights:
    """(number,B+1) how often each of `number` units is drawn; column 0 is 1 throughout.

    Args:
        fewer: draw one less, and let each draw count for more, so that all together count as much.
    """
    times = number - fewer
    picked = generator(names).integers(max(number, 1), size=(draws, times)) + number * np.arange(draws)[:, None]
    counts = np.bincount(picked.ravel(), minlength=number * draws).reshape(draws, number)
    weights = counts * (number / times) if fewer else counts
    return np.vstack([np.ones((1, number), int), weights]).T.copy()


def _parts(grid: Grid, wanted: Mapping[str, Sides], nodes: _Nodes, rule: Kind, alpha: float) -> Iterator[tuple[str, _Part]]:
    """The wanted tasks of a victim. Tasks with the same negatives share their thresholds."""
    victim, suspects, thresholds = nodes.weights[grid.lineage], nodes.of(grid.lineages), {}
    for task, side in wanted.items():
        key = (side.negatives.tobytes(), side.repeat.tobytes() if rule == "paper" else b"")
        if key not in thresholds:
            thresholds[key] = _thresholds(*_calibrating(grid.values, suspects, side, rule), rule, alpha)
        ordered, places, allowed = thresholds[key]
        stolen = nodes.stolen(grid.victim, task, len(side.positives))
        flags = [_flags(*each) for each in zip(grid.values[side.positives].T, ordered, places, strict=True)]
        rates = np.array([(stolen * flag).sum(axis=0) for flag in flags]) / stolen.sum(axis=0)
        caught = np.mean([flag[:, 0] for flag in flags], axis=0)
        yield task, _Part(side, np.where(allowed, rates, np.nan), victim, caught)


def _calibrating(values: Floats, weights: Weights, side: Sides, rule: Kind) -> tuple[Floats, Weights]:
    """What a rule sets its threshold on (`Sides.calibrating`), and how often each is drawn: models of a lineage together."""
    if rule == "paper":
        return values[side.negatives], weights[side.negatives] * side.repeat[:, None]
    firsts = side.negatives[np.unique(side.groups, return_index=True)[1]]
    return side.calibrating(values, rule), weights[firsts]


def _thresholds(negatives: Floats, weights: Weights, rule: Kind, alpha: float) -> tuple[Floats, Counts, NDArray[np.bool_]]:
    """Thresholds of n negatives under their weights (n,B+1).

    Returns:
        (S,n) sorted scores, (S,B+1) place of the threshold among them, and (B+1,) whether a threshold is allowed.
    """
    k = _allowed(weights.sum(axis=0).round().astype(int), rule, alpha)
    order = np.argsort(negatives, axis=0, kind="stable")
    places = [np.cumsum(weights[column], axis=0) <= k + SLACK for column in order.T]
    # Weights may all lie on models below the place; only where k < 0, which is refused, it then points past the end.
    return np.take_along_axis(negatives, order, axis=0).T, np.array([below.sum(axis=0) for below in places]), k >= 0


def _allowed(numbers: Counts, rule: Kind, alpha: float) -> Counts:
    """`allowed_below` of every number of negatives, -1 where refused."""
    distinct, places = np.unique(numbers, return_inverse=True)
    allowed = [allowed_below(int(number), alpha, rule) for number in distinct]
    return np.array([-1 if k is None else k for k in allowed])[places]


def _flags(positives: Floats, ordered: Floats, places: Counts) -> NDArray[np.bool_]:
    """(p,B+1) whether a positive lies strictly below the negative at the place of the threshold."""
    return np.searchsorted(ordered, positives, side="right")[:, None] <= places


def _over_victims(parts: list[_Part]) -> tuple[Floats, float]:
    """Weighted mean over victims (S,B+1), and the share of draws and victims that are refused.

    The table itself (column 0) has no mean if one victim is refused: a mean over fewer would not be comparable. In a draw
    such victims are left out.
    """
    rates = np.array([part.rates for part in parts])
    weights = np.array([part.weight for part in parts])
    refused = np.isnan(rates).any(axis=1)
    kept = np.where(refused, 0, weights)
    with np.errstate(invalid="ignore"):
        means = (np.nan_to_num(rates) * kept[:, None]).sum(axis=0) / kept.sum(axis=0)
    if refused[:, 0].any():
        means[:, 0] = np.nan
    return means, float(weights[:, 1:][refused[:, 1:]].sum() / weights[:, 1:].sum())


def _row(grid: Grid, task: str, part: _Part) -> dict[str, object]:
    side = part.side
    return {
        "scheme": grid.scheme,
        "benchmark": grid.benchmark,
        "task": task,
        "victim": grid.victim,
        "lineage": grid.lineage,
        "tpr": part.rates[:, 0].mean(),
        "refused": bool(np.isnan(part.rates[:, 0]).any()),
        "n_scores": grid.values.size,
        "n_positives": len(side.positives),
        "n_negatives": len(side.negatives),
        "n_lineages": side.lineages,
        "even": len(set(side.repeat)) <= 1,
    }
