"""Pose transfer on videos: the first frame's person in the poses of the rest, compared with the frames themselves.

``python -m benchmarks.animate videos CLIP... --lpips FILE --evaluator FILE``. Reconstructions take each frame's own
key points; everything else is measured on what the product makes of them: smoothed, and retargeted to the bones of
the first frame. The evaluator is another pose network (SimplePose), with which nothing was trained.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from training.evaluation.lpips import Lpips
from training.networks.pose_transfer import blended, sample
from vidgan.media.body_parts import Floats, body_unit, part_affines, part_guides
from vidgan.media.image import Pixels
from vidgan.session import Session
from vidgan.session.graph_runner import GraphRunner
from vidgan.sources import open_source
from vidgan.tasks.people.animator import Animator
from vidgan.tasks.people.generator import GUIDE_SCALE, GeneratedPerson, PoseGenerator
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.people.pose_search import PoseSearch
from vidgan.tasks.people.source_person import SourcePerson, person_of
from vidgan.temporal.flicker import warping_error

_LONGEST = 150
"""Frames of a clip that are looked at."""
_LEAST_SIDE = 32
_BOX_MARGIN = 0.4
"""Lengths of the torso round the key points."""
_CORRECT = 0.2
"""Lengths of the torso within which a key point counts as right."""
_SHOWN = 0.5
_LIMBS = ((3, 5, 7), (4, 6, 8), (11, 13, 15), (12, 14, 16))
_CLOTHES = ((3, 5), (4, 6), (11, 13), (12, 14), (13, 15), (14, 16))
_BONES = (*_CLOTHES, (5, 7), (6, 8))
_SHORT = 0.3
"""Lengths of the torso; shorter bones in the image say nothing about lengths."""
_SAMPLES = np.linspace(0.2, 0.8, 7, dtype=np.float32)[:, None]
_PATCH = 0.06


class PoseEvaluator:
    """SimplePose of 17 COCO key points, for evaluation only.

    Args:
        weights: ONNX, ``(1, 3, 256, 192)`` RGB by ImageNet's mean and deviation → heat maps ``(1, 17, 64, 48)``.
    """

    points = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16])
    """Key points of :mod:`vidgan.media.body_parts` that it finds."""
    _ours = np.array([0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
    """The same among COCO's."""
    _size = 192, 256

    def __init__(self, weights: Path) -> None:
        self._network = GraphRunner(weights.read_bytes(), threads=1, seconds=60)

    def find(self, pixels: Pixels, box: NDArray[np.float32]) -> Floats:
        """The key points :attr:`points` of the person in a box (left, top, right, bottom), ``(15, 2)``."""
        width, height = self._size
        scale = min(width / (box[2] - box[0]), height / (box[3] - box[1]))
        middle = (box[:2] + box[2:]) / 2
        offset = np.array([width, height], np.float32) / 2 - scale * middle
        placed = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]], np.float32)
        crop = cv2.warpAffine(pixels, placed, self._size, flags=cv2.INTER_AREA).astype(np.float32) / 255
        given = (crop - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        feed = given.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
        (maps,) = self._network.run({self._network.inputs[0].name: feed})
        found = np.array([_peak(each) for each in maps[0, self._ours]], np.float32)
        cells = np.array([width / maps.shape[3], height / maps.shape[2]], np.float32)
        return np.asarray(((found + 0.5) * cells - 0.5 - offset) / scale, np.float32)


def _peak(heat: Floats) -> tuple[float, float]:
    """Column and row of the highest value, a quarter of a cell towards the higher neighbor."""
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    padded = np.pad(heat, 1, mode="edge")
    across = np.sign(padded[row + 1, column + 2] - padded[row + 1, column])
    down = np.sign(padded[row + 2, column + 1] - padded[row, column + 1])
    return float(column + 0.25 * across), float(row + 0.25 * down)


@dataclass(frozen=True)
class Posed:
    """A frame that is measured.

    Attributes:
        frame, following: the frame, and the one after it.
        own: the frame's own key points.
        wanted, next_wanted: key points as the product asks for them, of both.
    """

    frame: Pixels
    following: Pixels
    own: Floats
    wanted: Floats
    next_wanted: Floats


def measure_video(
    clip: "Clip",
    person: SourcePerson | None,
    session: Session,
    side: int,
    lpips: Lpips,
    evaluator: PoseEvaluator,
) -> dict[str, float]:
    """Figures of one clip, and of the person who moves in it: its own of the first frame, or another."""
    own = clip.person if person is None else person
    generator = PoseGenerator(session, [own], side)
    rows = []
    for each in clip.posed(own):
        row = _measured(each, own, generator, evaluator)
        if person is None:
            row |= _reconstructed(each, own, generator, side, lpips)
        rows.append(row)
    figures = {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0] if name != "lengths"}
    found = evaluator.find(own.pixels, box_of(own.points))
    return figures | _bones_off(
        np.array([row["lengths"] for row in rows]).sum(0), _lengths(found, own.points)
    )


