"""Patch features of int8 models in bands of rows.

Between the bytes of an image and those of its quantized features are floats, four times as large as anything else in
the graph, which one node after the other reads and writes. The features of a block depend on that block, and on
statistics that are known before. Bands of rows, one after the other, have the same bytes, take half the memory, and
stay in a processor's cache.
"""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import helper

_BANDS = 3
"""More take as much memory, because the trunk takes it then, and longer to load: every node is optimized."""

_HEIGHTS = "rows_by_band"

_ROWS = 1
"""Axis of the rows; channels are last."""


def compute_features_in_bands(model: onnx.ModelProto) -> None:
    """Cuts what :class:`training.networks.patch_features.PatchFeatures` computes into bands, in place.

    A model without quantized patch features stays as it is, and so does one that is cut already.
    """
    graph = model.graph
    path = _path_to_bytes(graph)
    if not path:
        return
    centering, scaling, transpose, rounding = path
    product, mean = (next(each for each in graph.node if name in each.output) for name in centering.input)
    casts = [each for each in graph.node if each.op_type == "Cast" and product.input[0] in each.output]
    blocks = (casts or [product])[0].input[0]
    _round_first(transpose, rounding)
    # The nodes have traded places: the first of both rounds now.
    nodes = [*casts, product, mean, centering, scaling, transpose]
    _cut(graph, nodes, [blocks, mean.input[0], scaling.input[1]])
    onnx.checker.check_model(model)


def _path_to_bytes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that center the features of patches, scale, transpose and round them; none where they do not."""
    rounding = next((each for each in graph.node if each.op_type == "QuantizeLinear"), None)
    path = [] if rounding is None else [rounding]
    for operator in ("Transpose", "Mul", "Sub"):
        producers = [each for each in graph.node if path and path[0].input[0] in each.output]
        if not producers or producers[0].op_type != operator:
            return []
        path.insert(0, producers[0])
    return path


def _round_first(transpose: onnx.NodeProto, rounding: onnx.NodeProto) -> None:
    """``Transpose`` → ``QuantizeLinear`` becomes ``QuantizeLinear`` → ``Transpose``, in place."""
    first, second = (onnx.NodeProto.FromString(each.SerializeToString()) for each in (rounding, transpose))
    first.input[0], second.output[0] = transpose.input[0], rounding.output[0]
    first.output[0] = second.input[0] = f"{transpose.input[0]}_rounded"
    transpose.CopyFrom(first)
    rounding.CopyFrom(second)


def _cut(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto], inputs: Sequence[str]) -> None:
    """Replaces nodes by as many for each band; nothing but what the last one returns is read elsewhere.

    Args:
        inputs: names of the tensors with rows that the nodes read.
    """
    last = nodes[-1]
    cut = {*inputs, *(name for node in nodes for name in node.output)}
    bands = _heights(inputs[0])
    for name in inputs:
        parts = [_in_band(name, band) for band in range(_BANDS)]
        bands.append(helper.make_node("Split", [name, _HEIGHTS], parts, f"{name}_split", axis=_ROWS))
    for band in range(_BANDS):
        for node in nodes:
            copy = onnx.NodeProto.FromString(node.SerializeToString())
            copy.name = _in_band(node.name or node.output[0], band)
            for names in (copy.input, copy.output):
                names[:] = [_in_band(name, band) if name in cut else name for name in names]
            bands.append(copy)
    parts = [_in_band(last.output[0], band) for band in range(_BANDS)]
    bands.append(helper.make_node("Concat", parts, list(last.output), f"{last.output[0]}_joined", axis=_ROWS))
    others = [each for each in graph.node if each not in nodes]
    replaced = [last] + [each for each in nodes[:-1] if not _is_read(each, others)]
    place = list(graph.node).index(last)
    for node in reversed(bands):
        graph.node.insert(place, node)
    for node in replaced:
        graph.node.remove(node)


def _heights(blocks: str) -> list[onnx.NodeProto]:
    """Nodes that compute the rows of each band; the last one has what is left."""

    def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(operator, inputs, [output], output, **attributes)

    band, before = "rows_of_a_band", "rows_before_the_last_band"
    return [
        node("Shape", [blocks], "rows", start=_ROWS, end=_ROWS + 1),
        node("Constant", [], "bands", value_ints=[_BANDS]),
        node("Div", ["rows", "bands"], band),
        node("Concat", [band] * (_BANDS - 1), "rows_of_bands", axis=0),
        node("ReduceSum", ["rows_of_bands"], before),
        node("Sub", ["rows", before], "rows_of_the_last_band"),
        node("Concat", ["rows_of_bands", "rows_of_the_last_band"], _HEIGHTS, axis=0),
    ]


def _is_read(node: onnx.NodeProto, others: Sequence[onnx.NodeProto]) -> bool:
    return any(set(node.output).intersection(each.input) for each in others)


def _in_band(name: str, band: int) -> str:
    return f"{name}_band_{band}"
