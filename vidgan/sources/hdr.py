"""High dynamic range brought to the standard one, which generators were trained on.

PQ is SMPTE ST 2084, HLG is ARIB STD-B67, both as ITU-R BT.2100 defines them; reference white is at
203 cd/m², as ITU-R BT.2408 recommends. Brighter light is compressed, hue kept.
"""

from functools import cache

import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc
from numpy.typing import NDArray

from vidgan.media.ffmpeg import ColorMatrix
from vidgan.media.frame import Color
from vidgan.media.image import Pixels

PQ, HLG = ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67
"""Transfer characteristics of high dynamic range."""

NAMES: dict[int, str] = {PQ: "PQ", HLG: "HLG"}

STANDARD = Color(
    matrix=ColorMatrix.BT709,
    full_range=False,
    primaries=ColorPrimaries.BT709,
    transfer=ColorTrc.BT709,
)
"""BT.709, the result."""

_WHITE = 203.0
_HLG_PEAK = 1000.0
_HLG_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4
_KNEE = 0.75
"""Below this share of the reference white nothing is compressed."""

_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""Linear RGB of BT.2020 to that of BT.709, ITU-R BT.2087."""

_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]], np.float32)
_STEPS = 4096


def tone_map(codes: NDArray[np.uint16], color: Color) -> Pixels:
    """R'G'B' codes, ``(H, W, 3)`` uint16 over the full range, of PQ or HLG → BT.709, uint8."""
    assert color.transfer is not None
    linear = _linear(color.transfer)[codes]
    if color.transfer == HLG:
        scene = np.maximum(cv2.transform(linear, _LUMINANCE), 1e-6)
        linear = linear * (scene ** (_HLG_GAMMA - 1) * (_HLG_PEAK / _WHITE))[..., np.newaxis]
    if color.primaries == ColorPrimaries.BT2020:
        linear = np.maximum(cv2.transform(linear, _TO_BT709), 0)
    brightest = linear.max(axis=2)
    share = compressed(brightest) / np.maximum(brightest, 1e-6)
    light = np.minimum(linear * share[..., np.newaxis], 1)
    return np.asarray(_display_codes()[(light * (_STEPS - 1) + 0.5).astype(np.uint16)], np.uint8)


def compressed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light over the reference white → 0 to 1; the same up to the knee, then ever less."""
    above = np.maximum(light - _KNEE, 0) / (1 - _KNEE)
    return np.asarray(np.minimum(light, _KNEE) + (1 - _KNEE) * (1 - np.exp(-above)), np.float32)


@cache
def _linear(transfer: int) -> NDArray[np.float32]:
    """Light of every 16-bit code; of PQ over the reference white, of HLG over the scene's peak."""
    code = np.linspace(0, 1, 65536)
    if transfer == PQ:
        power = code ** (1 / 78.84375)
        light = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        return np.asarray(light * 10000 / _WHITE, np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)


@cache
def _display_codes() -> NDArray[np.uint8]:
    return np.asarray(np.round(255 * np.linspace(0, 1, _STEPS) ** (1 / _DISPLAY_GAMMA)), np.uint8)
