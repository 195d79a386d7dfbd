"""What the window shows: the picture, its original beside or under it, and words upon it."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.live.stylizer import Shot

Canvas = NDArray[np.uint8]
"""``(H, W, 3)`` uint8, BGR as OpenCV shows it."""

Arrangement = Literal["painted", "side by side", "split"]

_LEAST_WIDTH = 640
"""Pixels, so that words can be read on a picture that is painted small."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SCALE, _LINE, _MARGIN = 0.5, 22, 10
_WHITE, _RED = (255, 255, 255), (60, 60, 255)
_DARK = 0.35
"""Share of its light that the picture keeps under words."""


def composed(shot: Shot, arrangement: Arrangement, split: float) -> Canvas:
    """The picture as it is arranged.

    Args:
        split: where the original ends and the painting begins, as a share of the width.
    """
    painted = _canvas(shot.painted.pixels)
    if arrangement == "painted":
        return painted
    source = _canvas(shot.source.pixels)
    if arrangement == "side by side":
        return np.ascontiguousarray(np.hstack([source, painted]))
    column = round(split * painted.shape[1])
    painted[:, :column] = source[:, :column]
    cv2.line(painted, (column, 0), (column, painted.shape[0]), _WHITE, 1)
    return painted


def blank(words: str) -> Canvas:
    """For as long as there is no picture."""
    canvas = np.full((_LEAST_WIDTH * 9 // 16, _LEAST_WIDTH, 3), 32, np.uint8)
    _write(canvas, words, (_MARGIN, canvas.shape[0] // 2))
    return canvas


def write_status(canvas: Canvas, words: str, *, recording: bool) -> None:
    """One line at the foot, and a red dot while it is recorded."""
    top = canvas.shape[0] - _LINE - _MARGIN // 2
    _darken(canvas[top:])
    _write(canvas, words, (_MARGIN, canvas.shape[0] - _MARGIN))
    if recording:
        cv2.circle(canvas, (canvas.shape[1] - 2 * _MARGIN, 2 * _MARGIN), 7, _RED, -1, cv2.LINE_AA)


def write_lines(canvas: Canvas, lines: Sequence[tuple[str, str]]) -> None:
    """Two columns of words, on a darkened picture."""
    _darken(canvas)
    for number, (left, right) in enumerate(lines, 1):
        _write(canvas, left, (2 * _MARGIN, number * _LINE))
        _write(canvas, right, (18 * _MARGIN, number * _LINE))


def write_notice(canvas: Canvas, words: str) -> None:
    """One line at the head."""
    _darken(canvas[: _LINE + _MARGIN // 2])
    _write(canvas, words, (_MARGIN, _LINE - _MARGIN // 2))


def _canvas(pixels: NDArray[np.uint8]) -> Canvas:
    bgr = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    height, width = bgr.shape[:2]
    if width >= _LEAST_WIDTH:
        return bgr
    size = _LEAST_WIDTH, round(height * _LEAST_WIDTH / width)
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _darken(part: Canvas) -> None:
    np.copyto(part, cv2.convertScaleAbs(part, alpha=_DARK))


def _write(canvas: Canvas, words: str, foot: tuple[int, int]) -> None:
    # OpenCV's letters are those of ASCII.
    plain = words.encode("ascii", "replace").decode()
    cv2.putText(canvas, plain, foot, _FONT, _SCALE, _WHITE, 1, cv2.LINE_AA)
