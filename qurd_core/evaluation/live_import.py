"""Imports the paper's published scores for the app."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from qurd_core.evaluation.jobs import Job
from qurd_core.evaluation.paper import importer

KIND, ENDING = "import", "txt"


def job(source: Path) -> Job:
    """The job that reads a checkout or a table; another one once that has changed."""
    try:
        changed = source.stat().st_mtime
    except OSError:
        changed = 0.0
    return Job(KIND, {"source": str(source), "changed": changed})


def run(folder: Path, result: Path, progress: Callable[[int, int], None], *, source: str, changed: float) -> None:
    """Import, and leave the report as `<result>.txt`."""

    def track(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
        for done, item in enumerate(items):
            progress(done, total)
            yield item

    report = importer.import_scores(Path(source), folder, track)
    aside = result.with_suffix(".part")
    aside.write_text("\n".join(report.sentences), "utf-8")
    aside.replace(result.with_suffix(f".{ENDING}"))
