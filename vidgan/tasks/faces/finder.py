"""Finds faces: YuNet (Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector")."""

from dataclasses import dataclass

import cv2
import numpy as np

from vidgan.media.face_guides import Points
from vidgan.media.image import Image
from vidgan.models.onnx_file import read_onnx
from vidgan.models.registry import BUNDLED
from vidgan.session.graph_runner import GraphRunner
from vidgan.tasks.faces.box import Box, Floats, overlap

FINDER = BUNDLED / "faces" / "yunet.onnx"

LEAST_SCORE = 0.3
"""The least score where a face was in the frame before."""
CERTAIN_SCORE = 0.55
"""The least score where none was."""

_STRIDES = 8, 16, 32
_MULTIPLE = 32
_SAME = 0.3
"""Overlap of two answers about one face."""
_SECONDS = 120.0


@dataclass(frozen=True)
class FoundFace:
    """A face in a frame.

    Attributes:
        box: from the forehead to the chin.
        points: ``(5, 2)``: left eye in the image, right eye, tip of the nose, left and right corner of the mouth.
        score: 0 to 1.
    """

    box: Box
    points: Points
    score: float


class FaceFinder:
    """Finds faces in images; may be called from several threads.

    Args:
        long_side: images are reduced to it, in pixels. Faces of less than about 10 pixels there are not found.
    """

    def __init__(self, long_side: int) -> None:
        self._long_side = long_side
        self._network = GraphRunner(read_onnx(FINDER).data, threads=1, seconds=_SECONDS)

    def find(self, image: Image) -> tuple[FoundFace, ...]:
        """The faces, the surest first, with a score of at least :data:`LEAST_SCORE`."""
        width, height = image.size
        scale = min(1.0, self._long_side / max(width, height))
        small = image.resized_pixels((max(1, round(width * scale)), max(1, round(height * scale))))
        ratio = np.array([width / small.shape[1], height / small.shape[0]], np.float32)
        rows, columns = (-(-side // _MULTIPLE) * _MULTIPLE for side in small.shape[:2])
        padded = np.zeros((1, 3, rows, columns), np.float32)
        # Whole planes are copied several times as fast as pixels.
        for channel, plane in enumerate(reversed(cv2.split(small))):
            padded[0, channel, : small.shape[0], : small.shape[1]] = plane
        outputs = self._network.run({"input": padded})
        named = dict(
            zip((each.name for each in self._network.outputs), (each[0] for each in outputs), strict=True)
        )
        found: list[FoundFace] = []
        for face in sorted(_decoded(named, columns), key=lambda face: -face.score):
            if all(overlap(face.box, other.box) < _SAME for other in found):
                found.append(face)
        return tuple(_enlarged(face, ratio) for face in found)


def _decoded(outputs: dict[str, Floats], width: int) -> list[FoundFace]:
    """The boxes, points and scores at the places of the grids of the network."""
    found = []
    for stride in _STRIDES:
        scores = np.sqrt(
            np.clip(outputs[f"cls_{stride}"][:, 0], 0, 1) * np.clip(outputs[f"obj_{stride}"][:, 0], 0, 1)
        )
        columns = width // stride
        for place in np.flatnonzero(scores >= LEAST_SCORE):
            corner = np.array([place % columns, place // columns], np.float32)
            box = outputs[f"bbox_{stride}"][place]
            center, size = (corner + box[:2]) * stride, np.exp(box[2:]) * stride
            points = (outputs[f"kps_{stride}"][place].reshape(5, 2) + corner) * stride
            found.append(
                FoundFace(
                    np.concatenate([center, size]).astype(np.float32),
                    points.astype(np.float32),
                    float(scores[place]),
                )
            )
    return found


def _enlarged(face: FoundFace, ratio: Floats) -> FoundFace:
    """In the pixels of the frame."""
    shift = (ratio - 1) / 2
    center = face.box[:2] * ratio + shift
    box = np.concatenate([center, face.box[2:] * ratio]).astype(np.float32)
    return FoundFace(box, (face.points * ratio + shift).astype(np.float32), face.score)
