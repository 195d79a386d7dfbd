"""Faces brought back by a passcode, out of the vault of a de-identified video.

With another passcode, or where a bit of the vault is not what it was, there is no error: the faces become those of
other people who do not exist. See :mod:`vidgan.tasks.faces.vault`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from vidgan.errors import InputError, ModelNotFoundError
from vidgan.media.frame import Frame
from vidgan.models.registry import ModelSpec, Precision, find_model
from vidgan.session import Session
from vidgan.sources.vault import find_vault
from vidgan.tasks.deidentify import DEFAULT_MODEL, generator_facts
from vidgan.tasks.deidentify import TASK as DEIDENTIFY
from vidgan.tasks.faces.deidentification import FaceSearch
from vidgan.tasks.faces.face_generator import FaceGenerator
from vidgan.tasks.faces.finder import FaceFinder
from vidgan.tasks.faces.identity import Identities
from vidgan.tasks.faces.vault.decoys import Decoys
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import Passcode, passcode_option
from vidgan.tasks.faces.vault.pasting import crop_mask, pasted, scale_between, scaled
from vidgan.tasks.listing import listed
from vidgan.tasks.options import option, path_option
from vidgan.tasks.task import GENERATOR, ChainStep, StepContext, Task, TaskSettings, Variants
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

_DEFAULT_RATE = 25.0
_FIND_SIZE = 640


@dataclass(frozen=True, kw_only=True)
class RevealSettings(TaskSettings):
    """Options of bringing faces back.

    Raises:
        InputError: an option has the wrong type, or the passcode is too short.
    """

    task: ClassVar[str] = "reveal"

    passcode: Passcode | None = passcode_option("Ask for the passcode; the default where no file has it.")
    vault: Path | None = path_option(
        "FILE",
        heading="Faces",
        shown_default="in the input or beside it",
        help="File with the vault: a .vault, or the video that still has it.",
    )
    generator: str | None = option(
        None,
        metavar="NAME|FILE.onnx",
        heading="Faces",
        shown_default=DEFAULT_MODEL,
        help="Generator of the faces that another passcode shows.",
    )


class RevealTask(Task[RevealSettings]):
    noun = "generator of other faces"
    model_field = None
    untried: ClassVar[str] = "needs a video with a vault and its passcode: docs/passcode.md"
    settings_type = RevealSettings

    # Models.

    def find_models(self, settings: RevealSettings, precision: Precision) -> Variants:
        name, task = settings.generator or DEFAULT_MODEL, DEIDENTIFY.name
        try:
            return {GENERATOR: [find_model(name, precision=precision, task=task)]}
        except ModelNotFoundError:
            if settings.generator is not None:
                raise
            return {}

    def check_model(self, session: Session) -> None:
        DEIDENTIFY.check_model(session)

    def shows_people(self, settings: RevealSettings) -> bool:
        return bool(self.find_models(settings, "float32"))

    def description(self, settings: RevealSettings) -> str:
        return "Faces restored with a passcode; with another one than theirs they are faces of nobody"

    def files(self, settings: RevealSettings) -> list[Path]:
        return [] if settings.vault is None else [settings.vault]

    # Vaults.

    def opens_vault(self, settings: RevealSettings) -> bool:
        return True

    # Frames.

    def takes_yuv(self, models_take_yuv: bool, rgb_output: bool) -> bool:
        return not rgb_output

    def is_temporal(self, settings: RevealSettings, specs: Mapping[str, ModelSpec]) -> bool:
        return True

    def runs_in_segments(self, settings: RevealSettings) -> bool:
        return False

    def open(self, settings: RevealSettings, context: StepContext) -> ChainStep:
        path = settings.vault or context.input
        data = path.read_bytes() if path.suffix == ".vault" and path.is_file() else find_vault(path)
        if data is None:
            raise InputError(
                f"{path}: has no vault, or has lost it, as a copy into another container does; the file that still "
                "has it can be named (`vault`)"
            )
        vault = OpenedVault(data, settings.passcode or Passcode.from_environment())
        rate = float(context.input_info.frame_rate or _DEFAULT_RATE)
        generator = _generator(context.sessions.get(GENERATOR), vault.identity_key, rate)
        return ChainStep(
            effect=None if generator is None else FaceSearch(FaceFinder(_FIND_SIZE)),
            temporal_filter=Revealing(
                vault, Decoys(vault.identity_key, generator), float(context.start), 1_000_000 / rate
            ),
        )


def _generator(session: Session | None, key: bytes, rate: float) -> FaceGenerator | None:
    if session is None:
        return None
    side, count, shape = generator_facts(session.spec)
    return FaceGenerator(session, side, Identities(key, count), rate, shape)


class Revealing:
    """A temporal filter that puts the faces of a vault into frames, or those of nobody.

    It decodes crops, or decoys of them, puts them in, and makes the faces of nobody in either case, so that both take
    the same time. Its state is that of the generator.

    Args:
        start: of the frames, in seconds of the video that the vault is of.
        frame_microseconds: how long a frame lasts, about.
    """

    def __init__(self, vault: OpenedVault, decoys: Decoys, start: float, frame_microseconds: float) -> None:
        self._vault, self._decoys = vault, decoys
        self._start, self._frame_microseconds = start, frame_microseconds

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        header = self._vault.header
        scale = scale_between((header.width, header.height), frame.size)
        time = round((frame.pts_seconds + self._start) * 1_000_000)
        faces = [
            (scaled(place, scale, frame.size), crop)
            for place, crop in self._vault.decoded_at(time, self._frame_microseconds)
        ]
        others, restored = self._decoys.drawn(frame, [place for place, _ in faces]), frame.image
        for place, crop in faces:
            if crop is not None:
                restored = pasted(restored, place, crop, crop_mask(place))
        image = restored if self._vault.opens else others
        return Frame(
            image=image, pts=frame.pts, time_base=frame.time_base, duration=frame.duration, alpha=frame.alpha
        )

    @property
    def state(self) -> State | None:
        return self._decoys.state

    @state.setter
    def state(self, state: State | None) -> None:
        self._decoys.state = state


TASK: Task[Any] = RevealTask(listed("reveal"))
