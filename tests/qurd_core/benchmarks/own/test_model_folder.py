"""A folder of models with a manifest is a benchmark; whatever is wrong in it is one sentence and harms nothing."""

import json
import os
import re
import shutil
import signal
import struct
import warnings
from copy import deepcopy
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn.utils import prune

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.obfuscated import name_of
from qurd_core.benchmarks.own import networks, pictures, variants, weights
from qurd_core.benchmarks.saved_benchmarks import BenchFile
from qurd_core.benchmarks.zoo import architectures
from qurd_core.errors import QurdError
from qurd_core.evaluation.checks import check
from qurd_core.evaluation.pairs import pair_table
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.evaluation.workbench import workbench
from qurd_core.files import ROOT
from qurd_core.randomness import stream
from qurd_core.runtime import Runtime
from qurd_core.store import Store

CLASSES = ["cat", "dog", "owl"]
PICTURES, STRANGERS = 30, 19  # per class
NORMALISATION = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}


def network(seed, architecture="mb"):
    model = architectures.initialised(architecture, len(CLASSES), stream(seed, "folder", architecture)).network
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    for name in state:  # an untrained head answers one class to everything
        if state[name].ndim == 2:
            state[name] = state[name] * 40
    return state


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder with a victim, a thief, nineteen strangers and ninety pictures."""
    folder = tmp_path_factory.mktemp("bench")
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in CLASSES:
            home = folder / split / name
            home.mkdir(parents=True)
            for n in range(PICTURES):
                blocks = rng.integers(256, size=(6, 8, 3), dtype=np.uint8).repeat(6, 0).repeat(6, 1)
                Image.fromarray(blocks).save(home / f"{n}.png")
    victim = network(0)
    save_file(victim, folder / "victim.safetensors")
    noise = torch.Generator().manual_seed(1)
    thief = {n: t + 0.02 * t.std() * torch.randn(t.shape, generator=noise) if t.ndim > 1 else t for n, t in victim.items()}
    save_file(thief, folder / "thief.safetensors")
    models = [
        {"lineage": "train(mb,mine)", "architecture": "patchwork/mb", "weights": "victim.safetensors"},
        {"lineage": "train(mb,mine)->finetune", "architecture": "patchwork/mb", "weights": "thief.safetensors"},
    ]
    for seed in range(STRANGERS):
        save_file(network(seed + 1, "res"), folder / f"{seed}.safetensors")
        about = {"lineage": f"train(res,theirs,seed={seed})", "architecture": "patchwork/res"}
        models.append(about | {"weights": f"{seed}.safetensors"})
    manifest = {
        "classes": CLASSES,
        "side": 32,
        "images": {"train": "train", "test": "test"},
        "normalisation": NORMALISATION,
        "models": models,
    }
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    return folder


@pytest.fixture
def changed(made, tmp_path):
    """The folder with another manifest: `changed(change)`, where `change(manifest)` edits it in place."""

    def to(change, name="manifest.json"):
        folder = tmp_path / "bench"
        if not folder.exists():
            folder.mkdir()
            for path in made.iterdir():
                if path.is_dir():
                    shutil.copytree(path, folder / path.name)
                elif path.suffix == ".safetensors":
                    (folder / path.name).hardlink_to(path)
        manifest = yaml.safe_load((made / "manifest.yaml").read_text())
        change(manifest)
        (folder / name).write_text(json.dumps(manifest))
        return folder

    return to


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.slow
def test_a_run_decodes_pictures_once_and_in_another_process(made, store, tmp_path, monkeypatch):
    decode, log = pictures.decode, tmp_path / "log"

    def noted(path, side):
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return decode(path, side)

    monkeypatch.setattr(pictures, "decode", noted)
    for seeds in (1, 2):
        evaluate(str(made), ["Random"], budgets=[10], seeds=seeds, store=store)
    who = log.read_text().split()
    assert str(os.getpid()) not in who
    assert len(who) == 2 * len(CLASSES) * PICTURES


def test_models_behind_an_obfuscation_are_read_in_another_process_too(made, store, monkeypatch):
    monkeypatch.setattr(pictures, "decode", lambda path, side: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(QurdError, match="ended the process that read it"):
        workbench(benchmark(name_of(str(made), "argmax", pool=False)), store, Runtime())


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("reader", [(pictures, "decode"), (weights, "tensors")], ids=["picture", "weights"])
@pytest.mark.slow
def test_a_file_that_ends_whoever_reads_it_ends_no_run(made, store, monkeypatch, reader):
    monkeypatch.setattr(*reader, lambda *asked: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(QurdError, match=r"Expected to read .*bench.* ended the process that read it"):
        evaluate(str(made), ["Random"], budgets=[10], seeds=1, store=store)
    monkeypatch.undo()
    assert len(evaluate(str(made), ["Random"], budgets=[10], seeds=1, store=store)) == 1


def test_the_folder_is_a_benchmark_with_pairs_images_and_models(made):
    bench = benchmark(str(made))
    assert bench.victims == ("train(mb,mine)",)
    assert bench.tasks == ("same", "finetune")
    assert bench.splits == ("train", "test", "noise")
    images = bench.images("test")
    assert images.pixels.shape == (PICTURES * 3, 3, 32, 32)
    assert images.truth.bincount().tolist() == [PICTURES] * 3
    assert bench.images("noise").pixels.shape[2:] == (32, 32)
    assert bench.record("train(mb,mine)")["architecture"] == "patchwork/mb"


def test_a_model_is_asked_behind_its_own_normalisation(made):
    x = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = benchmark(str(made)).oracle("train(mb,mine)", Runtime()).logits(x)
    plain = architectures.empty("mb", 3).network.eval()
    plain.load_state_dict(load_file(made / "victim.safetensors"), assign=True)
    mean, std = (torch.tensor(NORMALISATION[name]).view(3, 1, 1) for name in ("mean", "std"))
    assert torch.allclose(found, plain((x - mean) / std), atol=1e-5)


@pytest.mark.slow
def test_natural_and_crafted_schemes_run_end_to_end(made, store):
    schemes = ["AKH", "Random", "uniform(train)->pgd(steps=2) | pairwise | cosine", "noise | probits | l2"]
    table = evaluate(str(made), schemes, budgets=[10], seeds=1, store=store)
    assert table["tpr"].notna().all()
    assert (table["n_negatives"] == STRANGERS).all()
    pairs = pair_table(str(made), store, Runtime()).set_index("suspect")
    assert pairs.loc["train(mb,mine)->finetune", "delta"] < 0.3


@pytest.mark.slow
def test_workers_find_the_folder(made, tmp_path):
    one, two = (
        evaluate(str(made), ["AKH"], budgets=[10], store=Store(tmp_path / f"{n}"), runtime=Runtime(workers=n))
        for n in (1, 2)
    )
    assert one.equals(two)


def test_json_says_the_same_and_digests_tell_models_apart(made, changed):
    one, other = benchmark(str(made)), benchmark(str(changed(lambda manifest: None)))
    assert [one.digest(model) for model in one.models] == [other.digest(model) for model in other.models]
    assert len({one.digest(model) for model in one.models}) == len(one.models)
    moved = benchmark(str(changed(lambda manifest: manifest["normalisation"].update(mean=[0, 0, 0]))))
    assert moved.digest("train(mb,mine)") != one.digest("train(mb,mine)")


@pytest.mark.slow
def test_images_may_come_as_one_safetensors_file(made, changed, store):
    images = benchmark(str(made)).images("test")

    def change(manifest):
        manifest["images"] = {"test": "test.safetensors"}
        del manifest["side"]

    folder = changed(change)
    save_file(images.tensors, folder / "test.safetensors")
    bench = benchmark(str(folder))
    assert torch.equal(bench.images("test").pixels, images.pixels)
    assert bench.images("noise").pixels.shape[2:] == (32, 32)
    assert evaluate(str(folder), ["AKH"], budgets=[10], seeds=1, store=store)["tpr"].notna().all()


@pytest.mark.slow
def test_the_check_of_a_good_folder_says_who_stands_against_whom(made, store):
    report = check(str(made), store, Runtime())
    assert report.problems == []
    (row,) = report.victims
    counts = {"victim": "train(mb,mine)", "stolen": 2, "unrelated": STRANGERS, "lineages": STRANGERS, "hard": 0}
    assert row | counts == row
    assert row["accuracy"] == report.models[0]["accuracy_test"] == pytest.approx(1 - row["mistakes"] / (3 * PICTURES))
    assert len(report.models) == 2 + STRANGERS


def edit(**values):
    return lambda manifest: manifest.update(values)


def model(**values):
    return lambda manifest: manifest["models"][1].update(values)


BAD = [
    (edit(classes=1), "Expected 'classes'"),
    (edit(classes=["a", "a"]), "at least two different names"),
    (edit(colour=1), "Got also 'colour'"),
    (edit(format=2), "Expected a manifest of format 1"),
    (edit(side="big"), "Expected 'side' from 1"),
    (edit(images={}), "Expected 'images'"),
    (edit(images={"test": "nowhere"}), "There is nothing"),
    (edit(images={"test": "../.."}), "inside"),
    (edit(normalisation=None), "Expected 'normalisation'"),
    (edit(normalisation={"mean": [0, 0, 0], "std": [1, 0, 1]}), "std above zero"),
    (edit(models=[]), "Expected 'models' as a list"),
    (edit(models=["a"]), "Expected model 1 as names with values"),
    (model(lineage="train(mb"), "Cannot read the lineage"),
    (model(lineage=7), "Expected a text as 'lineage'"),
    (model(lineage="train(mb,mine)"), "Two models are named"),
    (model(lineage="train(mb,mine)", model="copy"), "the same lineage"),
    (model(architecture="patchwork/mbb"), "Did you mean 'patchwork/mb'"),
    (model(architecture="timm/hf-hub:something"), "Unknown architecture 'timm/hf-hub:something'"),
    (model(architecture="os/system"), "Unknown architecture 'os/system'"),
    (model(weights="none.safetensors"), "There is nothing"),
    (model(weights="a\0b.safetensors"), "Expected a path as weights of model 2"),
    (model(weights="test"), "Expected the weights of model 2 at {folder}/test. There is a folder"),
    (lambda m: m["images"].update(test="none"), "Expected the images of test at {folder}/none. There is nothing"),
    (lambda m: m["images"].update(test="manifest.json"), "Expected a .safetensors file. Got manifest.json, a .json file"),
    (model(weights="/etc/hostname"), "inside"),
    (model(auto_map="x.py"), "Got also 'auto_map'"),
    (edit(side=None), "Expected 'side' in the manifest"),
    (edit(classes=["cat", "dog", "fox"]), "is none of the classes"),
]


@pytest.mark.parametrize(("change", "says"), BAD, ids=[says for _, says in BAD])
@pytest.mark.slow
def test_a_bad_manifest_is_one_sentence(changed, store, change, says):
    folder = str(changed(change))
    says = says.replace("{folder}", folder)
    problems = check(folder, store, Runtime()).problems
    assert any(says in problem for problem in problems), problems
    with pytest.raises(QurdError) as told:
        evaluate(folder, ["AKH"], budgets=[10], seeds=1, store=store)
    assert says in str(told.value)
    assert "\n" not in str(told.value)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("!!python/object/apply:os.system ['true']", "Cannot read"),
        (BOMB, "references"),
        ("[1, 2]", "Got a list"),
        ("", "Got a NoneType"),
        ("classes: [", "Cannot read"),
        ("x" * 300_000, "at most 256,000 bytes"),
        ("[" * 20_000, "Cannot read"),
    ],
    ids=["object", "aliases", "list", "empty", "cut", "large", "deep"],
)
def test_yaml_that_is_no_manifest_is_refused(tmp_path, text, says):
    (tmp_path / "manifest.yaml").write_text(text)
    with pytest.raises(QurdError, match=says):
        benchmark(str(tmp_path))


def test_a_folder_without_or_with_two_manifests_is_refused(tmp_path, changed):
    with pytest.raises(QurdError, match="There is none: it is empty"):
        benchmark(str(tmp_path))
    folder = changed(lambda manifest: None)
    (folder / "manifest.yaml").write_text("classes: 3")
    with pytest.raises(QurdError, match="There are 2"):
        benchmark(str(folder))


def file(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape, start, end, kind="F32"):
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "There is an empty file"),
        (b"\x00" * 7, "claims"),
        (file({}, length=2**60), "header claims"),
        (file({}, length=10**6), "header claims"),
        (file(b"\xff\xfe{}"), "no header"),
        (file(b"[" * 100_000), "no header"),
        (file(b"[1]"), "no header"),
        (file({"w": 3}), "no header"),
        (file({"w": tensor([10**12], 0, 4)}, b"1234"), "which are not there"),
        (file({"w": tensor([1], 0, 4)}, b"12345678"), "fill 4 of 8 bytes"),
        (file({"w": tensor([1], 4, 8)}, b"1234"), "which are not there"),
        (file({"w": tensor([-1], 0, 4)}, b"1234"), "no proper shape"),
        (file({"w": tensor([1], 0, 4, "PICKLE")}, b"1234"), "has the type PICKLE"),
        (file(b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{}}', b"1234"), "comes twice"),
        (file({f"{n}": tensor([0], 0, 0) for n in range(20_001)}), "more than 20,000"),
    ],
)
def test_a_crafted_safetensors_file_is_refused_by_its_header(tmp_path, monkeypatch, data, says):
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    monkeypatch.setattr(weights, "safe_open", lambda *_, **__: pytest.fail("the file was opened"))
    with pytest.raises(QurdError, match=says):
        weights.tensors(path)


@pytest.mark.slow
def test_a_flipped_or_cut_file_gives_a_sentence_or_the_same_shapes(made, tmp_path):
    whole, path = (made / "victim.safetensors").read_bytes(), tmp_path / "w.safetensors"
    rng, empty = np.random.default_rng(0), networks.empty("patchwork/mb", 3)
    for _ in range(200):
        data = bytearray(whole[: int(rng.integers(9, len(whole)))] if rng.random() < 0.3 else whole)
        data[int(rng.integers(min(len(data), 4000)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            weights.load_into(deepcopy(empty), path, "mb")
        except QurdError as error:
            assert "\n" not in str(error)


def test_weights_of_another_kind_network_or_with_nan_are_refused(tmp_path, made):
    state = load_file(made / "victim.safetensors")
    first = next(name for name in state if state[name].ndim == 4)
    for change, says in [
        (lambda s: s.pop(first), "is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "also holds 'extra'"),
        (lambda s: s.update({first: s[first][:1].contiguous()}), "other classes, or"),
        (lambda s: s.update({first: s[first] * torch.nan}), "holds NaN"),
    ]:
        other = dict(state)
        change(other)
        save_file(other, tmp_path / "w.safetensors")
        with pytest.raises(QurdError, match=says):
            weights.load_into(networks.empty("patchwork/mb", 3), tmp_path / "w.safetensors", "mb")
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(QurdError, match=r"Got w.pt, a ZIP archive, as PyTorch, .*: other formats may run code"):
        weights.shapes(tmp_path / "w.pt")


def pruned(state, architecture):
    """The state dict of a network after torch's own pruning of all its convolutions and its head, and what it answers."""
    model = networks.empty(architecture, len(CLASSES))
    model.load_state_dict(state, assign=True)
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
    for number, layer in enumerate(layers):
        prune.l1_unstructured(layer, "weight", amount=0.4)
        if number % 2:
            prune.ln_structured(layer, "weight", amount=0.2, n=2, dim=0)
    if layers[-1].bias is not None:
        prune.random_unstructured(layers[-1], "bias", amount=1)
    x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}, x, model.eval()(x)


