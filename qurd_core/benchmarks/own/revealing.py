"""What each model of a table of answers reveals: probits where its rows hold them, else the order of its first classes
(`label`, `top_2`, `top_3`, ...), else labels.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qurd_core.access import Access
from qurd_core.errors import QurdError

TOP = re.compile(r"top_([1-9]\d*)")
MOST = 25  # classes in order: `in_order` tells so many apart
SHOWN = 12  # columns in a sentence


@dataclass(frozen=True)
class Revealed:
    """What a model reveals.

    Attributes:
        ranked: the classes of an answer whose order is known; None where it is the order of all.
    """

    access: Access
    ranked: int | None


def top_columns(names: Iterable[str]) -> list[str]:
    """The columns of classes after the label, best first.

    Raises:
        QurdError: one is left out, or there are more than `MOST` classes in order.
    """
    found = sorted((name for name in names if TOP.fullmatch(name)), key=lambda name: int(name[4:]))
    wanted = [f"top_{number}" for number in range(2, 2 + len(found))]
    if found != wanted or len(found) >= MOST:
        raise QurdError(
            f"Expected the columns top_2, top_3, ... without a gap, up to top_{MOST}. Got {', '.join(found[:SHOWN])}."
        )
    return found


def with_probits(table: pd.DataFrame, probits: list[str]) -> pd.Series:
    """(rows,) whether the model of a row has probits at all: one whose columns are empty throughout reveals less."""
    if not probits:
        return pd.Series(False, index=table.index)
    there = table[probits].notna().any(axis=1)
    return there.groupby(table["model"], observed=True).transform("any")


def revealed(table: pd.DataFrame, probits: list[str], tops: list[str], known: Iterable[str]) -> dict[str, Revealed]:
    """What every model reveals: as many classes in order as each of its rows names.

    Args:
        known: the classes; a second one beside them in an answer ends the order that it tells.
    """
    full = with_probits(table, probits)
    if not tops:
        ranked = pd.Series(1, index=table.index)
    else:
        names = table[["label", *tops]]
        named = names.ne("") & (names.isin({*known}) | (~names.isin({*known})).cumsum(axis=1).le(1))
        ranked = named.cummin(axis=1).sum(axis=1)
    least = ranked.groupby(table["model"], observed=True).min()
    found = {}
    for model, has in full.groupby(table["model"], observed=True).any().items():
        number = int(least[model])
        less = Revealed(Access.TOPK, number) if number > 1 else Revealed(Access.LABELS, 1)
        found[str(model)] = Revealed(Access.PROBITS, None) if has else less
    return found


def least(some: Iterable[Revealed]) -> Revealed:
    """What several models reveal, each of them."""
    return min(some, key=lambda one: (one.access, one.ranked or 0))


def told(models: Mapping[str, Revealed]) -> Iterator[str]:
    """A sentence about every kind of model that reveals less than others do."""
    best = max(one.access for one in models.values())
    for access in sorted({one.access for one in models.values()} - {best}):
        names = [name for name, one in models.items() if one.access == access]
        reveal = "reveals" if len(names) == 1 else "reveal"
        yield f"{len(names):,} of {len(models):,} models {reveal} {access} only, such as '{names[0]}'."


def wrong_tops(table: pd.DataFrame, probits: list[str], tops: list[str], where: Callable[[pd.Series], str]) -> Iterator[str]:
    """What is wrong with the classes after the label, a sentence each."""
    if not tops:
        return
    names = table[["label", *tops]]
    both = with_probits(table, probits) & names[tops].ne("").any(axis=1)
    if both.any():
        yield f"Expected no top_ columns beside probits, which tell the order. Got both in {where(both)}: leave one empty."
    gap = (names.eq("") & names.ne("").iloc[:, ::-1].cummax(axis=1).iloc[:, ::-1]).any(axis=1)
    if gap.any():
        yield f"Expected every class after the label in order. One before the last is empty in {where(gap)}."
    twice = pd.Series(False, index=table.index)
    for place, name in enumerate(tops, 1):
        twice |= names[name].ne("") & names.iloc[:, :place].eq(names[name], axis=0).any(axis=1)
    if twice.any():
        yield f"Expected different classes in an answer. One comes twice in {where(twice)}."


def in_order(places: NDArray[np.int_], classes: int) -> NDArray[np.float32]:
    """(rows,classes) numbers that fall from the first class in order on, and are smallest where no order is known.

    Args:
        places: (rows,k) numbers of classes, best first; -1 where none is named.
        classes: C or C+1; with one more than there are, the last stands for whatever is no class.
    """
    found = np.zeros((len(places), classes), np.float32)
    for place in reversed(range(places.shape[1])):
        rows = places[:, place] >= 0
        found[rows, places[rows, place]] = np.exp(-place)
    return found
