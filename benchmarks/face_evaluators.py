"""Those who look at de-identified faces: recognition networks, a detector, a landmark network, image features.

None of them was used in training. Nothing here looks at a name or draws a conclusion:
:mod:`benchmarks.face_figures` does.
"""

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from training.data.image_crops import read_all
from training.evaluation.distribution import FeatureExtractor, global_features
from training.faces.dataset import CROP_LEFT, CROP_TOP, LANDMARK_SIDE
from training.networks.recognizer import CROP
from vidgan.media.face_alignment import SIDE

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

Looks = dict[str, NDArray[Any]]
"""What was seen in each image: arrays whose first sides are as long as there are images."""

MARGIN = 40
"""Pixels that an image is mirrored by, since a detector looks for faces smaller than image."""
_SCORE = 0.6
_THUMBNAIL = 16

_NETWORKS = {
    "landmarks": "faces/mediapipe_face_landmark_468.onnx",
    "detector": "faces/yunet_n_dynamic.onnx",
    "recognizer": "recognisers/heldout_mobilefacenet_192_112x112.onnx",
    "extractor": "squeezenet1_0_imagenet.safetensors",
}
_DLIB_CORNERS = (96, 64), (82, 65), (47, 65), (61, 65), (71, 92)
"""Corners of the eyes and foot of the nose of an aligned image, as dlib's 5 points: medians of LFW's."""
_DLIB_SIDE, _DLIB_PADDING = 150, 0.25


@dataclass(frozen=True)
class People:
    """Aligned images of people.

    Attributes:
        images: ``(N, 144, 144, 3)`` uint8 RGB.
        points: ``(N, 468, 2)``, of MediaPipe, in their pixels.
        names: who it is, of each.
    """

    images: Bytes
    points: Floats
    names: NDArray[np.str_]

    @classmethod
    def read(cls, paths: list[Path], landmarks: "Landmarks") -> "People":
        images = np.stack([each.permute(1, 2, 0).numpy() for each in read_all(paths)])
        return cls(images, landmarks(images), names_of(paths))


def names_of(paths: list[Path]) -> NDArray[np.str_]:
    """Who is in each image, from ``NAME_0001.webp``."""
    return np.array([path.stem.rpartition("_")[0] or path.stem for path in paths])


class Landmarks:
    """MediaPipe's 468 points, ``(N, 144, 144, 3)`` uint8 RGB → ``(N, 468, 2)`` in their pixels."""

    def __init__(self, weights: Path) -> None:
        self._session = session(weights / _NETWORKS["landmarks"])

    def __call__(self, images: Bytes) -> Floats:
        found = []
        for image in images:
            large = cv2.resize(image, (LANDMARK_SIDE, LANDMARK_SIDE), interpolation=cv2.INTER_LINEAR)
            made = self._session.run(None, {"input_1": large[np.newaxis].astype(np.float32) / 255})[0]
            found.append(np.asarray(made).reshape(-1, 3)[:, :2] * (SIDE / LANDMARK_SIDE) - 0.5)
        return np.stack(found).astype(np.float32)


class Recognizer:
    """The held-out MobileFaceNet, ``(N, 144, 144, 3)`` uint8 RGB → unit vectors ``(N, 192)``."""

    def __init__(self, weights: Path) -> None:
        model = onnx.load(weights / _NETWORKS["recognizer"])
        # The global depthwise convolution ends the trunk; what follows is the head.
        trunk = [node for node in model.graph.node if node.op_type == "Conv" and _groups(node) > 1][-1]
        model.graph.output.append(onnx.ValueInfoProto(name=trunk.output[0]))
        self._session = session(model.SerializeToString())

    def __call__(self, images: Bytes) -> Floats:
        return self.look(images)[0]

    def look(self, images: Bytes) -> tuple[Floats, Floats]:
        """The vectors, and the trunk's features before the head, ``(N, 512)``."""
        crops = (recognized_part(images).astype(np.float32) - np.float32(127.5)) / np.float32(128)
        if len(crops) % 2:
            crops = np.concatenate([crops, crops[-1:]])
        name = self._session.get_inputs()[0].name
        pairs = [self._session.run(None, {name: crops[n : n + 2]}) for n in range(0, len(crops), 2)]
        vectors, features = (
            np.concatenate([each.reshape(2, -1) for each in outputs])[: len(images)]
            for outputs in zip(*pairs, strict=True)
        )
        return unit(vectors), np.asarray(features, np.float32)


def _groups(node: onnx.NodeProto) -> int:
    return next((int(each.i) for each in node.attribute if each.name == "group"), 1)


