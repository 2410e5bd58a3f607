"""From the scores in the store to a table of detection rates."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from qurd_core.errors import QurdError
from qurd_core.evaluation.request import Request
from qurd_core.evaluation.workbench import Workbench
from qurd_core.registry import representations
from qurd_core.schemes import NAMED, Scheme
from qurd_core.statistics.metrics import aggregate, victim_cells
from qurd_core.statistics.sides import NEGATIVE_KINDS, Sides, sides
from qurd_core.types import Pair

COSTS = ("distinct", "samples", "gradients", "converged")
TOGETHER = 16  # schemes whose cells are averaged at once: more take memory, fewer take time

_Facing = tuple[list[int], dict[str, Sides]]


def tabulate(asked: Request, desk: Workbench) -> pd.DataFrame:
    """The table of a request, of every task and of all together; its scores are known to the workbench or in its store."""
    pairs = {victim: asked.pairs(victim) for victim in asked.victims}
    facing = {victim: _facing(asked, desk, victim, counted) for victim, counted in pairs.items()}
    some = [asked.schemes[start : start + TOGETHER] for start in range(0, len(asked.schemes), TOGETHER)]
    return pd.concat([_scheme_rows(asked, desk, schemes, facing) for schemes in some], ignore_index=True)


def recorded(asked: Request, desk: Workbench) -> pd.DataFrame:
    """The rows of every task against both choices of negatives, as the records have them: texts of schemes, and names."""
    both = {kind: tabulate(replace(asked, negatives=kind), desk) for kind in NEGATIVE_KINDS}
    table = pd.concat([rows.assign(negatives=kind) for kind, rows in both.items()], ignore_index=True)
    texts = {scheme.label: str(scheme) for scheme in asked.schemes}
    names = [label if label in NAMED else None for label in table["scheme"]]
    return table.assign(name=names, scheme=table["scheme"].map(texts))


def reported(table: pd.DataFrame, asked: Request) -> pd.DataFrame:
    """The rows of what was asked for, of all tasks together or of one."""
    return table[table["task"] == asked.reported].reset_index(drop=True)


def refuse_empty(table: pd.DataFrame) -> None:
    """Refuse a scheme whose every cell is empty."""
    for scheme, rows in table.groupby("scheme", sort=False):
        if not rows["used"].any():
            raise QurdError(f"Every cell of '{scheme}' is empty: {rows['reason'].iloc[0]}. Ask for other budgets.")


def backwards(table: pd.DataFrame) -> Iterator[str]:
    """Where unrelated models are closer to a victim than stolen ones, a sentence per scheme.

    By task, because the victim itself, which is among the stolen models of `"all"`, is always closest.
    """
    for scheme, rows in table[table["auc"] < 0.5].groupby("scheme", sort=False):
        worst = rows.loc[rows["auc"].idxmin()]
        more = f", and in {len(rows) - 1} more cells" if len(rows) > 1 else ""
        yield (
            f"{scheme}: thieves lie farther from the victim than unrelated models (AUC {worst['auc']:.2f} on {worst['task']}"
            f" at {worst['budget']} queries{more})."
        )


def _scheme_rows(asked: Request, desk: Workbench, schemes: tuple[Scheme, ...], facing: dict[str, _Facing]) -> pd.DataFrame:
    cells, costs = [], []
    for scheme in schemes:
        for victim in asked.victims:
            by_seed = [desk.scores(victim, [scheme], seed, asked.budgets)[scheme] for seed in range(asked.seeds)]
            found = {name: torch.cat([one[name] for one in by_seed], dim=-1).numpy() for name in by_seed[0]}
            spent = pd.DataFrame({name: found[name] for name in ("used", "available", *COSTS)})
            spent["distinct"] = spent["distinct"].where(spent["used"] > 0)
            if (
                "truth" in representations[scheme.representation.name].declares.needs
            ):  # so the images that are sent are labelled
                spent["samples"] = np.maximum(spent["samples"], spent["used"] // scheme.group_size)
            seeds_and_budgets = np.meshgrid(range(asked.seeds), asked.budgets, indexing="ij")  # as scores lie side by side
            spent["query_seed"], spent["budget"] = (axis.ravel() for axis in seeds_and_budgets)
            costs.append(spent.assign(scheme=scheme.label))
            if victim in facing:
                order, tasks = facing[victim]
                values = found["values"][order].astype(float)
                cells.append(_victim_rows(scheme, values, tasks, spent).assign(victim=victim))
    cells = pd.concat(cells, ignore_index=True).assign(benchmark=asked.bench.name)
    spent = pd.concat(costs).groupby(["scheme", "budget"], as_index=False)[list(COSTS)].mean()
    return aggregate(cells).merge(spent, on=["scheme", "budget"], how="left")


def _facing(asked: Request, desk: Workbench, victim: str, pairs: list[Pair]) -> _Facing:
    """Rows of the suspects that count among the victim's scores, and the sides of every task in these rows."""
    position = {model: row for row, model in enumerate(desk.models(victim))}
    roots = [asked.bench.root(pair.suspect) for pair in pairs]
    found = sides([pair.kind for pair in pairs], [pair.tasks for pair in pairs], roots, asked.negatives)
    return [position[pair.suspect] for pair in pairs], found


def _victim_rows(scheme: Scheme, values: np.ndarray, tasks: dict[str, Sides], spent: pd.DataFrame) -> pd.DataFrame:
    """Rows of every task, query seed and budget of one victim.

    Args:
        values: (M,B) distances, a column per row of `spent`.
    """
    filled = (spent["used"] > 0).to_numpy()
    bought, rest = spent[filled], spent[~filled]
    rows = []
    if filled.any():
        found = victim_cells(values[:, filled], tasks, bought["budget"].to_numpy(), bought["used"].to_numpy())
        rows.append(found.assign(query_seed=np.tile(bought["query_seed"], len(tasks))))
    if len(rest):
        rows.append(_empty(scheme, tasks, rest))
    return pd.concat(rows, ignore_index=True).assign(scheme=scheme.label)


def _empty(scheme: Scheme, tasks: dict[str, Sides], spent: pd.DataFrame) -> pd.DataFrame:
    """Rows without rates for the budgets that buy nothing, with the reason."""
    rows = [
        {
            "budget": cell.budget,
            "used": 0,
            "task": task,
            "n_negatives": len(side.negatives),
            "n_lineages": side.lineages,
            "n_positives": len(side.positives),
            "query_seed": cell.query_seed,
            "reason": _why_empty(scheme, cell.budget, cell.available),
        }
        for task, side in tasks.items()
        for cell in spent.itertuples()
    ]
    rates = ("tpr", "tpr_conformal", "auc", "mean_stolen", "mean_unrelated")
    return pd.DataFrame(rows).assign(**dict.fromkeys(rates, np.nan))


def _why_empty(scheme: Scheme, budget: int, available: int) -> str:
    if budget < scheme.group_size:
        return f"a budget of {budget} buys no group of {scheme.group_size} queries"
    if not available:
        return f"{scheme.seeds} finds no image"
    return f"the seed set gives {available} queries only"
