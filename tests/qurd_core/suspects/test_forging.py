"""A shipped victim and a few shipped pictures become a benchmark; a kill loses one model."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.fashion import fashion_sac, making, seeds
from qurd_core.benchmarks.fashion.names import CLASSES
from qurd_core.benchmarks.forge import making as forge_making
from qurd_core.benchmarks.forge import writing
from qurd_core.benchmarks.own.manifest import name_of
from qurd_core.benchmarks.zoo import models
from qurd_core.benchmarks.zoo.architectures import ARCHITECTURES
from qurd_core.evaluation.checks import check as check_benchmark
from qurd_core.files import read_json
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects import forging
from qurd_core.suspects.checking import check, with_evidence
from qurd_core.suspects.question import question
from qurd_core.suspects.verifying import verify
from tests.qurd_core.suspects.elsewhere.shop import api_text

FEW = 13  # pictures per class and set
MINE = "train(vgg,victim1)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A victim and its pictures, and a suspect; nothing else."""
    home = tmp_path_factory.mktemp("forge") / "in"
    home.mkdir()
    known = seeds.read(fashion_sac.FOLDER)
    for name, split, skip in (("train", "train", 0), ("test", "test", 0), ("theirs", "test", 1)):
        grey, truth = known[split]
        rows = np.concatenate(
            [np.flatnonzero(truth == label)[skip * 3 * FEW :][: (3 - 2 * skip) * FEW] for label in range(10)]
        )
        pixels = torch.from_numpy(seeds.framed(grey[rows]))[:, None].repeat(1, 3, 1, 1).contiguous()
        save_file({"pixels": pixels, "truth": torch.from_numpy(truth[rows])}, home / f"{name}.safetensors")
    entries = []
    for name, role, lineage in (("mine", "victim", MINE), ("shop", "suspect", f"{MINE}->finetune")):
        model = models.load(fashion_sac.FOLDER, models.canonical(lineage), making.world(fashion_sac.FOLDER))
        weights = {key.removeprefix("network."): values.contiguous() for key, values in model.state_dict().items()}
        save_file(weights, home / f"{name}.safetensors")
        about = {"model": name, "role": role, "architecture": "patchwork/vgg", "weights": f"{name}.safetensors"}
        entries.append(about | ({"lineage": "train(vgg,mine)"} if role == "victim" else {}))
    manifest = {"classes": list(CLASSES), "side": 32, "models": entries}
    manifest |= {"images": {name: f"{name}.safetensors" for name in ("train", "test")}}
    manifest["normalisation"] = {"mean": [0.45] * 3, "std": [0.25] * 3}
    (home / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return home


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(forge_making, "EPOCHS", dict.fromkeys(ARCHITECTURES, 1))
    monkeypatch.setattr(forge_making, "ENOUGH", 1)


def forged(folder, home, store, unrelated):
    """With each thief made once, and not three times."""
    plan = forging.prepare(str(folder), "mine", home, store, Runtime(), unrelated=unrelated, hard=1)
    once = [one for one in plan.models if one.role != "stolen" or "seed=1" in one.lineage or "quantize" in one.lineage]
    plan = replace(plan, models=tuple(once))
    return plan, forging.forge(plan, store, Runtime())


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forge_making, "EPOCHS", dict.fromkeys(ARCHITECTURES, 1))
        patch.setattr(forge_making, "ENOUGH", 1)
        base = tmp_path_factory.mktemp("forged")
        store = Store(base / "store")
        return *forged(folder, base / "out", store, 20), store


@pytest.mark.slow
def test_whoever_has_a_model_and_its_pictures_gets_a_benchmark_and_a_verdict(made):
    _, found, store = made
    report = check_benchmark(str(found.home), store)
    assert not report.problems
    (row,) = report.victims
    assert (row["unrelated"], row["lineages"], row["hard"], row["suspects"]) == (20, 20, 1, 1)
    roles = [one["role"] for one in found.models]
    assert row["stolen"] == roles.count("stolen") + 1  # and the victim itself
    (verdict,) = check(str(found.home), suspects=["shop"], store=store, budget=20, fit=0).each
    assert (verdict.lineages, verdict.hard.of, verdict.thieves.of) == (20, 1, roles.count("stolen"))


