"""Another package's components are found, and a run in worker processes is the run in one process, killed or not."""

import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from io import StringIO

import pytest

from qurd_core import cli
from qurd_core.files import ROOT
from tests import toy as _toy  # noqa: F401 (registers it in this process, too)

SCHEMES = ["AKH", "ModelDiff", "uniform(test)->mirror(upside_down=true) | labels | hamming", "negative(test) | lime | l2"]


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Runs the command line with the toy package installed; gives the process."""
    home = tmp_path_factory.mktemp("site")
    about = home / "toy_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[qurd.components]\ntoy = tests.toy\n")
    paths = {"PYTHONPATH": os.pathsep.join([str(home), str(ROOT)])}

    def begin(*arguments):
        command = [sys.executable, "-m", "qurd_core", *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=ROOT, env=os.environ | paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return begin


def arguments(store, workers=1):
    schemes = [part for scheme in SCHEMES[:3] for part in ("--scheme", scheme)]
    return (
        *("run", "-b", "toy", *schemes, "--budget", "10,20", "--seeds", 6, "--json"),
        *("--store", store, "--workers", workers, "--device", "cpu"),
    )


def run_here(store):
    """The table of a run in this process."""
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(StringIO()) as out, suppress(SystemExit):
        patched.setattr(sys, "argv", ["qurd_core", *map(str, arguments(store))])
        cli.main()
    return json.loads(out.getvalue())


def table(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def contents(store):
    return {
        path.relative_to(store): path.read_bytes()
        for path in sorted(store.rglob("*.safetensors"))
        if "tmp" not in path.relative_to(store).parts
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    store = tmp_path_factory.mktemp("reference")
    return run_here(store), contents(store)


@pytest.mark.slow
def test_components_of_another_package_are_listed(start):
    out, _ = start("schemes", "--json").communicate(timeout=60)
    assert any("mirror" in row["scheme"] for row in json.loads(out)["combinations"])


def test_a_scheme_whose_parts_do_not_fit_is_refused(qurd):
    code, _, err = qurd("run", "-b", "toy", "-s", SCHEMES[3])
    assert code == 2
    assert "lime needs superpixel masks" in " ".join(err.split())


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_is_continued_and_leaves_the_same_bytes_and_the_same_table(start, reference, tmp_path, workers):
    process = start(*arguments(tmp_path, workers))
    while process.poll() is None and len(contents(tmp_path)) < len(reference[1]) // 3:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (run_here(tmp_path) if workers == 1 else table(start(*arguments(tmp_path, workers)))) == reference[0]
    assert contents(tmp_path) == reference[1]
