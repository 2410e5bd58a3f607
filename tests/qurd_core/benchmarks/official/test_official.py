"""The official benchmarks: lists, pairs and counts of the papers; loading from a hub folder with random weights."""

import hashlib
import http.server
import json
import sys
import threading
from collections import Counter

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn.utils import prune
from torchvision import datasets as vision
from torchvision import models

from qurd_core import cli
from qurd_core.benchmarks import base
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.official import data_sets, hub
from qurd_core.benchmarks.official.data_sets import CIFAR10, FLOWER102, MINI_IMAGENET, SDOG120, fetch_images
from qurd_core.benchmarks.official.hub import HubModel, fetch_model
from qurd_core.benchmarks.own import networks
from qurd_core.errors import QurdError
from qurd_core.evaluation.pipeline import evaluate
from qurd_core.runtime import Runtime, silent
from qurd_core.store import Store

REUSE = ("modelreuse-flower102", "modelreuse-sdog120")
TIMM = ("test_resnet.r160_in1k", "test_vit.r160_in1k", "test_efficientnet.r160_in1k")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty hub folder."""
    monkeypatch.setenv("QURD_HUB", str(tmp_path / "hub"))
    base._made.cache_clear()
    yield tmp_path / "hub"
    base._made.cache_clear()


@pytest.fixture
def closed(monkeypatch):
    """A hub that nobody answers at."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def counts(bench):
    """Task to positives, and task to the distinct numbers of negatives of a victim that has the task."""
    stolen, unrelated = Counter(), {}
    for victim in bench.victims:
        pairs = bench.pairs_of(victim)
        mine = Counter(task for pair in pairs if pair.kind == "positive" for task in pair.tasks)
        stolen += mine
        for task in mine:
            unrelated.setdefault(task, Counter())[sum(p.kind == "negative" and task in p.tasks for p in pairs)] += 1
    return dict(stolen), {task: dict(found) for task, found in unrelated.items()}


@pytest.mark.parametrize("name", REUSE)
def test_modelreuse_has_the_models_and_pairs_of_the_paper(name):
    bench = benchmark(name)
    assert len(bench.models) == len(set(bench.models)) == 68
    assert len(bench.victims) == 8
    assert bench.tasks == ("same", "prune", "quantize", "label_extraction", "probit_extraction")
    stolen, unrelated = counts(bench)
    assert stolen == {"same": 8, "prune": 24, "quantize": 12, "label_extraction": 16, "probit_extraction": 8}
    both = {41: 6, 61: 2}
    assert unrelated == dict.fromkeys(bench.tasks, both) | {"quantize": {41: 6}}
    kinds = Counter(pair.kind for pair in bench.pairs)
    assert kinds == {"positive": 68, "negative": 368}
    same_pretrained = 68 * 8 - len(bench.pairs)
    assert same_pretrained == 108


def test_modelreuse_leaves_out_what_shares_the_pretrained_network():
    bench = benchmark("modelreuse-flower102")
    victim = "pretrain(mbnetv2,imagenet-1k)->transfer(Flower102,0.5)"
    suspects = {pair.suspect: pair for pair in bench.pairs_of(victim)}
    assert f"{victim}->steal(resnet18)" in suspects
    assert not [name for name in suspects if name.startswith("pretrain(mbnetv2") and not name.startswith(victim)]
    assert "train(mbnetv2,Flower102)->distill" in suspects
    assert bench.root(victim) == "pretrain(mbnetv2,imagenet-1k)"


