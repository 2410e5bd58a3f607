"""What the Leaderboard says."""

import math
from collections.abc import Sequence

import pandas as pd

from qurd_core import findings, views
from qurd_core.findings.language import words, worth_words
from qurd_core.records.measured_winners import BestOf
from qurd_core.records.obfuscation_records import WORST, Behind
from qurd_core.schemes import CONTROL, PAPER, PUBLISHED, REFERENCE
from qurd_core.statistics.metrics import Rule

MORE = "This combination needs more than the suspect reveals."


def headline(rows: pd.DataFrame, where: str, reveal: str = "logits") -> str:
    """How many published schemes stand above the reference, or below it.

    Args:
        where: `on patchwork-sac at 100 queries`.
        reveal: what the suspect reveals, one of `LEVELS`.
    """
    found, told = views.leaderboard.published(rows), views.leaderboard.published(rows)["verdict"].value_counts()
    total = len(found)
    if not total:
        return f"No published scheme has a value {where}"
    if found["verdict"].isna().any():
        return f"{REFERENCE} has no value {where}, so no scheme can be compared with {REFERENCE}"
    if total == 1:
        verdict = words.PHRASES[found["verdict"].iloc[0]][0]
        works = reveal != "logits" and int(rows["label"].isin(PUBLISHED).sum()) == 1
        # Variants of others may work with it, too.
        only = (
            f"the only scheme that works with {words.REVEALED[reveal]} as published"
            if works
            else "the only published scheme"
        )
        only += "" if works else " with a value"
        return f"{found['label'].iloc[0]}, {only}, {verdict} {REFERENCE} {where}"
    schemes = f"{total} published schemes"
    for verdict in ("beats", "ahead"):
        number, (one, several) = int(told.get(verdict, 0)), words.PHRASES[verdict]
        if number:
            some = f"{'All' if number == total else f'{number} of'} {schemes}"
            return f"{some} {one if number == 1 else several} {REFERENCE} {where}"
    lost, below = int(told.get("trails", 0)), int(told.get("trails", 0) + told.get("behind", 0))
    if lost == total:
        return f"{REFERENCE} beats all {schemes} {where}"
    if below == total:
        return f"{REFERENCE} is ahead of all {schemes} {where}"
    if below:
        return f"None of {schemes} is ahead of {REFERENCE} {where}, {below} {'is' if below == 1 else 'are'} behind"
    return f"None of {schemes} differs significantly from {REFERENCE} {where}"


def behind(points: pd.DataFrame, at: int, label: str, asked: Behind, where: str) -> str:
    """What becomes of a scheme behind an obfuscation; where each stands behind the worst known, which one stays highest.

    Args:
        points: of one task, from `budget.curves`, with the `obfuscation` of every row and the rate `before` it.
        where: `on patchwork-sac at 100 queries`.
    """
    here = points[points["budget"] == at]
    mine = here.loc[here["label"] == label, ["before", "value", "obfuscation"]]
    before, after, by = mine.iloc[0] if len(mine) else (math.nan, math.nan, "")
    if asked.by != WORST:
        return words.moved(label, before, after, asked.by, where, pool=asked.pool)
    rows = here[here["value"].notna() & (here["label"] != CONTROL)]
    if rows.empty:
        return f"No scheme has a value behind any obfuscation {where}"
    best = rows.loc[rows["value"].idxmax()]
    highest = best["label"], best["value"], best["obfuscation"]
    return words.at_worst(highest, label, before, after, "" if math.isnan(after) else by, where)


def outdone(rows: pd.DataFrame) -> str:
    """`; accuracy alone (no fingerprint) catches up to 98%`, where a control is above the reference; else nothing."""
    best, reference = views.leaderboard.strongest(rows), rows.loc[rows["label"] == REFERENCE, "value"].max()
    if best is None or not words.whole(best["value"]) > words.whole(reference):
        return ""
    several = "up to " if (rows["control"] & rows["value"].notna()).sum() > 1 else ""
    return f"; accuracy alone (no fingerprint) catches {several}{words.percent(best['value'])}"


