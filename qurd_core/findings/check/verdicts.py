"""What the page about suspects says: before anybody is asked, on the way, and of the verdicts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qurd_core.findings.language import words
from qurd_core.findings.language.model_names import readable
from qurd_core.findings.language.verdict_words import numbered, said, too_few
from qurd_core.statistics.printed import fixed, percent
from qurd_core.statistics.verdicts import LEVEL, Fit, Verdict
from qurd_core.views.check.checked import Asks, Checked
from qurd_core.views.check.pool import Pool

NOBODY = "Choose the model that is yours and the one you wonder about"
SAID = {"closer": "closer", "not_distinguished": "not distinguished", "refused": "no verdict", "lead": "a lead"}
DIGITS = 8  # of the seal number that stand under the headline


def named(verdict: Verdict) -> Verdict:
    """The same with models by their readable names."""
    return replace(verdict, victim=readable(verdict.victim), suspect=readable(verdict.suspect))


def sentences(verdict: Verdict) -> list[str]:
    """The verdict in words and what it does not say, with readable names."""
    return said(named(verdict))


def question(victim: str, suspects: Sequence[str], pool: Pool) -> str:
    """What is about to be asked."""
    who = readable(suspects[0]) if len(suspects) == 1 else f"any of {len(suspects)} suspects"
    return f"Is {who} closer to {readable(victim)} than {words.counted(pool.lineages, 'unrelated lineage')} are?"


def basis(pool: Pool) -> str:
    """What a verdict would rest on: the line below the question."""
    beside = [words.counted(number, f"{kind} model") for number, kind in ((pool.hard, "hard unrelated"),) if number]
    beside += [f"{pool.thieves} known to be stolen"] * bool(pool.thieves)
    also = f" · asked beside them: {words.listed(beside)}" if beside else ""
    few = words.counted(pool.questions, "suspect")
    return (
        f"{words.counted(pool.models, 'unrelated model')} of {words.counted(pool.lineages, 'lineage')}: the smallest p for"
        f" {few} is {percent(pool.smallest_p)}, level {percent(LEVEL)}{also}"
    )


def too_small(pool: Pool) -> str:
    """The headline where no verdict is possible: `17 unrelated lineages: two more allow 5 %`."""
    gone = pool.needed - pool.lineages
    about = f" about {pool.questions} suspects" if pool.questions > 1 else ""
    allow = "allows" if gone == 1 else "allow"
    held = words.counted(pool.lineages, "unrelated lineage")
    return f"{held}: {numbered(gone)} more {allow} a verdict{about} at {percent(LEVEL)}"


def why_too_small(pool: Pool) -> str:
    """The same as a sentence."""
    found = too_few(pool.lineages, pool.needed, LEVEL, pool.questions, pool.models)
    return f"{found[:1].upper()}{found[1:]}"


def asking(known: int, sent: int, budget: int, of: int) -> str:
    """How far a check is: `22 of 100 queries`.

    Args:
        known, of: models of known origin that have answered, of all of them.
    """
    if known < of:
        return f"asking the models of known origin first: {known} of {of}"
    return f"{sent} of {words.counted(budget, 'query')}"


def asks(one: Asks) -> str:
    """What is about to be sent over a network: `shop: up to 160 requests to api.example.com, at most 0.24 EUR, ...`."""
    return f"{readable(one.suspect)}: {one.said}"


def stopped(sent: int, budget: int, checked: Checked | None) -> str:
    """The headline of a check that was cancelled; where peaks decide, p so far is quoted, which may be done at any time."""
    found = f"Stopped after {sent} of {words.counted(budget, 'query')}"
    if checked is None or checked.stop != "peak" or not sent or not checked.has_path:
        return found
    parts = [f"{readable(name)} {percent(_so_far(checked, name))}" for name in checked.suspects]
    return f"{found}: p so far {words.listed(parts)}{_counted(checked)}"


def kept(sent: int, budget: int) -> str:
    """What a check that was cancelled has left, and what going on does."""
    if not sent:
        return "No suspect was asked yet. What was answered is kept: going on asks the rest."
    return f"The answers are kept: going on asks only the other {budget - sent}."


def headline(checked: Checked) -> str:
    """What was found: the verdict of a single suspect up to its first full stop, or how many of several are closer."""
    each = checked.verdicts
    if len(each) == 1:
        return sentences(each[0])[0].partition(". ")[0].removesuffix(".")
    closer = [one for one in each if one.said == "closer"]
    told = [one for one in each if one.said != "refused"]
    victim, pool = readable(checked.victim), words.counted(each[0].lineages, "unrelated lineage")
    if closer:
        are = "is" if len(closer) == 1 else "are"
        than = f"all {pool}" if not any(one.rank for one in closer) else f"nearly all of {pool}"
        return f"{len(closer)} of {len(each)} suspects {are} closer to {victim} than {than}"
    if told:
        return f"None of {len(told)} suspects is distinguished from {pool}"
    return f"No verdict on any of {len(each)} suspects"


def subline(checked: Checked) -> str:
    """What the verdicts rest on."""
    first = checked.verdicts[0]
    told = [one for one in checked.verdicts if one.said != "refused"]
    parts = [f"{first.scheme}, {words.counted(first.budget, 'query')}"]
    if told:
        least = percent(min(one.p_adjusted for one in told))
        parts += [f"p {least}" if len(checked.verdicts) == 1 else f"smallest p {least} after {first.questions} questions"]
    parts += [_early(one) for one in told if one.used < one.budget]
    parts += [words.counted(first.lineages, "unrelated lineage"), f"level {percent(first.level)}"]
    parts += [f"seal {checked.seal[:DIGITS]}"] if checked.seal else []
    return " · ".join(parts)


def refusal(verdict: Verdict) -> tuple[str, str]:
    """Why nothing is said of a suspect, and the one thing to do: the reason's first sentence and the rest."""
    first, stop, rest = (verdict.reason or "").partition(". ")
    return f"{first[:1].upper()}{first[1:]}{stop.strip()}", rest


