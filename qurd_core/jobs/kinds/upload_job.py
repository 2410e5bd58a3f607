"""Checks a table of answers that came over a page, before anybody is shown it: a job of the worker."""

from collections.abc import Callable
from pathlib import Path

from qurd_core.benchmarks.own import uploads
from qurd_core.errors import QurdError
from qurd_core.evaluation.checks import check
from qurd_core.runtime import Runtime
from qurd_core.store import Store


def run(folder: Path, stem: Path, progress: Callable[[int, int], None], *, name: str) -> None:
    """Register the table, or remove it.

    Raises:
        QurdError: the first thing that is wrong in it.
    """
    path = uploads.waiting(name)
    try:
        problems = check(str(path), Store(folder), Runtime()).problems
    except QurdError as error:
        problems = [str(error)]
    if problems:
        uploads.drop(name)
        raise QurdError(problems[0].replace(str(path), "the table"))
    uploads.accept(name)