@pytest.mark.slow
def test_what_a_scheme_misses_of_forged_thieves_is_said_and_sealed(made, tmp_path):
    plan, found, store = made
    bench = benchmark(str(found.home))
    far = [one["lineage"] for one in found.models if one["by"] == "train" and one["role"] == "hard"]
    how = {"budget": 20, "fit": 0, "level": 0.05, "stop": "none"}
    about = question(bench, None, far, ("AKH",), **how)
    said = with_evidence(bench, about, store, Runtime(), tmp_path / "case.zip", tell=lambda text: None)
    (verdict,) = said.each
    missed = verdict.thieves
    assert (verdict.said, verdict.forged, missed.of) == ("not_distinguished", True, len(about.thieves))
    sentence = said.sentences[far[0]][0]
    assert f"of {missed.of} forged thieves of {plan.victim} this scheme misses {missed.number} at 20 queries." in sentence
    checked = verify(tmp_path / "case.zip")
    assert (checked.faults, checked.sentences) == ([], said.sentences)


@pytest.mark.slow
def test_the_account_tells_what_every_model_read(made):
    plan, found, _ = made
    told = read_json(found.home / "forge.json")
    assert [one["lineage"] for one in told["models"]] == [one.lineage for one in plan.models]
    assert (told["victim"], told["recipe"]["RATE"], told["sets"]["theirs"]) == ("mine", forge_making.RATE, 10 * FEW)
    for one in told["models"]:
        if one["by"] == "train":
            assert one["read_truth"]
            assert (one["regions"] == ["train"]) == (one["role"] == "hard")
            assert one["kappa"] is None
        elif "extraction" in one["by"]:  # answers alone: never the truth, and no picture beyond those that it paid for
            assert not one["read_truth"]
            assert one["victim_queries"] == one["images"]
            assert one["kappa"] is not None
    assert {one["images"] for one in told["models"] if one["by"] == "label_extraction"} == {130, 26, 6}


@pytest.mark.slow
def test_a_theft_that_agrees_by_chance_has_failed_and_stands_in_no_pair(made):
    _, found, _ = made
    failed = {one["lineage"] for one in found.models if one["role"] == "failed"}
    assert failed == {one["lineage"] for one in found.models if one["kappa"] is not None and one["kappa"] < 0.1}
    assert failed  # one pass over six pictures teaches nobody
    assert "agrees with the victim no more than chance" in found.notes[0]
    bench = benchmark(str(found.home))
    assert not failed & {*bench.models}
    kept = {one["by"] for one in found.models if one["role"] == "stolen"}
    assert {"finetune", "quantize(qint8)"} <= kept
    assert any("failed theft(s)" in note for note in bench.notes)


@pytest.mark.slow
def test_the_power_is_that_of_the_guaranteed_rule(made):
    _, found, store = made
    table = pd.read_csv(found.home / "power.csv")
    assert {*table["scheme"]} == {"AKH", "Random", "FBI", "FBI:labels"}
    assert {*table["level"]} == {0.05}
    stolen = [one["lineage"] for one in found.models if one["by"] == "quantize(qint8)"]
    budget = int(table[table["scheme"] == "AKH"]["budget"].max())
    (row,) = table.query("scheme == 'AKH' and theft == 'quantize(qint8)' and budget == @budget").to_dict("records")
    said = check(str(found.home), suspects=stolen, store=store, budget=budget, fit=0).each[0]
    assert row["caught"] == (said.said == "closer") == (said.p <= 0.05)
    early = check(str(found.home), suspects=stolen, store=store, budget=budget, fit=0, stop="peak").each[0]
    assert early.said == "closer"
    assert row["queries"] == early.used


@pytest.mark.slow
def test_a_kill_loses_one_model_and_the_same_call_goes_on(folder, tmp_path, quick, monkeypatch):
    store, making_one, done = Store(tmp_path / "store"), models.build_one, []

    def killed(*args):
        if len(done) == 4:
            raise KeyboardInterrupt
        making_one(*args)
        done.append(args[0])

    monkeypatch.setattr(models, "build_one", killed)
    with pytest.raises(KeyboardInterrupt):
        forged(folder, tmp_path / "out", store, 0)
    assert len([*(tmp_path / "out" / "models").glob("*.safetensors")]) == 4
    again = []
    monkeypatch.setattr(models, "build_one", lambda *args: again.append(args[0]) or making_one(*args))
    plan, found = forged(folder, tmp_path / "out", store, 0)
    assert {*done} & {*again} == set()
    assert {*done} | {*again} == {one.lineage for one in plan.models}
    before = {path: path.read_bytes() for path in found.home.rglob("*") if path.is_file()}
    again.clear()
    forged(folder, tmp_path / "out", store, 0)
    assert not again
    assert {path: path.read_bytes() for path in found.home.rglob("*") if path.is_file()} == before
    monkeypatch.setattr(forge_making, "RATE", 1e-3)  # another recipe: no file of the old one is taken
    forged(folder, tmp_path / "out", store, 0)
    assert {*again} == {one.lineage for one in plan.models}


