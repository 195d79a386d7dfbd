"""Finds the pose of a person: BlazePose lite (Bazarevsky et al. 2020, "On-device Real-time Body Pose Tracking")."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import KEY_POINTS, Floats
from vidgan.media.image import Image, Pixels
from vidgan.models.onnx_file import read_onnx
from vidgan.models.registry import BUNDLED
from vidgan.session.graph_runner import GraphRunner

NETWORK = BUNDLED / "pose" / "blazepose.onnx"
LEAST_SCORE = 0.5
"""Photos without a person got up to 0.31, synthetic people 0.99 and more."""

_SIDE = 256
_POINTS, _NUMBERS = 39, 5
_SECONDS = 120.0
_CENTER, _RIM = 33, 34
"""Points that say where the person is: the middle of a circle round it, and a point of that circle."""
_MARGIN = 1.25
_DEPTH = 1 / 3
"""Depths against synthetic people, whose depths are known."""
_SOURCES = (
    (0,), (7,), (8,), (11,), (12,), (13,), (14,), (15,), (16,), (17, 19), (18, 20), (23,), (24,), (25,), (26,),
    (27,), (28,), (31,), (32,),
)  # fmt: skip
"""Points of the network whose middle each key point is."""


@dataclass(frozen=True)
class FoundPose:
    """A person in an image.

    Attributes:
        points: key points ``(19, 3)`` in pixels, see :mod:`vidgan.media.body_parts`.
        shown: how sure the network is that each can be seen, ``(19,)`` in [0, 1].
        score: that there is a person, 0 to 1.
        mask: logits of the person, ``(256, 256)``, in a square of the image.
        square: the middle of that square and half its side, in pixels.
    """

    points: Floats
    shown: Floats
    score: float
    mask: Floats
    square: tuple[float, float, float]

    def mask_in(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """The person in an image of that width and height, ``(H, W)``."""
        return np.asarray(self._logits_in(size) > 0)

    def opacity_in(self, size: tuple[int, int]) -> Floats:
        """The same as opacities in [0, 1]."""
        return np.asarray(1 / (1 + np.exp(-self._logits_in(size).clip(-50, 50))), np.float32)

    def _logits_in(self, size: tuple[int, int]) -> Floats:
        x, y, half = self.square
        scale = 2 * half / _SIDE
        placed = np.array([[scale, 0, x - half], [0, scale, y - half]], np.float32)
        return np.asarray(cv2.warpAffine(self.mask, placed, size, borderValue=-100.0), np.float32)


class PoseFinder:
    """Finds the pose of the person in an image; may be called from several threads."""

    def __init__(self) -> None:
        self._network = GraphRunner(read_onnx(NETWORK).data, threads=1, seconds=_SECONDS)
        self._input = self._network.inputs[0].name

    def find(self, image: Image) -> FoundPose | None:
        """The person, searched in the whole image first, then where it was found; None if there is none."""
        pixels = image.pixels
        height, width = pixels.shape[:2]
        found, circle = self._run(pixels, (width / 2, height / 2, max(width, height) / 2))
        if found.score < LEAST_SCORE:
            return None
        center, radius = circle[0], float(np.linalg.norm(circle[1] - circle[0]))
        if not 8 <= radius <= 2 * max(width, height):
            return found
        again, _ = self._run(pixels, (float(center[0]), float(center[1]), _MARGIN * radius))
        return again if again.score >= LEAST_SCORE else found

    def _run(self, pixels: Pixels, square: tuple[float, float, float]) -> tuple[FoundPose, Floats]:
        """Finds the person in a square; returns it and the circle round the person, ``(2, 2)``."""
        x, y, half = square
        scale = _SIDE / (2 * half)
        placed = np.array([[scale, 0, (half - x) * scale], [0, scale, (half - y) * scale]], np.float32)
        crop = cv2.warpAffine(pixels, placed, (_SIDE, _SIDE), flags=cv2.INTER_AREA)
        numbers, score, mask, _, _ = self._network.run(
            {self._input: crop[np.newaxis].astype(np.float32) / 255}
        )
        rows = numbers.reshape(_POINTS, _NUMBERS).astype(np.float32)
        rows[:, :2] = rows[:, :2] / scale + [x - half, y - half]
        rows[:, 2] *= _DEPTH / scale
        rows[:, 3:] = 1 / (1 + np.exp(-rows[:, 3:].clip(-50, 50)))
        points = np.stack([rows[list(each)].mean(0) for each in _SOURCES])
        assert len(points) == len(KEY_POINTS)
        found = FoundPose(points[:, :3], points[:, 3], float(score.ravel()[0]), mask[0, :, :, 0], square)
        return found, rows[[_CENTER, _RIM], :2]
