"""Faces for tests: points where a face has them, images, and networks small enough for a test."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.helper
import torch
from onnx import TensorProto, numpy_helper
from safetensors.torch import save_file

from tests.support.upscalers import random_lpips
from training.networks.recognizer import _BLOCKS
from training.recipes.deidentify import DeidentifyConfig
from vidgan.media.face_guides import BROWS, EYES, LIPS, NOSE, POINTS, Points

LEFT_EYE, RIGHT_EYE = (54.5, 59.5), (89.5, 59.5)
"""Places in aligned images, in columns and rows."""


def mesh(*, opening: float = 5.0) -> Points:
    """Points of a face that looks ahead, in an aligned image, ``(468, 2)``.

    Args:
        opening: of the eyes, in pixels.
    """
    angles = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    points = np.stack([72 + 38 * np.sin(angles), 78 - 50 * np.cos(angles)], 1).astype(np.float32)
    for rim, center, start in zip(EYES, (RIGHT_EYE, LEFT_EYE), (0, np.pi), strict=True):
        around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        sign = 1 if start == 0 else -1
        points[list(rim)] = np.stack(
            [center[0] + 10 * np.cos(around + start), center[1] + sign * opening * np.sin(around + start)], 1
        )
    for lip, height in zip(LIPS, (6, 3), strict=True):
        around = np.linspace(np.pi, 3 * np.pi, len(lip), endpoint=False)
        points[list(lip)] = np.stack([72 + 15 * np.cos(around), 104 - height * np.sin(around)], 1)
    for brow, left in zip(BROWS, (80, 44), strict=True):
        points[list(brow)] = np.stack([left + np.linspace(0, 20, 5), np.full(5, 48.0)], 1)
    points[list(NOSE[0])] = np.stack([np.full(6, 72.0), np.linspace(60, 84, 6)], 1)
    points[list(NOSE[1])] = np.stack([np.linspace(64, 80, 5), np.full(5, 88.0)], 1)
    points[152] = 72, 128
    return points


def write_faces(folder: Path, count: int, *, people: int | None = None) -> Path:
    """Aligned images, 144×144, of soft noise with two eyes and a mouth."""
    folder.mkdir(parents=True)
    for number in range(count):
        random = np.random.default_rng(number + 1000 * len(folder.name))
        image = cv2.resize(random.uniform(60, 220, (9, 9, 3)), (144, 144), interpolation=cv2.INTER_CUBIC)
        for column, row in (LEFT_EYE, RIGHT_EYE):
            cv2.circle(image, (round(column), round(row)), 4, (20, 20, 20), -1)
        name = f"{number % people:02}_{number // people}" if people else f"{number:02}"
        cv2.imwrite(str(folder / f"{name}.png"), image.clip(0, 255).astype(np.uint8))
    return folder


def write_landmarks(path: Path) -> Path:
    """A network that finds :func:`mesh` in every image, moved a little by how light it is."""
    flat = np.zeros((POINTS, 3), np.float32)
    flat[:, :2] = (mesh() + 0.5) * (192 / 144)
    weight = np.full((3 * POINTS, 3, 1, 1), 0.5, np.float16)
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Transpose", ["input_1"], ["x"], perm=[0, 3, 1, 2]),
            onnx.helper.make_node("MaxPool", ["x"], ["lightest"], kernel_shape=[192, 192], strides=[1, 1]),
            onnx.helper.make_node("Cast", ["half"], ["weight"], to=TensorProto.FLOAT),
            onnx.helper.make_node("Conv", ["lightest", "weight", "bias"], ["points"]),
        ],
        "landmarks",
        [onnx.helper.make_tensor_value_info("input_1", TensorProto.FLOAT, [1, 192, 192, 3])],
        [onnx.helper.make_tensor_value_info("points", TensorProto.FLOAT, [1, 3 * POINTS, 1, 1])],
        [numpy_helper.from_array(weight, "half"), numpy_helper.from_array(flat.ravel(), "bias")],
    )
    return _saved(graph, path)


def write_recognizer(path: Path, seed: int = 0) -> Path:
    """A network of random weights, RGB ``(1, 3, 112, 112)`` → ``(1, 128)``."""
    random = np.random.default_rng(seed)
    first = random.normal(0, 0.2, (16, 3, 8, 8)).astype(np.float32)
    second = random.normal(0, 0.2, (128, 16, 14, 14)).astype(np.float32)
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Conv", ["input", "first"], ["a"], strides=[8, 8]),
            onnx.helper.make_node("Clip", ["a", "low", "high"], ["b"]),
            onnx.helper.make_node("Conv", ["b", "second"], ["c"]),
            onnx.helper.make_node("Reshape", ["c", "shape"], ["output"]),
        ],
        "recognizer",
        [onnx.helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 112, 112])],
        [onnx.helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 128])],
        [
            numpy_helper.from_array(first, "first"),
            numpy_helper.from_array(second, "second"),
            numpy_helper.from_array(np.array(-6, np.float32), "low"),
            numpy_helper.from_array(np.array(6, np.float32), "high"),
            numpy_helper.from_array(np.array([1, 128]), "shape"),
        ],
    )
    return _saved(graph, path)


def _saved(graph: onnx.GraphProto, path: Path) -> Path:
    opset = onnx.helper.make_opsetid("", 20)
    onnx.save(onnx.helper.make_model(graph, ir_version=10, opset_imports=[opset]), path)
    return path


def write_mobile_face_net(path: Path) -> Path:
    """Random weights in the layout of the published ones."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def layer(conv: str, norm: str, prelu: str | None, shape: tuple[int, ...]) -> None:
        outputs, fan = shape[0], int(np.prod(shape[1:]))
        state[f"{conv}.weight"] = torch.randn(shape) * (2 / fan) ** 0.5
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(outputs) + 0.5, torch.randn(outputs) / 10
        state[f"{norm}.running_mean"], state[f"{norm}.running_var"] = (
            torch.randn(outputs) / 10,
            torch.ones(outputs),
        )
        if prelu:
            state[f"{prelu}.weight"] = torch.full((outputs,), 0.25)

    layer("conv1.conv", "conv1.bn", "conv1.prelu", (64, 3, 3, 3))
    layer("dw_conv1.conv", "dw_conv1.bn", "dw_conv1.prelu", (64, 1, 3, 3))
    for number, (inputs, between, outputs, _, _) in enumerate(_BLOCKS):
        start = f"blocks.{number}.conv"
        layer(f"{start}.0", f"{start}.1", f"{start}.2", (between, inputs, 1, 1))
        layer(f"{start}.3", f"{start}.4", f"{start}.5", (between, 1, 3, 3))
        layer(f"{start}.6", f"{start}.7", None, (outputs, between, 1, 1))
    layer("conv2.conv", "conv2.bn", "conv2.prelu", (512, 128, 1, 1))
    layer("linear7.conv", "linear7.bn", None, (512, 1, 7, 6))
    layer("linear1.conv", "linear1.bn", None, (128, 512, 1, 1))
    save_file(state, path)
    return path


def deidentify_config(folder: Path) -> DeidentifyConfig:
    """A few steps of the smallest kind, on faces that are written there."""
    faces = [write_faces(folder / name, count) for name, count in (("lfw_train", 30), ("nobody", 16))]
    return DeidentifyConfig(
        faces=[str(each) for each in faces],
        shown=[str(faces[1])],
        shares=[0.6, 0.4],
        landmarks=str(write_landmarks(folder / "landmarks.onnx")),
        recognizer=str(write_recognizer(folder / "recognizer.onnx")),
        second_recognizer=str(write_mobile_face_net(folder / "second.safetensors")),
        feature_extractor=str(random_lpips(folder / "eyes.safetensors")),
        cache=str(folder / "faces.npz"),
        size=48,
        coarse_size=32,
        coarse_steps=2,
        quiet_steps=2,
        target_steps=2,
        steps=4,
        batch=4,
        discriminator_channels=4,
    )
