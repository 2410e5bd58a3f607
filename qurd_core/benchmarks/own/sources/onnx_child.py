"""The process in which one ONNX model is read, looked at and run, under limits: `python -m` of this module.

It imports no torch. It reads a line of JSON and as many bytes as that says from its input, and writes the same to its
output, until the input ends. Whatever a file does to it, the process that asks goes on.
"""

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from qurd_core.errors import QurdError

MEMORY = 4_000_000_000  # bytes beside the file
LARGEST = 2_000_000_000  # bytes of a model, the limit of its format
NODES = 20_000
SECONDS = 60  # of processor time for a batch
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
FLOAT, BYTE = 1, 2  # kinds of numbers, as ONNX counts them
EXTERNAL = 1  # a tensor that lies in another file


def main() -> None:
    """Read the model that the first line names, say what it takes and gives, then answer."""
    given, taken = sys.stdout.buffer, sys.stdin.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    try:
        asked = json.loads(taken.readline())
        path = Path(asked["path"])
        _limit(MEMORY + size_of(path))
        model = looked_at(path)
        session = _session(model)
        about = described(model, asked["input"], asked["output"])
        _write(given, about)
        while line := taken.readline():
            shape = json.loads(line)["shape"]
            images = np.frombuffer(taken.read(4 * int(np.prod(shape))), np.float32).reshape(shape)
            _allow(SECONDS)
            answers = _answer(session, images, about, asked)
            _write(given, {"shape": answers.shape}, answers.tobytes())
    except QurdError as error:
        _write(given, {"refused": str(error)})
    except MemoryError:
        _write(given, {"more": True})
    except Exception as error:  # of the runtime, which has many kinds
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        _write(given, {"more": True} if "bad_alloc" in first or "Failed to allocate" in first else {"refused": first[:300]})


