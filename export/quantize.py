"""int8: activations and weights of the convolutions, calibrated on photos."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

_QUANTIZED = ["Conv", "Relu", "Add", "Slice"]
_PHASES = 4
_LARGEST = 63


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, pictures: Iterable[NDArray[np.uint8]]) -> None:
        self._name = name
        self._pictures: Iterator[NDArray[np.uint8]] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        picture = next(self._pictures, None)
        return None if picture is None else {self._name: picture[np.newaxis]}


def quantized(model: onnx.ModelProto, pictures: Iterable[NDArray[np.uint8]]) -> onnx.ModelProto:
    """``model`` with its convolutions in int8 (QDQ, unsigned activations, weights per channel).

    Weights use 7 of their 8 bits: x86 processors without VNNI add pairs of products in 16 bits,
    which full 8-bit weights overflow, silently.

    Args:
        model: from :func:`export.graph.onnx_graph`, float32.
        pictures: RGB ``(H, W, 3)`` uint8 to calibrate the ranges of activations with.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, done = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
        onnx.save(model, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        first = next(index for index, node in enumerate(nodes) if node.op_type == "Conv")
        quantize_static(
            prepared,
            done,
            _Pictures(model.graph.input[0].name, pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_QUANTIZED,
            # Statistics of the input stay in float, and so does the first convolution: in 256 steps a slope
            # becomes stairs, which generators take for something to draw along.
            nodes_to_exclude=[node.name for node in nodes[: first + 1]],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )
        result = onnx.load(done)
    balance_phases(result, model)
    return result


def balance_phases(model: onnx.ModelProto, source: onnx.ModelProto) -> None:
    """Makes the phases of upsampling convolutions agree again about flat ground.

    Such a layer computes the four pixels that a small one becomes in four groups of channels, whose
    kernels have equal sums. Rounded one by one their sums differ, and every flat wall gets a grid of
    a grey level or two. So the four get one scale, and are rounded to the same sum by the method of
    largest remainders, which moves no weight by more than one step.

    Args:
        model: from :func:`quantized`, changed in place.
        source: the float32 model that it was made of.
    """
    tensors = {each.name: each for each in model.graph.initializer}
    made_by = {name: node for node in model.graph.node for name in node.output}
    originals = [node for node in source.graph.node if node.op_type == "Conv"]
    floats = {each.name: numpy_helper.to_array(each) for each in source.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    for node, original in zip(convolutions, originals, strict=True):
        weight = floats[original.input[1]]
        if not is_phased(weight):
            continue
        picture, kernel, *biases = (made_by[name].input for name in node.input)
        rounded, scale = round_phases(weight)
        values = {kernel[0]: rounded, kernel[1]: scale}
        for bias in biases:  # One, or none where all of it is 0.
            bias_scale = scale * numpy_helper.to_array(tensors[picture[1]])
            values[bias[0]] = np.rint(floats[original.input[2]] / bias_scale).astype(np.int32)
            values[bias[1]] = bias_scale
        for name, value in values.items():
            tensors[name].CopyFrom(numpy_helper.from_array(value, name))


def is_phased(weight: NDArray[np.float32]) -> bool:
    """Whether a kernel ``(4·O, I, H, W)`` consists of four phases with equal sums."""
    if weight.shape[0] % _PHASES:
        return False
    sums = weight.sum((2, 3)).reshape(_PHASES, -1)
    return bool(np.allclose(sums, sums[0], rtol=1e-4, atol=1e-5 * np.abs(weight).max()))


def round_phases(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A kernel of four phases as integers of 7 bits, and their scales, ``(4·O,)``."""
    phases = weight.astype(np.float64).reshape(_PHASES, -1, *weight.shape[1:])
    scale = np.abs(phases).max((0, 2, 3, 4)) / _LARGEST
    exact = (phases / scale[:, None, None, None]).reshape(*phases.shape[:3], -1)
    down = np.floor(exact)
    missing = np.rint(exact.sum(3).mean(0)) - down.sum(3)
    # Position of each tap when the taps are sorted by what rounding down took from them.
    rank = np.argsort(np.argsort(down - exact, axis=3, kind="stable"), axis=3)
    up = rank < missing[..., None]
    return (down + up).reshape(weight.shape).astype(np.int8), np.tile(scale, _PHASES).astype(np.float32)
