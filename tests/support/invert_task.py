"""A task from outside the package: one module, and the line at its end."""

from dataclasses import dataclass
from typing import ClassVar

from vidgan.media.frame import Frame
from vidgan.media.image import Image
from vidgan.session.output_check import ImageModel
from vidgan.tasks import register
from vidgan.tasks.listing import ListedTask
from vidgan.tasks.options import number_option, option
from vidgan.tasks.smoothing import SmoothedSettings, SmoothedTask
from vidgan.tasks.task import GENERATOR, ChainStep, StepContext, run_image


@dataclass(frozen=True, kw_only=True)
class InvertSettings(SmoothedSettings):
    task: ClassVar[str] = "invert"

    model: str = option(metavar="FILE.onnx", help="Model of the task.")
    amount: float = number_option(1.0, 0, 1, help="Share of the inverted image.")


class InvertTask(SmoothedTask[InvertSettings]):
    noun = "inverter"
    settings_type = InvertSettings

    def open(self, settings: InvertSettings, context: StepContext) -> ChainStep:
        effect = InvertEffect(context.models[GENERATOR], settings.amount)
        return ChainStep(effect=effect, **self.smoothing(settings, context.specs))


class InvertEffect:
    def __init__(self, model: ImageModel, amount: float) -> None:
        self._model, self._amount = model, amount

    def apply(self, frame: Frame) -> Frame:
        output: Image = run_image(self._model, frame.image)
        return frame.with_image(output.blend(frame.image, self._amount))


INVERT = ListedTask("invert", "invert", "Invert every frame.")
register(InvertTask(INVERT))
