"""What a process does that is killed: ask the API of a folder about its pictures, and print what was answered. No torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from qurd_core.benchmarks.own.sources.api_file import read_api
from qurd_core.benchmarks.own.sources.by_picture import name_of, png
from qurd_core.suspects.elsewhere import network
from qurd_core.suspects.elsewhere.egress import Line
from qurd_core.suspects.elsewhere.journal import journal_of

ROOT = Path(__file__).parents[4]
CLASSES = ("cat", "dog", "owl")


def asking(home: Path) -> subprocess.Popen[str]:
    """A process of its own that asks."""
    called = [sys.executable, "-m", "tests.qurd_core.suspects.elsewhere.killed", str(home)]
    return subprocess.Popen(called, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def ask(home: Path) -> None:
    """Ask about the pictures in `pictures.npz`, those that are not answered yet."""
    api = read_api(home / "shop.yaml", CLASSES)
    with np.load(home / "pictures.npz") as held:
        pictures = {name_of(picture): png(picture) for picture in held["pixels"]}
    journal = journal_of(home, api.address)
    network.Asking(api, pictures, journal, Line(api), CLASSES).all()
    found = network.answers(api, journal, CLASSES)
    labels = {name: max(range(len(CLASSES) + 1), key=row.__getitem__) for name, row in found.items()}
    sys.stdout.write(json.dumps(labels))


if __name__ == "__main__":
    ask(Path(sys.argv[1]))
