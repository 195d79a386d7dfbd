"""A run of ``any-style`` becomes what is folded for each painting: predictor, kernels and templates."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from torch import Tensor, nn

from export.graph import checked_graph, onnx_graph, traced_graph, yuv420_graph
from export.leaves import dead_leaves
from export.model_file import describe
from export.parity import feed_of
from export.quantize import quantized
from export.rewriting import pad_as_floats, store_as_float16
from export.yuv420 import yuv_from_rgb_blocks
from training.data.photos import list_photos, split_held_out
from training.losses.networks import LossNetworks
from training.networks.any_style import AnyStyle, StyledSwift
from training.networks.pixels import pixel_unshuffle
from training.networks.style_encoder import StyleEncoder
from training.networks.style_target import StyleTarget, color_statistics
from training.networks.swift import Swift
from training.recipes.any_style import AnyStyleConfig
from training.recipes.runs import Run, load_network
from vidgan.models.universal.calibration import CELLS
from vidgan.models.universal.generator import KERNELS, PREDICTOR
from vidgan.models.universal.kernels import TABLE
from vidgan.models.universal.painting_size import SIDE_LEFT
from vidgan.models.universal.rounding import LARGEST

_PREFIX = "network."
_SCALE = "_scale"
_FEW = 2
_PHOTOS = 64
_LEAVES, _LEAF_SIDE = 16, 160


class StylePredictor(nn.Module):
    """A painting ``(1, H, W, 3)`` uint8 RGB, and how much of photos is kept, ``(1, 1)`` → ``(1, size)``.

    Args:
        trunk: the loss networks whose layers the encoder looks at.
    """

    def __init__(self, trunk: LossNetworks, encoder: StyleEncoder) -> None:
        super().__init__()
        self.trunk = trunk
        self.encoder = encoder

    def forward(self, painting: Tensor, fidelity: Tensor) -> Tensor:
        images = painting.permute(0, 3, 1, 2).float() / 255
        features = {layer: x.flatten(2) for layer, x in self.trunk(images).items()}
        mean, covariance = color_statistics(images)
        target = StyleTarget(
            means={layer: flat.mean(2) for layer, flat in features.items()},
            grams={layer: flat @ flat.mT / flat.shape[2] for layer, flat in features.items()},
            mean=mean,
            covariance=covariance,
            whitening=covariance,
        )
        return self.encoder(target, fidelity)


def write_universal(run: Run, photos: Sequence[Path], facts: dict[str, Any], out: Path) -> None:
    """Writes the network of a run into the folder ``out``.

    Args:
        run: of ``any-style``.
        photos: folders to bring features between -1 and 1 with; those of the run if there are none.
        facts: name, title and license, for models made from the templates.
    """
    network, config = load_network(run), run.config
    assert isinstance(network, AnyStyle) and isinstance(config, AnyStyleConfig)
    weights = {name: Path(path) for name, path in config.weights.items()}
    predictor = StylePredictor(LossNetworks(config.style_layers, weights), network.encoder).eval()
    folders = photos or [Path(each) for each in config.photos]
    training, _ = split_held_out(list_photos(folders))
    taken = [network.read_input(path) for path in training[:: max(1, len(training) // _PHOTOS)]]
    out.mkdir(parents=True, exist_ok=True)
    graph = predictor_graph(predictor)
    store_as_float16(graph)
    (out / PREDICTOR).write_bytes(graph.SerializeToString())
    generator = network.generator
    # Any style will do: of all of them the graphs are the same.
    vector = predictor(taken[0][None, :67, :67], torch.full((1, 1), 0.5))[0]
    points = {}
    for name, model in _models(lambda: generator.for_style(vector), taken):
        points[name] = points_of(model)
        make_template(model)
        layout = "yuv420" if name.endswith("yuv420") else "rgb"
        told = {"task": "style", "precision": name.removesuffix("-yuv420"), "layout": layout}
        described = {"steps": run.steps, "recipe": config.without_paths()}
        describe(model, facts | described | told)
        (out / f"{name}.onnx").write_bytes(model.SerializeToString())
    arrays = arrays_of(generator, *_calibration_of(generator.for_style(vector), taken))
    table = {"size": generator.vector_size, "points": points, "layers": _table_of(generator)}
    written = np.frombuffer(json.dumps(table).encode(), np.uint8)
    np.savez_compressed(out / KERNELS, allow_pickle=False, **arrays, **{TABLE: written})


def predictor_graph(predictor: StylePredictor) -> onnx.ModelProto:
    """Paintings → style vectors; sides are those of :func:`vidgan.models.universal.painting_size.painting_size`."""
    example = torch.zeros(1, 8 * 20 + SIDE_LEFT, 8 * 16 + SIDE_LEFT, 3, dtype=torch.uint8)
    rows, columns = torch.export.Dim("rows", min=8), torch.export.Dim("columns", min=8)
    height, width = 8 * rows + SIDE_LEFT, 8 * columns + SIDE_LEFT
    arguments, shapes = (example, torch.full((1, 1), 0.5)), ({1: height, 2: width}, None)
    return checked_graph(
        traced_graph(predictor.eval(), arguments, ["painting", "fidelity"], ["vector"], shapes)
    )


def make_template(model: onnx.ModelProto) -> None:
    """Takes away what a style decides, in place: such initializers get a size of 0."""
    for tensor in model.graph.initializer:
        if _is_styled(tensor.name):
            kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            tensor.CopyFrom(numpy_helper.from_array(np.zeros(0, kind), tensor.name))


def points_of(model: onnx.ModelProto) -> dict[str, str]:
    """Points of an int8 model: what each activation's steps belong to, and what each layer reads.

    See :func:`vidgan.models.universal.generator.rounded_values`.
    """
    made_by = {name: node for node in model.graph.node for name in node.output}
    points = {}
    for node in model.graph.node:
        rounding = node.op_type == "QuantizeLinear" and node.input[1].endswith(_SCALE)
        back = node.op_type == "DequantizeLinear" and not node.input[0].endswith("_quantized")
        if rounding or back:
            points[node.input[1].removesuffix(_SCALE)] = _point_of(node.input[0], made_by)
        elif node.op_type == "Conv" and made_by[node.input[0]].op_type == "DequantizeLinear":
            points[f"<{_layer_of(node, made_by)}"] = _point_of(node.input[0], made_by)
    return points


def arrays_of(generator: StyledSwift, reach: Tensor, cells: NDArray[np.int8]) -> dict[str, NDArray[Any]]:
    """The arrays that :class:`vidgan.models.universal.kernels.Kernels` reads; kernels as float16."""
    arrays: dict[str, NDArray[Any]] = {
        "cells": cells,
        "reach": reach.detach().numpy(),
        "samples": yuv_from_rgb_blocks().numpy(),
    }
    for name in generator.slices:
        kernel = generator.kernel(name)
        for part, tensor in {"kernel": kernel.weight, "experts": kernel.experts}.items():
            arrays[f"{name}.{part}"] = tensor.detach().numpy().astype(np.float16)
        arrays[f"{name}.gain"] = kernel.gain.numpy()
        arrays[f"{name}.bias"] = kernel.bias.detach().numpy()
    return arrays


@torch.no_grad()
def _calibration_of(swift: Swift, photos: list[Tensor]) -> tuple[Tensor, NDArray[np.int8]]:
    """By what features are divided, ``(C,)``, and then those of some images, ``(N, C, H, W)`` in 1/127."""
    before = swift.stem.conv.weight.clone()
    swift.prepare_int8(photos)
    reach = (swift.stem.conv.weight / before).flatten(2).nanmean((0, 2))
    images = np.stack(dead_leaves(_LEAVES, _LEAF_SIDE))
    features, _ = swift.patch_features(pixel_unshuffle(torch.from_numpy(images), 4).float(), 255.0, None)
    cells = (127 * features.clamp(-1, 1)).round().to(torch.int8).permute(0, 3, 1, 2)
    return reach, np.ascontiguousarray(cells.numpy())


def _models(load: Callable[[], Swift], photos: list[Tensor]) -> Iterator[tuple[str, onnx.ModelProto]]:
    """The models of one style by the names of their files, all of one structure with those of any other."""
    whole, half = onnx_graph(load()), onnx_graph(load().half())
    pad_as_floats(whole, TensorProto.FLOAT)
    pad_as_floats(half, TensorProto.FLOAT16)
    yield "float32", whole
    yield "float16", half
    swift = load()
    swift.prepare_int8(photos, levels=LARGEST)
    graph, reach = onnx_graph(swift), swift.export_spec().int8_input_range
    # Ranges are found again for each style.
    few = [each.numpy() for each in photos[:_FEW]]
    yield "int8", quantized(graph, [feed_of(graph, each) for each in few], input_range=reach)
    planar = load()
    planar.prepare_int8(photos)
    graph = yuv420_graph(planar)
    yield "int8-yuv420", quantized(graph, [feed_of(graph, each) for each in few], input_range=reach)


def _is_styled(name: str) -> bool:
    layer = name.removeprefix(_PREFIX)
    if layer == name:
        return name.endswith((_SCALE, "_zero_point"))
    return not layer.startswith("patch_features") and not name.endswith("_zero_point")


def _point_of(name: str, made_by: Mapping[str, onnx.NodeProto]) -> str:
    node = made_by[name]
    if node.op_type == "Conv":
        return _layer_of(node, made_by)
    if node.op_type == "Add":
        before = {_point_of(each, made_by) for each in node.input}
        (block,) = {each for each in before if each.endswith(".second.conv") or each == "up_quarter"}
        return f"{block}+" if block == "up_quarter" else block.removesuffix(".second.conv")
    if node.op_type in ("Mul", "Sub"):
        return CELLS
    return _point_of(node.input[0], made_by)


def _layer_of(conv: onnx.NodeProto, made_by: Mapping[str, onnx.NodeProto]) -> str:
    kernel = made_by[conv.input[1]].input[0]
    return kernel.removeprefix(_PREFIX).removesuffix(".weight_quantized")


def _table_of(generator: StyledSwift) -> dict[str, dict[str, list[int]]]:
    return {
        name: {part: [each.start, each.stop] for part, each in vars(places).items()}
        for name, places in generator.slices.items()
    }
