"""Small networks with random weights, as ONNX files of other people are."""

from pathlib import Path

import numpy as np
import onnx
import onnx.helper
from onnx import TensorProto, numpy_helper


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
