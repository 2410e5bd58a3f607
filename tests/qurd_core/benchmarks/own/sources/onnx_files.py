"""Small ONNX files, made by hand: a linear network on images of 4 x 4 pixels, and graphs that nobody should run."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES, SIDE = 3, 4


def weights(seed: int) -> np.ndarray:
    """(48,3), of a network to which all classes are alike on a grey image."""
    made = np.random.default_rng(seed).normal(size=(3 * SIDE * SIDE, CLASSES))
    return (made - made.mean(0)).astype(np.float32)


def linear(path, seed=0, *, softmax=False, batch="n", layout="NCHW", kind=TensorProto.FLOAT, change=None, order=None):
    """Write a network with the weights of a seed and return its path.

    Args:
        change: edits the model before it is written.
        order: of the classes in its output.
    """
    shape = [batch, 3, SIDE, SIDE] if layout == "NCHW" else [batch, SIDE, SIDE, 3]
    first = [helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT)]
    if layout == "NHWC":
        first.append(helper.make_node("Transpose", ["f"], ["c"], perm=[0, 3, 1, 2]))
    flat = helper.make_node("Flatten", ["c" if layout == "NHWC" else "f"], ["v"])
    nodes = [*first, flat, helper.make_node("MatMul", ["v", "w"], ["logits"])]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["probits"], axis=1))
    out = helper.make_tensor_value_info("probits" if softmax else "logits", TensorProto.FLOAT, [batch, CLASSES])
    held = weights(seed) if order is None else weights(seed)[:, order]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", kind, shape)], [out], [numpy_helper.from_array(held, "w")]
    )
    return written(path, graph, change)


def written(path, graph, change=None, opsets=()):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), *opsets], ir_version=9)
    if change:
        change(model)
    path.write_bytes(model.SerializeToString())
    return path


def outside(location, **entries):
    """Has the weights lie in another file."""

    def change(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in ({"location": location} | entries).items():
            tensor.external_data.add(key=key, value=str(value))

    return change


def greedy(path):
    """A hundred bytes that ask for eight gigabytes when they run."""
    size = numpy_helper.from_array(np.array([2_000_000_000], np.int64), "s")
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["much"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])),
        helper.make_node("ReduceSum", ["much"], ["one"], keepdims=0),
        helper.make_node("Flatten", ["x"], ["v"]),
        helper.make_node("Add", ["v", "one"], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 48])
    return written(path, helper.make_graph(nodes, "g", [x], [y], [size]))


def endless(path):
    """A loop that counts for hours."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Add", ["so_far", "one"], ["more"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("so_far", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("more", TensorProto.FLOAT, []),
        ],
        [numpy_helper.from_array(np.array(1.0, np.float32), "one")],
    )
    held = [
        numpy_helper.from_array(np.array(2**62, np.int64), "turns"),
        numpy_helper.from_array(np.array(True), "start"),
        numpy_helper.from_array(np.array(0.0, np.float32), "zero"),
    ]
    nodes = [
        helper.make_node("Loop", ["turns", "start", "zero"], ["end"], body=body),
        helper.make_node("Flatten", ["x"], ["v"]),
        helper.make_node("Add", ["v", "end"], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 48])
    return written(path, helper.make_graph(nodes, "g", [x], [y], held))


def long(path, nodes=20_001):
    """A chain of more operators than is read."""
    steps = [helper.make_node("Identity", [f"v{n}"], [f"v{n + 1}"]) for n in range(nodes)]
    x = helper.make_tensor_value_info("v0", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    y = helper.make_tensor_value_info(f"v{nodes}", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    return written(path, helper.make_graph(steps, "g", [x], [y]))


def strange(path):
    """An operator that is none of ONNX itself."""
    node = helper.make_node("Evil", ["x"], ["y"], domain="com.evil")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
    return written(path, helper.make_graph([node], "g", [x], [y]), opsets=[helper.make_opsetid("com.evil", 1)])


def two_inputs(path):
    made = onnx.load(linear(path))
    made.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1]))
    path.write_bytes(made.SerializeToString())
    return path
