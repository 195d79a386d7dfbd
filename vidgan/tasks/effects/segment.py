"""Segmentation: photos become label maps."""

import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.label_map import Palette
from vidgan.session.output_check import Painter


class SegmentEffect:
    """Draws which class of things each pixel belongs to.

    Args:
        painter: a model of the task ``segment``.
        palette: the colours to draw in.
    """

    def __init__(self, painter: Painter, palette: Palette) -> None:
        self._painter = painter
        self._palette = palette

    def apply(self, frame: Frame) -> Frame:
        return frame.with_pixels(self._palette.drawn(self._painter.run(frame.pixels[np.newaxis])[0]))
