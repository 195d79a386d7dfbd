"""Figures of a de-identifier: whom recognisers find, whether a face is found, where its features are.

``python -m benchmarks.faces pictures MODEL.onnx --data FOLDER`` measures a model on people whom nobody
trained on, by a recogniser that nobody trained against, beside the unchanged pictures, blur and pixelation.
``sheet`` shows faces that may be shown.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from training.data.image_crops import read_all
from training.data.photos import list_photos
from training.evaluation.distribution import FeatureExtractor, frechet_distance, global_features
from training.faces.dataset import CROP_LEFT, CROP_TOP, LANDMARK_SIDE, aligned_inputs
from training.networks.recogniser import CROP
from vidgan.media.face_alignment import FRAME, FRAME_FROM, SIDE
from vidgan.media.face_guides import EYE_CORNERS, INNER, MASK, Points, Shape
from vidgan.media.image import RgbImage
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder
from vidgan.tasks.faces.hiding import Way, ellipse, hide

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

FALSE_ACCEPTS = 1e-2, 1e-3
ANOTHER_PERSON = 0.348
"""Cosine of the held-out recogniser below which two pictures are of two people, at a FAR of 1e-2."""
_MARGIN = 40
"""Pixels that a picture is mirrored by, since a detector looks for faces smaller than a picture."""
_USUAL_BOX = np.array([72, 84, 80, 106], np.float32)
"""Centre and size of a face in an aligned picture."""
_MARGIN_SHIFT = np.array([_MARGIN, _MARGIN, 0, 0], np.float32)
_SCORE = 0.6
_AT_ONCE = 16
_GALLERY = 400

_NETWORKS = {
    "landmarks": "faces/mediapipe_face_landmark_468.onnx",
    "detector": "faces/yunet_n_dynamic.onnx",
    "recogniser": "recognisers/heldout_mobilefacenet_192_112x112.onnx",
    "extractor": "squeezenet1_0_imagenet.safetensors",
}

_File = click.Path(exists=True, dir_okay=False, path_type=Path)
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)
_data = click.option("--data", type=_Folder, required=True, help="Folder with faces/ and weights/.")


@dataclass(frozen=True)
class People:
    """Aligned pictures of people.

    Attributes:
        pictures: ``(N, 144, 144, 3)`` uint8 RGB.
        points: ``(N, 468, 2)``, of MediaPipe, in their pixels.
        names: who it is, of each.
    """

    pictures: Bytes
    points: Floats
    names: NDArray[np.str_]

    @classmethod
    def read(cls, paths: list[Path], landmarks: "Landmarks") -> "People":
        pictures = np.stack([each.permute(1, 2, 0).numpy() for each in read_all(paths)])
        names = np.array([path.stem.rpartition("_")[0] or path.stem for path in paths])
        return cls(pictures, landmarks(pictures), names)


class Landmarks:
    """MediaPipe's 468 points, ``(N, 144, 144, 3)`` uint8 RGB → ``(N, 468, 2)`` in their pixels."""

    def __init__(self, weights: Path) -> None:
        self._session = _session(weights / _NETWORKS["landmarks"])

    def __call__(self, pictures: Bytes) -> Floats:
        found = []
        for picture in pictures:
            large = cv2.resize(picture, (LANDMARK_SIDE, LANDMARK_SIDE), interpolation=cv2.INTER_LINEAR)
            made = self._session.run(None, {"input_1": large[np.newaxis].astype(np.float32) / 255})[0]
            found.append(np.asarray(made).reshape(-1, 3)[:, :2] * (SIDE / LANDMARK_SIDE) - 0.5)
        return np.stack(found).astype(np.float32)