@pytest.mark.parametrize(
    ("name", "models", "transferred"), [("sacbench-cifar10", 121, 10), ("sacbench-cifar10(listing=head)", 131, 20)]
)
def test_sacbench_has_the_models_and_pairs_of_the_paper(name, models, transferred):
    bench = benchmark(name)
    assert bench.name == name
    assert len(bench.models) == len(set(bench.models)) == models
    assert bench.victims == ("train(vgg_model,CIFAR10,base)",)
    stolen, unrelated = counts(bench)
    twenty = dict.fromkeys(("label_extraction", "adv_label_extraction", "probit_extraction"), 20)
    assert stolen == {"same": 1, "finetune": 10, "transfer": transferred, "prune": 10} | twenty
    assert unrelated == {task: {20: 1} for task in bench.tasks} | {"transfer": {10: 1}}
    assert Counter(pair.kind for pair in bench.pairs) == {"positive": models - 30, "negative": 30}


def test_models_are_where_the_authors_code_puts_them():
    source = benchmark("modelreuse-flower102").source
    victim = "pretrain(mbnetv2,imagenet-1k)->transfer(Flower102,0.1)"
    assert source.models[victim].repository == "maurice-fp/ModelReuse-pretrain.mbnetv2.imagenet-1k-transfer.Flower102.0_1"
    distilled, quantised = source.models[f"{victim}->distill"], source.models[f"{victim}->quantize(qint8)"]
    assert distilled.repository.endswith("Flower102.0_1-distill")
    assert (quantised.repository, quantised.quantised) == (source.models[victim].repository, "qint8")
    assert source.models[f"{victim}->steal(resnet18)"].architecture == "modelreuse/resnet18"
    sac = benchmark("sacbench-cifar10").source
    assert sac.models["train(vgg_model,CIFAR10,base)"].architecture == "vgg16_bn"
    thief = sac.models["train(vgg_model,CIFAR10,base)->label_extraction(vgg13,3)"]
    assert thief.repository == "maurice-fp/SACBenchmark-train.vgg_model.CIFAR10.base-label_extraction.vgg13.3"
    assert (thief.architecture, thief.mean[0]) == ("vgg13", 0.4914)
    assert sac.models["train(vgg_model,CIFAR10,base)->transfer(CIFAR10C,0)"].mean[0] == 0.4646


def random_state(architecture, classes, seed):
    """Weights of the real shapes that give answers of a sensible size."""
    rng, state = torch.Generator().manual_seed(seed), {}
    for name, tensor in networks.empty(architecture, classes).state_dict().items():
        if tensor.ndim > 1:
            fan = tensor[0].numel()
            state[name] = torch.randn(tensor.shape, generator=rng) * (2 / fan) ** 0.5
        elif name.endswith(("running_var", "weight")):
            state[name] = torch.ones(tensor.shape)
        else:
            state[name] = torch.zeros(tensor.shape, dtype=tensor.dtype)
    return state


def put(folder, model, classes, seed, config=None):
    """A repository with random weights, as somebody would put it there by hand."""
    home = folder / "models" / model.repository
    home.mkdir(parents=True)
    architecture = model.architecture or f"timm/{config['architecture']}"
    save_file(random_state(architecture, classes, seed), home / "model.safetensors")
    (home / "config.json").write_text(json.dumps(config or {}))


def put_images(folder, data, n=10):
    rng = np.random.default_rng(0)
    for split in data.splits:
        pixels = torch.from_numpy(rng.integers(256, size=(n, 3, data.side, data.side), dtype=np.uint8))
        path = data.path(folder, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({"pixels": pixels, "truth": torch.from_numpy(rng.integers(data.classes, size=n))}, path)


def scored(name, tmp_path, schemes=("AKH", "uniform(test)->pgd(steps=1) | labels | hamming")):
    return evaluate(name, schemes, budgets=[4], seeds=1, store=Store(tmp_path / "store"), runtime=Runtime(batch_size=8))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), [("modelreuse-flower102", FLOWER102), ("modelreuse-sdog120", SDOG120)])
