"""Whatever somebody else wrote: nothing is allocated before it is checked, nobody waits, and each fault is a sentence."""

import json
import os
import random
import struct
import sys

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from qurd_core.benchmarks.base import benchmark
from qurd_core.benchmarks.own import model_folder, networks, pictures, weights
from qurd_core.benchmarks.own.foreign import look_alikes, yaml_values
from qurd_core.benchmarks.own.manifest import MANIFESTS
from qurd_core.benchmarks.zoo import architectures
from qurd_core.errors import QurdError
from qurd_core.evaluation.checks import check
from qurd_core.files import WHOLE, file_digest, json_values, opened
from qurd_core.randomness import stream
from qurd_core.store import Store

CLASSES = ["cat", "dog", "owl"]
LINEAGES = ("train(mb,mine)", "train(mb,mine)->finetune", "train(mb,theirs)")


def problems(folder):
    """What the check says, which a program can print, a sentence a line."""
    found = check(str(folder), Store(folder / "store")).problems
    for sentence in found:
        sentence.encode()
        assert "\n" not in sentence
    return found


@pytest.fixture
def folder(tmp_path):
    """A small folder of three models and six pictures, without a manifest."""
    for split in ("train", "test"):
        for number, name in enumerate(CLASSES):
            (tmp_path / split / name).mkdir(parents=True)
            Image.new("RGB", (40, 36), (80 * number, 9, 99)).save(tmp_path / split / name / "0.png")
    for number in range(3):
        model = architectures.initialised("mb", len(CLASSES), stream(number, "foreign")).network
        save_file({name: t.contiguous() for name, t in model.state_dict().items()}, tmp_path / f"{number}.safetensors")
    return tmp_path


@pytest.fixture
def manifest():
    models = [
        {"lineage": lineage, "architecture": "patchwork/mb", "weights": f"{number}.safetensors"}
        for number, lineage in enumerate(LINEAGES)
    ]
    return {
        "classes": CLASSES,
        "side": 32,
        "images": {"train": "train", "test": "test"},
        "normalisation": {"mean": [0, 0, 0], "std": [1, 1, 1]},
        "models": models,
    }


def written(folder, manifest):
    (folder / "manifest.json").write_text(manifest if isinstance(manifest, str) else json.dumps(manifest))
    return folder


def test_the_folder_of_these_tests_is_sound(folder, manifest):
    assert problems(written(folder, manifest)) == []


def test_no_network_is_built_before_the_header_of_its_file_fits(folder, manifest, monkeypatch):
    """A folder of one megabyte could name a network of sixteen gigabytes."""
    manifest["models"][2]["architecture"] = "timm/vit_giant_patch14_224"
    monkeypatch.setattr(networks, "_filled", lambda make: make() if is_blank() else pytest.fail("memory was taken"))
    (problem,) = problems(written(folder, manifest))
    assert "Expected the tensors of timm/vit_giant_patch14_224" in problem


def is_blank():
    """Whether tensors are made without memory just now."""
    return torch.empty(0).is_meta


@pytest.mark.parametrize("architecture", ["timm/resnet18", "timm/vit_tiny_patch16_224", "timm/regnetx_002", "resnet18"])
def test_a_network_without_memory_has_the_names_and_shapes_of_the_real_one(architecture):
    blank, real = networks.blank(architecture, 7).state_dict(), networks.empty(architecture, 7).state_dict()
    assert all(tensor.is_meta for tensor in blank.values())
    assert {name: tensor.shape for name, tensor in blank.items()} == {name: tensor.shape for name, tensor in real.items()}


@pytest.mark.parametrize("kind", ["pipe", "device", "socket"])
@pytest.mark.slow
def test_nobody_waits_for_a_picture_that_is_no_file(folder, manifest, kind):
    path = folder / "test" / "cat" / "1.png"
    if kind == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path) if kind == "pipe" else os.mknod(path, 0o140600)
    assert problems(written(folder, manifest)) == []
    (note,) = benchmark(str(folder)).notes
    assert "are not read, such as cat/1.png: pictures are files" in note


@pytest.mark.parametrize("name", ["0.safetensors", "manifest.json"])
def test_nobody_waits_for_weights_or_a_manifest_that_are_no_file(folder, manifest, name):
    written(folder, manifest)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    (problem,) = problems(folder)
    assert "neither a file nor a folder" in problem or "There is none: it holds" in problem


@pytest.mark.parametrize("read", [file_digest, lambda path: pictures.decode(path, 8), weights.shapes])
def test_whoever_reads_a_foreign_file_refuses_a_pipe_and_a_device(tmp_path, read):
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "zero.safetensors").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(QurdError):
            read(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "x" * 300, "loop"])
