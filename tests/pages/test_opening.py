"""Pages read records: none loads torch, which would cost seconds at the start of the app."""

import os
import subprocess
import sys

import pytest

from pages.ui.frame import PAGES
from qurd_core.files import ROOT
from tests.pages.opening import LINKS


@pytest.mark.slow
def test_no_page_imports_torch(tmp_path):
    """All pages in one process of their own: this one has imported torch for other tests."""
    assert {*LINKS} == {*PAGES}
    command = [sys.executable, "-m", "tests.pages.opening"]
    around = os.environ | {"QURD_STORE": str(tmp_path)}
    ran = subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
