"""What the page on distances says, and what its axis is called."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from qurd_core.akh import official
from qurd_core.findings.language import words, worth_words
from qurd_core.findings.language.model_names import readable
from qurd_core.findings.language.words import plain
from qurd_core.statistics import allowed_below
from qurd_core.views.separability import Row


class Axis(NamedTuple):
    """What lies on the axis.

    Attributes:
        name: short, for sentences: `AKH`.
        title: what a value says.
        share: whether it ends at 1.
        beside: what a pair says beside its value.
        about: what must be known of it, in one line.
    """

    name: str
    title: str
    share: bool
    beside: Callable[[Any], str] | None = None
    about: str = ""


OFFICIAL = (
    "The authors divide by the victim’s accuracy where δ_C divides by its error rate: every victim gets a scale of its own, "
    "and within a victim nothing changes"
)
DELTAS = {
    "delta_c": Axis(
        "δ_C",
        "δ<sub>C</sub>: how often victim and suspect disagree where the victim is wrong",
        True,
        lambda pair: f"by the authors’ formula {official(pair.delta_c, pair.accuracy_victim):.3f}",
    ),
    "delta": Axis("δ", "δ: how often victim and suspect disagree", True),
    "official": Axis(
        "δ_C (authors’ formula)",
        "The authors’ formula for δ<sub>C</sub>: δ<sub>C</sub> (1 − α) / α, α the accuracy of the victim",
        False,
        lambda pair: f"by definition {pair.delta_c:.3f}",
        OFFICIAL,
    ),
}


def scheme_axis(label: str, budget: int, seeds: int, seed: int | None, *, share: bool) -> Axis:
    """The distances of a scheme."""
    which = f"mean over {words.counted(seeds, 'query seed')}" if seed is None else f"query seed {seed}"
    return Axis(label, f"Distance by {plain(shortened(label, 40))} at {words.counted(budget, 'query')}, {which}", share)


def headline(rows: Sequence[Row], axis: Axis, fpr: int, benchmark: str, noun: str | None = None) -> str:
    """How many stolen models lie below the thresholds.

    Args:
        fpr: the allowed share of false alarms in percent.
        noun: what a row is (`"task"`), if there is one row for each.
    """
    known = [row for row in rows if row.rates]
    if not known:
        return f"No threshold can be set for {axis.name} on {benchmark}"
    rate = min(row.rates.tpr for row in known)
    if noun is None or len(known) == 1:
        on, task = (known[0].label, "all") if noun == "benchmark" else (benchmark, "all" if noun else known[0].label)
        return f"{axis.name} catches {words.percent(rate)} of stolen models {place(on, task, fpr)}"
    low, where = words.percent(rate), "" if noun == "benchmark" else f" on {benchmark}"
    hardest = [readable(words.task(row.label)) for row in known if words.percent(row.rates.tpr) == low]
    if len(hardest) == len(known):
        return f"{axis.name} catches {low} of stolen models at {fpr}% false alarms for every {noun}{where}"
    found = f"{axis.name} catches {low} of stolen models at {fpr}% false alarms{where} for the"
    if len(hardest) > 3:
        return f"{found} {len(hardest)} hardest {noun}s"
    return f"{found} hardest {noun}{'s' * (len(hardest) > 1)}: {words.listed(hardest)}"


def place(benchmark: str, task: str, fpr: int) -> str:
    """`at 5% false alarms on patchwork-sac`, for headlines."""
    return f"at {fpr}% false alarms on {benchmark}{words.on_task(task)}"


def subline(row: Row, fpr: int) -> str:
    """What a row rests on, and where its single pooled threshold differs from the rates of the victims."""
    if not row.rates:
        return row.reason or ""
    rates, victims = row.rates, words.counted(row.rates.n_victims, "victim")
    parts = [f"{len(row.stolen)} stolen and {len(row.unrelated)} unrelated pairs of {victims}"]
    per = " per victim" if rates.n_victims > 1 else ""
    have = f"{words.counted(rates.n_negatives, 'unrelated model')}{per}, {words.counted(rates.n_lineages, 'lineage')}"
    uneven = f"threshold set at {fpr} % per task"
    parts += [f"{have}: {uneven if rates.uneven else allowance(rates.n_negatives, fpr)}"]
    if words.percent(row.line.caught) != words.percent(rates.tpr):
        parts += [f"the single pooled threshold drawn catches {words.percent(row.line.caught)}"]
    return " · ".join(parts)


def allowance(negatives: int, fpr: int) -> str:
    """`5 % of 40 = 2 models`."""
    allowed = allowed_below(negatives, fpr / 100, "paper") if fpr else 0
    return f"{fpr} % of {negatives} = {words.counted(allowed, 'model') if allowed else 'no model'}"


def over_models(row: Row) -> str:
    """`33 to 60 % over models`; empty where no interval is known."""
    between = worth_words.interval(*row.report.ci) if row.report else ""
    return f"{between} over models" if between else ""


def method(row: Row) -> str:
    """How the interval was made, and what must be known of it."""
    return " ".join((f"95 % interval of TPR. {row.report.method}", *row.report.notes))


def alt(rows: Sequence[Row], axis: Axis) -> str:
    """The chart in words, for those who do not see it."""
    said = [
        f"{readable(words.task(row.label))}: {len(row.stolen)} stolen pairs, median {np.median(row.stolen):.2f}, "
        f"{len(row.unrelated)} unrelated, median {np.median(row.unrelated):.2f}, threshold {row.line.threshold:.2f}"
        for row in rows
        if row.line
    ]
    return f"Distances by {axis.name}, stolen pairs above the axis and unrelated ones below it. {'; '.join(said)}."


def shortened(text: str, longest: int) -> str:
    """A text that fits; its middle goes, for lineages differ at their ends."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[half + 1 - longest :]}"
