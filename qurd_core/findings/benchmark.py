"""What the overview of a benchmark says."""

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.statistics import allowed_below


def headline(counts: pd.DataFrame, task: str) -> str:
    """How many stolen models stand against how many unrelated ones, and what 5 % of those are.

    Not where tasks have different numbers of them: then 5 % of all is no number of models.
    """
    row = counts.set_index("task").loc[task]
    stolen, unrelated, lineages = (int(row[name]) for name in ("stolen", "unrelated", "lineages"))
    allowed = allowed_below(unrelated, kind="paper")
    uneven = task == "all" and counts["unrelated"].nunique() > 1
    means = "no threshold" if allowed is None else words.counted(allowed, "false alarm") if allowed else "no false alarm"
    have = words.counted(unrelated, "unrelated model")
    have = (
        have.replace(" ", " independent ", 1) if lineages == unrelated else f"{have} of {words.counted(lineages, 'lineage')}"
    )
    found = f"{words.counted(stolen, 'stolen model')} against {have}"
    return found if uneven else f"{found}: 5 % means {means}"


def basis(counts: pd.DataFrame) -> dict[str, str]:
    """What 5 % means, for every number of unrelated models that some task has: the tasks in words to the sentence."""
    single = counts[counts["task"] != "all"]
    found = {}
    for (unrelated, lineages), rows in single.groupby(["unrelated", "lineages"], sort=False):
        names = rows["task"].map(words.task).tolist()
        who = words.listed(names) if len(names) <= 2 or len(names) < len(single) / 2 else f"{len(names)} tasks"
        found[who] = words.false_alarms(int(unrelated), int(lineages), "paper", who)
    return found


def alt(counts: pd.DataFrame) -> str:
    """The grid in one sentence."""
    said = ", ".join(f"{words.task(row.task)} {row.stolen}" for row in counts.itertuples() if row.task != "all")
    return (
        f"Grid of tasks, how a model was stolen by how the theft was hidden. Stolen models: {said}. Other cells are empty."
    )
