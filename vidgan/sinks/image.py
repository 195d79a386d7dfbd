"""A still image, or a video as a folder of numbered ones."""

import contextlib
import shutil
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vidgan.errors import OutputError
from vidgan.media.encoding import lossless
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.label_map import Labels, Palette
from vidgan.segments.store import SegmentStore, SegmentWriter
from vidgan.sinks.atomic_file import AtomicFile
from vidgan.sinks.completion import CompletedOutput
from vidgan.sinks.output_path import check_output, numbered
from vidgan.sinks.signer import Signer
from vidgan.sinks.vault import OutputVault

_JPEG_QUALITY = 95
_TRANSPARENT = {".png", ".webp", ".tif", ".tiff"}


class ImageSink(CompletedOutput):
    """Writes its one frame as JPEG, PNG, WebP, BMP or TIFF, by the name's suffix.

    Args:
        palette: the frame is a label map in its colors; a PNG of it has class indices.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        *,
        overwrite: bool = False,
        palette: Palette | None = None,
        signer: Signer | None = None,
        vault: OutputVault | None = None,
    ) -> None:
        self._palette = palette
        self.warnings = _warnings(path, info)
        self._file = AtomicFile(path, overwrite=overwrite, signer=signer, vault=vault)
        self._closing = contextlib.ExitStack()
        self._closing.callback(self._file.discard)

    def write(self, frame: Frame) -> None:
        encoded = _encoded(self._file.path, frame, self._palette)
        with writing(self._file.path):
            self._file.temporary.write_bytes(encoded)

    def _complete(self) -> None:
        self._file.sign()
        self._file.commit()


class ImageSequenceSink(CompletedOutput):
    """Writes each frame as an image, named by a pattern like ``frames/%06d.png``, counted from 1.

    As with a video, nothing appears before everything is done, and interrupted work is continued. The
    folder is made where it is missing; what else is in it stays.

    Args:
        store: as with :class:`~vidgan.sinks.video.VideoSink`.
        palette: as of :class:`ImageSink`.
    """

    def __init__(
        self,
        pattern: Path,
        info: VideoInfo,
        *,
        store: SegmentStore | None = None,
        overwrite: bool = False,
        palette: Palette | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._palette, self._signer = palette, signer
        self.warnings = _warnings(pattern, info)
        self._pattern, self._info, self._overwrite = pattern, info, overwrite
        self._closing = contextlib.ExitStack()
        self._store = self._closing.enter_context(SegmentStore(pattern.parent)) if store is None else store
        self._segments = SegmentWriter(self._store, lossless(info), info)
        self._closing.callback(self._segments.abandon)

    def write(self, frame: Frame) -> None:
        self._segments.write(frame)

    def _complete(self) -> None:
        self._segments.finish()
        joined = self._store.joined_output
        with writing(self._pattern):
            shutil.rmtree(joined, ignore_errors=True)
            joined.mkdir()
            for number, frame in enumerate(self._store.decoded_frames(self._info), 1):
                encoded = _encoded(self._pattern, frame, self._palette)
                image = joined / numbered(self._pattern, number).name
                image.write_bytes(encoded)
                if self._signer is not None:
                    self._signer.sign(image, self._pattern.with_name(image.name))
            check_output(self._pattern, overwrite=self._overwrite)
            self._pattern.parent.mkdir(exist_ok=True)
            for path in sorted(joined.iterdir()):
                path.replace(self._pattern.parent / path.name)
        self._store.close_journal()


def _encoded(path: Path, frame: Frame, palette: Palette | None) -> bytes:
    suffix = path.suffix.lower()
    if palette is not None and suffix == ".png":
        return _indexed(palette.labels(frame.pixels), palette)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix in (".jpg", ".jpeg") else []
    if frame.alpha is not None and suffix in _TRANSPARENT:
        image = cv2.cvtColor(np.dstack([frame.pixels, frame.alpha]), cv2.COLOR_RGBA2BGRA)
    else:
        image = cv2.cvtColor(frame.over_black().pixels, cv2.COLOR_RGB2BGR)
    try:
        done, encoded = cv2.imencode(suffix, image, options)
    except cv2.error as exc:
        raise OutputError(f"{path}: cannot be encoded: {exc.err}") from exc
    if not done:
        raise OutputError(f"{path}: cannot be encoded as {suffix}")
    return encoded.tobytes()


def _indexed(labels: Labels, palette: Palette) -> bytes:
    """A PNG of these indices, which shows their colors."""
    shown = np.zeros((256, 4), np.uint8)
    shown[:, 0] = 255
    shown[:, 1:] = palette.draw(np.arange(256, dtype=np.uint8)[np.newaxis])[0]
    encoder = av.CodecContext.create("png", "w")
    encoder.height, encoder.width = labels.shape
    encoder.pix_fmt, encoder.time_base = "pal8", Fraction(1)
    # Its types do not tell of palettes.
    image = av.VideoFrame.from_ndarray((np.ascontiguousarray(labels), shown), format="pal8")  # type: ignore[arg-type]
    return b"".join(bytes(packet) for packet in [*encoder.encode(image), *encoder.encode(None)])


def _warnings(path: Path, info: VideoInfo) -> list[str]:
    if info.alpha and path.suffix.lower() not in _TRANSPARENT:
        return [f"{path}: cannot hold transparency; .png can"]
    return []
