"""int8: activations and weights of the convolutions, calibrated on photos."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
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

from export.integers import (
    multiply_in_integers,
    pad_in_integers,
    round_columns,
    skip_rounding_twice,
)
from training.networks import Generator
from training.networks.picture import fold_pixels
from training.networks.swift import FoldedCells, Swift, on_cells
from vidgan.universal.rounding import layouts_of, round_phases

_QUANTIZED = ["Conv", "Relu", "Add", "Slice"]
_NEARLY_ALL = 0.999
"""Of the features of a photo; what is beyond is taken for the largest, so that all others get finer steps."""

Feed = dict[str, NDArray[np.uint8]]
"""What a model takes, by its inputs' names."""


class _Feeds(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def quantized(model: onnx.ModelProto, feeds: Iterable[Feed], *, on_cells: bool = False) -> onnx.ModelProto:
    """``model`` with its convolutions in int8 (QDQ, unsigned activations, weights per channel).

    Weights use 7 of their 8 bits: x86 processors without VNNI add pairs of products in 16 bits,
    which full 8-bit weights overflow, silently.

    Args:
        model: from :func:`export.graph.onnx_graph`, float32.
        on_cells: whether the generator went through :func:`prepare_cells`.
        feeds: to calibrate the ranges of activations with.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, done = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
        onnx.save(model, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        convolutions = [index for index, node in enumerate(nodes) if node.op_type == "Conv"]
        first, last = convolutions[0], convolutions[-1]
        quantize_static(
            prepared,
            done,
            _Feeds(feeds),
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
                "TensorQuantOverrides": {
                    # The steps of the bytes that come out.
                    **_range(_picture_of(nodes[last], nodes), 0, 1),
                    **(_range(nodes[first].input[0], -1, 1) if on_cells else {}),
                },
            },
        )
        result = onnx.load(done)
    balance_phases(result, model)
    multiply_in_integers(result)
    pad_in_integers(result)
    skip_rounding_twice(result)
    return result


def _picture_of(last: onnx.NodeProto, nodes: Sequence[onnx.NodeProto]) -> str:
    """What becomes bytes in the end: what the last convolution gives, or the sum that it is part of."""
    made_by = {name: node for node in nodes for name in node.output}
    final = next(node for node in reversed(nodes) if node.op_type == "QuantizeLinear")
    whole = made_by[final.input[0]]
    return str(whole.output[0] if whole.op_type == "Add" else last.output[0])


def _range(name: str, least: float, most: float) -> dict[str, list[dict[str, Any]]]:
    bounds = {"rmin": np.float32(least), "rmax": np.float32(most)}
    return {name: [{"quant_type": QuantType.QUInt8, **bounds}]}


@torch.no_grad()
def prepare_cells(generator: Generator, pictures: Iterable[NDArray[np.uint8]]) -> Generator:
    """The same, for int8: features that nearly all lie between -1 and 1, and everything on cells.

    Features of slopes are small beside those of light and dark, and would be lost if all were rounded to the
    same 256 steps.

    Args:
        generator: a folded one, changed in place.
        pictures: RGB ``(H, W, 3)`` uint8.
    """
    if not isinstance(generator, Swift):
        return generator
    cells = generator.cells
    assert isinstance(cells, FoldedCells)
    reach = torch.full_like(cells.patterns[0], 1e-3)
    for picture in pictures:
        height, width = (side // 8 * 8 for side in picture.shape[:2])
        folded = fold_pixels(torch.from_numpy(picture[np.newaxis, :height, :width].copy()), 4)
        sizes = cells(folded.float(), 255.0, generator.given_light(255.0))[0].abs().flatten(0, 2)
        torch.maximum(reach, torch.quantile(sizes, _NEARLY_ALL, dim=0), out=reach)
    cells.patterns = cells.patterns / reach
    generator.stem.conv.weight *= reach[:, None, None]
    assert isinstance(generator.up_full, nn.Conv2d)
    generator.up_full = on_cells(generator.up_full)
    return generator


@torch.no_grad()
def round_patterns(generator: Generator) -> Generator:
    """The same with patterns of cells in 7 bits, changed in place.

    Before the export, because what is flat must still answer 0 to a rounded pattern once its mean is
    taken away.
    """
    if isinstance(generator, Swift) and isinstance(generator.cells, FoldedCells):
        whole, steps = round_columns(generator.cells.patterns.numpy())
        generator.cells.patterns = torch.from_numpy(whole * steps)
    return generator


def balance_phases(model: onnx.ModelProto, source: onnx.ModelProto) -> None:
    """Makes the phases of upsampling convolutions agree again about flat ground.

    See :func:`vidgan.universal.rounding.round_phases`.

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
        layouts = layouts_of(weight)
        if layouts is None:
            continue
        picture, kernel, *biases = (made_by[name].input for name in node.input)
        rounded, scale = round_phases(weight, layouts)
        values = {kernel[0]: rounded, kernel[1]: scale}
        for bias in biases:  # One, or none where all of it is 0.
            bias_scale = scale * numpy_helper.to_array(tensors[picture[1]])
            values[bias[0]] = np.rint(floats[original.input[2]] / bias_scale).astype(np.int32)
            values[bias[1]] = bias_scale
        for name, value in values.items():
            tensors[name].CopyFrom(numpy_helper.from_array(value, name))
