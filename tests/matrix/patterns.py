"""Images that frames of inputs show: functions of the frame's number, width and height."""

import numpy as np
from numpy.typing import NDArray

from tests.support.clips import scene
from vidgan.media.image import Pixels


def transparent(index: int, width: int, height: int) -> Pixels:
    """The scene, RGBA, ever more opaque to the right."""
    alpha = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
    return np.dstack([scene(index, width, height), alpha])


def edges(index: int, width: int, height: int) -> Pixels:
    """Two colors of equal luma; they meet in the middle, both ways."""
    pixels = np.full((height, width, 3), (80, 120, 120), np.uint8)
    pixels[: height // 2, : width // 2] = pixels[height // 2 :, width // 2 :] = (170, 82, 120)
    return pixels


def woven(index: int, width: int, height: int) -> Pixels:
    """Two fields, the lower one first, as PyAV tells x264."""
    pixels = scene(2 * index + 1, width, height)
    pixels[1::2] = scene(2 * index, width, height)[1::2]
    return pixels


def first_field(index: int, width: int, height: int) -> Pixels:
    """The whole frame of the first field of :func:`woven`."""
    return scene(2 * index, width, height)


def dim(index: int, width: int, height: int) -> Pixels:
    """The scene, darker than what tone mapping compresses."""
    return (scene(index, width, height) * 0.8).astype(np.uint8)


def in_pq(index: int, width: int, height: int) -> NDArray[np.uint16]:
    """:func:`dim` in SMPTE ST 2084, white at 203 cd/m² as in ITU-R BT.2408; RGB of 16 bits."""
    power = (_linear_bt2020(dim(index, width, height)) * 203 / 10000) ** (2610 / 16384)
    codes = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return np.round(codes * 65535).astype(np.uint16)


def in_hlg(index: int, width: int, height: int) -> NDArray[np.uint16]:
    """:func:`dim` in ARIB STD-B67, for a display of 1000 cd/m²; RGB of 16 bits."""
    shown = _linear_bt2020(dim(index, width, height)) * 203 / 1000
    luminance = shown @ np.array([0.2627, 0.6780, 0.0593])
    scene_light = shown * np.maximum(luminance, 1e-6)[..., np.newaxis] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = a * np.log(np.maximum(12 * scene_light - b, 1e-9)) + c
    codes = np.where(scene_light <= 1 / 12, np.sqrt(3 * scene_light), bright)
    return np.round(codes * 65535).astype(np.uint16)


def _linear_bt2020(pixels: Pixels) -> NDArray[np.float64]:
    """Linear RGB of BT.2020 that a display of BT.1886 shows for R'G'B'; reference white is 1."""
    to_bt2020 = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    return ((pixels / 255) ** 2.4) @ np.array(to_bt2020).T
