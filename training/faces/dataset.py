"""Aligned faces as training data of a de-identifier: images, their points, their embeddings."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from training.data.image_crops import read_all
from training.data.photos import list_photos, split_held_out
from training.faces.looks import regressed_looks
from training.faces.swaps import nearest_shape, swapped_face
from training.networks.onnx_module import OnnxModule
from training.networks.recognizer import CROP, Recognizers
from vidgan.media.face_alignment import FRAME, FRAME_FROM, SIDE
from vidgan.media.face_guides import (
    POINTS,
    Points,
    Shape,
    draw_guides,
    eye_distance,
    find_gaze,
    hull_mask,
)
from vidgan.media.image import Pixels
from vidgan.media.mean_face import mean_shift

CROP_LEFT, CROP_TOP = 16, 12
"""ArcFace's crop in an aligned image."""
LANDMARK_SIDE = 192
ALL = slice(None)
_BATCH = 32
_CANDIDATES = 96
"""Faces of which the most alike is swapped in."""


@dataclass(frozen=True)
class Jitter:
    """How far a detector's alignment may be off: standard deviations.

    Attributes:
        degrees: of the rotation.
        scale: of the logarithm of the size.
        pixels: of the place, of 144.
    """

    degrees: float = 4.0
    scale: float = 0.05
    pixels: float = 2.5

    def drawn(self, count: int, random: torch.Generator) -> Tensor:
        """For :func:`placements`, ``(count, 4)``."""
        sizes = torch.tensor([math.radians(self.degrees), self.scale, self.pixels, self.pixels])
        return sizes * torch.randn(count, 4, generator=random).clamp(-2, 2)


@dataclass(frozen=True)
class Square:
    """A square of an aligned image, in its pixels, and how many pixels are wanted of it."""

    side: int
    left: float
    top: float
    length: float


RECOGNIZED = Square(CROP, CROP_LEFT, CROP_TOP, CROP)
"""The crop of recognizers."""
WHOLE = Square(LANDMARK_SIDE, 0, 0, SIDE)
"""The crop of the landmark network."""


class Face(NamedTuple):
    """An aligned image ``(144, 144, 3)`` uint8 RGB, and its points ``(468, 2)``."""

    image: Pixels
    points: Points


@dataclass(frozen=True)
class FaceBatch:
    """Faces as a generator is given them.

    Attributes:
        images: ``(N, 3, S, S)`` RGB in [-1, 1].
        targets: the images that a generator is to make of them, as ``images``; those themselves without a partner.
        guides: ``(N, 3, S, S)`` in [0, 1], see :func:`vidgan.media.face_guides.draw_guides`.
        points: where the drawn lines are, ``(N, 468, 2)`` in the 144 pixels of aligned images.
        placed: ``(N, 2, 3)``, aligned pixels → pixels of ``images``.
    """

    images: Tensor
    targets: Tensor
    guides: Tensor
    points: Tensor
    placed: Tensor

    def to(self, device: torch.device) -> "FaceBatch":
        """The batch with its images, targets and guides on a device."""
        images, targets, guides = (each.to(device) for each in (self.images, self.targets, self.guides))
        return replace(self, images=images, targets=targets, guides=guides)

    def aligned(self, images: Tensor, square: "Square", some: slice = ALL) -> Tensor:
        """A square of the aligned images, of ``(N, C, S, S)`` that lie as those of the batch do.

        Args:
            some: of the batch.

        Returns:
            ``(n, C, square.side, square.side)``.
        """
        steps = (torch.arange(square.side) + 0.5) * (square.length / square.side) - 0.5
        columns, rows = torch.meshgrid(square.left + steps, square.top + steps, indexing="xy")
        place = torch.stack([columns, rows, torch.ones_like(rows)], 2)
        pixels = torch.einsum("hwc,ndc->nhwd", place, self.placed[some])
        grid = ((pixels + 0.5) * (2 / images.shape[3]) - 1).to(images.device)
        return F.grid_sample(images[some], grid, padding_mode="border", align_corners=False)


