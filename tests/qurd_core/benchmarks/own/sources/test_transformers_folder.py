"""Image classifiers as transformers saves them, with random weights: the same answers as the library's own, and no more."""

import json
import os
import socket

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from qurd_core.access import Access
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.own.sources import transformers_folder
from qurd_core.benchmarks.own.sources.transformers_folder import TransformersNetwork
from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.checking import check
from tests.qurd_core.suspects.test_folder import CLASSES, folder_of_suspects

os.environ.setdefault("HF_HUB_OFFLINE", "1")
transformers = pytest.importorskip("transformers", reason="The extra transformers is not installed.")

PIXELS = np.random.default_rng(0).integers(256, size=(4, 3, 10, 14), dtype=np.uint8).repeat(4, 2).repeat(4, 3)
VIT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "image_size": 32}
MODELS = {
    "ViT": VIT | {"patch_size": 8},
    "DeiT": VIT | {"patch_size": 8},
    "ResNet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    "ConvNext": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "Swin": {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
}
PREPROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": 32, "width": 32},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.4, 0.5, 0.6],
    "image_std": [0.2, 0.25, 0.3],
}


def saved(folder, kind="ViT", names=CLASSES, shards="5GB"):
    """A folder of a model with random weights; and the model."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        id2label=dict(enumerate(names)), label2id={name: place for place, name in enumerate(names)}, **MODELS[kind]
    )
    network = getattr(transformers, f"{kind}ForImageClassification")(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(4)  # an untrained one answers alike to everything
    network.save_pretrained(folder, max_shard_size=shards)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return network


def logits(network, x):
    with torch.no_grad():
        return network(x)


@pytest.mark.parametrize("kind", MODELS)
def test_a_saved_model_answers_as_the_library_does(tmp_path, kind):
    network = saved(tmp_path, kind)
    made = TransformersNetwork(tmp_path).eval()
    x = torch.rand(3, 3, 32, 32)
    mean, std = (torch.tensor(PREPROCESSOR[name]).view(3, 1, 1) for name in ("image_mean", "image_std"))
    with torch.no_grad():
        theirs = network(pixel_values=(x - mean) / std).logits
    assert torch.allclose(logits(made, x), theirs, atol=1e-5)
    assert made.names == tuple(CLASSES)


PREPARED = {  # what a preprocessor says, and by how many levels of 255 ours may differ from Pillow's
    "bilinear": ({}, 1.01),
    "bicubic": ({"resample": 3}, 3.01),
    "larger": ({"size": {"height": 64, "width": 48}}, 1.01),
    "shortest": (
        {"size": {"shortest_edge": 36}, "do_center_crop": False, "image_processor_type": "CLIPImageProcessor"},
        1.01,
    ),
    **{
        kind: (
            {**dict.fromkeys(PREPROCESSOR), "image_processor_type": f"{kind}ImageProcessor"},
            3.01,
        )  # what is usual for it
        for kind in sorted(transformers_folder.KINDS)
    },
    "an old file": (
        {
            **dict.fromkeys(PREPROCESSOR),
            "size": 30,
            "image_processor_type": None,
            "feature_extractor_type": "ViTFeatureExtractor",
        },
        1.01,
    ),
    "an old shorter side": (
        {**dict.fromkeys(PREPROCESSOR), "size": 30, "image_processor_type": "MobileNetV2FeatureExtractor"},
        1.01,
    ),
    "cropped": (
        {"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}}
        | {"image_processor_type": "CLIPImageProcessor"},
        1.01,
    ),
    "bytes": ({"do_rescale": False}, 1.01),
    "as it is": ({"do_resize": False}, 0.01),
    "plain": ({"do_normalize": False}, 1.01),
    "share": (
        {"size": {"shortest_edge": 32}, "crop_pct": 0.875, "resample": 3, "image_processor_type": "ConvNextImageProcessor"},
        3.01,
    ),
    "square": ({"size": {"shortest_edge": 384}, "image_processor_type": "ConvNextImageProcessor"}, 1.01),
}


@pytest.mark.parametrize("name", PREPARED)
def test_pictures_are_prepared_as_by_the_library_with_pillow(tmp_path, name):
    changes, off = PREPARED[name]
    said = {key: value for key, value in (PREPROCESSOR | changes).items() if value is not None}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said))
    kind = (said.get("image_processor_type") or said["feature_extractor_type"]).replace("FeatureExtractor", "ImageProcessor")
    theirs = getattr(transformers, f"{kind}Pil")(**{key: value for key, value in said.items() if not key.endswith("_type")})
    expected = theirs([picture.transpose(1, 2, 0) for picture in PIXELS], return_tensors="pt")["pixel_values"]
    made = TransformersNetwork.__new__(TransformersNetwork)
    torch.nn.Module.__init__(made)
    made.preparation = transformers_folder.preparation(tmp_path)
    made.mean, made.std = (torch.tensor(made.preparation[part]).view(3, 1, 1) for part in ("mean", "std"))
    got = []
    made.network = lambda pixel_values: got.append(pixel_values) or type("Out", (), {"logits": pixel_values})
    made(torch.from_numpy(PIXELS).float() / 255)
    assert got[0].shape == expected.shape
    levels = (got[0] - expected).abs() * made.std * (255 if said.get("do_rescale", True) else 1)
    assert float(levels.max()) <= off


@pytest.mark.slow
def test_a_folder_of_models_may_hold_one_and_its_classes_are_found_by_name(tmp_path):
    home = folder_of_suspects(tmp_path / "bench", suspects=1)
    network = saved(home / "vit", names=["owl", "cat", "dog"])
    manifest = transformers_folder.json_values(json.dumps(_manifest(home)))
    manifest["models"].append({"model": "shop", "role": "suspect", "source": "transformers", "folder": "vit"})
    (home / "manifest.yaml").write_text(json.dumps(manifest))
    bench = benchmark(str(home))
    assert bench.access is Access.GRADIENTS
    oracle, x = bench.oracle("shop", Runtime()), torch.rand(2, 3, 32, 32)
    mean, std = (torch.tensor(PREPROCESSOR[name]).view(3, 1, 1) for name in ("image_mean", "image_std"))
    with torch.no_grad():
        theirs = network(pixel_values=(x - mean) / std).logits
    assert torch.allclose(oracle.logits(x), theirs[:, [1, 2, 0]], atol=1e-5)
    gradient, _ = oracle.gradient(lambda found: found[:, 0].sum(), x)
    assert float(gradient.abs().max()) > 0
    found = check(str(home), budget=20, fit=10, level=0.2, suspects=["shop"], store=Store(tmp_path / "store"))
    assert found.each[0].asked == 20
    before = bench.digest("shop")
    (home / "vit" / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR | {"resample": 3}))
    assert benchmark(str(home)).digest("shop") != before


def _manifest(home):
    import yaml

    return yaml.safe_load((home / "manifest.yaml").read_text())


def test_weights_in_several_files_are_read_and_stay_in_the_folder(tmp_path):
    network = saved(tmp_path / "a", shards="20KB")
    assert len(list((tmp_path / "a").glob("*.safetensors"))) > 2
    x = torch.rand(1, 3, 32, 32)
    whole = saved(tmp_path / "b")
    assert torch.equal(network.classifier.weight, whole.classifier.weight)
    one, two = (logits(TransformersNetwork(tmp_path / name).eval(), x) for name in "ab")
    assert torch.allclose(one, two, atol=1e-6)
    index = json.loads((tmp_path / "a" / "model.safetensors.index.json").read_text())
    first = next(iter(index["weight_map"]))
    for elsewhere in ("../b/model.safetensors", "/etc/hostname", "x.bin"):
        index["weight_map"][first] = elsewhere
        (tmp_path / "a" / "model.safetensors.index.json").write_text(json.dumps(index))
        with pytest.raises(QurdError, match=r"plain names of \.safetensors files"):
            TransformersNetwork(tmp_path / "a")


def test_nothing_is_fetched(tmp_path, monkeypatch):
    saved(tmp_path)

    def connect(*arguments, **how):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    assert TransformersNetwork(tmp_path).names == tuple(CLASSES)


def says(**changes):
    return "config.json", lambda said: said | changes


def prepares(**changes):
    return "preprocessor_config.json", lambda said: said | changes


BAD = [
    (says(auto_map={"AutoModel": "evil.Model"}), "Expected no 'auto_map'"),
    (says(quantization_config={"bits": 4}), "Expected no 'quantization_config'"),
    (says(backbone="resnet50"), "Expected no 'backbone'"),
    (says(use_timm_backbone=True), "Expected no 'use_timm_backbone'"),
    (says(backbone_config={"model_type": "resnet"}), "Expected no 'backbone_config'"),
    (says(vision_config={"auto_map": {"a": "b"}}), "Expected no 'auto_map'"),
    (says(_attn_implementation="kernels-community/evil"), "Expected no '_attn_implementation'"),
    (says(attn_implementation="evil/repo"), "Expected no 'attn_implementation'"),
    (says(model_type="timm_wrapper"), "Expected architecture: timm/..."),
    (says(model_type="bert", architectures=["BertModel"]), "names 'BertModel' of the kind 'bert'"),
    (says(architectures=["os"]), "names 'os' of the kind 'vit'"),
    (says(architectures=None), "names 'None' of the kind 'vit'"),
    (says(model_type="../x"), "of the kind '../x'"),
    (says(num_hidden_layers=10_000_000), "Expected numbers up to 1,000"),
    (says(hidden_size=10**9), "Expected numbers up to 200,000"),
    (says(hidden_size=64), "numbers in the weights"),
    (says(hidden_size="wide"), "Cannot build the network"),
    (says(hidden_act="os.system"), "Cannot build the network"),
    (says(id2label={"0": "a", "2": "b"}), "Expected 'id2label' in config.json"),
    (prepares(do_flip_channel_order=True), "'do_flip_channel_order' acts"),
    (prepares(do_pad=True), "'do_pad' acts"),
    (prepares(include_top=True), "'include_top' acts"),
    (prepares(resample=0), "its 'resample' is 0, not 2 or 3"),
    (prepares(rescale_factor=1 / 127.5), "'rescale_factor' is"),
    (prepares(size={"longest_edge": 9}), "its 'size' has longest_edge"),
    (prepares(size={"height": 10**6, "width": 1}), "a side has 1000000 pixels"),
    (prepares(size="large"), "Expected sizes, means and deviations"),
    (prepares(crop_pct=0.9), "'crop_pct' means nothing to ViT"),
    (prepares(image_std=[0, 1, 1]), "a deviation above zero"),
    (prepares(image_mean="grey"), "Expected sizes, means and deviations"),
    (prepares(image_processor_type="LevitImageProcessor"), "Got 'LevitImageProcessor', which may do more"),
    (prepares(image_processor_type=["ViT"]), "Expected an image processor of the kind Beit"),
    (prepares(image_processor_type="os"), "Expected an image processor of the kind"),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vit")
    saved(folder)
    return folder


@pytest.mark.parametrize(("what", "why"), BAD, ids=[f"{n} {why[:24]}" for n, (_, why) in enumerate(BAD)])
def test_what_is_no_plain_classifier_of_the_library_is_refused_by_name(good, tmp_path, what, why):
    name, change = what
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_text(json.dumps(change(json.loads((good / name).read_text()))))
    with pytest.raises(QurdError) as told:
        TransformersNetwork(tmp_path)
    assert why in str(told.value)
    assert "\n" not in str(told.value)


def test_files_that_are_missing_strange_or_elsewhere_are_one_sentence(good, tmp_path):
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for name, data in (
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("preprocessor_config.json", b""),
        ("model.safetensors", b"x"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(QurdError):
            TransformersNetwork(tmp_path)
        (tmp_path / name).write_bytes((good / name).read_bytes())
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors").symlink_to(good / "model.safetensors")
    with pytest.raises(QurdError, match=r"model\.safetensors is a link to another place"):
        TransformersNetwork(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(QurdError, match=r"There is nothing"):
        TransformersNetwork(tmp_path)


def test_weights_that_are_others_or_no_numbers_are_named(good, tmp_path):
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    held = load_file(good / "model.safetensors")
    name = "classifier.bias"
    for changed, why in (
        (held | {name: held[name] * torch.nan}, "holds NaN or infinity"),
        ({("other" if key == name else key): value for key, value in held.items()}, "'classifier.bias'"),
        ({key: value for key, value in held.items() if key != name}, "numbers in the weights"),
    ):
        save_file(changed, tmp_path / "model.safetensors")
        with pytest.raises(QurdError) as told:
            TransformersNetwork(tmp_path)
        assert why in str(told.value)


def test_without_the_library_the_sentence_says_how_to_get_it(good, monkeypatch):
    monkeypatch.setattr(transformers_folder, "find_spec", lambda name: None)
    with pytest.raises(QurdError, match=r"pip install 'transformers>=5\.3'"):
        TransformersNetwork(good)
    monkeypatch.undo()
    monkeypatch.setattr(transformers_folder, "version", lambda name: "4.57.1")
    with pytest.raises(QurdError, match=r"Expected transformers from 5\.3 on"):
        TransformersNetwork(good)


def test_classes_of_other_names_are_told_and_nameless_ones_taken_in_order():
    assert transformers_folder.columns(("cat", "dog"), ("cat", "dog"), "x") is None
    assert transformers_folder.columns(("dog", "cat"), ("cat", "dog"), "x") == (1, 0)
    assert transformers_folder.columns(("LABEL_0", "LABEL_1"), ("cat", "dog"), "x") is None
    with pytest.raises(QurdError, match="It has 2, such as 'tabby'"):
        transformers_folder.columns(("tabby", "dog"), ("cat", "dog"), "x")
