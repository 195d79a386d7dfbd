"""Rewrites model files with operators that every provider of onnxruntime has, and in bands; weights stay as they are.

``python -m export.operators [FILE.onnx ...]``; without files, all bundled ones. Each rewritten file is run beside
the one before on the CPU provider, must return the same bytes, and is timed against it.

OpenVINO refuses a Pad with an ``axes`` input ("pads_begin mismatches with rank"), so pads get the full rank.
"""

import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnx.shape_inference
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.bands import compute_features_in_bands
from export.rewriting import lower_opset_for_grid_sample
from vidgan.media.tiling import FORMER_NAMES
from vidgan.models.registry import BUNDLED
from vidgan.session.runtime import ort

_SIDES = (180, 320), (97, 171)
_ROUNDS = 7
_MOST_SECONDS = 4.0


def plain_pads(model: onnx.ModelProto) -> None:
    """Gives every Pad one number for each side of each axis, in place."""
    graph = model.graph
    constants = _constants(graph)
    inferred = onnx.shape_inference.infer_shapes(model).graph
    ranks = {
        each.name: len(each.type.tensor_type.shape.dim) for each in (*inferred.input, *inferred.value_info)
    }
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "Pad" and len(node.input) == 4 and node.input[3]:
            axes = [int(each) for each in constants[node.input[3]]]
            nodes += _full_rank(node, axes, ranks[node.input[0]])
        nodes.append(node)
    _replace(graph, nodes)


def _full_rank(node: onnx.NodeProto, axes: list[int], rank: int) -> list[onnx.NodeProto]:
    """The nodes that make the pads of all axes from those of some; the Pad node takes them."""
    base = f"{node.name or node.output[0]}_pads"
    zero = helper.make_node("Constant", [], [f"{base}_zero"], value_ints=[0])
    count = len(axes)
    parts = [f"{base}_{index}" for index in range(2 * count)]
    split = helper.make_node("Split", [node.input[1]], parts, axis=0, num_outputs=2 * count)
    places = [axes.index(axis) if axis in axes else None for axis in range(rank)]
    first = [zero.output[0] if place is None else parts[place] for place in places]
    last = [zero.output[0] if place is None else parts[place + count] for place in places]
    joined = helper.make_node("Concat", first + last, [f"{base}_full"], axis=0)
    inputs = [node.input[0], joined.output[0], node.input[2]]
    del node.input[:]
    node.input.extend(inputs if inputs[2] else inputs[:2])
    return [zero, split, joined]


def current_names(model: onnx.ModelProto) -> None:
    """Gives inputs and outputs the names that they have today, in place."""
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = FORMER_NAMES.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [FORMER_NAMES.get(each, each) for each in node.input]
        node.output[:] = [FORMER_NAMES.get(each, each) for each in node.output]


def no_initializer_inputs(model: onnx.ModelProto) -> None:
    """Takes initializers from the inputs, in place; providers that compile whole graphs take no such inputs."""
    known = {each.name for each in model.graph.initializer}
    kept = [onnx.ValueInfoProto.FromString(each.SerializeToString()) for each in model.graph.input]
    del model.graph.input[:]
    model.graph.input.extend(each for each in kept if each.name not in known)


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.int64]]:
    found = {
        each.name: numpy_helper.to_array(each)
        for each in graph.initializer
        if each.dims and len(each.dims) < 2
    }
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type == "Constant" and node.attribute[0].name == "value_ints":
            found[node.output[0]] = np.array(node.attribute[0].ints, np.int64)
    return found


def _replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def rewritten(data: bytes) -> bytes:
    """The model with plain operators, today's names, and patch features in bands."""
    model = onnx.load_from_string(data)
    plain_pads(model)
    current_names(model)
    no_initializer_inputs(model)
    lower_opset_for_grid_sample(model)
    compute_features_in_bands(model)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def compare(before: bytes, after: bytes) -> tuple[float, float]:
    """Milliseconds of both for 320×180, taking turns.

    Raises:
        ValueError: they do not return the same.
    """
    old, new = (_session(each) for each in (before, after))
    for sides in _SIDES:
        feeds = _feeds(old, sides)
        ours = dict(zip((each.name for each in new.get_inputs()), feeds.values(), strict=True))
        for one, other in zip(old.run(None, feeds), new.run(None, ours), strict=True):
            if not np.array_equal(one, other):
                raise ValueError("the rewritten model returns something else")
    best = [float("inf"), float("inf")]
    feeds = _feeds(old, _SIDES[0])
    ours = dict(zip((each.name for each in new.get_inputs()), feeds.values(), strict=True))
    begun = time.perf_counter()
    for _ in range(_ROUNDS):
        if time.perf_counter() - begun > _MOST_SECONDS:
            break
        for index, (session, feed) in enumerate(((old, feeds), (new, ours))):
            started = time.perf_counter()
            session.run(None, feed)
            best[index] = min(best[index], 1000 * (time.perf_counter() - started))
    return best[0], best[1]


def _session(data: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _feeds(session: ort.InferenceSession, sides: tuple[int, int]) -> dict[str, NDArray[np.generic]]:
    """Random images of that size; a recurrent state has sides up to the next multiple of the stride."""
    rng = np.random.default_rng(0)
    height, width = (side - side % 2 for side in sides) if len(session.get_inputs()) == 2 else sides
    feeds: dict[str, NDArray[np.generic]] = {}
    for value in session.get_inputs():
        if value.type == "tensor(float)":
            stride = int(session.get_modelmeta().custom_metadata_map.get("vidgan.stride", "1"))
            rows, columns = (-(-side // stride) * stride for side in (height, width))
            feeds[value.name] = rng.random((1, int(value.shape[1]), rows, columns), np.float32)
            continue
        halved = value.shape[-1] == 2
        shape = (1, height // (2 if halved else 1), width // (2 if halved else 1))
        channels = [each for each in value.shape[3:] if isinstance(each, int)]
        most = (
            5
            if len(value.shape) == 3 and not any(each.shape[-1] == 2 for each in session.get_inputs())
            else 256
        )
        feeds[value.name] = rng.integers(0, most, (*shape, *channels), np.uint8)
    return feeds


def main() -> None:
    paths = [Path(each) for each in sys.argv[1:]] or sorted(BUNDLED.rglob("*.onnx"))
    for path in paths:
        before = path.read_bytes()
        after = rewritten(before)
        if after == before:
            print(f"{path}: plain already")
            continue
        old, new = compare(before, after)
        path.write_bytes(after)
        print(f"{path}: the same bytes, {old:.1f} ms before, {new:.1f} ms after")


if __name__ == "__main__":
    main()
