"""A call in a process of its own, under limits of memory and time: whatever a foreign file does to it, this one goes on."""

import contextlib
import json
import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from qurd_core.errors import QurdError

MEMORY = 8_000_000_000  # bytes
SECONDS = 1_800  # of processor time; it is waited for twice as long


def limited(call: Callable[[], Any], path: Path, *, memory: int = MEMORY) -> Any:
    """What a call returns in a forked process, as JSON brings it here.

    A worker process calls it itself, since whoever started it has asked before; so does a system without forks or limits.

    Args:
        path: what is read, said in errors.
        memory: bytes that the call may take beside what this process holds.

    Raises:
        QurdError: the call raised one, or took more than it may.
        RuntimeError: a fault of the program, with its trace.
    """
    if sys.platform != "linux" or multiprocessing.parent_process():
        return call()
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(call, theirs, memory), daemon=True)
    process.start()
    theirs.close()
    try:
        said = json.loads(ours.recv_bytes()) if ours.poll(2 * SECONDS) else {"more": True}
    except EOFError:  # it was ended by the system, or by what it read
        said = {"more": True}
    finally:
        ours.close()
        process.kill()
        process.join()
    if "more" in said:
        raise QurdError(
            f"Expected to read {path} with {memory / 1e9:g} GB of memory in {SECONDS // 60} minutes. It takes more, or ended"
            " the process that read it: is it what it says it is?"
        )
    if "refused" in said:
        raise QurdError(said["refused"])
    if "fault" in said:
        raise RuntimeError(said["fault"])
    return said["found"]


def _answer(call: Callable[[], Any], pipe: Connection, memory: int) -> None:
    """What the forked process does."""
    import resource

    limits = [(resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)]
    with contextlib.suppress(PermissionError):  # a process that has changed its user may not look at itself
        held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        limits.append((resource.RLIMIT_AS, held + memory))
    for kind, most in limits:
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    torch.set_num_threads(1)  # the others did not come along
    try:
        said = {"found": call()}
    except QurdError as error:
        said = {"refused": str(error)}
    except MemoryError:
        said = {"more": True}
    except BaseException as error:  # the process that asked shows it
        said = {"more": True} if "can't allocate memory" in str(error) else {"fault": traceback.format_exc()}
    with contextlib.suppress(BrokenPipeError):
        pipe.send_bytes(json.dumps(said).encode())