def test_weights_that_torch_pruned_are_the_product_with_their_masks(tmp_path):
    state, x, wanted = pruned(network(0), "patchwork/mb")
    assert any(name.endswith("weight_mask") for name in state)
    assert not any(name.endswith("conv.weight") for name in state)
    save_file(state, tmp_path / "w.safetensors")
    found = weights.load_into(networks.empty("patchwork/mb", 3), tmp_path / "w.safetensors", "mb").eval()
    assert torch.equal(found(x), wanted)
    assert not any(name.endswith(("_mask", "_orig")) for name in found.state_dict())


@pytest.mark.slow
def test_a_folder_may_hold_pruned_models(made, changed, store):
    state, _, _ = pruned(load_file(made / "victim.safetensors"), "patchwork/mb")
    folder = changed(lambda manifest: None)
    (folder / "thief.safetensors").unlink()
    save_file(state, folder / "thief.safetensors")
    assert check(str(folder), store, Runtime()).problems == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s, name: s.pop(f"{name}_mask"), "is missing; there is"),
        (lambda s, name: s.update({f"{name}_mask": s[f"{name}_mask"] * 0.5}), "Expected masks of 0 and 1"),
        (lambda s, name: s.update({f"{name}_mask": s[f"{name}_mask"] * torch.nan}), "Expected masks of 0 and 1"),
        (lambda s, name: s.update({f"{name}_mask": s[f"{name}_mask"][:1].contiguous()}), "another network"),
        (lambda s, name: s.update({name: s[f"{name}_orig"] + 0}), "It also holds"),
    ],
)
def test_half_a_pruned_tensor_is_refused(tmp_path, change, says):
    state, _, _ = pruned(network(0), "patchwork/mb")
    change(state, next(name for name in state if name.endswith("_mask")).removesuffix("_mask"))
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(QurdError, match=says):
        weights.load_into(networks.empty("patchwork/mb", 3), tmp_path / "w.safetensors", "mb")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("resnet19", "Did you mean 'resnet18', 'timm/"),
        ("tim/resnet50", "Did you mean 'resnet50', 'timm/resnet50', 'timm/resnet50t' or 'timm/resnet50s'?"),
        ("vit_tiny_patch16_224", "Did you mean 'timm/vit_tiny_patch16_224', "),
        ("patchwork/vgg16", "'patchwork/vgg'"),
        ("x" * 5000, "Unknown architecture 'xxx"),
        ("", "Unknown architecture ''"),
    ],
)
def test_an_unknown_architecture_is_told_the_nearest_and_the_families(name, meant):
    with pytest.raises(QurdError) as told:
        networks.check(name)
    said = str(told.value)
    assert meant in said
    assert len(said) < 330
    assert all(f"{family}/NAME" in said for family in ("timm", "modelreuse", "patchwork"))
    assert "NAME for torchvision's" in said


