"""int8: activations and weights of the convolutions, calibrated on photos."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
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
from torch import nn

from export.integers import LARGEST, multiply_in_integers, round_columns
from training.networks import Generator
from training.networks.picture import fold_pixels
from training.networks.swift import FoldedCells, Swift, on_cells

_QUANTIZED = ["Conv", "Relu", "Add", "Slice"]
_NEARLY_ALL = 0.999
"""Of the features of a photo; what is beyond is taken for the largest, so that all others get finer steps."""

_LAYOUTS = (4, 1), (16, 4)
"""Phases of outputs, and of the inputs that count as one, of the convolutions that enlarge."""


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, pictures: Iterable[NDArray[np.uint8]]) -> None:
        self._name = name
        self._pictures: Iterator[NDArray[np.uint8]] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        picture = next(self._pictures, None)
        return None if picture is None else {self._name: picture[np.newaxis]}


def quantized(
    model: onnx.ModelProto, pictures: Iterable[NDArray[np.uint8]], *, rounded: bool = False
) -> onnx.ModelProto:
    """``model`` with its convolutions in int8 (QDQ, unsigned activations, weights per channel).

    Weights use 7 of their 8 bits: x86 processors without VNNI add pairs of products in 16 bits,
    which full 8-bit weights overflow, silently.

    Args:
        model: from :func:`export.graph.onnx_graph`, float32.
        rounded: whether the generator went through :func:`prepare_cells`.
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
            extra_options={
                "ActivationSymmetric": False,
                "WeightSymmetric": True,
                "TensorQuantOverrides": _unit_range(nodes[first].input[0]) if rounded else {},
            },
        )
        result = onnx.load(done)
    balance_phases(result, model)
    multiply_in_integers(result)
    return result


def _unit_range(name: str) -> dict[str, list[dict[str, Any]]]:
    return {name: [{"quant_type": QuantType.QUInt8, "rmin": np.float32(-1), "rmax": np.float32(1)}]}


@torch.no_grad()
def prepare_cells(generator: Generator, pictures: Iterable[NDArray[np.uint8]]) -> Generator:
    """The same, for int8: patterns in 7 bits, features that nearly all lie between -1 and 1, all on cells.

    Before the export, because what is flat must still answer 0 to a rounded pattern once its mean is
    taken away. Features of slopes are small beside those of light and dark, and would be lost if all
    were rounded to the same 256 steps.

    Args:
        generator: a folded one, changed in place.
        pictures: RGB ``(H, W, 3)`` uint8.
    """
    if not isinstance(generator, Swift):
        return generator
    cells = generator.cells
    assert isinstance(cells, FoldedCells)
    whole, steps = (torch.from_numpy(each) for each in round_columns(cells.patterns.numpy()))
    cells.patterns = whole * steps
    reach = torch.full_like(steps, 1e-3)
    for picture in pictures:
        height, width = (side // 8 * 8 for side in picture.shape[:2])
        folded = fold_pixels(torch.from_numpy(picture[np.newaxis, :height, :width].copy()), 4)
        sizes = cells(folded.float(), 255.0).abs().flatten(0, 2)
        torch.maximum(reach, torch.quantile(sizes, _NEARLY_ALL, dim=0), out=reach)
    cells.patterns = whole * (steps / reach)
    generator.stem.conv.weight *= reach[:, None, None]
    assert isinstance(generator.up_full, nn.Conv2d)
    generator.up_full = on_cells(generator.up_full)
    return generator


def balance_phases(model: onnx.ModelProto, source: onnx.ModelProto) -> None:
    """Makes the phases of upsampling convolutions agree again about flat ground.

    Such a layer computes the pixels that a small one becomes in groups of channels, whose kernels have
    equal sums. Rounded one by one their sums differ, and every flat wall gets a grid of a grey level or
    two. So all get one scale, and are rounded to the same sum by the method of largest remainders,
    which moves no weight by more than one step.

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
        layout = layout_of(weight)
        if layout is None:
            continue
        picture, kernel, *biases = (made_by[name].input for name in node.input)
        rounded, scale = round_phases(weight, layout)
        values = {kernel[0]: rounded, kernel[1]: scale}
        for bias in biases:  # One, or none where all of it is 0.
            bias_scale = scale * numpy_helper.to_array(tensors[picture[1]])
            values[bias[0]] = np.rint(floats[original.input[2]] / bias_scale).astype(np.int32)
            values[bias[1]] = bias_scale
        for name, value in values.items():
            tensors[name].CopyFrom(numpy_helper.from_array(value, name))


def layout_of(weight: NDArray[np.float32]) -> tuple[int, int] | None:
    """Phases of outputs and inputs of a kernel ``(Q·O, P·I, H, W)`` whose phases have equal sums."""
    return next((layout for layout in _LAYOUTS if _is_phased(weight, *layout)), None)


def _is_phased(weight: NDArray[np.float32], outputs: int, inputs: int) -> bool:
    if weight.shape[0] % outputs or weight.shape[1] % inputs:
        return False
    sums = _taps(weight, outputs, inputs).sum(3)
    return bool(np.allclose(sums, sums[0], rtol=1e-4, atol=1e-5 * np.abs(weight).max()))


def _taps(weight: NDArray[np.float32], outputs: int, inputs: int) -> NDArray[np.float64]:
    """``(Q·O, P·I, H, W)`` → ``(Q, O, I, P·H·W)``: together what meets one value on flat ground."""
    phases = weight.astype(np.float64).reshape(
        outputs, -1, inputs, weight.shape[1] // inputs, weight[0, 0].size
    )
    return np.moveaxis(phases, 2, 3).reshape(*phases.shape[:2], phases.shape[3], -1)


def round_phases(
    weight: NDArray[np.float32], layout: tuple[int, int]
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A kernel of such phases as integers of 7 bits, and their scales, one an output."""
    outputs, inputs = layout
    taps = _taps(weight, outputs, inputs)
    scale = np.abs(taps).max((0, 2, 3)) / LARGEST
    exact = taps / scale[:, None, None]
    down = np.floor(exact)
    missing = np.rint(exact.sum(3).mean(0)) - down.sum(3)
    # Position of each tap when the taps are sorted by what rounding down took from them.
    rank = np.argsort(np.argsort(down - exact, axis=3, kind="stable"), axis=3)
    rounded = (down + (rank < missing[..., None])).reshape(*taps.shape[:3], inputs, -1)
    back = np.moveaxis(rounded, 3, 2).reshape(weight.shape)
    return back.astype(np.int8), np.tile(scale, outputs).astype(np.float32)
