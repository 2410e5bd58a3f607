"""Which few stolen models tell schemes apart best: chosen on one half of the victims, reported on the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qurd_core.errors import QurdError
from qurd_core.records.evidence import Scores
from qurd_core.statistics.metrics import Floats
from qurd_core.statistics.sides import Negatives
from qurd_core.views.designer import ALPHA, PairKey, Pairs, distances, flagged, kept, keys, opposed, per_scheme, spread

SUGGESTED = 5  # thefts, each of every victim


@dataclass(frozen=True)
class Suggestion:
    """Stolen models that spread the schemes, as recipes: one recipe stands for the theft of that kind from every victim.

    Attributes:
        recipes: their names, in the order in which they were taken.
        pairs: the stolen pairs of all victims that follow them.
        chosen_on, reported_on: the two halves of the victims.
        chosen, reported: standard deviation of TPR over the schemes on each half, with these stolen models only.
        before: the same on the second half with the stolen models that were kept before.
    """

    recipes: tuple[str, ...]
    pairs: Pairs
    chosen_on: tuple[str, ...]
    reported_on: tuple[str, ...]
    chosen: float
    reported: float
    before: float


def suggest(
    scores: Scores, table: pd.DataFrame, out: Pairs, negatives: Negatives = "unrelated", alpha: float = ALPHA
) -> Suggestion:
    """The recipes whose inclusion spreads TPR over the schemes most, taken one after another from all stolen models.

    Thresholds come from the unrelated models that are kept. The recipes are chosen on every second victim and reported on
    the others, which had no say.

    Raises:
        QurdError: fewer than two victims are left.
    """
    left = [victim for victim, rows in kept(table, out).groupby("victim", sort=False) if len(rows)]
    if len(left) < 2:
        raise QurdError("Expected two victims or more: a suggestion is chosen on half of them and reported on the others.")
    chosen = [kind == "positive" or pair not in out for kind, pair in zip(table["kind"], keys(table), strict=True)]
    rows = table[table["victim"].isin(left).to_numpy() & np.array(chosen)]
    recipes = _recipes(rows)
    shares = _shares(scores, rows, recipes, negatives, alpha)
    first, second = shares[:, ::2], shares[:, 1::2]
    taken: list[int] = []
    for _ in range(min(SUGGESTED, len(recipes))):
        rest = [place for place in range(len(recipes)) if place not in taken]
        taken.append(max(rest, key=lambda place: _spread(first[[*taken, place]])))
    ticked = [place for place, theft in enumerate(recipes.values()) if not out.issuperset(theft)]
    names = _names(recipes)
    return Suggestion(
        tuple(names[place] for place in taken),
        frozenset(pair for place in taken for pair in list(recipes.values())[place]),
        tuple(left[::2]),
        tuple(left[1::2]),
        _spread(first[taken]),
        _spread(second[taken]),
        _spread(second[ticked]) if ticked else np.nan,
    )


def _recipes(rows: pd.DataFrame) -> dict[tuple[str, int], list[PairKey]]:
    """The stolen pairs by task and by their place among the victim's thefts of that task."""
    stolen = rows[rows["kind"] == "positive"]
    tasks = [next(iter(tasks)) for tasks in stolen["tasks"]]
    place = stolen.assign(task=tasks).groupby(["victim", "task"], sort=False).cumcount()
    found: dict[tuple[str, int], list[PairKey]] = {}
    for task, number, pair in zip(tasks, place, keys(stolen), strict=True):
        found.setdefault((task, number), []).append(pair)
    return found


def _names(recipes: Mapping[tuple[str, int], list[PairKey]]) -> list[str]:
    """The steps after the victim where they are the same for all victims, else the task and a number."""
    names = []
    for (task, number), pairs in recipes.items():
        steps = {suspect.removeprefix(victim).removeprefix("->") for victim, suspect in pairs}
        names.append((steps.pop() or task) if len(steps) == 1 else f"{task} {number + 1}")
    return names


def _shares(
    scores: Scores, rows: pd.DataFrame, recipes: Mapping[tuple[str, int], list[PairKey]], negatives: Negatives, alpha: float
) -> Floats:
    """(R,V,S) share of query seeds in which each scheme catches the theft, NaN where a victim has none of the recipe."""
    place = {pair: row for row, pairs in enumerate(recipes.values()) for pair in pairs}
    victims = list(rows["victim"].unique())
    parts = []
    for victim in victims:
        mine = rows[rows["victim"] == victim]
        side, values = opposed(mine, negatives)["all"], distances(scores, victim, mine)
        shares = per_scheme(scores, flagged(values, side, alpha), known=~np.isnan(values).any(axis=0))
        grid = np.full((len(recipes), shares.shape[1]), np.nan)
        grid[[place[victim, suspect] for suspect in mine["suspect"].iloc[side.positives]]] = shares.to_numpy()
        parts.append(grid)
    return np.stack(parts, axis=1)


def _spread(shares: Floats) -> float:
    """Spread of TPR over the schemes: means over the models of a victim, then over the victims that have some."""
    there = ~np.isnan(shares)
    number = there.sum(axis=0)
    per_victim = np.where(there, shares, 0).sum(axis=0) / np.maximum(number, 1)
    victims = (number > 0).sum(axis=0)
    # A scheme without a value for some victim is not compared with the others.
    whole = victims == victims.max()
    return spread((np.where(number > 0, per_victim, 0).sum(axis=0) / np.maximum(victims, 1))[whole])
