"""Verdicts on suspects in the only words that a p-value allows: the command line, the page and the evidence say the same."""

from collections.abc import Iterator

from qurd_core.findings.language import words
from qurd_core.statistics.printed import percent
from qurd_core.statistics.verdicts import Fit, Verdict

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def said(verdict: Verdict) -> list[str]:
    """The verdict, then what it does not say; the first sentence alone is the headline."""
    if verdict.said == "refused":
        return [f"No verdict on {verdict.suspect}: {verdict.reason}"]
    first = {"closer": _closer, "lead": _lead, "not_distinguished": _not_distinguished}[verdict.said]
    return [*first(verdict), *limits(verdict)]


def limits(verdict: Verdict) -> list[str]:
    """What goes with every verdict."""
    hard = verdict.hard
    tried = "; none was tried here"
    if hard is not None:
        tried = f": {hard.number} of {hard.of} here do" if hard.number else f", though none of {hard.of} here does"
    found = [
        "It does not say who copied whom, nor whether a licence was broken. A model trained on the same data in the same way"
        f" would look the same{tried}."
    ]
    if verdict.fit is None:
        found.append("Whether the unrelated models are as good as the suspect was not tried with these queries.")
    return found


def _closer(verdict: Verdict) -> Iterator[str]:
    yield (
        f"{verdict.suspect} is closer to {verdict.victim} than {_lineages(verdict)} ({_p(verdict)}). If it were just another"
        f" independent model like these, this would happen in at most {percent(verdict.p_adjusted)} of cases."
    )


def _lead(verdict: Verdict) -> Iterator[str]:
    yield (
        f"{verdict.suspect} is closer to {verdict.victim} than {_lineages(verdict)}: a lead, not a verdict (q"
        f" {percent(verdict.p_adjusted)}, of {verdict.questions} suspects). Of such leads at most this share is false on"
        " average."
    )


def _not_distinguished(verdict: Verdict) -> Iterator[str]:
    known, number = verdict.thieves, verdict.lineages
    missed = ""
    if known is not None:
        kind = f"{'forged' if verdict.forged else 'known'} {'thief' if known.of == 1 else 'thieves'}"
        missed = f": of {known.of} {kind} of {verdict.victim} this scheme misses {known.number} at {verdict.budget} queries"
    yield (
        f"{verdict.suspect} is not distinguished from {words.counted(number, 'unrelated lineage')} ({_p(verdict)}, level"
        f" {percent(verdict.level)}). This clears nobody{missed}."
    )


def _lineages(verdict: Verdict) -> str:
    """How many unrelated lineages are farther away, in words."""
    farther, of = verdict.lineages - verdict.rank, verdict.lineages
    return f"all {of} unrelated lineages" if farther == of else f"{farther} of {of} unrelated lineages"


def _p(verdict: Verdict) -> str:
    more = f"; {percent(verdict.p_adjusted)} after {verdict.questions} questions" if verdict.questions > 1 else ""
    return f"p {percent(verdict.p)}{more}"


def too_few(lineages: int, needed: int, level: float, questions: int, models: int) -> str:
    """Why nobody could be told: what the pool allows, and how many lineages more are needed."""
    if not lineages:
        return (
            f"there is no unrelated model to compare with. {needed} unrelated lineages allow {percent(level)}: add models"
            " that were not stolen."
        )
    about = f" about {questions} suspects" if questions > 1 else ""
    held = words.counted(lineages, "unrelated lineage")
    behind = f" ({models} models)" if models > lineages else ""
    best, gone = percent(min(1.0, questions / (lineages + 1))), needed - lineages
    allow = "allows" if lineages == 1 else "allow"
    more = f"{numbered(gone).capitalize()} more {'is' if gone == 1 else 'are'} needed."
    fewer = " Or rank them with 'triage', which gives leads and no verdicts." if questions > 1 else ""
    return f"{held}{behind} {allow} {best}{about} at best, not {percent(level)}. {more}{fewer}"


def too_silent(answered: int, sent: int, most: int) -> str:
    """A suspect that left out too many answers."""
    return f"it answered {answered} of {sent} queries, and at most {most} may be missing. Ask the rest, or take it out."


def one_class(asked: int) -> str:
    """A suspect that answers nothing but one class."""
    return (
        f"it gives one class to everything that it was asked about, {asked} images. Is it asked in the right way? Look at"
        " its answers."
    )


def uncounted(missing: int, scheme: str) -> str:
    """A suspect of which a scheme cannot count what is missing."""
    return (
        f"{words.counted(missing, 'answer')} of it are missing, which '{scheme}' cannot count as disagreement. Ask the rest,"
        " or use a scheme on labels or probits query by query."
    )


def too_weak(fit: Fit) -> str:
    """A suspect that is worse than every unrelated model."""
    return (
        f"it is right on {fit.right} of {fit.asked} easy images, every unrelated model on {fit.pool_low} or more. Add"
        " unrelated models that are as weak."
    )


def numbered(number: int) -> str:
    """A number in words, as far as one writes them: `two`, `1,200`."""
    return _SMALL[number] if number < len(_SMALL) else f"{number:,}"
