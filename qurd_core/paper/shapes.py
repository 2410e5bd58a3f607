"""Graders that several claims share, with parameters: from the facts to the numbers that a claim rests on.

A grader gives values by name. `holds` is whether they support the claim, None where nothing does; the others fill the
sentences of its row in the table of claims, so no finding is typed: each sentence turns with its numbers.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from qurd_core.paper.facts import DATASETS, FIGURE_1, SACBENCH, Difference, Facts
from qurd_core.paper.phrases import listed, size, stands, victims, with_error
from qurd_core.records.rate_records import EMBEDDED
from qurd_core.schemes import PUBLISHED

Values = dict[str, Any]  # `embedded` is the same of the embedded benchmarks
Grader = Callable[[Facts], Values]
Condition = Callable[[pd.DataFrame], pd.Series]  # what is true of which pair

MARGIN = 0.10  # a difference of TPR@5% that counts, here as in equivalence tests
SOLVED = 0.95
NOTABLE = 0.02  # a change of TPR@5% that a curve over budgets shows
NEGATIVE, ADVERSARIAL = ("AKH", "SAC"), ("IPGuard", "ModelDiff")  # schemes by how they sample


def graded(holds: bool | None, **values: Any) -> Values:
    return {"holds": holds, **values}


def everywhere(measured: Callable[[str], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One thing of every data set, and of the embedded benchmarks."""
    return {dataset: measured(dataset) for dataset in DATASETS}, {place: measured(place) for place in EMBEDDED}


def pairs(facts: Facts, kind: str, where: Condition, *, every: bool = False, also: Condition | None = None) -> Values:
    """In how many pairs of a kind something is true; none may be, or with `every` all must.

    Args:
        also: another condition, of which the `share` is told.
    """

    def count(place: str, where: Condition = where) -> tuple[int, int]:
        own = facts.side(place, kind)
        return int(where(own).sum()), len(own)

    counts, embedded = everywhere(count)
    true, known = map(sum, zip(*counts.values(), strict=True))
    share = sum(count(dataset, also)[0] for dataset in DATASETS) / known if also else 0.0
    values = {"counts": counts, "true": true, "known": known, "share": share, "embedded": embedded}
    return graded(true == (known if every else 0), **values)


def most(facts: Facts, does: Callable[[dict[int, float]], bool], part: Callable[[int, int], bool]) -> Values:
    """How many schemes of each data set do what most are said to do everywhere.

    Args:
        does: asked of a scheme's rates by budget.
        part: whether a budget counts, given the one from which on the paper sees a plateau.
    """
    counts, others = {}, []
    for dataset in DATASETS:
        knee = 100 if dataset == SACBENCH else 50
        curves = {s: {at: v for at, v in curve.items() if part(at, knee)} for s, curve in facts.curves(dataset).items()}
        found = {scheme: does(curve) for scheme, curve in curves.items() if len(curve) > 1}
        counts[dataset] = sum(found.values()), len(found)
        others += [f"{scheme} on {dataset}" for scheme, done in found.items() if not done]
    few = [dataset for dataset, (done, known) in counts.items() if 2 * done <= known]
    return graded(not few, counts=counts, few=few, others=others)


def rises(curve: dict[int, float]) -> bool:
    return bool((np.diff(list(curve.values())) > NOTABLE).all())


def flat(curve: dict[int, float]) -> bool:
    """Whether a doubling of the budget gains little."""
    first, last = min(curve), max(curve)
    return (curve[last] - curve[first]) / math.log2(last / first) < NOTABLE


def _against_best(facts: Facts, datasets: Iterable[str]) -> dict[str, tuple[str, Difference]]:
    """AKH against the best published scheme of each data set, victim by victim."""
    named = {dataset: facts.named(dataset, "all", FIGURE_1) for dataset in datasets}
    best = {dataset: str(rates[rates.index.isin(PUBLISHED)].idxmax()) for dataset, rates in named.items()}
    return {dataset: (name, facts.difference(dataset, "AKH", name, FIGURE_1)) for dataset, name in best.items()}


def par(facts: Facts, datasets: Iterable[str] = DATASETS) -> Values:
    """Whether AKH is nowhere further behind the best than the margin."""
    found = _against_best(facts, datasets)
    gaps = {dataset: f"{with_error(gap)} against {best}" for dataset, (best, gap) in found.items()}
    return graded(min(gap.mean for _, gap in found.values()) > -MARGIN, gaps=gaps, why=_on_par(found))


def _on_par(found: Mapping[str, tuple[str, Difference]]) -> str:
    """Whether AKH keeps within the margin where it is furthest behind, and whether that is established."""
    dataset = min(found, key=lambda name: found[name][1].mean)
    best, gap = found[dataset]
    said = f"At worst, on {dataset}, AKH {stands(gap.mean, best)}, which is"
    if gap.mean <= -MARGIN:
        return f"{said} not within {size(MARGIN)}."
    low = {name: one.mean - 2 * one.error for name, (_, one) in found.items() if not math.isnan(one.error)}
    alone = [name for name, (_, one) in found.items() if math.isnan(one.error)]
    single = f" The victims of {listed(alone)} come from a single network, so of others nothing is known." if alone else ""
    if low and min(low.values()) <= -MARGIN:
        least = min(low, key=low.__getitem__)
        return (
            f"{said} within {size(MARGIN)}. On {least} two standard errors reach {size(low[least])} below "
            f"{found[least][0]}, so non-inferiority is not established there.{single}"
        )
    return f"{said} within {size(MARGIN)}: non-inferior, a weaker claim than equal.{single}"


def better(facts: Facts, dataset: str) -> Values:
    """Whether AKH lies above the best by more than chance would have it."""
    best, gap = _against_best(facts, [dataset])[dataset]
    gaps, error = {dataset: f"{with_error(gap)} against {best}"}, 2 * gap.error
    return graded(gap.mean > error, gaps=gaps, gap=gap.mean, best=best, error=error, victims=victims(gap))


def reached(facts: Facts, task: str, budget: int, limit: float) -> Values:
    """Whether AKH catches a share of the stolen models on every data set, and what is missing where it does not."""
    rates = {dataset: facts.tpr(dataset, "AKH", task, budget) for dataset in DATASETS}
    short = {dataset: 1 - rate for dataset, rate in rates.items() if rate < limit}
    return graded(not short, rates=rates, short=short, some=len(rates) - len(short), all=len(rates))


def swapped(facts: Facts, crafts: Mapping[str, str], budgets: tuple[int, ...]) -> Values:
    """Other samplers in the place of uniform ones.

    Args:
        crafts: samplers by their names, with a `{split}` to fill in.
    """

    def means(*places: str) -> dict[str, float]:
        return {name: facts.swap([craft], budgets, places).mean for name, craft in crafts.items()}

    whole, each = facts.swap(crafts.values(), budgets), [facts.swap(crafts.values(), (budget,)).mean for budget in budgets]
    values = {"means": means(*DATASETS), "gains": whole.better, "count": whole.count, "least": min(each), "most": max(each)}
    embedded = {place: means(place) for place in EMBEDDED}
    return graded(whole.mean > 0 and whole.better > 0.5, **values, embedded=embedded)