class Faces:
    """Folders of aligned faces, 144×144, in memory.

    Args:
        folders: of images.
        shown: those of them whose images may be looked at; ``held_out`` are of these alone.
        shares: how often one draws from each folder.
        landmarks: MediaPipe's network of 468 points, ONNX.
        recognizers: whose embeddings are wanted.
        cache: a file for what is computed of the images; it is computed again where they changed.

    Raises:
        FileNotFoundError, ValueError: folders or images are not what they should be.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        shown: Sequence[Path],
        shares: Sequence[float],
        landmarks: Path,
        recognizers: Recognizers,
        cache: Path,
    ) -> None:
        if len(shares) != len(folders):
            raise ValueError(f"{len(folders)} folders of faces, but {len(shares)} shares")
        by_folder = [list_photos([each]) for each in folders]
        held_out: set[Path] = set()
        for folder, paths in zip(folders, by_folder, strict=True):
            if folder in shown:
                held_out |= {*split_held_out(paths, min(12, len(paths) // 4))[1]}
        self.photos = [path for paths in by_folder for path in paths if path not in held_out]
        self.held_out = sorted(held_out)
        numbers = {path: number for number, path in enumerate(self.photos)}
        self._places = [
            torch.tensor([numbers[path] for path in paths if path in numbers]) for paths in by_folder
        ]
        self._shares = torch.tensor(shares)
        everything = [*self.photos, *self.held_out]
        self._images = read_faces(everything)
        self._points, self.embeddings = _cached(cache, everything, self._images, landmarks, recognizers)

    def looks(self) -> tuple[Tensor, Tensor]:
        """The regression on the training faces, see :func:`training.faces.looks.regressed_looks`."""
        count, place = len(self.photos), slice(FRAME_FROM, FRAME_FROM + FRAME)
        return regressed_looks(self._images[:count, place, place], self.embeddings[:count])

    def picks(self, count: int, random: torch.Generator) -> Tensor:
        """Numbers of ``count`` images to train on."""
        folders = torch.multinomial(self._shares, count, replacement=True, generator=random)
        drawn = torch.rand(count, generator=random)
        places = [self._places[folder] for folder in folders.tolist()]
        return torch.stack([each[int(share * len(each))] for each, share in zip(places, drawn, strict=True)])

    @property
    def held_out_picks(self) -> Tensor:
        """Numbers of the images that are not trained on."""
        return torch.arange(len(self.photos), len(self.photos) + len(self.held_out))

    def batch(
        self,
        picks: Tensor,
        placed: Tensor,
        mirrored: Tensor,
        shapes: Sequence[Shape | None],
        side: int,
        noise: Tensor,
        partners: Sequence[int | None] | None = None,
    ) -> FaceBatch:
        """Those images as a generator is given them.

        Args:
            placed: ``(N, 2, 3)``, from :func:`placements`.
            mirrored: ``(N,)``, which are turned round first.
            shapes: of each, what the lines of the mean face are changed by; None for the own lines.
            side: of what is wanted.
            noise: ``(N, 468, 2)``, what is added to the points, in aligned pixels.
            partners: numbers of the images of who is to be in their place; None for nobody else.
        """
        rows = []
        for number, pick in enumerate(picks.tolist()):
            turned = int(mirrored[number])
            face = self._face(pick, turned, noise[number].numpy())
            partner = None if partners is None else partners[number]
            other = None if partner is None else self._face(partner, turned)
            rows.append(_guided(face, shapes[number], placed[number].numpy(), side, other))
        images, targets, guides, points = (np.stack(each) for each in zip(*rows, strict=True))
        return FaceBatch(
            _channels(images) / 127.5 - 1,
            _channels(targets) / 127.5 - 1,
            _channels(guides) / 255,
            torch.from_numpy(points),
            placed,
        )

    def partners(self, picks: Tensor, random: torch.Generator) -> Tensor:
        """Numbers of images whose features lie most alike, of some that are drawn."""
        found = []
        for pick in picks.tolist():
            others = self.picks(_CANDIDATES, random)
            others = others[others != pick]
            nearest = nearest_shape(self._points[pick, 0], self._points[others.numpy(), 0])
            found.append(int(others[nearest]))
        return torch.tensor(found)

    def _face(self, pick: int, turned: int, noise: Points | float = 0.0) -> "Face":
        image = np.ascontiguousarray(self._images[pick][:, :: -1 if turned else 1])
        return Face(image, self._points[pick, turned] + noise)


def _channels(images: Pixels) -> Tensor:
    """``(N, H, W, 3)`` uint8 → ``(N, 3, H, W)`` float32, channels last in memory."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float()


def placements(numbers: Tensor, side: int) -> Tensor:
    """Similarities from aligned pixels to those of a generator, ``(N, 2, 3)``, about the middle.

    Args:
        numbers: ``(N, 4)``: angle, logarithm of the size, and place, in aligned pixels; zeros move nothing.
        side: of what a generator is given.
    """
    scale = side / FRAME * torch.exp(numbers[:, 1])
    cos, sin = scale * torch.cos(numbers[:, 0]), scale * torch.sin(numbers[:, 0])
    linear = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    middle = torch.full((2,), (SIDE - 1) / 2)
    target = (side - 1) / 2 + side / FRAME * numbers[:, 2:]
    return torch.cat([linear, (target - linear @ middle)[:, :, None]], 2)


def aligned_inputs(image: Pixels, points: Points, shape: Shape, side: int) -> tuple[Pixels, Pixels]:
    """The input of a generator from an aligned image, nothing moved: its part, and the guides.

    Args:
        image: ``(144, 144, 3)`` uint8 RGB.
        points: of it, ``(468, 2)``.
    """
    placed = placements(torch.zeros(1, 4), side)[0].numpy()
    moved, _, guides, _ = _guided(Face(image, points), shape, placed, side, None)
    return moved, guides


