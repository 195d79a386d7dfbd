"""Smoothing of colours alone, where what is light and dark is the film's own."""

import cv2
import numpy as np

from vidgan.effects.colorize import in_colour, lightness_of
from vidgan.frame import Frame
from vidgan.smoothing.relation import Relation
from vidgan.smoothing.smoother import Smoother, State


class ChromaSmoother:
    """See :class:`vidgan.smoothing.Smoother`. Lightness stays to the bit.

    Args:
        smoother: steadies the frames; of what it makes, colours are taken.
    """

    def __init__(self, smoother: Smoother) -> None:
        self._smoother = smoother

    @property
    def state(self) -> State | None:
        return self._smoother.state

    @state.setter
    def state(self, state: State | None) -> None:
        self._smoother.state = state

    def smooth(self, painted: Frame, relation: Relation | None) -> Frame:
        steadied = self._smoother.smooth(painted, relation)
        chroma = np.ascontiguousarray(cv2.cvtColor(steadied.pixels, cv2.COLOR_RGB2Lab)[:, :, 1:], np.uint8)
        return painted.with_pixels(in_colour(lightness_of(painted.pixels), chroma))
