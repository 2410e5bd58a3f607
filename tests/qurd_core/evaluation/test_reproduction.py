"""Table 3 measured anew: from a hub on this machine, with networks of the real shapes on pictures of the real size."""

import http.server
import json
import shutil
import threading

import datasets
import numpy as np
import pytest
from safetensors.torch import save_file

from qurd_core.benchmarks import base
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.official import blank, model_reuse, sac_bench
from qurd_core.benchmarks.official.data_sets import CIFAR10, FLOWER102, SDOG120
from qurd_core.errors import QurdError
from qurd_core.evaluation import reproduction
from qurd_core.files import is_sealed
from qurd_core.oracle import Oracle
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from tests.qurd_core.benchmarks.official.test_official import Hub, picture, put_images, random_state

VGG = sac_bench.VICTIM
SHORT = {  # the paper's schemes; those that would take an hour of a processor with fewer steps and masks
    "AKH": "negative(test) | labels | hamming",
    "Random": "uniform(test) | labels | hamming",
    "IPGuard": "uniform(train)->boundary(lr=0.2,steps=8) | labels | hamming",
    "ModelDiff": "uniform(train)->pgd(steps=1) | pairwise(of=logits) | cosine",
    "SAC": "negative(train)->cutmix | listwise(of=logits) | l2",
    "ZestOfLIME": "uniform(train)->superpixels(masks=4,segmentation=quickshift) | lime(of=logits) | l2",
}
BUDGET = 8


def few(data):
    """Three of the 68 models of a data set, and one that is made from the weights of another."""
    victim = f"pretrain(mbnetv2,imagenet-1k)->transfer({data},0.1)"
    return [victim, f"{victim}->quantize(qint8)", f"{victim}->steal(mbnetv2)", f"train(resnet18,{data})"]


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A hub that serves a few models of two of the benchmarks, and whose data sets lie on the disk as downloaded."""
    monkeypatch.setenv("QURD_HUB", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(model_reuse, "names", few)
    monkeypatch.setattr(
        sac_bench, "names", lambda _: [VGG, f"{VGG}->label_extraction(mobilenet_v2,15)", "train(resnet18,CIFAR10,5)"]
    )
    monkeypatch.setattr(reproduction, "SCHEMES", SHORT)
    monkeypatch.setattr(blank, "PICTURES", 4)
    base._made.cache_clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked, server.commit, server.files = [], "a" * 40, {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    for data in (FLOWER102, SDOG120):
        put_images(tmp_path / "hub", data)
    raw(tmp_path / "hub", monkeypatch)
    yield server
    server.shutdown()
    base._made.cache_clear()


def raw(hub, monkeypatch):
    """CIFAR10 in the hub's layout, which `datasets` reads."""
    home = hub / "raw" / "CIFAR10" / "uoft-cs--cifar10" / "data"
    home.mkdir(parents=True)
    rng = np.random.default_rng(0)
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=list("0123456789"))})
    for split in CIFAR10.splits:
        rows = {"img": [picture(rng, 32, 32) for _ in range(12)], "label": [n % 10 for n in range(12)]}
        datasets.Dataset.from_dict(rows, features=features).to_parquet(home / f"{split}-00000-of-00001.parquet")
        monkeypatch.setitem(CIFAR10.sizes, split, 12)


def serve(server, name, tmp_path):
    """Put the models of a benchmark on the hub, with weights of the real shapes."""
    source = benchmark(name).source
    for seed, model in enumerate({model.repository: model for model in source.models.values()}.values()):
        save_file(random_state(model.architecture, source.data.classes, seed), tmp_path / "w.safetensors")
        for file, data in (("model.safetensors", (tmp_path / "w.safetensors").read_bytes()), ("config.json", b"{}")):
            server.files[model.repository, server.commit, file] = data


def reproduce(tmp_path, told):
    out, store, runtime = tmp_path / "table3.json", Store(tmp_path / "store"), Runtime(batch_size=16)
    cells, problems = reproduction.reproduce(store, runtime, out, told.append, budget=BUDGET, seeds=2)
    assert is_sealed(out.read_bytes())
    return cells, problems, json.loads(out.read_text())


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}


