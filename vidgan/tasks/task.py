"""The contract of a task: everything that is particular to what a model does to a video.

The command line, the Python functions, batches, unfinished jobs, clusters, benchmarks, ``doctor``, ``models``
and the web page are driven by it. Adding a task is one module and one line in :data:`vidgan.tasks.listing.TASKS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar

import numpy as np

from vidgan.errors import ModelError
from vidgan.media.encoding import EncoderChoice
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Image, Pixels, RgbImage, YuvImage
from vidgan.media.label_map import Palette
from vidgan.models.registry import ModelSpec, Precision, find_model
from vidgan.session import Session
from vidgan.session.output_check import ImageModel
from vidgan.tasks.listing import ListedTask
from vidgan.tasks.made_model import MadeModel
from vidgan.tasks.options import OptionSettings, option
from vidgan.temporal.filter import TemporalFilter
from vidgan.temporal.look_ahead import LookAhead

GENERATOR = "generator"
"""The role of a step's only model."""

MASK = "mask"
"""The role of a model that finds where an effect applies; no frames go through it."""

ImageKind = Literal["image", "label map"]

Variants = Mapping[str, Sequence[ModelSpec]]
"""Models by role; several of one role differ in scale, the smallest first."""


class Effect(Protocol):
    """Maps frames to frames, one for one, without state; time is kept. Called from several threads."""

    def apply(self, frame: Frame) -> Frame: ...


class Compositor(Protocol):
    """Combines the frame that came into a step with the one that its temporal filter returned, without state."""

    def compose(self, before: Frame, after: Frame) -> Frame: ...


class Overview(Protocol):
    """Keeps what a step finds in the frames that go through it, for a preview."""

    @property
    def summary(self) -> str:
        """A few words on what was found."""

    def draw(self) -> Pixels | None:
        """An image of it, RGB ``(H, W, 3)`` uint8; None where there was nothing."""


@dataclass(frozen=True, kw_only=True)
class ChainStep:
    """One step of a chain, ready to run.

    Attributes:
        effect: maps frames, several at a time; None where the temporal filter alone does the work.
        temporal_filter: goes through the mapped frames in order, with state that the journal saves.
        look_ahead: makes the filter see following frames.
        compositor: works on what the filter returns, in order.
        reuse: of so many distinct frames in a row, the effect is applied to one; the others are carried by the
            temporal filter, see :mod:`vidgan.temporal.reuse`. 1 where only duplicates are reused, 0 where every
            frame goes through the step.
        warnings: asked after the last frame for remarks for the user.
        vault: makes the vault that goes with the output, after the last frame; None for a step without one.
        begin_overview: for a preview of all frames; None where single frames show what the step does.
    """

    effect: Effect | None
    temporal_filter: TemporalFilter | None = None
    look_ahead: LookAhead | None = None
    compositor: Compositor | None = None
    reuse: int = 0
    warnings: Callable[[], Sequence[str]] = tuple
    vault: Callable[[], bytes] | None = None
    begin_overview: Callable[[], Overview] | None = None


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """Everything that a step is opened with.

    Attributes:
        input: where frames come from, for messages.
        specs: descriptions of the models, by role.
        models: the models, by role; outputs that come out broken are noticed and repeated.
        sessions: the same models without that check, for recurrent ones.
        input_info, output_info: of the frames that go in and come out.
        start: seconds of the input at which the frames begin.
        workspace: the folder of the unfinished output, for what has to be there when a job is resumed; None where
            none will be.
    """

    input: Path
    specs: Mapping[str, ModelSpec]
    models: Mapping[str, ImageModel]
    sessions: Mapping[str, Session]
    input_info: VideoInfo
    output_info: VideoInfo
    start: Fraction = Fraction(0)
    workspace: Path | None = None


@dataclass(frozen=True, kw_only=True)
class TaskSettings(OptionSettings):
    """The options of a task, apart from those of the job; subclasses add fields by :func:`option`.

    Raises:
        InputError: an option has the wrong type or is out of its range.
    """

    task: ClassVar[str]

    def with_(self, **changes: Any) -> Self:
        """A copy with some options changed."""
        return replace(self, **changes)


