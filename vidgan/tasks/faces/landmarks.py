"""468 points of a face: MediaPipe Face Mesh (Kartynnik et al. 2019)."""

import cv2
import numpy as np

from vidgan.media.face_alignment import SIDE
from vidgan.media.face_guides import POINTS, Points
from vidgan.media.image import Pixels
from vidgan.models.onnx_file import read_onnx
from vidgan.models.registry import BUNDLED
from vidgan.session.graph_runner import GraphRunner

LANDMARKS = BUNDLED / "faces" / "face_mesh.onnx"

_SIDE = 192
_SECONDS = 120.0


class FaceLandmarks:
    """Finds the points of aligned images."""

    def __init__(self) -> None:
        self._network = GraphRunner(read_onnx(LANDMARKS).data, threads=1, seconds=_SECONDS)

    def find(self, image: Pixels) -> tuple[Points, float]:
        """The points of an image ``(144, 144, 3)`` uint8 RGB in its pixels, ``(468, 2)``, and a score.

        The score is a logit: above 0 where there is a face.
        """
        large = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
        name = self._network.inputs[0].name
        points, score = self._network.run({name: large[np.newaxis].astype(np.float32) / 255})
        found = points.reshape(POINTS, -1)[:, :2] * (SIDE / _SIDE) - 0.5
        return np.asarray(found, np.float32), float(score.ravel()[0])
