"""The task: its options, the models that they name, and what becomes of frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from vidgan.errors import InputError, ModelError
from vidgan.media.frame import VideoInfo
from vidgan.models.registry import ModelSpec, Precision, find_model
from vidgan.models.universal.named_styles import card_of_named, named_styles
from vidgan.tasks.listing import listed
from vidgan.tasks.made_model import MadeModel
from vidgan.tasks.options import number_option, option, path_option
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.smoothing import SmoothedSettings, SmoothedTask
from vidgan.tasks.style.effect import InputOutside, MaskedEffect, MixedEffect, StyleEffect
from vidgan.tasks.style.found_mask import (
    class_in,
    class_index,
    is_found,
    open_found_mask,
    person_in,
    pixels_of,
)
from vidgan.tasks.style.gliding import GlidingFilter, Weights
from vidgan.tasks.style.images import has_vector, is_image, is_made, style_of
from vidgan.tasks.style.mask import Mask, Read, open_mask
from vidgan.tasks.style.names import Key, label_of, parse_style, style_text
from vidgan.tasks.task import (
    GENERATOR,
    LABELS,
    MASK,
    RGB,
    ChainStep,
    Effect,
    StepContext,
    Variants,
)
from vidgan.temporal.filter import TemporalFilter
from vidgan.temporal.look_ahead import LookAhead

OUTSIDE = "outside"
"""The role of the style outside a mask."""

NO_STYLE = "none"
_SEGMENTER = "camvid-segment"
_RATE = 25
_LARGEST_OF_IMAGE = 2.0


@dataclass(frozen=True, kw_only=True)
class StyleSettings(SmoothedSettings):
    """Options of style transfer."""

    task: ClassVar[str] = "style"

    style: str = option(
        short="-s",
        metavar="STYLE",
        help="Style: a name from 'vidgan models', an image of a painting, or a model file; a blend of them, "
        "a.jpg:0.6,b.jpg:0.4; or one after the other, 0s:starry,10s:wave.",
        doc='A style: a name, the path of an image or of an ``.onnx`` file, a blend ``"a.jpg:0.6,b.jpg:0.4"``, '
        'or several by seconds of the input ``"0s:starry,10s:wave"``; or a loaded session.',
    )
    strength: float = number_option(1.0, 0, 1, help="Share of the painting in the output, 0 to 1.")
    preserve_color: bool = option(
        False, type=bool, help="Keep the input's colors; take only luma from the style."
    )
    stroke: float = number_option(
        1.0,
        0.25,
        3,
        help="Width of the strokes, as a factor: 1 to 3, and from 0.25 for a style that is an image.",
    )
    glide: float = number_option(
        2.0, 0, 3600, metavar="SECONDS",
        help="Time in which a style follows the one before it, where --style has times.",
    )  # fmt: skip
    mask: Path | None = path_option(
        "IMAGE|VIDEO|person|class:NAME",
        help="Mask: the style applies where it is white. An image, a video, or a folder of images; person for the "
        "person in the input, class:NAME for the pixels of a class of --mask-model.",
    )
    mask_model: str = option(
        _SEGMENTER,
        metavar="NAME|FILE.onnx",
        help="Segmentation model of --mask class:NAME; 'vidgan models NAME' has its classes.",
    )
    style_outside: str = option(
        NO_STYLE, metavar="STYLE|none", help="Style outside the mask; none leaves the input there."
    )
    mask_feather: float = number_option(
        2.0, 0, 50, metavar="PERCENT", help="Width of the mask's soft edge, in percent of the frame's height."
    )
    mask_invert: bool = option(False, type=bool, help="Apply the style where the mask is black.")


@dataclass(frozen=True)
class _Layout:
    """The models of a text of styles, without doubles, and what is shown of each when.

    Attributes:
        keys: the styles by time, model files in place of names and images.
        specs: of all the models, by their paths.
    """

    keys: tuple[Key, ...]
    specs: dict[str, ModelSpec]


class StyleTask(SmoothedTask[StyleSettings]):
    noun = "style"
    model_field = "style"
    default_filter = "flow"
    settings_type = StyleSettings

    def find_models(self, settings: StyleSettings, precision: Precision) -> Variants:
        self._check(settings)
        stroke = _stroke_of_image(settings)
        layout = _lay_out(settings.style, stroke, precision)
        found = {_role(number): [spec] for number, spec in enumerate(layout.specs.values())}
        if settings.style_outside != NO_STYLE:
            found[OUTSIDE] = [_single(settings.style_outside, stroke, precision)]
        if (name := class_in(settings.mask)) is not None:
            spec = find_model(settings.mask_model, precision=precision, task="segment")
            class_index(name, spec)
            found[MASK] = [spec]
        return found

    def tensors(self, spec: ModelSpec) -> tuple[str, str]:
        return RGB, LABELS if spec.task == "segment" else RGB

    def made_models(self) -> list[MadeModel]:
        return [
            MadeModel(name=name, title=style.line, card=card_of_named(style), facts=asdict(style))
            for name, style in named_styles().items()
        ]

    def label(self, settings: StyleSettings) -> str:
        is_file = settings.style.lower().endswith(".onnx") and self.arrangement(settings) is None
        return super().label(settings) if is_file else label_of(settings.style)

    def files(self, settings: StyleSettings) -> list[Path]:
        return [] if settings.mask is None or is_found(settings.mask) else [settings.mask]

    def arrangement(self, settings: StyleSettings) -> Any:
        keys = parse_style(settings.style)
        plain = len(keys) == 1 and len(keys[0].parts) == 1
        return None if plain else [[key.seconds, [share for _, share in key.parts]] for key in keys]

    def resolve(self, settings: StyleSettings, specs: Mapping[str, ModelSpec]) -> StyleSettings:
        stroke = _stroke_of_image(settings)
        changes: dict[str, Any] = {"stroke": settings.stroke / stroke}
        if len(specs.keys() - {OUTSIDE, MASK}) == 1 and len(parse_style(settings.style)) == 1:
            changes["style"] = _path_of(specs[GENERATOR])
        else:
            layout = _lay_out(settings.style, stroke, specs[GENERATOR].precision)
            changes["style"] = style_text(layout.keys)
        if OUTSIDE in specs:
            changes["style_outside"] = _path_of(specs[OUTSIDE])
        if settings.mask is not None and not is_found(settings.mask):
            changes["mask"] = settings.mask.absolute()
        if MASK in specs:
            changes["mask_model"] = _path_of(specs[MASK])
        return settings.with_(**changes)

    def open(self, settings: StyleSettings, context: StepContext) -> ChainStep:
        effect: Effect = self._styled(settings, context)
        smooth = self.smoothing(settings, context.specs)
        masked_effect = settings.mask is not None and OUTSIDE in context.models
        if masked_effect or len(parse_style(settings.style)) > 1:
            # The same frame looks different at another time, the same object on the other side of the mask's edge.
            smooth["reuse"] = 0
        if isinstance(effect, MixedEffect):
            _follow_weights(smooth, effect.weights, context.input_info)
        if settings.mask is None:
            return ChainStep(effect=effect, **smooth)
        mask = self._mask(settings, settings.mask, context)
        if not masked_effect:
            return ChainStep(
                effect=effect, compositor=InputOutside(mask), warnings=lambda: mask.warnings, **smooth
            )
        outside = self._effect(settings, context, OUTSIDE)
        return ChainStep(effect=MaskedEffect(effect, outside, mask), warnings=lambda: mask.warnings, **smooth)

    def _styled(self, settings: StyleSettings, context: StepContext) -> Effect:
        roles = {_path_of(spec): role for role, spec in context.specs.items() if role not in (OUTSIDE, MASK)}
        if len(roles) == 1:
            return self._effect(settings, context, GENERATOR)
        effects = [self._effect(settings, context, role) for role in roles.values()]
        shares = [
            (key.seconds - float(context.start), [dict(key.parts).get(path, 0.0) for path in roles])
            for key in parse_style(settings.style)
        ]
        return MixedEffect(effects, weights_over_time(shares, settings.glide))

    @staticmethod
    def _effect(settings: StyleSettings, context: StepContext, role: str) -> StyleEffect:
        return StyleEffect(
            context.models[role],
            strength=settings.strength,
            preserve_color=settings.preserve_color,
            stroke=settings.stroke / _stroke_of_image(settings),
        )

    @staticmethod
    def _mask(settings: StyleSettings, path: Path, context: StepContext) -> Mask:
        info: VideoInfo = context.input_info
        edges: dict[str, Any] = {"feather": settings.mask_feather, "invert": settings.mask_invert}
        if not is_found(path):
            return open_mask(path, info, start=context.start, **edges)
        name = class_in(path)
        if name is None:
            read: Read = person_in(PoseFinder())
        else:
            spec = context.specs[MASK]
            read = pixels_of(class_index(name, spec), context.models[MASK], spec)
        return open_found_mask(read, context.input, info, start=context.start, what=name or "person", **edges)

    @staticmethod
    def _check(settings: StyleSettings) -> None:
        """Refuses options that go with others which are missing."""
        if settings.mask is None and settings.style_outside != NO_STYLE:
            raise InputError("`style_outside` needs a mask; `mask` gives one")
        if settings.mask_model != _SEGMENTER and class_in(settings.mask) is None:
            raise InputError("`mask_model` is for `mask='class:NAME'`")
        if settings.stroke < 1 and not _are_images(settings):
            raise InputError(f"`stroke`: below 1 is for an image as style, and {settings.style} is none")


def _are_images(settings: StyleSettings) -> bool:
    """Whether all styles are images, so that the size at which they are shown to the predictor is free."""
    texts = [settings.style, *([] if settings.style_outside == NO_STYLE else [settings.style_outside])]
    return all(is_image(style) for text in texts for key in parse_style(text) for style, _ in key.parts)


def _stroke_of_image(settings: StyleSettings) -> float:
    """The part of the strokes' width that images bring as styles; frames are processed smaller for the rest."""
    return min(settings.stroke, _LARGEST_OF_IMAGE) if _are_images(settings) else 1.0


