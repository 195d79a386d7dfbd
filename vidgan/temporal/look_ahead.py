"""Look-ahead: later frames take part in smoothing the current one.

A causal filter starts anew wherever something comes into sight, and shows it for a few frames as it was
first generated. Here a second filter runs backwards through the next frames, and the causal filter takes
what that one made of the current frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vidgan.media.frame import Frame
from vidgan.temporal.filter import TemporalFilter
from vidgan.temporal.motion import MotionEstimate


@dataclass(frozen=True)
class LookAhead:
    """The number of frames, and the filter.

    Attributes:
        frames: how many frames after the current one.
        open_filter: makes a filter without state.
    """

    frames: int
    open_filter: Callable[[], TemporalFilter]

    def anticipate(self, frames: Sequence[Frame], motions: Sequence[MotionEstimate | None]) -> Frame:
        """The first of these output frames, smoothed by the others.

        Args:
            frames: the current frame and the following ones, at least one.
            motions: from the source frame before each to its own, as if the video ran backwards; None where
                the two cannot be compared. The first is not used.
        """
        backwards = self.open_filter()
        smoothed = backwards.apply(frames[-1], None)
        for index in range(len(frames) - 1, 0, -1):
            smoothed = backwards.apply(frames[index - 1], motions[index])
        return smoothed
