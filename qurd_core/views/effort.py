"""Thefts by what they cost, and whether a scheme of the literature catches them."""

import numpy as np
import pandas as pd


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
