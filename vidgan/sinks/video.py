"""A video file, encoded by FFmpeg through PyAV, with the other streams of the input."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vidgan.errors import InputError, OutputError
from vidgan.media.encoding import (
    DEFAULT_ENCODER,
    WITH_ALPHA_SUFFIXES,
    ColorTable,
    Encoder,
    EncoderChoice,
    OutputFormat,
    add_video,
    choose_palettes,
    final_delay_options,
    format_of,
    opening,
    rgb_image,
)
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.stream_modes import DEFAULT_STREAM_MODES, StreamModes
from vidgan.media.timeline import Timeline
from vidgan.media.trim import WHOLE, Trim
from vidgan.media.vault_file import ATTACHED_SUFFIXES, ATTACHMENT_NAME, ATTACHMENT_TYPE
from vidgan.segments.store import SegmentStore, SegmentWriter
from vidgan.sinks.atomic_file import AtomicFile
from vidgan.sinks.completion import CompletedOutput
from vidgan.sinks.copy.stream_copy import StreamCopy, has_other_streams
from vidgan.sinks.input_reading import InputReading
from vidgan.sinks.signer import Signer
from vidgan.sinks.size_estimate import SIZED, SizeEstimate
from vidgan.sinks.timestamps import GIF_FPS, timestamp_mapper, with_whole_track
from vidgan.sinks.vault import OutputVault
from vidgan.sinks.verification import StreamMismatchError, Written, verify
from vidgan.sinks.webp import set_alpha_flag, set_total_duration

_DECODING_DURATIONS = {"mp4", "mov"}
"""Containers that store how long samples last in decoding order."""

_UNREADABLE = {"webp"}
"""Animations that FFmpeg writes and does not read."""


class VideoSink(CompletedOutput):
    """Encodes frames with the stream's own timestamps, rate, shape and color tags.

    H.264 in mp4, mov and mkv, VP9 in webm; 10 bits where the input has more than 8; with transparency
    ProRes 4444 in mov, VP9 in mkv and webm. GIF, APNG and WebP are animations without sound, NUT and
    YUV4MPEG raw frames for other programs. The video is encoded in segments, see
    :class:`~vidgan.segments.store.SegmentStore`; at the end they are joined without encoding them again, in
    formats that allow it, and the other streams of the input are copied or converted, interleaved by time.
    A stream that turns out not to fit at the end costs itself, not the video.

    Attributes:
        verification: of the finished video, once it has its name.

    Args:
        store: the folder for the segments, entered; what is in it already is not written again.
            None for one that lives as long as the sink.
        copy_streams_from: the input; None for an output of frames alone.
        timeline: from the input's times to the output's; None for the times of the frames.
        streams: what the user wants of sound and subtitles.
        signer: signs the joined video before it is verified.
        vault: see :func:`vidgan.sinks.open_sink`.
        tags: of the video, beside those of the input.
        on_encode: called with the number of frames encoded so far and of all, in formats that are encoded after
            the last frame was written.
        on_size: called once with the estimated bytes of an animation, after its first frames.

    Raises:
        OutputError: the suffix names no format that vidgan writes, or the encoder does not open.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        *,
        store: SegmentStore | None = None,
        copy_streams_from: Path | None = None,
        timeline: Timeline | None = None,
        trim: Trim = WHOLE,
        streams: StreamModes = DEFAULT_STREAM_MODES,
        overwrite: bool = False,
        encoder: EncoderChoice = DEFAULT_ENCODER,
        signer: Signer | None = None,
        vault: OutputVault | None = None,
        tags: Mapping[str, str] | None = None,
        on_encode: Callable[[int, int], None] | None = None,
        on_size: Callable[[int], None] | None = None,
    ) -> None:
        self._format = format_of(path, info, encoder)
        self._chosen = encoder != DEFAULT_ENCODER
        self._timestamps = timestamp_mapper(self._format, info)
        self.warnings = []
        self._path, self._info, self._trim, self._input = path, info, trim, copy_streams_from
        self._timeline = Timeline(origin=trim.start) if timeline is None else timeline
        self._others: StreamCopy | None = None
        self._tags = tags or {}
        self._vault = vault
        self._on_encode = on_encode
        self._size: SizeEstimate | None = None
        if on_size is not None and self._format.muxer in SIZED:
            self._size = SizeEstimate(path, self._format, info, on_size)
        with contextlib.ExitStack() as undo:
            self._store = undo.enter_context(SegmentStore(path)) if store is None else store
            self._segments = SegmentWriter(self._store, self._format.segment_encoding(info), info)
            self._file = AtomicFile(
                path, temporary=self._store.joined_output, overwrite=overwrite, signer=signer, vault=vault
            )
            undo.callback(self._close)
            if copy_streams_from is not None and not self._format.video_only:
                self._others = StreamCopy(
                    copy_streams_from,
                    path,
                    muxer=self._format.muxer,
                    options=self._format.muxer_options,
                    timeline=self._timeline,
                    trimmed=trim.start > 0,
                    modes=streams,
                )
            self._check_header()
            self._closing = undo.pop_all()

    def write(self, frame: Frame) -> None:
        if self._size is not None:
            self._size.add(frame)
        self._segments.write(frame)

    def _complete(self) -> None:
        self._segments.finish()
        self._join()
        self._store.close_journal()
        self._file.commit()

    def _check_header(self) -> None:
        """Writes a header, since some formats refuse a codec only then, and now is better than at the end."""
        while True:
            try:
                self._open_output().close()
                return
            except OutputError as exc:
                if not isinstance(exc.__cause__, (av.error.ArgumentError, av.error.InvalidDataError)):
                    raise
                if self._chosen:
                    raise OutputError(
                        f"{self._path}: the encoder {self._format.encoding.encoder} does not take such images, "
                        f"or its options, or {self._format.muxer} cannot hold what it makes"
                    ) from exc
                refusal = f"{self._format.muxer} refuses its header"
                if self._others is None or not self._others.give_up(set(), refusal):
                    raise

    def _attached_vault(self) -> bytes | None:
        """The vault, where the container has a place for it before the frames."""
        held = self._path.suffix.lower() in ATTACHED_SUFFIXES
        return self._vault.take() if held and self._vault is not None else None

    def _open_output(self, vault: bytes | None = None) -> _Output:
        chosen = self._format
        if self._store.segments:
            last = self._store.segments[-1]
            seconds = (last.end - last.times[-1]) * self._info.time_base
            delay = final_delay_options(chosen.muxer, seconds) if seconds else {}
            chosen = replace(chosen, muxer_options={**chosen.muxer_options, **delay})
        return _Output(
            self._file.temporary, self._path, chosen, self._timestamps.info, self._others, self._tags, vault
        )

    def _join(self) -> None:
        """Joins the segments, with fewer of the other streams each time that one of these does not fit."""
        while True:
            try:
                written = self._written()
                self._file.sign()
                if self._format.muxer not in _UNREADABLE:
                    self.verification = verify(
                        self._file.temporary, written, self._path, self._input_reading()
                    )
                break
            except InputError as exc:
                # The frames are done, and worth more than the input's sound: the segments stay.
                raise OutputError(f"{self._path}: its other streams cannot be read any more: {exc}") from exc
            except StreamMismatchError as exc:
                assert self._others is not None
                failing = self._others.indices(exc.keys)
                if not self._others.give_up(failing, "copied, it did not come out as it is in the input"):
                    raise
            except (av.error.InvalidDataError, av.error.ArgumentError) as exc:
                refusal = f"{self._format.muxer} refuses its packets"
                if self._others is None or not self._others.give_up(set(), refusal):
                    raise OutputError(f"{self._path}: cannot be written: {exc.strerror}") from exc
        self.warnings += [] if self._others is None else self._others.warnings
        self.warnings += self._what_changes()
        if self.verification is not None:
            self.warnings += [f"{self._path}: {each}" for each in self.verification.remarks]

    def _written(self) -> Written:
        """Puts the video together, and says what is in it."""
        written = Written(time_base=self._timestamps.info.time_base)
        output = self._open_output(self._attached_vault())
        try:
            with _writing_streams(self._path):
                for packet in self._packets(output.stream, written):
                    packet.stream = output.stream
                    if self._others is not None and packet.dts is not None and packet.time_base is not None:
                        self._others.copy_until(packet.dts * packet.time_base)
                    output.container.mux(packet)
                if self._others is not None:
                    self._others.finish(self._end)
                    written.tracks, written.chapters = self._others.tracks, self._others.chapters
                    written.tags = dict(output.container.metadata)
                output.container.close()
                if self._others is not None:
                    self._others.finish_file(self._file.temporary)
                if self._format.muxer == "webp" and (segments := self._store.segments):
                    seconds = (segments[-1].end - segments[0].start) * self._info.time_base
                    set_total_duration(self._file.temporary, round(1000 * seconds))
                    if self._format.encoding.has_alpha:
                        set_alpha_flag(self._file.temporary)
        except BaseException:
            output.close()
            raise
        return written

    @property
    def _end(self) -> Fraction | None:
        """End of the wanted part, in seconds: that of the last frame, or None for the end of the input."""
        if self._trim == WHOLE or not self._store.segments:
            return None
        return self._store.segments[-1].end * self._info.time_base

    def _input_reading(self) -> InputReading | None:
        if self._input is None or self._format.video_only:
            return None
        # The last frame may last beyond the end that was asked for, where the other streams end.
        ends = [each for each in (self._end, self._timeline.end) if each is not None]
        return InputReading(
            self._input, self._timeline, trimmed=self._trim.start > 0, end=min(ends, default=None)
        )

    def _packets(self, stream: VideoStream, written: Written) -> Iterator[Packet[VideoStream]]:
        """Packets of the video in decoding order; adds to ``written`` when its frames should be shown."""
        if self._format.concatenable:
            segments = self._store.segments
            for segment in segments:
                written.times.extend(segment.times)
            packets = self._store.packets(self._info.time_base)
            if segments and self._format.muxer in _DECODING_DURATIONS:
                packets = with_whole_track(packets, segments[0].start, segments[-1].end)
            yield from packets
            return
        encoding = self._format.encoding
        palettes = self._palettes() if encoding.pixel_format == "pal8" else None
        encoder = Encoder(stream, encoding, self._timestamps.info, palettes=palettes)
        for count, frame in enumerate(self._store.decoded_frames(self._info), 1):
            timed = self._timestamps.map(frame)
            written.times.append(timed.pts)
            yield from encoder.encode(timed)
            if self._on_encode is not None:
                self._on_encode(count, self._store.frames)
        yield from encoder.flush()

    def _palettes(self) -> Iterator[ColorTable]:
        """Palettes of all frames, which are decoded once more for it."""
        alpha = self._format.encoding.has_alpha
        images = (rgb_image(each, alpha=alpha) for each in self._store.decoded_frames(self._info))
        return choose_palettes(images, self._timestamps.info)

    def _what_changes(self) -> Iterator[str]:
        info, path = self._info, self._path
        if self._format.encoding.pixel_format.startswith("yuv444p"):
            yield f"{path}: odd sides ({info.width}x{info.height}) need 4:4:4 color, which some players lack"
        if info.alpha and not self._format.encoding.has_alpha:
            yield f"{path}: cannot hold transparency; {', '.join(WITH_ALPHA_SUFFIXES)} can"
        if self._format.video_only and self._input is not None and has_other_streams(self._input):
            yield f"{path}: holds the video alone, without sound and subtitles"
        if self._format.muxer == "gif" and (info.frame_rate or 0) > GIF_FPS:
            yield f"{path}: GIF shows at most {GIF_FPS} frames a second; it will play slower"

    def _close(self) -> None:
        """Closes everything; what was committed stays."""
        # What is not complete is being thrown away, and the reason is on its way already.
        with contextlib.suppress(av.error.FFmpegError, OSError, OutputError):
            self._segments.abandon()
        if self._others is not None:
            self._others.close()
        self._file.discard()


