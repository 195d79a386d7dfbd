"""What became of a film from one frame to the next: moved, or cut."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.flow import Flow, estimate_flow, fetch, untrustworthy
from vidgan.frame import Pixels

_LONG_SIDE = 320
"""Motion is estimated at this size: strokes follow objects, not their pixels."""

_NEIGHBOURHOOD = 25
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
        trust: 0 to 1, ``(h, w)`` float32: how surely a pixel is found in the earlier frame.
    """

    cut: bool
    flow: Flow
    trust: NDArray[np.float32]


def relate(before: Pixels, now: Pixels) -> Relation:
    """Estimates motion and trust between two frames, RGB ``(H, W, 3)`` uint8 of one size."""
    small_before, small_now = _small(before), _small(now)
    flow = estimate_flow(small_now, small_before, quality="quick")
    back = estimate_flow(small_before, small_now, quality="rough")
    small_before = _exposed_alike(small_before, small_now)
    unmoved = _difference(small_before, small_now)
    unexplained = _difference(fetch(small_before, flow), small_now)
    cut = _is_cut(unmoved, unexplained)
    area = (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
    still = cv2.blur(unmoved, area) < _NOISE[0] * cv2.blur(unexplained, area) + _NOISE[1]
    flow[still] = 0
    unexplained = cv2.blur(np.where(still, unmoved, unexplained), (5, 5))
    trust = np.clip((_DOUBT[1] - unexplained) / (_DOUBT[1] - _DOUBT[0]), 0, 1)
    trust[untrustworthy(flow, back) & ~still] = 0
    return Relation(cut=cut, flow=flow, trust=cv2.blur(trust, (3, 3)))


def _is_cut(unmoved: NDArray[np.float32], unexplained: NDArray[np.float32]) -> bool:
    unlike = float((cv2.blur(unexplained, (5, 5)) > _UNLIKE).mean())
    return unlike > _MUCH and float(unexplained.mean()) > _UNEXPLAINED * float(unmoved.mean())


def _exposed_alike(before: Pixels, now: Pixels) -> Pixels:
    """``before`` with what all pixels changed by: exposure moves nothing."""
    sample = now[::4, ::4].astype(np.int16) - before[::4, ::4]
    change = [float(each) for each in np.median(sample, axis=(0, 1))]
    return np.asarray(cv2.add(before, (*change, 0.0)), np.uint8)


def _difference(before: Pixels, now: Pixels) -> NDArray[np.float32]:
    """Of the channel that differs most, in grey levels, ``(h, w)``."""
    red, green, blue = cv2.split(cv2.absdiff(before, now))
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    shrink = max(height, width) / _LONG_SIDE
    if shrink <= 1:
        return pixels
    size = max(1, round(width / shrink)), max(1, round(height / shrink))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
