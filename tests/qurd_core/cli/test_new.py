"""`qurd app` starts the app of this checkout; `qurd new` writes files that keep to the contracts as they are."""

import os
import runpy
import socket
import subprocess
import sys

import pytest

from pages.ui.hosting.visitor import ALLOW
from qurd_core import files
from qurd_core.cli.new import KINDS
from qurd_core.files import ROOT


def told(err):
    return " ".join(err.split())


@pytest.fixture
def started(monkeypatch):
    """What would have been run."""
    found = []
    monkeypatch.setattr(runpy, "run_module", lambda name, run_name: found.append((name, run_name, sys.argv)))
    return found


@pytest.mark.parametrize(
    ("given", "headless", "more"),
    [([], "false", []), (["--no-browser"], "true", []), (["--allow-files"], "false", ["--", ALLOW])],
)
def test_app_starts_this_app_on_a_free_port_from_any_folder(qurd, started, monkeypatch, tmp_path, given, headless, more):
    monkeypatch.chdir(tmp_path)
    assert qurd("app", *given)[0] == 0
    ((name, run_name, command),) = started
    assert (name, run_name) == ("streamlit", "__main__")
    assert command[:3] == ["streamlit", "run", str(ROOT / "app.py")]
    assert command[9:] == more  # for the app, not for Streamlit
    options = dict(zip(command[3:9:2], command[4:9:2], strict=True))
    assert options.pop("--server.headless") == headless
    assert 0 < int(options.pop("--server.port")) < 65536
    assert options == {"--server.showEmailPrompt": "false"}


def test_app_takes_the_port_that_is_asked_for_and_refuses_one_that_is_taken(qurd, started):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = qurd("app", "--port", port)
        assert (code, out) == (2, "")
        assert f"Expected a free port. {port} is not: Address already in use." in told(err)
    assert not started
    assert qurd("app", "--port", port)[0] == 0
    assert port in started[0][2]


@pytest.mark.parametrize("kind", KINDS)
def test_new_writes_one_file_and_says_how_another_package_offers_it(qurd, tmp_path, kind):
    code, out, _ = qurd("new", kind, "own_one", "--folder", str(tmp_path / "mine"))
    assert code == 0
    assert [path.name for path in tmp_path.rglob("*.py")] == ["own_one.py"]
    assert '[project.entry-points."qurd.components"]\nown_one = "own_one"' in out
    lint = [sys.executable, "-m", "ruff"]
    for check in (["check"], ["format", "--check"]):
        ended = subprocess.run([*lint, *check, "--config", str(ROOT / "pyproject.toml"), tmp_path / "mine"], check=False)
        assert ended.returncode == 0


def test_new_names_the_module_as_it_is_imported(qurd, tmp_path):
    for folder in ("mine", "mine/parts"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("")
    assert 'own_one = "mine.parts.own_one"' in qurd("new", "craft", "own_one", "--folder", str(tmp_path / "mine/parts"))[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["craft", "pgd"], "There is a craft 'pgd' already"),
        (["theft", "finetune"], "There is a theft 'finetune' already"),
        (["seed-rule", "uniform"], "There is a seed rule 'uniform' already"),
        (["craft", "my-craft"], "lower-case letters, digits and _, and no word of Python's. Got 'my-craft'"),
        (["craft", "lambda"], "Got 'lambda'"),
        (["craft", "Mine"], "Got 'Mine'"),
        (["craft", "torch"], "It imports 'torch'"),
        (["carft", "mine"], "Did you mean 'craft'?"),
        (["craft", "taken"], "taken.py is there already"),
    ],
)
def test_new_refuses_names_with_one_sentence(qurd, tmp_path, arguments, says):
    (tmp_path / "taken.py").write_text("")
    code, out, err = qurd("new", *arguments, "--folder", str(tmp_path))
    assert (code, out) == (2, "")
    assert says in told(err)
    assert [path.name for path in tmp_path.glob("*.py")] == ["taken.py"]


def test_new_writes_into_a_checkout_but_not_into_an_installed_program(qurd, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROOT", tmp_path)
    code, _, err = qurd("new", "detector", "own_one")
    assert code == 2
    assert "Expected --folder" in told(err)
    (tmp_path / "qurd_core" / "detectors").mkdir(parents=True)
    code, out, _ = qurd("new", "detector", "own_one")
    assert code == 0
    assert (tmp_path / "qurd_core" / "detectors" / "own_one.py").is_file()
    assert "python -m pytest tests/contracts -k own_one" in out


@pytest.mark.slow
def test_what_new_writes_keeps_to_the_contracts_as_it_is(qurd, tmp_path):
    about = tmp_path / "own-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    names = {kind: f"own_{kind.replace('-', '_')}" for kind in KINDS}
    points = "".join(f"{name} = {name}\n" for name in names.values())
    (about / "entry_points.txt").write_text(f"[qurd.components]\n{points}")
    for kind, name in names.items():
        assert qurd("new", kind, name, "--folder", str(tmp_path))[0] == 0
    paths = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "pytest", "tests/contracts", "-k", "own_", "-rN", "-vv"]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | paths, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert all(name in ended.stdout for name in names.values())
