"""Image-to-image translation: label maps or images become images by a conditional generator.

Isola et al. 2017 (pix2pix), Zhu et al. 2017 (CycleGAN), Wang et al. 2018 (vid2vid, which is recurrent).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from vidgan.errors import InputError
from vidgan.media.frame import Frame
from vidgan.media.label_map import Labels, Palette, read_palette
from vidgan.models.registry import ModelSpec
from vidgan.session.output_check import ImageModel
from vidgan.tasks.listing import listed
from vidgan.tasks.options import Flag, option
from vidgan.tasks.smoothing import SmoothedSettings, SmoothedTask
from vidgan.tasks.task import (
    GENERATOR,
    LABELS,
    RGB,
    ChainStep,
    ImageKind,
    StepContext,
    model_option,
    run_image,
)
from vidgan.temporal import Smooth
from vidgan.temporal.recurrent import RecurrentFilter

_MAX_OUT_OF_PALETTE = 0.15
"""Fraction of pixels of other colors from which an image is no label map. Compressed label maps have some
hundredths, along their edges, and a tenth if they are small and compressed hard; photos have most, and hardly
ever less than a fifth."""


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ValueError(f"{text!r} is not THEIRS=OURS")
    return key, value


def _palette_to_json(palette: Palette | Path) -> Any:
    if isinstance(palette, Palette):
        return {"colors": palette.colors, "classes": palette.classes}
    return str(palette)


def _palette_from_json(entry: Any) -> Palette | Path:
    if isinstance(entry, str):
        return Path(entry)
    colors = tuple((int(r), int(g), int(b)) for r, g, b in entry["colors"])
    return Palette(colors, tuple(int(each) for each in entry["classes"]))


def _palette_of(value: Any) -> Palette | Path:
    if isinstance(value, Palette):
        return value
    if isinstance(value, str | Path):
        return Path(value)
    raise TypeError(f"must be a Palette or the path of one, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class TranslateSettings(SmoothedSettings):
    """Options of image-to-image translation."""

    task: ClassVar[str] = "translate"

    model: str = model_option("Translator")
    palette: Palette | Path | None = option(
        None,
        type=Path,
        help="Colors of the input's label maps: a file with a line 'name red green blue' for each.",
        doc="Colors of the label maps, or a file of them, see :func:`vidgan.read_palette`; None for the model's own.",
        convert=_palette_of,
        to_json=_palette_to_json,
        from_json=_palette_from_json,
    )
    like: Mapping[str, str] = option(
        factory=dict,
        flags=[
            Flag(
                name="like",
                parse=_pair,
                repeatable=True,
                metavar="THEIRS=OURS",
                help="Class of the model for a name in --palette; repeatable.",
            )
        ],
        gather=lambda given: dict(given["like"]),
        convert=dict,
        doc="Class of the model by names in the palette file.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.like and not isinstance(self.palette, Path):
            raise InputError("`like` maps names of a palette file; give `palette` too")


class TranslateTask(SmoothedTask[TranslateSettings]):
    noun = "translator"
    settings_type = TranslateSettings

    def tensors(self, spec: ModelSpec) -> tuple[str, str]:
        return (LABELS if spec.classes else RGB), RGB

    def resolve(self, settings: TranslateSettings, specs: Mapping[str, ModelSpec]) -> TranslateSettings:
        settings = super().resolve(settings, specs)
        if not isinstance(settings.palette, Path):
            return settings
        palette = read_palette(settings.palette, specs[GENERATOR].classes, settings.like)
        return settings.with_(palette=palette, like={})

    def input_kind(self, specs: Mapping[str, ModelSpec]) -> ImageKind:
        return "label map" if specs[GENERATOR].classes else "image"

    def input_palette(self, settings: TranslateSettings, specs: Mapping[str, ModelSpec]) -> Palette | None:
        classes = specs[GENERATOR].classes
        if not classes:
            return None
        return settings.palette if isinstance(settings.palette, Palette) else Palette.of(classes)

    def open(self, settings: TranslateSettings, context: StepContext) -> ChainStep:
        spec, model = context.specs[GENERATOR], context.models[GENERATOR]
        palette = self.input_palette(settings, context.specs)
        prepare = _pixels if palette is None else LabelReader(palette, spec.name, context.input).labels
        if spec.state_channels:
            if (settings.smooth or "off") != "off":
                raise InputError(
                    f"{spec.name} is recurrent, so its output is steady by itself; leave `smooth` off"
                )
            recurrent = RecurrentFilter(context.sessions[GENERATOR], prepare)
            return ChainStep(effect=None, temporal_filter=recurrent)
        smooth = self.smoothing(settings, context.specs)
        if palette is None:
            return ChainStep(effect=ImageEffect(model), **smooth)
        # Colors of two classes may be as close as noise.
        return ChainStep(effect=LabelEffect(model, prepare), **{**smooth, "reuse": 0})

    def is_temporal(self, settings: TranslateSettings, specs: Mapping[str, ModelSpec]) -> bool:
        return bool(specs[GENERATOR].state_channels) or super().is_temporal(settings, specs)

    def usual_filter(self, specs: Mapping[str, ModelSpec]) -> Smooth:
        spec = specs[GENERATOR]
        # Between two classes there is no motion to follow, and a recurrent model steadies its output itself.
        return "off" if spec.classes or spec.state_channels else "flow"


class ImageEffect:
    """Translates images to images.

    Args:
        model: takes and returns RGB, or luma and chroma.
    """

    def __init__(self, model: ImageModel) -> None:
        self._model = model

    def apply(self, frame: Frame) -> Frame:
        return frame.with_image(run_image(self._model, frame.image))


class LabelEffect:
    """Translates label maps to images.

    Args:
        model: takes class indices, ``(1, H, W)`` uint8, and returns RGB.
        labels: makes class indices, ``(H, W)`` uint8, from a frame.
    """

    def __init__(self, model: ImageModel, labels: Callable[[Frame], Labels]) -> None:
        self._model = model
        self._labels = labels

    def apply(self, frame: Frame) -> Frame:
        return frame.with_pixels(self._model.run(self._labels(frame)[np.newaxis])[0])


class LabelReader:
    """Reads class indices from frames that show label maps in colors.

    Args:
        palette: the class of each color.
        model, input: name of the model and path of the input, for messages.
    """

    def __init__(self, palette: Palette, model: str, input: Path) -> None:
        self._palette = palette
        self._model = model
        self._input = input

    def labels(self, frame: Frame) -> Labels:
        """Class indices, ``(H, W)`` uint8.

        Raises:
            InputError: the frame does not look like a label map.
        """
        outside = self._palette.out_of_palette_fraction(frame.pixels)
        if outside > _MAX_OUT_OF_PALETTE:
            raise InputError(
                f"{self._input}: the frame at {frame.pts_seconds:.3f} s is no label map for {self._model}, "
                f"{outside:.0%} of it has none of its colors; give your colors with `palette`, or make label maps "
                "of photos with `vidgan.segment`"
            )
        return self._palette.labels(frame.pixels)


def _pixels(frame: Frame) -> Labels:
    return frame.pixels


TASK = TranslateTask(listed("translate"))
