"""Reading the mark in the pixels, and how likely it is that there is none.

The odds of a false alarm are a bound, not an estimate. A bit's score is a sum with random signs, normalized
by its own terms; for whatever images, such a sum has no more weight in its tails than a Gaussian (Khinchin).
So the sum of the 64 squared scores stays below the bound that Chernoff gives for χ² of 64 degrees of freedom, and
signs that happen to make a magic number and a CRC come once in 2²⁸, whatever the scores. Both are multiplied by
the number of corrections that were tried.

A search over billions of places looks at the magic number alone. The signs of the other 52 bits' blocks are
independent of that choice, so these bits and the CRC prove as much at the places that it chose as they would
anywhere: their odds are multiplied by the number of places that were looked at closely, not by all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.yuv import Plane
from vidgan.provenance.pixel_mark import MAGIC_BITS, Payload
from vidgan.provenance.spread_pattern import (
    BITS,
    BLOCK,
    BLOCKS,
    MOST_BLOCKS,
    Grid,
    amplitudes,
    basis,
    bits_of_blocks,
    signs_of_blocks,
    weighted,
)

ALARM_ODDS = 1e-6
"""A mark is said to be there if images without one look like it less often than that."""
_UNREADABLE_ODDS = 1e-12
"""Likewise where magic number and CRC are not right, and there is nothing but the sum of squares."""

_CHECKED_BITS = 28
"""Bits of magic number and CRC."""
_WEAKEST, _MOST_WRONG = 16, 4
"""Bits of which up to four are tried the other way if the CRC is wrong. In stylized videos that were cropped or turned
three or four bits are wrong, all among the 12 weakest."""

_SIZES = np.exp(np.arange(math.log(0.75), math.log(1.7), 0.010))
"""Sizes of a block, relative to what it would be if the frame were whole: up to 40 % cut off, or bars around it."""
_SEARCHED_SIDE = 480
"""Pixels to which the shorter side of a frame is brought before the search."""
_TURNED_SIZES = _SIZES[(_SIZES > 0.93) & (_SIZES < 1.1)]
_ANGLES = (-1.5, -1.0, -0.5, 0.5, 1.0, 1.5)
"""Degrees."""
_PHASES = [(down, across) for down in range(0, BLOCK, 2) for across in range(0, BLOCK, 2)]
_CANDIDATES = 8
"""Places of each search that are looked at closely ..."""
_PROMISING = 4.5
"""... if the magic number stands out by so many standard deviations; without a mark the best has 5 to 6."""
_SPECTRUM = (96, 192)
"""Blocks that the search shifts the pattern over, cyclically."""


@dataclass(frozen=True)
class MarkReading:
    """A mark that was found.

    Attributes:
        kind: what was done, see :data:`vidgan.provenance.pixel_mark.KINDS`; None if the bits cannot be read.
        id: 32 bits, see :class:`vidgan.provenance.PixelMark`; None likewise.
        score: mean square of the bits' scores: about 1 where there is no mark. After a search it is that of the 52
            bits after the magic number.
        odds: at most so often an image without a mark looks like this.
        frames: that were looked at.
        size: of the frame that was marked over that of this one; 1 if nothing was cut off.
        angle: degrees by which it was turned.
    """

    kind: str | None
    id: int | None
    score: float
    odds: float
    frames: int
    size: float = 1.0
    angle: float = 0.0


@dataclass(frozen=True)
class _Place:
    """Where the pattern may lie: the size of blocks, the angle, the phase in pixels and the shift in blocks."""

    size: float = 1.0
    angle: float = 0.0
    phase: tuple[int, int] = (0, 0)
    shift: tuple[int, int] = (0, 0)


def detect(frames: Iterable[Plane], *, search: bool = True) -> MarkReading | None:
    """Looks for the mark.

    Args:
        frames: luma, each ``(H, W)`` uint8 of one size. One suffices where a video is 720p and not much compressed; a
            dozen from different moments find it in most that are 360p.
        search: look for it also where a frame was cut out of a larger one, or turned by up to 1.5°; takes seconds.

    Returns:
        None if images without a mark look like these more often than once in a million.
    """
    planes = [np.asarray(each, np.uint8) for each in frames]
    if not planes or min(planes[0].shape) < BLOCKS:
        return None
    found = _reading(planes, _Place())
    if found is not None or not search:
        return found
    planes = [_made_small(each) for each in planes]
    mean = np.asarray(np.mean(planes, axis=0), np.float32)
    return _search(planes, mean, [0.0], _SIZES) or _search(planes, mean, _ANGLES, _TURNED_SIZES)


def bit_scores(frames: Sequence[Plane]) -> NDArray[np.float64]:
    """``(64,)``: of each bit of whole frames, positive for 1; normal about 0 where there is no mark."""
    return _scores(frames, _Place())


def _reading(
    planes: Sequence[Plane], place: _Place, *, tried: int = 1, chosen_by: int = 0
) -> MarkReading | None:
    """The mark at a place.

    Args:
        tried: places of which this is the best.
        chosen_by: bits, the first ones, by which these were found; they prove nothing any more.
    """
    scores = _scores(planes, place)
    energy = float(np.square(scores[chosen_by:]).sum())
    chance = tried * _tail(energy, BITS - chosen_by)
    payload, attempts = _corrected(scores)
    # The sum of 1/n over all attempts bounds how often any of them gives odds that low.
    correction = attempts * (1 + math.log(len(_corrections()))) * 2.0 ** (chosen_by - _CHECKED_BITS)
    odds = min(1.0, chance * correction if payload else chance)
    if odds > (ALARM_ODDS if payload else _UNREADABLE_ODDS):
        return None
    return MarkReading(
        kind=payload.kind if payload else None,
        id=payload.id if payload else None,
        score=energy / (BITS - chosen_by),
        odds=odds,
        frames=len(planes),
        size=place.size,
        angle=place.angle,
    )


def _tail(energy: float, bits: int) -> float:
    """At most so often the sum of so many squared scores is so large."""
    ratio = energy / bits
    return 1.0 if ratio <= 1 else math.exp(bits / 2 * (1 - ratio + math.log(ratio)))


def _corrected(scores: NDArray[np.float64]) -> tuple[Payload | None, int]:
    """The payload, with some of the weakest bits turned over if need be, and how many attempts that took.

    Chase 1972: the turns are tried in the order of the scores that speak against them.
    """
    weakest = np.argsort(np.abs(scores))[:_WEAKEST]
    against = _corrections() @ np.abs(scores[weakest])
    values = _corrections() @ (np.uint64(1) << (BITS - 1 - weakest).astype(np.uint64))
    whole = int.from_bytes(np.packbits(scores > 0).tobytes(), "big")
    for attempt, turned in enumerate(values[np.argsort(against, kind="stable")], 1):
        if (payload := Payload.of_bits(whole ^ int(turned))) is not None:
            return payload, attempt
    return None, 1


@lru_cache(maxsize=1)
def _corrections() -> NDArray[np.bool_]:
    """Which of the weakest bits each attempt turns over, ``(attempts, 16)``."""
    turns = [turn for count in range(_MOST_WRONG + 1) for turn in combinations(range(_WEAKEST), count)]
    chosen = np.zeros((len(turns), _WEAKEST), np.bool_)
    for row, turn in zip(chosen, turns, strict=True):
        row[list(turn)] = True
    return chosen


def _made_small(plane: Plane) -> Plane:
    scale = min(1.0, _SEARCHED_SIDE / min(plane.shape))
    size = round(plane.shape[1] * scale), round(plane.shape[0] * scale)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def _scores(planes: Iterable[NDArray[Any]], place: _Place) -> NDArray[np.float64]:
    total: Any = 0
    for plane in planes:
        total = total + weighted(amplitudes(_placed(plane, place)))
    rows, columns = place.shift
    height, width = total.shape
    # What lies outside of the pattern has no block of it.
    inside = np.s_[
        max(0, -rows) : max(0, MOST_BLOCKS - rows), max(0, -columns) : max(0, MOST_BLOCKS - columns)
    ]
    total = total[inside]
    height, width = total.shape
    where = np.s_[max(0, rows) : max(0, rows) + height, max(0, columns) : max(0, columns) + width]
    signed = (total * signs_of_blocks()[where]).ravel()
    bits = bits_of_blocks()[where].ravel()
    sums = np.bincount(bits, signed, BITS)
    return np.asarray(sums / (np.sqrt(np.bincount(bits, np.square(signed), BITS)) + 1e-9))


def _placed(plane: NDArray[Any], place: _Place) -> NDArray[np.float32]:
    """A frame in the scale in which a block has 8 pixels, turned back and cut to whole blocks."""
    height, width = plane.shape
    scale = BLOCK / (place.size * min(height, width) / BLOCKS)
    if place == _Place():
        grid = Grid.of(height, width)
        size = grid.columns * BLOCK, grid.rows * BLOCK
    else:
        size = round(width * scale), round(height * scale)
    how = cv2.INTER_AREA if size[0] < width else cv2.INTER_CUBIC
    small = cv2.resize(plane, size, interpolation=how).astype(np.float32)
    if place.angle:
        turn = cv2.getRotationMatrix2D(((size[0] - 1) / 2, (size[1] - 1) / 2), place.angle, 1.0)
        small = cv2.warpAffine(small, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(small[place.phase[0] :, place.phase[1] :])


def _search(
    planes: Sequence[Plane], mean: NDArray[np.float32], angles: Sequence[float], sizes: NDArray[np.float64]
) -> MarkReading | None:
    """Looks for the magic number alone over all places, and closely at the best of them."""
    found = sorted(_candidates(mean, angles, sizes), key=lambda each: -each[0])[:_CANDIDATES]
    for score, place in found:
        if score < _PROMISING:
            break
        tried = _CANDIDATES * len(list(_around(place)))
        reading = _reading(planes, _refined(mean, place), tried=tried, chosen_by=MAGIC_BITS)
        if reading is not None:
            return reading
    return None


def _candidates(
    mean: NDArray[np.float32], angles: Sequence[float], sizes: NDArray[np.float64]
) -> Iterator[tuple[float, _Place]]:
    """The best place for each angle and size, with its score."""
    template, share = _magic_spectrum(), MAGIC_BITS / BITS
    for angle, size in product(angles, sizes):
        whole = _placed(mean, _Place(size=float(size), angle=angle))
        anywhere = cv2.filter2D(whole, -1, basis() / np.square(basis()).sum(), anchor=(0, 0))
        anywhere = anywhere[: 1 - BLOCK, : 1 - BLOCK]
        best = (0.0, _Place())
        for phase in _PHASES:
            found = weighted(np.ascontiguousarray(anywhere[phase[0] :: BLOCK, phase[1] :: BLOCK]))
            found = found[: _SPECTRUM[0], : _SPECTRUM[1]]
            spectrum = np.fft.rfft2(found, _SPECTRUM)
            agreement = np.fft.irfft2(template * np.conj(spectrum), _SPECTRUM)
            at = np.unravel_index(int(agreement.argmax()), _SPECTRUM)
            score = float(agreement[at]) / (float(np.sqrt(np.square(found).sum() * share)) + 1e-9)
            if score > best[0]:
                shift = _unwrapped(int(at[0]), _SPECTRUM[0]), _unwrapped(int(at[1]), _SPECTRUM[1])
                best = score, _Place(float(size), angle, phase, shift)
        yield best


def _unwrapped(shift: int, period: int) -> int:
    """The shift that a cyclic one stands for; the last quarter are negative ones, of bars around the image."""
    return shift - period if shift > period * 3 // 4 else shift


def _magic_spectrum() -> NDArray[Any]:
    """Spectrum of the blocks that carry the magic number, with its signs."""
    signs = Payload("0", 0).signs()
    bits = bits_of_blocks()
    template = np.where(bits < MAGIC_BITS, signs_of_blocks() * signs[bits], 0).astype(np.float32)
    return np.asarray(np.fft.rfft2(template[: _SPECTRUM[0], : _SPECTRUM[1]]))


def _refined(mean: NDArray[np.float32], place: _Place) -> _Place:
    """The place nearby with the largest scores of all bits."""
    return max(_around(place), key=lambda each: float(np.square(_scores([mean], each)).sum()))


def _around(place: _Place) -> Iterator[_Place]:
    for factor, angle in product(
        (0.995, 0.9975, 1.0, 1.0025, 1.005), (-0.2, 0.0, 0.2) if place.angle else (0.0,)
    ):
        for down, across in product((-1, 0, 1), repeat=2):
            phase = place.phase[0] + down, place.phase[1] + across
            if min(phase) >= 0:
                yield _Place(place.size * factor, place.angle + angle, phase, place.shift)
