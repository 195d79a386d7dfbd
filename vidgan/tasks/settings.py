"""What decides how frames are painted, apart from the model."""

import re
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Self

from vidgan.errors import InputError
from vidgan.media.encoder import EncoderChoice
from vidgan.media.ffmpeg import BT601, BT709, matrix_of
from vidgan.media.frame import VideoInfo
from vidgan.media.geometry import target_size
from vidgan.media.label_map import Palette
from vidgan.media.stream_modes import StreamMode, StreamModes
from vidgan.media.trim import WHOLE, Trim
from vidgan.models.registry import ModelSpec, Task
from vidgan.sources import is_picture
from vidgan.sources.limits import check_enlarged_size
from vidgan.temporal import Smooth

SCALES = 2, 4
DEFAULT_SCALE = 2
MOST = max(SCALES)
"""Times that a height can become as much."""

MOST_STRENGTH = 2
"""Times as saturated as a model says."""

_HOLD_RGB = ".mkv", ".mp4", ".mov", ".m4v"
"""What films of exact colours can be kept in, by x264."""

_FRACTION = re.compile(r"\d+(/[1-9]\d*)?")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Arguments that :func:`vidgan.jobs.job.stylize` and :func:`vidgan.jobs.job.upscale` share; see there.

    Raises:
        InputError: one is out of its range.
    """

    task: ClassVar[Task]
    size: str | None = None
    trim: Trim = WHOLE
    rate: Fraction | None = None
    hwaccel: str = "off"
    smooth: Smooth | None = None
    smooth_strength: float = 1.0
    look_ahead: int = 0
    encoder: str | None = None
    encoder_options: dict[str, str] = field(default_factory=dict)
    audio: StreamMode = "copy"
    subtitles: StreamMode = "copy"

    @property
    def streams(self) -> StreamModes:
        """What becomes of sound and subtitles."""
        return StreamModes(audio=self.audio, subtitles=self.subtitles)

    def smoothing(self, spec: ModelSpec) -> Smooth:
        """What steadies frames that the model made: what was asked for, or what suits them."""
        return self.smooth or "flow"

    def encoder_for(self, output: Path) -> EncoderChoice:
        """What encodes ``output``, where that is a film."""
        return EncoderChoice(self.encoder, dict(self.encoder_options))

    def keeps_luma(self, output: Path) -> bool:
        """Whether films may come as luma and chroma even where the model takes no such."""
        return False

    def output_info(self, input: Path, info: VideoInfo) -> VideoInfo:
        """What the frames will be like that come out.

        Args:
            input: for messages.
            info: of those that go in.

        Raises:
            InputError: they cannot become of the size asked for.
        """
        return info

    def __post_init__(self) -> None:
        _check_share("smooth_strength", self.smooth_strength)
        StreamModes(audio=self.audio, subtitles=self.subtitles)
        if self.look_ahead < 0:
            raise InputError(f"look_ahead must not be negative, got {self.look_ahead}")
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise InputError(f"rate must be between 0 and 1000 frames a second, got {float(self.rate):g}")

    def arguments(self) -> dict[str, Any]:
        """By name, as they were given."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def as_json(self) -> dict[str, Any]:
        """In JSON's own types."""
        start, end, frames = self.trim.start, self.trim.end, self.trim.frames
        return asdict(self) | {
            "trim": {"start": str(start), "end": None if end is None else str(end), "frames": frames},
            "rate": None if self.rate is None else str(self.rate),
        }

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> Self:
        """The reverse of :meth:`as_json`.

        Raises:
            ValueError, TypeError, KeyError: the entries are not of that kind.
            InputError: one is out of its range.
        """
        trim, rate, size = entries["trim"], entries["rate"], entries["size"]
        end = trim["end"]
        if size is not None and not isinstance(size, str):
            raise TypeError(f"{size!r} is no size")
        options = entries["encoder_options"]
        if not all(isinstance(text, str) for pair in options.items() for text in pair):
            raise TypeError(f"{options!r} are no options of an encoder")
        return cls(
            **entries
            | {
                "trim": Trim(
                    start=_fraction(trim["start"]),
                    end=None if end is None else _fraction(end),
                    frames=trim["frames"],
                ),
                "rate": None if rate is None else _fraction(rate),
            }
        )


@dataclass(frozen=True, kw_only=True)
class StyleSettings(Settings):
    """Arguments of :func:`vidgan.jobs.job.stylize`."""

    task: ClassVar[Task] = "style"

    strength: float = 1.0
    preserve_color: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_share("strength", self.strength)