def test_half_precision_weights_are_taken_as_floats(tmp_path, made):
    state = load_file(made / "victim.safetensors")
    save_file({n: t.half() if t.is_floating_point() else t for n, t in state.items()}, tmp_path / "w.safetensors")
    loaded = weights.load_into(networks.empty("patchwork/mb", 3), tmp_path / "w.safetensors", "mb")
    assert all(t.dtype == state[n].dtype for n, t in loaded.state_dict().items())


def test_weights_that_change_after_their_digest_was_taken_are_refused(changed):
    folder = changed(lambda manifest: None)
    bench = benchmark(str(folder))
    bench.digest("train(mb,mine)")
    (folder / "victim.safetensors").unlink()
    save_file(network(77), folder / "victim.safetensors")
    with pytest.raises(QurdError, match="changed meanwhile"):
        bench.oracle("train(mb,mine)", Runtime())
    assert benchmark(str(folder)).oracle("train(mb,mine)", Runtime())


def test_bad_pictures_are_one_sentence(tmp_path, monkeypatch):
    whole = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(256, size=(40, 50, 3), dtype=np.uint8)).save(whole)
    assert pictures.decode(whole, 32).shape == (3, 32, 32)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:200])
    text = tmp_path / "text.png"
    text.write_text("no picture")
    for path in (cut, text):
        with pytest.raises(QurdError, match="Cannot read the picture"):
            pictures.decode(path, 32)
    monkeypatch.setattr(pictures, "PIXELS", 1000)
    with pytest.raises(QurdError, match="at most 1,000 pixels"):
        pictures.decode(whole, 32)


