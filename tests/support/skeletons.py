"""Skeletons drawn as OpenPose, ControlNet and MediaPipe draw them."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import Floats

_OF_COCO = 0, None, 4, 6, 8, 3, 5, 7, 12, 14, 16, 11, 13, 15, None, None, 2, 1
"""Key point of each of COCO's 18 joints, as OpenPose numbers them; None for the neck and the eyes."""
_OF_BODY_25 = (
    0,
    None,
    4,
    6,
    8,
    3,
    5,
    7,
    None,
    12,
    14,
    16,
    11,
    13,
    15,
    None,
    None,
    2,
    1,
    17,
    17,
    None,
    18,
    18,
    None,
)
_COCO_LINES = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_BODY_25_LINES = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13), (13, 14),
    (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (14, 19), (19, 20), (11, 22), (22, 23),
)  # fmt: skip
_RAINBOW = [
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85),
]  # fmt: skip
_COCO = [_RAINBOW[n] for n in (17, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 14, 15, 13)]
_BODY_25 = [_RAINBOW[n] for n in (17, 0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12, 16, 14, 15, 13)]
_BODY_25 += [(0, 0, 255)] * 3 + [(0, 255, 255)] * 3

Image = NDArray[np.uint8]


def controlnet(points: Floats, size: tuple[int, int]) -> Image:
    """Lines as ellipses at 0.6 of the brightness, dots on them; width and height of the image in ``size``."""
    image, joints = _blank(size), _joints(points, _OF_COCO)
    for color, (first, second) in zip(_RAINBOW, _COCO_LINES, strict=False):
        one, other = joints[first], joints[second]
        angle = float(np.degrees(np.arctan2(*(other - one)[::-1])))
        axes = (int(np.linalg.norm(other - one) / 2), 4)
        middle = tuple(int(each) for each in (one + other) / 2)
        shape = cv2.ellipse2Poly(middle, axes, int(angle), 0, 360, 1)
        cv2.fillConvexPoly(image, shape, [int(0.6 * each) for each in color])
    for color, joint in zip(_RAINBOW, joints, strict=True):
        cv2.circle(image, _rounded(joint), 4, color, -1)
    return image


def coco(points: Floats, size: tuple[int, int]) -> Image:
    return _openpose(points, size, _OF_COCO, _COCO_LINES, _COCO)


def body_25(points: Floats, size: tuple[int, int]) -> Image:
    return _openpose(points, size, _OF_BODY_25, _BODY_25_LINES, _BODY_25)


def mediapipe(points: Floats, size: tuple[int, int]) -> Image:
    """White lines; the dots tell left and right only."""
    image = _blank(size)
    for chain in ((3, 5, 7, 9), (4, 6, 8, 10), (3, 11, 13, 15, 17), (4, 12, 14, 16, 18), (3, 4), (11, 12)):
        for first, second in pairwise(chain):
            cv2.line(image, _rounded(points[first]), _rounded(points[second]), (224, 224, 224), 2)
    for number, point in enumerate(points):
        cv2.circle(image, _rounded(point), 2, (255, 138, 0) if number % 2 else (0, 217, 231), 2)
    return image


def _openpose(
    points: Floats,
    size: tuple[int, int],
    numbers: Sequence[int | None],
    lines: Sequence[tuple[int, int]],
    colors: Sequence[tuple[int, int, int]],
) -> Image:
    """Each line in the color of the joint that it leads to."""
    image, joints = _blank(size), _joints(points, numbers)
    for first, second in lines:
        cv2.line(image, _rounded(joints[first]), _rounded(joints[second]), colors[second], 5, cv2.LINE_AA)
        cv2.circle(image, _rounded(joints[second]), 4, colors[second], -1, cv2.LINE_AA)
    cv2.circle(image, _rounded(joints[1]), 4, colors[1], -1, cv2.LINE_AA)
    return image


def _joints(points: Floats, numbers: Sequence[int | None]) -> list[Floats]:
    joints = [np.zeros(2, np.float32) if each is None else points[each, :2] for each in numbers]
    joints[1] = points[[3, 4], :2].mean(0)
    eyes = (15, 16) if len(numbers) == 25 else (14, 15)
    for eye, ear in zip(eyes, (2, 1), strict=True):
        joints[eye] = (points[0, :2] + points[ear, :2]) / 2 + [0, -0.15 * abs(points[1, 0] - points[2, 0])]
    if len(numbers) == 25:
        joints[8] = points[[11, 12], :2].mean(0)
    return joints


def _blank(size: tuple[int, int]) -> Image:
    return np.zeros((size[1], size[0], 3), np.uint8)


def _rounded(place: Floats) -> tuple[int, int]:
    column, row = np.rint(place[:2]).astype(int)
    return int(column), int(row)
