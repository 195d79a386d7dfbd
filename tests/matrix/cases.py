"""The cases: what goes in, what comes out, what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from av.stream import Disposition

from tests.support.clips import VARIABLE
from tests.support.streams import FONT
from vidgan.errors import InputError, InputNotFoundError, OutputError
from vidgan.media.image import Pixels
from vidgan.media.trim import Trim

from . import media
from .check import wrong_edges
from .media import Film, Sound, Subtitle

BT709, BT2020, SMPTE170M = 1, 9, 6
PQ, HLG = 16, 18
LIMITED, FULL = 1, 2


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the table.

    What is not said is as in the input: every frame once, at its time, of its size and colours; every other
    stream, packet for packet.

    Attributes:
        covers: what it is here for.
        make: makes the input in a folder.
        input: in words.
        output: name; ``-nut`` and ``-y4m`` are standard output.
        options: of :func:`vidgan.stylize`.
        psnr: decibels by which pictures are at least like the input's; None where they cannot be.
        reference: draws what should be seen, where that is not what a plain decoder shows.
        size, codec, pixels, color: of the output.
        loses: numbers of the streams beside the picture that the output cannot hold.
        converts: numbers of those that are converted, and the codec that they get.
        tags: of the container, that must be there.
        notices: what must be said, and nothing else.
        also: one more check of both files.
        refused: the error, and words of it.
        frames: how many, where a plain decoder of the input loses some.
    """

    name: str
    covers: str
    make: Callable[[Path], Path]
    input: str
    output: str = "out.mp4"
    options: dict[str, Any] = field(default_factory=dict)
    psnr: float | None = 32.0
    reference: Callable[[int, int, int], Pixels] | None = None
    size: tuple[int, int] | None = None
    codec: str = ""
    pixels: str = ""
    color: tuple[int, int, int, bool] | None = None
    loses: tuple[int, ...] = ()
    converts: dict[int, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    keeps_alpha: bool = False
    keeps_aspect: bool = True
    keeps_tags: bool = True
    also: Callable[[Path, Path], list[str]] | None = None
    refused: tuple[type[Exception], str] | None = None
    frames: int | None = None

    @property
    def output_in_words(self) -> str:
        return f"{self.output[1:]} on stdout" if self.output.startswith("-") else Path(self.output).suffix[1:]

    @property
    def same_container(self) -> bool:
        """Whether names and marks of streams must be what they were."""
        return isinstance(self.make, Film) and Path(self.make.name).suffix == Path(self.output).suffix


AAC, OPUS = Sound(codec="aac"), Sound(codec="libopus")
STEREO_FILM = Film(name="in.mp4", sound=(AAC,))

CONTAINERS = [
    Case(
        name="mp4",
        covers="B-frames, frames at the decoder's flush",
        make=Film(name="in.mp4", sound=(AAC,), options={"bf": "3", "b-adapt": "0"}),
        input="H.264 with B-frames, AAC",
        codec="h264",
    ),
    Case(
        name="mov",
        covers="container",
        make=Film(name="in.mov", sound=(AAC,)),
        input="H.264, AAC",
        output="out.mov",
        codec="h264",
    ),
    Case(
        name="mkv",
        covers="container",
        make=Film(name="in.mkv", sound=(Sound(codec="flac"),)),
        input="H.264, FLAC",
        output="out.mkv",
        codec="h264",
    ),
    Case(
        name="webm",
        covers="container; VP9",
        make=Film(name="in.webm", codec="libvpx-vp9", sound=(OPUS,)),
        input="VP9, Opus",
        output="out.webm",
        codec="vp9",
    ),
    Case(
        name="avi-to-mkv",
        covers="container; MPEG-4 part 2, MP3",
        make=Film(name="in.avi", codec="mpeg4", options={"qscale": "3"}, sound=(Sound(codec="libmp3lame"),)),
        input="MPEG-4, MP3",
        output="out.mkv",
    ),
    Case(
        name="mpegts-to-mp4",
        covers="container; 1/90000, starts at 1.4 s",
        make=Film(
            name="in.ts",
            muxer={"output_ts_offset": "1.4"},
            codec="mpeg2video",
            options={"b": "3M"},
            sound=(Sound(codec="mp2"),),
        ),
        input="MPEG-2, MP2",
    ),
    Case(
        name="pictures-to-mp4",
        covers="folder of pictures; 1001/30000",
        make=media.pictures,
        input="PNGs",
        options={"rate": Fraction(30000, 1001)},
    ),
    Case(
        name="gif-to-gif",
        covers="container; hundredths of a second",
        make=Film(name="in.gif", codec="gif", pixels="rgb8"),
        input="GIF",
        output="out.gif",
        codec="gif",
        psnr=30.0,
    ),
    Case(
        name="mp4-to-gif",
        covers="sound that the output cannot hold",
        make=STEREO_FILM,
        input="H.264, AAC",
        output="out.gif",
        loses=(0,),
        psnr=30.0,
        notices=("holds the video alone",),
        keeps_tags=False,
    ),
    Case(
        name="mp4-to-apng",
        covers="container",
        make=Film(name="in.mp4"),
        input="H.264",
        output="out.apng",
        keeps_tags=False,
    ),
    Case(
        name="mp4-to-webp",
        covers="container",
        make=Film(name="in.mp4"),
        input="H.264",
        output="out.webp",
        keeps_tags=False,
    ),
    Case(
        name="mp4-to-pngs",
        covers="PNG sequence",
        make=Film(name="in.mp4"),
        input="H.264",
        output="%03d.png",
        keeps_tags=False,
    ),
    Case(
        name="mp4-to-jpegs",
        covers="JPEG sequence",
        make=Film(name="in.mp4"),
        input="H.264",
        output="%03d.jpg",
        keeps_tags=False,
    ),
    Case(
        name="mp4-to-y4m",
        covers="standard output, without times",
        make=Film(name="in.mp4"),
        input="H.264",
        output="-y4m",
        keeps_tags=False,
    ),
    Case(
        name="mp4-to-nut",
        covers="standard output, with sound",
        make=STEREO_FILM,
        input="H.264, AAC",
        output="-nut",
        keeps_tags=False,
    ),
    Case(
        name="jpeg-to-png",
        covers="picture; EXIF orientation",
        make=media.turned_picture,
        input="JPEG on its side",
        output="out.png",
        keeps_tags=False,
    ),
    Case(
        name="png-to-png",
        covers="picture; transparency",
        make=partial(media.picture, name="in.png", alpha=True),
        input="PNG with alpha",
        output="out.png",
        keeps_alpha=True,
        keeps_tags=False,
    ),
]

CODECS = [
    Case(
        name="hevc",
        covers="codec; B-frames",
        make=Film(name="in.mkv", codec="libx265", options={"x265-params": "log-level=none:bframes=3"}),
        input="HEVC",
        output="out.mp4",
    ),
    Case(
        name="mpeg4-b",
        covers="codec; B-frames",
        make=Film(name="in.mp4", codec="mpeg4", options={"bf": "2", "qscale": "3"}),
        input="MPEG-4 with B-frames",
        output="out.mov",
    ),
    Case(
        name="vp8",
        covers="codec",
        make=Film(name="in.webm", codec="libvpx", options={"b": "2M"}, sound=(OPUS,)),
        input="VP8, Opus",
        output="out.webm",
    ),
    Case(
        name="av1",
        covers="codec",
        make=Film(name="in.webm", codec="libsvtav1", options={"preset": "10", "crf": "20"}),
        input="AV1",
        output="out.webm",
    ),
    Case(
        name="mjpeg",
        covers="codec; full range, chroma in the middle",
        make=Film(
            name="in.avi",
            codec="mjpeg",
            pixels="yuvj420p",
            color=(2, 2, SMPTE170M, FULL),
            options={"qscale": "2"},
        ),
        input="MJPEG",
        output="out.mov",
        notices=("have no place for: software",),
    ),
    Case(
        name="ffv1",
        covers="codec; 4:4:4",
        make=Film(name="in.mkv", codec="ffv1", pixels="yuv444p"),
        input="FFV1 4:4:4",
        output="out.mkv",
        psnr=30.0,
    ),
    Case(
        name="ffv1-rgb",
        covers="codec; RGB",
        make=Film(name="in.mkv", codec="ffv1", pixels="bgr0"),
        input="FFV1 RGB",
        output="out.mkv",
        psnr=30.0,
        color=(2, 2, 2, False),
    ),
    Case(
        name="prores",
        covers="codec; 4:2:2, 10 bits",
        make=Film(name="in.mov", codec="prores_ks", pixels="yuv422p10le", sound=(Sound(codec="pcm_s16le"),)),
        input="ProRes 422, PCM",
        output="out.mov",
        pixels="yuv420p10le",
    ),
]

TRACKS = (
    Sound(codec="libopus", language="eng", title="Original", disposition=Disposition.default),
    Sound(codec="libopus", language="fra", title="Doublage", disposition=Disposition.dub, pitch=30),
    Sound(codec="libopus", language="deu", title="Kommentar", disposition=Disposition.comment, pitch=40),
)
TAGS = {"title": "A film", "artist": "Somebody", "comment": "à voir"}

STREAMS = [
    Case(
        name="mkv-everything",
        covers="3 sounds, SRT, ASS, 2 fonts, chapters, tags; languages, titles, dispositions",
        make=Film(
            name="in.mkv",
            sound=TRACKS,
            fonts=("a.ttf", "b.ttf"),
            chapters=True,
            tags=TAGS,
            subtitles=(
                Subtitle(kind="srt", title="Sous-titres", disposition=Disposition.forced),
                Subtitle(kind="ass", language="jpn"),
            ),
        ),
        input="H.264, 3 Opus, SRT, ASS, fonts, chapters",
        output="out.mkv",
        tags=("title", "ARTIST", "COMMENT"),
    ),
    Case(
        name="mp4-everything",
        covers="2 sounds, mov_text, cover, chapters, tags",
        make=Film(
            name="in.mp4",
            sound=(AAC, Sound(codec="aac", language="fra", pitch=30)),
            cover=True,
            chapters=True,
            tags=TAGS,
            subtitles=(Subtitle(kind="mov_text"),),
        ),
        input="H.264, 2 AAC, mov_text, cover, chapters",
        tags=("title", "artist", "comment"),
    ),
    Case(
        name="webm-webvtt",
        covers="WebVTT",
        make=Film(
            name="in.webm", codec="libvpx-vp9", sound=(OPUS,), subtitles=(Subtitle(kind="vtt"),), tags=TAGS
        ),
        input="VP9, Opus, WebVTT",
        output="out.webm",
        tags=("title",),
    ),
    Case(
        name="mkv-to-mp4",
        covers="what mp4 cannot hold is converted, or named with who can",
        make=Film(
            name="in.mkv",
            sound=(OPUS,),
            subtitles=(Subtitle(kind="srt"), Subtitle(kind="ass")),
            fonts=("a.ttf",),
            chapters=True,
            tags=TAGS,
        ),
        input="H.264, Opus, SRT, ASS, font",
        loses=(3,),
        converts={1: "mov_text", 2: "mov_text"},
        tags=("title",),
        notices=(
            "(subtitle, subrip) was converted to mov_text: mp4 cannot hold it; a name that ends in .mkv can",
            "(subtitle, ass) was converted to mov_text: mp4 cannot hold it; a name that ends in .mkv can",
            "(attachment, a.ttf): mp4 cannot hold it; a name that ends in .mkv can",
        ),
    ),
    Case(
        name="mkv-to-webm",
        covers="subtitles that WebM cannot hold are converted",
        make=Film(name="in.mkv", codec="libvpx-vp9", sound=(OPUS,), subtitles=(Subtitle(kind="ass"),)),
        input="VP9, Opus, ASS",
        output="out.webm",
        converts={1: "webvtt"},
        notices=(
            "(subtitle, ass) was converted to WebVTT: webm cannot hold it; a name that ends in .mkv can",
        ),
    ),
    Case(
        name="mp4-to-mkv",
        covers="cover becomes an attachment; subtitles that Matroska cannot hold are converted",
        make=Film(
            name="in.mp4", sound=(AAC,), cover=True, chapters=True, subtitles=(Subtitle(kind="mov_text"),)
        ),
        input="H.264, AAC, mov_text, cover, chapters",
        output="out.mkv",
        converts={1: "srt"},
        notices=("(subtitle, mov_text) was converted to SubRip: matroska cannot hold it",),
    ),
    Case(
        name="mov-timecode",
        covers="data stream",
        make=Film(name="in.mov", sound=(AAC,), timecode="01:00:00:00"),
        input="H.264, AAC, timecode",
        output="out.mov",
    ),
    Case(
        name="mpegts-data",
        covers="data stream that nobody can keep in step",
        make=Film(
            name="in.ts",
            muxer={"output_ts_offset": "1.4"},
            codec="mpeg2video",
            options={"b": "3M"},
            data=True,
        ),
        input="MPEG-2, KLV",
        output="out.mkv",
        loses=(0,),
        notices=("(data, ",),
    ),
    Case(
        name="cover-to-webm",
        covers="cover that the output cannot hold",
        make=Film(name="in.mkv", codec="libvpx-vp9", sound=(OPUS,), cover=True),
        input="VP9, Opus, cover",
        output="out.webm",
        loses=(1,),
        notices=("webm cannot hold it; a name that ends in .mkv can",),
    ),
]

TIMES = [
    Case(
        name="vfr-mp4",
        covers="variable frame rate",
        make=Film(name="in.mp4", times=VARIABLE),
        input="H.264, VFR",
    ),
    Case(
        name="vfr-mkv",
        covers="variable frame rate; 1/1000",
        make=Film(name="in.mkv", times=[0, 17, 33, 90, 91, 400, 433, 1000], time_base=Fraction(1, 1000)),
        input="H.264, VFR",
        output="out.mkv",
    ),
    Case(
        name="vfr-mkv-to-mp4",
        covers="variable frame rate; 1/1000",
        make=Film(
            name="in.mkv",
            times=[0, 17, 33, 90, 91, 400, 433, 1000],
            time_base=Fraction(1, 1000),
            sound=(OPUS,),
        ),
        input="H.264, VFR, Opus",
    ),
    Case(
        name="late-picture",
        covers="starts at 0.4 s; sound at 0",
        make=Film(name="in.mp4", times=range(10, 30), sound=(AAC,)),
        input="H.264, AAC",
    ),
    Case(
        name="late-sound",
        covers="sound starts 0.3 s after the picture",
        make=Film(name="in.mp4", sound=(Sound(codec="aac", late=Fraction(3, 10)),)),
        input="H.264, AAC",
    ),
    Case(
        name="late-sound-mkv",
        covers="sound starts 0.3 s after the picture",
        make=Film(name="in.mkv", sound=(Sound(codec="libopus", late=Fraction(3, 10)),)),
        input="H.264, Opus",
        output="out.mkv",
    ),
    Case(
        name="edit-list",
        covers="edit list that hides the first 5 frames",
        make=Film(name="in.mp4", times=range(-5, 15), sound=(AAC,)),
        input="H.264, AAC",
    ),
    Case(
        name="time-base-90000",
        covers="1/90000",
        make=Film(name="in.mov", times=range(0, 20 * 3003, 3003), time_base=Fraction(1, 90000)),
        input="H.264",
        output="out.mov",
    ),
    Case(
        name="time-base-30000",
        covers="1001/30000",
        make=Film(name="in.mp4", times=range(0, 20 * 1001, 1001), time_base=Fraction(1, 30000)),
        input="H.264",
    ),
    Case(
        name="b-frames-mp4-to-mkv",
        covers="B-frame delay",
        make=Film(name="in.mp4", sound=(AAC,), options={"bf": "4", "b-adapt": "0", "b-pyramid": "normal"}),
        input="H.264 with 4 B-frames, AAC",
        output="out.mkv",
    ),
    Case(name="one-frame", covers="a film of one frame", make=Film(name="in.mp4", times=[0]), input="H.264"),
]

GEOMETRY = [
    *(
        Case(
            name=f"turned-{degrees}",
            covers="rotation",
            input=f"H.264, turned by {degrees}°",
            make=Film(name="in.mp4", rotation=degrees, aspect=Fraction(4, 3)),
        )
        for degrees in (90, 180, 270)
    ),
    Case(
        name="aspect",
        covers="sample aspect ratio",
        make=Film(name="in.mp4", aspect=Fraction(16, 11)),
        input="H.264, pixels 16:11",
    ),
    Case(
        name="odd-444",
        covers="odd sides",
        make=Film(name="in.mp4", size=(97, 65), pixels="yuv444p"),
        input="H.264 4:4:4, 97×65",
        options={"even": "444"},
        notices=("need 4:4:4",),
        pixels="yuv444p",
    ),
    Case(
        name="odd-420",
        covers="odd sides",
        make=Film(name="in.webm", codec="libvpx-vp9", size=(97, 65)),
        input="VP9, 97×65",
        output="out.webm",
    ),
    Case(
        name="size-changes",
        covers="size changes within the film",
        make=partial(
            media.joined,
            films=(
                Film(name="1.ts", codec="mpeg2video", options={"b": "3M"}),
                Film(name="2.ts", codec="mpeg2video", options={"b": "3M"}, size=(64, 64)),
            ),
        ),
        input="MPEG-2, 96×64, then 64×64",
        psnr=None,
        frames=40,
        notices=("96x64 -> 64x64", "closed a gap"),
    ),
    Case(
        name="interlaced",
        covers="fields become whole frames",
        make=Film(name="in.mp4", picture=media.woven, options={"flags": "+ildct+ilme", "crf": "8"}),
        input="H.264, interlaced",
        notices=("is interlaced",),
        reference=media.first_field,
        psnr=25.0,
    ),
    Case(
        name="alpha-prores",
        covers="transparency",
        make=Film(name="in.mov", codec="prores_ks", pixels="yuva444p10le", picture=media.transparent),
        input="ProRes 4444",
        output="out.mov",
        keeps_alpha=True,
    ),
    Case(
        name="alpha-vp9",
        covers="transparency",
        make=Film(
            name="in.webm",
            codec="libvpx-vp9",
            pixels="yuva420p",
            picture=media.transparent,
            options={"auto-alt-ref": "0", "crf": "15", "b": "0"},
        ),
        input="VP9 with alpha",
        output="out.webm",
        keeps_alpha=True,
    ),
    Case(
        name="alpha-to-mp4",
        covers="transparency that the output cannot hold",
        make=Film(name="in.mov", codec="prores_ks", pixels="yuva444p10le", picture=media.transparent),
        input="ProRes 4444",
        notices=("cannot hold transparency; .mov, .mkv, .webm",),
        psnr=None,
    ),
]


def _colored(
    name: str,
    input: str,
    color: tuple[int, int, int, int],
    *,
    covers: str = "colours",
    suffix: str = ".mp4",
    output: str = "out.mp4",
    **how: Any,
) -> Case:
    film = Film(name=f"in{suffix}", color=color, options={"crf": "12"}, **how)
    return Case(name=name, covers=covers, make=film, input=f"H.264, {input}", output=output)


def _hdr(name: str, transfer: int, picture: Callable[..., Any]) -> Case:
    return Case(
        name=f"{name}-to-sdr".lower(),
        covers="high dynamic range, against ITU-R BT.2100 and BT.2408",
        make=Film(
            name="in.mkv",
            codec="libx265",
            pixels="yuv420p10le",
            picture=picture,
            color=(BT2020, transfer, BT2020, LIMITED),
            options={"x265-params": "log-level=none", "crf": "4"},
        ),
        input=f"HEVC, 10 bits, BT.2020, {name}",
        reference=media.dim,
        pixels="yuv420p10le",
        color=(BT709, BT709, BT709, False),
        notices=(f"high dynamic range ({name})",),
    )


COLOURS = [
    _colored("untagged", "no tags", (2, 2, 2, 0)),
    _colored("bt601-limited", "BT.601, limited", (SMPTE170M, SMPTE170M, SMPTE170M, LIMITED)),
    _colored("bt601-full", "BT.601, full", (SMPTE170M, SMPTE170M, SMPTE170M, FULL), pixels="yuvj420p"),
    _colored("bt709-limited", "BT.709, limited", (BT709, BT709, BT709, LIMITED)),
    _colored("bt709-full", "BT.709, full", (BT709, BT709, BT709, FULL), pixels="yuvj420p"),
    _colored(
        "bt709-mkv-to-webm",
        "BT.709, limited",
        (BT709, BT709, BT709, LIMITED),
        suffix=".mkv",
        output="out.webm",
    ),
    replace(
        _colored("bt709-ten-bits", "10 bits, BT.709", (BT709, BT709, BT709, LIMITED), pixels="yuv420p10le"),
        pixels="yuv420p10le",
    ),
    replace(
        _colored("bt2020-ten-bits", "10 bits, BT.2020", (BT2020, 14, BT2020, LIMITED), pixels="yuv420p10le"),
        pixels="yuv420p10le",
    ),
    _colored("bt709-422", "4:2:2, BT.709", (BT709, BT709, BT709, LIMITED), pixels="yuv422p"),
    Case(
        name="bt709-to-gif",
        covers="colours as RGB",
        input="H.264, BT.709",
        output="out.gif",
        psnr=30.0,
        make=Film(name="in.mp4", color=(BT709, BT709, BT709, LIMITED), options={"crf": "12"}),
        keeps_tags=False,
    ),
    Case(
        name="bt709-full-to-y4m",
        covers="colours as Y'CbCr without tags",
        input="H.264, BT.709, full",
        make=Film(name="in.mp4", color=(BT709, BT709, BT709, FULL), pixels="yuvj420p", options={"crf": "12"}),
        output="-y4m",
        keeps_tags=False,
    ),
    _hdr("PQ", PQ, media.in_pq),
    _hdr("HLG", HLG, media.in_hlg),
    *(
        Case(
            name=f"chroma-{siting}",
            covers="chroma siting; the place of an edge, from the codes alone",
            make=Film(
                name=f"{siting}.mp4",
                picture=media.edges,
                options={"crf": "1", "chroma_sample_location": siting},
            ),
            input=f"H.264, chroma {siting}",
            psnr=28.0,
            also=wrong_edges,
        )
        for siting in ("left", "center", "topleft")
    ),
]

SUBTITLED = Film(name="in.mkv", sound=(OPUS,), subtitles=(Subtitle(kind="srt"),))
PART = Trim(start=Fraction(1, 5), end=Fraction(3, 5))

TRIMS = [
    Case(
        name="from-to-mkv",
        covers="--from --to; sound and subtitles cut to match",
        make=SUBTITLED,
        input="H.264, Opus, SRT",
        output="out.mkv",
        options={"trim": PART},
    ),
    Case(
        name="from-to-mp4",
        covers="--from --to; sound cut to match",
        make=STEREO_FILM,
        input="H.264, AAC",
        options={"trim": PART},
    ),
    Case(
        name="frames",
        covers="--frames; sound cut to match",
        make=STEREO_FILM,
        input="H.264, AAC",
        options={"trim": Trim(frames=7)},
    ),
    Case(
        name="from-mpegts",
        covers="--from, in a film that starts at 1.4 s",
        make=Film(
            name="in.ts",
            muxer={"output_ts_offset": "1.4"},
            codec="mpeg2video",
            options={"b": "3M"},
            sound=(Sound(codec="mp2"),),
        ),
        input="MPEG-2, MP2",
        options={"trim": Trim(start=Fraction(2, 5))},
    ),
    Case(
        name="from-pictures",
        covers="--from, in a folder of pictures",
        make=media.pictures,
        input="PNGs",
        output="%03d.png",
        options={"trim": Trim(start=Fraction(1, 5), frames=5)},
    ),
]

LONG = Film(name="in.mp4", times=range(100), sound=(AAC,))
LONG_MKV = Film(name="in.mkv", times=range(100))
KEY = "76a6c65c5ea762046bd749a2e632ccbb"

REFUSED = [
    Case(
        name="sound-alone",
        covers="no picture",
        make=partial(media.sound_alone, cover=False),
        input="AAC",
        refused=(InputError, "has no video in it, only sound"),
    ),
    Case(
        name="sound-with-cover",
        covers="a cover is no film",
        make=partial(media.sound_alone, cover=True),
        input="AAC, cover",
        refused=(InputError, "has no video in it, only sound"),
    ),
    Case(
        name="playlist",
        covers="what names other files",
        make=partial(
            media.bytes_of, name="in.m3u8", content=b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n"
        ),
        input="HLS playlist",
        refused=(InputError, "not a video or image"),
    ),
    Case(
        name="garbage",
        covers="no media",
        make=partial(media.bytes_of, name="in.mp4", content=FONT),
        input="noise",
        refused=(InputError, "not a video or image"),
    ),
    Case(
        name="encrypted",
        covers="Common Encryption, without the key",
        input="H.264, encrypted",
        make=Film(
            name="in.mp4",
            muxer={"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY},
        ),
        refused=(InputError, "is encrypted"),
    ),
    Case(
        name="empty",
        covers="no bytes",
        make=partial(media.bytes_of, name="in.mp4", content=b""),
        input="nothing",
        refused=(InputError, "the file is empty"),
    ),
    Case(
        name="missing",
        covers="no file",
        make=lambda folder: folder / "in.mp4",
        input="no such file",
        refused=(InputNotFoundError, "no such file"),
    ),
    Case(
        name="cut-off-mp4",
        covers="cut off",
        make=partial(media.cut_off, film=LONG),
        input="H.264, AAC; 6/10 of the file",
        refused=(InputError, "cut off"),
    ),
    Case(
        name="cut-off-mkv",
        covers="cut off",
        make=partial(media.cut_off, film=LONG_MKV),
        input="H.264; 6/10 of the file",
        output="out.mkv",
        refused=(InputError, "cut off"),
    ),
    Case(
        name="cut-off-jpeg",
        covers="cut off",
        input="half a JPEG",
        make=partial(media.bytes_of, name="in.jpg", content=b"\xff\xd8\xff\xe0"),
        output="out.png",
        refused=(InputError, "damaged or cut off"),
    ),
    Case(
        name="aac-to-webm",
        covers="sound that the container cannot hold",
        make=STEREO_FILM,
        input="H.264, AAC",
        output="out.webm",
        converts={0: "opus"},
        notices=("(audio, aac) was converted to Opus: webm cannot hold it",),
    ),
    Case(
        name="opus-to-mov",
        covers="sound that the container cannot hold",
        make=Film(name="in.mkv", sound=(OPUS,)),
        input="H.264, Opus",
        output="out.mov",
        converts={0: "alac"},
        notices=("(audio, opus) was converted to ALAC: mov cannot hold it",),
    ),
    Case(
        name="to-avi",
        covers="a container that vidgan does not write",
        make=Film(name="in.mp4"),
        input="H.264",
        output="out.avi",
        refused=(OutputError, "vidgan writes .mp4"),
    ),
    Case(
        name="picture-to-film",
        covers="a picture is no film",
        make=partial(media.picture, name="in.png"),
        input="PNG",
        refused=(OutputError, "the output must be one too"),
    ),
    Case(
        name="film-to-picture",
        covers="a film is no picture",
        make=Film(name="in.mp4"),
        input="H.264",
        output="out.png",
        refused=(OutputError, "a name like frames/%06d.png"),
    ),
    Case(
        name="output-exists",
        covers="nothing is replaced unasked",
        make=Film(name="in.mp4"),
        input="H.264",
        output="in.mp4",
        refused=(OutputError, "is the input itself"),
    ),
    Case(
        name="part-not-there",
        covers="--from behind the end",
        make=Film(name="in.mp4"),
        input="H.264",
        options={"trim": Trim(start=Fraction(9))},
        refused=(InputError, "has no frame from 9 s"),
    ),
]

BY_FFMPEG = [
    Case(
        name="ffmpeg-cut",
        covers="-ss with -c copy: edit list, sound that begins before the picture",
        make=partial(
            media.by_ffmpeg,
            film=Film(name="whole.mp4", sound=(AAC,), options={"g": "10"}),
            name="in.mp4",
            before=("-ss", "0.25"),
            after=("-c", "copy"),
        ),
        input="H.264, AAC, by ffmpeg",
    ),
    Case(
        name="ffmpeg-fragments",
        covers="fragmented mp4",
        make=partial(
            media.by_ffmpeg,
            film=Film(name="whole.mp4", sound=(AAC,)),
            name="in.mp4",
            after=("-c", "copy", "-movflags", "frag_keyframe+empty_moov+default_base_moof"),
        ),
        input="H.264, AAC, by ffmpeg",
    ),
    Case(
        name="ffmpeg-mpegts",
        covers="H.264 and AAC in MPEG-TS",
        make=partial(
            media.by_ffmpeg,
            film=Film(name="whole.mp4", sound=(AAC,)),
            name="in.ts",
            after=("-c", "copy"),
        ),
        input="H.264, AAC, by ffmpeg",
        output="out.mkv",
    ),
]

CASES = [*CONTAINERS, *CODECS, *STREAMS, *TIMES, *GEOMETRY, *COLOURS, *TRIMS, *REFUSED, *BY_FFMPEG]
