"""What a generator does to a frame.

A new effect is one module here and one line in ``EFFECTS``.
"""

from typing import Protocol

from vidgan.effects.style import StyleEffect
from vidgan.frame import Frame


class Effect(Protocol):
    """Maps frames to frames, one for one; time and size are kept."""

    def apply(self, frame: Frame) -> Frame: ...


EFFECTS = {"style": StyleEffect}
"""Effect class by the task that a model names in its metadata."""
