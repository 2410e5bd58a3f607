"""A manifest out of the files of a folder: from two files and pictures to a verdict, and what is asked or refused."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image

pytest.importorskip("onnx", reason="onnx is not installed: pip install onnxruntime onnx")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install onnxruntime onnx")

from qurd_core.access import Access
from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.own.writing import Answers, write
from qurd_core.errors import QurdError
from qurd_core.runtime import Runtime
from qurd_core.store import Store
from qurd_core.suspects.checking import check
from tests.qurd_core.benchmarks.own.sources.onnx_files import linear, weights

NAMES = ["cat", "dog", "owl"]
UNRELATED, PER_CLASS = 20, 40


def pictures(home, *, wrong=0.25, seed=7):
    """Pictures of 4 x 4 pixels that the network of seed 0 gets right but for a share of them."""
    rng, held, count = np.random.default_rng(seed), weights(0), dict.fromkeys(NAMES, 0)
    while min(count.values()) < PER_CLASS:
        picture = rng.integers(0, 256, size=(4, 4, 3), dtype=np.uint8)
        label = int((picture.transpose(2, 0, 1).ravel() / 255 @ held).argmax())
        name = NAMES[(label + (rng.random() < wrong)) % 3]
        if count[name] < PER_CLASS:
            (home / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(home / name / f"{count[name]:03}.png")
            count[name] += 1


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    home = tmp_path_factory.mktemp("user")
    pictures(home / "pictures")
    linear(home / "victim.onnx", 0)
    linear(home / "suspect.onnx", 0, softmax=True)
    (home / "unrelated").mkdir()
    for seed in range(1, UNRELATED + 1):
        linear(
            home / "unrelated" / f"u{seed:02}.onnx",
            seed,
            batch=1 if seed == 3 else "n",
            layout="NHWC" if seed == 4 else "NCHW",
        )
    return home


def copied(laid, home):
    home.mkdir()
    for path in laid.rglob("*"):
        there = home / path.relative_to(laid)
        there.mkdir(exist_ok=True) if path.is_dir() else there.hardlink_to(path)
    return home


@pytest.fixture
def folder(laid, tmp_path):
    """The same files, for a test of its own."""
    return copied(laid, tmp_path / "user")


@pytest.fixture(scope="module")
def seen(laid, tmp_path_factory):
    """The manifest of these files, written once."""
    return write(copied(laid, tmp_path_factory.mktemp("seen") / "user"), Answers()).path.read_text()


@pytest.mark.slow
def test_two_commands_lead_from_files_to_a_verdict(folder, qurd):
    code, out, error = qurd("manifest", str(folder))
    assert code == 0, error
    assert out.splitlines()[-1] == f"Next: qurd check {folder}"
    assert "20 unrelated model(s): each counts as a lineage of its own." in error
    code, out, error = qurd("check", str(folder), "--budget", "20", "--fit", "20", "--json")
    assert code == 0, error
    (row,) = json.loads(out)
    assert (row["suspect"], row["verdict"], row["lineages"], row["score"]) == ("suspect", "closer", 20, 0)


@pytest.mark.slow
def test_the_manifest_says_what_was_seen(folder):
    made = write(folder, Answers())
    manifest = yaml.safe_load(made.path.read_text())
    models = {model["model"]: model for model in manifest["models"]}
    assert (manifest["classes"], manifest["side"], manifest["images"]) == (NAMES, 4, {"test": "pictures"})
    assert [models[name]["role"] for name in ("victim", "suspect", "u07")] == ["victim", "suspect", "unrelated"]
    assert "lineage" not in models["suspect"]
    assert models["u07"]["lineage"] == "train(u07)"
    assert models["suspect"]["output"] == {"gives": "probits"}
    assert models["u04"]["input"] == {"layout": "NHWC"}
    rows = {row["model"]: row for row in made.models}
    assert rows["victim"]["right on"] > 0.6 * rows["victim"]["of"]
    bench = benchmark(str(folder))
    assert bench.access is Access.LOGITS
    assert bench.reveals == {"suspect": Access.PROBITS}
    assert bench.suspects == ("suspect",)


@pytest.mark.slow
def test_what_names_do_not_say_is_asked(folder):
    for path in (folder / "unrelated").iterdir():
        path.rename(folder / path.name)
    (folder / "unrelated").rmdir()
    (folder / "victim.onnx").rename(folder / "net.onnx")
    with pytest.raises(QurdError, match=r"Which model is yours.*Say it with --victim NAME"):
        write(folder, Answers())
    with pytest.raises(QurdError, match=r"What are u01, u02, u03 and 17 more.*--rest unrelated or suspect"):
        write(folder, Answers(victim="net"))
    with pytest.raises(QurdError, match=r"Unknown model 'nett'\. Did you mean 'net'"):
        write(folder, Answers(victim="nett"))
    heard = []

    def ask(question, choices):
        heard.append(question)
        return "net" if "net" in choices else "unrelated"

    made = write(folder, Answers(ask=ask))
    assert len(heard) == 2
    assert {row["role"] for row in made.models} == {"victim", "suspect", "unrelated"}


@pytest.mark.slow
def test_classes_may_stand_in_another_order_in_each_model(folder, tmp_path):
    for path in folder.rglob("*.onnx"):
        path.unlink()
    linear(folder / "victim.onnx", 0, order=[2, 0, 1])
    linear(folder / "suspect.onnx", 0)
    for seed in range(1, 20):
        linear(folder / f"unrelated/u{seed}.onnx", seed)
    made = write(folder, Answers())
    models = {model["model"]: model for model in yaml.safe_load(made.path.read_text())["models"]}
    assert models["victim"]["classes"] == ["owl", "cat", "dog"]
    assert "classes" not in models["suspect"]
    assert any("The classes of 'victim' stand in another order" in note for note in made.notes)
    assert any("output 0 is 'owl' and not 'cat'" in note for note in made.notes)
    found = check(str(folder), budget=20, fit=20, store=Store(tmp_path / "store"))
    assert (found.each[0].said, found.each[0].score) == ("closer", 0)


def emptied(home):
    for path in home.rglob("*.onnx"):
        path.unlink()


def twice(home):
    linear(home / "u01.onnx", 1)


def without_pictures(home):
    for path in home.rglob("*.png"):
        path.unlink()


def another_set(home):
    pictures(home / "others")


def more_classes(home):
    (home / "pictures" / "wolf").mkdir()
    Image.new("RGB", (4, 4)).save(home / "pictures" / "wolf" / "0.png")


def written_before(home):
    (home / "manifest.json").write_text("{}")


def weights_too(home):
    (home / "unrelated" / "u99.safetensors").write_bytes(b"x")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (emptied, "Expected models (.onnx, .safetensors) in"),
        (twice, "Two models are named 'u01'. Rename one"),
        (without_pictures, "Expected one folder of pictures in"),
        (another_set, "Found 2: others, pictures."),
        (more_classes, "Expected answers over 4 classes, the folders of pictures. 'suspect' gives 3."),
        (written_before, "There is a manifest.json in"),
        (weights_too, "Expected the architecture of the .safetensors files with --architecture"),
    ],
)
def test_what_no_manifest_can_be_written_of_is_a_sentence(folder, change, says):
    change(folder)
    with pytest.raises(QurdError) as refused:
        write(folder, Answers())
    assert says in str(refused.value)
    assert not (folder / "manifest.yaml").exists()


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(QurdError, match="There is nothing at"):
        write(tmp_path / "nowhere", Answers())


@pytest.mark.slow
def test_models_of_onnx_answer_schemes_that_need_no_gradients(folder, seen, tmp_path):
    (folder / "manifest.yaml").write_text(seen)
    how = {"budget": 20, "fit": 0, "store": Store(tmp_path / "store")}
    assert check(str(folder), scheme="negative(test) | probits | l1", **how).each[0].said == "closer"
    with pytest.raises(QurdError, match="needs logits, and 'suspect' reveals probits only"):
        check(str(folder), scheme="negative(test) | logits | cosine", **how)
    with pytest.raises(QurdError, match="victim answers logits only, gradients were asked for"):
        check(str(folder), scheme="negative(test)->pgd | labels | hamming", **how)


@pytest.mark.slow
def test_tensors_beside_a_model_are_part_of_what_it_is(folder, seen):
    (folder / "manifest.yaml").write_text(seen)
    before = benchmark(str(folder)).digest("victim")
    (folder / "victim.onnx.data").write_bytes(b"x")
    assert benchmark(str(folder)).digest("victim") != before


@pytest.mark.slow
def test_a_model_with_other_classes_than_the_manifest_is_told(folder, seen):
    (folder / "manifest.yaml").write_text(seen)
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text())
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest | {"classes": [*NAMES, "wolf"]}))
    with pytest.raises(QurdError, match=r"Expected victim to answer \(1,4\) logits. Got \(1,3\)|Expected .* to answer"):
        benchmark(str(folder)).oracle("victim", Runtime()).logits(benchmark(str(folder)).images("test").pixels[:1] / 255)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": "pickle"}, "Unknown source 'pickle'. Known: api, onnx, safetensors, transformers."),
        ({"input": {"layout": "CHWN"}}, "Expected 'layout' in 'input' of model 1 as NCHW or NHWC. Got 'CHWN'."),
        ({"input": {"shape": 3}}, "Expected 'input' of model 1 with name, layout, range."),
        ({"output": {}}, "Expected 'output' of model 1 with gives: logits or probits. It says neither."),
        ({"output": {"gives": "labels"}}, "Expected 'gives' in 'output' of model 1 as logits or probits. Got 'labels'."),
        ({"file": "../victim.onnx"}, "Expected the file of model 1 inside"),
        ({"file": None}, "Expected a text as 'file' of model 1."),
        ({"weights": "a.pt"}, "Got also 'weights'."),
        ({"classes": ["cat", "dog"]}, "Expected 'classes' of model 1 as the 3 names of the manifest, each once"),
        ({"classes": 3}, "in the order of its outputs. Got '3'."),
    ],
)
def test_a_bad_entry_is_one_sentence(folder, seen, change, says):
    (folder / "manifest.yaml").write_text(seen)
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text())
    manifest["models"][0] |= change
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    with pytest.raises(QurdError) as refused:
        benchmark(str(folder))
    assert says in str(refused.value)


@pytest.mark.slow
def test_pickles_are_refused_by_their_name(folder, seen):
    (folder / "manifest.yaml").write_text(seen)
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text())
    manifest["models"][0] = {"model": "s", "role": "suspect", "architecture": "resnet18", "weights": "a.pt"}
    (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    with pytest.raises(QurdError, match=r"as .safetensors or .onnx\. Got a.pt: pickles and TorchScript run code"):
        benchmark(str(folder))
