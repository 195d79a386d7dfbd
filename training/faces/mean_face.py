"""The mean of faces as points in space, by generalized Procrustes analysis (Gower 1975)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.faces.dataset import found_points, read_faces
from training.networks.onnx_module import OnnxModule
from vidgan.media.face_guides import EYE_CORNERS

_ROUNDS = 5


def mean_of_faces(paths: Sequence[Path], landmarks: Path) -> NDArray[np.float32]:
    """The mean of faces and of the mirrored ones, ``(468, 3)``, see :mod:`vidgan.media.mean_face`.

    Args:
        paths: aligned images, 144×144.
        landmarks: MediaPipe's network of 468 points, ONNX.
    """
    network = OnnxModule(landmarks).eval().requires_grad_(False)
    images = read_faces(paths)
    both = np.concatenate([images, np.ascontiguousarray(images[:, :, ::-1])])
    points = found_points(network, both)
    points -= points.mean(1, keepdims=True)
    mean = points.mean(0)
    for _ in range(_ROUNDS):
        mean = _normalized(np.stack([_turned(each, mean) for each in points]).mean(0))
    return mean


def _turned(points: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points under the rotation and the scale that bring them nearest to the mean (Kabsch 1976, Umeyama 1991)."""
    left, sizes, right = np.linalg.svd(points.T @ mean)
    sign = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    scale = (sizes * sign).sum() / np.square(points).sum()
    return np.asarray(scale * points @ (left * sign) @ right, np.float32)


def _normalized(face: NDArray[np.float32]) -> NDArray[np.float32]:
    """A face with the outer corners of its eyes 1 apart."""
    first, second = EYE_CORNERS
    return np.asarray(face / np.linalg.norm(face[first] - face[second]), np.float32)