def _bones_off(moved: NDArray[np.float32], still: NDArray[np.float32]) -> dict[str, float]:
    """How far lengths of bones are off, by the evaluator: as wanted, and as it sees them in the image of the person.

    Args:
        moved, still: what :func:`_lengths` returns, of the output and of the image; the evaluator and the pose network
            differ in both.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios, usual = moved[0] / moved[1], still[0] / still[1]
    return {
        "bones off": float(np.nanmean(np.abs(ratios - 1))),
        "bones off in the image": float(np.nanmean(np.abs(usual - 1))),
        "bones off the image's": float(np.nanmean(np.abs(ratios / usual - 1))),
    }


class Clip:
    """Frames of a video in which a person was looked for.

    Args:
        path: a video, or a folder of images.
        count: how many of its frames are measured, spread over all but the first.

    Raises:
        ValueError: nobody was found in the first frame, or in any other.
    """

    def __init__(self, path: Path, count: int) -> None:
        search = PoseSearch(PoseFinder())
        with open_source(path) as source:
            self._rate = float(source.info.frame_rate or Fraction(25))
            self._frames = [search.apply(each) for each in islice(source, _LONGEST)]
        first = self._frames[0]
        if (found := PoseFinder().find(first.image)) is None:
            raise ValueError(f"{path}: nobody was found in the first frame")
        self.person = person_of(first.pixels, found)
        last = max(1, len(self._frames) - 2)
        chosen = np.unique(np.linspace(1, last, count).round().astype(int))
        self._chosen = [
            int(n) for n in chosen if n < len(self._frames) and self._frames[n].points is not None
        ]
        if not self._chosen:
            raise ValueError(f"{path}: nobody was found after the first frame")

    def posed(self, person: SourcePerson) -> Iterator[Posed]:
        """The frames that are measured, as a person moves by them."""
        asked = _Asked()
        animator = Animator(lambda: (asked, person), self._rate, badge=False)
        for each in self._frames:
            animator.apply(each, None)
        for n in self._chosen:
            frame, after = self._frames[n], min(n + 1, len(self._frames) - 1)
            assert frame.points is not None
            following = self._frames[after].pixels
            yield Posed(frame.pixels, following, frame.points, asked.points[n], asked.points[after])


class _Asked(PoseGenerator):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.points: list[Floats] = []

    def generate(self, points: Floats) -> Pixels:
        self.points.append(points)
        return np.zeros((8, 8, 3), np.uint8)


def _measured(
    posed: Posed, person: SourcePerson, generator: PoseGenerator, evaluator: PoseEvaluator
) -> dict[str, Any]:
    made, following = generator.drawn(posed.wanted), generator.drawn(posed.next_wanted)
    image, after = made.over(person.background), following.over(person.background)
    found = evaluator.find(image, box_of(posed.wanted))
    return {
        "PCK": _pck(found, posed.wanted),
        "PCK of the frames": _pck(evaluator.find(posed.frame, box_of(posed.own)), posed.own),
        "limbs shown": float(_limbs_shown(made.mask[:, :, 0], posed.wanted)),
        "Lab": color_difference(person, image, posed.wanted),
        "E_warp (1e-3)": 1000 * warping_error(image, after, image, after),
        "E_warp of the clip (1e-3)": 1000
        * warping_error(posed.frame, posed.following, posed.frame, posed.following),
        "lengths": _lengths(found, posed.wanted),
    }


def _reconstructed(
    posed: Posed, person: SourcePerson, generator: PoseGenerator, side: int, lpips: Lpips
) -> dict[str, float]:
    drawn = generator.drawn(posed.own).over(person.background)
    warped = warped_by_limbs(person, posed.own, side).over(person.background)
    box = box_of(posed.own)
    return {
        "LPIPS": distance(lpips, drawn, posed.frame, box),
        "LPIPS, warping alone": distance(lpips, warped, posed.frame, box),
    }


def warped_by_limbs(person: SourcePerson, points: Floats, side: int) -> GeneratedPerson:
    """The source's pixels and its mask by the limbs' affine maps and distances: nothing in it is learned."""
    square = person.target_square(points)
    target = square.inside(points, side)
    _, shares = part_guides(target, side, side // GUIDE_SCALE)
    affines = part_affines(person.square.inside(person.points, side), target)
    places = blended(torch.from_numpy(affines)[None], torch.from_numpy(shares)[None], side)
    full = round(person.square.side)
    places = (F.interpolate(places, size=(full, full), mode="bilinear") + 0.5) * (full / side) - 0.5
    layers = np.concatenate([person.crop(full), person.mask_crop(full)[:, :, None]], 2)
    given = torch.from_numpy(layers).permute(2, 0, 1)[None].float()
    warped = sample(given, places, full)[0].permute(1, 2, 0).numpy()
    height, width = person.background.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    placed = cv2.warpAffine(np.ascontiguousarray(warped), square.placed(full), (width, height), flags=flags)
    return GeneratedPerson(placed[:, :, :3], placed[:, :, 3:] / 255)


def box_of(points: Floats) -> NDArray[np.float32]:
    margin = _BOX_MARGIN * body_unit(points)
    return np.concatenate([points[:, :2].min(0) - margin, points[:, :2].max(0) + margin]).astype(np.float32)


def distance(lpips: Lpips, made: Pixels, wanted: Pixels, box: NDArray[np.float32]) -> float:
    height, width = wanted.shape[:2]
    left, top = (int(max(0, each)) for each in box[:2])
    right, bottom = int(min(width, box[2])), int(min(height, box[3]))
    if min(right - left, bottom - top) < _LEAST_SIDE:
        return float("nan")
    crops = [_as_tensor(each[top:bottom, left:right]) for each in (made, wanted)]
    return float(lpips(*crops))


def _as_tensor(pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255


def _pck(found: Floats, wanted: Floats) -> float:
    off = np.linalg.norm(found - wanted[PoseEvaluator.points, :2], axis=1)
    return float((off < _CORRECT * body_unit(wanted)).mean())


def _limbs_shown(mask: Floats, points: Floats) -> bool:
    """Whether at least half of each limb is within the person's mask."""
    for joints in _LIMBS:
        on = [_values(mask, points, pair) > _SHOWN for pair in pairwise(joints)]
        if np.concatenate(on).mean() < _SHOWN:
            return False
    return True


