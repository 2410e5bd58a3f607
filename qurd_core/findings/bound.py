"""What the page says of Proposition 1."""

import pandas as pd

from qurd_core import views
from qurd_core.findings.language import words


def headline(found: views.separability.BoundSummary, benchmark: str) -> str:
    """Whether the bound holds, and how often it says anything."""
    holds = "holds for every pair" if not found.broken else f"fails for {words.counted(found.broken, 'pair')}"
    if not found.unrelated:
        return f"Proposition 1 {holds} on {benchmark}"
    share = words.percent(found.silent_unrelated / found.unrelated)
    says = f"vacuous for {share} of unrelated pairs" if found.silent_unrelated else "non-trivial for every unrelated pair"
    return f"Proposition 1 {holds} on {benchmark}; the bound is {says}"


def subline(found: views.separability.BoundSummary) -> str:
    """What the slack is, and how many pairs the bound leaves open."""
    whose = "unrelated pairs" if found.unrelated else "stolen pairs"
    return (
        "The slack, δ_C minus the bound, is exactly how often the suspect is wrong too where the victim is wrong: median "
        f"{found.slack:.2f} for {whose} · vacuous (at most 0) for {found.silent} of {found.pairs} pairs"
    )


def alt(pairs: pd.DataFrame) -> str:
    """The chart in words, for those who do not see it."""
    found = views.separability.bound_summary(pairs)
    return (
        f"A dot for each of {found.pairs} pairs: delta_C against the lower bound of Proposition 1. {found.broken} lie below "
        f"the diagonal. {found.silent} have a bound of 0 or less."
    )
