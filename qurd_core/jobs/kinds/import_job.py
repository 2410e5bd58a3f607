"""Imports the paper's published scores for the app."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from qurd_core.files import read_json, write_json
from qurd_core.jobs.queue import Job
from qurd_core.paper import importer

KIND, ENDING = "import", "report"
AGAIN = "Import again to see it."


def job(typed: str) -> Job:
    """The job that reads a checkout or a table; another one once that has changed.

    Args:
        typed: its path, which may begin with the home of a user.
    """
    source, changed = Path(typed), 0.0
    with suppress(OSError, ValueError, RuntimeError):  # no such user or file, or no name of one: the import says so
        source = source.expanduser()
        changed = source.stat().st_mtime
    return Job(KIND, {"source": str(source), "changed": changed})


def run(folder: Path, result: Path, progress: Callable[[int, int], None], *, source: str, changed: float) -> None:
    """Import, and leave the report as `<result>.report`."""

    def track(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
        for done, item in enumerate(items):
            progress(done, total)
            yield item

    report = importer.import_scores(Path(source), folder, track)
    write_json(result.with_suffix(f".{ENDING}"), {"sentences": report.sentences})


def said(path: Path) -> str:
    """The report of an import in words; nothing where it left none.

    Raises:
        QurdError: it was altered.
    """
    return "\n".join(read_json(path, AGAIN)["sentences"]) if path.is_file() else ""
