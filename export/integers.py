"""The way from bytes to the first convolution of an int8 model, in integers for as long as can be."""

import numpy as np
import onnx
import onnx.helper
from numpy.typing import NDArray
from onnx import numpy_helper

LARGEST = 63
"""Of weights: 7 bits of 8, because x86 processors without VNNI overflow on more, silently."""

DOMAIN = "com.microsoft"


def round_columns(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """The whole numbers nearest to a matrix, and the step of each column."""
    steps = np.abs(matrix).max(0) / LARGEST
    return np.rint(matrix / steps).astype(np.int8), steps.astype(np.float32)


def multiply_in_integers(model: onnx.ModelProto) -> None:
    """``MatMul(Cast(bytes), matrix)`` → onnxruntime's ``MatMulIntegerToFloat(bytes, matrix)``, in place.

    Of matrices that :func:`round_columns` leaves as they are.
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


def _prune(graph: onnx.GraphProto) -> None:
    """Removes what nothing uses any more."""
    used = {name for node in graph.node for name in node.input} | {each.name for each in graph.output}
    for node in [each for each in graph.node if not set(each.output) & used]:
        graph.node.remove(node)
    for tensor in [each for each in graph.initializer if each.name not in used]:
        graph.initializer.remove(tensor)
