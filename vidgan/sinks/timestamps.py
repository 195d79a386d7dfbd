"""Times as formats know them that do not know all."""

from dataclasses import replace
from fractions import Fraction

from vidgan.media.encoding import OutputFormat
from vidgan.media.frame import Frame, VideoInfo

GIF_FPS = 50
"""What lies closer together, browsers show at ten frames a second."""


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


class RoundedClock(Clock):
    """Multiples of a unit of time.

    Args:
        unit: in seconds.
        least: how many units a frame stands at least.
    """

    def __init__(self, info: VideoInfo, unit: Fraction, least: int) -> None:
        super().__init__(replace(info, time_base=unit))
        self._unit, self._least = unit, least
        self._next: int | None = None

    def set(self, frame: Frame) -> Frame:
        pts = round(frame.pts * frame.time_base / self._unit)
        pts = pts if self._next is None else max(pts, self._next)
        self._next = pts + self._least
        return frame.at(pts, time_base=self._unit, duration=0)


class FrameClock(Clock):
    """One frame after the other at a constant rate."""

    def __init__(self, info: VideoInfo) -> None:
        super().__init__(replace(info, time_base=1 / (info.frame_rate or Fraction(25))))
        self._count = 0

    def set(self, frame: Frame) -> Frame:
        self._count += 1
        return frame.at(self._count - 1, time_base=self.info.time_base, duration=1)


def clock_of(chosen: OutputFormat, info: VideoInfo) -> Clock:
    """The clock that the format goes by."""
    if chosen.muxer == "gif":
        return RoundedClock(info, Fraction(1, 100), 100 // GIF_FPS)
    if chosen.muxer == "apng":
        # It can say thirds; FFmpeg adds up hundred-thousandths when it reads, and so comes late in the end.
        return RoundedClock(info, Fraction(1, 50_000), 1)
    return FrameClock(info) if chosen.muxer == "yuv4mpegpipe" else Clock(info)