@pytest.mark.slow
def test_what_is_made_of_the_victims_weights_is_read_as_the_victim_is(made):
    plan, found, _ = made
    manifest = yaml.safe_load((found.home / "manifest.yaml").read_text())
    by = {name_of(one): one for one in manifest["models"]}
    tuned = next(one for name, one in by.items() if "finetune" in name)
    assert (tuned["architecture"], tuned["normalisation"]) == ("patchwork/vgg", by["mine"]["normalisation"])
    student = next(one for name, one in by.items() if "label_extraction(res" in name)
    assert student["architecture"] == "patchwork/res"
    victim, copy = (load_file(found.home / one["weights"]) for one in (by["mine"], tuned))
    assert victim.keys() == copy.keys()
    assert any(not torch.equal(victim[name], copy[name]) for name in victim)
    assert load_file(plan.folder / "mine.safetensors").keys() == victim.keys()
    assert by["shop"]["role"] == "suspect"  # it comes along, to be asked about


def test_a_dry_run_prints_a_table_and_makes_nothing(qurd, folder, tmp_path, quick):
    out = tmp_path / "out"
    code, said, err = qurd(
        *("forge", str(folder), "--out", str(out), "--dry-run", "--unrelated", "4", "--device", "cpu", "--thieves", "quick")
    )
    assert (code, out.exists()) == (0, False), err
    lines = [line.split() for line in said.splitlines()]
    assert lines[0] == ["role", "by", "pictures", "models", "epochs", "minutes", "megabytes"]
    total = lines[-1]
    assert total[0] == "all"
    assert int(total[1]) == 4 + 4 + 26
    assert float(total[2]) > 0
    assert float(total[3]) > 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--victim", "nobody"], "Unknown victim 'nobody'"),
        (["--images", "nowhere"], "Expected a file at"),
        (["--images", "../more"], "inside"),
        (["--thieves", "some"], "Unknown choice of thieves"),
    ],
)
def test_what_cannot_be_forged_is_one_sentence(qurd, folder, tmp_path, quick, arguments, says):
    code, _, err = qurd("forge", str(folder), "--out", str(tmp_path / "out"), "--dry-run", *arguments)
    assert (code, "Traceback" in err) == (2, False)
    assert says in " ".join(err.split())


