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

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.image import Image, YuvImage
from vidgan.media.optical_flow import fetch
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate
from vidgan.temporal.reuse import Carry
from vidgan.temporal.warping import Floats, SharplyWarped, Upsampled, Warped, bands, moved_along

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
        smooth_luma = mix(SharplyWarped(past_luma, motion.flow), now.luma, share)
        smooth_chroma = mix(Warped(past_chroma, motion.flow), now.chroma, share)
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
        luma = mix(SharplyWarped(luma, motion.flow), Warped(image.luma, carry.ahead), share)
        chroma = mix(Warped(chroma, motion.flow), Warped(image.chroma, carry.ahead), share)
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
        luma = SharplyWarped(luma, motion.flow).rows(slice(0, len(luma)))
        chroma = moved_along(chroma, motion.flow)
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
    for rows in bands(plane):
        # Interpolation overshoots, and of what is below 0 the size would be taken.
        _, positive = cv2.threshold(plane[rows], 0, 0, cv2.THRESH_TOZERO)
        cv2.convertScaleAbs(positive, converted[rows])
    return converted


def mix(
    past: Warped[Floats] | SharplyWarped,
    now: NDArray[np.uint8] | Floats | Warped[NDArray[np.uint8]],
    share: Floats,
) -> Floats:
    """``share`` of the past, the rest of now."""
    shares = Upsampled(share, past.shape[1::-1])
    mixed = np.empty(past.shape, np.float32)
    for rows in bands(mixed):
        weight = shares.rows(rows)
        current = now.rows(rows) if isinstance(now, Warped) else now[rows]
        cv2.blendLinear(past.rows(rows), current.astype(np.float32), weight, 1 - weight, mixed[rows])
    return mixed


def _lift_detail(smooth: Floats, output: NDArray[np.uint8], share: Floats) -> NDArray[np.uint8]:
    """``smooth`` with ``share`` of the detail that ``output`` has more, region by region, as bytes."""
    shown = np.asarray(cv2.convertScaleAbs(smooth), np.uint8)
    plain = cv2.blur(shown, _WINDOW)
    detail = _detail(shown, plain)
    lift = np.clip(_WANTED * _detail(output, cv2.blur(output, _WINDOW)) / detail, 1, _MOST_LIFT)
    share = np.asarray(cv2.resize(share, detail.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    lifts = Upsampled(np.asarray(1 + share * (lift - 1), np.float32), smooth.shape[::-1])
    for rows in bands(smooth):
        lift = lifts.rows(rows)
        lifted = cv2.blendLinear(smooth[rows], plain[rows].astype(np.float32), lift, 1 - lift)
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