def weights_over_time(
    keys: Sequence[tuple[float, Sequence[float]]], glide: float
) -> Callable[[float], list[float]]:
    """Weights by time: those of a key from its time on, after a glide from those before.

    Args:
        keys: times in seconds, rising, and weights. The first ones hold before their time too.
        glide: seconds; less where the next key comes earlier.
    """
    ends = [*(seconds for seconds, _ in keys[1:]), float("inf")]

    def at(seconds: float) -> list[float]:
        number = max((index for index, (start, _) in enumerate(keys) if start <= seconds), default=0)
        start, weights = keys[number]
        length = min(glide, ends[number] - start)
        if number == 0 or seconds >= start + length:
            return list(weights)
        share = (seconds - start) / length
        return [share * b + (1 - share) * a for a, b in zip(keys[number - 1][1], weights, strict=True)]

    return at


def _follow_weights(smooth: dict[str, Any], weights: Weights, info: VideoInfo) -> None:
    """Makes filters, as a smoothed task opens them, keep up with weights that change; in place."""
    step = 1 / float(info.frame_rate or _RATE)

    def following(inner: TemporalFilter) -> TemporalFilter:
        return GlidingFilter(inner, weights, step)

    if smooth["temporal_filter"] is not None:
        smooth["temporal_filter"] = following(smooth["temporal_filter"])
    ahead: LookAhead | None = smooth["look_ahead"]
    if ahead is not None:
        smooth["look_ahead"] = replace(ahead, open_filter=lambda: following(ahead.open_filter()))


