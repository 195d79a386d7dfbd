"""Decoding of a video stream: packets with times of the output in, frames out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from vidgan.errors import InputError
from vidgan.media.cores import cores
from vidgan.media.timeline import Timeline
from vidgan.sources.container import DECODER_LIMITS, crop_of, has_decoding_times_only
from vidgan.sources.crop import Cropper
from vidgan.sources.deinterlace import Deinterlacer
from vidgan.sources.discontinuities import GapFinder
from vidgan.sources.limits import check_video_size

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these see no transparency."""

_MISSING_SECONDS = 1.0

_CORES_PER_THREAD = 4
"""Decoding a frame takes a small part of what is done with it, and every thread holds frames."""


class StreamDecoder:
    """Decodes the main video of a container into whole frames, cropped, with the gaps of the timeline closed.

    Args:
        container, stream: opened, with nothing demuxed.
        path: for messages.
        timeline: gets the gaps that are found.

    Raises:
        InputError: there is no decoder for it, or its frames are too large.
    """

    def __init__(
        self, container: InputContainer, stream: VideoStream, path: Path, timeline: Timeline
    ) -> None:
        self._container, self._stream, self._path = container, stream, path
        self._timeline = timeline
        self._tick = stream.time_base or Fraction(1, 90000)
        self._decoding_times = has_decoding_times_only(container)
        self._context = _context(stream, path)
        self._context.thread_type, self._context.thread_count = "AUTO", _threads()
        self._cropper = Cropper(crop_of(container, stream))
        self.restart()

    def restart(self) -> None:
        """Resets the decoder's counts, before the container is read from another place."""
        self._deinterlacer = Deinterlacer(self._stream)
        self._sizes: list[str] = []
        self._undecodable = self._corrupt = 0
        self._end_seconds = 0.0
        self._gaps_passed = 0
        self._latest_dts: int | None = None
        self._latest_pts: int | None = None
        self._falls = 0

    @property
    def reorders(self) -> bool:
        """Whether frames may be shown in another order than they are decoded in."""
        return bool(self._context.has_b_frames)

    @property
    def presentation_times_fall(self) -> bool:
        """Whether packets so far are shown before ones that are decoded earlier: the container has both times then.

        A single one may be damaged.
        """
        return self._falls > 1

    @property
    def one_for_one(self) -> bool:
        """Whether each frame so far came from a packet alone, in one size."""
        return not self._deinterlacer.used and len(self._sizes) == 1

    def frames(self) -> Iterator[av.VideoFrame]:
        """Frames in presentation order; times are in the stream's time base."""
        return self._cropper.frames(self._deinterlacer.frames(self._decoded()))

    def _decoded(self) -> Generator[av.VideoFrame]:
        finder = GapFinder(self._container, self._stream, self._timeline)
        for packet in finder.packets():
            if packet.pts is not None and packet.time_base is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self._end_seconds = max(self._end_seconds, end)
            if packet.stream is not self._stream:
                continue
            if packet.has_sidedata("encryption_info"):
                # Decoders make frames of noise of it, now and then.
                raise InputError(f"{self._path}: is encrypted, and can only be played with its key")
            self._look_at_times(packet)
            position = finder.position(packet)
            if self._begins_anew(packet, position):
                yield from self._frames_of(None)
                self._context.flush_buffers()
            packet = self._kept(packet)
            self._set_time(packet, position)
            yield from self._frames_of(packet)

    def _kept(self, packet: Packet[Any]) -> Packet[Any]:
        """The packet, without the mark that makes decoders drop its frame, where only its time is to blame.

        FFmpeg marks packets of fragmented MP4 whose decoding time goes back, some of which have none then, and
        those that an edit list hides.
        """
        latest = self._latest_dts
        odd = latest is not None and (packet.dts is None or packet.dts <= latest)
        if packet.dts is not None:
            self._latest_dts = packet.dts if latest is None else max(latest, packet.dts)
        if not (odd and packet.is_discard):
            return packet
        kept: Packet[Any] = Packet(bytes(packet))
        kept.stream, kept.time_base, kept.duration = packet.stream, packet.time_base, packet.duration
        kept.pts, kept.dts = packet.pts, packet.dts
        return kept

    def _begins_anew(self, packet: Packet[Any], position: int) -> bool:
        """Whether the first key frame after a gap is next: decoders lose frames that wait when the size changes."""
        passed = sum(gap.position <= position for gap in self._timeline.gaps)
        before, self._gaps_passed = self._gaps_passed, passed
        return passed > before and packet.is_keyframe

    def _frames_of(self, packet: Packet[Any] | None) -> Iterator[av.VideoFrame]:
        try:
            for frame in self._context.decode(packet):
                self._look_at_size(frame)
                self._corrupt += frame.is_corrupt
                yield frame
        except (av.error.InvalidDataError, av.error.ArgumentError):
            # As players do: a packet that is damaged, or too large, costs its own frame, not the video.
            self._undecodable += 1

    def _set_time(self, packet: Packet[Any], position: int) -> None:
        if self._decoding_times and packet.size:
            packet.pts = packet.dts
        if packet.pts is not None and self._timeline.gaps:
            closed = self._timeline.closed_before(packet.pts * self._tick, position)
            packet.pts -= round(closed / self._tick)

    def _look_at_times(self, packet: Packet[Any]) -> None:
        if packet.pts is None or packet.dts is None:
            return
        falls = self._latest_pts is not None and packet.dts <= packet.pts < self._latest_pts
        self._falls += falls
        self._latest_pts = packet.pts

    def _look_at_size(self, frame: av.VideoFrame) -> None:
        size = f"{frame.width}x{frame.height}"
        if not self._sizes or self._sizes[-1] != size:
            self._sizes.append(size)

    def warnings(self) -> Iterator[str]:
        """Yields warnings about the frames so far."""
        if self._deinterlacer.used:
            yield f"{self._path}: is interlaced; made whole frames of it"
        if len(self._sizes) > 1:
            yield (
                f"{self._path}: changes its size ({' -> '.join(self._sizes)}); "
                "all frames were fitted into the first"
            )
        if self._undecodable:
            yield f"{self._path}: {self._undecodable} damaged packets could not be decoded"
        if self._corrupt:
            yield f"{self._path}: {self._corrupt} damaged frames were processed as they were decoded"

    def check_end(self) -> None:
        """Tells a file that was cut off from one that ends where it says.

        Raises:
            InputError: it was cut off.
        """
        if self._timeline.gaps:
            return  # The duration of the container counts the gaps too, or begins anew.
        promised = (self._container.duration or 0) / av.time_base
        start = (self._container.start_time or 0) / av.time_base
        missing = promised - (self._end_seconds - start)
        if missing > max(_MISSING_SECONDS, 0.02 * promised):
            raise InputError(
                f"{self._path}: ends {missing:.1f} s before the {promised:.1f} s that it promises; "
                "the file is cut off"
            )


def _threads() -> int:
    """Threads of a decoder; FFmpeg would take one more than there are cores."""
    return ceil(cores() / _CORES_PER_THREAD)


def _context(stream: VideoStream, path: Path) -> VideoCodecContext:
    # There is none for a format that FFmpeg does not know, whatever PyAV's types say.
    context: VideoCodecContext | None = stream.codec_context
    if context is None:
        raise InputError(f"{path}: its video is in a format that cannot be decoded, or damaged")
    check_video_size(path, context.width, context.height)
    context.options = DECODER_LIMITS
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if tags.get("alpha_mode") != "1" or context.name not in _ALPHA_DECODERS:
        return context
    decoder = CodecContext.create(_ALPHA_DECODERS[context.name], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = context.extradata
    decoder.options = DECODER_LIMITS
    return decoder
