"""A mark in the pixels: 64 bits spread over the luma of a frame, too faint to be seen.

Spread-spectrum watermarking (Cox et al. 1997), one low frequency of a block at a time as the DCT methods have it
(Barni et al. 1998). The shorter side of a frame is divided into 45 blocks, whatever its size, so that a
scaled film still has the mark. Each block carries one of 64 bits, as the sign of a pattern of one cycle across a block
one way and half a cycle the other. Which bit, and which sign stands for 1, is drawn once for all, so that a bit
is in about 56 places all over a frame of 16:9.
"""

from __future__ import annotations

import binascii
import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Image, Pixels, RgbImage, YuvImage
from vidgan.media.yuv import Plane

KINDS = ("style", "upscale", "translate", "segment", "colorize", "face", "pose")
"""What was done, in the order of the codes that marks have had so far: only ever to be added to."""

BITS = 64
BLOCK = 8
"""Pixels a side of a block, in the scale in which the pattern is drawn and read."""
BLOCKS = 45
"""Along the shorter side of a frame."""
MOST_BLOCKS = 256
"""Along the longer one; beyond 5.7:1 the rest of it goes without."""

MAGIC_BITS = 12
_MAGIC = 0x5D7
_KIND_BITS, _ID_BITS, _CRC_BITS = 4, 32, 16

_FIXED = 5
"""Bits after the point in the pattern and in the gain."""
_FAINTEST, _STRONGEST = 0.55, 1.8
"""Mean amplitude of the pattern in grey levels: where nothing hides it, and where much does."""
_DETAIL_FOR_LEVEL = 5.0
"""Mean difference from the surroundings, in grey levels, that hides one level more."""
_SURROUNDINGS = 7
_MOST_NOISE = 255.0 / 10 ** (46.0 / 20)
"""Root mean square of what is added to a frame: a PSNR of 46 dB. The mark stands still while a picture moves, which
raises the warping error of films: by up to 3 % of a painted one at 43 dB, and up to 1.3 % at 46 dB."""
_PATTERN_RMS = 1.2337
"""Root mean square of a pattern whose mean amplitude is 1, of the two cosines of :func:`basis`."""


class Grid(NamedTuple):
    """Blocks of a frame."""

    rows: int
    columns: int

    @classmethod
    def of(cls, height: int, width: int) -> Grid:
        """Rows and columns of blocks, of which the shorter side has 45."""
        longer = min(MOST_BLOCKS, round(BLOCKS * max(height, width) / min(height, width)))
        return cls(BLOCKS, longer) if width >= height else cls(longer, BLOCKS)


@dataclass(frozen=True)
class Payload:
    """What the 64 bits say: 12 of a magic number, 4 of the kind, 32 of an identifier, 16 of a CRC.

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
        whole = int.from_bytes(np.packbits(signs > 0).tobytes(), "big")
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

    Raises:
        ValueError: there is no such kind, or ``id`` has more than 32 bits.
    """

    def __init__(self, kind: str, id: int) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        if not 0 <= id < 1 << _ID_BITS:
            raise ValueError(f"id must have 32 bits, got {id}")
        self.payload = Payload(kind, id)

    def apply(self, image: Image) -> Image:
        """The same image with the mark: the last step of a chain. Luma and chroma stay luma and chroma."""
        if isinstance(image, YuvImage):
            return replace(image, luma=self.embed(image.luma))
        return RgbImage(self.embed_rgb(image.pixels))

    def embed(self, luma: Plane) -> Plane:
        """The same luma with the mark, at a PSNR of about 46 dB.

        Args:
            luma: ``(H, W)`` uint8 at full range; not changed.
        """
        return np.asarray(cv2.add(luma, self._added(luma), dtype=cv2.CV_8U), np.uint8)

    def embed_rgb(self, pixels: Pixels) -> Pixels:
        """The same picture with the mark: R, G and B change alike, which changes luma alone.

        Args:
            pixels: RGB, ``(H, W, 3)`` uint8; not changed.
        """
        added = self._added(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))
        return np.asarray(cv2.add(pixels, cv2.merge([added] * 3), dtype=cv2.CV_8U), np.uint8)

    def _added(self, luma: Plane) -> NDArray[np.int16]:
        """What the mark adds to each pixel, in grey levels."""
        added = np.multiply(_pattern(self.payload, *luma.shape), _gain(luma))
        added += 1 << 2 * _FIXED - 1
        added >>= 2 * _FIXED
        return added


def _gain(luma: Plane) -> NDArray[np.int16]:
    """How strong the pattern may be in each pixel, in grey levels times 2⁵: more where detail hides it."""
    grid = Grid.of(*luma.shape)
    small = cv2.resize(luma, (grid.columns * BLOCK, grid.rows * BLOCK), interpolation=cv2.INTER_AREA)
    detail = cv2.absdiff(small, cv2.blur(small, (_SURROUNDINGS, _SURROUNDINGS)))
    coarse = cv2.resize(detail, (grid.columns * 2, grid.rows * 2), interpolation=cv2.INTER_AREA)
    level = _FAINTEST + cv2.blur(coarse, (3, 3)).astype(np.float32) / _DETAIL_FOR_LEVEL
    level = np.minimum(level, _STRONGEST)
    noise = _PATTERN_RMS * float(np.sqrt(np.square(level).mean()))
    level *= min(1.0, _MOST_NOISE / noise) * (1 << _FIXED)
    fixed = np.rint(level).astype(np.int16)
    return np.asarray(cv2.resize(fixed, luma.shape[::-1], interpolation=cv2.INTER_LINEAR), np.int16)


@lru_cache(maxsize=4)
def _pattern(payload: Payload, height: int, width: int) -> NDArray[np.int16]:
    """The mark of mean amplitude 1 times 2⁵, ``(H, W)``."""
    grid = Grid.of(height, width)
    signs = (signs_of_blocks() * payload.signs()[bits_of_blocks()])[: grid.rows, : grid.columns]
    drawn = np.kron(signs, basis()).astype(np.float32)
    shrinks = height < drawn.shape[0]
    scaled = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.rint(scaled * (1 << _FIXED)).astype(np.int16)


@lru_cache(maxsize=1)
def basis() -> NDArray[np.float32]:
    """The pattern of a block, ``(8, 8)``: two low frequencies of the DCT, of mean amplitude 1."""
    once, twice = (np.cos((2 * np.arange(BLOCK) + 1) * each * np.pi / (2 * BLOCK)) for each in (1, 2))
    both = np.outer(twice, once) + np.outer(once, twice)
    return np.asarray(both / np.abs(both).mean(), np.float32)


@lru_cache(maxsize=1)
def signs_of_blocks() -> NDArray[np.int8]:
    """What stands for 1 in each block, −1 or 1, ``(256, 256)``."""
    return (_drawn(b"vidgan pixel mark 1: signs") & 1).astype(np.int8) * 2 - 1


@lru_cache(maxsize=1)
def bits_of_blocks() -> NDArray[np.uint8]:
    """Which bit each block carries, 0 to 63, ``(256, 256)``."""
    return _drawn(b"vidgan pixel mark 1: bits") % BITS


def _drawn(label: bytes) -> NDArray[np.uint8]:
    """Random bytes that are the same everywhere and for ever, which NumPy does not promise of its own."""
    count = MOST_BLOCKS * MOST_BLOCKS
    drawn = np.frombuffer(hashlib.shake_256(label).digest(count), np.uint8)
    return drawn.reshape(MOST_BLOCKS, MOST_BLOCKS)