class Recogniser:
    """The held-out one, ``(N, 144, 144, 3)`` uint8 RGB → unit vectors ``(N, 192)``."""

    def __init__(self, weights: Path) -> None:
        self._session = _session(weights / _NETWORKS["recogniser"])

    def __call__(self, pictures: Bytes) -> Floats:
        crops = pictures[:, CROP_TOP : CROP_TOP + CROP, CROP_LEFT : CROP_LEFT + CROP].astype(np.float32)
        crops = ((crops - 127.5) / 128).astype(np.float32)
        if len(crops) % 2:
            crops = np.concatenate([crops, crops[-1:]])
        name = self._session.get_inputs()[0].name
        pairs = [self._session.run(None, {name: crops[n : n + 2]})[0] for n in range(0, len(crops), 2)]
        vectors = np.concatenate(pairs)[: len(pictures)]
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


class Detector:
    """YuNet: the share of pictures that it finds a face in."""

    def __init__(self, weights: Path) -> None:
        side = SIDE + 2 * _MARGIN
        self._detector = cv2.FaceDetectorYN.create(
            str(weights / _NETWORKS["detector"]), "", (side, side), _SCORE
        )

    def __call__(self, pictures: Bytes) -> float:
        found = [self._detector.detect(_mirrored(each))[1] is not None for each in pictures]
        return float(np.mean(found))


class Deidentifier:
    """A model file, as it is used on aligned pictures."""

    def __init__(self, file: Path) -> None:
        self._session = _session(file)
        facts = self._session.get_modelmeta().custom_metadata_map
        if facts.get("vidgan.task") != "deidentify":
            raise click.ClickException(
                f"{file}: is no model of a de-identifier; export one with python -m export"
            )
        self.side, self.codes = int(facts["vidgan.side"]), int(facts["vidgan.codes"])
        self.shape = float(facts["vidgan.shape"])

    def __call__(self, people: People, codes: Floats) -> Bytes:
        """The pictures with faces of nobody, ``codes`` of each."""
        made = []
        for start in range(0, len(people.pictures), _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, len(people.pictures)))
            inputs = [
                aligned_inputs(
                    people.pictures[n], people.points[n], Shape.of(codes[n], self.shape), self.side
                )
                for n in some
            ]
            faces, guides = (np.stack(each) for each in zip(*inputs, strict=True))
            (output,) = self._session.run(
                None, {"faces": faces, "guides": guides, "codes": codes[some.start : some.stop]}
            )
            made += [
                pasted(people.pictures[n], face, guide[..., MASK])
                for n, face, guide in zip(some, output, guides, strict=True)
            ]
        return np.stack(made)


def pasted(picture: Bytes, face: Bytes, mask: Bytes) -> Bytes:
    """A made face in its place in an aligned picture, where the mask is."""
    place = slice(FRAME_FROM, FRAME_FROM + FRAME)
    face, mask = (cv2.resize(each, (FRAME, FRAME), interpolation=cv2.INTER_LINEAR) for each in (face, mask))
    share = mask[..., np.newaxis].astype(np.float32) / 255
    result = picture.copy()
    result[place, place] = np.rint(picture[place, place] * (1 - share) + face * share).astype(np.uint8)
    return result


def codes_of(names: NDArray[np.str_], count: int, *, secret: str = "benchmark") -> Floats:
    """The codes that people get, one a name, ``(N, count)``."""
    rows = []
    for name in names:
        seed = hashlib.sha256(f"{secret}/{name}".encode()).digest()
        rows.append(np.random.default_rng(list(seed)).standard_normal(count))
    return np.array(rows, np.float32)


@dataclass(frozen=True)
class Recognised:
    """How often a recogniser takes a changed picture for who was there.

    Attributes:
        other: true accepts of an original against another picture, changed, at :data:`FALSE_ACCEPTS`.
        same: of a picture before and after.
        rank_one: share of changed pictures whose nearest of a gallery is the same person.
        different: share of pairs of people whose changed pictures are of two people.
    """

    other: tuple[float, ...]
    same: tuple[float, ...]
    rank_one: float
    different: float


