"""Timestamps: time bases, variable frame rates, starts and wraps."""

from fractions import Fraction

from tests.support.clips import VARIABLE

from ..case import Case
from ..media import Audio, Video
from .inputs import AAC, OPUS, broadcast

_VARIABLE_MS = [0, 17, 33, 90, 91, 400, 433, 1000]
_LATE = Fraction(3, 10)


def _mkv(audio: tuple[Audio, ...] = ()) -> Video:
    return Video("in.mkv", times=_VARIABLE_MS, time_base=Fraction(1, 1000), audio=audio)


def _steps(suffix: str, step: int, denominator: int) -> Video:
    """20 frames, each ``step`` units of the time base after the one before."""
    return Video(f"in{suffix}", times=range(0, 20 * step, step), time_base=Fraction(1, denominator))


def _late_audio(suffix: str, codec: str) -> Video:
    return Video(f"in{suffix}", audio=(Audio(codec, start=_LATE),))


_B_FRAMES = Video("in.mp4", audio=(AAC,), options={"bf": "4", "b-adapt": "0", "b-pyramid": "normal"})

CASES = [
    Case("vfr-mp4", "variable frame rate", Video("in.mp4", times=VARIABLE), "H.264, VFR"),
    Case("vfr-mkv", "variable frame rate; 1/1000", _mkv(), "H.264, VFR", "out.mkv"),
    Case("vfr-mkv-to-mp4", "variable frame rate; 1/1000", _mkv((OPUS,)), "H.264, VFR, Opus"),
    Case(
        "late-video",
        "starts at 0.4 s; audio at 0",
        Video("in.mp4", times=range(10, 30), audio=(AAC,)),
        "H.264, AAC",
    ),
    Case("late-audio", "audio starts 0.3 s after the video", _late_audio(".mp4", "aac"), "H.264, AAC"),
    Case(
        "late-audio-mkv",
        "audio starts 0.3 s after the video",
        _late_audio(".mkv", "libopus"),
        "H.264, Opus",
        "out.mkv",
    ),
    Case(
        "edit-list",
        "edit list that hides the first 5 frames",
        Video("in.mp4", times=range(-5, 15), audio=(AAC,)),
        "H.264, AAC",
    ),
    Case("time-base-90000", "1/90000", _steps(".mov", 3003, 90000), "H.264", "out.mov"),
    Case("time-base-30000", "1001/30000", _steps(".mp4", 1001, 30000), "H.264"),
    Case("b-frames-mp4-to-mkv", "B-frame delay", _B_FRAMES, "H.264 with 4 B-frames, AAC", "out.mkv"),
    Case("one-frame", "a video of one frame", Video("in.mp4", times=[0]), "H.264"),
    Case("ten-hours", "starts after ten hours", broadcast(36_000), "MPEG-2, MP2"),
    Case(
        "clock-wraps",
        "starts a second before the clock of MPEG-TS begins anew",
        broadcast(95_442),
        "MPEG-2, MP2",
    ),
]
