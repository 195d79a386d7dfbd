"""Times as formats know them that do not know all."""

from dataclasses import replace
from fractions import Fraction

from vidgan.frame import Frame, VideoInfo
from vidgan.sinks.encoder import Format

GIF_FPS = 50
"""What lies closer together, browsers show at ten frames a second."""

_HUNDREDTH = Fraction(1, 100)


class Clock:
    """The film's own times.

    Attributes:
        info: of the frames that it gives.
    """

    def __init__(self, info: VideoInfo) -> None:
        self.info = info

    def set(self, frame: Frame) -> Frame:
        """The frame at the time that the format has for it; to be called once, in order."""
        return frame


class GIFClock(Clock):
    """Hundredths of a second, and none too close together."""

    def __init__(self, info: VideoInfo) -> None:
        super().__init__(replace(info, time_base=_HUNDREDTH))
        self._next: int | None = None

    def set(self, frame: Frame) -> Frame:
        pts = round(frame.pts * frame.time_base / _HUNDREDTH)
        pts = pts if self._next is None else max(pts, self._next)
        self._next = pts + 100 // GIF_FPS
        return replace(frame, pts=pts, time_base=_HUNDREDTH, duration=0)


class FrameClock(Clock):
    """One frame after the other at a constant rate."""

    def __init__(self, info: VideoInfo) -> None:
        super().__init__(replace(info, time_base=1 / (info.frame_rate or Fraction(25))))
        self._count = 0

    def set(self, frame: Frame) -> Frame:
        self._count += 1
        return replace(frame, pts=self._count - 1, time_base=self.info.time_base, duration=1)


def clock_of(chosen: Format, info: VideoInfo) -> Clock:
    """The clock that the format goes by."""
    return {"gif": GIFClock, "yuv4mpegpipe": FrameClock}.get(chosen.muxer, Clock)(info)