def recognised(originals: Floats, changed: Floats, names: NDArray[np.str_]) -> Recognised:
    """Figures of embeddings ``(N, D)``; thresholds are those at which originals of two people pass for one."""
    first, second = np.triu_indices(len(names), 1)
    among = (originals @ originals.T)[first, second]
    strangers = np.sort(among[names[first] != names[second]])[::-1]
    thresholds = [strangers[int(rate * len(strangers))] for rate in FALSE_ACCEPTS]
    across = originals @ changed.T
    alike = (names[:, np.newaxis] == names) & ~np.eye(len(names), dtype=bool)
    between = (changed @ changed.T)[first, second][names[first] != names[second]]
    return Recognised(
        tuple(float((across[alike] > each).mean()) for each in thresholds),
        tuple(float((np.diag(across) > each).mean()) for each in thresholds),
        _rank_one(originals, changed, names),
        float((between < ANOTHER_PERSON).mean()),
    )


def _rank_one(originals: Floats, changed: Floats, names: NDArray[np.str_]) -> float:
    """One original a person is the gallery; a changed one of another picture of that person is looked up."""
    several = [name for name in dict.fromkeys(names) if (names == name).sum() > 1]
    others = [name for name in dict.fromkeys(names) if (names == name).sum() == 1]
    gallery = [int(np.flatnonzero(names == name)[0]) for name in [*several, *others][:_GALLERY]]
    probes = [int(number) for name in several for number in np.flatnonzero(names == name)[1:]]
    nearest = np.array(gallery)[(changed[probes] @ originals[gallery].T).argmax(1)]
    return float((names[nearest] == names[probes]).mean())


def displaced(before: Points, after: Points) -> Floats:
    """Mean distance of the inner points, in eye distances, of each: ``(N,)``."""
    left, right = EYE_CORNERS
    unit = np.linalg.norm(before[:, left] - before[:, right], axis=1)
    distances = np.linalg.norm(before[:, INNER] - after[:, INNER], axis=2).mean(1)
    return np.asarray(distances / unit, np.float32)


def openings(points: Points) -> Floats:
    """How far mouth and eyes are open, over their widths: ``(N, 468, 2)`` → ``(N, 3)``."""

    def length(a: int, b: int) -> Floats:
        return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=1), np.float32)

    mouth = length(13, 14) / length(61, 291)
    eyes = [length(159, 145) / length(33, 133), length(386, 374) / length(263, 362)]
    return np.stack([mouth, *eyes], 1)


@dataclass(frozen=True)
class Judges:
    """Everything that looks at changed pictures."""

    landmarks: Landmarks
    recogniser: Recogniser
    detector: Detector
    extractor: FeatureExtractor

    @classmethod
    def load(cls, weights: Path) -> "Judges":
        extractor = FeatureExtractor(weights / _NETWORKS["extractor"], torch.device("cpu"))
        return cls(Landmarks(weights), Recogniser(weights), Detector(weights), extractor)

    def measure(self, people: People, embeddings: Floats, changed: Bytes) -> dict[str, float]:
        """Figures of changed pictures of ``people``, whose originals have ``embeddings``."""
        after = self.landmarks(changed)
        found = recognised(embeddings, self.recogniser(changed), people.names)
        errors = displaced(people.points, after)
        before_open, after_open = openings(people.points), openings(after)
        seen, real = (self._features(each) for each in (changed, people.pictures))
        return {
            "other 1e-2": found.other[0],
            "other 1e-3": found.other[1],
            "same 1e-2": found.same[0],
            "same 1e-3": found.same[1],
            "rank 1": found.rank_one,
            "different": found.different,
            "found": self.detector(changed),
            "points median": float(np.median(errors)),
            "points p90": float(np.percentile(errors, 90)),
            "mouth": float(np.corrcoef(before_open[:, 0], after_open[:, 0])[0, 1]),
            "eyes": float(np.corrcoef(before_open[:, 1:].ravel(), after_open[:, 1:].ravel())[0, 1]),
            "frechet": frechet_distance(seen, real),
        }

    def _features(self, pictures: Bytes) -> torch.Tensor:
        crops = pictures[:, CROP_TOP : CROP_TOP + CROP, CROP_LEFT : CROP_LEFT + CROP]
        return global_features(
            self.extractor.local_features(torch.from_numpy(crops.copy()).permute(0, 3, 1, 2).float() / 255)
        )


