"""ICC profiles: images of other color spaces converted to sRGB, which models and videos expect.

Profiles of displays and cameras are a matrix and three curves, ICC.1:2022 F.3, which are computed here. Those
of printers are tables, for which Pillow's LittleCMS is asked, where it is installed.
"""

import io
import struct
from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Pixels
from vidgan.sources.orientation import Orientation

_SRGB_FROM_PCS = np.linalg.inv(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
).astype(np.float32)
"""CIE XYZ of illuminant D50, in which profiles are connected, to linear sRGB."""

_STEPS = 4096
_ROWS = 32
"""Converted at once, so that what is computed stays in the processor's cache."""

_SAME_CODES = 2
"""8-bit codes by which a profile may differ from sRGB to be taken for it."""


class ProfileError(Exception):
    """A profile that is damaged, or of a kind that cannot be applied."""


@dataclass(frozen=True)
class Profile:
    """An ICC profile.

    Args:
        data: the profile as it is embedded in files.

    Raises:
        ProfileError: the data is no profile.
    """

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) < 132 or self.data[36:40] != b"acsp":
            raise ProfileError("not an ICC profile")

    @property
    def space(self) -> str:
        """Color space of the pixels, such as ``"RGB"``, ``"CMYK"`` or ``"GRAY"``."""
        return self.data[16:20].decode("latin-1").strip()

    @cached_property
    def name(self) -> str:
        """Description for people."""
        text = self._tag(b"desc")
        if text[:4] == b"mluc" and len(text) >= 28:
            length, offset = struct.unpack_from(">II", text, 20)
            return text[offset : offset + length].decode("utf-16-be", "replace").strip("\0") or self.space
        if text[:4] == b"desc" and len(text) >= 12:
            length = struct.unpack_from(">I", text, 8)[0]
            return text[12 : 12 + length].decode("latin-1").strip("\0") or self.space
        return self.space

    @cached_property
    def is_srgb(self) -> bool:
        """Whether converting changes nothing that can be seen."""
        try:
            steps = np.linspace(0, 255, 9).astype(np.uint8)
            colors = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
            converted = self.to_srgb(np.ascontiguousarray(colors))
        except ProfileError:
            return False
        return int(np.abs(converted.astype(int) - colors).max()) <= _SAME_CODES

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """Converts ``(H, W, 3)`` uint8 with this profile's colors; gray has three equal channels.

        Raises:
            ProfileError: it is damaged, of another space, or a table while Pillow is not installed.
        """
        if self.space == "GRAY":
            return np.asarray(cv2.LUT(pixels, _encoded(self._curve(b"kTRC"))), np.uint8)
        if self.space != "RGB":
            raise ProfileError(f"its space is {self.space}")
        try:
            matrix = _SRGB_FROM_PCS @ np.stack([self._colorant(each) for each in "rgb"], axis=1)
        except KeyError:
            return self._by_littlecms(pixels)
        curves = np.stack([self._curve(f"{each}TRC".encode()) for each in "rgb"], axis=-1)
        curves = curves.reshape(1, 256, 3)
        result = np.empty_like(pixels)
        for row in range(0, len(pixels), _ROWS):
            linear = cv2.LUT(pixels[row : row + _ROWS], curves)
            result[row : row + _ROWS] = _encoded(cv2.transform(linear, matrix))
        return result

    def _by_littlecms(self, pixels: Pixels) -> Pixels:
        try:
            from PIL import Image, ImageCms
        except ImportError as exc:
            raise ProfileError("it is a table, which needs Pillow; pip install 'vidgan[images]'") from exc
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(self.data))
            converted = ImageCms.profileToProfile(
                Image.fromarray(pixels), profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError as exc:
            raise ProfileError(str(exc)) from exc
        return np.ascontiguousarray(converted, np.uint8)

    def _tag(self, name: bytes) -> bytes:
        count = struct.unpack_from(">I", self.data, 128)[0]
        for index in range(min(count, (len(self.data) - 132) // 12)):
            tag, offset, size = struct.unpack_from(">4sII", self.data, 132 + 12 * index)
            if tag == name:
                return self.data[offset : offset + size]
        return b""

    def _colorant(self, channel: str) -> NDArray[np.float32]:
        data = self._tag(f"{channel}XYZ".encode())
        if len(data) < 20:
            raise KeyError(channel)
        return np.array(struct.unpack_from(">3i", data, 8), np.float32) / np.float32(65536)

    def _curve(self, name: bytes) -> NDArray[np.float32]:
        """Light, 0 to 1, of each of 256 codes."""
        data, codes = self._tag(name), np.linspace(0, 1, 256)
        try:
            if data[:4] == b"curv":
                return _sampled(data, codes).astype(np.float32)
            if data[:4] == b"para":
                return _parametric(data, codes).astype(np.float32)
        except (struct.error, ValueError) as exc:
            raise ProfileError("a curve of it is damaged") from exc
        raise ProfileError("it has no curves")


def _sampled(data: bytes, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    count = struct.unpack_from(">I", data, 8)[0]
    if count == 0:
        return codes
    samples = np.frombuffer(data, ">u2", count, 12)
    if count == 1:
        return np.asarray(codes ** (int(samples[0]) / 256))
    return np.asarray(np.interp(codes, np.linspace(0, 1, count), samples / 65535))


_PARAMETERS = (1, 3, 4, 5, 7)


def _parametric(data: bytes, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """``parametricCurveType``, ICC.1:2022 10.18."""
    kind = struct.unpack_from(">H", data, 8)[0]
    if kind >= len(_PARAMETERS):
        raise ValueError(kind)
    count = _PARAMETERS[kind]
    values = [each / 65536 for each in struct.unpack_from(f">{count}i", data, 12)]
    g, a, b, c, d, e, f = values + [0.0] * (7 - count)
    if kind == 0:
        return np.asarray(codes**g)
    base = np.maximum(a * codes + b, 0) ** g
    if kind in (1, 2):
        return np.asarray(np.where(a * codes + b >= 0, base, 0) + (c if kind == 2 else 0))
    return np.asarray(np.where(codes >= d, base + e, c * codes + f))


def _encoded(linear: NDArray[np.float32]) -> Pixels:
    """Linear sRGB, 0 to 1, as bytes; what is out of the gamut is clipped."""
    steps = (linear * np.float32(_STEPS - 1) + np.float32(0.5)).astype(np.int32)
    return np.asarray(_table().take(steps, mode="clip"), np.uint8)


@cache
def _table() -> Pixels:
    light = np.linspace(0, 1, _STEPS)
    codes = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * codes).astype(np.uint8)


def cmyk_to_srgb(jpeg: bytes, orientation: Orientation) -> Pixels:
    """Converts a JPEG for print by its own profile.

    Raises:
        ProfileError: Pillow is not installed, or the profile or the file is damaged.
    """
    try:
        from PIL import Image, ImageCms
    except ImportError as exc:
        raise ProfileError(
            "it is for print (CMYK), which needs Pillow; pip install 'vidgan[images]'"
        ) from exc
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info.get("icc_profile", b"")))
            converted = ImageCms.profileToProfile(
                image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
    except (ImageCms.PyCMSError, OSError, ValueError) as exc:
        raise ProfileError(str(exc)) from exc
    return orientation.apply(np.asarray(converted, np.uint8))