def test_a_name_that_no_file_has_is_no_file(tmp_path, name):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError), opened(tmp_path / name):
        pass


def test_pictures_are_not_taken_from_elsewhere(folder, manifest, tmp_path_factory):
    written(folder, manifest)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Image.new("RGB", (40, 36)).save(elsewhere / "secret.png")
    link = folder / "test" / "cat" / "1.png"
    link.symlink_to(elsewhere / "secret.png")
    (problem, *_) = problems(folder)
    assert "'cat/1.png' is a link to another place" in problem
    link.unlink()
    link.symlink_to(folder / "test" / "cat" / "0.png")
    assert problems(folder) == []


@pytest.mark.parametrize("to", ["elsewhere", "test", "test/dog"])
def test_a_folder_of_a_class_is_no_link(folder, manifest, to):
    (folder / "elsewhere").mkdir()
    (folder / "test" / "cat" / "0.png").unlink()
    (folder / "test" / "cat").rmdir()
    (folder / "test" / "cat").symlink_to(folder / to)
    assert "'cat' is a link to one" in problems(written(folder, manifest))[0]


def test_circles_of_links_are_no_files(folder, manifest):
    (folder / "test" / "cat" / "1.png").symlink_to("1.png")
    (folder / "test" / "fox").symlink_to("fox")
    assert problems(written(folder, manifest)) == []
    assert "2 file(s) or folder(s)" in benchmark(str(folder)).notes[0]
    (folder / "0.safetensors").unlink()
    (folder / "0.safetensors").symlink_to("0.safetensors")
    assert "Expected the weights of model 1 inside" in problems(folder)[0]


def test_a_manifest_is_not_taken_from_elsewhere(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "passwords"
    elsewhere.write_text("root: secret")
    (folder / "manifest.json").symlink_to(elsewhere)
    (problem,) = problems(folder)
    assert "is a link to another place" in problem and "secret" not in problem


def test_a_name_that_is_no_text_is_said_in_a_note_that_can_be_printed(folder, manifest):
    try:
        (folder / "test" / "cat" / os.fsdecode(b"\xff.txt")).write_text("")
    except OSError:
        pytest.skip("this file system holds texts only")
    (note,) = benchmark(str(written(folder, manifest))).notes
    assert "cat/\\udcff.txt" in note


@pytest.mark.parametrize("size", [(1, 20_000_000), (20_000, 1), (2, 60_000)])
def test_a_picture_is_not_scaled_to_more_pixels_than_it_may_have(tmp_path, size):
    Image.new("L", size).save(tmp_path / "a.png")
    with pytest.raises(QurdError, match="once its shorter side has 256"):
        pictures.decode(tmp_path / "a.png", 256)


def test_a_seed_set_takes_no_more_than_it_may(folder, monkeypatch):
    monkeypatch.setattr(pictures, "BYTES", 3 * 3 * 32 * 32 - 1)
    monkeypatch.setattr(pictures, "decode", lambda path, side: pytest.fail("a picture was read"))
    with pytest.raises(QurdError, match=r"3 pictures of 32 x 32 pixels are 9,216"):
        pictures.seed_set(pictures.listed(folder / "test", CLASSES), 32)


def header(shape, start=0, end=1):
    text = json.dumps({"w": {"dtype": "U8", "shape": shape, "data_offsets": [start, end]}}).encode()
    return struct.pack("<Q", len(text)) + text + b"1"


@pytest.mark.parametrize(
    "data",
    [
        header([2**63] * 20_000),
        header([WHOLE] * 17),
        header([WHOLE + 1]),
        header([10**4000]),
        header([1], -1, 0),
        header([1], 0, 10**4000),
        header([True]),
        header([1.0]),
        header([1]).replace(b"[1]", b"[" + b"9" * 5000 + b"]"),
        header([1]).replace(b'"w"', b'"\\ud800"'),
    ],
)
def test_numbers_of_a_header_have_limits(tmp_path, data):
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(data) - 9) + data[8:])
    with pytest.raises(QurdError, match="is no sound safetensors file"):
        weights.shapes(tmp_path / "w.safetensors")


