"""int8 quantization of activations and weights of the convolutions, calibrated on photos."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from export.bands import compute_features_in_bands
from export.integers import multiply_in_integers, pad_in_integers, remove_requantization
from export.model_file import GIVEN_STATS
from vidgan.models.universal.rounding import phase_layout, round_phases

_QUANTIZED = ["Conv", "Relu", "Add", "Slice"]

_INTEGERS: dict[str, Any] = {
    "quant_format": QuantFormat.QDQ,
    "per_channel": True,
    "reduce_range": True,
    "activation_type": QuantType.QUInt8,
    "weight_type": QuantType.QInt8,
    "calibrate_method": CalibrationMethod.MinMax,
}
_SYMMETRY = {"ActivationSymmetric": False, "WeightSymmetric": True}

Feed = dict[str, NDArray[Any]]
"""Inputs of a model by name."""


class _Feeds(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def quantized(
    model: onnx.ModelProto, feeds: Iterable[Feed], *, input_range: tuple[float, float] | None = None
) -> onnx.ModelProto:
    """``model`` with its convolutions in int8 (QDQ, unsigned activations, weights per channel).

    Weights use 7 of their 8 bits: x86 CPUs without VNNI add pairs of products in 16 bits, which full 8-bit weights
    overflow silently.

    Args:
        model: from :func:`export.graph.onnx_graph`, float32.
        feeds: inputs to calibrate the ranges of activations with.
        input_range: of the first convolution's input; None to calibrate it.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, done = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
        onnx.save(_with_stats_as_input(model), plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        convolutions = [index for index, node in enumerate(nodes) if node.op_type == "Conv"]
        first, last = convolutions[0], convolutions[-1]
        quantize_static(
            prepared,
            done,
            _Feeds(feeds),
            op_types_to_quantize=_QUANTIZED,
            # Statistics of the image stay in float.
            nodes_to_exclude=[node.name for node in nodes[:first]],
            extra_options=_SYMMETRY
            | {
                "TensorQuantOverrides": {
                    # The quantization steps of the output bytes.
                    **_range(_output_of(nodes[last], nodes), 0, 1),
                    **(_range(nodes[first].input[0], *input_range) if input_range else {}),
                },
            },
            **_INTEGERS,
        )
        result = onnx.load(done)
    for value in [each for each in result.graph.input if each.name == GIVEN_STATS]:
        result.graph.input.remove(value)
    balance_phases(result, model)
    multiply_in_integers(result)
    pad_in_integers(result)
    remove_requantization(result)
    compute_features_in_bands(result)
    return result


def _with_stats_as_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its initializer of given statistics, if it has one, as an input that may be left out.

    Folding of constants would remove it, and the runtime could not give tiles the statistics of the whole image.
    """
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    if any(each.name == GIVEN_STATS for each in copy.graph.initializer):
        copy.graph.input.append(helper.make_tensor_value_info(GIVEN_STATS, TensorProto.FLOAT, (1, 4)))
    return copy


def quantized_convolutions(graph: onnx.ModelProto, feeds: Iterable[Feed]) -> onnx.ModelProto:
    """``graph`` with its convolutions in int8 (QDQ, unsigned activations, weights per channel of 7 bits).

    All else stays in float, and so does the last convolution, of few channels: its steps would be seen on skin.

    Args:
        graph: of several inputs and a fixed size, float32.
        feeds: inputs to calibrate the ranges of activations with.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, done = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
        onnx.save(graph, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        convolutions = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "Conv"]
        quantize_static(
            prepared,
            done,
            _Feeds(feeds),
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=convolutions[-1:],
            extra_options=_SYMMETRY,
            **_INTEGERS,
        )
        return onnx.load(done)


def _output_of(last: onnx.NodeProto, nodes: Sequence[onnx.NodeProto]) -> str:
    """The tensor that becomes bytes: the last convolution's output, or the sum that it is part of."""
    producers = {name: node for node in nodes for name in node.output}
    final = next(node for node in reversed(nodes) if node.op_type == "QuantizeLinear")
    before = producers[final.input[0]]
    return str(before.output[0] if before.op_type == "Add" else last.output[0])


def _range(name: str, least: float, most: float) -> dict[str, list[dict[str, Any]]]:
    bounds = {"rmin": np.float32(least), "rmax": np.float32(most)}
    return {name: [{"quant_type": QuantType.QUInt8, **bounds}]}


def balance_phases(model: onnx.ModelProto, source: onnx.ModelProto) -> None:
    """Makes all phases of upsampling convolutions give the same output for flat areas again.

    See :func:`vidgan.models.universal.rounding.round_phases`.

    Args:
        model: from :func:`quantized`, changed in place.
        source: the float32 model before quantization.
    """
    tensors = {each.name: each for each in model.graph.initializer}
    producers = {name: node for node in model.graph.node for name in node.output}
    originals = [node for node in source.graph.node if node.op_type == "Conv"]
    floats = {each.name: numpy_helper.to_array(each) for each in source.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    for node, original in zip(convolutions, originals, strict=True):
        weight = floats[original.input[1]]
        layout = phase_layout(weight)
        if layout is None:
            continue
        image, kernel, *biases = (producers[name].input for name in node.input)
        rounded, scale = round_phases(weight, layout)
        values = {kernel[0]: rounded, kernel[1]: scale}
        for bias in biases:  # One, or none if it is 0.
            bias_scale = scale * numpy_helper.to_array(tensors[image[1]])
            values[bias[0]] = np.rint(floats[original.input[2]] / bias_scale).astype(np.int32)
            values[bias[1]] = bias_scale
        for name, value in values.items():
            tensors[name].CopyFrom(numpy_helper.from_array(value, name))
