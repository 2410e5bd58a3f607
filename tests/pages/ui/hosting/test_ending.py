"""A server that is asked to end while it draws a page is gone in a moment, whatever its threads do."""

import signal
import subprocess
import sys

import pytest

from qurd_core.files import ROOT

# What comes after it would keep the process for an hour, as a thread can that the interpreter is taken away from.
STUCK = """
import atexit, time
from streamlit import runtime
from pages.ui.hosting import ending
atexit.register(time.sleep, 3600)
runtime.exists = lambda: {exists}
runtime.get_instance = lambda: object.__new__(runtime.Runtime) if {real} else None
ending.at_once()
ending.at_once()
print("told", flush=True)
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("raise ZeroDivisionError", 1)])
def test_the_process_of_a_server_leaves_at_once(end, code):
    command = [sys.executable, "-c", STUCK.format(exists=True, real=True, end=end)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (code, "told\n")
    assert ("ZeroDivisionError" in ended.stderr) == bool(end)


@pytest.mark.parametrize(("exists", "real"), [(False, False), (True, False)])
def test_other_processes_end_as_they_always_do(exists, real):
    command = [sys.executable, "-c", STUCK.format(exists=exists, real=real, end="")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "told\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGKILL)
