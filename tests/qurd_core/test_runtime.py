import pytest

from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime, available_devices, silent


def test_the_defaults_run_anywhere():
    assert Runtime() == Runtime(device="cpu", batch_size=64, workers=1)
    assert "cpu" in available_devices()


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"workers": 0}, {"device": "abacus"}], ids=str)
def test_what_cannot_run_is_refused_at_once(wrong):
    with pytest.raises(QurdError, match="Expected a"):
        Runtime(**wrong)


def test_silent_progress_hands_everything_through():
    assert list(silent(range(3), 3, "counting")) == [0, 1, 2]