def _limit(memory: int) -> None:
    """Take no more memory than this; the runtime and its libraries are loaded first, so that their code is not counted."""
    import onnx  # noqa: F401
    import onnxruntime as _  # noqa: F401

    if sys.platform != "linux":
        return
    import resource

    held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    for kind, most in ((resource.RLIMIT_AS, held + memory), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _allow(seconds: int) -> None:
    """End after so much more processor time, also where nobody waits for an answer any more."""
    if sys.platform == "linux":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        most = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def size_of(path: Path) -> int:
    """Bytes of a model and of the files beside it that may belong to it."""
    return sum(one.stat().st_size for one in (path, *beside(path)))


def beside(path: Path) -> list[Path]:
    """The files that may hold tensors of a model: in its folder, with names that begin with the model's, and no links."""
    found = []
    for other in sorted(path.parent.glob("*")):
        if other.name.startswith(path.name) and other.name != path.name and stat.S_ISREG(other.lstat().st_mode):
            found.append(other)
    return found


def looked_at(path: Path) -> Any:
    """The model with all its tensors inside it.

    Raises:
        QurdError: it is no such model, too large, or names what it may not.
    """
    import onnx

    if size_of(path) > LARGEST:
        raise QurdError(f"Expected an ONNX model of at most {LARGEST:,} bytes with its tensors. {path.name} has more.")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except Exception:
        raise QurdError(f"Expected an ONNX model in {path.name}. It cannot be read as one.") from None
    if not model.graph.node:
        raise QurdError(f"Expected an ONNX model with a graph in {path.name}. It has none.")
    nodes = list(_nodes(model))
    if len(nodes) > NODES:
        raise QurdError(f"Expected at most {NODES:,} nodes in {path.name}. It has {len(nodes):,}.")
    strange = sorted({node.domain for node in nodes if node.domain not in DOMAINS})
    if strange:
        raise QurdError(
            f"Expected operators of ONNX itself in {path.name}. It has some of '{strange[0][:60]}', which would run code of"
            " its own: export it without."
        )
    allowed = {one.name: one for one in beside(path)}
    for tensor in _tensors(model):
        if tensor.data_location == EXTERNAL:
            _put_in(tensor, allowed, path)
    return model


def _graphs(model: Any) -> Iterator[Any]:
    """Every list of nodes in a model: its graph, the graphs inside nodes, and functions."""
    defaults = [attribute for function in model.functions for attribute in function.attribute_proto]
    waiting = [model.graph, *model.functions, *(graph for one in defaults for graph in (one.g, *one.graphs))]
    while waiting:
        one = waiting.pop()
        yield one
        for node in one.node:
            for attribute in node.attribute:
                waiting += [attribute.g] * attribute.HasField("g") + list(attribute.graphs)


def _nodes(model: Any) -> Iterator[Any]:
    for number, node in enumerate(node for graph in _graphs(model) for node in graph.node):
        yield node
        if number > NODES:
            return


def _tensors(model: Any) -> Iterator[Any]:
    """Every tensor that a model holds, wherever it stands."""
    for attribute in (attribute for function in model.functions for attribute in function.attribute_proto):
        yield from (attribute.t, *attribute.tensors)
    for graph in _graphs(model):
        yield from getattr(graph, "initializer", ())
        for sparse in getattr(graph, "sparse_initializer", ()):
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                yield from [attribute.t] * attribute.HasField("t")
                yield from attribute.tensors
                for sparse in (*[attribute.sparse_tensor] * attribute.HasField("sparse_tensor"), *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)


def _put_in(tensor: Any, allowed: dict[str, Path], path: Path) -> None:
    """Read a tensor out of the file that it names into the model."""
    said = {entry.key: entry.value for entry in tensor.external_data}
    name = said.get("location", "")
    if name not in allowed:
        raise QurdError(
            f"Expected the tensors of {path.name} inside it, or in files beside it whose names begin with '{path.name}'."
            f" '{tensor.name[:60]}' lies in '{name[:60]}': export it again."
        )
    try:
        offset, length = int(said.get("offset", "0")), int(said.get("length", "-1"))
    except ValueError:
        raise QurdError(f"Expected whole numbers for the place of '{tensor.name[:60]}' in {name}.") from None
    there = allowed[name].stat().st_size
    length = there - offset if length < 0 else length
    if not 0 <= offset <= offset + length <= there:
        raise QurdError(f"Expected '{tensor.name[:60]}' inside {name}, which has {there:,} bytes. It lies beyond.")
    with allowed[name].open("rb") as file:
        file.seek(offset)
        tensor.raw_data = file.read(length)
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")


def described(model: Any, asked_input: dict[str, Any], asked_output: dict[str, Any]) -> dict[str, Any]:
    """What a model takes and gives.

    Returns:
        names of input and output, whether it takes bytes, the images it takes at once (0 = any number), its own height and
        width, (0 = any), and its classes (0 = not said).

    Raises:
        QurdError: no single image input, or no such output.
    """
    inside = {tensor.name for tensor in model.graph.initializer}
    inputs = {one.name: one for one in model.graph.input if one.name not in inside}
    outputs = {one.name: one for one in model.graph.output}
    if len(inputs) != 1:
        raise QurdError(f"Expected one input, the images. Got {len(inputs)}: {', '.join(sorted(inputs)[:5])}.")
    name, value = next(iter(inputs.items()))
    if asked_input.get("name", name) != name:
        raise QurdError(f"Expected '{asked_input['name'][:60]}' as input. The model has '{name[:60]}'.")
    out = asked_output.get("name", next(iter(outputs), ""))
    if out not in outputs:
        raise QurdError(f"Expected '{out[:60]}' as output. The model has {', '.join(list(outputs)[:5])}.")
    kind, shape = value.type.tensor_type.elem_type, _shape(value)
    if kind not in (FLOAT, BYTE) or len(shape) != 4:
        raise QurdError(
            f"Expected images of float32 or uint8 with four dimensions as input. '{name[:60]}' has {len(shape)}."
        )
    layout = asked_input.get("layout", "NCHW")
    channels, sides = (shape[3], shape[1:3]) if layout == "NHWC" else (shape[1], shape[2:])
    if channels not in (0, 3):
        raise QurdError(
            f"Expected three channels in the layout {layout}. '{name[:60]}' takes {channels}: is it another layout?"
        )
    classes = _shape(outputs[out])[-1:] or [0]
    return {
        "input": name,
        "output": out,
        "bytes": kind == BYTE,
        "batch": shape[0],
        "size": sides,
        "classes": classes[0],
    }


def _shape(value: Any) -> list[int]:
    """Sizes of a value, 0 where any will do."""
    return [max(0, one.dim_value) for one in value.type.tensor_type.shape.dim]


def _session(model: Any) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Folding constants would run the graph while it is loaded: a few bytes may ask for gigabytes there.
    how = {"providers": ["CPUExecutionProvider"], "disabled_optimizers": ["ConstantFolding"]}
    return onnxruntime.InferenceSession(model.SerializeToString(), options, **how)


def _answer(session: Any, images: np.ndarray, about: dict[str, Any], asked: dict[str, Any]) -> np.ndarray:
    """(n,C) float32 of images (n,3,H,W) as the model's normalisation left them."""
    if asked["input"].get("range", "unit") == "bytes":
        images = images * 255
    if asked["input"].get("layout", "NCHW") == "NHWC":
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    if about["bytes"]:
        images = np.clip(np.rint(images), 0, 255).astype(np.uint8)
    size = about["batch"] or len(images)
    found = []
    for start in range(0, len(images), size):
        some = images[start : start + size]
        whole = np.concatenate([some, np.repeat(some[-1:], size - len(some), 0)]) if len(some) < size else some
        answers = session.run([about["output"]], {about["input"]: whole})[0]
        answers = np.asarray(answers, np.float32).reshape(len(whole), -1)
        found.append(answers[: len(some)])
    return np.ascontiguousarray(np.concatenate(found))


def _write(out: BinaryIO, about: dict[str, Any], data: bytes = b"") -> None:
    out.write(json.dumps(about | {"bytes_that_follow": len(data)}).encode() + b"\n" + data)
    out.flush()


if __name__ == "__main__":
    main()
