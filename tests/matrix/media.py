"""Inputs with a video, made by the encoders that PyAV brings along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from tests.support.clips import scene
from tests.support.streams import CHAPTERS, FONT, tone
from vidgan.media.encoding.svt_av1 import contained_svt_av1
from vidgan.media.ffmpeg import ColorMatrix
from vidgan.media.image import Pixels

SIZE = 96, 64
FRAMES = 20
RATE = 25
UNSPECIFIED, LIMITED, FULL = ColorRange.UNSPECIFIED, ColorRange.MPEG, ColorRange.JPEG
UNTAGGED = ColorPrimaries.UNSPECIFIED, ColorTrc.UNSPECIFIED, ColorMatrix.UNSPECIFIED
"""Primaries, transfer and matrix of a video without color tags."""
_SWSCALE_MATRIX: dict[int, Colorspace] = {
    ColorMatrix.BT709: Colorspace.ITU709,
    ColorMatrix.SMPTE170M: Colorspace.ITU601,
    ColorMatrix.BT2020_NCL: Colorspace.BT2020,
    # Players take it for BT.601.
    ColorMatrix.UNSPECIFIED: Colorspace.ITU601,
}
_MILLISECOND = Fraction(1, 1000)
_NONE = Disposition(0)

_ASS_STYLES = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Alignment
Style: Default,Letters,20,&Hffffff,0,2

[Events]
Format: Layer, Start, End, Style, Text
"""
_ASS_LINES = """Dialogue: 0,0:00:00.10,0:00:00.30,Default,{\\i1}À bientôt
Dialogue: 0,0:00:00.50,0:00:00.70,Default,fin
"""
_SUBTITLES = {
    "srt": "1\n00:00:00,100 --> 00:00:00,300\nÀ bientôt\n\n2\n00:00:00,500 --> 00:00:00,700\nfin\n",
    "ass": _ASS_STYLES + _ASS_LINES,
    "vtt": "WEBVTT\n\n00:00.100 --> 00:00.300\nÀ bientôt\n\n00:00.500 --> 00:00.700\nfin\n",
}


@dataclass(frozen=True)
class Audio:
    """A tone of 0.8 seconds.

    Attributes:
        codec: name of the encoder.
        pitch: samples per radian of the tone.
        start: seconds after which it begins.
    """

    codec: str
    _: KW_ONLY
    language: str = "eng"
    title: str = ""
    disposition: Disposition = _NONE
    pitch: int = 20
    start: Fraction = Fraction()


@dataclass(frozen=True)
class Subtitle:
    """Two lines; ``kind`` is ``srt``, ``ass``, ``vtt`` or ``mov_text``."""

    kind: str
    _: KW_ONLY
    language: str = "fra"
    title: str = ""
    disposition: Disposition = _NONE


@dataclass(frozen=True)
class Video:
    """A video that :meth:`__call__` makes in a folder.

    Attributes:
        name: of the file.
        codec: name of the encoder.
        pattern: RGB or RGBA image of a frame, of its number, width and height.
        times: of the frames, in units of ``time_base``.
        color: primaries, transfer, matrix and range.
        options: of the encoder.
        muxer: options of the container.
        timecode: of a data track of its own, in mov.
    """

    name: str
    _: KW_ONLY
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    size: tuple[int, int] = SIZE
    pattern: Callable[[int, int, int], Pixels] = scene
    times: Sequence[int] = range(FRAMES)
    time_base: Fraction = Fraction(1, RATE)
    rotation: int = 0
    aspect: Fraction | None = None
    color: tuple[int, int, int, int] | None = None
    options: dict[str, str] = field(default_factory=dict)
    muxer: dict[str, str] = field(default_factory=dict)
    audio: tuple[Audio, ...] = ()
    subtitles: tuple[Subtitle, ...] = ()
    fonts: tuple[str, ...] = ()
    cover: bool = False
    data: bool = False
    chapters: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    timecode: str = ""

    def __call__(self, folder: Path) -> Path:
        path = folder / self.name
        with contained_svt_av1(), av.open(str(path), "w", options=self.muxer) as container:
            container.metadata.update(self.tags)
            if self.chapters:
                container.set_chapters(CHAPTERS)
            video = self._add_video(container)
            tracks = [_add_audio(container, each) for each in self.audio]
            subtitles = [_add_subtitle(container, each, folder) for each in self.subtitles]
            for font in self.fonts:
                container.add_attachment(font, "application/x-truetype-font", FONT)
            covers = _add_cover(container, folder) if self.cover else []
            data = [_add_data(container)] if self.data else []
            container.start_encoding()
            container.mux(covers)
            self._encode(container, video)
            for each, stream in zip(self.audio, tracks, strict=True):
                tone(container, stream, each.pitch, start=int(each.start * 48000))
            for packets in [*subtitles, data]:
                container.mux(packets)
        for made in folder.glob("made.*"):
            made.unlink()
        return path

    def _add_video(self, container: av.container.OutputContainer) -> av.VideoStream:
        stream = container.add_stream(self.codec, rate=RATE, options=self.options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *self.size, self.pixel_format
        context = stream.codec_context
        context.time_base = stream.time_base = self.time_base
        if self.aspect is not None:
            context.sample_aspect_ratio = self.aspect
        if self.rotation:
            stream.set_display_rotation(self.rotation)
        if self.timecode:
            stream.metadata["timecode"] = self.timecode
        if self.color is not None:
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = self.color
        return stream

    def _encode(self, container: av.container.OutputContainer, video: av.VideoStream) -> None:
        for index, pts in enumerate(self.times):
            frame = self._frame(self.pattern(index, *self.size))
            frame.pts, frame.time_base = pts, self.time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))

    def _frame(self, pixels: Pixels) -> av.VideoFrame:
        layout = "rgba" if pixels.shape[2] == 4 else "rgb24"
        if pixels.dtype == np.uint16:
            layout = "rgb48le"
        frame = av.VideoFrame.from_ndarray(pixels, layout)
        _, _, matrix, color_range = self.color or (*UNTAGGED, UNSPECIFIED)
        return frame.reformat(
            format=self.pixel_format,
            src_color_range=FULL,
            dst_colorspace=_SWSCALE_MATRIX[matrix],
            dst_color_range=color_range or LIMITED,
        )


