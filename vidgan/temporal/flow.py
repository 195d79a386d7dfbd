"""Smoothing along the motion of the source.

After Ruder et al. 2016 ("Artistic Style Transfer for Videos") and Lai et al. 2018, without a network:
the last output, moved as the source moved, is mixed into the current frame where that motion can be
trusted. A place is the mean of as many output frames as have been seen of it, up to a bound, which is
higher where nothing moves, because nothing is lost there.

Means of strokes that do not quite meet are softer than strokes. So where things move, the contrast of
detail is lifted to what it is in the current frame, region by region, in what is shown; what is
remembered stays plain.

Color is kept at half the size, as nearly every video has it, which halves the work; and only the part of
the image that moves is fetched from elsewhere.
"""

from collections.abc import Iterator
from math import ceil
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.image import Image, YuvImage
from vidgan.media.optical_flow import Flow, fetch
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate
from vidgan.temporal.reuse import Carry

Floats = NDArray[np.float32]

_Values = TypeVar("_Values", Floats, NDArray[np.uint8])

_MOVING = 0.85
_STANDING = 0.975
"""Largest share of the past at full strength."""

_WINDOW = 5, 5
"""Pixels around one whose mean is not detail."""

_REGION = 4
"""Detail is compared in regions of 2 to the power of this many pixels' side."""

_LAG = 4.0
"""Luma levels of the source by which the output may lag when the light changes."""

_LEAST_DETAIL = 0.5
"""Luma levels of detail by which both are taken to have more: there is nothing to lift in a void."""

_WANTED = 1.08
"""Share of the current frame's detail to restore: a little more than all, since only the finest can be lifted."""

_MOST_LIFT = 2.0
"""Detail is never more than doubled."""

_LEAST_CONFIDENCE = 1e-6
"""Against a division by zero where neither the past nor what follows shows a place."""

_BAND_PIXELS = 1 << 16
"""Pixels that are worked on at a time: four planes of float32 fit into a megabyte of cache."""

_LIFT_STANDING = 0.5
"""Share of the lift where nothing moves: strokes meet there, and much of what is lost is noise."""


class FlowFilter:
    """See :class:`vidgan.temporal.TemporalFilter`.

    Its state: luma ``(H, W)``, both chroma planes at half the size, ``(H/2, W/2, 2)``, and of how many
    output frames each place is the mean, at the size of a motion, or one number for all.
    """

    def __init__(self, strength: float = 1.0) -> None:
        self.state: State | None = None
        self._strength = strength

    def apply(self, output: Frame, motion: MotionEstimate | None) -> Frame:
        now = output.image.yuv()
        if motion is None or motion.scene_cut or self.state is None or self.state[0].shape != now.luma.shape:
            planes = now.luma.astype(np.float32), now.chroma.astype(np.float32)
            self.state = *planes, np.ones((1, 1), np.float32)
            return output
        past_luma, past_chroma, frames = self.state
        # Output frames may be larger than those of the source, of which the motion is.
        everywhere = np.ascontiguousarray(np.broadcast_to(frames, motion.static_mask.shape))
        share = weight_of_past(motion, fetch(everywhere, motion.flow), self._strength)
        smooth_luma = mix(_moved_luma(past_luma, motion.flow), now.luma, share)
        smooth_chroma = mix(moved_along(past_chroma, motion.flow), now.chroma, share)
        self.state = smooth_luma, smooth_chroma, np.asarray(1 / (1 - share), np.float32)
        return output.with_image(_shown(smooth_luma, smooth_chroma, now.luma, motion))

    def carry(self, following: Frame, carry: Carry) -> YuvImage:
        """The output of a frame that was not generated: the past, with some of what follows.

        Args:
            following: the next output frame.
            carry: how the frame lies between both.

        Raises:
            ValueError: there is no past of that size.
        """
        image, motion = following.image.yuv(), carry.motion
        if self.state is None or self.state[0].shape != image.luma.shape:
            raise ValueError("a frame is carried from a former one of its size; there is none")
        luma, chroma, frames = self.state
        everywhere = np.ascontiguousarray(np.broadcast_to(frames, motion.static_mask.shape))
        weight = weight_of_past(motion, fetch(everywhere, motion.flow), self._strength)
        # Half of what a generated frame would bring in: the other half comes with the next one, so that a change
        # takes two steps, as it would without reuse.
        kept = np.asarray((motion.confidence + weight) / 2, np.float32)
        either = kept + (1 - kept) * carry.ahead_confidence
        share = np.asarray(kept / (either + _LEAST_CONFIDENCE), np.float32)
        luma = mix(_moved_luma(luma, motion.flow), moved_along(image.luma, carry.ahead), share)
        chroma = mix(moved_along(chroma, motion.flow), moved_along(image.chroma, carry.ahead), share)
        self.state = luma, chroma, np.asarray(1 / (1 - kept), np.float32)
        return _shown(luma, chroma, image.luma, motion)

    def carry_forward(self, former: Image, motion: MotionEstimate) -> YuvImage:
        """The output of a frame that was not generated, before anything is known of the next one: the past, moved.

        Args:
            former: the last output image, as it was shown; what is remembered is softer.
            motion: from the frame to the former one.

        Raises:
            ValueError: there is no past of that size.
        """
        shown = former.yuv()
        if self.state is None or self.state[0].shape != shown.luma.shape:
            raise ValueError("a frame is carried from a former one of its size; there is none")
        luma, chroma, frames = self.state
        luma, chroma = _moved_luma(luma, motion.flow), moved_along(chroma, motion.flow)
        everywhere = np.ascontiguousarray(np.broadcast_to(frames, motion.static_mask.shape))
        # A place that the past does not show is new: the next generated frame stands for it alone.
        self.state = (
            luma,
            chroma,
            np.asarray(np.maximum(1, fetch(everywhere, motion.flow) * motion.confidence)),
        )
        return _shown(luma, chroma, moved_along(shown.luma, motion.flow), motion)


