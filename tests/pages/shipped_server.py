"""What browser tests on the shipped records share."""

import pytest

from qurd_core.records import rate_records
from tests.pages import test_browser


@pytest.fixture
def folder():
    """The shipped records."""
    return rate_records.FOLDER


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch, request):
    """The server's own, empty. The module of the test says when a page is still: `settle`."""
    monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(test_browser, "settle", request.module.settle)
