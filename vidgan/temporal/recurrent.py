"""A generator that remembers, in the place of a smoother: it goes through the frames in their order."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.tasks.effects.translate import LabelReader
from vidgan.temporal.filter import State
from vidgan.temporal.motion import Relation


class SequentialPainter(Protocol):
    """What a :class:`vidgan.session.Session` of a model that remembers does."""

    def run_next(
        self, pictures: NDArray[np.uint8], past: NDArray[np.float32] | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]: ...


class SequencePainter:
    """See :class:`vidgan.temporal.Smoother`; its state is the model's past. After a cut there is none.

    Args:
        painter: of label maps.
        reader: how they become class indices.
    """

    def __init__(self, painter: SequentialPainter, reader: LabelReader) -> None:
        self._painter = painter
        self._reader = reader
        self.state: State | None = None

    def smooth(self, painted: Frame, relation: Relation | None) -> Frame:
        goes_on = self.state is not None and relation is not None and not relation.cut
        past = self.state[0] if self.state is not None and goes_on else None
        pixels, after = self._painter.run_next(self._reader.labels(painted)[np.newaxis], past)
        self.state = (after,)
        return painted.with_pixels(pixels[0])