YAML = [
    "!!bool abc",
    "!!timestamp abc",
    "!!int abc",
    "!!float abc",
    "!!binary abc",
    "!!null x",
    "!!set abc",
    "!!python/object/apply:os.system ['true']",
    "! x",
    "&x [*x]",
    "0x" + "f" * 5000,
    "0b" + "1" * 5000,
    "9" * 320,
    "9" * 5000,
    "1:" * 5000 + "1",
    ".inf",
    ".nan",
    "1.0e+400",
    '"\\ud800"',
    '"\\U00110000"',
    "a: \x00",
    "{" * 5000,
    "%YAML 9.9",
    "? [a, b]\n: {",
]


@pytest.mark.parametrize("text", YAML, ids=[text[:20] for text in YAML])
@pytest.mark.slow
def test_yaml_that_holds_more_than_plain_values_is_a_sentence(tmp_path, text):
    (tmp_path / "manifest.yaml").write_text(f"classes: {text}\n")
    with pytest.raises(QurdError, match="Cannot read") as told:
        benchmark(str(tmp_path))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 700


def test_plain_yaml_is_what_everybody_reads_dates_as_texts():
    text = (
        "a: [1, -2, 0x1f, 1_000, 1.5, 1e3, -.5, true, no, ~, null, '07', \"x\\u00e9\", b c]\n? d\n: {e: [], f: {}}\n3: x\n"
    )
    assert yaml_values(text) == yaml.safe_load(text)
    assert yaml_values("[2024-01-01, 2024-99-99, <<, =]") == ["2024-01-01", "2024-99-99", "<<", "="]
    assert yaml_values(f"a: {WHOLE}") == {"a": WHOLE}


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e400", str(WHOLE + 1), "9" * 5000, '"\\ud800"', "[" * 10**5])
def test_json_that_no_program_can_hold_is_refused(text):
    with pytest.raises(ValueError):
        json_values(f'{{"a": [{text}]}}')
    assert json_values(f'[{WHOLE}, -{WHOLE}, 1e300, "\\ud83d\\ude00"]') == [WHOLE, -WHOLE, 1e300, "\U0001f600"]


def deep(manifest, path, value):
    *way, last = path
    for step in way:
        manifest = manifest[step]
    manifest[last] = value


NAMES = ["x\0", "a\nb", "x" * 300, {"a": 1}, ["x"], None, True, 10**18, "\u202ex", " "]
BAD = [
    (("normalisation", "mean"), [1e300, 0, 0], "three numbers each of at most 1e+06"),
    (("normalisation", "mean"), "abc", "three numbers each"),
    (("normalisation", "std"), [1e-300, 1, 1], "std above zero"),
    (("normalisation", "std"), [1e300, 1, 1], "three numbers each"),
    (("models", 0, "accuracy"), 1e300, "as a share from 0 to 1"),
    (("models", 0, "lineage"), f"train(mb,{'9' * 320})", "Expected a number of at most 1.8e+308"),
    (("models", 0, "weights"), "x" * 300, "There is nothing"),
    (("models", 0, "weights"), "x/" * 5000, "weights of model 1"),
    (("models", 0, "weights"), "", "There is a folder"),
    (("images", "test"), "x\0", "Expected a path"),
    (("images", "test"), "x" * 300, "There is nothing"),
    (("models", 0, "model"), "x\0", "holds a control character"),
    (("models", 0, "model"), "x" * 300, "at most 200 characters"),
    (("models", 0, "model"), {"a": 1}, "Expected a text as the name of a model"),
    (("classes",), ["a", "b", "c\0"], "The name 'c\\x00' of a class holds a control character"),
    (("classes",), ["a", "b", ["c"]], "Expected a text as the name of a class"),
    (("side",), 10**18, "Expected 'side' from 1 to 1024"),
    (("side",), True, "Expected 'side' from 1 to 1024"),
]


@pytest.mark.parametrize(("path", "value", "says"), BAD, ids=[says for *_, says in BAD])
@pytest.mark.slow
def test_a_value_that_nobody_can_use_is_a_sentence(folder, manifest, path, value, says):
    deep(manifest, path, value)
    assert any(says in problem for problem in problems(written(folder, manifest))), problems(folder)


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e400", "Infinity", "NaN", "9" * 5000, '"\\ud800"'])
@pytest.mark.parametrize("place", ['"side": 32', "[0, 0, 0]", '"classes": ["cat"'])
@pytest.mark.slow
def test_a_number_that_no_program_can_hold_is_refused_as_it_is_read(folder, manifest, place, number):
    text = json.dumps(manifest)
    assert place in text
    written(folder, text.replace(place, place.replace("32", number).replace("[0", f"[{number}").replace('"cat"', number)))
    (problem,) = problems(folder)
    assert "Cannot read" in problem


@pytest.mark.parametrize("side", [1, 2])
@pytest.mark.slow
def test_a_side_that_leaves_nothing_is_no_fault_of_the_program(folder, manifest, side):
    manifest["models"][0]["side"] = side
    assert problems(written(folder, manifest)) == []


@pytest.mark.parametrize(
    "change", [{"architecture": "timm/vit_tiny_patch16_224"}, {"architecture": "squeezenet1_1", "side": 2}]
)
def test_a_network_that_refuses_the_size_of_images_is_a_sentence(folder, manifest, change):
    manifest["models"][0] |= change
    state = networks.blank(change["architecture"], len(CLASSES)).state_dict()
    save_file({name: torch.zeros(tensor.shape) for name, tensor in state.items()}, folder / "0.safetensors")
    (problem,) = problems(written(folder, manifest))
    assert "The network cannot answer images of (3, 32, 32): " in problem
    assert "(While asking 'train(mb,mine)'.)" in problem


HIDDEN = ["\u200b", "\u2060", "\u00ad", "\ufeff", "\u202e", "\ufe0f", "\u034f", "\u3164"]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_two_names_that_differ_by_what_nobody_sees_are_told(folder, manifest, hidden):
    (sentence,) = look_alikes(["cat", "dog", f"ca{hidden}t"], "classes")
    assert "Two classes look alike: 'cat' and 'ca" in sentence
    assert f"U+{ord(hidden):04X}" in sentence
    manifest["models"][2] |= {"model": f"train(mb,{hidden}mine)"}
    (problem,) = problems(written(folder, manifest))
    assert "Two names or lineages of models look alike" in problem


def test_names_that_can_be_told_apart_are_not_spoken_of():
    assert not list(look_alikes(["e", "é", "E", "a b", "ab", "ß", "ss", "कि", "क", "ก", "กี", "x", "x"], "classes"))
    assert len(list(look_alikes(["é", "e\u0301", "ﬁ", "fi", "a b", "a\u00a0 b"], "classes"))) == 3


@pytest.mark.slow
def test_no_manifest_ends_the_program(folder, manifest):
    """A few hundred, each with some of its values replaced or its bytes changed."""
    rng, text = random.Random(0), json.dumps(manifest)
    values = [
        *NAMES,
        "\ud800",
        -1,
        0,
        2,
        0.5,
        10**400,
        float("inf"),
        float("nan"),
        [],
        {},
        [[]],
        "..",
        "/",
        "~",
        "manifest.json",
    ]
    for number in range(400):
        if rng.random() < 0.5:
            found = json.loads(text)
            for _ in range(rng.randint(1, 3)):
                replaced(found, rng, values)
            made = json.dumps(found)
        else:
            made = "".join(
                rng.choice(["", sign * 2, chr(rng.randrange(sys.maxunicode)), "9" * 400, "*", "!!int "])
                if rng.random() < 0.01
                else sign
                for sign in text
            )
        name = rng.choice(MANIFESTS)
        (folder / name).write_bytes(made.encode("utf-8", "surrogatepass"))
        try:
            model_folder._opened(folder)
        except QurdError as error:
            str(error).encode()
            assert "\n" not in str(error), number
        (folder / name).unlink()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.jpg", {"quality": 90}), ("a.webp", {"lossless": True})])
def test_no_picture_ends_the_program(tmp_path, name, options):
    """A few hundred, each with some bytes changed or cut off."""
    rng, path = random.Random(0), tmp_path / name
    Image.frombytes("RGB", (24, 20), rng.randbytes(24 * 20 * 3)).save(path, **options)
    whole = path.read_bytes()
    for _ in range(300):
        data = bytearray(whole[: rng.randrange(len(whole))] if rng.random() < 0.1 else whole)
        for _ in range(rng.randint(1, 3) if data else 0):
            data[min(int(rng.expovariate(1 / 60)), len(data) - 1)] = rng.randrange(256)
        path.write_bytes(data)
        try:
            assert pictures.decode(path, 8).shape == (3, 8, 8)
        except QurdError as error:
            assert "\n" not in str(error)


def replaced(found, rng, values):
    """Put another value somewhere into lists and names with values."""
    keys = list(found) if isinstance(found, dict) else list(range(len(found)))
    if not keys:
        return
    key = rng.choice(keys)
    if isinstance(found[key], dict | list) and rng.random() < 0.7:
        replaced(found[key], rng, values)
    elif rng.random() < 0.2 and isinstance(found, dict):
        found[rng.choice(["x", "\ud800", "", "\0", "model"])] = found.pop(key)
    else:
        found[key] = rng.choice(values)
