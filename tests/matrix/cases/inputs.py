"""Inputs that several rows have in common."""

from fractions import Fraction

from ..media import Audio, Subtitle, Video

AAC, OPUS = Audio("aac"), Audio("libopus")
SRT, ASS, MOV_TEXT, WEBVTT = (Subtitle(kind) for kind in ("srt", "ass", "mov_text", "vtt"))

MP4, MKV = Video("in.mp4"), Video("in.mkv")
MP4_WITH_AAC = Video("in.mp4", audio=(AAC,))
MKV_WITH_OPUS = Video("in.mkv", audio=(OPUS,))

START = Fraction(7, 5)
"""Seconds at which FFmpeg's transport streams begin."""


def broadcast(start: Fraction | int = START, *, audio: bool = True, data: bool = False) -> Video:
    """MPEG-2, and MP2, in a transport stream that begins after ``start`` seconds."""
    return Video(
        "in.ts",
        muxer={"output_ts_offset": str(float(start))},
        codec="mpeg2video",
        options={"b": "3M"},
        audio=(Audio("mp2"),) if audio else (),
        data=data,
    )
