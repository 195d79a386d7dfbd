"""A frame with the pose of the person in it."""

from dataclasses import dataclass

from vidgan.media.body_parts import Floats
from vidgan.media.frame import Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PosedFrame(Frame):
    """A frame in which a person was looked for.

    Attributes:
        points: key points ``(19, 3)``, see :mod:`vidgan.media.body_parts`; None where there is nobody.
    """

    points: Floats | None = None
