"""Made-up score tables in the shape of the benchmarks: victims with stolen models, and unrelated models between them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from qurd_core.statistics.metrics import victim_cells
from qurd_core.statistics.sides import Negatives, sides


def score_table(
    skills: Mapping[str, float],
    victims: Mapping[str, int],
    *,
    tasks: Sequence[str] = ("prune", "distill"),
    per_task: int = 2,
    strangers: int = 20,
    seeds: int = 3,
    levels: int | None = None,
    rng: int = 0,
) -> pd.DataFrame:
    """A score table of some schemes on some data sets.

    Every victim is a lineage of its own, with `per_task` stolen models for each task; the stolen models of the other victims
    are its unrelated ones, beside `strangers` models that are a lineage each.

    Args:
        skills: per scheme, how much closer a stolen model is than an unrelated one, in standard deviations.
        victims: per data set the number of victims.
        levels: round distances to so many levels, for ties.
    """
    draw, parts = np.random.default_rng(rng), []
    for benchmark, number in victims.items():
        names = [f"{benchmark}-victim{place}" for place in range(number)]
        models = [(f"{name}->{task}({copy})", name, task) for name in names for task in tasks for copy in range(per_task)]
        models += [(f"{benchmark}-stranger{place}", f"{benchmark}-stranger{place}", "") for place in range(strangers)]
        suspects, lineages, served = zip(*models, strict=True)
        for victim in names:
            own = np.array(lineages) == victim
            frame = pd.DataFrame({"victim": victim, "suspect": suspects, "lineage": lineages})
            frame["benchmark"], frame["kind"] = benchmark, np.where(own, "positive", "negative")
            frame["tasks"] = [[task] if mine else list(tasks) for mine, task in zip(own, served, strict=True)]
            hardness = draw.normal(size=len(models))
            for scheme, skill in skills.items():
                for seed in range(seeds):
                    value = 10 + hardness + 0.5 * draw.normal(size=len(models)) - skill * own
                    value = np.clip(value / 20, 0, 1)
                    value = value if levels is None else np.round(value * levels) / levels
                    parts.append(frame.assign(scheme=scheme, query_seed=seed, budget=100, used=100, value=value))
    return pd.concat(parts, ignore_index=True)


def cells(scores: pd.DataFrame, negatives: Negatives = "unrelated") -> pd.DataFrame:
    """The rows of `victim_cells` for every benchmark, scheme, victim and query seed of a score table."""
    run, found = ["benchmark", "scheme", "victim", "query_seed"], []
    for names, group in scores.groupby(run, sort=False):
        wide = group.pivot(index="suspect", columns="budget", values="value").loc[group["suspect"].unique()]
        first = group.drop_duplicates("suspect")
        faced = sides(first["kind"].tolist(), first["tasks"].tolist(), first["lineage"].tolist(), negatives)
        used = group.drop_duplicates("budget").set_index("budget")["used"].loc[wide.columns]
        table = victim_cells(wide.to_numpy(float), faced, list(wide.columns), used.tolist())
        found.append(table.assign(**dict(zip(run, names, strict=True))))
    return pd.concat(found, ignore_index=True)