def test_a_picture_is_scaled_by_its_shorter_side_and_cut_in_the_middle():
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = 255
    assert (pictures.square(Image.fromarray(wide), 32)[:, 4:-4, 4:-4] == 255).all()
    assert pictures.square(Image.fromarray(wide), 32, scale=40).shape == (3, 32, 32)


@pytest.mark.slow
def test_the_command_line_checks_a_folder(qurd, made, changed):
    assert qurd("check-benchmark", str(made))[0] == 0
    code, out, _ = qurd("check-benchmark", str(changed(edit(classes=1, side="big"))))
    assert code == 2
    assert "Expected 'classes'" in out
    assert "Expected 'side'" in out


def test_a_network_that_cannot_take_the_images_is_told_by_the_check(made, changed, store):
    def change(manifest):
        manifest["models"][1] |= {"side": 4, "architecture": "squeezenet1_1", "weights": "small.safetensors"}

    folder = changed(change)
    empty = networks.empty("squeezenet1_1", len(CLASSES)).state_dict()
    save_file({name: torch.zeros(tensor.shape) for name, tensor in empty.items()}, folder / "small.safetensors")
    (problem,) = check(str(folder), store, Runtime()).problems
    assert "cannot answer images of (3, 32, 32)" in problem
    assert "asking 'train(mb,mine)->finetune'" in problem


