"""What is installed: one list of dependencies, a lock that satisfies it, and a wheel with all that the app reads."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from qurd_core import files

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()


def locked() -> list[Requirement]:
    return [Requirement(line.rstrip(" \\")) for line in LOCK.splitlines() if re.match(r"[a-z0-9]", line)]


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_what_is_locked_satisfies_what_the_project_asks(text):
    asked = Requirement(text)
    found = [one for one in locked() if canonicalize_name(one.name) == canonicalize_name(asked.name)]
    assert found, f"{asked.name} is not locked: run .ci/lock"
    for one in found:
        (exactly,) = one.specifier
        assert exactly.operator == "=="
        assert asked.specifier.contains(exactly.version), f"{one} is not {asked}: run .ci/lock"


def test_every_locked_file_has_its_hash_and_none_its_address():
    parts = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(parts) == len(locked())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", part) for part in parts)
    assert "://" not in LOCK
    assert "index" not in LOCK.partition("==")[0]


def test_there_is_one_list_of_dependencies():
    assert (ROOT / "requirements.txt").read_text() == "-e .\n"
    assert (ROOT / "tests/requirements.txt").read_text() == "-e .[test]\n"


@pytest.mark.parametrize("typed", ["qurd", "python -m qurd_core"])
def test_the_usage_shows_the_command_that_was_typed(typed, tmp_path):
    assert PROJECT["scripts"] == {"qurd": "qurd_core.cli:main"}
    script = tmp_path / "qurd"
    script.write_text("from qurd_core.cli import main\nmain()\n")
    start = [str(script)] if typed == "qurd" else ["-m", "qurd_core"]
    around = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    ended = subprocess.run(
        [sys.executable, *start, "run", "--help"], cwd=tmp_path, env=around, capture_output=True, text=True, check=False
    )
    assert f"Usage: {typed} run [OPTIONS]" in ended.stdout


@pytest.mark.slow
def test_a_wheel_has_all_that_ships_and_no_name_of_its_own_but_one(tmp_path):
    if not importlib.util.find_spec("hatchling"):
        pytest.skip("hatchling is not installed: tests/requirements.txt brings it")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        commands = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert "qurd = qurd_core.cli:main" in commands
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"qurd_core"}
    shipped = {path.relative_to(ROOT).as_posix() for path in (*files.shipped_files(), files.ASSETS / files.DIGESTS)}
    assert {name.removeprefix("qurd_core/_app/") for name in names if "/assets/" in name} == shipped
    sources = {path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("pages/**/*.py"), ROOT / "app.py")}
    assert {f"qurd_core/_app/{name}" for name in (*sources, ".streamlit/config.toml")} <= names
    code = (*ROOT.glob("qurd_core/**/*.py"), *ROOT.glob("qurd_core/cli/templates/*.txt"))
    assert {path.relative_to(ROOT).as_posix() for path in code} <= names


@pytest.fixture(scope="module")
def advisories():
    about = importlib.util.spec_from_file_location("advisories", ROOT / ".ci" / "advisories.py")
    module = importlib.util.module_from_spec(about)
    about.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("fixed", "says", "fails"),
    [
        (["1.9.1"], "1.9.1 is without it and fits: run `.ci/lock --upgrade-package leaky`", True),
        (["2.0", "1.9.1"], "1.9.1 is without it and fits", True),
        (["2.0"], "2.0 is without it, but <2 is asked for", False),
        ([], "no version is without it", False),
    ],
)
def test_an_advisory_fails_only_where_a_fixed_version_fits(advisories, fixed, says, fails):
    found = [{"name": "Leaky", "version": "1.9", "vulns": [{"id": "A-1", "fix_versions": fixed}]}]
    lines, failed = advisories.report([{**one, "name": "leaky"} for one in found], {"leaky": SpecifierSet("<2")})
    assert says in lines[1]
    assert failed is fails


def test_a_service_that_does_not_answer_is_no_all_clear(advisories, capsys, tmp_path):
    assert advisories.main(str(tmp_path / "nowhere")) == 0
    assert "not known today" in capsys.readouterr().out
    silent, known = {"name": "a", "skip_reason": "not found"}, {"name": "b", "version": "1", "vulns": []}
    assert advisories.report([silent], {}) == (
        ["Known advisories of what is locked: not known today, because the service answered for no package."],
        False,
    )
    assert advisories.report([silent, known], {})[0] == [
        "Known advisories of 1 locked packages: 0; the service did not answer for 1 more."
    ]


def test_every_installed_package_says_what_it_asks(advisories):
    assert advisories.asked()["typing-extensions"]
