"""A still image as a stream of one frame, and a folder of numbered images as a video."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError
from vidgan.media.ffmpeg import reading
from vidgan.media.frame import Alpha, Frame, VideoInfo
from vidgan.media.geometry import target_size
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.header import is_cmyk, is_heif, size_of
from vidgan.sources.heif import read_heif
from vidgan.sources.icc import Profile, ProfileError, cmyk_to_srgb
from vidgan.sources.image_folder import check_frames, photos_error
from vidgan.sources.image_metadata import ImageMetadata, decode_with_metadata
from vidgan.sources.limits import check_frame_size, check_image_size
from vidgan.sources.numbered_frames import NumberedFrames
from vidgan.sources.stderr_capture import stderr_captured

_MAY_BE_TRANSPARENT = {".png", ".webp", ".tif", ".tiff"}
_TIFF = (b"II", b"MM")


class DecodedImage(NamedTuple):
    """An image as it is read.

    Attributes:
        pixels: sRGB, upright, ``(H, W, 3)`` uint8.
        alpha: transparency, ``(H, W)`` uint8; None if the file has none.
        damaged: whether the decoder complained.
        remarks: what was changed, as the end of a sentence about the file.
        camera: maker and model of the camera, as EXIF has them; empty if the file does not say.
    """

    pixels: Pixels
    alpha: Alpha | None = None
    damaged: bool = False
    remarks: tuple[str, ...] = ()
    camera: str = ""


class ImageSource(NumberedFrames[Frame]):
    """Each image a frame, upright (its EXIF orientation applied), in sRGB, 8 bit.

    Args:
        path: for messages.
        images: the files, in order. Those of a video have one size and numbers in their names.
        rate: frames a second; None for a still image.
        size: size of the frames, see :func:`vidgan.media.geometry.target_size`.
        trim: which of them are wanted.

    Raises:
        InputError: a file is no image, or too large or too small a one, or there is none, or they look like
            photos.
    """

    def __init__(
        self,
        path: Path,
        images: list[Path],
        *,
        rate: Fraction | None = None,
        size: str | None = None,
        trim: Trim = WHOLE,
    ) -> None:
        super().__init__()
        self._path = path
        self._remarks: Counter[str] = Counter()
        self._time_base = Fraction(1) if rate is None else 1 / rate
        self._start = trim.first(self._time_base) * self._time_base
        self._images = list(trim.part_of(images, self._time_base))
        self._count = len(self._images)
        if not self._images:
            raise InputError(f"{path}: has no image" + ("" if trim == WHOLE else f" {trim}"))
        if rate is not None:
            self._check_images()
        first = self._decode(self._images[0])
        self._size = first.pixels.shape[1], first.pixels.shape[0]
        width, height = target_size(*self._size, size)
        check_frame_size(self._images[0], width, height)
        self.info = VideoInfo(
            width=width,
            height=height,
            time_base=self._time_base,
            frame_rate=rate,
            frame_count=len(self._images),
            alpha=first.alpha is not None,
        )
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        yield from self._frames

    def _read(self) -> Iterator[Frame]:
        for index, path in enumerate(self._images):
            image = self._decode(path)
            if (size := (image.pixels.shape[1], image.pixels.shape[0])) != self._size:
                raise photos_error(self._path, self._images[0], self._size, path, size)
            if image.damaged:
                self.warnings.append(f"{path}: is damaged; the part that could be decoded was used")
            self._remarks.update(image.remarks)
            frame = Frame(
                image=RgbImage(self._scaled(image.pixels)), pts=index, time_base=self._time_base, duration=1
            )
            if self.info.alpha:
                opaque = np.full(image.pixels.shape[:2], 255, np.uint8)
                frame = replace(frame, alpha=self._scaled(opaque if image.alpha is None else image.alpha))
            yield frame
        for remark, count in self._remarks.items():
            where = self._path if count == 1 else f"{self._path} ({count} images)"
            self.warnings.append(f"{where}: {remark}")

    def _check_images(self) -> None:
        check_frames(self._path, self._images)

    def _decode(self, path: Path) -> DecodedImage:
        return read_image(path)

    def _scaled(self, image: Pixels | Alpha) -> Pixels:
        target = self.info.width, self.info.height
        if image.shape[1::-1] == target:
            return image
        how = cv2.INTER_AREA if target[1] < image.shape[0] else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(image, target, interpolation=how), np.uint8)


def read_image(path: Path, *, to_srgb: bool = True) -> DecodedImage:
    """Decodes a PNG, JPEG, WebP, BMP, TIFF, HEIC or AVIF.

    Args:
        path: the file.
        to_srgb: convert colors by the ICC profile of the file. Label maps must stay as they are.

    Raises:
        InputError: the file is no image of these kinds, or a huge one, or nothing of it can be decoded, or it
            takes a package that is not installed.
    """
    with reading(path):
        encoded = np.fromfile(path, np.uint8)
    data = encoded.tobytes()
    size = size_of(data)
    if size is None:
        raise InputError(
            f"{path}: not an image (PNG, JPEG, WebP, BMP, TIFF, HEIC or AVIF), or damaged or cut off"
        )
    check_image_size(path, *size)
    if is_heif(data):
        pixels, alpha, profile = read_heif(path)
        image, metadata = DecodedImage(pixels, alpha), ImageMetadata(icc_profile=profile)
    else:
        image, metadata = _decoded(path, encoded)
        image = image._replace(camera=metadata.camera)
    if to_srgb and metadata.icc_profile:
        image = _in_srgb(image, metadata, data)
    if metadata.pages > 1:
        pages = f"has {metadata.pages} pages; only the first one was taken"
        image = image._replace(remarks=(*image.remarks, pages))
    return image


def _decoded(path: Path, encoded: NDArray[np.uint8]) -> tuple[DecodedImage, ImageMetadata]:
    try:
        with stderr_captured() as complaints:
            pixels, metadata = decode_with_metadata(encoded)
            may_be_transparent = pixels is not None and path.suffix.lower() in _MAY_BE_TRANSPARENT
            alpha = _alpha(encoded, metadata) if may_be_transparent else None
    except cv2.error as exc:
        raise InputError(f"{path}: the image cannot be decoded: {exc.err}") from exc
    if pixels is None:
        raise InputError(f"{path}: not an image, or damaged or cut off")
    if alpha is not None and encoded[:2].tobytes() in _TIFF:
        pixels = _unpremultiplied(pixels, alpha)
    return DecodedImage(pixels, alpha, bool(complaints)), metadata


def _alpha(encoded: NDArray[np.uint8], metadata: ImageMetadata) -> Alpha | None:
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        return None
    alpha = image[..., 3]
    alpha = np.asarray(alpha >> 8 if alpha.dtype == np.uint16 else alpha, np.uint8)
    # OpenCV turns colors, and of TIFFs alone transparency too.
    turned = encoded[:2].tobytes() in _TIFF or metadata.orientation.upright
    return np.ascontiguousarray(alpha) if turned else metadata.orientation.apply(alpha)


def _unpremultiplied(pixels: Pixels, alpha: Alpha) -> Pixels:
    """libtiff multiplies colors by alpha, whether they are stored so or not."""
    share = np.maximum(alpha, 1)[..., np.newaxis].astype(np.uint16)
    whole = (pixels.astype(np.uint16) * 255 + share // 2) // share
    return np.asarray(np.minimum(whole, 255), np.uint8)


def _in_srgb(image: DecodedImage, metadata: ImageMetadata, data: bytes) -> DecodedImage:
    try:
        profile = Profile(metadata.icc_profile)
        if is_cmyk(data):
            pixels = cmyk_to_srgb(data, metadata.orientation)
        elif profile.is_srgb:
            return image
        else:
            pixels = profile.to_srgb(image.pixels)
    except ProfileError as exc:
        return image._replace(remarks=(f"its color profile was not applied: {exc}",))
    return image._replace(
        pixels=pixels, remarks=(f"its colors were converted from {profile.name!r} to sRGB",)
    )