class DlibRecognizer:
    """dlib's ResNet, of another architecture and other data: ``(N, 144, 144, 3)`` uint8 RGB → ``(N, 128)``.

    Its vectors are compared by Euclidean distance, which orders pairs of unit vectors as the cosine does; they
    are of length one here. Every image is cut as an unchanged one would be, so that it is not told from another
    by where its corners seem to be.

    Raises:
        click.ClickException: dlib or its weights are not installed.
    """

    def __init__(self) -> None:
        try:
            import dlib

            files = metadata.files("face_recognition_models") or []
        except (ImportError, metadata.PackageNotFoundError) as exc:
            raise click.ClickException(
                "dlib's recognizer is missing; install it with pip install dlib-bin face-recognition-models, or "
                "leave it out with --without-dlib"
            ) from exc
        (weights,) = (each.locate() for each in files if each.name.startswith("dlib_face_recognition_resnet"))
        self._dlib, self._network = dlib, dlib.face_recognition_model_v1(str(weights))
        corners = dlib.points([dlib.point(*each) for each in _DLIB_CORNERS])
        self._corners = dlib.full_object_detection(dlib.rectangle(0, 0, SIDE, SIDE), corners)

    def __call__(self, images: Bytes) -> Floats:
        chips = [
            self._dlib.get_face_chip(np.ascontiguousarray(each), self._corners, _DLIB_SIDE, _DLIB_PADDING)
            for each in images
        ]
        return unit(np.array(self._network.compute_face_descriptor(chips), np.float32))

    def look(self, images: Bytes) -> Looks:
        """The vectors, among what others see."""
        return {"dlib": self(images)}


class Detector:
    """YuNet: which images it finds a face in, ``(N,)``."""

    def __init__(self, weights: Path) -> None:
        side = SIDE + 2 * MARGIN
        self._detector = cv2.FaceDetectorYN.create(
            str(weights / _NETWORKS["detector"]), "", (side, side), _SCORE
        )

    def __call__(self, images: Bytes) -> NDArray[np.bool_]:
        return np.array([self._detector.detect(_mirrored(each))[1] is not None for each in images])


class Features:
    """SqueezeNet 1.0's ``fire9``, trained on ImageNet, averaged: ``(N, 144, 144, 3)`` uint8 RGB → ``(N, 512)``."""

    def __init__(self, weights: Path) -> None:
        self._extractor = FeatureExtractor(weights / _NETWORKS["extractor"], torch.device("cpu"))

    def __call__(self, images: Bytes) -> Floats:
        crops = torch.from_numpy(recognized_part(images).copy()).permute(0, 3, 1, 2).float() / 255
        return np.asarray(global_features(self._extractor.local_features(crops)).numpy(), np.float32)


@dataclass(frozen=True)
class Evaluators:
    """All of them but dlib's, which not everybody has."""

    landmarks: Landmarks
    recognizer: Recognizer
    detector: Detector
    features: Features

    @classmethod
    def load(cls, weights: Path) -> "Evaluators":
        return cls(Landmarks(weights), Recognizer(weights), Detector(weights), Features(weights))

    def look(self, images: Bytes) -> Looks:
        """What all of them see."""
        return self.look_for_clues(images) | {
            "points": self.landmarks(images),
            "found": self.detector(images),
            "features": self.features(images),
        }

    def look_for_clues(self, images: Bytes) -> Looks:
        """What the adaptive recognizer learns from."""
        vectors, trunk = self.recognizer.look(images)
        return {"mobilefacenet": vectors, "clues": clues(images, trunk)}


def clues(images: Bytes, trunk: Floats) -> Floats:
    """What is given to a head that is fitted to changed images: the trunk's features and a thumbnail."""
    small = [
        cv2.resize(each, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA).ravel()
        for each in recognized_part(images)
    ]
    return np.concatenate([trunk, np.array(small, np.float32) / 255], 1).astype(np.float32)


def recognized_part(images: Bytes) -> Bytes:
    """ArcFace's crop of aligned images, ``(N, 112, 112, 3)``."""
    return images[:, CROP_TOP : CROP_TOP + CROP, CROP_LEFT : CROP_LEFT + CROP]


def unit(vectors: Floats) -> Floats:
    """Of length one each."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def session(model: Path | bytes) -> ort.InferenceSession:
    """A network on one thread, of a file or its bytes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _mirrored(image: Bytes) -> Any:
    sides = (MARGIN,) * 4
    return cv2.copyMakeBorder(image[..., ::-1].copy(), *sides, cv2.BORDER_REFLECT_101)
