"""A still picture."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from vidgan.errors import OutputError
from vidgan.frame import Frame
from vidgan.media import writing
from vidgan.sinks.part_file import PartFile

_JPEG_QUALITY = 95


class PictureSink:
    """Writes its one frame as JPEG, PNG, WebP, BMP or TIFF, by the name's suffix."""

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.notices: list[str] = []
        self._file = PartFile(path, overwrite=overwrite)

    def write(self, frame: Frame) -> None:
        suffix = self._file.path.suffix.lower()
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix in (".jpg", ".jpeg") else []
        bgr = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR)
        try:
            done, encoded = cv2.imencode(suffix, bgr, options)
        except cv2.error as exc:
            raise OutputError(f"{self._file.path}: cannot be encoded: {exc.err}") from exc
        if not done:
            raise OutputError(f"{self._file.path}: cannot be encoded as {suffix}")
        with writing(self._file.path):
            self._file.part.write_bytes(encoded.tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.commit()
        finally:
            self._file.discard()
