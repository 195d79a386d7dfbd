"""Composition of the image in the window: layout, scaling to the window, and text on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.live.frame_pair import FramePair

Canvas = NDArray[np.uint8]
"""``(H, W, 3)`` uint8, BGR as OpenCV displays it."""

WindowLayout = Literal["output", "side by side", "split"]
WindowSize = tuple[int, int]
"""Width and height in pixels."""

PLACEHOLDER_SIZE = 640, 360
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE, _LINE, _MARGIN = 0.5, 22, 10
_WHITE, _RED = (255, 255, 255), (60, 60, 255)
_BACKGROUND = 32
_DARKENING = 0.35
"""Factor of the brightness under text."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The part of a window that an image covers.

    Attributes:
        left, width: horizontal position in window pixels; ``left`` is negative where the image is cropped.
    """

    left: int
    width: int

    def share(self, x: int) -> float:
        """Position of a window column in the image, clamped to 0…1."""
        return min(1.0, max(0.0, (x - self.left) / max(1, self.width)))


def content_size(frame: WindowSize, layout: WindowLayout) -> WindowSize:
    """Size of the composed image for frames of that size."""
    width, height = frame
    return (2 * width, height) if layout == "side by side" else (width, height)


def compose(
    pair: FramePair,
    layout: WindowLayout,
    split: float,
    content: WindowSize,
    window: WindowSize,
    *,
    fill: bool,
) -> tuple[Canvas, Placement]:
    """The image for a window.

    Args:
        content: its proportions, see :func:`content_size`. Those of the frame are slightly different where adaptive
            resolution has rounded its sides.
        split: position of the dividing line of the split view as a share of the width; the input is left of it.
        window: size of the window.
        fill: crop the image to the window instead of adding black bars.
    """
    output = _bgr(pair.output.pixels)
    if layout == "side by side":
        output = np.ascontiguousarray(np.hstack([_bgr(pair.input.pixels), output]))
    elif layout == "split":
        column = round(split * output.shape[1])
        output[:, :column] = _bgr(pair.input.pixels)[:, :column]
    canvas, placement = _fit(output, content, window, fill=fill and layout != "side by side")
    if layout == "split":
        column = round(placement.left + split * placement.width)
        cv2.line(canvas, (column, 0), (column, canvas.shape[0]), _WHITE, 1)
    return canvas, placement


def placeholder(text: str, window: WindowSize) -> Canvas:
    """The image before the first frame."""
    canvas = np.full((window[1], window[0], 3), _BACKGROUND, np.uint8)
    _draw_text(canvas, text, (_MARGIN, canvas.shape[0] // 2))
    return canvas


def draw_status(canvas: Canvas, text: str, *, recording: bool) -> None:
    """Draws the status line at the bottom, and a red dot at the top right while recording."""
    _darken(canvas[-_LINE - _MARGIN // 2 :])
    _draw_text(canvas, text, (_MARGIN, canvas.shape[0] - _MARGIN))
    if recording:
        cv2.circle(canvas, (canvas.shape[1] - 2 * _MARGIN, 2 * _MARGIN), 7, _RED, -1, cv2.LINE_AA)


def draw_table(canvas: Canvas, rows: Sequence[tuple[str, str]]) -> None:
    """Darkens the image and draws two columns of text, small enough to fit above the status line."""
    _darken(canvas)
    space = canvas.shape[0] - _LINE - _MARGIN
    scale = min(1.0, space / (_LINE * len(rows)))
    for number, (left, right) in enumerate(rows, 1):
        row = round(number * scale * _LINE)
        _draw_text(canvas, left, (2 * _MARGIN, row), scale)
        _draw_text(canvas, right, (2 * _MARGIN + round(scale * 14 * _MARGIN), row), scale)


def draw_notification(canvas: Canvas, text: str) -> None:
    """Draws a line of text at the top."""
    _darken(canvas[: _LINE + _MARGIN // 2])
    _draw_text(canvas, text, (_MARGIN, _LINE - _MARGIN // 2))


def _fit(image: Canvas, content: WindowSize, window: WindowSize, *, fill: bool) -> tuple[Canvas, Placement]:
    """Scales an image to the proportions of the content and to a window, and adds black bars, or crops it."""
    width, height = content
    ratios = window[0] / width, window[1] / height
    scale = max(ratios) if fill else min(ratios)
    scaled_size = max(1, round(width * scale)), max(1, round(height * scale))
    if image.shape[1::-1] != scaled_size:
        method = cv2.INTER_LINEAR if scaled_size[0] > image.shape[1] else cv2.INTER_AREA
        image = np.asarray(cv2.resize(image, scaled_size, interpolation=method), np.uint8)
    left, top = (window[0] - scaled_size[0]) // 2, (window[1] - scaled_size[1]) // 2
    placement = Placement(left, scaled_size[0])
    if scaled_size == window:
        return image, placement
    canvas = np.zeros((window[1], window[0], 3), np.uint8)
    rows, columns = (
        slice(max(0, -start), max(0, -start) + min(side, space))
        for start, side, space in ((top, scaled_size[1], window[1]), (left, scaled_size[0], window[0]))
    )
    visible = image[rows, columns]
    y, x = max(0, top), max(0, left)
    canvas[y : y + visible.shape[0], x : x + visible.shape[1]] = visible
    return canvas, placement


def _bgr(pixels: NDArray[np.uint8]) -> Canvas:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)


def _darken(part: Canvas) -> None:
    np.copyto(part, cv2.convertScaleAbs(part, alpha=_DARKENING))


def _draw_text(canvas: Canvas, text: str, origin: tuple[int, int], scale: float = 1.0) -> None:
    # OpenCV's fonts have ASCII only.
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(canvas, plain, origin, _FONT, scale * _FONT_SCALE, _WHITE, 1, cv2.LINE_AA)