def test_modelreuse_end_to_end_on_three_models(folder, tmp_path, name, data):
    every = benchmark(name).source.models
    victim, stranger = f"pretrain(mbnetv2,imagenet-1k)->transfer({data.name},0.1)", f"train(resnet18,{data.name})"
    for seed, model in enumerate([victim, f"{victim}->steal(mbnetv2)", stranger]):
        put(folder, every[model], data.classes, seed)
    put_images(folder, data)
    name += "(models=there)"
    bench = benchmark(name)
    assert bench.name == name
    # The quantised ones are made from the victim's weights, so they are there as well.
    assert set(bench.models) == {victim, f"{victim}->steal(mbnetv2)", stranger} | {
        f"{victim}->quantize({dtype})" for dtype in ("float16", "qint8")
    }
    table = scored(name, tmp_path)
    assert table["tpr"].notna().all()
    assert (table["used"] == 4).all()
    assert bench.record(victim)["sha256"]


@pytest.mark.slow
def test_sacbench_end_to_end_on_three_models(folder, tmp_path):
    every = benchmark("sacbench-cifar10").source.models
    victim = "train(vgg_model,CIFAR10,base)"
    for seed, model in enumerate([victim, f"{victim}->label_extraction(mobilenet_v2,15)", "train(resnet18,CIFAR10,5)"]):
        put(folder, every[model], 10, seed)
    put_images(folder, CIFAR10)
    table = scored("sacbench-cifar10(models=there)", tmp_path)
    assert table["tpr"].notna().all()


@pytest.mark.slow
def test_the_official_fine_pruned_models_are_loaded_with_their_masks(folder, tmp_path):
    """As `torch.nn.utils.prune` leaves them in a state dict: `weight_orig` and `weight_mask` in place of `weight`."""
    victim = "train(vgg_model,CIFAR10,base)"
    model = benchmark("sacbench-cifar10").source.models[f"{victim}->fineprune(3)"]
    network = networks.empty(model.architecture, 10)
    network.load_state_dict(random_state(model.architecture, 10, 0), assign=True)
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            prune.l1_unstructured(layer, "weight", amount=0.5)
    model.home(folder).mkdir(parents=True)
    save_file({name: t.contiguous() for name, t in network.state_dict().items()}, model.home(folder) / "model.safetensors")
    loaded = model.module(folder, 10).network.eval()
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded(x), network.eval()(x))


def test_timm_end_to_end_on_three_models(folder, tmp_path):
    names = [f"timm/{name}" for name in TIMM]
    with pytest.raises(QurdError, match="fetch --benchmark"):
        benchmark("timm")
    path = hub.collection_path("timm/timm-tiny-test-models-66f18bd70518277591a86cef", folder)
    hub.publish_json(path, {"models": names})
    for seed, name in enumerate(names):
        architecture = name.partition("/")[2].partition(".")[0]
        about = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "input_size": [3, 160, 160]}
        put(folder, HubModel(name), 1000, seed, {"architecture": architecture, "num_classes": 1000, "pretrained_cfg": about})
    put_images(folder, MINI_IMAGENET, n=12)
    bench = benchmark("timm")
    assert bench.victims == tuple(names)
    assert Counter(pair.kind for pair in bench.pairs) == {"positive": 3, "negative": 6}
    module = bench.source.models[names[0]].module(folder, 1000)
    assert (module.side, float(module.mean[0])) == (160, 0.5)
    table = scored("timm", tmp_path, ["AKH", "Random"])
    assert table["tpr"].notna().all()
    assert len({bench.digest(name) for name in names}) == 3


def test_files_that_change_after_their_digest_was_taken_are_refused(folder):
    source = benchmark("modelreuse-flower102").source
    name = "train(resnet18,Flower102)"
    put(folder, source.models[name], 102, 0)
    put_images(folder, FLOWER102)
    source.digest(name), source.images_digest("test")
    path = source.models[name].home(folder) / "model.safetensors"
    path.unlink()
    save_file(random_state("modelreuse/resnet18", 102, 7), path)
    put_images(folder, FLOWER102, n=9)
    with pytest.raises(QurdError, match=r"Expected the files of .* They changed meanwhile: start it again"):
        source.oracle(name, Runtime())
    with pytest.raises(QurdError, match=r"Expected the test pictures of Flower102 .* They changed meanwhile"):
        source.images("test")