@pytest.mark.slow
def test_the_documented_manifest_is_one(tmp_path, store):
    """With networks of its architectures, random weights and a few pictures."""
    page = (ROOT / "assets/docs/model-folder.md").read_text("utf-8")
    text, entry, keys = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    otherwise = yaml.safe_load(dedent(keys))
    assert {*otherwise} == {*variants.KEYS}
    assert list(variants.variant_faults({"architecture": "timm/vit_tiny_patch16_224"} | otherwise, "it")) == []
    (whole,) = yaml.safe_load(entry)  # a model of another kind, which test_writing asks
    assert {"model", "role", "source", "file", "input", "output"} == {*whole}
    (tmp_path / "manifest.yaml").write_text(text)
    manifest, rng = yaml.safe_load(text), np.random.default_rng(0)
    for entry in manifest["models"]:
        empty = networks.empty(entry["architecture"], len(manifest["classes"])).state_dict()
        state = {name: torch.zeros(tensor.shape, dtype=tensor.dtype) for name, tensor in empty.items()}
        save_file(state, tmp_path / entry["weights"])
    for folder in manifest["images"].values():
        for name in manifest["classes"]:
            (tmp_path / folder / name).mkdir(parents=True)
            picture = Image.fromarray(rng.integers(256, size=(40, 50, 3), dtype=np.uint8))
            picture.save(tmp_path / folder / name / "a.jpg")
    report = check(str(tmp_path), store, Runtime())
    assert report.problems == []
    assert report.facts["models"] == 3