@contextlib.contextmanager
def _writing_streams(path: Path) -> Iterator[None]:
    """As :func:`writing`, except that what a container says of a stream that does not fit stays as it is."""
    try:
        yield
    except (av.error.InvalidDataError, av.error.ArgumentError):
        raise
    except (av.error.FFmpegError, OSError):
        with writing(path):
            raise


class _Output:
    """The container of the joined video, with its streams added.

    Raises:
        OutputError: the container cannot hold them, or the encoder does not open.
    """

    def __init__(
        self,
        file: Path,
        path: Path,
        chosen: OutputFormat,
        info: VideoInfo,
        others: StreamCopy | None,
        tags: Mapping[str, str],
        vault: bytes | None,
    ) -> None:
        self._path, self._format = path, chosen
        options = chosen.muxer_options if others is None else others.options
        with writing(path):
            self.container: OutputContainer = av.open(str(file), "w", format=chosen.muxer, options=options)
            self.stream = add_video(self.container, chosen.encoding, info)
            if others is not None:
                others.add_to(self.container)
            if vault is not None:
                self.container.add_attachment(ATTACHMENT_NAME, ATTACHMENT_TYPE, vault)
            self.container.metadata.update(tags)
            try:
                with opening(chosen.encoding):
                    self.container.start_encoding()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Closes the file, whatever is in it."""
        with contextlib.suppress(av.error.FFmpegError, OSError):
            self.container.close()
