"""The contract of temporal filters."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.image import Image
from vidgan.temporal.motion import MotionEstimate
from vidgan.temporal.reuse import Carry

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


@runtime_checkable
class CarryingFilter(TemporalFilter, Protocol):
    """A temporal filter that can do without the output of an effect for some frames."""

    def carry(self, following: Frame, carry: Carry) -> Image:
        """The next output image, of a frame that has not gone through the effect.

        Args:
            following: output of the effect for the next frame that has.
            carry: how the frame lies between its neighbors.

        Raises:
            ValueError: there is no former output of that size.
        """
        ...

    def carry_forward(self, former: Image, motion: MotionEstimate) -> Image:
        """The same without a following output, which is not known yet in live video.

        Args:
            former: the last output image, as it was shown.
            motion: from the frame to the former one.

        Raises:
            ValueError: there is no former output of that size.
        """
        ...