def model_option(noun: str, default: Any = MISSING, *, short: str = "-m") -> Any:
    """The option of a task's settings that names its model.

    Args:
        noun: of the model, in the help text.
        default: a bundled model's name; without it the option is required.
    """
    return option(
        default,
        short=short,
        metavar="NAME|FILE.onnx",
        help=f"{noun}: a name from 'vidgan models', or a model file.",
        doc="A bundled model's name, the path of an ``.onnx`` file, or a loaded session.",
    )


S = TypeVar("S", bound=TaskSettings)


class Task(ABC, Generic[S]):
    """A task of vidgan.

    Attributes:
        listed: its line in the list of tasks, with :attr:`name`, :attr:`verb` and :attr:`summary`.
        noun: of its models.
        model_field: the field of the settings that names the model; None for a task without a model.
        numbered_images: an output without a suffix is a folder of numbered images.
        subject_field: the field of the settings that names an image, which may be given as the command's input where
            ``--like`` names the video.
        conditions: names of the inputs that its models take besides images.
        trials: text forms of steps that ``vidgan models --try`` shows beside models.
        untried: why that command shows nothing of the task where it has nothing to try.
        settings_type: its options.
    """

    noun: ClassVar[str] = "model"
    model_field: ClassVar[str | None] = "model"
    numbered_images: ClassVar[bool] = False
    subject_field: ClassVar[str | None] = None
    conditions: ClassVar[frozenset[str]] = frozenset()
    trials: ClassVar[tuple[str, ...]] = ()
    untried: ClassVar[str] = "no model came with vidgan; 'vidgan models add FILE' adds those of others"
    settings_type: type[S]

    def __init__(self, listed: ListedTask) -> None:
        self.listed = listed
        self.name, self.verb, self.summary = listed.name, listed.verb, listed.summary

    @abstractmethod
    def open(self, settings: S, context: StepContext) -> ChainStep:
        """The step, ready to run.

        Raises:
            InputError, ModelError: the settings do not suit the input or the model.
        """

    # Models.

    def uses_model(self, settings: S) -> bool:
        """Whether :attr:`model_field` has a meaning with these settings."""
        return self.model_field is not None

    def find_models(self, settings: S, precision: Precision) -> Variants:
        """The models that a step needs, by role.

        Raises:
            ModelNotFoundError, ModelError: there is no such model, or it is for another task.
        """
        if self.model_field is None:
            return {}
        name = getattr(settings, self.model_field)
        return {GENERATOR: [find_model(name, precision=precision, task=self.name)]}

    def made_models(self) -> Sequence[MadeModel]:
        """Models beside those that are there, made at their first use; a damaged list of them is a ModelError."""
        return ()

    def select(self, variants: Variants, settings: S, input: Path, info: VideoInfo) -> dict[str, ModelSpec]:
        """One variant of each role for frames of that kind."""
        return {role: specs[0] for role, specs in variants.items()}

    def tensors(self, spec: ModelSpec) -> tuple[str, str]:
        """Shapes of the model's input and output, uint8, such as ``"(N, H, W, 3)"``."""
        return RGB, RGB

    def check_model(self, session: Session) -> None:
        """Refuses a model with other tensors than :meth:`tensors`, or without one of :attr:`conditions`.

        Raises:
            ModelError: it has others.
        """
        expected, found = self.tensors(session.spec), session.tensors
        if expected != found:
            raise ModelError(
                f"{session.spec.file.path}: a model for {self.name} takes {expected[0]} and returns {expected[1]}, "
                f"uint8; this one takes {found[0]} and returns {found[1]}"
            )
        if missing := self.conditions - session.conditions:
            raise ModelError(
                f"{session.spec.file.path}: a {self.noun} also takes {' and '.join(sorted(missing))}"
            )

    def label(self, settings: S) -> str:
        """A name for outputs that have none: the model's, or the verb of a task without a model.

        Raises:
            ModelError: the model's file cannot be read.
        """
        if self.model_field is None:
            return self.verb
        model = str(getattr(settings, self.model_field))
        # A file is called by the name in it: exports are all called int8.onnx.
        return find_model(model, precision="int8").name if model.lower().endswith(".onnx") else model

    def files(self, settings: S) -> list[Path]:
        """Files other than models whose contents decide the frames."""
        return []

    def arrangement(self, settings: S) -> Any:
        """Times and shares in the option of the model, as JSON; None for a plain name."""
        return None

    # Vaults.

    def makes_vault(self, settings: S) -> bool:
        """Whether what was hidden goes with the output, see :mod:`vidgan.tasks.faces.vault`."""
        return False

    def opens_vault(self, settings: S) -> bool:
        """Whether the vault of the input is used, and ends here."""
        return False

    # Frames.

    def resolve(self, settings: S, specs: Mapping[str, ModelSpec]) -> S:
        """The settings with the files that they name read, and the model's path in place of its name."""
        if self.model_field is None or not self.uses_model(settings):
            return settings
        return settings.with_(**{self.model_field: str(specs[GENERATOR].file.path.absolute())})

    def input_kind(self, specs: Mapping[str, ModelSpec]) -> ImageKind:
        return "image"

    def output_kind(self, specs: Mapping[str, ModelSpec]) -> ImageKind:
        return "image"

    def input_palette(self, settings: S, specs: Mapping[str, ModelSpec]) -> Palette | None:
        """The colors of the label maps that go in; None for images."""
        return None

    def output_palette(self, settings: S, specs: Mapping[str, ModelSpec]) -> Palette | None:
        """The colors of the label maps that come out; None for images."""
        return None

    def output_info(self, settings: S, input: Path, info: VideoInfo) -> VideoInfo:
        """The frames that come out of frames of that kind.

        Raises:
            InputError: the settings cannot be met.
        """
        return info

    def takes_yuv(self, models_take_yuv: bool, rgb_output: bool) -> bool:
        """Whether frames should come as luma and chroma.

        Args:
            models_take_yuv: all models have a yuv420 variant for the device.
            rgb_output: the output is an image or a video of RGB.
        """
        return models_take_yuv

    def is_temporal(self, settings: S, specs: Mapping[str, ModelSpec]) -> bool:
        """Whether a frame depends on the ones before it."""
        return False

    def runs_in_segments(self, settings: S) -> bool:
        """Whether segments may be processed apart, each after some frames before it, as a cluster does."""
        return True

    # Output.

    def shows_people(self, settings: S) -> bool:
        """Whether people are shown as nobody filmed them: credentials and mark cannot be left out then."""
        return False

    def hides_faces(self, settings: S) -> bool:
        """Whether faces are hidden: covers and attached images, which may show them, are left out then."""
        return False

    def needs_consent(self, settings: S) -> bool:
        """Whether the credentials have to say who agrees to what is shown."""
        return False

    def description(self, settings: S) -> str:
        """The sentence of the credentials on what was done, without a full stop."""
        return self.summary.rstrip(".")

    def default_encoder(self, suffix: str) -> EncoderChoice | None:
        """The encoder of a video with that suffix; None for the container's usual one."""
        return None

    def default_suffix(self) -> str | None:
        """The suffix of a video output without a name; None for the input's."""
        return None


RGB, LABELS, AB = "(N, H, W, 3)", "(N, H, W)", "(N, H, W, 2)"
"""Tensors: images, class indices or lightness, and chroma of CIE Lab."""


def run_image(model: ImageModel, image: Image) -> Image:
    """An image through a model that takes and returns images, as luma and chroma where it can."""
    if isinstance(image, YuvImage) and model.takes_yuv:
        return model.run_yuv(image)
    return RgbImage(model.run(image.pixels[np.newaxis])[0])
