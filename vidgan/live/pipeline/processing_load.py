"""Frame rate control: the processing size of each frame, and whether it is generated."""

from collections import deque
from statistics import fmean

import av

from vidgan.live.conversion import FrameSize, display_size
from vidgan.live.pipeline.adaptive_resolution import AdaptiveResolution
from vidgan.live.pipeline.reuse_schedule import ReuseSchedule
from vidgan.live.pipeline.stylizer import Made, PixelCost
from vidgan.live.sources import LiveSource
from vidgan.media.geometry import target_size
from vidgan.temporal.reuse import Reuse

DEFAULT_FPS = 30.0
"""Frame rate to hold where neither the user nor the source asks for less."""

_GENERATED_SHARE = 0.75
"""Share of a generated frame's time that all frames are taken to need when the size is chosen: otherwise carried frames
would allow sizes at which each generated one is late."""


class ProcessingLoad:
    """Chooses the processing size of each frame, and of how many frames one is generated.

    Args:
        requested: fixed size of the user; None for the largest that holds the frame rate.
        fps: frame rate of the user; None for that of the source.
        source: its frame rate is known from the first frame on.
        cost: an estimate.

    Attributes:
        full: size of the last frame without adaptive resolution.
    """

    def __init__(self, requested: str | None, fps: float | None, source: LiveSource, cost: PixelCost) -> None:
        self._requested, self._requested_fps, self._source = requested, fps, source
        self._cost = cost
        self.full: FrameSize = 0, 0
        self._adaptive: AdaptiveResolution | None = None
        self._schedule: ReuseSchedule | None = None
        self._size: FrameSize = 0, 0
        self._recent: deque[float] = deque(maxlen=1)
        self._generated = 0.0

    @property
    def fps(self) -> float:
        return self._requested_fps or min(self._source.frame_rate or DEFAULT_FPS, DEFAULT_FPS)

    def begin(self, decoded: av.VideoFrame, reuse: Reuse) -> tuple[FrameSize, int]:
        """The processing size of the next frame, and the interval for :meth:`LiveStylizer.step`."""
        full = display_size(decoded)
        if self._requested is not None:
            width, height = target_size(*full, self._requested)
            full = width // 2 * 2, height // 2 * 2
        if full != self.full or self._schedule is None:
            self.full = full
            self._schedule = ReuseSchedule(self.fps, self._cost.generated * full[0] * full[1])
            self._adaptive = None if self._requested is not None else self._open_adaptive(reuse)
        self._size = full if self._adaptive is None else self._adaptive.size
        interval = self._schedule.interval(reuse)
        if self._recent.maxlen != max(1, interval):
            self._recent = deque(maxlen=max(1, interval))
        return self._size, interval

    def end(self, seconds: float, made: Made) -> None:
        """Records the processing time of that frame."""
        if made == "repeated" or self._schedule is None:
            return  # The next frame may be none that repeats.
        if made == "generated":
            (width, height), (full_width, full_height) = self._size, self.full
            self._generated = seconds
            self._schedule.add_generated(seconds * full_width * full_height / (width * height))
        self._recent.append(seconds)
        if self._adaptive is not None:
            self._adaptive.add_frame_time(max(fmean(self._recent), _GENERATED_SHARE * self._generated))

    def _open_adaptive(self, reuse: Reuse) -> AdaptiveResolution:
        assert self._schedule is not None
        return AdaptiveResolution(self.full, self.fps, self._mean_cost(self._schedule.interval(reuse)))

    def _mean_cost(self, interval: int) -> float:
        """Estimated time per pixel of frames of which one in so many is generated."""
        generated, carried = self._cost.generated, self._cost.carried
        if interval < 2:
            return generated
        return max((generated + (interval - 1) * carried) / interval, _GENERATED_SHARE * generated)
