"""Audio, subtitles, covers, attachments, data, chapters and tags."""

from av.stream import Disposition

from ..case import Case
from ..media import Audio, Subtitle, Video
from .inputs import AAC, ASS, MKV_WITH_OPUS, MOV_TEXT, MP4_WITH_AAC, OPUS, SRT, WEBVTT, broadcast

_TRACKS = (
    Audio("libopus", title="Original", disposition=Disposition.default),
    Audio("libopus", language="fra", title="Doublage", disposition=Disposition.dub, pitch=30),
    Audio("libopus", language="deu", title="Kommentar", disposition=Disposition.comment, pitch=40),
)
_TAGS = {"title": "A video", "artist": "Somebody", "comment": "à voir"}
_MKV_CAN = "a name that ends in .mkv can"


def _converted(stream: str, codec: str, container: str, hint: str = f"; {_MKV_CAN}") -> str:
    """The warning about a stream that a container cannot hold as it is."""
    return f"({stream}) was converted to {codec}: {container} cannot hold it{hint}"


CASES = [
    Case(
        "mkv-everything",
        "3 audio tracks, SRT, ASS, 2 fonts, chapters, tags; languages, titles, dispositions",
        Video(
            "in.mkv",
            audio=_TRACKS,
            fonts=("a.ttf", "b.ttf"),
            chapters=True,
            tags=_TAGS,
            subtitles=(
                Subtitle("srt", title="Sous-titres", disposition=Disposition.forced),
                Subtitle("ass", language="jpn"),
            ),
        ),
        "H.264, 3 Opus, SRT, ASS, fonts, chapters",
        "out.mkv",
        tags=("title", "ARTIST", "COMMENT"),
    ),
    Case(
        "mp4-everything",
        "2 audio tracks, mov_text, cover, chapters, tags",
        Video(
            "in.mp4",
            audio=(AAC, Audio("aac", language="fra", pitch=30)),
            cover=True,
            chapters=True,
            tags=_TAGS,
            subtitles=(MOV_TEXT,),
        ),
        "H.264, 2 AAC, mov_text, cover, chapters",
        tags=("title", "artist", "comment"),
    ),
    Case(
        "webm-webvtt",
        "WebVTT",
        Video("in.webm", codec="libvpx-vp9", audio=(OPUS,), subtitles=(WEBVTT,), tags=_TAGS),
        "VP9, Opus, WebVTT",
        "out.webm",
        tags=("title",),
    ),
    Case(
        "mkv-to-mp4",
        "what mp4 cannot hold is converted, or named with a container that can",
        Video("in.mkv", audio=(OPUS,), subtitles=(SRT, ASS), fonts=("a.ttf",), chapters=True, tags=_TAGS),
        "H.264, Opus, SRT, ASS, font",
        loses=(3,),
        converts={1: "mov_text", 2: "mov_text"},
        tags=("title",),
        warnings=(
            _converted("subtitle, subrip", "mov_text", "mp4"),
            _converted("subtitle, ass", "mov_text", "mp4"),
            f"(attachment, a.ttf): mp4 cannot hold it; {_MKV_CAN}",
        ),
    ),
    Case(
        "mkv-to-webm",
        "subtitles that WebM cannot hold are converted",
        Video("in.mkv", codec="libvpx-vp9", audio=(OPUS,), subtitles=(ASS,)),
        "VP9, Opus, ASS",
        "out.webm",
        converts={1: "webvtt"},
        warnings=(_converted("subtitle, ass", "WebVTT", "webm"),),
    ),
    Case(
        "mp4-to-mkv",
        "cover becomes an attachment; subtitles that Matroska cannot hold are converted",
        Video("in.mp4", audio=(AAC,), cover=True, chapters=True, subtitles=(MOV_TEXT,)),
        "H.264, AAC, mov_text, cover, chapters",
        "out.mkv",
        converts={1: "srt"},
        warnings=(_converted("subtitle, mov_text", "SubRip", "matroska", ""),),
    ),
    Case(
        "mov-timecode",
        "data stream",
        Video("in.mov", audio=(AAC,), timecode="01:00:00:00"),
        "H.264, AAC, timecode",
        "out.mov",
    ),
    Case(
        "mpegts-data",
        "data stream that nobody can keep in step",
        broadcast(audio=False, data=True),
        "MPEG-2, KLV",
        "out.mkv",
        loses=(0,),
        warnings=("(data, ",),
    ),
    Case(
        "cover-to-webm",
        "cover that the output cannot hold",
        Video("in.mkv", codec="libvpx-vp9", audio=(OPUS,), cover=True),
        "VP9, Opus, cover",
        "out.webm",
        loses=(1,),
        warnings=(f"webm cannot hold it; {_MKV_CAN}",),
    ),
    Case(
        "aac-to-webm",
        "audio that the container cannot hold",
        MP4_WITH_AAC,
        "H.264, AAC",
        "out.webm",
        converts={0: "opus"},
        warnings=(_converted("audio, aac", "Opus", "webm", ""),),
    ),
    Case(
        "opus-to-mov",
        "audio that the container cannot hold",
        MKV_WITH_OPUS,
        "H.264, Opus",
        "out.mov",
        converts={0: "alac"},
        warnings=(_converted("audio, opus", "ALAC", "mov", ""),),
    ),
]
