"""Networks that are not quite what their constructor makes: another head, stem or names in their file, and arguments."""

import json

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.own import networks
from qurd_core.benchmarks.own.variants import Variant, variant, variant_faults
from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime
from tests.qurd_core.suspects.test_folder import CLASSES

X = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def saved(network, path, rename=lambda name: name):
    """A file of a network with weights of its own."""
    torch.nn.init.normal_(next(p for p in network.parameters() if p.ndim == 4), generator=torch.Generator().manual_seed(1))
    save_file({rename(name): tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
    return network.eval()


def same(path, network, architecture, **said):
    made = networks.loaded(architecture, len(CLASSES), path, variant(said)).eval()
    with torch.no_grad():
        return torch.allclose(made(X), network(X), atol=1e-6)


def test_a_head_of_layers_replaces_the_last_linear_one(tmp_path):
    network = models.resnet18(num_classes=3)
    network.fc = nn.Sequential(nn.Dropout(), nn.Linear(512, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 3))
    path = tmp_path / "w.safetensors"
    saved(network, path)
    head = ["dropout", "linear(64)", "relu", "batchnorm", "linear"]
    assert same(path, network, "resnet18", head=head)
    with pytest.raises(QurdError, match=r"'fc\.weight' is missing; there is 'fc\."):
        same(path, network, "resnet18")
    mobile = models.mobilenet_v3_small(num_classes=3)
    mobile.classifier[3] = nn.Sequential(nn.Linear(1024, 16), nn.GELU(), nn.Tanh(), nn.Linear(16, 3))
    saved(mobile, path)
    assert same(path, mobile, "mobilenet_v3_small", head=["linear(16)", "gelu", "tanh", "linear"])
    ours = timm.create_model("resnet10t", num_classes=3)
    ours.fc = nn.Sequential(nn.Linear(512, 8), nn.ReLU(), nn.Linear(8, 3))
    saved(ours, path)
    assert same(path, ours, "timm/resnet10t", head=["linear(8)", "relu", "linear"])


def test_a_stem_for_small_images(tmp_path):
    network = models.resnet18(num_classes=3)
    network.conv1, network.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    saved(network, tmp_path / "w.safetensors")
    assert same(tmp_path / "w.safetensors", network, "resnet18", stem="cifar")
    assert network(X).shape == (2, 3)
    with pytest.raises(QurdError, match=r"Expected a ResNet of torchvision where 'stem' is cifar\. Got vgg11"):
        same(tmp_path / "w.safetensors", network, "vgg11", stem="cifar")


def test_names_in_the_file_may_begin_otherwise(tmp_path):
    network, path = models.resnet18(num_classes=3), tmp_path / "w.safetensors"
    saved(network, path, lambda name: f"module.{name.replace('fc.', 'linear.')}")
    assert same(path, network, "resnet18", rename={"module.": "", "linear.": "fc."})
    with pytest.raises(QurdError, match="'rename' makes two of them 'module"):
        same(path, network, "resnet18", rename={"module.layer1.": "module.layer2."})


def test_arguments_of_timm(tmp_path):
    path, arguments = tmp_path / "w.safetensors", {"img_size": 32, "patch_size": 8, "global_pool": "avg", "drop_rate": 0.1}
    network = timm.create_model("vit_tiny_patch16_224", num_classes=3, **arguments)
    saved(network, path)
    assert same(path, network, "timm/vit_tiny_patch16_224", arguments=arguments)
    with pytest.raises(QurdError, match="another network"):
        same(path, network, "timm/vit_tiny_patch16_224", arguments=arguments | {"patch_size": 16})
    with pytest.raises(QurdError, match=r"Cannot build the network: .*Are its 'arguments' right"):
        same(path, network, "timm/resnet10t", arguments={"window_size": 7})


def test_no_memory_is_taken_for_what_the_file_does_not_hold(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(QurdError, match="is missing; there is 'x'"):
        same(tmp_path / "w.safetensors", None, "timm/vit_large_patch14_224", arguments={"img_size": 1024, "patch_size": 1})
    with pytest.raises(QurdError, match="is missing; there is 'x'"):
        same(tmp_path / "w.safetensors", None, "resnet18", head=["linear(16384)"] * 11 + ["linear"])


def test_a_network_without_a_last_linear_layer_takes_no_head():
    with pytest.raises(QurdError, match=r"Expected a last linear layer that 'head' replaces\. squeezenet1_0 has none"):
        networks.blank("squeezenet1_0", 3, Variant(head=("linear",)))


BAD = [
    ({"arguments": {"checkpoint_path": "/etc/x"}}, "Unknown argument 'checkpoint_path'"),
    ({"arguments": {"pretrained": True}}, "Unknown argument 'pretrained'"),
    ({"arguments": {"pretrained_cfg": {"file": "x"}}}, "Unknown argument 'pretrained_cfg'"),
    ({"arguments": {"cache_dir": "x"}}, "Unknown argument 'cache_dir'"),
    ({"arguments": {"features_only": True}}, "Unknown argument 'features_only'"),
    ({"arguments": {"img_size": 10_000}}, "Expected 'img_size' of model 1 from 1 to 1024"),
    ({"arguments": {"img_size": 32.5}}, "Expected 'img_size'"),
    ({"arguments": {"img_size": True}}, "Expected 'img_size'"),
    ({"arguments": {"drop_rate": "a"}}, "Expected 'drop_rate' of model 1 from 0 to 1"),
    ({"arguments": {"global_pool": "os.system"}}, "Expected 'global_pool' of model 1 as one of avg"),
    ({"arguments": {"global_pool": ["avg"]}}, "Expected 'global_pool'"),
    ({"arguments": [1]}, "Expected 'arguments' of model 1 as names with values"),
    ({"arguments": {"img_size": 32}, "architecture": "resnet18"}, "for an architecture of timm"),
    ({"stem": "imagenet"}, "Expected 'stem' of model 1 as cifar"),
    ({"stem": ["cifar"]}, "Expected 'stem' of model 1 as cifar"),
    ({"head": []}, "Expected 'head' of model 1 as 1 to 12 layers"),
    ({"head": ["relu"]}, "the last of them linear"),
    ({"head": ["linear"] * 13}, "1 to 12 layers"),
    ({"head": "linear"}, "1 to 12 layers"),
    ({"head": ["linear(0)", "linear"]}, "Got 'linear(0)'"),
    ({"head": ["linear(99999999999999)", "linear"]}, "Got 'linear(99999999999999)'"),
    ({"head": ["relu(3)", "linear"]}, "Got 'relu(3)'"),
    ({"head": ["__import__", "linear"]}, "Got '__import__'"),
    ({"head": [{"a": 1}, "linear"]}, "Expected a layer out of"),
    ({"rename": {"": "x"}}, "Expected 'rename' of model 1"),
    ({"rename": {"a": 1}}, "Expected 'rename' of model 1"),
    ({"rename": ["a"]}, "Expected 'rename' of model 1"),
]


@pytest.mark.parametrize(("said", "says"), BAD, ids=[f"{n} {says[:24]}" for n, (_, says) in enumerate(BAD)])
def test_what_is_no_such_choice_is_one_sentence(said, says):
    faults = list(variant_faults({"architecture": "timm/resnet18"} | said, "model 1"))
    assert faults
    assert says in faults[0]


def test_a_folder_says_it_in_its_manifest_and_its_digest_holds_it(tmp_path):
    network = models.resnet18(num_classes=3)
    network.conv1, network.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    network.fc = nn.Sequential(nn.Linear(512, 8), nn.Linear(8, 3))
    saved(network, tmp_path / "w.safetensors", lambda name: f"module.{name}")
    pixels = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8)
    save_file({"pixels": pixels, "truth": torch.arange(6) % 3}, tmp_path / "test.safetensors")
    one = {
        "model": "mine",
        "role": "victim",
        "lineage": "train(a,b)",
        "architecture": "resnet18",
        "weights": "w.safetensors",
    }
    one |= {"stem": "cifar", "head": ["linear(8)", "linear"], "rename": {"module.": ""}}
    suspect = one | {"model": "shop", "role": "suspect"}
    del suspect["lineage"]
    manifest = {"classes": CLASSES, "side": 32, "images": {"test": "test.safetensors"}, "models": [one, suspect]}
    manifest["normalisation"] = {"mean": [0.5] * 3, "std": [0.25] * 3}
    (tmp_path / "manifest.yaml").write_text(json.dumps(manifest))
    bench = benchmark(str(tmp_path))
    with torch.no_grad():
        expected = network((X - 0.5) / 0.25)
    assert torch.allclose(bench.oracle("mine", Runtime()).logits(X), expected, atol=1e-5)
    before = bench.digest("mine")
    manifest["models"][0]["head"] = ["linear(8)", "relu", "linear"]
    (tmp_path / "manifest.yaml").write_text(json.dumps(manifest))
    assert benchmark(str(tmp_path)).digest("mine") != before
