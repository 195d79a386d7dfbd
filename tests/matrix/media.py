"""Makers of inputs, by the encoders that users have; PyAV brings them along."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.packet import Packet
from av.stream import Disposition, Stream
from numpy.typing import NDArray

from tests.support.clips import scene
from tests.support.streams import CHAPTERS, FONT, tone
from vidgan.media.encoding.svt_av1 import contained_svt_av1

Pixels = NDArray[np.uint8]

SIZE = 96, 64
FRAMES = 20
RATE = 25
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


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A tone of 0.8 seconds.

    Attributes:
        late: seconds after which it begins.
    """

    codec: str
    language: str = "eng"
    title: str = ""
    disposition: Disposition = _NONE
    pitch: int = 20
    late: Fraction = Fraction()


@dataclass(frozen=True, kw_only=True)
class Subtitle:
    """Two lines; ``kind`` is ``srt``, ``ass``, ``vtt`` or ``mov_text``."""

    kind: str
    language: str = "fra"
    title: str = ""
    disposition: Disposition = _NONE


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film that :meth:`__call__` makes.

    Attributes:
        picture: the RGB or RGBA picture of an index.
        times: of the frames, in units of ``time_base``.
        color: FFmpeg's numbers of primaries, transfer, matrix and range.
        options: of the encoder.
        muxer: options of the container.
        timecode: of a data track of its own, in mov.
    """

    name: str
    codec: str = "libx264"
    pixels: str = "yuv420p"
    size: tuple[int, int] = SIZE
    picture: Callable[[int, int, int], Pixels] = scene
    times: Sequence[int] = range(FRAMES)
    time_base: Fraction = Fraction(1, RATE)
    rotation: int = 0
    aspect: Fraction | None = None
    color: tuple[int, int, int, int] | None = None
    options: dict[str, str] = field(default_factory=dict)
    muxer: dict[str, str] = field(default_factory=dict)
    sound: tuple[Sound, ...] = ()
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
            sounds = [_add_sound(container, each) for each in self.sound]
            subtitles = [_add_subtitle(container, each, folder) for each in self.subtitles]
            for font in self.fonts:
                container.add_attachment(font, "application/x-truetype-font", FONT)
            covers = _add_cover(container, folder) if self.cover else []
            data = [_add_data(container)] if self.data else []
            container.start_encoding()
            container.mux(covers)
            self._encode(container, video)
            for each, stream in zip(self.sound, sounds, strict=True):
                tone(container, stream, each.pitch, start=int(each.late * 48000))
            for packets in [*subtitles, data]:
                container.mux(packets)
        for made in folder.glob("made.*"):
            made.unlink()
        return path

    def _add_video(self, container: av.container.OutputContainer) -> av.VideoStream:
        stream = container.add_stream(self.codec, rate=RATE, options=self.options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *self.size, self.pixels
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
            frame = self._frame(self.picture(index, *self.size))
            frame.pts, frame.time_base = pts, self.time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))

    def _frame(self, picture: Pixels) -> av.VideoFrame:
        layout = "rgba" if picture.shape[2] == 4 else "rgb24"
        if picture.dtype == np.uint16:
            layout = "rgb48le"
        frame = av.VideoFrame.from_ndarray(picture, layout)
        _, _, matrix, color_range = self.color or (2, 2, 2, 0)
        # PyAV knows BT.601 by number 5; without a tag, so do players.
        matrix = {2: 5, 6: 5}.get(matrix, matrix)
        return frame.reformat(
            format=self.pixels, src_color_range=2, dst_colorspace=matrix, dst_color_range=color_range or 1
        )


def _add_sound(container: av.container.OutputContainer, sound: Sound) -> av.AudioStream:
    stream = container.add_stream(sound.codec, rate=48000)
    assert isinstance(stream, av.AudioStream)
    _label(stream, sound)
    return stream


def _label(stream: Any, track: Sound | Subtitle) -> None:
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
    """What a drone says of its flight, SMPTE ST 336."""
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
    with av.open(str(path)) as picture:
        stream = container.add_stream_from_template(picture.streams[0])
        stream.disposition = Disposition.attached_pic
        packet = next(picture.demux(picture.streams[0]))
    packet.stream = stream
    return [packet]


def transparent(index: int, width: int, height: int) -> Pixels:
    """The scene, ever more opaque to the right."""
    alpha = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
    return np.dstack([scene(index, width, height), alpha])


def edges(index: int, width: int, height: int) -> Pixels:
    """Two colours of equal light; they meet in the middle, both ways."""
    picture = np.full((height, width, 3), (80, 120, 120), np.uint8)
    picture[: height // 2, : width // 2] = picture[height // 2 :, width // 2 :] = (170, 82, 120)
    return picture


def woven(index: int, width: int, height: int) -> Pixels:
    """Two fields, the lower one first, which is what x264 is told by PyAV."""
    picture = scene(2 * index + 1, width, height)
    picture[1::2] = scene(2 * index, width, height)[1::2]
    return picture


def first_field(index: int, width: int, height: int) -> Pixels:
    """What a whole frame of :func:`woven` shows."""
    return scene(2 * index, width, height)


def dim(index: int, width: int, height: int) -> Pixels:
    """The scene, darker than what tone mapping compresses."""
    return (scene(index, width, height) * 0.8).astype(np.uint8)


def light_of(pixels: Pixels) -> NDArray[np.float64]:
    """What a display of BT.1886 makes of R'G'B': linear RGB of BT.2020, reference white at 1."""
    to_bt2020 = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    return ((pixels / 255) ** 2.4) @ np.array(to_bt2020).T


