"""Memory that a closed session gives back.

Every run of a page is a thread of its own, which reads tables of many megabytes. What Arrow's allocator and the arenas of
glibc keep of each for the next one adds up to tens of megabytes a session, and never returns to the system.
"""

import ctypes
import sys
from functools import cache

import pyarrow as pa

ARENAS = 2  # of glibc, which has eight for each processor; threads that take turns gain nothing by more
MAPPED = 1_000_000  # bytes from which on a piece of memory is the system's own and returns to it at once
KEPT = 16_000_000  # free bytes at the end of what glibc holds, above which they return
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of its header malloc.h


@cache
def give_back() -> None:
    """Have the memory of a table return to the system once nobody holds it."""
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux" and hasattr(system := ctypes.CDLL(None), "mallopt"):
        for what, bound in ((_M_ARENA_MAX, ARENAS), (_M_MMAP_THRESHOLD, MAPPED), (_M_TRIM_THRESHOLD, KEPT)):
            system.mallopt(what, bound)
