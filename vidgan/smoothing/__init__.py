"""Temporal smoothers: what was painted where an object stood a moment ago steadies what is painted now.

A smoother works behind any effect that keeps the size of frames. It has two halves. :meth:`relate`
looks at two frames of the *source*; it keeps nothing, so that several pairs can be looked at at a
time. :meth:`smooth` goes through the painted frames in their order and keeps its :data:`State`.
"""

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vidgan.frame import Frame, Pixels
from vidgan.smoothing.blend import BlendSmoother
from vidgan.smoothing.flow import FlowSmoother
from vidgan.smoothing.relation import Relation

State = NDArray[np.float32]
"""What a smoother remembers: its last picture, RGB ``(H, W, 3)`` float32, 0 to 255."""

Smooth = Literal["off", "blend", "flow"]


class Smoother(Protocol):
    """Steadies painted frames.

    Attributes:
        state: what it remembers; None at the start and after a cut. A smoother that is given the
            state of another continues exactly as that one would.
    """

    state: State | None

    def relate(self, before: Pixels, now: Pixels) -> Relation:
        """What became of the source between two of its frames, RGB ``(H, W, 3)`` uint8."""
        ...

    def smooth(self, painted: Frame, relation: Relation | None) -> Frame:
        """The painted frame, steadied.

        Args:
            relation: of its source frame to the one before; None for the first, or after a seek.
        """
        ...


SMOOTHERS: dict[str, Callable[[float], Smoother]] = {"blend": BlendSmoother, "flow": FlowSmoother}


def open_smoother(kind: Smooth, *, strength: float) -> Smoother | None:
    """The smoother of that kind, or None for ``"off"``.

    Args:
        strength: 0 (frames stay as they are) to 1.
    """
    return None if kind == "off" or strength == 0 else SMOOTHERS[kind](strength)
