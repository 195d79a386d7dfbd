"""Half-precision graphs as float32, which CPUs compute faster and vidgan's CPU sessions expect."""

import numpy as np
import onnx
from onnx import numpy_helper

_HALF, _FLOAT = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT


def is_half(model: onnx.ModelProto) -> bool:
    """Whether any weight or input is float16."""
    tensors = [each.data_type for each in model.graph.initializer]
    values = [each.type.tensor_type.elem_type for each in (*model.graph.input, *model.graph.output)]
    return _HALF in tensors or _HALF in values


def to_float32(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose tensors, casts and constants are float32 wherever they were float16."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    _widen_graph(model.graph)
    for function in model.functions:
        _widen_nodes(function.node)
    return model


def _widen_graph(graph: onnx.GraphProto) -> None:
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == _HALF:
            value.type.tensor_type.elem_type = _FLOAT
    del graph.value_info[:]
    _widen_nodes(graph.node)


def _widen_nodes(nodes: "list[onnx.NodeProto]") -> None:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype") and attribute.i == _HALF:
                attribute.i = _FLOAT
            if attribute.HasField("t"):
                _widen_tensor(attribute.t)
            if attribute.HasField("g"):
                _widen_graph(attribute.g)
            for graph in attribute.graphs:
                _widen_graph(graph)


def _widen_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == _HALF:
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
