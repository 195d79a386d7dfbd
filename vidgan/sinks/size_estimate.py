"""An estimate of an animation's size, from its first frames."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av

from vidgan.media.encoding import Encoder, OutputFormat, add_video, choose_palettes, rgb_image
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame, VideoInfo

_FRAMES = 12
"""Enough to see how much of a frame changes."""

SIZED = {"gif", "apng", "webp"}
"""Muxers of animations: their size surprises, and nothing is encoded before the last frame is processed."""


class SizeEstimate:
    """Encodes the first frames in memory, and scales the size up.

    Args:
        path: the output, for messages.
        chosen: its format.
        info: of its frames; the number of frames is known.
        report: called once with the estimated bytes.
    """

    def __init__(
        self, path: Path, chosen: OutputFormat, info: VideoInfo, report: Callable[[int], None]
    ) -> None:
        self._path, self._format, self._info, self._report = path, chosen, info, report
        self._frames: list[Frame] = []

    def add(self, frame: Frame) -> None:
        """Looks at a frame, in order; only the first ones count."""
        expected = self._info.frame_count or 0
        if len(self._frames) == _FRAMES or expected <= _FRAMES:
            return
        self._frames.append(frame)
        if len(self._frames) == _FRAMES:
            one, all_ = self._size(self._frames[:1]), self._size(self._frames)
            self._report(one + (all_ - one) * (expected - 1) // (_FRAMES - 1))
            self._frames = self._frames[:1] * _FRAMES

    def _size(self, frames: list[Frame]) -> int:
        buffer = io.BytesIO()
        encoding, muxer = self._format.encoding, self._format.muxer
        with writing(self._path), av.open(buffer, "w", format=muxer) as container:
            stream = add_video(container, encoding, self._info)
            images = (rgb_image(each, alpha=encoding.has_alpha) for each in frames)
            palettes = choose_palettes(images, self._info) if encoding.pixel_format == "pal8" else None
            encoder = Encoder(stream, encoding, self._info, palettes=palettes)
            for frame in frames:
                container.mux(encoder.encode(frame))
            container.mux(encoder.flush())
        return len(buffer.getvalue())