def paint(path, value):
    """Another picture at the place of one, of the same time."""
    was = path.stat()
    Image.new("RGB", (48, 36), value).save(path)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.mark.slow
def test_an_overwritten_picture_gives_the_new_numbers(changed, tmp_path, store):
    """In the same process, at the same time of the file, in the layout of the documentation."""
    folder = changed(lambda manifest: manifest["images"].update(test="pictures/test"))
    (folder / "pictures").mkdir()
    (folder / "test").rename(folder / "pictures" / "test")
    before, old = pair_table(str(folder), store, Runtime()), benchmark(str(folder))
    assert benchmark(str(folder)) is old
    for path in (folder / "pictures" / "test").glob("*/*.png"):
        paint(path, (200, 30, 30))
    after = pair_table(str(folder), store, Runtime())
    fresh = pair_table(str(folder), Store(tmp_path / "fresh"), Runtime())
    pd.testing.assert_frame_equal(after, fresh)
    assert not before.equals(after)
    assert benchmark(str(folder)).images_digest("test") != old.images_digest("test")
    assert benchmark(str(folder)).images_digest("train") == old.images_digest("train")


@pytest.mark.slow
def test_added_pictures_are_seen_by_the_check_and_the_run_alike(changed, store):
    folder = changed(lambda manifest: None)
    evaluate(str(folder), ["Random"], budgets=[10], seeds=1, store=store)
    for n in range(20):
        for name in CLASSES:
            shutil.copy(folder / "test" / name / f"{n}.png", folder / "test" / name / f"new{n}.png")
    assert f"{3 * (PICTURES + 20)} test" in check(str(folder)).facts["items"]
    with pytest.warns(UserWarning, match=f"seeds for {3 * (PICTURES + 20)} queries only"):
        evaluate(str(folder), ["Random"], budgets=[10, 900], seeds=1, store=store)


@pytest.mark.slow
def test_rewritten_weights_of_equal_size_and_time_are_another_model(changed, tmp_path, store):
    folder = changed(lambda manifest: None)
    before, path = pair_table(str(folder), store, Runtime()), folder / "0.safetensors"
    was = path.stat()
    path.unlink()
    save_file(network(77, "res"), path)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert path.stat().st_size == was.st_size
    after = pair_table(str(folder), store, Runtime())
    assert not before.equals(after)
    pd.testing.assert_frame_equal(after, pair_table(str(folder), Store(tmp_path / "fresh"), Runtime()))