def test_forged_models_go_into_a_folder_of_their_own(qurd, folder, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    code, _, err = qurd("forge", str(folder), "--out", str(tmp_path))
    assert code == 2
    assert "holds something else: name another one" in " ".join(err.split())
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_other_benchmarks_have_nothing_to_forge_from(qurd, tmp_path):
    code, _, err = qurd("forge", "patchwork-sac", "--out", str(tmp_path / "out"))
    assert code == 2
    assert "Expected a folder of models and pictures to forge from" in " ".join(err.split())


@pytest.mark.slow
def test_pictures_are_decoded_and_a_folder_of_them_is_taken(folder, tmp_path, quick):
    from PIL import Image

    home = tmp_path / "in"
    shutil.copytree(folder, home)
    (home / "theirs.safetensors").unlink()
    held = load_file(folder / "theirs.safetensors")
    for number, (pixels, label) in enumerate(zip(held["pixels"], held["truth"].tolist(), strict=True)):
        path = home / "more" / CLASSES[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(path)
    store = Store(tmp_path / "store")
    plan = forging.prepare(str(home), None, tmp_path / "out", store, Runtime(), unrelated=4, images="more")
    theirs = plan.sets.theirs
    assert {image.numpy().tobytes() for image in theirs.pixels} == {image.numpy().tobytes() for image in held["pixels"]}
    plan = forging.prepare(str(home), None, tmp_path / "half", store, Runtime(), unrelated=4)
    assert len(plan.sets.theirs) == len(plan.sets.test) == 3 * FEW * 10 / 2


@pytest.mark.slow
def test_a_victim_without_weights_is_copied_by_its_answers_and_comes_along(folder, tmp_path, quick):
    home = tmp_path / "in"
    shutil.copytree(folder, home)
    model = models.load(fashion_sac.FOLDER, models.canonical(MINE), making.world(fashion_sac.FOLDER)).network.eval()
    program = torch.onnx.export(
        model, (torch.zeros(2, 3, 32, 32),), dynamic_shapes=({0: torch.export.Dim("n")},), dynamo=True, verbose=False
    )
    program.save(str(home / "mine.onnx"))
    manifest = yaml.safe_load((home / "manifest.yaml").read_text())
    about = {key: manifest["models"][0][key] for key in ("model", "role", "lineage")}
    manifest["models"][0] = about | {"source": "onnx", "file": "mine.onnx", "output": {"gives": "logits"}}
    (home / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    store = Store(tmp_path / "store")
    plan = forging.prepare(str(home), "mine", tmp_path / "out", store, Runtime(), unrelated=4, hard=0)
    assert {one.by for one in plan.models if one.role == "stolen"} == {"label_extraction", "probit_extraction"}
    assert any("thieves can copy its answers only" in note for note in plan.notes)
    few = [plan.models[0], *(one for one in plan.models if "probit_extraction" in one.lineage)][:2]
    found = forging.forge(replace(plan, models=tuple(few)), store, Runtime())
    assert found.models[1]["victim_queries"] == 10 * FEW
    (victim,) = benchmark(str(found.home)).victims
    assert benchmark(str(found.home)).source.entries[victim].puts is not None
    assert benchmark(str(found.home)).suspects == ("shop",)


@pytest.mark.parametrize("written", ["mine.safetensors", "../in/mine.safetensors", "../../{}/in/mine.safetensors"])
def test_files_that_come_along_stay_in_the_folder_of_forged_models(folder, tmp_path, written):
    home, ours = tmp_path / "out", tmp_path / "in"
    shutil.copytree(folder, ours)
    manifest = yaml.safe_load((ours / "manifest.yaml").read_text())
    manifest["models"][0]["weights"] = written.format(tmp_path.name)
    (ours / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    bench = benchmark(str(ours))
    first, second = writing.bring(ours, home, writing.entries(ours, bench, "mine"), bench.source)
    assert (first["weights"], second["weights"]) == ("brought/mine.safetensors", "brought/shop.safetensors")
    assert (home / first["weights"]).read_bytes() == (folder / "mine.safetensors").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}


@pytest.fixture
def with_others(folder, tmp_path):
    """The folder with a suspect that is asked over a network and one that is a folder of transformers."""
    from tests.qurd_core.benchmarks.own.sources.test_transformers_folder import saved  # skips where that is not installed

    home = tmp_path / "in"
    shutil.copytree(folder, home)
    saved(home / "bought" / "vit", names=list(CLASSES))
    (home / "shop.yaml").write_text(api_text("http://127.0.0.1:9/classify"))
    manifest = yaml.safe_load((home / "manifest.yaml").read_text())
    others = [{"source": "api", "api": "shop.yaml"}, {"source": "transformers", "folder": "bought/vit"}]
    names = ("far", "vit")
    manifest["models"] += [{"model": name, "role": "suspect"} | one for name, one in zip(names, others, strict=True)]
    (home / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return home


def test_what_is_read_from_several_files_or_asked_elsewhere_comes_along(with_others, tmp_path):
    bench, home = benchmark(str(with_others)), tmp_path / "out"
    found = {
        name_of(one): one
        for one in writing.bring(with_others, home, writing.entries(with_others, bench, "mine"), bench.source)
    }
    assert (found["far"]["api"], found["vit"]["folder"]) == ("brought/shop.yaml", "brought/bought/vit")
    assert "normalisation" not in found["far"]
    for name, there in (
        ("far", home / "brought" / "shop.yaml"),
        ("vit", home / "brought" / "bought" / "vit" / "config.json"),
    ):
        assert (
            there.read_bytes()
            == next(path for path in bench.source.entries[name].files if path.name == there.name).read_bytes()
        )