def fit(verdict: Verdict) -> str:
    """Whether the unrelated models are as good as a suspect."""
    who, found = readable(verdict.suspect), verdict.fit
    if found is None:
        return f"{who}: not tried with these queries, on which a weak model gains nothing, or of which nothing is known."
    return f"{who} is right on {found.right} of {found.asked} easy images, unrelated models on {_range(found)}."


def misses(verdict: Verdict) -> str:
    """How many known thieves a scheme misses; empty where none was tried."""
    known = verdict.thieves
    if known is None:
        return ""
    return f"Of {words.counted(known.of, 'model')} known to be stolen it misses {known.number}."


def alt_dots(checked: Checked) -> str:
    """The chart of distances in words, for those who do not see it."""
    table = checked.dots
    parts = [f"{readable(row.model)} {fixed(row.score, 2)}" for row in table[table["side"] == "suspect"].itertuples()]
    unrelated = table.loc[table["side"] == "unrelated", "score"]
    spread = f"{fixed(unrelated.min(), 2)} to {fixed(unrelated.max(), 2)}"
    flagged = "" if checked.threshold is None else f" Below {fixed(checked.threshold, 2)} a suspect is called closer."
    return (
        f"Distances to {readable(checked.victim)}: {words.counted(checked.lineages, 'unrelated lineage')} {spread};"
        f" suspects: {words.listed(parts)}.{flagged}"
    )


def alt_path(checked: Checked) -> str:
    """The chart of evidence in words, for those who do not see it."""
    table = checked.paths
    last = table.groupby("model", sort=False)["evidence"].last()
    parts = [f"{readable(name)} {fixed(last[name], 1)}" for name in checked.suspects if name in last]
    top = fixed(float(np.max(last[table.drop_duplicates("model").set_index("model")["side"] == "unrelated"])), 1)
    return (
        f"Evidence of agreement (log10 E) after {words.counted(checked.sent, 'query')}: suspects {words.listed(parts)}; the"
        f" highest of {words.counted(checked.lineages, 'unrelated lineage')} {top}."
    )


def _early(verdict: Verdict) -> str:
    return f"said after {words.counted(verdict.used, 'query')}"


def _so_far(checked: Checked, suspect: str) -> float:
    return float(checked.so_far(suspect)[-1])


def _counted(checked: Checked) -> str:
    several = len(checked.suspects)
    return f", times {several} for {several} questions" if several > 1 else ""


def _range(found: Fit) -> str:
    low, high = found.pool_low, found.pool_high
    return f"{low}" if low == high else f"{low} to {high}"
