"""Integer arithmetic between and around the convolutions of an int8 model."""

import numpy as np
import onnx
import onnx.helper
from numpy.typing import NDArray
from onnx import numpy_helper

from vidgan.models.universal.rounding import LARGEST

DOMAIN = "com.microsoft"


def round_columns(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix rounded to integers, and the quantization step of each column."""
    steps = np.abs(matrix).max(0) / LARGEST
    return np.rint(matrix / steps).astype(np.int8), steps.astype(np.float32)


def multiply_in_integers(model: onnx.ModelProto) -> None:
    """``MatMul(Cast(bytes), matrix)`` → onnxruntime's ``MatMulIntegerToFloat(bytes, matrix)``, in place.

    It replaces products with matrices that :func:`round_columns` does not change.
    """
    graph = model.graph
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    casts = {each.output[0]: each for each in graph.node if each.op_type == "Cast"}
    unit = numpy_helper.from_array(np.array(1, np.float32), "unit_step")
    for node in [each for each in graph.node if each.op_type == "MatMul" and each.input[0] in casts]:
        matrix = constants.get(node.input[1])
        if matrix is None:
            continue
        whole, steps = round_columns(matrix)
        if not np.allclose(whole * steps, matrix, rtol=0, atol=1e-5 * np.abs(matrix).max()):
            continue
        tensors = {f"{node.output[0]}_whole": whole, f"{node.output[0]}_steps": steps}
        graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in tensors.items())
        bytes_ = casts[node.input[0]].input[0]
        product, by_column = tensors
        node.CopyFrom(
            onnx.helper.make_node(
                "MatMulIntegerToFloat",
                [bytes_, product, unit.name, by_column],
                [node.output[0]],
                domain=DOMAIN,
            )
        )
    graph.initializer.append(unit)
    if DOMAIN not in {each.domain for each in model.opset_import}:
        model.opset_import.append(onnx.helper.make_opsetid(DOMAIN, 1))
    _prune(graph)


def pad_in_integers(model: onnx.ModelProto) -> None:
    """``Pad`` → ``QuantizeLinear`` becomes ``QuantizeLinear`` → ``Pad``, in place.

    It moves padding by repetition or reflection, whose values are the same before and after quantization, to a quarter
    of the bytes.
    """
    graph = model.graph
    for pad in [each for each in graph.node if each.op_type == "Pad" and _repeats(each)]:
        readers = [each for each in graph.node if pad.output[0] in each.input]
        if len(readers) != 1 or readers[0].op_type != "QuantizeLinear":
            continue
        (rounding,) = readers
        rounded, whole = f"{pad.input[0]}_before_{pad.name}", rounding.output[0]
        rounding.input[0], rounding.output[0] = pad.input[0], rounded
        pad.input[0], pad.output[0] = rounded, whole
        first, second = onnx.NodeProto(), onnx.NodeProto()
        first.CopyFrom(rounding)
        second.CopyFrom(pad)
        pad.CopyFrom(first)
        rounding.CopyFrom(second)


def remove_requantization(model: onnx.ModelProto) -> None:
    """Removes every ``DequantizeLinear`` → ``QuantizeLinear`` that returns its input, in place."""
    graph = model.graph
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    producers = {name: node for node in graph.node for name in node.output}
    same: dict[str, str] = {}
    for node in [each for each in graph.node if each.op_type == "QuantizeLinear"]:
        before = producers.get(node.input[0])
        if before is None or before.op_type != "DequantizeLinear":
            continue
        if all(_alike(constants, *names) for names in zip(before.input[1:], node.input[1:], strict=True)):
            same[node.output[0]] = before.input[0]
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]
    _prune(graph)


def _alike(constants: dict[str, NDArray[np.float32]], one: str, other: str) -> bool:
    """Whether two steps, or zero points, are equal up to rounding errors of calibration."""
    a, b = constants.get(one), constants.get(other)
    return a is not None and b is not None and a.dtype == b.dtype and np.allclose(a, b, rtol=1e-6, atol=0)


def _repeats(pad: onnx.NodeProto) -> bool:
    return any(each.name == "mode" and each.s in (b"edge", b"reflect") for each in pad.attribute)


def _prune(graph: onnx.GraphProto) -> None:
    """Removes nodes and initializers that nothing uses."""
    used = {name for node in graph.node for name in node.input} | {each.name for each in graph.output}
    while unused := [each for each in graph.node if not set(each.output) & used]:
        for node in unused:
            graph.node.remove(node)
        used = {name for node in graph.node for name in node.input} | {each.name for each in graph.output}
    for tensor in [each for each in graph.initializer if each.name not in used]:
        graph.initializer.remove(tensor)