def hidden(picture: Bytes, way: Way) -> Bytes:
    """An aligned picture whose face the runtime hides; it is where aligned faces are if it is not found."""
    framed = RgbImage(np.pad(picture, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="reflect"))
    found = [face for face in _finder().find(framed) if face.score >= CERTAIN_SCORE]
    place = ellipse(found[0].box if found else _USUAL_BOX + _MARGIN_SHIFT, framed.size)
    assert place is not None
    return hide(framed, [place], way).pixels[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


@cache
def _finder() -> FaceFinder:
    return FaceFinder(SIDE + 2 * _MARGIN)


ALTERNATIVES: dict[str, Callable[[Bytes], Bytes]] = {
    "unchanged": lambda picture: picture,
    "blur": partial(hidden, way="blur"),
    "pixelate": partial(hidden, way="pixelate"),
}


@click.group()
def cli() -> None:
    """Measure and show what a de-identifier makes of faces."""


@cli.command()
@click.argument("models", nargs=-1, type=_File)
@_data
@click.option("--people", "limit", type=int, default=0, help="So many pictures alone, for a quick look.")
@click.option("--alternatives", is_flag=True, help="Also unchanged, blurred and pixelated pictures.")
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON.")
def pictures(
    models: tuple[Path, ...], data: Path, limit: int, alternatives: bool, report: Path | None
) -> None:
    """Recognition, detection, landmarks and a distance to real faces, on faces/lfw_eval."""
    judges = Judges.load(data / "weights")
    paths = list_photos([data / "faces" / "lfw_eval"])
    people = People.read(paths[:limit] if limit else paths, judges.landmarks)
    embeddings = judges.recogniser(people.pictures)
    ways: dict[str, Callable[[], Bytes]] = {}
    if alternatives:
        for name, change in ALTERNATIVES.items():
            ways[name] = partial(_changed, change, people)
    for file in models:
        ways[f"{file.parent.parent.name}/{file.stem}"] = partial(_deidentified, file, people)
    rows = {name: judges.measure(people, embeddings, make()) for name, make in ways.items()}
    click.echo(table(rows))
    if report is not None:
        report.write_text(json.dumps(rows, indent=2) + "\n")


@cli.command()
@click.argument("model", type=_File)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@_data
@click.option("--count", type=int, default=40, show_default=True)
def sheet(model: Path, target: Path, data: Path, count: int) -> None:
    """Draw faces of faces/nobody and faces/congress, each above what becomes of it."""
    paths = list_photos([data / "faces" / name for name in ("nobody", "congress")])
    people = People.read(paths[:: max(1, len(paths) // count)][:count], Landmarks(data / "weights"))
    changed = _deidentified(model, replace(people, names=np.arange(len(people.names)).astype(str)))
    pairs = np.concatenate([people.pictures, changed], 1)
    columns = 10
    rows = [
        np.concatenate(list(pairs[n : n + columns]), 1) for n in range(0, len(pairs) - columns + 1, columns)
    ]
    cv2.imwrite(str(target), np.concatenate(rows)[..., ::-1])


def _changed(change: Callable[[Bytes], Bytes], people: People) -> Bytes:
    return np.stack([change(each) for each in people.pictures])


def _deidentified(file: Path, people: People) -> Bytes:
    model = Deidentifier(file)
    return model(people, codes_of(people.names, model.codes))


def table(rows: dict[str, dict[str, float]]) -> str:
    """Markdown, a line a figure, a column a way."""
    figures = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(rows)} |", f"|{'---|' * (len(rows) + 1)}"]
    lines += [
        f"| {figure} | {' | '.join(f'{rows[way][figure]:.3f}' for way in rows)} |" for figure in figures
    ]
    return "\n".join(lines)


def _mirrored(picture: Bytes) -> Any:
    sides = (_MARGIN,) * 4
    return cv2.copyMakeBorder(picture[..., ::-1].copy(), *sides, cv2.BORDER_REFLECT_101)


def _session(file: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    cli()
