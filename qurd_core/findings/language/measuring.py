"""What is said of a benchmark that somebody brings while it is measured, and of records that are not of today."""

from qurd_core.benchmarks.registered import GONE
from qurd_core.findings.language.words import counted
from qurd_core.records.own_records import Note

AGAIN, FIRST, REST = "Measure again", "Measure", "Measure the rest"  # on buttons


def progress(benchmark: str, note: Note | None, left: float | None, ahead: int) -> str:
    """How far a measurement is.

    Args:
        note: of its records, once some are written.
        left: seconds, if that is known.
        ahead: runs before it.

    >>> progress("shop", Note("", "", "", ("AKH", "Random", "FBI"), done=1), 40.2, 0)
    'Measuring shop: 1 of 3 schemes, about 40 s left'
    """
    if ahead:
        return f"{benchmark} is measured after {counted(ahead, 'other run')}"
    said = [f"{note.done} of {counted(len(note.schemes), 'scheme')}"] if note else ["asking its models"]
    return f"Measuring {benchmark}: {', '.join(said + [f'about {max(1, round(left))} s left'] * (left is not None))}"


def changed(benchmark: str, state: str) -> str:
    """Why records are not of today.

    Args:
        state: of the benchmark's files now.
    """
    if state == GONE:
        return f"{benchmark} is not where it was registered any more: this is what was measured before."
    return f"{benchmark} has changed since it was measured."


def stopped(benchmark: str, note: Note) -> str:
    """How far a measurement came that does not go on."""
    return f"{note.done} of {counted(len(note.schemes), 'scheme')} are measured on {benchmark}. What was computed is stored."
