"""How many answers a table of answers may lack: none of a victim, which is at hand, and a tenth of any other model."""

from collections.abc import Iterator

import pandas as pd

from qurd_core.benchmarks.kinship import pairs_by_lineage
from qurd_core.lineage import Lineage
from qurd_core.types import Pair

MOST = 0.1  # share of the items, and of those that a victim gets wrong, which are the queries of AKH


def too_many_missing(table: pd.DataFrame, lineages: dict[str, Lineage]) -> Iterator[str]:
    """Whose answers are missing that must not be, a sentence per model.

    Args:
        table: rows of item, truth, model, label and split, at most one per item and model.
        lineages: of every model.
    """
    pairs = pairs_by_lineage(lineages)
    for split, rows in table.groupby("split", observed=True):
        if len(rows) < rows["item"].nunique() * len(lineages):
            yield from _of_split(str(split), rows, tuple(lineages), pairs)


def _of_split(split: str, rows: pd.DataFrame, models: tuple[str, ...], pairs: tuple[Pair, ...]) -> Iterator[str]:
    labels = rows.pivot(index="item", columns="model", values="label").reindex(columns=list(models))
    missing, truth = labels.isna(), rows.groupby("item")["truth"].first()
    told: set[str] = set()
    for victim in dict.fromkeys(pair.victim for pair in pairs):
        if missing[victim].any():
            told.add(victim)
            first = missing.index[missing[victim]][0]
            yield (
                f"'{victim}' has no answer to the item '{first}' of {split}. It is a victim, so it is at hand: ask it, or"
                " leave the item out."
            )
    if told:
        return
    shares = [(model, f"items of {split}", missing[model]) for model in models]
    for pair in pairs:
        mistakes = missing.loc[labels[pair.victim] != truth, pair.suspect]
        shares.append((pair.suspect, f"items of {split} that '{pair.victim}' gets wrong", mistakes))
    for model, which, lacks in shares:
        if model not in told and lacks.mean() > MOST:
            told.add(model)
            yield (
                f"'{model}' has no answer to {lacks.sum():,} of {len(lacks):,} {which}. At most {MOST:.0%} may be missing:"
                " ask it again, or leave the model out."
            )
