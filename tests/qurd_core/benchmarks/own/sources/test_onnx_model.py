"""ONNX models in a process of their own: the same answers as torch gives, and what foreign files are not let do."""

import subprocess
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("onnx", reason="onnx is not installed: pip install onnxruntime onnx")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install onnxruntime onnx")

from onnx import TensorProto

from qurd_core.benchmarks.own.sources import onnx_model
from qurd_core.benchmarks.own.sources.onnx_model import OnnxNetwork
from qurd_core.errors import QurdError
from tests.qurd_core.benchmarks.own.sources import onnx_files
from tests.qurd_core.benchmarks.own.sources.onnx_files import linear, outside, weights

X = torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
LOGITS = {"gives": "logits"}


def expected(x=X, seed=0):
    return x.flatten(1) @ torch.from_numpy(weights(seed))


@pytest.fixture
def opened():
    made = []

    def open_it(path, input=None, output=None):
        made.append(OnnxNetwork(path, input or {}, output or LOGITS))
        return made[-1]

    yield open_it
    for one in made:
        one.close()


def test_it_answers_as_the_network_does(tmp_path, opened):
    network = opened(linear(tmp_path / "m.onnx"))
    torch.testing.assert_close(network(X), expected())
    torch.testing.assert_close(network(X[:1]), expected(X[:1]))
    assert network.about["size"] == [4, 4]
    assert network.about["classes"] == 3
    probits = opened(linear(tmp_path / "p.onnx", softmax=True), output={"gives": "probits"})
    torch.testing.assert_close(probits(X), expected().log_softmax(1))


@pytest.mark.parametrize(
    ("how", "input"),
    [({"batch": 1}, {}), ({"batch": 4}, {}), ({"layout": "NHWC"}, {"layout": "NHWC"}), ({}, {"name": "x"})],
)
def test_batches_of_a_fixed_size_and_layouts_give_the_same(tmp_path, opened, how, input):
    torch.testing.assert_close(opened(linear(tmp_path / "m.onnx", **how), input)(X), expected())


def test_pixels_go_in_as_bytes_where_that_is_said_or_asked(tmp_path, opened):
    exact = torch.randint(0, 256, (3, 3, 4, 4), generator=torch.Generator().manual_seed(0)) / 255
    torch.testing.assert_close(opened(linear(tmp_path / "m.onnx"), {"range": "bytes"})(exact), expected(exact * 255))
    bytes_in = opened(linear(tmp_path / "b.onnx", kind=TensorProto.UINT8), {"range": "bytes"})
    torch.testing.assert_close(bytes_in(exact), expected(exact * 255))


def test_tensors_in_a_file_beside_are_read_from_where_they_lie(tmp_path, opened):
    held = weights(0).tobytes()
    (tmp_path / "m.onnx.data").write_bytes(b"\0" * 64 + held)
    path = linear(tmp_path / "m.onnx", change=outside("m.onnx.data", offset=64, length=len(held)))
    torch.testing.assert_close(opened(path)(X), expected())


@pytest.mark.slow
def test_what_torch_exports_answers_alike(tmp_path, opened):
    pytest.importorskip("onnxscript", reason="torch exports with onnxscript, which is not installed")
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(32, 3)
    ).eval()
    torch.onnx.export(net, (X[:2],), tmp_path / "m.onnx", input_names=["x"], output_names=["y"], verbose=False)
    torch.testing.assert_close(opened(tmp_path / "m.onnx")(X), net(X).detach(), atol=1e-5, rtol=1e-4)


def placed(location, **entries):
    def make(path):
        (path.parent / "secret").write_bytes(weights(0).tobytes())
        return linear(path, change=outside(location, **entries))

    return make


def linked(path):
    (path.parent / "secret").write_bytes(weights(0).tobytes())
    (path.parent / "m.onnx.data").symlink_to(path.parent / "secret")
    return linear(path, change=outside("m.onnx.data"))


def short(path):
    (path.parent / "m.onnx.data").write_bytes(b"\0" * 10)
    return linear(path, change=outside("m.onnx.data", offset=0, length=576))


def text(path):
    path.write_text("hello")
    return path


def float64(path):
    return linear(path, kind=TensorProto.DOUBLE)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (placed("secret"), "in files beside it whose names begin with 'm.onnx'. 'w' lies in 'secret'"),
        (placed("../secret"), "'w' lies in '../secret'"),
        (placed("/etc/passwd"), "'w' lies in '/etc/passwd'"),
        (linked, "'w' lies in 'm.onnx.data'"),
        (short, "inside m.onnx.data, which has 10 bytes. It lies beyond"),
        (onnx_files.strange, "Expected operators of ONNX itself in m.onnx. It has some of 'com.evil'"),
        (onnx_files.long, "Expected at most 20,000 nodes in m.onnx. It has 20,00"),
        (onnx_files.two_inputs, "Expected one input, the images. Got 2: x, z"),
        (float64, "Expected images of float32 or uint8"),
        (text, "Expected an ONNX model in m.onnx. It cannot be read as one"),
        (onnx_files.greedy, "with 4 GB of memory beside its own size. It takes more"),
    ],
)
@pytest.mark.slow
def test_what_a_foreign_file_wants_and_does_not_get(tmp_path, opened, make, says):
    with pytest.raises(QurdError) as refused:
        opened(make(tmp_path / "m.onnx"))(X)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("input", "output", "says"),
    [
        ({"name": "images"}, LOGITS, "Expected 'images' as input. The model has 'x'."),
        ({}, {"name": "y"} | LOGITS, "Expected 'y' as output. The model has logits."),
        ({"layout": "NHWC"}, LOGITS, "takes 4: is it another layout?"),
    ],
)
def test_what_the_manifest_says_and_the_model_has_not(tmp_path, opened, input, output, says):
    with pytest.raises(QurdError) as refused:
        opened(linear(tmp_path / "m.onnx"), input, output)
    assert says in str(refused.value)


def test_a_model_that_never_answers_is_ended(tmp_path, opened, monkeypatch):
    network = opened(onnx_files.endless(tmp_path / "m.onnx"))
    monkeypatch.setattr(onnx_model, "SECONDS", 1)
    with pytest.raises(QurdError, match=r"within 1 seconds\. It takes longer"):
        network(X)
    assert network._process.poll() is not None


def test_a_process_that_was_ended_is_a_sentence_and_the_next_one_answers(tmp_path, opened):
    path = linear(tmp_path / "m.onnx")
    network = opened(path)
    network._process.kill()
    network._process.wait()
    with pytest.raises(QurdError, match="or ended the process that ran it"):
        network(X)
    torch.testing.assert_close(opened(path)(X), expected())


def test_the_process_that_reads_foreign_files_holds_no_torch():
    script = "import sys, qurd_core.benchmarks.own.sources.onnx_child; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"


def test_without_the_runtime_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_model, "find_spec", lambda name: None)
    with pytest.raises(QurdError, match=r"pip install 'onnxruntime>=1\.24\.1' onnx"):
        OnnxNetwork(linear(tmp_path / "m.onnx"), {}, LOGITS)


def test_the_same_images_get_the_same_answers_in_any_batch(tmp_path, opened):
    network = opened(linear(tmp_path / "m.onnx"))
    one_by_one = torch.cat([network(x[None]) for x in X])
    np.testing.assert_array_equal(network(X).argmax(1), one_by_one.argmax(1))