@pytest.mark.slow
def test_table_3_from_a_hub_of_this_machine(world, tmp_path, monkeypatch):
    serve(world, "modelreuse-flower102", tmp_path)
    told = []
    cells, problems, report = reproduce(tmp_path, told)
    assert len(cells) == 48
    assert len({(cell["scheme"], cell["task"]) for cell in cells}) == 48
    assert [problem.partition(":")[0] for problem in problems] == ["CIFAR10", "SDog120"]
    assert not any("Traceback" in problem or "\n" in problem for problem in problems)
    assert {name: bool(one["problem"]) for name, one in report["benchmarks"].items()} == {
        "CIFAR10": True,
        "Flower102": False,
        "SDog120": True,
    }
    assert report["cells"] == cells
    # No cell of the paper rests on Flower102 alone, so none is filled by it alone; its rates are in the report.
    assert {cell["measured"] for cell in cells if cell["task"] == "label_extraction"} == {None}
    mine = [row for row in report["by_victim"] if row["task"] == "label_extraction"]
    measured = {*SHORT} - {"IPGuard"}  # whose queries do not reach the boundary of a random network in so few steps
    assert {(row["name"], row["query_seed"]) for row in mine} == {(name, seed) for name in measured for seed in (0, 1)}
    (without,) = report["benchmarks"]["Flower102"]["without"]
    assert without == "IPGuard has no rate on 1 of 1 victims, of which it got fewer queries than the budget."
    assert f"Flower102: {without}" in told
    assert all(0 <= row["tpr"] <= 1 for row in mine)
    models = report["benchmarks"]["Flower102"]["models"]
    assert {one["commit"] for one in models.values()} == {"a" * 40}
    assert all(len(one["sha256"]) == 64 for one in models.values())
    assert told.index(next(line for line in told if "hours with" in line)) < told.index(
        next(x for x in told if "minutes)" in x)
    )

    # The others come later: what is there is neither fetched nor asked again.
    serve(world, "sacbench-cifar10", tmp_path)
    serve(world, "modelreuse-sdog120", tmp_path)
    kept, fetched = files(tmp_path / "store"), len(world.asked)
    cells, problems, report = reproduce(tmp_path, [])
    assert problems == []
    assert {path: when for path, when in files(tmp_path / "store").items() if path in kept} == kept
    assert not [path for _, path, _ in world.asked[fetched:] if "Flower102" in path]
    filled = {cell["task"] for cell in cells if cell["measured"] is not None}
    assert filled == {"same", "quantize", "label_extraction"}, "the tasks of the models that were served"
    assert all(cell["printed"] is not None and cell["published"] is not None for cell in cells)

    # A third call computes nothing: it only reads.
    monkeypatch.setattr(Oracle, "logits", lambda *_: pytest.fail("a model was asked again"))
    monkeypatch.setattr(reproduction, "estimate", lambda *_: "")
    assert reproduce(tmp_path, [])[0] == cells


def test_a_disk_that_is_too_small_is_said_before_anything_is_fetched(world, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 0, 10**9))
    with pytest.raises(QurdError, match=r"GB of free space for models and pictures at .*There are 1: free some"):
        reproduction.reproduce(Store(tmp_path / "store"), Runtime(), tmp_path / "table3.json", lambda _: None)
    assert world.asked == []


@pytest.mark.slow
def test_without_a_network_every_cell_is_empty_and_the_report_says_why(world, tmp_path, monkeypatch, qurd):
    world.shutdown()
    monkeypatch.setattr(reproduction, "estimate", lambda *_: "")
    monkeypatch.chdir(tmp_path)
    code, out, error = qurd("reproduce", "table3", "--official", "--store", str(tmp_path / "store"), "--json")
    assert code == 2
    assert "3 of 3 benchmarks were not measured. CIFAR10: " in error
    assert {cell["measured"] for cell in json.loads(out)} == {None}
    assert all(one["problem"] for one in json.loads((tmp_path / "table3.json").read_text())["benchmarks"].values())


@pytest.mark.parametrize("asked", [["table2", "--official"], ["table3"]])
def test_what_is_not_measured_anew_is_a_sentence(qurd, asked):
    code, _, error = qurd("reproduce", *asked)
    assert code == 2
    assert "Expected `reproduce table3 --official`. Got `reproduce " in " ".join(error.split())
