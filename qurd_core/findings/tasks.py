"""What the table of tasks says."""

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.schemes import REFERENCE
from qurd_core.views.leaderboard import published


def headline(table: pd.DataFrame, where: str) -> str:
    """On how many tasks a published scheme is above the reference."""
    told = published(table[table["task"] != "all"]).dropna(subset=["verdict"])
    total = told["task"].nunique()
    above = told.loc[told["verdict"].isin(["beats", "ahead"]), "task"].nunique()
    if not total:
        return f"No task allows a comparison with {REFERENCE} {where}"
    if total == 1:
        return f"On the only task with values {'a' if above else 'no'} published scheme is ahead of {REFERENCE} {where}"
    if not above:
        return f"On none of {total} tasks is a published scheme ahead of {REFERENCE} {where}"
    which = f"all {total}" if above == total else f"{above} of {total}"
    return f"On {which} tasks a published scheme is ahead of {REFERENCE} {where}"


def alt(table: pd.DataFrame) -> str:
    """The table in one sentence."""
    tasks, labels = table["task"].nunique(), list(table["label"].unique())
    return f"Heat table of {tasks} tasks and the schemes {words.listed(labels or ['none'])}: paper rule and guaranteed rule."
