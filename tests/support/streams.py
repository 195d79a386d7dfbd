"""Videos with sound, subtitles, attachments, covers, chapters and tags, and their packets."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from av.stream import Disposition

if TYPE_CHECKING:
    from av.container.core import Chapter
from tests.support.clips import scene

Packets = list[tuple[bytes, int | None, Fraction]]
CHAPTERS: "list[Chapter]" = [
    {"id": number, "start": 400 * number, "end": 400 * (number + 1), "time_base": Fraction(1, 1000),
     "metadata": {"title": f"Part {number}"}}
    for number in range(2)
]  # fmt: skip
FONT = np.random.default_rng(3).bytes(2000)
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,300\nÀ bientôt\n\n2\n00:00:00,500 --> 00:00:00,700\nfin\n"


def tone(container: av.container.OutputContainer, stream: av.AudioStream, pitch: int, start: int = 0) -> None:
    """0.8 seconds, from sample number ``start`` on."""
    wave = (np.sin(np.arange(38400) / pitch) * 8000).astype(np.int16)[None]
    for place in range(0, 38400, 960):
        frame = av.AudioFrame.from_ndarray(wave[:, place : place + 960], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start + place, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def video(path: Path, *, sound: str, subtitles: bool = False, cover: Path | None = None) -> Path:
    """0.8 seconds with two sound tracks, chapters and tags; matroska also gets a font."""
    (text := path.with_suffix(".srt")).write_text(SUBTITLES, encoding="utf-8")
    with av.open(str(path), "w") as container, av.open(str(text)) as words:
        container.metadata["title"] = "A video"
        container.set_chapters(CHAPTERS)
        video = container.add_stream("libx264", rate=25)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        tracks = [container.add_stream(sound, rate=48000) for _ in range(2)]
        for track, language in zip(tracks, ("eng", "fra"), strict=True):
            track.metadata["language"] = language
        tracks[1].disposition = Disposition.comment
        if subtitles:
            subtitle = container.add_stream_from_template(words.streams[0])
            subtitle.metadata["language"] = "fra"
        if path.suffix == ".mkv":
            container.add_attachment("letters.ttf", "application/x-truetype-font", FONT)
        if cover is not None:
            with av.open(str(cover)) as image:
                target = container.add_stream_from_template(image.streams[0])
                target.disposition = Disposition.attached_pic
                packet = next(image.demux(image.streams[0]))
                packet.stream = target
                container.mux(packet)
        for index in range(20):
            container.mux(video.encode(av.VideoFrame.from_ndarray(scene(index, 96, 64), "rgb24")))
        container.mux(video.encode(None))
        for pitch, track in zip((20, 30), tracks, strict=True):
            assert isinstance(track, av.AudioStream)
            tone(container, track, pitch)
        for packet in words.demux() if subtitles else ():
            if packet.size:
                packet.stream = subtitle
                container.mux(packet)
    return path


def packets_of(path: Path, index: int) -> Packets:
    with av.open(str(path)) as container:
        found = container.demux(container.streams[index])
        return [(bytes(each), each.pts, each.time_base) for each in found if each.size]
