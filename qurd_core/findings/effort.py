"""What the page says of the effort of a theft."""

import pandas as pd

from qurd_core.findings.language import words


def headline(table: pd.DataFrame, budget: int, task: str = "all") -> str:
    """How many stolen models of a task no named scheme catches, or how many schemes catch every one."""
    table = _of(table, task)
    number, schemes = len(table), int(table["of"].iloc[0]) if len(table) else 0
    if not schemes:
        return f"No named scheme has a value at {words.counted(budget, 'query')}{words.on_task(task)}"
    if free := _escaped(table):
        return (
            f"{words.counted(free, 'stolen model')} of {number} "
            f"{'escapes' if free == 1 else 'escape'} all {schemes} named schemes at {budget} queries{words.on_task(task)}"
        )
    fewest = int(table["caught"].min())
    return (
        f"At {budget} queries each of {number} stolen models is caught by {fewest} of {schemes} named schemes or more"
        f"{words.on_task(task)}"
    )


def turned(table: pd.DataFrame, easy: pd.DataFrame, budget: int, task: str = "all") -> str:
    """The headline where hard unrelated models let stolen models escape; empty where they do not.

    Args:
        table, easy: from `points`, with them and without them.
    """
    table, before, after = _of(table, task), _escaped(_of(easy, task)), _escaped(_of(table, task))
    if after <= before:
        return ""
    return (
        f"With hard unrelated models, {after} instead of {before} of {words.counted(len(table), 'stolen model')} escape all "
        f"{int(table['of'].iloc[0])} named schemes at {budget} queries{words.on_task(task)}"
    )


def _of(table: pd.DataFrame, task: str) -> pd.DataFrame:
    return table if task == "all" else table[table["task"] == task]


def _escaped(table: pd.DataFrame) -> int:
    return int((table["caught"] == 0).sum())


def subline(table: pd.DataFrame) -> str:
    """The most accurate stolen model that most schemes miss."""
    hidden = table[table["caught"] * 2 < table["of"]]
    if hidden.empty:
        return "Every stolen model is caught by at least half of the named schemes"
    best = hidden.loc[hidden["accuracy"].idxmax()]
    return (
        f"Most accurate stolen model that most named schemes miss: {words.percent(best['accuracy'])} "
        f"({words.task(best['task'])}, {words.counted(int(best['queries']), 'query')} to the victim)"
    )


def further(others: pd.DataFrame) -> str:
    """What stands beside the models of the benchmark.

    Args:
        others: from `views.effort.others`.
    """
    means = others[~others["failed"] & ~others["below"]]
    said = [f"◇: means of {words.listed([words.task(task) for task in means['task']])}"] if len(means) else []
    for mark, what, rows in (
        ("▽", "mean below the axis", others[~others["failed"] & others["below"]]),
        ("✕", "a failed theft", others[others["failed"]]),
    ):
        lost = [f"{words.task(row.task)} {words.percent(row.accuracy)}" for row in rows.itertuples()]
        said += [f"{mark}: {what} ({words.listed(lost)})"] if lost else []
    return "".join(f" · {one}" for one in said)


def alt(table: pd.DataFrame) -> str:
    """The chart in one sentence."""
    said = ", ".join(
        f"{words.task(task)} {words.percent(rows['accuracy'].median())} for {int(rows['queries'].iloc[0]):,} queries, "
        f"caught by {rows['caught'].median():.0f} of {rows['of'].iloc[0]}"
        for task, rows in table.groupby("task", sort=False)
    )
    return f"Accuracy of stolen models against the queries that the thief sent to the victim. Medians per task: {said}."
