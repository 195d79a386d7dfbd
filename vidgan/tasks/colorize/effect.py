"""The effect of colorization: chroma by a model, at the size that it was trained for."""

import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.session.output_check import ImageModel
from vidgan.tasks.colorize.lab import (
    GRAY,
    Chroma,
    Lightness,
    enlarged,
    lightness_of_frame,
    shrunk,
    size_of_side,
    with_chroma,
    ycc_chroma,
)
from vidgan.tasks.colorize.reference import Reference


class ColorizeEffect:
    """Colors frames; their own chroma is ignored.

    Args:
        model: a model of the task ``colorize``.
        side: shorter side in pixels of the images that the model was trained on; None for any.
        strength: factor of the saturation; 0 gives gray, 1 the model's output.
        reference: a photo whose colors replace the model's for what the model takes for the same.
    """

    def __init__(
        self,
        model: ImageModel,
        *,
        side: int | None,
        strength: float = 1.0,
        reference: Reference | None = None,
    ) -> None:
        self._model = model
        self._side = side
        self._strength = strength
        self._reference = reference

    def apply(self, frame: Frame) -> Frame:
        lightness = lightness_of_frame(frame)
        if not isinstance(frame.image, YuvImage):
            return frame.with_pixels(with_chroma(lightness, self._chroma(lightness)))
        height, width = frame.image.chroma.shape[:2]
        chroma = enlarged(self._chroma(lightness), height, width)
        return frame.with_image(
            YuvImage(frame.image.luma, ycc_chroma(shrunk(lightness, (width, height)), chroma))
        )

    def _chroma(self, lightness: Lightness) -> Chroma:
        """Chroma at the model's size."""
        small, chroma = predicted(self._model, lightness, self._side)
        if self._reference is not None:
            chroma = self._reference.shifted(small, chroma)
        if self._strength == 1:
            return chroma
        signed = self._strength * (chroma.astype(np.float32) - GRAY)
        return np.asarray((signed + GRAY).round().clip(0, 255), np.uint8)


def predicted(model: ImageModel, lightness: Lightness, side: int | None) -> tuple[Lightness, Chroma]:
    """The lightness at the model's size, and the model's chroma of it.

    Args:
        side: shorter side of the images that the model was trained on; larger ones are made smaller.
    """
    small = shrunk(lightness, size_of_side(lightness.shape, side))
    return small, model.run(small[np.newaxis])[0]
