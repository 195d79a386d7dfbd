"""Translation: label maps become pictures, or pictures others, by a conditional generator."""

from pathlib import Path

import numpy as np

from vidgan.errors import InputError
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.media.label_map import Labels, Palette
from vidgan.session.output_check import Painter

_MISFIT = 0.15
"""Share of pixels of other colours from which a picture is no label map. Where labels are compressed, it is
some hundredths, along their edges, and a tenth if they are small and compressed hard; of photos it is
most, and hardly ever less than a fifth."""


class TranslateEffect:
    """Makes pictures of label maps.

    Args:
        painter: a model of the task ``translate`` that takes class indices.
        reader: how label maps become class indices.
    """

    def __init__(self, painter: Painter, reader: "LabelReader") -> None:
        self._painter = painter
        self._reader = reader

    def apply(self, frame: Frame) -> Frame:
        return frame.with_pixels(self._painter.run(self._reader.labels(frame)[np.newaxis])[0])


class RepaintEffect:
    """Makes pictures of pictures.

    Args:
        painter: a model of the task ``translate`` that takes RGB.
    """

    def __init__(self, painter: Painter) -> None:
        self._painter = painter

    def apply(self, frame: Frame) -> Frame:
        if isinstance(frame.image, YuvImage) and self._painter.takes_planes:
            return frame.with_image(self._painter.run_planes(frame.image))
        return frame.with_pixels(self._painter.run(frame.pixels[np.newaxis])[0])


class LabelReader:
    """Class indices of frames that are label maps, drawn in colours.

    Args:
        palette: what colours stand for.
        model, input: name of the model that they are for, and where they come from, for messages.
    """

    def __init__(self, palette: Palette, model: str, input: Path) -> None:
        self._palette = palette
        self._model = model
        self._input = input

    def labels(self, frame: Frame) -> Labels:
        """``(H, W)`` uint8.

        Raises:
            InputError: the frame does not look like a label map.
        """
        pixels = frame.pixels
        misfit = self._palette.misfit(pixels)
        if misfit > _MISFIT:
            raise InputError(
                f"{self._input}: at {frame.pts_seconds:.3f} s is no label map for {self._model}, "
                f"{misfit:.0%} has none of its colours; give yours with --palette, or make label maps "
                "of photos with 'vidgan segment'"
            )
        return self._palette.labels(pixels)