def test_a_saved_bench_sees_that_its_benchmark_has_changed(made, changed, tmp_path):
    folder = changed(lambda manifest: None)
    pairs = frozenset((pair.victim, pair.suspect) for pair in benchmark(str(folder)).pairs)
    BenchFile(str(folder), pairs).write(tmp_path / "part.json")
    before = benchmark(str(tmp_path / "part.json"))
    assert benchmark(str(tmp_path / "part.json")) is before
    paint(folder / "test" / "cat" / "0.png", (1, 2, 3))
    assert benchmark(str(tmp_path / "part.json")).images_digest("test") != before.images_digest("test")


def test_what_nobody_reads_changes_no_benchmark(changed):
    folder = changed(lambda manifest: None)
    before = benchmark(str(folder))
    (folder / "notes.txt").write_text("anything")
    (folder / "store").mkdir()
    assert benchmark(str(folder)) is before


def test_pictures_that_change_after_their_digest_was_taken_are_refused(changed):
    folder = changed(lambda manifest: None)
    bench = benchmark(str(folder))
    paint(folder / "test" / "cat" / "0.png", (1, 2, 3))
    with pytest.raises(QurdError, match="changed meanwhile"):
        bench.images("test")
    assert len(benchmark(str(folder)).images("test")) == 3 * PICTURES


def written(path, picture, **options):
    picture.save(path, **options)
    return path


def test_sixteen_bits_of_grey_keep_their_upper_eight(tmp_path):
    values = np.array([[0, 256, 32_768, 65_535]], np.uint16).repeat(4, 0)
    found = pictures.decode(written(tmp_path / "a.png", Image.fromarray(values)), 4)
    assert found.shape == (3, 4, 4)
    assert (found == np.array([0, 1, 128, 255])).all()


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    upright = Image.new("RGB", (8, 16), (0, 0, 0))
    upright.paste((255, 255, 255), (0, 0, 8, 4))  # above
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: turn it by 90 degrees clockwise
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    for name, options in (("a.png", {}), ("a.webp", {"lossless": True}), ("a.jpg", {"quality": 100, "subsampling": 0})):
        path = written(tmp_path / name, lying, exif=exif, **options)
        wanted = pictures.square(upright, 8)
        assert np.abs(pictures.decode(path, 8).astype(int) - wanted).max() < 40, name


@pytest.mark.parametrize(("mode", "name"), [("RGBA", "a.png"), ("RGBA", "a.webp"), ("LA", "b.png")])
def test_transparent_pixels_are_refused_and_opaque_ones_are_not(tmp_path, mode, name):
    options = {"lossless": True} if name.endswith("webp") else {}
    colour = (10, 200, 30)[: len(mode) - 1]
    picture = Image.new(mode, (4, 4), (*colour, 255))
    assert (pictures.decode(written(tmp_path / name, picture, **options), 4)[0] == 10).all()
    picture.putpixel((1, 1), (*colour, 100))
    with pytest.raises(QurdError, match="has some, whose colour nobody knows: lay it on a background"):
        pictures.decode(written(tmp_path / name, picture, **options), 4)


def test_a_palette_gives_its_colours_unless_one_is_transparent(tmp_path):
    palette = Image.new("P", (4, 4), 3)
    palette.putpalette([*[0] * 9, 10, 200, 30])
    assert pictures.decode(written(tmp_path / "p.png", palette), 4)[:, 0, 0].tolist() == [10, 200, 30]
    with pytest.raises(QurdError, match="without transparent pixels"):
        pictures.decode(written(tmp_path / "p.png", palette, transparency=3), 4)


def test_black_and_white_grey_and_cmyk_are_what_they_look_like(tmp_path):
    for picture, name, wanted in (
        (Image.new("1", (4, 4), 1), "a.png", (255, 255, 255)),
        (Image.new("L", (4, 4), 77), "b.png", (77, 77, 77)),
        (Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "c.jpg", (0, 255, 255)),
    ):
        found = pictures.decode(written(tmp_path / name, picture), 4)[:, 1, 1]
        assert np.abs(found.astype(int) - wanted).max() < 3, name


