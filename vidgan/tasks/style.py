"""Style transfer: a generator trained on one painting repaints each frame.

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vidgan.media.frame import Frame
from vidgan.models.registry import ModelSpec
from vidgan.session.output_check import ImageModel
from vidgan.tasks.options import option
from vidgan.tasks.task import (
    GENERATOR,
    ChainStep,
    SmoothedSettings,
    StepContext,
    Task,
    is_smoothed,
    model_option,
    run_image,
    smoothing,
)


@dataclass(frozen=True, kw_only=True)
class StyleSettings(SmoothedSettings):
    """Options of style transfer."""

    task: ClassVar[str] = "style"

    style: str = model_option("Style", short="-s")
    strength: float = option(
        1.0, type=float, minimum=0, maximum=1, help="Share of the painting in the output, 0 to 1."
    )
    preserve_color: bool = option(
        False, type=bool, help="Keep the input's colors; take only luma from the style."
    )


class StyleTask(Task[StyleSettings]):
    name = "style"
    verb = "stylize"
    noun = "style"
    summary = "Repaint a video, an image or a folder of frames in the style of a painting."
    model_field = "style"
    settings_type = StyleSettings

    def open(self, settings: StyleSettings, context: StepContext) -> ChainStep:
        effect = StyleEffect(
            context.models[GENERATOR], strength=settings.strength, preserve_color=settings.preserve_color
        )
        return ChainStep(effect=effect, **smoothing(settings, "flow"))

    def is_temporal(self, settings: StyleSettings, specs: Mapping[str, ModelSpec]) -> bool:
        return is_smoothed(settings, "flow")


class StyleEffect:
    """Repaints frames.

    Args:
        model: a model of the task ``style``, as :func:`vidgan.load_style` returns it.
        strength: 0 (the frame as it was) to 1 (the model's output).
        preserve_color: keep the frame's chroma and take only luma from the model's output.

    Raises:
        ValueError: ``strength`` is outside 0 to 1.
    """

    def __init__(self, model: ImageModel, *, strength: float = 1.0, preserve_color: bool = False) -> None:
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, got {strength}")
        self._model = model
        self._strength = strength
        self._preserve_color = preserve_color

    def apply(self, frame: Frame) -> Frame:
        if self._strength == 0:
            return frame
        output = run_image(self._model, frame.image)
        if self._preserve_color:
            output = output.with_chroma_of(frame.image)
        if self._strength < 1:
            output = output.blend(frame.image, self._strength)
        return frame.with_image(output)


TASK = StyleTask()
