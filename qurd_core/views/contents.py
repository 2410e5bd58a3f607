"""What a benchmark holds: its tasks with their pairs, and which images its models were made from."""

from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from qurd_core.errors import unknown
from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import network
from qurd_core.lineage import count_independent
from qurd_core.records.bank import Bank, Ints
from qurd_core.statistics.sides import NEGATIVE_KINDS, Negatives
from qurd_core.views.designer import groups

SEERS = ("victims", "stolen", "unrelated", "hard unrelated")
_KINDS = {"stolen": "positive", "unrelated": "negative", "hard unrelated": "hard"}


def tasks(pairs: pd.DataFrame) -> pd.DataFrame:
    """What each task holds.

    Returns:
        rows of task (`"all"` first), stolen and victims (counts), unrelated and lineages (of the victim that has fewest).
    """
    stolen = pairs[pairs["kind"] == "positive"]
    names = ["all", *dict.fromkeys(task for served in stolen["tasks"] for task in served)]
    return pd.DataFrame([_counts(pairs, task) for task in names])


def counted(pairs: pd.DataFrame, task: str, negatives: Negatives) -> pd.DataFrame:
    """The pairs that a task sets against each other, with hard unrelated models or without.

    Raises:
        QurdError: no pair has the task, or there is no such choice of negatives.
    """
    known = {"all", *chain(*pairs["tasks"])}
    if task not in known:
        raise unknown("task", task, known)
    if negatives not in NEGATIVE_KINDS:
        raise unknown("choice of negatives", negatives, NEGATIVE_KINDS)
    serve = pairs["tasks"].map(bool if task == "all" else lambda tasks: task in tasks)
    return pairs[serve & pairs["kind"].isin(("positive", "suspect", *NEGATIVE_KINDS[negatives]))].reset_index(drop=True)


def seen(pairs: pd.DataFrame, models: pd.DataFrame, regions: Iterable[str]) -> pd.DataFrame:
    """How many models of each role read images of each region in their last step.

    Args:
        regions: all there are, from `seed_pictures.regions`.

    Returns:
        a row per region, in their order, and the columns `SEERS`.
    """
    roles = {"victims": pairs["victim"]} | {
        role: pairs.loc[pairs["kind"] == kind, "suspect"] for role, kind in _KINDS.items()
    }
    used = models.set_index("lineage")["regions"]
    found = {}
    for role, names in roles.items():
        # A copy is the victim itself and was made from nothing more.
        chosen = set(names) - (set(pairs["victim"]) if role == "stolen" else set())
        read = pd.Series([region for name in chosen for region in used[name]], dtype=object)
        found[role] = read.value_counts().reindex(list(regions), fill_value=0)
    return pd.DataFrame(found)[list(SEERS)]


def samples(bank: Bank, number: int) -> dict[str, Ints]:
    """Some test items of every class, evenly spaced over the seed set."""
    found = {}
    for label, name in enumerate(bank.classes):
        mine = np.flatnonzero(bank.truth == label)
        found[name] = mine[np.linspace(0, len(mine) - 1, min(number, len(mine))).astype(int)]
    return found


def images(bank: Bank) -> pd.DataFrame:
    """Every test item: its class and, if it was cut out of a photograph, top, left, side and turn there."""
    table = pd.DataFrame({"class": np.array(bank.classes, object)[bank.truth]})
    if bank.places is None:
        return table
    return table.assign(**dict(zip(("top", "left", "side", "turn"), bank.places[:, 1:].T, strict=True)))


def recognised(bank: Bank) -> dict[str, float]:
    """The share of the test items of every class that the victims get right, in the mean over victims."""
    right = bank.rows(list(bank.victims)) == bank.truth
    return {name: float(right[:, bank.truth == label].mean()) for label, name in enumerate(bank.classes)}


def _counts(pairs: pd.DataFrame, task: str) -> dict[str, Any]:
    serving = pairs if task == "all" else pairs[[task in served for served in pairs["tasks"]]]
    stolen = serving[serving["kind"] == "positive"]
    # Every victim that has the task, also one without any unrelated model.
    roots = serving[serving["kind"] == "negative"].groupby("victim")["root"]
    against = pd.DataFrame({"models": roots.size(), "lineages": roots.agg(count_independent).astype(int)})
    against = against.reindex(stolen["victim"].unique(), fill_value=0)
    return {
        "task": task,
        "stolen": len(stolen),
        "victims": len(against),
        "unrelated": int(against["models"].min()),
        "lineages": int(against["lineages"].min()),
    }


class Branch(NamedTuple):
    """One row: models of one group.

    Attributes:
        label: the task in words, or an architecture of the unrelated models.
        kind: of the pairs.
        models: rows of `evidence.models`.
    """

    label: str
    kind: str
    models: pd.DataFrame


def branches(pairs: pd.DataFrame, models: pd.DataFrame, victim: str) -> list[Branch]:
    """What stands beside a victim: its thefts by task, then the unrelated models by architecture."""
    known = models.set_index("lineage", drop=False)
    mine = pairs[pairs["victim"] == victim]
    rows = known.loc[mine["suspect"]].assign(group=groups(mine), kind=mine["kind"].to_numpy())
    found = []
    for (group, kind), part in rows.groupby(["group", "kind"], sort=False):
        if kind == "negative":
            found += [
                Branch(f"{words.retold(group)}, {network(arch)}", kind, some)
                for arch, some in part.groupby("architecture", sort=False)
            ]
        else:
            found.append(Branch(words.task(group), kind, part))
    return sorted(found, key=lambda branch: ("positive", "suspect", "hard", "negative").index(branch.kind))
