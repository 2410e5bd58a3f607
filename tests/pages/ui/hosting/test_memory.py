"""Memory that eight sessions took at once returns to the system when they have ended: without that, 320 to 480 MB stay."""

import subprocess
import sys

import pytest

from qurd_core.files import ROOT

SESSIONS = """
import threading
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pages.ui.hosting import memory
from qurd_core.files import parquet

memory.give_back()
data = parquet(pa.table({str(number): number + 1.5 * np.arange(300_000) for number in range(10)}))

def session(others):
    table = pq.read_table(pa.BufferReader(data), use_threads=False).to_pandas()
    others.wait()

def open_at_once(number):
    others = threading.Barrier(number)
    threads = [threading.Thread(target=session, args=[others]) for _ in range(number)]
    for step in (threading.Thread.start, threading.Thread.join):
        for thread in threads:
            step(thread)

def held():
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])

open_at_once(1)
before = held()
open_at_once(8)
print(held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process holds in this way")
@pytest.mark.slow
def test_what_sessions_took_returns_when_they_have_ended():
    ended = subprocess.run([sys.executable, "-c", SESSIONS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(ended.stdout) < 60e6
