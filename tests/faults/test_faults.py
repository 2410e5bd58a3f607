"""Every fault a few times; `python -m tests.benchmarks.faults` tries them as often as `assets/docs/faults.md` says."""

import pytest

from tests.faults import crashes, disks, planted, sharing, views
from tests.faults.crashes import worker_killed
from tests.faults.disks import flipped
from tests.faults.fault import Fault, UnableError, tried
from tests.faults.planted import saved
from tests.faults.sharing import old_runs

ELSEWHERE = (flipped,)  # `test_altered.py` flips bits of every kind of file
SLOW = (worker_killed, old_runs, saved, *(fault.once for fault in views.FAULTS))
FAULTS = [
    pytest.param(fault, marks=[pytest.mark.slow] if fault.once in SLOW else [], id=fault.what)
    for module in (crashes, disks, sharing, planted, views)
    for fault in module.FAULTS
    if fault.once not in ELSEWHERE
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.slow
def test_what_must_hold_after_a_fault_holds(fault: Fault):
    try:
        found = tried(fault, fault.few)
    except UnableError as error:
        pytest.skip(f"This machine cannot have it: {error}.")
    assert found.failed == []
    assert found.times == fault.few > 0