def _shown(luma: Floats, chroma: Floats, detailed: NDArray[np.uint8], motion: MotionEstimate) -> YuvImage:
    """The smooth planes with the contrast of detail that an output luma has."""
    wanted = np.where(motion.static_mask, _LIFT_STANDING, 1).astype(np.float32)
    return YuvImage(_lift_detail(luma, detailed, wanted), as_bytes(chroma))


def weight_of_past(motion: MotionEstimate, frames: Floats, strength: float) -> Floats:
    """How much of the past is mixed in where, on the grid of the motion.

    Args:
        frames: of how many output frames each place is the mean.
    """
    share = np.minimum(frames / (frames + 1), np.where(motion.static_mask, _STANDING, _MOVING))
    # What changes by c a frame and is mixed with a share s of the past lags by c s / (1 - s).
    np.minimum(share, _LAG / (_LAG + motion.brightness_change), out=share)
    return np.asarray(strength * share * motion.confidence, np.float32)


def as_bytes(plane: Floats) -> NDArray[np.uint8]:
    converted = np.empty(plane.shape, np.uint8)
    for rows in _bands(plane):
        # Interpolation overshoots, and of what is below 0 the size would be taken.
        _, positive = cv2.threshold(plane[rows], 0, 0, cv2.THRESH_TOZERO)
        cv2.convertScaleAbs(positive, converted[rows])
    return converted


