"""Drawn skeletons: joints are read from the colors of the lines, in every style that is known."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import skeletons
from tests.support.commands import SAMPLES
from vidgan.media.body_parts import Floats, body_unit
from vidgan.media.skeleton import draw_skeleton
from vidgan.media.skeleton_reading import is_line_drawing, read_skeleton
from vidgan.sources import open_source
from vidgan.tasks.people.pose_finder import PoseFinder

SIDE = 512
_BODY = [3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16]
Draw = Callable[[Floats, tuple[int, int]], NDArray[np.uint8]]


@cache
def dancers() -> list[Floats]:
    """Key points of some frames of a video, as those of a larger one."""
    finder, found = PoseFinder(), []
    with open_source(SAMPLES / "dance.mp4") as source:
        for number, frame in enumerate(source):
            if number % 11 == 0:
                pose = finder.find(frame.image)
                assert pose is not None
                found.append(pose.points * np.float32(SIDE / 256))
    return found


def own(points: Floats, size: tuple[int, int]) -> NDArray[np.uint8]:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    draw_skeleton(image, points)
    return image


def compressed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With a quarter of the chroma, as in most videos."""
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[:, :, ::-1], np.uint8)


STYLES = {
    "ControlNet, 18 points": skeletons.controlnet,
    "OpenPose, 18 points": skeletons.coco,
    "OpenPose, 25 points": skeletons.body_25,
    "vidgan's own, of BlazePose": own,
}


@pytest.mark.parametrize(("style", "draw"), STYLES.items())
def test_joints_are_where_lines_meet(style: str, draw: Draw) -> None:
    off = []
    for points in dancers():
        image = compressed(draw(points, (SIDE, SIDE)))
        assert is_line_drawing(image)
        found = read_skeleton(image)
        assert found is not None and found.style == style and found.known[_BODY].all()
        off.append(np.linalg.norm(found.points[_BODY, :2] - points[_BODY, :2], axis=1) / body_unit(points))
    assert np.median(off) < 0.06 and (np.array(off) < 0.2).mean() > 0.9


def test_a_large_frame_has_its_own_pixels() -> None:
    points = dancers()[0] * np.float32(2.5)
    image = skeletons.controlnet(dancers()[0], (SIDE, SIDE))
    found = read_skeleton(cv2.resize(image, (1280, 1280), interpolation=cv2.INTER_NEAREST))
    assert found is not None
    assert np.linalg.norm(found.points[_BODY, :2] - points[_BODY, :2], axis=1).max() < 8


def test_the_largest_of_several_is_read() -> None:
    points = dancers()[0]
    image = skeletons.coco(points, (2 * SIDE, SIDE))
    small = skeletons.coco(0.8 * points + np.array([SIDE, 80, 0], np.float32), (2 * SIDE, SIDE))
    found = read_skeleton(np.maximum(image, small))
    assert found is not None
    assert np.linalg.norm(found.points[_BODY, :2] - points[_BODY, :2], axis=1).max() < 20


def test_what_is_not_drawn_is_not_known() -> None:
    """The right arm and the left shin are erased."""
    points = dancers()[0]
    image = skeletons.controlnet(points, (SIDE, SIDE))
    for first, second in ((6, 8), (13, 15)):
        ends = [tuple(int(each) for each in points[place, :2]) for place in (first, second)]
        cv2.line(image, ends[0], ends[1], (0, 0, 0), 16)
    found = read_skeleton(image)
    assert found is not None
    assert not found.known[[6, 8, 13, 15]].any() and found.known[[3, 4, 5, 7, 11, 12, 14, 16]].all()


def test_other_images_are_no_drawings() -> None:
    for name in ("person.jpg", "dance.mp4", "bunny.jpg"):
        with open_source(SAMPLES / name) as source:
            pixels = next(iter(source)).pixels
        assert not is_line_drawing(pixels)
        # A person on a dark stage has a body.
        dark = np.where(np.indices(pixels.shape)[1] % 640 < 8, pixels, 0).astype(np.uint8)
        assert not is_line_drawing(dark) or read_skeleton(dark) is None
    with open_source(SAMPLES / "person.jpg") as source:
        person = next(iter(source)).pixels
    staged = np.where(np.abs(person.astype(int) - [220, 212, 206]).max(2, keepdims=True) > 60, person, 0)
    staged[int(0.78 * 256) :] = 0
    assert not is_line_drawing(staged.astype(np.uint8))
    assert not is_line_drawing(np.zeros((64, 64, 3), np.uint8))


def test_colors_that_say_nothing_are_not_read() -> None:
    image = skeletons.mediapipe(dancers()[0], (SIDE, SIDE))
    assert is_line_drawing(image) and read_skeleton(image) is None
