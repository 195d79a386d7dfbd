"""Motion between two neighboring frames of a source."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.optical_flow import BoolMask, Flow, Quality, estimate_flow, fetch, on_motion_boundary

_LONG_SIDE = 288
"""Motion is estimated on luma at about this size: strokes follow objects, not their pixels."""

_NEIGHBORHOOD = 13, 13
"""Window whose mean decides whether its center moves: a uniform wall cannot tell pixel by pixel."""

_NOISE = 1.2, 0.3
"""Motion must explain a neighborhood better than standing still by this factor and this many luma levels;
otherwise the flow merely follows noise."""

_DOUBT = (6.0, 18.0)
"""Luma levels between which an unexplained difference lowers the confidence from 1 to 0."""

_UNLIKE, _MUCH, _UNEXPLAINED = 20.0, 0.25, 0.6
"""A scene cut: more than ``_MUCH`` of the frame differs by more than ``_UNLIKE`` luma levels, and motion
leaves more than ``_UNEXPLAINED`` of the difference. Letterboxed cuts change half of a frame, a bird that
takes off a third; but motion explains the bird."""


Luma = NDArray[np.uint8]
"""Luma, ``(H, W)`` uint8."""


@dataclass(frozen=True, kw_only=True)
class MotionEstimate:
    """Motion from the later of two frames to the earlier, on a grid of half the size of their luma.

    Attributes:
        scene_cut: the frames belong to different scenes.
        flow: from the later to the earlier frame, ``(h, w, 2)`` float32, x and y in grid cells.
        static_mask: True where nothing moves, ``(h, w)`` bool; the flow is 0 there.
        confidence: 0 to 1, ``(h, w)`` float32; 0 where the earlier frame does not show what the later does.
        brightness_change: luma levels by which the local mean has changed, ``(h, w)`` float32.
    """

    scene_cut: bool
    flow: Flow
    static_mask: BoolMask
    confidence: NDArray[np.float32]
    brightness_change: NDArray[np.float32]


def flow_luma(frame: Frame) -> Luma:
    """The small luma of a frame that :func:`estimate_motion` takes, ``(H, W)`` uint8."""
    return frame.image.shrunk_luma(_factor(*frame.size))


def estimate_motion(previous: Luma, current: Luma, *, quality: Quality = "quick") -> MotionEstimate:
    """Estimates motion, scene cuts and confidence between two frames of one size.

    Args:
        previous, current: see :func:`flow_luma`.
        quality: of the flow; frames that are carried need more than frames that are smoothed.
    """
    backward_flow = estimate_flow(current, previous, quality=quality)
    warped = fetch(previous, backward_flow)
    exposure = _exposure(previous, current)
    unmoved = _half(_difference(previous, current, exposure))
    unexplained = _half(_difference(warped, current, exposure))
    scene_cut = _is_cut(unmoved, unexplained)
    static = cv2.blur(unmoved, _NEIGHBORHOOD) < _NOISE[0] * cv2.blur(unexplained, _NEIGHBORHOOD) + _NOISE[1]
    unexplained = np.asarray(cv2.blur(np.where(static, unmoved, unexplained), (3, 3)), np.float32)
    confidence = _confidence(unexplained)
    flow = _half(backward_flow) * np.float32(0.5)
    # A disoccluded place looks unlike where it seems to come from, or does no harm. A forward flow would find
    # it too, but costs a third of all this and doubts more than it should.
    confidence *= static | ~on_motion_boundary(flow)
    return MotionEstimate(
        scene_cut=scene_cut,
        flow=np.asarray(cv2.copyTo(flow, (~static).view(np.uint8)), np.float32),
        static_mask=static,
        confidence=confidence,
        brightness_change=_brightness_change(warped, current),
    )


def estimate_confidence(other: Luma, current: Luma, flow: Flow) -> NDArray[np.float32]:
    """0 to 1, ``(h, w)``: how well another frame shows what the current one does, where a flow leads.

    Args:
        other, current: see :func:`flow_luma`.
        flow: from the current frame to the other, on the grid of a :class:`MotionEstimate`.
    """
    size = flow.shape[1::-1]
    there, here = (
        np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.uint8)
        for each in (other, current)
    )
    unexplained = cv2.blur(_difference(fetch(there, flow), here, _exposure(other, current)), (3, 3))
    return _confidence(np.asarray(unexplained, np.float32)) * ~on_motion_boundary(flow)


def _confidence(unexplained: NDArray[np.float32]) -> NDArray[np.float32]:
    share = (_DOUBT[1] - unexplained) / (_DOUBT[1] - _DOUBT[0])
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _is_cut(unmoved: NDArray[np.float32], unexplained: NDArray[np.float32]) -> bool:
    unlike = float((cv2.blur(unexplained, (3, 3)) > _UNLIKE).mean())
    return unlike > _MUCH and float(unexplained.mean()) > _UNEXPLAINED * float(unmoved.mean())


def _brightness_change(previous: Luma, current: Luma) -> NDArray[np.float32]:
    """Absolute change of the neighborhood's mean, in luma levels; noise cancels out."""
    difference = _half(np.asarray(cv2.subtract(current, previous, dtype=cv2.CV_32F), np.float32))
    return np.asarray(np.abs(cv2.blur(difference, _NEIGHBORHOOD)), np.float32)


def _exposure(previous: Luma, current: Luma) -> float:
    """Median change of all pixels, in luma levels."""
    changes = np.sort((current[::8, ::8].astype(np.int16) - previous[::8, ::8]).ravel())
    return float(changes[len(changes) // 2])


def _difference(previous: Luma, current: Luma, exposure: float) -> NDArray[np.float32]:
    """Absolute difference after the change of exposure, ``(H, W)`` in luma levels."""
    return np.asarray(cv2.absdiff(cv2.add(previous, exposure), current), np.float32)


def _factor(width: int, height: int) -> int:
    """Pixels of a frame for one of its flow luma, along rows and columns."""
    return max(1, round(max(height, width) / _LONG_SIDE))


def _half(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(H, W)`` or ``(H, W, C)`` at half the size."""
    if values.ndim == 3:  # Several channels at a time take OpenCV three times as long.
        return np.asarray(
            cv2.merge([_half(np.asarray(each, np.float32)) for each in cv2.split(values)]), np.float32
        )
    height, width = values.shape
    size = (width + 1) // 2, (height + 1) // 2
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
