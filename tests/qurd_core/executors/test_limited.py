"""Whatever a call does in a process of its own, the one that asked goes on and says it in a sentence."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qurd_core.errors import QurdError
from qurd_core.executors import limited as module
from qurd_core.executors.limited import limited

HERE = Path("here.csv")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are Linux's")


def test_what_a_call_returns_or_refuses_comes_back():
    assert limited(lambda: ["one", "zw\u00f6lf", "\udcff"], HERE) == ["one", "zw\u00f6lf", "\udcff"]
    assert limited(os.getpid, HERE) != os.getpid()

    def refuse():
        raise QurdError("Expected something else.")

    with pytest.raises(QurdError, match=r"^Expected something else\.$"):
        limited(refuse, HERE)


def test_a_fault_of_the_program_is_shown_with_its_trace():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        limited(lambda: 1 / 0, HERE)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bytearray(400_000_000),
        lambda: module.torch.zeros(100_000_000),
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: [None for _ in iter(int, 1)],
    ],
    ids=["memory", "tensor", "crash", "time"],
)
def test_who_takes_more_than_allowed_is_ended(monkeypatch, call):
    monkeypatch.setattr(module, "MEMORY", 100_000_000)
    monkeypatch.setattr(module, "SECONDS", 1)
    with pytest.raises(QurdError, match=r"Expected to read here.csv with 0.1 GB"):
        limited(call, HERE, memory=100_000_000)


def test_who_does_nothing_for_ever_is_ended(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.1)
    with pytest.raises(QurdError, match="It takes more"):
        limited(signal.pause, HERE)


@pytest.mark.slow
def test_a_worker_process_asks_no_other_one():
    code = (
        "import multiprocessing, os\nfrom pathlib import Path\nfrom qurd_core.executors.limited import limited\n"
        "def same(): return limited(os.getpid, Path('x')) == os.getpid()\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('fork').Pool(1) as pool: print(same(), pool.apply(same))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout.split() == ["False", "True"]
