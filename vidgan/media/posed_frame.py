"""A frame with the pose of the person in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import Floats
from vidgan.media.frame import Frame

UNREAD = ""
"""Style of a line drawing whose colors are not known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PosedFrame(Frame):
    """A frame in which a person was looked for.

    Attributes:
        points: key points ``(19, 3)``, see :mod:`vidgan.media.body_parts`; None where there is nobody.
        known: which of them the frame shows, ``(19,)``; None for all.
        drawing: the style of the drawn skeleton that the frame is; :data:`UNREAD` where its joints cannot be read, None
            where it is no drawing.
    """

    points: Floats | None = None
    known: NDArray[np.bool_] | None = None
    drawing: str | None = None