def _add_audio(container: av.container.OutputContainer, audio: Audio) -> av.AudioStream:
    stream = container.add_stream(audio.codec, rate=48000)
    assert isinstance(stream, av.AudioStream)
    _label(stream, audio)
    return stream


def _label(stream: Any, track: Audio | Subtitle) -> None:
    stream.metadata["language"] = track.language
    if track.title:
        stream.metadata["title"] = track.title
    stream.disposition = track.disposition


def _add_subtitle(
    container: av.container.OutputContainer, subtitle: Subtitle, folder: Path
) -> list[Packet[Any]]:
    """The packets, for the stream that was added."""
    if subtitle.kind == "mov_text":
        shown = container.add_stream("mov_text")
        shown.codec_context.subtitle_header = _ASS_STYLES.encode()
        shown.codec_context.time_base = shown.time_base = _MILLISECOND
        stream: Stream = shown
        packets = [_mov_text(100, "À bientôt"), _mov_text(500, "fin")]
    else:
        (text := folder / f"made.{subtitle.kind}").write_text(_SUBTITLES[subtitle.kind], encoding="utf-8")
        with av.open(str(text)) as words:
            stream = container.add_stream_from_template(words.streams[0])
            packets = [each for each in words.demux() if each.size]
    _label(stream, subtitle)
    for packet in packets:
        packet.stream = stream
    return packets


def _mov_text(start: int, text: str) -> Packet[Any]:
    """Shown for 0.2 seconds; the text with its length before it."""
    encoded = text.encode()
    packet = av.Packet(len(encoded).to_bytes(2, "big") + encoded)
    packet.pts = packet.dts = start
    packet.duration, packet.time_base = 200, _MILLISECOND
    return packet


def _add_data(container: av.container.OutputContainer) -> Packet[Any]:
    """Telemetry of a drone, SMPTE ST 336."""
    packet = av.Packet(bytes.fromhex("060e2b34020b01010e01030101000000") + b"\x04fly!")
    packet.stream = container.add_data_stream("klv")
    packet.pts = packet.dts = 0
    packet.time_base = _MILLISECOND
    return packet


def _add_cover(container: av.container.OutputContainer, folder: Path) -> list[Packet[Any]]:
    """The packets; none where a cover is an attachment."""
    path = folder / "made.png"
    cv2.imwrite(str(path), scene(0, 32, 32)[..., ::-1])
    if container.format.name == "matroska":
        container.add_attachment("cover.png", "image/png", path.read_bytes())
        return []
    with av.open(str(path)) as image:
        stream = container.add_stream_from_template(image.streams[0])
        stream.disposition = Disposition.attached_pic
        packet = next(image.demux(image.streams[0]))
    packet.stream = stream
    return [packet]


def concatenated(folder: Path, *, videos: Sequence[Video]) -> Path:
    """One MPEG transport stream after the other, as recorders leave them."""
    pieces = [each(folder) for each in videos]
    path = folder / "in.ts"
    path.write_bytes(b"".join(each.read_bytes() for each in pieces))
    for each in pieces:
        each.unlink()
    return path


def truncated(folder: Path, *, video: Video) -> Path:
    """The first 6 tenths of a file."""
    path = video(folder)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    return path


def audio_alone(folder: Path, *, cover: bool) -> Path:
    """A file without video."""
    path = folder / "in.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = _add_audio(container, Audio("aac"))
        covers = _add_cover(container, folder) if cover else []
        container.start_encoding()
        container.mux(covers)
        tone(container, stream, 20)
    (folder / "made.png").unlink(missing_ok=True)
    return path


def file_of(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def encoders_of(make: Callable[[Path], Path]) -> set[str]:
    """The encoders of PyAV that an input needs."""
    if not isinstance(make, Video):
        return set()
    return {make.codec, *(each.codec for each in make.audio)}
