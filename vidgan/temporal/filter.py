"""The contract of temporal filters."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.temporal.motion import MotionEstimate

State = tuple[NDArray[np.float32], ...]
"""State that a filter keeps from one frame to the next; each filter documents its arrays."""


class TemporalFilter(Protocol):
    """Goes through the output frames in order, with state.

    Attributes:
        state: None at the start and after a scene cut. A filter that is given the state of another one
            continues exactly as that one would. States are never changed in place.
    """

    state: State | None

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        """The next output frame, filtered.

        Args:
            frame: output of an effect.
            motion: from its source frame to the previous one; None for the first frame, or after a seek.
        """
        ...
