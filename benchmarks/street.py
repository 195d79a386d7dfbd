"""Draws a drive along a street as a video of label maps, in CamVid's colors: ``samples/street.mkv``.

``python -m benchmarks.street -o samples/street.mkv``. It is geometry, seen from a moving camera, and so
nobody's photo.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import click
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 480, 360, 15
SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)
COLORS = np.array(
    [
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0),
        (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ],
    np.uint8,
)  # fmt: skip
"""RGB by class."""

_FOCAL = 1.0 * HEIGHT
_HORIZON = 0.48 * HEIGHT
_EYE = 1.4
_NEAR = 0.6
_FAR = 130.0
_SPEED = 6.0
_LANE = -1.4

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Thing:
    """Something in the street, in meters: across (the camera drives along 0), up and ahead.

    Attributes:
        draw: given the image and how far the camera has come.
        ahead: where it stands, for what hides what.
    """

    draw: Callable[[NDArray[np.uint8], float], None]
    ahead: Callable[[float], float]


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--frames", type=click.IntRange(min=1), default=90, show_default=True)
def cli(output: Path, frames: int) -> None:
    """Draw the street, losslessly."""
    with av.open(str(output), "w") as container:
        stream = container.add_stream("libx264rgb", rate=FPS, options={"qp": "0", "preset": "veryslow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        stream.time_base = Fraction(1, FPS)
        for number, labels in enumerate(drive(frames)):
            frame = av.VideoFrame.from_ndarray(COLORS[labels], format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def drive(frames: int) -> Iterator[NDArray[np.uint8]]:
    """Class indices, ``(HEIGHT, WIDTH)``, a frame after the other."""
    things = _street(np.random.default_rng(4))
    for number in range(frames):
        seconds = number / FPS
        image = np.full((HEIGHT, WIDTH), SKY, np.uint8)
        _ground(image)
        come = _SPEED * seconds
        there = [thing for thing in things if _NEAR < thing.ahead(seconds) - come < _FAR]
        for thing in sorted(there, key=lambda thing: -thing.ahead(seconds)):
            thing.draw(image, seconds)
        yield image


def _street(random: np.random.Generator) -> list[Thing]:
    things: list[Thing] = []
    for side in (-1, 1):
        place = -5.0
        while place < 260:
            length = random.uniform(7, 14)
            if random.random() < 0.75:
                things += _blocks(
                    side * 7.5, side * 16, place, place + length, random.uniform(6, 12), BUILDING
                )
            else:
                things += _blocks(side * 7.2, side * 7.5, place, place + length, 1.2, FENCE)
                things.append(_blob(side * 10, random.uniform(4, 6), place + length / 2, 4, TREE))
            place += length
        things += [_upright(side * 4.6, 0, 6.5, each, 0.14, POLE) for each in np.arange(6, 260, 17.0)]
        things += [_upright(side * 4.6, 2.4, 3.2, each, 0.8, SIGN) for each in np.arange(23, 260, 34.0)]
        for each in np.arange(14, 260, 21.0) + random.uniform(0, 6):
            things.append(_upright(side * 5.8, 0, 3, each, 0.35, TREE))
            things.append(_blob(side * 5.8, 4.4, each, 2.2, TREE))
        for each in np.arange(9, 260, 13.0) + random.uniform(0, 5):
            if random.random() < 0.6:
                things += _blocks(side * 2.9, side * 4.1, each, each + 4.2, 1.45, CAR)
        for each in random.uniform(8, 200, 9):
            pace = random.choice([-1.2, 1.2])
            things.append(_upright(side * 5.3, 0, 1.75, each, 0.5, PEDESTRIAN, pace))
    things.append(_upright(_LANE - 0.8, 0, 1.8, 15, 0.6, BICYCLIST, 5.0))
    things += _blocks(0.6, 2.3, 120, 124, 1.5, CAR, pace=-7.0)
    things += _blocks(-2.3, -0.6, 30, 34, 1.5, CAR, pace=6.5)
    return things


def _ground(image: NDArray[np.uint8]) -> None:
    for reach, label in ((40.0, FENCE), (7.5, PAVEMENT), (4.2, ROAD)):
        strip = np.array([(-reach, 0, _NEAR), (-reach, 0, _FAR), (reach, 0, _FAR), (reach, 0, _NEAR)])
        _fill(image, strip, TREE if label == FENCE else label)


def _blocks(
    near: float, far: float, front: float, back: float, height: float, label: int, pace: float = 0.0
) -> list[Thing]:
    """A box: its face to the street, and its face to the camera."""

    def draw(image: NDArray[np.uint8], seconds: float) -> None:
        come = (_SPEED - pace) * seconds
        a, b = max(front - come, _NEAR), back - come
        _fill(image, np.array([(near, 0, a), (near, height, a), (near, height, b), (near, 0, b)]), label)
        _fill(image, np.array([(near, 0, a), (near, height, a), (far, height, a), (far, 0, a)]), label)

    def ahead(seconds: float) -> float:
        return back + pace * seconds - 0.01

    return [Thing(draw, ahead)]


def _upright(
    across: float, bottom: float, top: float, ahead: float, width: float, label: int, pace: float = 0.0
) -> Thing:
    """A rectangle that faces the camera."""
    left, right = across - width / 2, across + width / 2

    def draw(image: NDArray[np.uint8], seconds: float) -> None:
        z = ahead - (_SPEED - pace) * seconds
        if z > _NEAR:
            corners = [(left, bottom, z), (left, top, z), (right, top, z), (right, bottom, z)]
            _fill(image, np.array(corners), label)

    return Thing(draw, lambda seconds: ahead + pace * seconds)


def _blob(across: float, up: float, ahead: float, radius: float, label: int) -> Thing:
    """The crown of a tree: a circle with an uneven edge."""
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    edge = radius * (1 + 0.12 * np.sin(5 * turns + across) + 0.08 * np.sin(11 * turns + ahead))

    def draw(image: NDArray[np.uint8], seconds: float) -> None:
        z = ahead - _SPEED * seconds
        if z > _NEAR:
            depth = np.full(len(turns), z)
            _fill(
                image, np.stack([across + edge * np.cos(turns), up + edge * np.sin(turns), depth], 1), label
            )

    return Thing(draw, lambda seconds: ahead)


def _fill(image: NDArray[np.uint8], corners: Points, label: int) -> None:
    """A polygon of points across, up and ahead of the camera."""
    x = WIDTH / 2 + _FOCAL * (corners[:, 0] - _LANE) / corners[:, 2]
    y = _HORIZON - _FOCAL * (corners[:, 1] - _EYE) / corners[:, 2]
    cv2.fillPoly(image, [np.stack([x, y], 1).clip(-9999, 9999).round().astype(np.int32)], label)


if __name__ == "__main__":
    cli()
