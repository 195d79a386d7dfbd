"""Fast style transfer: a generator trained on one painting repaints each frame."""

import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.image import Image, RgbImage, YuvImage
from vidgan.session.output_check import Painter


class StyleEffect:
    """Repaints frames.

    Args:
        painter: a model of the task ``style``, as :func:`vidgan.load_style` gives it.
        strength: 0 (the frame as it was) to 1 (all painting).
        preserve_color: keep the frame's own colours and take only light and dark from the painting.

    Raises:
        ValueError: ``strength`` is outside 0 to 1.
    """

    def __init__(self, painter: Painter, *, strength: float = 1.0, preserve_color: bool = False) -> None:
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, got {strength}")
        self._painter = painter
        self._strength = strength
        self._preserve_color = preserve_color

    def apply(self, frame: Frame) -> Frame:
        if self._strength == 0:
            return frame
        output = self._run(frame.image)
        if self._preserve_color:
            output = output.with_chroma_of(frame.image)
        if self._strength < 1:
            output = output.blend(frame.image, self._strength)
        return frame.with_image(output)

    def _run(self, image: Image) -> Image:
        if isinstance(image, YuvImage) and self._painter.takes_planes:
            return self._painter.run_planes(image)
        return RgbImage(self._painter.run(image.pixels[np.newaxis])[0])
