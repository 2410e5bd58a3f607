"""The Designer's bench: what the named schemes would reach if a benchmark kept only some of its pairs.

Everything follows from recorded distances, at one budget, without models or torch.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.errors import QurdError
from qurd_core.records.evidence import Scores
from qurd_core.schemes import CONTROL
from qurd_core.statistics import allowed_below, min_pool
from qurd_core.statistics.metrics import Floats
from qurd_core.statistics.sides import NEGATIVE_KINDS, Negatives, Sides, sides
from qurd_core.views import separability

PER_ROW, FEW, MANY = 10, 5, 4  # tiles of one victim beside each other: fewer where there are many victims
GAP = 1.5  # tiles between the blocks of two victims
ALPHA = 0.05

PairKey = tuple[str, str]
Pairs = frozenset[PairKey]


def named(schemes: pd.DataFrame, scores: Scores) -> dict[str, str]:
    """Scheme to name of the named schemes that are fingerprints and have recorded distances, in the order of the records."""
    known = schemes.dropna(subset="name")
    known = known[known["scheme"].isin(scores.columns["scheme"].unique())]
    return {scheme: name for scheme, name in zip(known["scheme"], known["name"], strict=True) if name != CONTROL}


def keys(table: pd.DataFrame) -> list[PairKey]:
    """(victim, suspect) of every row."""
    return list(zip(table["victim"].tolist(), table["suspect"].tolist(), strict=True))


def kept(table: pd.DataFrame, out: Pairs) -> pd.DataFrame:
    """The rows that are not left out."""
    return table[[pair not in out for pair in keys(table)]].reset_index(drop=True)


def turned(out: Pairs, some: Iterable[PairKey]) -> Pairs:
    """What is left out after a click on some pairs: all of them if any was in, else none of them."""
    clicked = frozenset(some)
    return out - clicked if clicked <= out else out | clicked


def groups(table: pd.DataFrame) -> list[str]:
    """What every pair is ticked with: its task, or how it is unrelated.

    Unrelated models that serve other tasks than most do are a group of their own.
    """
    served = [tuple(tasks) for tasks in table["tasks"]]
    negatives = pd.Series([tasks for tasks, kind in zip(served, table["kind"], strict=True) if kind == "negative"])
    usual = negatives.value_counts().index[0] if len(negatives) else ()
    return [_group(kind, tasks, usual) for kind, tasks in zip(table["kind"], served, strict=True)]


def objection(table: pd.DataFrame, alpha: float = ALPHA) -> str | None:
    """Why these pairs are no benchmark, in one sentence; None where they are one."""
    if table.empty:
        return "Nothing is ticked: tick at least one victim with a stolen model and its unrelated models."
    fewest = None
    for victim, rows in table.groupby("victim", sort=False):
        if not (rows["kind"] == "positive").any():
            return f"No stolen model of {victim} is left: tick one, or leave the whole victim out."
        for task, side in opposed(rows, "unrelated").items():
            number = side.lineages
            if task != "all" and number < min_pool(alpha) and (fewest is None or number < fewest[0]):
                fewest = number, task, victim
    if fewest is None:
        return None
    number, task, victim = fewest
    least = f" The lowest false-alarm rate that can be guaranteed is {100 / (number + 1):.1f} %." if number else ""
    promise = (
        f"A guarantee of {100 * alpha:.0f} % false alarms needs {min_pool(alpha)} independent lineages of unrelated models"
    )
    return f"{promise}: task {task} of {victim} has {number} left.{least}"


def measurable(table: pd.DataFrame) -> bool:
    """Whether there are victims, and every one has a stolen model."""
    return not table.empty and set(table.loc[table["kind"] == "positive", "victim"]) == set(table["victim"])


def weakest(table: pd.DataFrame) -> tuple[int, int]:
    """The number of unrelated models, and of their independent lineages, where a victim and task has fewest.

    With n lineages the smallest level that can be promised is 1/(n+1).
    """
    counts = []
    for _, rows in table.groupby("victim", sort=False):
        found = opposed(rows, "unrelated")
        counts += [(len(side.negatives), side.lineages) for task, side in found.items() if task != "all"]
    return min(counts, key=lambda found: found[::-1])


_COMPARED = ["task", "label", "before", "after", "spread", "change", "auc_before", "auc"]


def compare(before: pd.DataFrame, after: pd.DataFrame | None, names: Mapping[str, str]) -> pd.DataFrame:
    """What leaving pairs out does to schemes, per task and for all.

    Args:
        before, after: rows of `evidence.rates` at one budget; no `after` where the pairs give no rates.
        names: scheme to what it is called.

    Returns:
        rows of task, label, before, after, spread (over query seeds), change, auc_before and auc; best first.
    """
    old = before[before["scheme"].isin(names)].sort_values("scheme", key=lambda of: of.map(list(names).index), kind="stable")
    new = before.iloc[:0] if after is None else after
    both = old.merge(new, on=["scheme", "task"], how="left", suffixes=("_before", ""))
    both = both.assign(label=both["scheme"].map(names), change=both["tpr"] - both["tpr_before"])
    table = both.rename(columns={"tpr_before": "before", "tpr": "after", "sd": "spread"})[_COMPARED]
    return table.sort_values("after", ascending=False, kind="stable", ignore_index=True)


def overlap(
    scores: Scores, table: pd.DataFrame, scheme: str, budget: int, negatives: Negatives = "unrelated", *, share: bool
) -> float:
    """Overlap of stolen and unrelated pairs by a scheme, all tasks together, as on Separability.

    Args:
        share: whether the scheme's distances end at 1, from `separability.ends_at_one`.

    Returns:
        NaN where some pair has no score, or a side has too few pairs for a density.
    """
    if not measurable(table):
        return np.nan
    try:
        found = separability.Distances.of_scheme(table, scores, scheme, budget)
    except QurdError:
        return np.nan
    counted = table["kind"].isin(("positive", *NEGATIVE_KINDS[negatives]))
    return separability.overlap(separability.Row("all", table.assign(value=found.drawn)[counted]), share=share)


def catches(scores: Scores, table: pd.DataFrame, negatives: Negatives = "unrelated", alpha: float = ALPHA) -> pd.DataFrame:
    """Which schemes catch which stolen model.

    A scheme catches a model if its distance lies strictly below the paper's threshold of its victim and task for most query
    seeds.

    Args:
        scores: of one budget, from `Scores.only`.

    Returns:
        a bool column per scheme that has a value for every model, and a row per stolen pair; the index is (victim, suspect).
    """
    parts = []
    for victim, rows in table.groupby("victim", sort=False):
        found, values = opposed(rows, negatives), distances(scores, victim, rows)
        share, times = np.zeros(values.shape), np.zeros((len(values), 1))
        for task, side in found.items():
            if task != "all":
                share[side.positives] += flagged(values, side, alpha)
                times[side.positives] += 1
        stolen = found["all"].positives
        mean = per_scheme(scores, share[stolen] / times[stolen], known=~np.isnan(values).any(axis=0))
        parts.append(mean.set_index(pd.MultiIndex.from_frame(rows[["victim", "suspect"]].iloc[stolen])))
    return pd.concat(parts).dropna(axis=1) > 0.5


def spread(values: Floats) -> float:
    """How far TPRs lie apart: their standard deviation; NaN where there is none."""
    return float(np.nanstd(values)) if np.isfinite(values).any() else np.nan


def opposed(rows: pd.DataFrame, negatives: Negatives) -> dict[str, Sides]:
    """Who stands against whom, for the pairs of one victim."""
    return sides(rows["kind"].tolist(), rows["tasks"].tolist(), rows["root"].tolist(), negatives)


def distances(scores: Scores, victim: str, rows: pd.DataFrame) -> Floats:
    """(M,K) distances in the order of the rows."""
    place = {suspect: row for row, suspect in enumerate(scores.suspects[victim])}
    return scores.values[victim][[place[suspect] for suspect in rows["suspect"]]]


def flagged(values: Floats, side: Sides, alpha: float) -> NDArray[np.bool_]:
    """(p,K) whether each positive lies below the paper's threshold."""
    pooled = side.calibrating(values, "paper")
    k = allowed_below(len(pooled), alpha, "paper")
    if k is None:
        return np.zeros((len(side.positives), values.shape[1]), bool)
    return values[side.positives] < np.partition(pooled, k, axis=0)[k]


