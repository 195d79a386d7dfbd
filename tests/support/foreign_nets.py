"""Small networks with random weights, as ONNX files of other people are."""

from pathlib import Path

import numpy as np
import onnx
import onnx.compose
import onnx.helper
from onnx import TensorProto, numpy_helper

from vidgan.importer.convention import RANGES, Convention
from vidgan.models.registry import BUNDLED


def valid_upscaler(path: Path, *, scale: int = 2, seed: int = 0) -> Path:
    """Enlarges like waifu2x: convolutions without padding eat 3 pixels a side; float32 NCHW RGB from 0 to 1."""
    rng = np.random.default_rng(seed)
    identity = np.zeros((12, 3, 3, 3), np.float32)
    identity[range(12), np.arange(12) % 3, 1, 1] = 1
    shuffle = np.zeros((3 * scale**2, 12, 3, 3), np.float32)
    for channel in range(3):
        shuffle[channel * scale**2 : (channel + 1) * scale**2, channel, 1, 1] = 1
    weights = {
        "first": identity + 0.02 * rng.standard_normal(identity.shape).astype(np.float32),
        "second": 0.02 * rng.standard_normal((12, 12, 3, 3)).astype(np.float32),
        "third": shuffle + 0.02 * rng.standard_normal(shuffle.shape).astype(np.float32),
    }
    weights["second"][range(12), range(12), 1, 1] += 1
    nodes = [
        onnx.helper.make_node("Conv", ["x", "first"], ["a"]),
        onnx.helper.make_node("LeakyRelu", ["a"], ["b"], alpha=0.1),
        onnx.helper.make_node("Conv", ["b", "second"], ["c"]),
        onnx.helper.make_node("LeakyRelu", ["c"], ["d"], alpha=0.1),
        onnx.helper.make_node("Conv", ["d", "third"], ["e"]),
        onnx.helper.make_node("DepthToSpace", ["e"], ["y"], blocksize=scale, mode="CRD"),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "upscaler",
        [onnx.helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])],
        [onnx.helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 116, 116])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def rewritten(name: str, convention: Convention, path: Path) -> Path:
    """A bundled model for float32 NCHW images of another convention, without vidgan's metadata."""
    inner = onnx.load(BUNDLED / name / "float32.onnx")
    inner = onnx.compose.add_prefix(inner, "net/")
    taken, given = inner.graph.input[0].name, inner.graph.output[0].name
    constants: list[TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def constant(value: object, dtype: type = np.float32) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, dtype), f"constant_{len(constants)}"))
        return constants[-1].name

    def node(op: str, *inputs: str, **attributes: object) -> str:
        nodes.append(onnx.helper.make_node(op, inputs, [f"value_{len(nodes)}"], **attributes))
        return str(nodes[-1].output[0])

    def of_channels(values: tuple[float, ...]) -> str:
        return constant(255 * np.reshape(values, (1, 3, 1, 1)))

    def reordered(value: str, order: str) -> str:
        return value if order == "rgb" else node("Gather", value, constant([2, 1, 0], np.int64), axis=1)

    mean, std = (of_channels(each) for each in RANGES[convention.range_in])
    levels = node("Add", node("Mul", reordered("image", convention.order_in), std), mean)
    levels = node("Clip", node("Round", levels), constant(0), constant(255))
    node("Cast", node("Transpose", levels, perm=[0, 2, 3, 1]), to=TensorProto.UINT8)
    nodes[-1].output[0] = taken
    nodes += inner.graph.node
    mean, std = (of_channels(each) for each in RANGES[convention.range_out])
    levels = node("Transpose", node("Cast", given, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    values = node("Div", node("Sub", levels, mean), std)
    node("Identity", reordered(values, convention.order_out))
    nodes[-1].output[0] = "result"
    shape = ["N", 3, "H", "W"]
    graph = onnx.helper.make_graph(
        nodes,
        "rewritten",
        [onnx.helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info("result", TensorProto.FLOAT, ["N", 3, "P", "Q"])],
        [*inner.graph.initializer, *constants],
    )
    opsets = list(inner.opset_import)
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=inner.ir_version), path)
    return path


def restorer(path: Path, span: str) -> Path:
    """A denoiser: what a blur removes is removed up to 15 of 255 levels; float32 NCHW RGB of that range."""
    levels = float(15 / 255 / RANGES[span].std[0])
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[range(3), range(3)] = np.asarray([[-1, -2, -1], [-2, 12, -2], [-1, -2, -1]]) / 16
    nodes = [
        onnx.helper.make_node("Conv", ["x", "kernel"], ["detail"], pads=[1, 1, 1, 1]),
        onnx.helper.make_node("Clip", ["detail", "least", "most"], ["noise"]),
        onnx.helper.make_node("Sub", ["x", "noise"], ["y"]),
    ]
    values = {"kernel": kernel, "least": np.float32(-levels), "most": np.float32(levels)}
    graph = onnx.helper.make_graph(
        nodes,
        "denoiser",
        [onnx.helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [onnx.helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path
