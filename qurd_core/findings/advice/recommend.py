"""Which scheme to use, in sentences, and why not another one."""

from collections.abc import Iterator

import pandas as pd

from qurd_core.findings.language import words
from qurd_core.views.advice.recommend import Means, Recommended

CURSE = "was picked as the best of {} by these very numbers, so expect less on other models"


def headline(found: Recommended) -> str:
    """The scheme to try first and what it catches, or that there is none."""
    if found.rows.empty:
        return "No scheme that is recorded works with these means."
    first, over = found.rows.iloc[0], words.counted(len(found.benchmarks), "benchmark")
    return (
        f"{first['label']} first: with {words.counted(found.at, 'query')} it catches {words.percent(first['worst'])} of the"
        f" stolen models where it catches least ({first['on']}; 95 % interval {words.percent(first['low'])} to"
        f" {words.percent(first['high'])}) and {words.percent(first['mean'])} on average over {over}, at 5 % false alarms."
    )


def notes(found: Recommended, means: Means) -> Iterator[str]:
    """What goes with it, a sentence each."""
    if found.at < means.budget:
        yield f"Rates are recorded everywhere at {found.at} queries, the most of these that {means.budget} pay for."
    if found.rows.empty:
        return
    if found.fewer:
        less = found.fewer
        yield (
            f"Send fewer: with {less.budget} queries {less.label} catches {words.percent(less.worst)} where it catches least"
            f" and {words.percent(less.mean)} on average. At {found.at} some benchmark gives it no more images."
        )
    first = found.rows.iloc[0]
    if first["guaranteed_on"]:
        where = f"the {first['guaranteed_on']} of {len(found.benchmarks)} benchmarks that have enough unrelated lineages"
        if first["guaranteed_on"] == len(found.benchmarks):
            where = "these benchmarks"
        yield (
            f"By the guaranteed rule it catches {words.percent(first['guaranteed'])} where it catches least and"
            f" {words.percent(first['guaranteed_mean'])} on average on {where}."
        )
    tied = found.rows[(found.rows["group"] == first["group"])]["label"].tolist()[1:]
    if tied:
        yield (
            f"Tied with it, since on no benchmark their interval lies below that of the best: {words.listed(tied)}. It goes"
            " first because it needs no more access and no more gradients."
        )
    if not isinstance(first["name"], str):
        unnamed = int(found.rows["name"].isna().sum())
        yield f"{first['label']} has no name: it {CURSE.format(words.counted(unnamed, 'unpublished combination'))}."


def reasons(found: Recommended) -> list[dict[str, object]]:
    """A row per reason why other schemes are none: the named ones, and how many combinations without a name."""
    rows = []
    for reason, some in found.losers.groupby("reason", sort=False):
        named = some["name"].dropna().tolist()
        rows.append(
            {
                "reason": reason,
                "schemes": words.listed(named) if named else "",
                "without a name": int(len(some) - len(named)),
            }
        )
    return sorted(rows, key=lambda row: (not row["schemes"], -row["without a name"]))


def short(rows: pd.DataFrame, most: int) -> list[dict[str, object]]:
    """The first rows as they are printed."""
    columns = (
        "rank",
        "group",
        "label",
        "worst",
        "low",
        "high",
        "on",
        "mean",
        "guaranteed",
        "access",
        "gradients",
        "samples",
    )
    table = rows[list(columns)].head(most).rename(columns={"samples": "labelled"})
    return table.assign(
        group=table["group"] + 1, **{name: table[name].round().astype(int) for name in ("gradients", "labelled")}
    ).to_dict("records")