def test_the_dropout_variants_take_the_published_names():
    """Published: torchvision's names for the ResNet, five stages for the MobileNet (as ModelDiff's code has them)."""
    assert set(networks.empty("modelreuse/resnet18", 102).state_dict()) == set(models.resnet18(num_classes=102).state_dict())
    state = networks.empty("modelreuse/mbnetv2", 102).state_dict()
    assert state["classifier.1.weight"].shape == (102, 1280)
    assert {name.split(".")[0] for name in state} == {*(f"layer{n}" for n in range(1, 6)), "classifier"}
    blocks = [len({name.split(".")[1] for name in state if name.startswith(f"layer{n}.")}) for n in range(1, 6)]
    assert blocks == [4, 3, 4, 6, 2]
    assert "layer1.1.conv.0.0.weight" in state
    plain = models.mobilenet_v2(num_classes=5).eval()
    x = torch.rand(2, 3, 64, 64)
    wanted = plain(x)
    assert torch.equal(networks.StagedMobileNet(plain).eval()(x), wanted)


def test_only_linear_layers_are_quantised():
    network = models.resnet18(num_classes=3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    half = hub.quantise(models.resnet18(num_classes=3), "float16")
    assert torch.equal(half.fc.weight, half.fc.weight.half().float())
    after = hub.quantise(network, "qint8").state_dict()
    assert [name for name in after if not torch.equal(after[name], before[name])] == ["fc.weight"]
    assert after["fc.weight"].unique().numel() <= 256


@pytest.mark.parametrize("name", [*REUSE, "sacbench-cifar10", "timm"])
def test_without_a_network_a_fetch_is_one_sentence(folder, closed, monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", ["qurd_core", "fetch", "-b", name])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    said = " ".join(told.err.split())
    assert ended.value.code == 2
    assert "It needs a network once" in said
    assert "Without a network, " in said
    assert "Traceback" not in said


def test_what_was_not_fetched_is_named_with_the_command_that_fetches_it(folder, tmp_path):
    for name in ("modelreuse-sdog120", "sacbench-cifar10"):
        with pytest.raises(QurdError, match="python -m qurd_core fetch"):
            scored(name, tmp_path)
    with pytest.raises(QurdError, match="There is none: fetch them first"):
        benchmark("sacbench-cifar10(models=there)")
    with pytest.raises(QurdError, match="Expected a collection as namespace/name"):
        benchmark('timm(collection="../../etc")')


def test_what_is_here_needs_no_fetch(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["qurd_core", "fetch", "-b", "patchwork-sac"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "is here already" in " ".join(capsys.readouterr().err.split())


class Hub(http.server.BaseHTTPRequestHandler):
    """The part of a model hub that a fetch talks to: the commit of a repository, and files at a commit."""

    def do_HEAD(self):
        self.answer(head=True)

    def do_GET(self):
        self.answer(head=False)

    def answer(self, head):
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if self.path.startswith("/api/models/"):
            self.send(json.dumps({"id": "some/model", "sha": self.server.commit, "siblings": []}).encode(), head)
            return
        repository, _, rest = self.path[1:].partition("/resolve/")
        commit, _, name = rest.partition("/")
        data = self.server.files.get((repository, commit, name))
        if data is None:
            self.send_error(404)
            return
        extra = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        self.send(data, head, extra)

    def send(self, data, head, extra=None):
        self.send_response(200)
        for name, value in {"Content-Length": str(len(data)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if not head:
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def served(monkeypatch, tmp_path):
    """A hub on this machine with one model at commit aaaa..., and its list of requests."""
    save_file(random_state("squeezenet1_1", 10, 0), tmp_path / "w.safetensors")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked, server.commit = [], "a" * 40
    server.files = {
        ("some/model", commit, name): data
        for commit in ("a" * 40, "b" * 40)
        for name, data in {
            "model.safetensors": (tmp_path / "w.safetensors").read_bytes(),
            "config.json": json.dumps({"commit": commit}).encode(),
            "pytorch_model.bin": b"not this one",
        }.items()
    }
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield server
    server.shutdown()


MODEL = HubModel("some/model", "squeezenet1_1")


def test_a_fetch_brings_two_files_pins_the_commit_and_sends_no_token(folder, served, monkeypatch):
    fetch_model(MODEL, folder)
    assert MODEL.noted(folder)["commit"] == "a" * 40
    assert {path.name for path in MODEL.home(folder).iterdir() if path.is_file()} == {
        "model.safetensors",
        "config.json",
        "fetched.json",
    }
    assert not [asked for asked in served.asked if asked[2]]
    assert MODEL.module(folder, 10)(torch.rand(1, 3, 64, 64)).shape == (1, 10)
    asked = len(served.asked)
    fetch_model(MODEL, folder)
    assert len(served.asked) == asked  # what is there is not asked for again
    served.commit = "b" * 40  # the branch moves
    (MODEL.home(folder) / "model.safetensors").unlink()
    fetch_model(MODEL, folder)
    assert json.loads((MODEL.home(folder) / "config.json").read_text()) == {"commit": "a" * 40}


def test_a_killed_fetch_is_continued(folder, served):
    key = ("some/model", "a" * 40, "model.safetensors")
    data = served.files.pop(key)
    with pytest.raises(QurdError, match="run it again to continue"):
        fetch_model(MODEL, folder)
    assert not MODEL.is_there(folder)
    served.files[key] = data
    fetch_model(MODEL, folder)
    assert MODEL.sha256(folder) == hashlib.sha256(data).hexdigest()


def test_a_commit_that_gives_other_weights_than_before_is_refused(folder, served):
    fetch_model(MODEL, folder)
    (MODEL.home(folder) / "model.safetensors").unlink()
    key = ("some/model", "a" * 40, "model.safetensors")
    served.files[key] = served.files[key][:-4] + bytes(4)
    with pytest.raises(QurdError, match="The hub gave other ones"):
        fetch_model(MODEL, folder)
    assert MODEL.noted(folder)["sha256"]


def test_what_somebody_put_there_is_left_alone(folder, closed):
    put(folder, MODEL, 10, 0)
    fetch_model(MODEL, folder)
    assert MODEL.module(folder, 10)


def test_a_file_that_changed_after_it_was_fetched_is_refused_and_fetched_again(folder, served):
    fetch_model(MODEL, folder)
    path = MODEL.home(folder) / "model.safetensors"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:-4] + b"\x00\x00\x00\x01")
    with pytest.raises(QurdError, match="changed since"):
        MODEL.module(folder, 10)
    fetch_model(MODEL, folder)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"auto_map": {"AutoModel": "x.py"}}, "names code of its own"),
        ([], "Expected names with values"),
        ({"architecture": "hf-hub:x"}, "Unknown architecture 'timm/hf-hub:x'"),
        ({"architecture": "test_resnet", "model_args": {"x": 1}}, "wants arguments of its own"),
    ],
)
def test_a_strange_config_is_refused(folder, config, says):
    model = HubModel("some/model")
    put(folder, HubModel("some/model", "squeezenet1_1"), 10, 0)
    (model.home(folder) / "config.json").write_text(json.dumps(config))
    with pytest.raises(QurdError, match=says):
        model.module(folder, 10)


