"""Ask the questions of the story *Sealed duel*, and put the answers among what ships: python -m tests.benchmarks.duel

Then `python -m qurd_core.files`. A new seal has a new number: the story shows the one that is there.
"""

import shutil
import tempfile
from pathlib import Path

from pages.ui import story
from qurd_core.jobs import live
from qurd_core.jobs.kinds import check_job
from qurd_core.views.check.checked import ENDING, EVIDENCE

NAME = "duel"
SEALED = "duel"  # the view that opens a seal: only its evidence ships, which is a megabyte


def questions() -> dict[str, tuple[dict, bool]]:
    """What the steps of the story ask, by where the answers lie, and whether the evidence ships."""
    found: dict[str, tuple[dict, bool]] = {}
    for step in story.read(NAME):
        asked = step.target.values
        names = tuple(asked["suspect"]) if isinstance(asked["suspect"], list) else (asked["suspect"],)
        job = live.check_job(asked["bench"], asked["victim"], names, asked["scheme"], asked["budget"], asked["stop"], "")
        stem = str(live.shipped_check(job))
        opens = asked["view"] == SEALED or found.get(stem, ({}, False))[1]
        found[stem] = dict(job.args), opens
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for stem, (asked, opens) in questions().items():
            check_job.run(Path(folder), Path(folder) / "runs" / "check", lambda done, total: None, **asked)
            for ending in (ENDING, EVIDENCE) if opens else (ENDING,):
                path = Path(stem).with_suffix(f".{ending}")
                path.parent.mkdir(exist_ok=True)
                shutil.move(Path(folder) / "runs" / f"check.{ending}", path)
                print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