def _lay_out(text: str, stroke: float, precision: Precision) -> _Layout:
    """Finds the models of a text; a blend of styles with vectors is one model.

    Raises:
        InputError, ModelNotFoundError, ModelError, OutputError: a style cannot be found or made.
    """
    specs: dict[str, ModelSpec] = {}

    def found(spec: ModelSpec) -> str:
        path = _path_of(spec)
        if path in specs:
            spec = replace(spec, warnings=tuple(dict.fromkeys((*specs[path].warnings, *spec.warnings))))
        specs[path] = spec
        return path

    keys = []
    for key in parse_style(text):
        styles = [style for style, _ in key.parts]
        if all(map(is_made, styles)) or (len(styles) > 1 and all(map(has_vector, styles))):
            made = style_of(key.parts, stroke=stroke).spec(precision)
            parts: tuple[tuple[str, float], ...] = ((found(made), 1.0),)
        else:
            parts = _summed([(found(_spec(each, stroke, precision)), share) for each, share in key.parts])
            if len(parts) > 1:
                found(_mixed(specs[parts[0][0]], styles))
        keys.append(replace(key, parts=parts))
    return _Layout(tuple(keys), specs)


def _mixed(spec: ModelSpec, styles: Sequence[str]) -> ModelSpec:
    own = [each for each in styles if not has_vector(each)]
    words = (
        f"{' and '.join(own)}: without a style vector, so the outputs of the styles are mixed; "
        f"each frame is processed {len(styles)} times"
    )
    return replace(spec, warnings=(words,))


def _spec(style: str, stroke: float, precision: Precision) -> ModelSpec:
    if is_made(style):
        return style_of([(style, 1.0)], stroke=stroke).spec(precision)
    return find_model(style, precision=precision, task="style", others=list(named_styles()))


def _single(text: str, stroke: float, precision: Precision) -> ModelSpec:
    specs = list(_lay_out(text, stroke, precision).specs.values())
    if len(specs) > 1:
        raise ModelError(f"{text}: outside the mask one style applies, or a blend of images")
    return specs[0]


def _summed(parts: Sequence[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    total: dict[str, float] = {}
    for path, share in parts:
        total[path] = total.get(path, 0.0) + share
    return tuple(total.items())


def _path_of(spec: ModelSpec) -> str:
    return str(spec.file.path.absolute())


def _role(number: int) -> str:
    return GENERATOR if number == 0 else f"{GENERATOR}-{number + 1}"


TASK = StyleTask(listed("style"))