@dataclass(frozen=True, kw_only=True)
class UpscaleSettings(Settings):
    """Arguments of :func:`vidgan.jobs.job.upscale`."""

    task: ClassVar[Task] = "upscale"

    scale: int | None = None
    height: int | None = None

    def smoothing(self, spec: ModelSpec) -> Smooth:
        return self.smooth or "off"

    def output_info(self, input: Path, info: VideoInfo) -> VideoInfo:
        if self.height is None:
            scale = self.scale or DEFAULT_SCALE
            width, height = scale * info.width, scale * info.height
        elif not info.height <= self.height <= MOST * info.height:
            raise InputError(
                f"{input}: its height of {info.height} can become {info.height} to {MOST * info.height}, "
                f"{MOST} times as much, not {self.height}"
            )
        else:
            width, height = target_size(info.width, info.height, str(self.height))
        check_enlarged_size(input, width, height)
        return replace(info, width=width, height=height)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale is not None and self.height is not None:
            raise InputError("scale and height both say how large it shall be; give one of them")
        if self.scale not in (None, *SCALES):
            raise InputError(f"scale must be {' or '.join(map(str, SCALES))}, got {self.scale}")


@dataclass(frozen=True, kw_only=True)
class TranslateSettings(Settings):
    """Arguments of :func:`vidgan.jobs.job.translate`.

    Attributes:
        palette: what colours of label maps stand for; None for the model's own.
    """

    task: ClassVar[Task] = "translate"

    palette: Palette | None = None

    def smoothing(self, spec: ModelSpec) -> Smooth:
        # Between two classes there is no motion to follow, and who remembers steadies its films itself.
        return self.smooth or ("off" if spec.classes else "flow")

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> Self:
        palette = entries["palette"]
        if palette is not None:
            colours = tuple((int(r), int(g), int(b)) for r, g, b in palette["colours"])
            palette = Palette(colours, tuple(int(each) for each in palette["classes"]))
        return super().from_json(entries | {"palette": palette})


@dataclass(frozen=True, kw_only=True)
class SegmentSettings(Settings):
    """Arguments of :func:`vidgan.jobs.job.segment`."""

    task: ClassVar[Task] = "segment"

    def smoothing(self, spec: ModelSpec) -> Smooth:
        return "off"

    def encoder_for(self, output: Path) -> EncoderChoice:
        if self.encoder is not None or output.suffix.lower() not in _HOLD_RGB:
            return super().encoder_for(output)
        # A colour that is to say a class has to stay as it is.
        return EncoderChoice("libx264rgb", {"qp": "0", "preset": "veryfast", **self.encoder_options})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.smooth not in (None, "off"):
            raise InputError("label maps cannot be smoothed: between two classes there is none; leave it off")


@dataclass(frozen=True, kw_only=True)
class ColorizeSettings(Settings):
    """Arguments of :func:`vidgan.jobs.job.colorize`."""

    task: ClassVar[Task] = "colorize"

    strength: float = 1.0

    def keeps_luma(self, output: Path) -> bool:
        return not is_picture(output) and "rgb" not in (self.encoder or "")

    def output_info(self, input: Path, info: VideoInfo) -> VideoInfo:
        if matrix_of(info.color, info.height) != BT709:
            return info
        # Grey is the same in both matrices; in that of BT.601 colours are added without a change of luma.
        return replace(info, color=replace(info.color, matrix=BT601[1]))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.smooth == "blend":
            raise InputError("colours are smoothed along the motion, smooth flow, or not at all, off")
        if not 0 <= self.strength <= MOST_STRENGTH:
            raise InputError(f"strength must be between 0 and {MOST_STRENGTH}, got {self.strength:g}")
        if self.look_ahead:
            raise InputError("look_ahead mixes lightness too, which colorize leaves as it is; leave it 0")


KINDS: dict[Task, type[Settings]] = {
    each.task: each
    for each in (StyleSettings, UpscaleSettings, TranslateSettings, SegmentSettings, ColorizeSettings)
}
"""By task."""


def settings_of(task: str, entries: dict[str, Any]) -> Settings:
    """Those for a task, of what :meth:`Settings.as_json` made of them.

    Raises:
        ValueError, TypeError, KeyError, InputError: as of :meth:`Settings.from_json`.
    """
    return KINDS[task].from_json(entries)  # type: ignore[index]


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise InputError(f"{name} must be between 0 and 1, got {value:g}")


def _fraction(text: str) -> Fraction:
    """``"3/2"``; not what else a Fraction takes, since ``"1e999999999"`` would take all memory."""
    if not _FRACTION.fullmatch(text):
        raise ValueError(f"{text!r} is no fraction")
    return Fraction(text)