def per_scheme(scores: Scores, shares: Floats, known: NDArray[np.bool_]) -> pd.DataFrame:
    """Means over query seeds: a column per scheme, NaN where a seed has no value."""
    blocks = scores.columns.groupby("scheme", sort=False).indices
    return pd.DataFrame({name: shares[:, at].mean(axis=1) if known[at].all() else np.nan for name, at in blocks.items()})


def _group(kind: str, tasks: tuple[str, ...], usual: tuple[str, ...]) -> str:
    if kind == "positive":
        return tasks[0]
    if kind == "suspect":
        return "suspects"
    if kind == "hard":
        return "hard unrelated"
    return "unrelated" if tasks == usual else f"unrelated: {', '.join(tasks)}"


_ORDER = ("positive", "hard", "negative")


def tiles(table: pd.DataFrame) -> pd.DataFrame:
    """Where every pair stands.

    Args:
        table: from `evidence.pairs`.

    Returns:
        rows of victim, suspect, kind, group, line (counted from the top over all groups), left (where the victim's block
        begins) and x.
    """
    found = table[["victim", "suspect", "kind"]].assign(group=groups(table))
    victims = list(dict.fromkeys(table["victim"]))
    wide = PER_ROW if len(victims) <= MANY else FEW
    order = found["kind"].map(_ORDER.index).sort_values(kind="stable").index
    found = found.loc[order].reset_index(drop=True)
    number = found.groupby(["victim", "group"], sort=False).cumcount()
    lines = (number // wide).groupby(found["group"], sort=False).max() + 1
    above = lines.cumsum() - lines
    left = found["victim"].map(victims.index) * (wide + GAP)
    return found.assign(line=found["group"].map(above) + number // wide, left=left, x=left + number % wide)


class Count(NamedTuple):
    """How many pairs of a group or a victim are in, and where its first tile stands."""

    kept: int
    all: int
    line: int
    left: float

    @property
    def partly(self) -> bool:
        return 0 < self.kept < self.all

    @property
    def said(self) -> str:
        """The number, or what is in of what there is."""
        return f"<b>{self.all}</b>" if self.kept == self.all else f"<b>{self.kept} of {self.all}</b>"


def marked(rows: pd.DataFrame, out: Pairs) -> pd.DataFrame:
    return rows.assign(out=[pair in out for pair in keys(rows)])


def counts(rows: pd.DataFrame, by: str) -> dict[str, Count]:
    columns = (rows[name].tolist() for name in (by, "out", "line", "left"))
    found: dict[str, Count] = {}
    for name, gone, line, left in zip(*columns, strict=True):
        count = found.get(name, Count(0, 0, line, left))
        found[name] = count._replace(kept=count.kept + (not gone), all=count.all + 1)
    return found
