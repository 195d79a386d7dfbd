"""int8: activations and weights of the convolutions, calibrated on photos."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

_QUANTIZED = ["Conv", "Relu", "Add"]


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
            # Statistics of the input stay in float.
            nodes_to_exclude=[node.name for node in nodes[:first]],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )
        return onnx.load(done)
