"""Restoration: a generator removes noise, compression artifacts or darkness from each frame.

Zhang et al. 2017, "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising". vidgan bundles
no such model; ``vidgan models add`` adds those of others.
"""

from dataclasses import dataclass
from typing import ClassVar

from vidgan.media.frame import Frame
from vidgan.session.output_check import ImageModel
from vidgan.tasks.listing import listed
from vidgan.tasks.options import number_option
from vidgan.tasks.smoothing import SmoothedSettings, SmoothedTask
from vidgan.tasks.task import (
    GENERATOR,
    ChainStep,
    StepContext,
    model_option,
    run_image,
)


@dataclass(frozen=True, kw_only=True)
class RestoreSettings(SmoothedSettings):
    """Options of restoration."""

    task: ClassVar[str] = "restore"

    model: str = model_option("Restorer")
    strength: float = number_option(1.0, 0, 1, help="Share of the restored frame in the output, 0 to 1.")


class RestoreTask(SmoothedTask[RestoreSettings]):
    noun = "restorer"
    settings_type = RestoreSettings

    def open(self, settings: RestoreSettings, context: StepContext) -> ChainStep:
        effect = RestoreEffect(context.models[GENERATOR], strength=settings.strength)
        return ChainStep(effect=effect, **self.smoothing(settings, context.specs))


class RestoreEffect:
    """Restores frames.

    Args:
        model: a model of the task ``restore``.
        strength: 0 (the frame as it was) to 1 (the model's output).
    """

    def __init__(self, model: ImageModel, *, strength: float = 1.0) -> None:
        self._model = model
        self._strength = strength

    def apply(self, frame: Frame) -> Frame:
        if self._strength == 0:
            return frame
        output = run_image(self._model, frame.image)
        return frame.with_image(output if self._strength == 1 else output.blend(frame.image, self._strength))


TASK = RestoreTask(listed("restore"))
