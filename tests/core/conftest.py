"""What tests of the core share."""

import sys

import pytest

from qurd_core import cli


@pytest.fixture
def qurd(monkeypatch, capsys, tmp_path):
    """Runs the command line in this process: (exit code, output, error output)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["qurd_core", *arguments])
        monkeypatch.setenv("QURD_STORE", str(tmp_path / "store"))
        with pytest.raises(SystemExit) as ended:
            cli.main()
            sys.exit(0)
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run
