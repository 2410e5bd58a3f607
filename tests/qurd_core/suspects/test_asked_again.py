"""Evidence whose queries are revealed: a model is asked again, and every picture is the one that was sealed."""

import json
import shutil
import zipfile
from functools import cache

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.records.sealed import PICTURES, canonical, sha
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.checking import with_evidence
from qurd_core.suspects.question import question
from tests.qurd_core.suspects.test_checking import COPY, table
from tests.qurd_core.suspects.test_folder import CLASSES, folder_of_suspects

CRAFTED = "uniform(test)->pgd(eps=0.1,steps=3) | labels | hamming"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return folder_of_suspects(tmp_path_factory.mktemp("again") / "bench", suspects=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def made(home, store):
    """Evidence about one suspect, with revealed queries or without, once for all tests: a folder."""

    @cache
    def make(scheme, revealed):
        bench, folder = benchmark(str(home)), store / f"{scheme[:3]}-{revealed}"
        about = question(bench, None, ("s0",), (scheme,), budget=20, level=0.05, stop="none", fit=10)
        with_evidence(bench, about, Store(store), Runtime(), folder, revealed=revealed, tell=lambda told: None)
        return folder

    return make


@pytest.fixture
def verify(qurd, store):
    """Verifies with the answers that there are: exit code, output and error output."""
    return lambda path, *models: qurd("verify", str(path), "--store", str(store), *(f"--model={one}" for one in models))


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "kind"), [("AKH", np.uint8), (CRAFTED, np.float32)])
def test_the_model_of_the_evidence_answers_the_same_again(home, made, verify, scheme, kind):
    path = made(scheme, True)
    code, out, error = verify(path, f"s0={home}", f"mine={home}")
    assert code == 0, out + error
    sent = 30 if scheme == "AKH" else 20  # with the images of the fit where queries are mistakes
    for name in ("s0", "mine"):
        assert (
            f"- {name}, asked again, gives {sent} of {sent} answers as in the evidence; its digest is the sealed one." in out
        )
    pictures = load_file(path / "queries.safetensors")[PICTURES]
    assert (pictures.dtype, pictures.shape) == (kind, (sent, 3, 32, 32))  # eight bits where nothing is lost by them


@pytest.mark.slow
def test_another_model_of_that_name_does_not(home, made, verify, tmp_path):
    shutil.copytree(home, tmp_path / "other")
    path = tmp_path / "other" / "s0.safetensors"
    save_file(
        {name: -values if values.shape[:1] == (len(CLASSES),) else values for name, values in load_file(path).items()}, path
    )
    code, out, _ = verify(made("AKH", True), f"s0={tmp_path / 'other'}")
    assert code == 1
    assert "its digest is another one than the sealed one. At least 99 % are expected." in out
    assert out.splitlines()[-1].endswith("something does not match.")


def test_without_pictures_nobody_can_be_asked_again(home, made, verify):
    path = made("AKH", False)
    assert not (path / "queries.safetensors").exists()
    code, _, error = verify(path, f"s0={home}")
    assert code == 2
    assert "Only 'check --reveal' puts them into evidence." in error


def changed(folder, change):
    """Change the pictures and repair what lists them, as whoever does so on purpose would."""
    path = folder / "queries.safetensors"
    path.write_bytes(save({PICTURES: change(load_file(path)[PICTURES])}))
    listed = [one for one in json.loads((folder / "files.json").read_bytes()) if one["name"] != path.name]
    listed.append({"name": path.name, "bytes": path.stat().st_size, "sha256": sha(path.read_bytes())})
    (folder / "files.json").write_bytes(canonical(sorted(listed, key=lambda one: one["name"])))


def one_pixel(pictures):
    pictures[3, 0, 5, 5] ^= 1
    return pictures


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (one_pixel, "queries.safetensors holds another picture for query '"),
        (lambda pictures: pictures[1:], "queries.safetensors holds 29 pictures. 30 queries were sealed."),
        (lambda pictures: pictures[:, 0], "queries.safetensors holds uint8 (30, 32, 32), no pictures (n,3,H,W)."),
    ],
)
def test_a_picture_that_was_changed_is_named(made, verify, tmp_path, change, says):
    folder = shutil.copytree(made("AKH", True), tmp_path / "e")
    changed(folder, change)
    code, out, _ = verify(folder)
    assert code == 1
    assert says in out


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("s0", "Expected NAME=SOURCE with --model, NAME out of the evidence"),
        ("nobody=x", "Expected NAME=SOURCE with --model, NAME out of the evidence"),
        ("s0=nowhere", "No folder of that name lies here either."),
        ("s0=patchwork-sac", "Unknown model of patchwork-sac 's0'"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(made, verify, model, says):
    code, _, error = verify(made("AKH", True), model)
    assert code == 2
    assert says in error


def test_a_table_has_no_pictures_and_nobody_to_ask(made, qurd, verify, tmp_path):
    table({"s0": COPY}).to_csv(tmp_path / "t.csv", index=False)
    code, _, error = qurd("check", str(tmp_path / "t.csv"), "--evidence", str(tmp_path / "e"), "--reveal")
    assert code == 2
    assert "holds answers and no pictures" in error
    code, _, error = verify(made("AKH", True), f"s0={tmp_path / 't.csv'}")
    assert code == 2
    assert "Expected models that can be asked" in error


def test_reveal_takes_evidence_and_answers(home, qurd, tmp_path):
    for more in ((), ("--evidence", str(tmp_path / "e"), "--seal-only")):
        code, _, error = qurd("check", str(home), "--suspect", "s0", "--reveal", *more)
        assert code == 2
        assert "Expected --evidence with --reveal, and no --seal-only" in error


def test_the_command_reveals_into_a_zip(home, store, qurd, tmp_path):
    how = ["--suspect", "s0", "--budget", "20", "--fit", "10", "--store", str(store), "--evidence", str(tmp_path / "e.zip")]
    code, _, error = qurd("check", str(home), *how, "--reveal")
    assert code == 0, error
    with zipfile.ZipFile(tmp_path / "e.zip") as held:
        assert "queries.safetensors" in held.namelist()
