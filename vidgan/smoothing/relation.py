"""What became of a film from one frame to the next: moved, or cut."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.flow import Flow, Mask, estimate_flow, fetch, untrustworthy
from vidgan.frame import Pixels

_LONG_SIDE = 320
"""Motion is estimated at this size: strokes follow objects, not their pixels."""

_NEIGHBOURHOOD = 25, 25
"""Pixels around a place that have a say in whether it moves: a bare wall cannot tell alone."""

_NOISE = 1.2, 0.3
"""Motion must explain a neighbourhood better than standing still by this factor and so many grey
levels; by less it merely follows the noise."""

_DOUBT = (6.0, 18.0)
"""Grey levels between which a difference that motion does not explain becomes distrust."""

_UNLIKE, _MUCH, _UNEXPLAINED = 20.0, 0.25, 0.6
"""A cut: more than ``_MUCH`` of the picture differs by more than ``_UNLIKE`` grey levels, and motion
leaves more than ``_UNEXPLAINED`` of the difference. Letterboxed cuts change half of a picture, a
bird that takes off a third; but motion explains the bird."""


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Two frames of a source, the earlier seen from the later.

    Attributes:
        cut: they have nothing to do with each other.
        flow: from the later to the earlier, ``(h, w, 2)``, at the small size and in its pixels.
        still: where nothing moves, ``(h, w)``; the flow is 0 there.
        trust: 0 to 1, ``(h, w)`` float32: how surely a pixel is found in the earlier frame.
        change: grey levels by which the light has changed around a pixel, ``(h, w)`` float32.
    """

    cut: bool
    flow: Flow
    still: Mask
    trust: NDArray[np.float32]
    change: NDArray[np.float32]


def relate(before: Pixels, now: Pixels) -> Relation:
    """Estimates motion and trust between two frames, RGB ``(H, W, 3)`` uint8 of one size."""
    small_before, small_now = _small(before), _small(now)
    flow = estimate_flow(small_now, small_before, quality="quick")
    back = estimate_flow(small_before, small_now, quality="rough")
    moved = fetch(small_before, flow)
    exposure = _exposure(small_before, small_now)
    unmoved = _difference(small_before, small_now, exposure)
    unexplained = _difference(moved, small_now, exposure)
    cut = _is_cut(unmoved, unexplained)
    still = cv2.blur(unmoved, _NEIGHBOURHOOD) < _NOISE[0] * cv2.blur(unexplained, _NEIGHBOURHOOD) + _NOISE[1]
    unexplained = cv2.blur(np.where(still, unmoved, unexplained), (5, 5))
    trust = np.clip((_DOUBT[1] - unexplained) / (_DOUBT[1] - _DOUBT[0]), 0, 1)
    flow = np.asarray(cv2.copyTo(flow, (~still).view(np.uint8)), np.float32)
    trust *= still | ~untrustworthy(flow, back)
    return Relation(
        cut=cut,
        flow=flow,
        still=still,
        trust=cv2.blur(trust, (3, 3)),
        change=_change_of_light(moved, small_now),
    )


def _is_cut(unmoved: NDArray[np.float32], unexplained: NDArray[np.float32]) -> bool:
    unlike = float((cv2.blur(unexplained, (5, 5)) > _UNLIKE).mean())
    return unlike > _MUCH and float(unexplained.mean()) > _UNEXPLAINED * float(unmoved.mean())


def _change_of_light(before: Pixels, now: Pixels) -> NDArray[np.float32]:
    """Of the neighbourhood's mean, in grey levels: noise has none."""
    first, second = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (before, now))
    difference = cv2.subtract(second, first, dtype=cv2.CV_32F)
    return np.asarray(np.abs(cv2.blur(difference, _NEIGHBOURHOOD)), np.float32)


def _exposure(before: Pixels, now: Pixels) -> tuple[float, ...]:
    """What most pixels changed by, in grey levels, a channel each."""
    sample = now[::8, ::8].astype(np.int16) - before[::8, ::8]
    return tuple(float(each) for each in np.median(sample, axis=(0, 1)))


def _difference(before: Pixels, now: Pixels, exposure: tuple[float, ...]) -> NDArray[np.float32]:
    """Of the channel that differs most, in grey levels, ``(h, w)``; exposure moves nothing."""
    red, green, blue = cv2.split(cv2.absdiff(cv2.add(before, (*exposure, 0.0)), now))
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)


def small_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of what is known of frames of this size."""
    shrink = max(1.0, max(height, width) / _LONG_SIDE)
    return max(1, round(height / shrink)), max(1, round(width / shrink))


def _small(pixels: Pixels) -> Pixels:
    height, width = small_size(*pixels.shape[:2])
    if (height, width) == pixels.shape[:2]:
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