def place(benchmark: str, task: str, at: int) -> str:
    """`on patchwork-sac at 100 queries`, for headlines."""
    return f"on {benchmark}{words.on_task(task)} at {words.counted(at, 'query')}"


def gained(gap: float, verdict: str | None) -> str:
    """A combination against the reference: `is ahead of AKH (+3.2 points)`; empty where there is nothing to compare."""
    if not isinstance(verdict, str):
        return ""
    return f"{words.PHRASES[verdict][0]} {REFERENCE} ({words.points(gap)})"


def subline(points: pd.DataFrame, rows: pd.DataFrame, at: int, rule: Rule, reveal: str, tests: str) -> str:
    """What the values rest on, how many combinations the suspect's answers leave, and what verdicts rest on."""
    every = int((points["budget"] == at).sum())
    some = words.left(len(rows), every, reveal) or words.counted(every, "combination")
    return " · ".join(filter(None, (findings.budget.subline(points, rule), some, tests)))


def best(rows: pd.DataFrame, at: int, found: BestOf | str) -> str:
    """What the best of some combinations is worth: on held-out victims, or by the number that it was picked by.

    Args:
        rows: from `unnamed`.
        found: what the best of them is worth, or why that is not known.
    """
    if isinstance(found, str):
        first, among = rows.iloc[0], words.counted(len(rows), "unpublished combination")
        against = gained(first["gap"], first["verdict"]) or "has nothing to be compared with"
        said = f"The best of {among} {against} at {words.counted(at, 'query')}."
        return f"{said} The combination was picked by this number, so expect less on other models. {found}"
    reported, chosen, reference = map(words.percent, (found.reported, found.chosen, found.reference))
    one, two = found.halves
    return (
        f"The best of {found.among} unpublished combinations with recorded distances catches {reported} at "
        f"{words.counted(at, 'query')} on held-out victims; selection half: {chosen} (halves of {one} and {two} of "
        f"{one + two} independent victims). {REFERENCE} catches {reference} on the same held-out victims. "
        f"{_agreement(found)}"
    )


def _agreement(found: BestOf) -> str:
    """Whether the halves of the victims choose what all of them choose."""
    if all(found.agree):
        return "It won on both halves."
    others = [f"“{winner}”" for winner, agrees in zip(found.winners, found.agree, strict=True) if not agrees]
    if any(found.agree):
        return f"It won on one half; the other half chooses {others[0]}."
    if found.winners[0] == found.winners[1]:
        return f"Both halves choose another combination: {others[0]}."
    return f"The halves choose {words.listed(others)}."


def standing(rows: pd.DataFrame, label: str, at: int, otherwise: str = MORE) -> str:
    """What one combination catches, and how it stands against the reference.

    Args:
        otherwise: what is said of one that is not shown.
    """
    found = rows[rows["label"] == label]
    if found.empty:
        return otherwise
    row = found.iloc[0]
    if math.isnan(row["value"]):
        return f"No value at {words.counted(at, 'query')}: {row['reason'] or 'not recorded'}."
    against = "accuracy only, no fingerprint" if row["control"] else gained(row["gap"], row["verdict"])
    between = worth_words.interval(row["low"], row["high"])
    value = f"{words.precise(row['value'], row['spread'])}{f' ({between} over models)' if between else ''}"
    return f"{value} at {words.counted(at, 'query')}{': ' * bool(against)}{against}."


def alt(rows: pd.DataFrame, benchmark: str, others: Sequence[str], pins: Sequence[str] = (), group: str = PAPER) -> str:
    """The chart in one sentence, with what stands out in it, for those who do not see it."""
    named = rows[rows["label"].isin(views.budget.shown(rows, pins, group))].sort_values("value", ascending=False)
    said = ", ".join(f"{row.label} {words.percent(row.value)}" for row in named.itertuples())
    beside = f", beside {words.listed(others)}" if others else ""
    return f"A strip of {len(rows)} dots on {benchmark}{beside}: TPR at 5% false alarms. Named: {said or 'none'}."
