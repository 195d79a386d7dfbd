"""A still picture as a stream of one frame."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from vidgan.errors import InputError
from vidgan.frame import Frame, VideoInfo
from vidgan.geometry import target_size
from vidgan.media import reading


class PictureSource:
    """One frame: the picture, upright (its EXIF orientation applied), 8 bit, without alpha.

    Raises:
        InputError: the file is not a picture that OpenCV decodes.
    """

    def __init__(self, path: Path, *, size: str | None = None) -> None:
        with reading(path):
            encoded = np.fromfile(path, np.uint8)
        try:
            pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
        except cv2.error as exc:
            raise InputError(f"{path}: the picture cannot be decoded: {exc.err}") from exc
        if pixels is None:
            raise InputError(f"{path}: not a picture, or damaged or cut off")
        height, width = pixels.shape[:2]
        target = target_size(width, height, size)
        if target != (width, height):
            how = cv2.INTER_AREA if target[1] < height else cv2.INTER_CUBIC
            pixels = cv2.resize(pixels, target, interpolation=how)
        self.info = VideoInfo(width=target[0], height=target[1], time_base=Fraction(1), frame_count=1)
        self._frames = iter([Frame(pixels=np.asarray(pixels, np.uint8), pts=0, time_base=Fraction(1))])
        self.notices: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        yield from self._frames

    def skip(self, count: int) -> Frame | None:
        return next(self._frames, None) if count else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