def _values(image: NDArray[Any], points: Floats, pair: tuple[int, int]) -> NDArray[Any]:
    """An image along a bone."""
    start, end = points[list(pair), :2]
    places = np.rint(start + _SAMPLES * (end - start)).astype(int)
    columns, rows = places[:, 0].clip(0, image.shape[1] - 1), places[:, 1].clip(0, image.shape[0] - 1)
    return np.asarray(image[rows, columns])


def color_difference(person: SourcePerson, image: Pixels, points: Floats) -> float:
    """CIE76 between source and output, of median colors along the trunk and the limbs, averaged."""
    apart = [
        np.linalg.norm(one - other)
        for one, other in zip(_colors(person.pixels, person.points), _colors(image, points), strict=True)
    ]
    return float(np.mean(apart))


def _colors(image: Pixels, points: Floats) -> Iterable[Floats]:
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    radius = max(0.6, _PATCH * body_unit(points))
    lab = cv2.GaussianBlur(lab, (0, 0), radius)
    middles = np.concatenate([points, [points[[3, 4]].mean(0), points[[11, 12]].mean(0)]])
    for pair in ((19, 20), *_CLOTHES):
        yield np.median(_values(lab, middles.astype(np.float32), pair), 0)


def _lengths(found: Floats, wanted: Floats) -> NDArray[np.float32]:
    """Lengths of bones in the image, as they were found and as wanted, ``(2, 8)``; 0 where too short to tell."""
    places = {int(each): n for n, each in enumerate(PoseEvaluator.points)}
    rows = []
    for start, end in _BONES:
        measured = float(np.linalg.norm(found[places[start]] - found[places[end]]))
        expected = float(np.linalg.norm(wanted[start, :2] - wanted[end, :2]))
        rows.append((measured, expected) if expected > _SHORT * body_unit(wanted) else (0.0, 0.0))
    return np.array(rows, np.float32).T
