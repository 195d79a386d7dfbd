"""Pose transfer: the person of an image moves as the person of a video.

After Liu et al. 2019, "Liquid Warping GAN", by parts of the body instead of SMPL. The input is the video that says
how the person moves; sound and times are its own. Frames are as large as the image.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from vidgan.errors import InputError, ModelError
from vidgan.media.frame import VideoInfo
from vidgan.media.image import Pixels
from vidgan.models.registry import ModelSpec
from vidgan.session import Session
from vidgan.session.loading import AFFINES, GUIDES
from vidgan.sources import is_image, open_source
from vidgan.tasks.listing import listed
from vidgan.tasks.options import Flag, list_option, option, path_option
from vidgan.tasks.people.animator import Animator
from vidgan.tasks.people.clothes import dressed
from vidgan.tasks.people.generator import PoseGenerator
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.people.pose_search import PoseSearch
from vidgan.tasks.people.source_person import SourcePerson, read_person
from vidgan.tasks.task import (
    GENERATOR,
    RGB,
    ChainStep,
    StepContext,
    Task,
    TaskSettings,
    model_option,
)

DEFAULT_MODEL = "person"
RGBA = "(N, H, W, 4)"
_DEFAULT_RATE = 25.0
_LARGEST = 4096
_MULTIPLE = 16


def _paths(given: str | Path | Iterable[str | Path]) -> tuple[Path, ...]:
    return (Path(given),) if isinstance(given, str | Path) else tuple(map(Path, given))


@dataclass(frozen=True, kw_only=True)
class AnimateSettings(TaskSettings):
    """Options of pose transfer."""

    task: ClassVar[str] = "animate"

    model: str = model_option("Generator of people", DEFAULT_MODEL)
    person: Path | None = path_option(
        "IMAGE", heading="Input", help="Image of the person who is to move, whole and alone."
    )
    views: tuple[Path, ...] = list_option(
        Flag(
            name="view",
            type=Path,
            metavar="IMAGE",
            heading="Input",
            help="Another image of the same person, such as from behind; repeatable. Each pose is made of the one "
            "that faces as it does.",
        ),
        _paths,
        str,
        doc="Other images of the same person, such as from behind.",
    )
    clothes: Path | None = path_option(
        "IMAGE",
        heading="Input",
        shown_default="the person's own",
        help="Image of somebody else, whole and alone, whose clothes the person wears.",
    )
    background: Path | None = path_option(
        "IMAGE",
        heading="Input",
        shown_default="the image's own, without the person",
        help="Image that stands behind the person.",
    )
    yaw: float = option(
        0.0,
        type=float,
        metavar="DEGREES",
        minimum=-180,
        maximum=180,
        heading="Output",
        help="Angle by which the person is turned to its own left, seen from above. Beyond 45 degrees from an image of "
        "the person, most of it is invented.",
    )
    keep_face: bool = option(
        False,
        type=bool,
        heading="Output",
        help="Keep the face of the image as it is, wherever it is seen from the front.",
    )
    badge: str = option(
        "on",
        choices=("off", "on"),
        heading="Output",
        help='Badge "AI" in the upper right corner; the mark in the pixels and the credentials stay without it.',
    )


class AnimateTask(Task[AnimateSettings]):
    noun = "generator of people"
    subject_field: ClassVar[str | None] = "person"
    conditions = frozenset({GUIDES, AFFINES})
    untried: ClassVar[str] = "its models need a video to follow: docs/animation.md"
    settings_type = AnimateSettings

    # Models.

    def tensors(self, spec: ModelSpec) -> tuple[str, str]:
        return RGB, RGBA

    def check_model(self, session: Session) -> None:
        super().check_model(session)
        _side_of(session.spec)

    def shows_people(self, settings: AnimateSettings) -> bool:
        return True

    def needs_consent(self, settings: AnimateSettings) -> bool:
        return True

    def description(self, settings: AnimateSettings) -> str:
        return "The person of an image moved as the person of the video"

    def files(self, settings: AnimateSettings) -> list[Path]:
        if settings.person is None:
            raise InputError("person is missing: give an image of the person who is to move")
        others = [each for each in (settings.clothes, settings.background) if each is not None]
        return [settings.person, *settings.views, *others]

    # Frames.

    def resolve(self, settings: AnimateSettings, specs: Mapping[str, ModelSpec]) -> AnimateSettings:
        settings = super().resolve(settings, specs)
        for name in ("person", "clothes", "background"):
            path = getattr(settings, name)
            if path is not None:
                settings = settings.with_(**{name: path.absolute()})
        settings = settings.with_(views=tuple(each.absolute() for each in settings.views))
        return settings

    def output_info(self, settings: AnimateSettings, input: Path, info: VideoInfo) -> VideoInfo:
        if settings.person is None:
            return info
        height, width = _image(settings.person).shape[:2]
        if max(height, width) > _LARGEST:
            raise InputError(
                f"{settings.person}: {width}x{height} is too large; sides of up to {_LARGEST} are taken"
            )
        return replace(info, width=width, height=height, alpha=False)

    def takes_yuv(self, models_take_yuv: bool, rgb_output: bool) -> bool:
        return False

    def is_temporal(self, settings: AnimateSettings, specs: Mapping[str, ModelSpec]) -> bool:
        return True

    def runs_in_segments(self, settings: AnimateSettings) -> bool:
        # How long the driver's bones are is learned from all frames before.
        return False

    def open(self, settings: AnimateSettings, context: StepContext) -> ChainStep:
        session = context.sessions[GENERATOR]
        side = _side_of(session.spec)

        def opened() -> tuple[PoseGenerator, SourcePerson]:
            assert settings.person is not None
            people = [read_person(each) for each in (settings.person, *settings.views)]
            if settings.clothes is not None:
                other = read_person(settings.clothes)
                people = [dressed(session, side, each, other) for each in people]
            path = settings.background
            background = None if path is None else _fitted(path, people[0].pixels)
            generator = PoseGenerator(session, people, side, background, keep_face=settings.keep_face)
            return generator, people[0]

        rate = float(context.input_info.frame_rate or _DEFAULT_RATE)
        animator = Animator(
            opened, rate, badge=settings.badge == "on", yaw=settings.yaw, name=str(context.input)
        )
        return ChainStep(
            effect=PoseSearch(PoseFinder()),
            temporal_filter=animator,
            warnings=animator.warnings,
            begin_overview=animator.begin_sheet,
        )


def _side_of(spec: ModelSpec) -> int:
    """Side of the model's images."""
    if spec.side is None or spec.side % _MULTIPLE:
        raise ModelError(
            f"{spec.file.path}: does not say of what side its images are, a multiple of {_MULTIPLE}"
        )
    return spec.side


def _image(path: Path) -> Pixels:
    if not is_image(path):
        raise InputError(f"{path}: no image")
    with open_source(path) as source:
        return next(iter(source)).pixels


def _fitted(path: Path, like: Pixels) -> Pixels:
    """A background as large as the person's image, cropped in the middle."""
    pixels, (height, width) = _image(path), like.shape[:2]
    scale = max(height / pixels.shape[0], width / pixels.shape[1])
    size = (max(width, round(pixels.shape[1] * scale)), max(height, round(pixels.shape[0] * scale)))
    large = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width], np.uint8)


TASK = AnimateTask(listed("animate"))
