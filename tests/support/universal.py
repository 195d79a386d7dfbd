"""A small universal style model, made of two bundled styles at once: blue images give the one, red ones the
other, and colors of the image shift those of the style. Its files are of the form that ``python -m export`` writes.
"""

import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.named_styles import predict
from export.universal import make_template, points_of
from export.yuv420 import yuv_from_rgb_blocks
from vidgan.models.registry import BUNDLED
from vidgan.models.universal import KERNELS, PREDICTOR, TEMPLATES
from vidgan.models.universal.kernels import _SPREAD, COLORS, TABLE
from vidgan.models.universal.named_styles import NamedStyle, write_named_styles

BASE, OTHER = "starry", "wave"
"""What a vector of zeros is, but for its colors, and where its one expert leads."""

_SCALE = "_scale"
_CELLS = 1, 12

Arrays = dict[str, NDArray[Any]]


def write_universal_model(folder: Path) -> Path:
    """Writes the model into a folder, which is made; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in _files().items():
        (folder / name).write_bytes(data)
    return folder


def name_styles(
    folder: Path, paintings: Mapping[str, Path], others: Mapping[str, Path] | None = None
) -> None:
    """Writes style vectors beside the model in a folder.

    Args:
        paintings: images of the styles that get a name, by name.
        others: images of the bundled styles that get a vector for blends.
    """
    styles = {
        NamedStyle(
            name=name, title="A Sea", artist="Nobody", year="1900", terms="public domain", source="drawn",
            license="CC-BY-4.0",
        ): predict(folder, path)
        for name, path in paintings.items()
    }  # fmt: skip
    write_named_styles(folder, styles, {name: predict(folder, path) for name, path in (others or {}).items()})


@cache
def _files() -> dict[str, bytes]:
    files, points = {}, {}
    for name in TEMPLATES:
        model = _with_whole_weights(onnx.load(BUNDLED / BASE / f"{name}.onnx"))
        points[name] = points_of(model) if name.startswith("int8") else {}
        make_template(model)
        files[f"{name}.onnx"] = model.SerializeToString()
    arrays, layers, size = _arrays_and_layers()
    table = json.dumps({"size": size, "points": points, "layers": layers}).encode()
    files[KERNELS] = _npz(arrays | {TABLE: np.frombuffer(table, np.uint8)})
    files[PREDICTOR] = _predictor(size, layers).SerializeToString()
    return files


def _npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _with_whole_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights that a style decides as they are computed with."""
    graph = model.graph
    halves = {
        node.output[0]: node for node in graph.node
        if node.op_type == "Cast" and node.input[0].endswith("_half") and "patch_features" not in node.output[0]
    }  # fmt: skip
    values = {each.name: each for each in graph.initializer}
    for name, node in halves.items():
        half = values[node.input[0]]
        whole = numpy_helper.to_array(half).astype(np.float32)
        half.CopyFrom(numpy_helper.from_array(whole, name))
        graph.node.remove(node)
    del graph.value_info[:]
    return model


def _folded(style: str) -> Arrays:
    """Kernels and biases of a bundled style by layer, enlarging ones with four phases an output."""
    model = onnx.load(BUNDLED / style / "float32.onnx")
    values = {each.name: numpy_helper.to_array(each).astype(np.float32) for each in model.graph.initializer}
    return {
        name.removeprefix("network.").removesuffix("_half"): value
        for name, value in values.items()
        if name.startswith("network.") and "patch_features" not in name
    }


def _of_one_phase(folded: NDArray[np.float32]) -> NDArray[np.float32]:
    """The kernel whose four phases these are, by least squares."""
    outputs = len(folded) // 4
    spread = np.einsum("pyk,qxl->pqyxkl", _SPREAD, _SPREAD).reshape(36, 9)
    given = folded.reshape(2, 2, outputs, -1, 3, 3).transpose(0, 1, 4, 5, 2, 3).reshape(36, -1)
    kernel = np.linalg.lstsq(spread, given, rcond=None)[0]
    return kernel.reshape(3, 3, outputs, -1).transpose(2, 3, 0, 1).astype(np.float32)


def _arrays_and_layers() -> tuple[Arrays, dict[str, dict[str, list[int]]], int]:
    base, other = _folded(BASE), _folded(OTHER)
    random = np.random.default_rng(0)
    rounded = onnx.load(BUNDLED / BASE / "int8.onnx")
    values = {each.name: numpy_helper.to_array(each) for each in rounded.graph.initializer}
    stem = "network.stem.conv.weight"
    int8 = values[f"{stem}_quantized"] * values[f"{stem}{_SCALE}"][:, None, None, None]
    reach = (np.abs(int8).sum((0, 2, 3)) / np.abs(base["stem.conv.weight"]).sum((0, 2, 3))).astype(np.float32)
    channels = len(reach)
    arrays: Arrays = {
        "cells": random.normal(0, 30, (_CELLS[0], channels, _CELLS[1], _CELLS[1]))
        .clip(-127, 127)
        .astype(np.int8),
        "reach": reach,
        "samples": np.asarray(yuv_from_rgb_blocks().numpy(), np.float32),
    }
    layers, place = {}, 0
    for name in [each.removesuffix(".weight") for each in base if each.endswith(".weight")]:
        kernels = [styles[f"{name}.weight"] for styles in (base, other)]
        biases = [styles[f"{name}.bias"] for styles in (base, other)]
        if name.startswith("up_"):
            kernels = [_of_one_phase(each) for each in kernels]
            biases = [each[: len(each) // 4] for each in biases]
        arrays[f"{name}.kernel"] = kernels[0]
        arrays[f"{name}.experts"] = (kernels[1] - kernels[0])[None]
        arrays[f"{name}.gain"] = np.sqrt(np.square(kernels[0]).sum((1, 2, 3)))
        arrays[f"{name}.bias"] = biases[0]
        outputs = len(biases[0])
        ends = np.cumsum([place, 1, outputs, outputs]).tolist()
        parts = ("experts", "scale", "shift")
        layers[name] = {part: ends[number : number + 2] for number, part in enumerate(parts)}
        place = ends[-1]
    return arrays, layers, place + COLORS


def _predictor(size: int, layers: dict[str, dict[str, list[int]]]) -> onnx.ModelProto:
    """Mean color of the image → share of the expert by its red, and mean color of the output."""
    base, slope = np.zeros(size, np.float32), np.zeros((3, size), np.float32)
    base[-COLORS:-3] = np.eye(3).ravel()
    base[-3:] = -0.15
    slope[:, -3:] = 0.3 * np.eye(3)
    for part in layers.values():
        slope[0, slice(*part["experts"])], slope[2, slice(*part["experts"])] = 1.0, -1.0
        base[slice(*part["experts"])] = 0.5
    values = {"base": base, "slope": slope, "whole": np.array(1 / 255, np.float32), "axes": np.array([1, 2])}
    nodes = [
        helper.make_node("Cast", ["painting"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "whole"], ["colors"]),
        helper.make_node("ReduceMean", ["colors", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "slope"], ["moved"]),
        helper.make_node("Add", ["moved", "base"], ["unnamed"]),
        helper.make_node("Mul", ["fidelity", "zero"], ["nothing"]),
        helper.make_node("Add", ["unnamed", "nothing"], ["vector"]),
    ]
    values["zero"] = np.array(0, np.float32)
    graph = helper.make_graph(
        nodes,
        "predictor",
        [
            helper.make_tensor_value_info("painting", TensorProto.UINT8, [1, "H", "W", 3]),
            helper.make_tensor_value_info("fidelity", TensorProto.FLOAT, [1, 1]),
        ],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, size])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