def test_damaged_exif_is_one_sentence_or_none(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "words"
    whole = written(tmp_path / "a.jpg", Image.new("RGB", (16, 8), (9, 99, 199)), exif=exif).read_bytes()
    start, rng = whole.index(b"Exif"), np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(whole)
        data[start + int(rng.integers(60))] ^= 1 << int(rng.integers(8))
        (tmp_path / "a.jpg").write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert pictures.decode(tmp_path / "a.jpg", 8).shape == (3, 8, 8)
            except QurdError as error:
                assert "\n" not in str(error)


@pytest.mark.slow
def test_what_is_not_read_of_a_folder_and_what_it_lacks_are_said(changed, store):
    folder = changed(lambda manifest: None)
    assert benchmark(str(folder)).notes == ()
    for name in (".ipynb_checkpoints", "cat/.ipynb_checkpoints", "cat/more"):
        (folder / "test" / name).mkdir()
    shutil.copy(folder / "test" / "cat" / "0.png", folder / "test" / "cat" / ".ipynb_checkpoints" / "0.png")
    (folder / "test" / "cat" / "._0.png").write_text("of another program")
    (folder / "test" / "cat" / "a.gif").write_bytes(b"GIF89a")
    (folder / "test" / "list.txt").write_text("a")
    for path in (folder / "test" / "owl").iterdir():
        path.unlink()
    bench = benchmark(str(folder))
    assert len(bench.images("test")) == 2 * PICTURES
    (strange, empty) = bench.notes
    assert "3 file(s) or folder(s)" in strange
    assert "such as" in strange
    assert "no picture of 1 of 3 classes" in empty
    assert empty.endswith("owl.")
    assert {*bench.notes} <= {*check(str(folder)).notes}
    with pytest.warns(UserWarning) as told:
        evaluate(str(folder), ["Random"], budgets=[10], seeds=1, store=store)
    assert {*bench.notes} <= {str(one.message) for one in told}


def tensors_of(made, changed, change, size=32, **tensors):
    """A folder whose test images are tensors."""

    def to(manifest):
        manifest["images"] = {"test": "test.safetensors"}
        change(manifest)

    folder = changed(to)
    pixels = torch.randint(256, (9, 3, size, size), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    save_file({"pixels": pixels, "truth": torch.arange(9) % 3} | tensors, folder / "test.safetensors")
    return str(folder)


def test_pixels_of_another_side_are_refused_with_both(made, changed):
    folder = tensors_of(made, changed, lambda manifest: None, size=24)
    with pytest.raises(QurdError, match=r"'pixels' of 32 x 32 in .*test.safetensors.* Got 24 x 24: scale them, or change"):
        benchmark(folder).images("test")
    assert any("Got 24 x 24" in problem for problem in check(folder).problems)


def test_seed_sets_of_two_sizes_are_refused(made, changed):
    def change(manifest):
        del manifest["side"]
        manifest["images"] = {"train": "train.safetensors", "test": "test.safetensors"}

    folder = tensors_of(made, changed, change, size=24)
    pixels = torch.full((3, 3, 32, 32), 7, dtype=torch.uint8)
    save_file({"pixels": pixels, "truth": torch.arange(3)}, Path(folder) / "train.safetensors")
    assert any("Expected 'pixels' of 32 x 32" in problem for problem in check(folder).problems)


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"pixels": torch.rand(9, 3, 32, 32)}, "as uint8 from 0 to 255 in .* Got torch.float32 from"),
        ({"pixels": torch.ones(9, 3, 32, 32, dtype=torch.uint8)}, "Got torch.uint8 from 1 to 1"),
        ({"truth": torch.arange(9) / 3}, "whole numbers from 0 to 2 in .* Got torch.float32 from 0.0 to 2.6"),
        ({"truth": torch.arange(9)}, "Got torch.int64 from 0 to 8"),
        ({"truth": torch.arange(9) - 1}, "Got torch.int64 from -1 to 7"),
        ({"pixels": torch.zeros(9, 32, 32, 3, dtype=torch.uint8)}, r"Expected 'pixels' \(n,3,H,W\).* Got \(9, 32, 32, 3\)"),
        ({"labels": torch.arange(9), "truth": torch.arange(4)}, r"Got \(9, 3, 32, 32\) and \(4,\)"),
    ],
)
@pytest.mark.slow
def test_tensors_that_are_no_seed_set_are_named_with_what_they_are(made, changed, tensors, says):
    folder = tensors_of(made, changed, lambda manifest: None, **tensors)
    with pytest.raises(QurdError, match=says):
        benchmark(folder).images("test")
    assert any(re.search(says, problem) for problem in check(folder).problems)
