"""Rewriting of ONNX graphs: padding that runtimes are slow at or cannot do, and storage of weights."""

import numpy as np
import onnx
import onnx.helper
from onnx import numpy_helper

from training.core.weights import HALVED

_FORMER_MODES = {b"linear": b"bilinear", b"cubic": b"bicubic"}
_OPSET_WITH_FORMER_MODES = 18

_MIN_VALUES = 1000
"""Weights with fewer values are stored as they are."""


def slice_negative_pads(graph: onnx.GraphProto) -> None:
    """Replaces each Pad that only crops by a Slice, in place: onnxruntime slices int8, but pads only floats."""
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in [each for each in graph.node if each.op_type == "Pad" and each.input[1] in constants]:
        pads = constants[node.input[1]]
        if pads.max() > 0:
            continue
        axes = np.flatnonzero(pads[: pads.size // 2])
        bounds = {"first": -pads[axes], "last": pads[axes + pads.size // 2], "axes": axes}
        names = [f"{node.name}_{name}" for name in bounds]
        for name, values in zip(names, bounds.values(), strict=True):
            graph.initializer.append(numpy_helper.from_array(values.astype(np.int64), name))
        node.op_type = "Slice"
        del node.attribute[:]
        node.input[:] = [node.input[0], *names]


def pad_as_floats(model: onnx.ModelProto, float_type: int) -> None:
    """Pads the model's inputs as floats, in place.

    Onnxruntime pads bytes on the CPU only, and a node on the CPU prevents CUDA graphs.

    Args:
        float_type: as of :class:`onnx.TensorProto`; it must represent all bytes.
    """
    graph = model.graph
    inputs = {each.name for each in graph.input if each.type.tensor_type.elem_type == onnx.TensorProto.UINT8}
    nodes = []
    for node in graph.node:
        if node.op_type != "Pad" or node.input[0] not in inputs:
            nodes.append(node)
            continue
        source, padded = node.input[0], node.output[0]
        node.input[0], node.output[0] = f"{source}_floats", f"{padded}_floats"
        before = onnx.helper.make_node("Cast", [source], [node.input[0]], to=float_type)
        after = onnx.helper.make_node("Cast", [node.output[0]], [padded], to=onnx.TensorProto.UINT8)
        nodes += [before, node, after]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    onnx.checker.check_model(model, full_check=True)


def store_as_float16(model: onnx.ModelProto) -> None:
    """Stores large weights as float16, in place: half the file. They are cast to float32 when it is loaded.

    Weights keep 11 bits; all arithmetic is in float32 as before.
    """
    graph = model.graph
    for tensor in [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]:
        values = numpy_helper.to_array(tensor)
        if values.size < _MIN_VALUES:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALVED))
        cast = onnx.helper.make_node("Cast", [name + HALVED], [name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)
    onnx.checker.check_model(model, full_check=True)


def store_as_int8(model: onnx.ModelProto) -> None:
    """Stores kernels and matrices as int8 with a scale per row, in place: a quarter of the file.

    They are converted to float32 when it is loaded; all arithmetic is in float32 as before.
    """
    graph = model.graph
    for tensor in [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]:
        values = numpy_helper.to_array(tensor)
        if values.ndim < 2 or values.size < _MIN_VALUES:
            continue
        name = tensor.name
        largest = np.abs(values).max(tuple(range(1, values.ndim)), keepdims=True)
        scale = np.maximum(largest, 1e-12).astype(np.float32) / 127
        tensor.CopyFrom(numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
        # Onnxruntime folds Cast and Mul of constants once; a DequantizeLinear it would run for each image.
        cast = onnx.helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, onnx.helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name]))
        graph.node.insert(0, cast)
    onnx.checker.check_model(model, full_check=True)


def strip_traces(model: onnx.ModelProto) -> None:
    """Removes torch's metadata of each node, in place: stack traces with the paths of this machine."""
    graph = model.graph
    for each in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del each.metadata_props[:]
        each.doc_string = ""


def lower_opset_for_grid_sample(model: onnx.ModelProto) -> None:
    """Gives a model with GridSample an opset in which OpenVINO knows its modes, in place: they were renamed in 20."""
    nodes = [each for each in model.graph.node if each.op_type == "GridSample"]
    for node in nodes:
        for attribute in [each for each in node.attribute if each.name == "mode"]:
            attribute.s = _FORMER_MODES.get(attribute.s, attribute.s)
    for each in model.opset_import:
        if nodes and each.domain == "" and each.version > _OPSET_WITH_FORMER_MODES:
            each.version = _OPSET_WITH_FORMER_MODES