def test_an_unencrypted_hub_is_refused(folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://example.org")
    with pytest.raises(QurdError, match="begin with https"):
        fetch_model(MODEL, folder)


@pytest.mark.parametrize("name", ["a", "a/b/c", "../b", "a/..", "a/b\\c", "a/", "", None, "a/" + "b" * 300])
def test_a_repository_cannot_climb_out_of_the_folder(name):
    assert not hub.is_repository(name)
    assert hub.is_repository("timm/test_vit.r160_in1k")


def picture(rng, width=300, height=280):
    return Image.fromarray(rng.integers(256, size=(height, width, 3), dtype=np.uint8))


def test_flowers_are_read_by_torchvision_and_cut_like_the_authors_do(folder, monkeypatch):
    """A folder of torchvision's layout: two pictures for train, two for val, two for test."""
    from scipy.io import savemat

    home = folder / "raw" / "Flower102" / "flowers-102"
    (home / "jpg").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for n in range(1, 7):
        picture(rng).save(home / "jpg" / f"image_{n:05d}.jpg")
    savemat(home / "imagelabels.mat", {"labels": np.array([[1, 2, 3, 4, 102, 6]])})
    savemat(home / "setid.mat", {"trnid": [[1, 2]], "valid": [[3, 4]], "tstid": [[5, 6]]})
    monkeypatch.setattr(vision.Flowers102, "_check_integrity", lambda self: True)
    monkeypatch.setitem(FLOWER102.sizes, "train", 4)
    monkeypatch.setitem(FLOWER102.sizes, "test", 2)
    fetch_images(FLOWER102, folder, FLOWER102.splits, silent)
    train, test = (FLOWER102.images(folder, split) for split in ("train", "test"))
    assert train.truth.tolist() == [0, 1, 2, 3]
    assert test.truth.tolist() == [101, 5]
    assert test.pixels.shape == (2, 3, 224, 224)
    from torchvision.transforms import CenterCrop, Compose, PILToTensor, Resize

    usual = Compose([Resize(256), CenterCrop(224), PILToTensor()])
    with Image.open(home / "jpg" / "image_00005.jpg") as first:
        assert torch.equal(test.pixels[0], usual(first))


@pytest.mark.parametrize(
    ("data", "repository", "names"),
    [
        (SDOG120, "maurice-fp--stanford-dogs", [f"n{n}" for n in range(120)]),
        (CIFAR10, "uoft-cs--cifar10", [f"c{n}" for n in range(10)]),
        (MINI_IMAGENET, "timm--mini-imagenet", ["n01532829", "n01558993"]),
    ],
)
def test_data_sets_of_the_hub_are_read_by_datasets(folder, monkeypatch, data, repository, names):
    """A folder of the hub's layout: Parquet with a column of pictures and one of classes."""
    rng, home = np.random.default_rng(0), folder / "raw" / data.name / repository / "data"
    home.mkdir(parents=True)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
    for split in data.splits:
        rows = {"image": [picture(rng, 48, 40) for _ in range(3)], "label": [0, 1, 1]}
        stored = "validation" if data is MINI_IMAGENET else split
        datasets.Dataset.from_dict(rows, features=features).to_parquet(home / f"{stored}-00000-of-00001.parquet")
        monkeypatch.setitem(data.sizes, split, 3)
    fetch_images(data, folder, data.splits, silent)
    found = data.images(folder, "test")
    assert found.pixels.shape == (3, 3, data.side, data.side)
    # In ImageNet the house finch is class 12 and the robin class 15.
    assert found.truth.tolist() == ([12, 15, 15] if data is MINI_IMAGENET else [0, 1, 1])
    before = data.path(folder, "test").stat().st_mtime_ns
    fetch_images(data, folder, data.splits, silent)
    assert data.path(folder, "test").stat().st_mtime_ns == before


def test_a_data_set_of_another_size_is_refused(folder):
    short = data_sets.DataSet("short", 2, 8, 8, lambda *_: [(None, 0)], {"test": 5}, "nowhere")
    with pytest.raises(QurdError, match="Expected 5 test pictures of short"):
        fetch_images(short, folder, ["test"], silent)
    assert not short.path(folder, "test").exists()