def _bands(plane: Floats) -> Iterator[slice]:
    """Rows of a plane that stay in a processor's cache while several passes are made over them."""
    height, width = plane.shape[:2]
    count = max(1, _BAND_PIXELS // width)
    return (slice(first, first + count) for first in range(0, height, count))


def _moved_luma(luma: Floats, flow: Flow) -> Floats:
    """:func:`moved_along`, without growing softer.

    Linear interpolation alone would leave 0.6 of its gradient energy in a slow pan, softened again and again.
    At a fraction f of a pixel, ``0.75 f (1 - f)`` of the second difference makes up for it, along rows and
    columns: that is cubic interpolation (Keys 1981, a = -0.75) of what moves as a whole, in half the time.
    """
    moved = moved_along(luma, flow)
    if moved is luma:
        return luma
    fraction = cv2.multiply(flow, _scale(luma, flow))
    fraction -= np.floor(fraction)
    along_rows, along_columns = cv2.split(0.75 * fraction * (1 - fraction))
    lost = cv2.resize(along_rows, luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
    for rows in _bands(moved):
        _sharpen(moved[rows], _difference(moved[rows], _ALONG_ROWS), lost[rows])
    cv2.resize(along_columns, luma.shape[::-1], lost, interpolation=cv2.INTER_LINEAR)
    above = moved[:1].copy()
    for rows in _bands(moved):
        # The rows of this band as they are, between one that is sharpened already and one that is not yet.
        band = np.concatenate([above, moved[rows.start : rows.stop + 1]])
        above = moved[rows][-1:].copy()
        detail = _difference(band, _ALONG_COLUMNS)[1:]
        _sharpen(moved[rows], detail[: len(moved[rows])], lost[rows])
    return moved


_ALONG_ROWS, _ALONG_COLUMNS = np.array([[-1, 2, -1]], np.float32), np.array([[-1], [2], [-1]], np.float32)


def _difference(plane: Floats, kernel: Floats) -> Floats:
    return np.asarray(cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def _sharpen(rows: Floats, detail: Floats, lost: Floats) -> None:
    cv2.accumulateProduct(detail, lost, rows)


def moved_along(plane: _Values, flow: Flow) -> _Values:
    """A plane of another frame with its objects where they stand now.

    Args:
        flow: from now to the other frame, on a grid of any size.
    """
    height, width = plane.shape[:2]
    rows, columns = where = _where_it_moves(flow, height, width)
    if rows.stop <= rows.start:
        return plane
    # From a part of the image to the whole of it.
    origin = columns.start, rows.start
    by_column, by_row = (
        cv2.resize(scale * each + np.float32(first), (width, height), interpolation=cv2.INTER_LINEAR)[where]
        for each, scale, first in zip(cv2.split(flow), _scale(plane, flow), origin, strict=False)
    )
    how = cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP
    part = np.asarray(cv2.remap(plane, by_column, by_row, how, borderMode=cv2.BORDER_REPLICATE), plane.dtype)
    if part.shape == plane.shape:
        return part
    moved = plane.copy()
    moved[where] = part
    return moved


def _scale(plane: Floats | NDArray[np.uint8], flow: Flow) -> tuple[float, float, float, float]:
    """Pixels of a plane for a place of the flow, columns and rows; for OpenCV, which wants four."""
    height, width = plane.shape[:2]
    return width / flow.shape[1], height / flow.shape[0], 0, 0


def _where_it_moves(flow: Flow, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of an image of this size outside of which all is still."""
    small_height, small_width = flow.shape[:2]
    moves = (flow[..., 0] != 0) | (flow[..., 1] != 0)
    left, top, columns, rows = cv2.boundingRect(moves.view(np.uint8))
    if not rows:
        return slice(0, 0), slice(0, 0)
    # What moves reaches as far as interpolation does.
    return (
        _scaled(top - 1, top + rows + 1, height / small_height),
        _scaled(left - 1, left + columns + 1, width / small_width),
    )


def _scaled(first: int, end: int, scale: float) -> slice:
    return slice(max(0, int(first * scale)), ceil(end * scale))


def mix(past: Floats, now: Floats | NDArray[np.uint8], share: Floats) -> Floats:
    """``share`` of the past, the rest of now."""
    share = np.asarray(cv2.resize(share, now.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    mixed = np.empty_like(past)
    for rows in _bands(past):
        cv2.blendLinear(past[rows], now[rows].astype(np.float32), share[rows], 1 - share[rows], mixed[rows])
    return mixed


def _lift_detail(smooth: Floats, output: NDArray[np.uint8], share: Floats) -> NDArray[np.uint8]:
    """``smooth`` with ``share`` of the detail that ``output`` has more, region by region, as bytes."""
    shown = np.asarray(cv2.convertScaleAbs(smooth), np.uint8)
    plain = cv2.blur(shown, _WINDOW)
    detail = _detail(shown, plain)
    lift = np.clip(_WANTED * _detail(output, cv2.blur(output, _WINDOW)) / detail, 1, _MOST_LIFT)
    share = np.asarray(cv2.resize(share, detail.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    lift = cv2.resize(1 + share * (lift - 1), smooth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    for rows in _bands(smooth):
        lifted = cv2.blendLinear(smooth[rows], plain[rows].astype(np.float32), lift[rows], 1 - lift[rows])
        shown[rows] = as_bytes(np.asarray(lifted, np.float32))
    return shown


def _detail(plane: NDArray[np.uint8], plain: NDArray[np.uint8]) -> Floats:
    """Luma levels by which pixels differ from the mean around them, one number a region."""
    difference = cv2.absdiff(plane, plain)
    for _ in range(_REGION):
        height, width = difference.shape
        size = max(1, width // 2), max(1, height // 2)
        difference = cv2.resize(difference, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(difference.astype(np.float32), (3, 3)) + _LEAST_DETAIL, np.float32)