def _guided(
    face: "Face", shape: Shape | None, placed: NDArray[np.float32], side: int, other: "Face | None"
) -> tuple[Pixels, Pixels, Pixels, Points]:
    """The image where it is placed, the same with the other's face, the guides, and the points drawn."""
    changed = face.points
    if shape is not None:
        changed = shape.applied(changed + mean_shift(changed))
    gaze = find_gaze(*(face if other is None else other))
    there = [each @ placed[:, :2].T + placed[:, 2] for each in (changed, face.points)]
    guides = draw_guides(there[0], np.concatenate(there), gaze, side)
    moved = _placed(face.image, placed, side)
    if other is None:
        return moved, moved, guides, changed
    mask = hull_mask(np.concatenate([changed, face.points]), eye_distance(changed), SIDE)
    swapped = swapped_face(face.image, changed, *other, np.asarray(mask / 255, np.float32))
    return moved, _placed(swapped, placed, side), guides, changed


def _placed(image: Pixels, placed: NDArray[np.float32], side: int) -> Pixels:
    moved = cv2.warpAffine(
        image, placed, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.uint8)


def read_faces(paths: Sequence[Path]) -> Pixels:
    """Aligned images ``(N, 144, 144, 3)`` uint8 RGB.

    Raises:
        ValueError: one has another size.
    """
    images = [each.permute(1, 2, 0).numpy() for each in read_all(paths)]
    return np.stack([_checked(path, image) for path, image in zip(paths, images, strict=True)])


def _checked(path: Path, image: Pixels) -> Pixels:
    if image.shape != (SIDE, SIDE, 3):
        raise ValueError(
            f"{path}: a face aligned in {SIDE}×{SIDE} pixels is needed, not {image.shape[1::-1]}"
        )
    return image


def _cached(
    cache: Path, paths: Sequence[Path], images: Pixels, landmarks: Path, recognizers: Recognizers
) -> tuple[NDArray[np.float32], Tensor]:
    """Points of the images and of the mirrored ones, ``(N, 2, 468, 2)``, and embeddings ``(N, 2, 128)``."""
    digest = hashlib.sha256("\n".join(f"{path.parent.name}/{path.name}" for path in paths).encode())
    digest.update(images[:: max(1, len(images) // 64)].tobytes())
    key = digest.hexdigest()
    if cache.exists():
        with np.load(cache) as kept:
            if str(kept["key"]) == key:
                return kept["points"], torch.from_numpy(kept["embeddings"])
    network = OnnxModule(landmarks).eval().requires_grad_(False)
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    points = np.stack([found_points(network, each)[:, :, :2] for each in (images, mirrored)], 1)
    embeddings = _embeddings(recognizers, images)
    cache.parent.mkdir(parents=True, exist_ok=True)
    part = cache.with_suffix(".part.npz")
    np.savez(part, key=key, points=points, embeddings=embeddings.numpy())
    part.replace(cache)
    return points, embeddings


@torch.no_grad()
def found_points(network: OnnxModule, images: Pixels) -> NDArray[np.float32]:
    """Points of aligned images ``(N, 144, 144, 3)`` uint8 RGB, ``(N, 468, 3)`` in their pixels; the last is depth."""
    found = []
    for start in range(0, len(images), _BATCH):
        some = torch.from_numpy(images[start : start + _BATCH]).permute(0, 3, 1, 2).float() / 255
        large = F.interpolate(some, (LANDMARK_SIDE,) * 2, mode="bilinear", align_corners=False)
        found.append(_in_space(network, large).numpy())
    return np.concatenate(found)


def landmarks_of(network: OnnxModule, images: Tensor) -> Tensor:
    """Points of aligned images, resized to ``(N, 3, 192, 192)`` RGB in [0, 1]: ``(N, 468, 2)`` in 144 pixels."""
    return _in_space(network, images)[:, :, :2]


def _in_space(network: OnnxModule, images: Tensor) -> Tensor:
    found = network(images.permute(0, 2, 3, 1))[0].reshape(len(images), POINTS, 3)
    return found * (SIDE / LANDMARK_SIDE) - 0.5


@torch.no_grad()
def _embeddings(recognizers: Recognizers, images: Pixels) -> Tensor:
    crops = images[:, CROP_TOP : CROP_TOP + CROP, CROP_LEFT : CROP_LEFT + CROP]
    found = []
    for start in range(0, len(crops), _BATCH):
        some = torch.from_numpy(np.ascontiguousarray(crops[start : start + _BATCH])).permute(0, 3, 1, 2)
        found.append(recognizers(some.float() / 127.5 - 1))
    return torch.cat(found)