def in_pq(index: int, width: int, height: int) -> NDArray[np.uint16]:
    """:func:`dim` in SMPTE ST 2084, white at 203 cd/m² as ITU-R BT.2408 has it; RGB of 16 bits."""
    power = (light_of(dim(index, width, height)) * 203 / 10000) ** (2610 / 16384)
    codes = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return np.round(codes * 65535).astype(np.uint16)


def in_hlg(index: int, width: int, height: int) -> NDArray[np.uint16]:
    """:func:`dim` in ARIB STD-B67, for a display of 1000 cd/m²; RGB of 16 bits."""
    shown = light_of(dim(index, width, height)) * 203 / 1000
    luminance = shown @ np.array([0.2627, 0.6780, 0.0593])
    scene_light = shown * np.maximum(luminance, 1e-6)[..., np.newaxis] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = a * np.log(np.maximum(12 * scene_light - b, 1e-9)) + c
    codes = np.where(scene_light <= 1 / 12, np.sqrt(3 * scene_light), bright)
    return np.round(codes * 65535).astype(np.uint16)


def picture(folder: Path, name: str, *, alpha: bool = False) -> Path:
    drawn = transparent(0, *SIZE) if alpha else scene(0, *SIZE)
    order = cv2.COLOR_RGBA2BGRA if alpha else cv2.COLOR_RGB2BGR
    cv2.imwrite(str(folder / name), cv2.cvtColor(drawn, order))
    return folder / name


def pictures(folder: Path) -> Path:
    """A folder of numbered ones."""
    (place := folder / "in").mkdir()
    for index in range(FRAMES):
        cv2.imwrite(str(place / f"{index + 1}.png"), scene(index, *SIZE)[..., ::-1])
    return place


def turned_picture(folder: Path) -> Path:
    """A JPEG that its EXIF turns by 90 degrees clockwise."""
    path = picture(folder, "in.jpg")
    exif = (
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01"  # one entry
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6
    )
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    return path


def joined(folder: Path, *, films: Sequence[Film]) -> Path:
    """One MPEG transport stream after the other, as recorders leave them."""
    pieces = [each(folder) for each in films]
    path = folder / "in.ts"
    path.write_bytes(b"".join(each.read_bytes() for each in pieces))
    for each in pieces:
        each.unlink()
    return path


def cut_off(folder: Path, *, film: Film) -> Path:
    """The first 6 tenths of a file."""
    path = film(folder)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    return path


def sound_alone(folder: Path, *, cover: bool) -> Path:
    path = folder / "in.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = _add_sound(container, Sound(codec="aac"))
        covers = _add_cover(container, folder) if cover else []
        container.start_encoding()
        container.mux(covers)
        tone(container, stream, 20)
    (folder / "made.png").unlink(missing_ok=True)
    return path


def bytes_of(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def by_ffmpeg(
    folder: Path, *, film: Film, name: str, before: Sequence[str] = (), after: Sequence[str] = ()
) -> Path:
    """A film that FFmpeg's command makes into another file.

    Raises:
        FileNotFoundError: there is no such command.
    """
    source = film(folder)
    command = [shutil.which("ffmpeg") or "ffmpeg", "-v", "error", "-nostdin"]
    subprocess.run([*command, *before, "-i", source, *after, folder / name], check=True, timeout=60)
    source.unlink()
    return folder / name


def encoders_of(make: Callable[[Path], Path]) -> set[str]:
    """What PyAV must be able to encode for an input."""
    if not isinstance(make, Film):
        return set()
    return {make.codec, *(each.codec for each in make.sound)}
