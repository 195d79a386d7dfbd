"""Effects of style transfer: one style, several that are mixed, or two that a mask keeps apart."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from vidgan.media.compositing import composite
from vidgan.media.frame import Frame
from vidgan.media.image import Image
from vidgan.media.yuv import Plane
from vidgan.session.output_check import ImageModel
from vidgan.tasks.style.mask import Mask
from vidgan.tasks.task import Effect, run_image

_NEGLIGIBLE = 0.002
"""Weight below half a level of 8 bits, for which no generator is run."""
_STRIDE = 8
_LEAST_SIDE = 32


class StyleEffect:
    """Repaints frames.

    Args:
        model: a model of the task ``style``, as :func:`vidgan.load_style` returns it.
        strength: 0 (the frame as it was) to 1 (the model's output).
        preserve_color: keep the frame's chroma and take only luma from the model's output.
        stroke: width of strokes, 1 or more: the model runs on frames so many times smaller, and its output is
            enlarged. So it takes the square of that less time.

    Raises:
        ValueError: ``strength`` is outside 0 to 1, or ``stroke`` is below 1.
    """

    def __init__(
        self, model: ImageModel, *, strength: float = 1.0, preserve_color: bool = False, stroke: float = 1.0
    ) -> None:
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, got {strength}")
        if not stroke >= 1:
            raise ValueError(f"stroke must be 1 or more, got {stroke}")
        self._stroke = stroke
        self._model = model
        self._strength = strength
        self._preserve_color = preserve_color

    def apply(self, frame: Frame) -> Frame:
        if self._strength == 0:
            return frame
        output = self._output(frame.image)
        if self._preserve_color:
            output = output.with_chroma_of(frame.image)
        if self._strength < 1:
            output = output.blend(frame.image, self._strength)
        return frame.with_image(output)

    def _output(self, image: Image) -> Image:
        width, height = (_reduced(side, self._stroke) for side in image.size)
        if (width, height) == image.size or self._stroke == 1:
            return run_image(self._model, image)
        return run_image(self._model, image.resized((width, height))).resample(_enlarged, image.size)


class MixedEffect:
    """Outputs of several styles, mixed by weights that depend on the time.

    Args:
        effects: of the styles.
        weights: of a time in seconds of the frames, one each, that add up to 1; an effect with none is not run.

    Attributes:
        weights: the same.
    """

    def __init__(self, effects: Sequence[Effect], weights: Callable[[float], Sequence[float]]) -> None:
        self._effects = effects
        self.weights = weights

    def apply(self, frame: Frame) -> Frame:
        output, total = None, 0.0
        for effect, weight in zip(self._effects, self.weights(frame.pts_seconds), strict=True):
            if weight <= _NEGLIGIBLE:
                continue
            layer, total = effect.apply(frame), total + weight
            image = layer.image if output is None else layer.image.blend(output.image, weight / total)
            output = layer.with_image(image)
        assert output is not None
        return output


class MaskedEffect:
    """One effect inside a mask, another one outside; where the mask is even, only one of them runs."""

    def __init__(self, inside: Effect, outside: Effect, mask: Mask) -> None:
        self._inside, self._outside, self._mask = inside, outside, mask

    def apply(self, frame: Frame) -> Frame:
        mask = self._mask.at(frame)
        if not mask.any():
            return self._outside.apply(frame)
        inside = self._inside.apply(frame)
        if mask.min() == 255:
            return inside
        return frame.with_image(composite(inside.image, self._outside.apply(frame).image, mask))


def _reduced(side: int, stroke: float) -> int:
    """A side of the frames that the model runs on: of whole cells, as the model would pad it otherwise."""
    return min(side, max(_LEAST_SIDE, round(side / stroke / _STRIDE) * _STRIDE))


def _enlarged(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC), np.uint8)


class InputOutside:
    """Puts a step's own input outside a mask, after the step's temporal filter: there it stays to the bit."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def compose(self, before: Frame, after: Frame) -> Frame:
        return after.with_image(composite(after.image, before.image, self._mask.at(before)))
