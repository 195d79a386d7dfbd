"""A mark in the pixels: 64 bits spread over the luma of a frame, too faint to be seen.

Spread-spectrum watermarking (Cox et al. 1997), one low frequency of a block at a time as the DCT methods have it
(Barni et al. 1998), see :mod:`vidgan.provenance.spread_pattern`. What the image itself has of the pattern is made up
for bit by bit, as improved spread spectrum does (Malvar and Florêncio 2003).
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Image
from vidgan.media.yuv import Plane
from vidgan.provenance.spread_pattern import (
    BITS,
    BLOCK,
    Grid,
    amplitudes,
    basis,
    bits_of_blocks,
    signs_of_blocks,
    slope,
    weighted,
)

KINDS = tuple((Path(__file__).parent / "mark_kinds.txt").read_text(encoding="ascii").split())
"""Kinds of work, in the order of their codes in marks: a table of the format, only ever to be added to."""

MAGIC_BITS = 12
_MAGIC = 0x5D7
_KIND_BITS, _ID_BITS, _CRC_BITS = 4, 32, 16

_FIXED = 5
"""Bits after the point in the pattern and in the gain."""
_FAINTEST, _STRONGEST = 0.55, 1.8
"""Mean amplitude of the pattern in gray levels: where nothing hides it, and where much does."""
_DETAIL_FOR_LEVEL = 5.0
"""Mean difference from the surroundings, in gray levels, that hides one level more."""
_SURROUNDINGS = 7
PSNR = 44.8
"""PSNR of a marked frame, in dB. The mark stands still while an image moves, which raises the warping error of videos:
by up to 3 % of a stylized one at 43 dB, and less than 2 % at 44.8 dB."""
_LEAST_AND_MOST = 0.5, 1.8
"""Share of the mark for a bit that the image speaks for, and for one that it speaks against."""
_LEAST = 1e-3
_PATTERN_RMS = 1.2337
"""Root mean square of a pattern whose mean amplitude is 1, of the two cosines of :func:`basis`."""


@dataclass(frozen=True)
class Payload:
    """The meaning of the 64 bits: 12 of a magic number, 4 of the kind, 32 of an identifier, 16 of a CRC.

    Attributes:
        kind: one of :data:`KINDS`, or a number that this version has no name for.
        id: 0 to 2³²−1, see :meth:`vidgan.provenance.SigningIdentity.mark_id`.
    """

    kind: str
    id: int

    def signs(self) -> NDArray[np.int8]:
        """The bits as −1 and 1, ``(64,)``, the magic number first."""
        code = KINDS.index(self.kind) if self.kind in KINDS else int(self.kind)
        head = (_MAGIC << _KIND_BITS | code) << _ID_BITS | self.id
        whole = head << _CRC_BITS | _crc(head)
        bits = np.unpackbits(np.frombuffer(whole.to_bytes(BITS // 8, "big"), np.uint8))
        return bits.astype(np.int8) * 2 - 1

    @classmethod
    def of_signs(cls, signs: NDArray[np.int8]) -> Payload | None:
        """The inverse; None if magic number or CRC are not right."""
        return cls.of_bits(int.from_bytes(np.packbits(signs > 0).tobytes(), "big"))

    @classmethod
    def of_bits(cls, whole: int) -> Payload | None:
        """As :meth:`of_signs`, of one number whose highest bit is the first."""
        head = whole >> _CRC_BITS
        code = head >> _ID_BITS & (1 << _KIND_BITS) - 1
        if head >> (_ID_BITS + _KIND_BITS) != _MAGIC or whole & (1 << _CRC_BITS) - 1 != _crc(head):
            return None
        return cls(KINDS[code] if code < len(KINDS) else str(code), head & (1 << _ID_BITS) - 1)


def _crc(head: int) -> int:
    return binascii.crc_hqx(head.to_bytes((BITS - _CRC_BITS) // 8, "big"), 0xFFFF)


class PixelMark:
    """Puts a mark into frames, the same one into each.

    It depends on nothing but the frame, so frames can be marked in any order, and a resumed job makes the same.

    Args:
        kind: one of :data:`KINDS`.
        id: 0 to 2³²−1.
        psnr: of a marked frame, at least, in dB; the fainter the mark, the sooner it is lost.

    Raises:
        ValueError: there is no such kind, or ``id`` has more than 32 bits.
    """

    def __init__(self, kind: str, id: int, *, psnr: float = PSNR) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        if not 0 <= id < 1 << _ID_BITS:
            raise ValueError(f"id must have 32 bits, got {id}")
        self.payload = Payload(kind, id)
        self._most_noise = 255.0 / 10 ** (psnr / 20)

    def apply(self, image: Image) -> Image:
        """The same image with the mark, which changes luma alone: the last step of a chain."""
        return image.with_added_luma(self._added(image.luma))

    def embed(self, luma: Plane) -> Plane:
        """The same luma with the mark.

        Args:
            luma: ``(H, W)`` uint8 at full range; not changed.
        """
        return np.asarray(cv2.add(luma, self._added(luma), dtype=cv2.CV_8U), np.uint8)

    def _added(self, luma: Plane) -> NDArray[np.int16]:
        """The difference that the mark makes to each pixel, in gray levels."""
        gain = _gain(self.payload, luma, self._most_noise)
        added = np.multiply(_pattern(self.payload, *luma.shape), gain)
        added += 1 << 2 * _FIXED - 1
        added >>= 2 * _FIXED
        return np.asarray(added, np.int16)


def _gain(payload: Payload, luma: Plane, most_noise: float) -> NDArray[np.int16]:
    """How strong the pattern may be in each pixel, in gray levels times 2⁵: more where detail hides it.

    Args:
        most_noise: root mean square of what is added, at most.
    """
    grid = Grid.of(*luma.shape)
    small = cv2.resize(luma, (grid.columns * BLOCK, grid.rows * BLOCK), interpolation=cv2.INTER_AREA)
    detail = cv2.absdiff(small, cv2.blur(small, (_SURROUNDINGS, _SURROUNDINGS)))
    coarse = cv2.resize(detail, (grid.columns * 2, grid.rows * 2), interpolation=cv2.INTER_AREA)
    level = _FAINTEST + cv2.blur(coarse, (3, 3)).astype(np.float32) / _DETAIL_FOR_LEVEL
    level = np.minimum(level, _STRONGEST) * np.kron(
        _evened(payload, small, level), np.ones((2, 2), np.float32)
    )
    noise = _PATTERN_RMS * float(np.sqrt(np.square(level).mean()))
    level *= min(1.0, most_noise / noise) * (1 << _FIXED)
    fixed = np.rint(level).astype(np.int16)
    return np.asarray(cv2.resize(fixed, luma.shape[::-1], interpolation=cv2.INTER_LINEAR), np.int16)


def _evened(payload: Payload, small: Plane, level: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of the mark each block gets, ``(rows, columns)``, so that all bits can be read equally well.

    A bit that the image speaks against gets more of it, one that the image speaks for gets less.
    """
    found = amplitudes(small.astype(np.float32))
    rows, columns = found.shape
    bits = bits_of_blocks()[:rows, :columns].ravel()
    own = weighted(found).ravel()
    signed = own * (signs_of_blocks()[:rows, :columns].ravel() * payload.signs()[bits])
    reached = level[::2, ::2] * slope(found)
    noise = np.sqrt(np.bincount(bits, np.square(own), BITS)) + _LEAST
    towards = np.bincount(bits, signed, BITS) / noise
    added = np.bincount(bits, reached.ravel(), BITS) / noise + _LEAST
    share = np.clip((np.mean(added + towards) - towards) / added, *_LEAST_AND_MOST)
    return np.asarray(share[bits].reshape(rows, columns), np.float32)


@lru_cache(maxsize=4)
def _pattern(payload: Payload, height: int, width: int) -> NDArray[np.int16]:
    """The mark of mean amplitude 1 times 2⁵, ``(H, W)``."""
    grid = Grid.of(height, width)
    signs = (signs_of_blocks() * payload.signs()[bits_of_blocks()])[: grid.rows, : grid.columns]
    drawn = np.kron(signs, basis()).astype(np.float32)
    shrinks = height < drawn.shape[0]
    scaled = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.asarray(np.rint(scaled * (1 << _FIXED)), np.int16)
