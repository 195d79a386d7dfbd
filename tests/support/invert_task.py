"""A task from outside the package: one module, and the line at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vidgan.media.frame import Frame
from vidgan.media.image import Image
from vidgan.models.registry import ModelSpec
from vidgan.session.output_check import ImageModel
from vidgan.tasks import register
from vidgan.tasks.options import option
from vidgan.tasks.task import (
    GENERATOR,
    ChainStep,
    SmoothedSettings,
    StepContext,
    Task,
    is_smoothed,
    run_image,
    smoothing,
)


@dataclass(frozen=True, kw_only=True)
class InvertSettings(SmoothedSettings):
    task: ClassVar[str] = "invert"

    model: str = option(metavar="FILE.onnx", help="Model of the task.")
    amount: float = option(1.0, type=float, minimum=0, maximum=1, help="Share of the inverted image.")


class InvertTask(Task[InvertSettings]):
    name = verb = "invert"
    noun = "inverter"
    summary = "Invert every frame."
    settings_type = InvertSettings

    def open(self, settings: InvertSettings, context: StepContext) -> ChainStep:
        return ChainStep(
            effect=InvertEffect(context.models[GENERATOR], settings.amount), **smoothing(settings, "off")
        )

    def is_temporal(self, settings: InvertSettings, specs: Mapping[str, ModelSpec]) -> bool:
        return is_smoothed(settings, "off")


class InvertEffect:
    def __init__(self, model: ImageModel, amount: float) -> None:
        self._model, self._amount = model, amount

    def apply(self, frame: Frame) -> Frame:
        output: Image = run_image(self._model, frame.image)
        return frame.with_image(output.blend(frame.image, self._amount))


register(InvertTask())
