"""De-identification: faces are followed, and become faces of nobody, cells or a blur.

After Gafni, Wolf and Taigman 2019, "Live Face De-Identification in Video". A face that is followed is never shown:
where it cannot be replaced, it is pixelated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from vidgan.errors import InputError, ModelError
from vidgan.models.registry import ModelSpec, Precision
from vidgan.session import Session
from vidgan.session.loading import CODES, GUIDES
from vidgan.tasks.faces.deidentification import Deidentifier, FaceSearch, Region, Replacement
from vidgan.tasks.faces.face_generator import FaceGenerator
from vidgan.tasks.faces.finder import FaceFinder
from vidgan.tasks.faces.hiding import Way
from vidgan.tasks.faces.identity import SALT_VARIABLE, Identities, read_secret
from vidgan.tasks.faces.tracking import ComingFaces, Tracker
from vidgan.tasks.faces.vault.passcode import Passcode, passcode_option
from vidgan.tasks.faces.vault.recorder import VAULT_FILE, RecordingDeidentifier, VaultRecorder
from vidgan.tasks.listing import listed
from vidgan.tasks.options import number_option, option, path_option
from vidgan.tasks.task import (
    GENERATOR,
    ChainStep,
    StepContext,
    Task,
    TaskSettings,
    Variants,
    model_option,
)
from vidgan.temporal.look_ahead import LookAhead

DEFAULT_MODEL = "nobody"

_DEFAULT_RATE = 25.0
_MOST_CODES = 4096


def parse_region(text: str) -> Region:
    """A region from ``x,y,w,h``; colons do too, since commas separate the options of a step of a chain.

    Raises:
        ValueError: it is none.
    """
    parts = text.replace(":", ",").split(",")
    if len(parts) != 4 or not all(each.strip().isdecimal() for each in parts):
        raise ValueError(f"{text!r} is no region X,Y,WIDTH,HEIGHT in pixels")
    left, top, width, height = map(int, parts)
    if not width or not height:
        raise ValueError(f"{text!r} is an empty region")
    return left, top, width, height


def _regions(value: Any) -> tuple[Region, ...]:
    """Regions from texts or numbers; one may come without a list round it."""
    given = [value] if isinstance(value, str) else list(value)
    if given and all(isinstance(each, int) for each in given):
        given = [given]
    return tuple(parse_region(each if isinstance(each, str) else ",".join(map(str, each))) for each in given)


def _region_option(help: str) -> Any:
    return option(
        (),
        metavar="X,Y,WIDTH,HEIGHT",
        help=help,
        doc="Regions ``(x, y, width, height)`` in pixels.",
        parse=parse_region,
        repeatable=True,
        convert=_regions,
        to_json=lambda regions: [list(each) for each in regions],
        from_json=_regions,
        heading="Faces",
    )


@dataclass(frozen=True, kw_only=True)
class DeidentifySettings(TaskSettings):
    """Options of de-identification.

    Raises:
        InputError: also where faces are to be pixelated and blurred.
    """

    task: ClassVar[str] = "deidentify"

    model: str = model_option("Generator of faces", DEFAULT_MODEL)
    pixelate: bool = option(
        False, type=bool, heading="Faces", help="Pixelate faces in 8 cells, and load no generator."
    )
    blur: bool = option(False, type=bool, heading="Faces", help="Blur faces, and load no generator.")
    only_region: tuple[Region, ...] = _region_option(
        "Leave faces alone whose middle is in none of these regions; repeatable."
    )
    except_region: tuple[Region, ...] = _region_option(
        "Leave faces alone whose middle is in one of these regions; repeatable."
    )
    find_size: int = number_option(
        1280,
        160,
        2560,
        metavar="PIXELS",
        heading="Faces",
        help="Longest side of the frames in which faces are searched; faces below 24 pixels there may be missed.",
    )
    salt: Path | None = path_option(
        "FILE",
        heading="Faces",
        shown_default="drawn for each run",
        help=f"Secret of 16 bytes or more that decides who faces become; {SALT_VARIABLE} in the environment does too.",
    )
    passcode: Passcode | None = passcode_option(
        "Store the faces with the output, encrypted; 'vidgan reveal' brings them back. Asks for the passcode."
    )
    look_ahead: int = number_option(
        25,
        0,
        60,
        metavar="FRAMES",
        heading="Temporal",
        help="Bridge gaps of up to FRAMES frames between two places where a face is found.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pixelate and self.blur:
            raise InputError("pixelate and blur are two ways; give one of them")

    @property
    def replaces(self) -> bool:
        """Whether a generator makes faces."""
        return not (self.pixelate or self.blur)

    @property
    def way(self) -> Way:
        return "blur" if self.blur else "pixelate"


class DeidentifyTask(Task[DeidentifySettings]):
    noun = "generator of faces"
    conditions = frozenset({GUIDES, CODES})
    trials: ClassVar[tuple[str, ...]] = ("deidentify:pixelate", "deidentify:blur")
    settings_type = DeidentifySettings

    # Models.

    def uses_model(self, settings: DeidentifySettings) -> bool:
        return settings.replaces

    def find_models(self, settings: DeidentifySettings, precision: Precision) -> Variants:
        return super().find_models(settings, precision) if settings.replaces else {}

    def check_model(self, session: Session) -> None:
        super().check_model(session)
        generator_facts(session.spec)

    def shows_people(self, settings: DeidentifySettings) -> bool:
        return settings.replaces

    def hides_faces(self, settings: DeidentifySettings) -> bool:
        return True

    def description(self, settings: DeidentifySettings) -> str:
        if settings.replaces:
            return "Faces replaced by faces of nobody"
        return "Faces blurred" if settings.blur else "Faces pixelated"

    def makes_vault(self, settings: DeidentifySettings) -> bool:
        return settings.passcode is not None

    # Frames.

    def takes_yuv(self, models_take_yuv: bool, rgb_output: bool) -> bool:
        return not rgb_output

    def is_temporal(self, settings: DeidentifySettings, specs: Mapping[str, ModelSpec]) -> bool:
        return True

    def runs_in_segments(self, settings: DeidentifySettings) -> bool:
        # Who a face becomes depends on the number of its track.
        return not settings.replaces and settings.passcode is None

    def open(self, settings: DeidentifySettings, context: StepContext) -> ChainStep:
        rate = float(context.input_info.frame_rate or _DEFAULT_RATE)
        replacement = None
        if settings.replaces:
            replacement = open_replacement(context.sessions[GENERATOR], settings.salt, rate)
        ahead = settings.look_ahead
        deidentifier = Deidentifier(Tracker(rate, looks_ahead=ahead > 0), settings.way, replacement)
        step = ChainStep(
            effect=FaceSearch(FaceFinder(settings.find_size), settings.only_region, settings.except_region),
            temporal_filter=deidentifier,
            look_ahead=LookAhead(ahead, ComingFaces) if ahead else None,
            warnings=deidentifier.warnings,
            begin_overview=deidentifier.begin_sheet,
        )
        if settings.passcode is None:
            return step
        way = "generator" if settings.replaces else settings.way
        path = None if context.workspace is None else context.workspace / VAULT_FILE
        recorder = VaultRecorder(settings.passcode, way, path)
        recording = RecordingDeidentifier(deidentifier, recorder)
        return replace(step, temporal_filter=recording, vault=recorder.finish)


def open_replacement(session: Session, salt: Path | None, rate: float) -> Replacement:
    """Opens a generator of faces of nobody.

    Raises:
        ModelError: its file does not say enough.
        InputError: see :func:`vidgan.tasks.faces.identity.read_secret`.
    """
    side, count, shape = generator_facts(session.spec)

    def generator(secret: bytes) -> FaceGenerator:
        return FaceGenerator(session, side, Identities(secret, count), rate, shape)

    return Replacement(generator, read_secret(salt))


def generator_facts(spec: ModelSpec) -> tuple[int, int, float]:
    """Side of its images, numbers of a code, and strength of the change of geometry."""
    count, shape = spec.facts.get("codes"), spec.facts.get("shape")
    right = isinstance(count, int) and 20 <= count <= _MOST_CODES and isinstance(shape, int | float)
    if not right or spec.side is None:
        raise ModelError(f"{spec.file.path}: does not say of what side, codes and shape its faces are")
    return spec.side, int(count), float(shape)  # type: ignore[arg-type, call-overload]


TASK = DeidentifyTask(listed("deidentify"))
