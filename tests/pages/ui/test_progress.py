"""How far a job is, in the same words wherever it is waited for."""

import pytest

from pages.ui.progress import stand
from qurd_core.jobs.queue import Status


@pytest.mark.parametrize(
    ("status", "things", "time"),
    [
        (Status("x", "queued", ahead=2), "queued behind 2 runs", "queued behind 2 runs"),
        (Status("x", "queued"), "starting", "starting"),
        (Status("x", "running"), "starting", "starting"),
        (Status("x", "running", done=3, total=10), "3 of 10 · about 1 s left", "30%"),
        (
            Status("x", "running", done=4000, total=10000, seconds=10),
            "4000 of 10000 · about 15 s left",
            "40% · about 15 s left",
        ),
    ],
)
def test_a_state_has_its_words(status, things, time):
    assert stand(status) == things
    assert stand(status, percent=True) == time
