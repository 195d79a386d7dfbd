"""What became of a film from one frame to the next: moved, or cut."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.optical_flow import Flow, Mask, estimate_flow, fetch, on_motion_boundary

_LONG_SIDE = 288
"""Motion is estimated at about this size, in grey: strokes follow objects, not their pixels."""

_NEIGHBOURHOOD = 13, 13
"""Places around one that have a say in whether it moves: a bare wall cannot tell alone."""

_NOISE = 1.2, 0.3
"""Motion must explain a neighbourhood better than standing still by this factor and so many grey
levels; by less it merely follows the noise."""

_DOUBT = (6.0, 18.0)
"""Grey levels between which a difference that motion does not explain becomes distrust."""

_UNLIKE, _MUCH, _UNEXPLAINED = 20.0, 0.25, 0.6
"""A cut: more than ``_MUCH`` of the picture differs by more than ``_UNLIKE`` grey levels, and motion
leaves more than ``_UNEXPLAINED`` of the difference. Letterboxed cuts change half of a picture, a
bird that takes off a third; but motion explains the bird."""


Grey = NDArray[np.uint8]
"""Luma, ``(H, W)``."""


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Two frames of a source, the earlier seen from the later.

    What is known of a frame is known at ``(h, w)`` places, half as many a row and a column as are seen of it.

    Attributes:
        cut: they have nothing to do with each other.
        flow: from the later to the earlier, ``(h, w, 2)``, in places.
        still: where nothing moves, ``(h, w)``; the flow is 0 there.
        trust: 0 to 1, ``(h, w)`` float32: how surely a place is found in the earlier frame.
        change: grey levels by which the light has changed around a place, ``(h, w)`` float32.
    """

    cut: bool
    flow: Flow
    still: Mask
    trust: NDArray[np.float32]
    change: NDArray[np.float32]


def see(frame: Frame) -> Grey:
    """What :func:`relate` looks at of a frame."""
    return frame.image.shrunk_luma(_factor(*frame.size))


def relate(seen_before: Grey, seen_now: Grey) -> Relation:
    """Estimates motion and trust between what was seen of two frames of one size."""
    to_before = estimate_flow(seen_now, seen_before, quality="quick")
    moved = fetch(seen_before, to_before)
    exposure = _exposure(seen_before, seen_now)
    unmoved = _half(_difference(seen_before, seen_now, exposure))
    unexplained = _half(_difference(moved, seen_now, exposure))
    cut = _is_cut(unmoved, unexplained)
    still = cv2.blur(unmoved, _NEIGHBOURHOOD) < _NOISE[0] * cv2.blur(unexplained, _NEIGHBOURHOOD) + _NOISE[1]
    unexplained = np.asarray(cv2.blur(np.where(still, unmoved, unexplained), (3, 3)), np.float32)
    trust = np.clip((_DOUBT[1] - unexplained) / (_DOUBT[1] - _DOUBT[0]), 0, 1)
    flow = _half(to_before) * np.float32(0.5)
    # What was hidden a moment ago looks otherwise than where it seems to come from, or does no harm. The way
    # back by another flow would find it too, but costs a third of all this and doubts more than it should.
    trust *= still | ~on_motion_boundary(flow)
    return Relation(
        cut=cut,
        flow=np.asarray(cv2.copyTo(flow, (~still).view(np.uint8)), np.float32),
        still=still,
        trust=trust,
        change=_change_of_light(moved, seen_now),
    )


def _is_cut(unmoved: NDArray[np.float32], unexplained: NDArray[np.float32]) -> bool:
    unlike = float((cv2.blur(unexplained, (3, 3)) > _UNLIKE).mean())
    return unlike > _MUCH and float(unexplained.mean()) > _UNEXPLAINED * float(unmoved.mean())


def _change_of_light(before: Grey, now: Grey) -> NDArray[np.float32]:
    """Of the neighbourhood's mean, in grey levels: noise has none."""
    difference = _half(np.asarray(cv2.subtract(now, before, dtype=cv2.CV_32F), np.float32))
    return np.asarray(np.abs(cv2.blur(difference, _NEIGHBOURHOOD)), np.float32)


def _exposure(before: Grey, now: Grey) -> float:
    """What most pixels changed by, in grey levels."""
    changes = np.sort((now[::8, ::8].astype(np.int16) - before[::8, ::8]).ravel())
    return float(changes[len(changes) // 2])


def _difference(before: Grey, now: Grey, exposure: float) -> NDArray[np.float32]:
    """In grey levels, ``(H, W)``; exposure moves nothing."""
    return np.asarray(cv2.absdiff(cv2.add(before, exposure), now), np.float32)


def _factor(width: int, height: int) -> int:
    """Pixels of a frame for one that is looked at, along rows and columns."""
    return max(1, round(max(height, width) / _LONG_SIDE))


def _half(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(H, W)`` or ``(H, W, C)`` at half the size."""
    height, width = values.shape[:2]
    size = (width + 1) // 2, (height + 1) // 2
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
