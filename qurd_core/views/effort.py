"""Thefts by what they cost, and whether a scheme of the literature catches them."""

import numpy as np
import pandas as pd

from qurd_core.findings.language import words
from qurd_core.statistics.sides import Negatives
from qurd_core.views.thefts import grid


def points(pairs: pd.DataFrame, models: pd.DataFrame, caught: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """One row per stolen pair.

    Args:
        pairs, models: of `evidence`.
        caught: from `designer.catches`.
        names: scheme to what it is called.

    Returns:
        rows of victim, suspect, task, accuracy, queries, caught (a number), of (schemes that could), by and missed_by.
    """
    known = models.set_index("lineage")
    stolen = pairs[pairs["kind"] == "positive"].reset_index(drop=True)
    flags = caught.reindex(pd.MultiIndex.from_frame(stolen[["victim", "suspect"]]))
    called = np.array([names[scheme] for scheme in flags.columns], object)
    grid = flags.to_numpy(bool)
    return pd.DataFrame(
        {
            "victim": stolen["victim"],
            "suspect": stolen["suspect"],
            "task": [next(iter(tasks)) for tasks in stolen["tasks"]],
            "accuracy": known["accuracy"].reindex(stolen["suspect"]).to_numpy(),
            "queries": known["victim_queries"].reindex(stolen["suspect"]).to_numpy(),
            "caught": grid.sum(axis=1),
            "of": len(called),
            "by": [", ".join(called[row]) for row in grid],
            "missed_by": [", ".join(called[~row]) for row in grid],
        }
    )


def others(table: pd.DataFrame, recorded: pd.DataFrame, negatives: Negatives = "unrelated") -> pd.DataFrame:
    """The thefts of a recorded grid that the benchmark itself has not, unhidden, one row each.

    Args:
        table: from `points`.
        recorded: from `grid_records.read`.

    Returns:
        rows of task, accuracy, kappa (agreement with the victim beyond chance) and queries, each a mean over models; failed
        (they agree hardly more than by chance), below (they are less accurate than any stolen model of the benchmark),
        models (their number) and shares (what schemes catch with 100 queries by the paper's rule, in words).
    """
    cells = {scheme: grid.cells(recorded, scheme, negatives=negatives) for scheme in grid.schemes(recorded)}
    plain = {scheme: found[found["hiding"] == grid.PLAIN].set_index("theft") for scheme, found in cells.items()}
    known = {scheme: found.dropna(subset="value") for scheme, found in plain.items()}
    facts = next(iter(plain.values()))
    facts = facts[~facts.index.isin(table["task"])]
    shares = [
        ", ".join(
            f"{scheme} {words.percent(found.at[theft, 'value'])}" for scheme, found in known.items() if theft in found.index
        )
        for theft in facts.index
    ]
    found = facts[["accuracy", "kappa", "failed"]].assign(
        queries=facts["queries"].astype(int),
        below=facts["accuracy"] < table["accuracy"].min(),
        models=facts["n_models"].astype(int),
        shares=shares,
    )
    return found.rename_axis("task").reset_index()
