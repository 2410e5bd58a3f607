"""How the server ends when it is asked to."""

import atexit
import logging
import os
import sys
from contextlib import suppress
from functools import cache

from streamlit import runtime


@cache
def at_once() -> None:
    """Have the server leave without taking the interpreter apart.

    Threads that draw pages are not waited for. Those that are in native code by then crash in what is gone, or wait for it
    for ever. The workers of jobs end by themselves once nobody writes to them, and nothing else is left to be done.
    """
    if runtime.exists() and type(runtime.get_instance()) is runtime.Runtime:  # tests of pages have another one
        atexit.register(_leave)


def _leave() -> None:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more, or nobody ever did
            stream.flush()
    os._exit(1 if hasattr(sys, "last_value") else 0)  # of an error that nobody caught, which was printed before
