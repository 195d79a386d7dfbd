"""Options of a job: what is read, and how the output is encoded; the same for every task."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import Any, TypedDict, get_args

from vidgan.jobs.even_sides import EVEN, Even
from vidgan.media.encoding import EncoderChoice
from vidgan.media.frame import VideoInfo
from vidgan.media.frame_rate import parse_frame_rate
from vidgan.media.stream_modes import PipeFormat, StreamMode, StreamModes
from vidgan.media.trim import WHOLE, Trim, parse_time
from vidgan.session import Device
from vidgan.tasks.options import Flag, OptionSettings, option

_FRACTION = re.compile(r"\d+(/[1-9]\d*)?")
_MAX_RATE = 1000
_MAX_DENOMINATOR = 1001


def _as_size(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str | tuple):
        raise TypeError(f'must be a height such as 720 or a size such as "1280x720", got {value!r}')
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _as_trim(value: Any) -> Trim:
    if isinstance(value, Trim):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        start, end = (None if each is None else _seconds(each) for each in value)
        return Trim(start=start or Fraction(0), end=end)
    raise TypeError(f"must be a Trim or a pair of start and end in seconds, got {value!r}")


def _seconds(value: Any) -> Fraction:
    return parse_time(value) if isinstance(value, str) else Fraction(value).limit_denominator(1_000_000)


def _trim_of_flags(given: Mapping[str, Any]) -> Trim:
    return Trim(start=given.get("from", Fraction(0)), end=given.get("to"), frames=given.get("frames"))


def _trim_to_json(trim: Trim) -> dict[str, Any]:
    end = None if trim.end is None else str(trim.end)
    return {"start": str(trim.start), "end": end, "frames": trim.frames}


def _trim_from_json(entry: Any) -> Trim:
    end = entry["end"]
    return Trim(
        start=_exact_fraction(entry["start"]),
        end=None if end is None else _exact_fraction(end),
        frames=entry["frames"],
    )


def _as_rate(value: Any) -> Fraction:
    try:
        rate = parse_frame_rate(value) if isinstance(value, str) else Fraction(value)
    except (ValueError, TypeError, OverflowError):
        raise TypeError(f'must be a number, or a fraction such as "30000/1001", got {value!r}') from None
    if isinstance(value, float):
        rate = rate.limit_denominator(_MAX_DENOMINATOR)
    if not 0 < rate <= _MAX_RATE:
        raise ValueError(f"rate must be between 0 and {_MAX_RATE} frames per second, got {float(rate):g}")
    return rate


def _exact_fraction(text: str) -> Fraction:
    """``"3/2"``; not what else a Fraction takes, since ``"1e999999999"`` would take all memory."""
    if not _FRACTION.fullmatch(text):
        raise ValueError(f"{text!r} is no fraction")
    return Fraction(text)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ValueError(f"{text!r} is not KEY=VALUE")
    return key, value


def _encoder_options_of_flags(given: Mapping[str, Any]) -> dict[str, str]:
    named = {key: str(given[key]) for key in ("crf", "preset") if key in given}
    return named | dict(given.get("encoder_option", ()))


def _as_encoder_options(value: Any) -> dict[str, str]:
    options = dict(value)
    if not all(isinstance(text, str) for pair in options.items() for text in pair):
        raise TypeError(f"must be texts by name, got {value!r}")
    return options


@dataclass(frozen=True, kw_only=True)
class JobSettings(OptionSettings):
    """Options of a job.

    Raises:
        InputError: an option has the wrong type or is out of its range.
    """

    size: str | None = option(
        None,
        metavar="HEIGHT|WxH",
        heading="Input",
        help="Scale frames to this size first, such as 720 or 1280x720.",
        doc='``720``, ``"720"`` or ``"1280x720"``: frames are scaled to it first; None keeps the input\'s size.',
        convert=_as_size,
    )
    trim: Trim = option(
        WHOLE,
        flags=[
            Flag(
                name="from",
                parse=parse_time,
                metavar="TIME",
                heading="Input",
                help="Start, such as 90.5 or 1:30.5.",
            ),
            Flag(
                name="to",
                parse=parse_time,
                metavar="TIME",
                heading="Input",
                help="End; that frame is left out.",
            ),
            Flag(
                name="frames",
                type=int,
                minimum=1,
                metavar="N",
                heading="Input",
                help="Number of frames at most.",
            ),
        ],
        gather=_trim_of_flags,
        convert=_as_trim,
        to_json=_trim_to_json,
        from_json=_trim_from_json,
        doc="The part of a video to process, with its sound: a :class:`vidgan.Trim`, or start and end in seconds.",
    )
    rate: Fraction | None = option(
        None,
        parse=parse_frame_rate,
        short="--fps",
        metavar="FPS",
        heading="Input",
        shown_default="25, of label maps 15",
        help="Frame rate of a folder of frames.",
        doc="Frame rate of a folder of frames; None for 25, or 15 of label maps.",
        convert=_as_rate,
        to_json=str,
        from_json=_exact_fraction,
    )
    keep_start: bool = option(
        False,
        type=bool,
        heading="Input",
        help="Keep a video's times as they are in the file, instead of beginning at 0.",
    )
    hwaccel: str = option(
        "off",
        metavar="off|auto|NAME",
        heading="Input",
        help="Hardware decoder: whatever works (auto), or one by FFmpeg's name such as cuda.",
    )
    compare: bool = option(
        False,
        type=bool,
        heading="Output",
        help="Put the input beside the output, in one video of twice the width.",
    )
    even: Even = option(
        "pad",
        choices=EVEN,
        heading="Output",
        help="Odd sides, where the codec needs even ones: a border repeated once (pad), cut off (crop), or kept "
        "by chroma of full resolution (444), which many players do not show.",
        doc='Odd sides, where the codec needs even ones: ``"pad"`` repeats a border once, ``"crop"`` cuts it off, '
        '``"444"`` keeps it by chroma of full resolution, which many players do not show.',
    )
    encoder: str | None = option(
        None,
        metavar="NAME",
        heading="Encoder",
        shown_default="the container's usual one",
        help="Video encoder: h264, h265, av1, vp9, prores, nvenc, or another by FFmpeg's name.",
    )
    encoder_options: Mapping[str, str] = option(
        factory=dict,
        flags=[
            Flag(
                name="crf",
                type=int,
                minimum=0,
                maximum=63,
                heading="Encoder",
                help="Quality; lower is better.",
            ),
            Flag(
                name="preset", metavar="NAME", heading="Encoder", help="Speed against size, such as medium."
            ),
            Flag(
                name="encoder-option",
                short="-e",
                parse=_pair,
                repeatable=True,
                metavar="KEY=VALUE",
                heading="Encoder",
                help="Any other option of the encoder; repeatable.",
            ),
        ],
        gather=_encoder_options_of_flags,
        convert=_as_encoder_options,
        doc='Options of the encoder, such as ``{"crf": "18", "preset": "slow"}``.',
    )
    audio: StreamMode = option(
        "copy",
        choices=get_args(StreamMode),
        heading="Output",
        help="Sound: its packets where the output holds the codec, else converted (copy); always converted; "
        "or none (drop).",
        doc='Sound: ``"copy"`` keeps its packets where the output holds the codec and converts it elsewhere, '
        'without loss where it can; ``"convert"`` always converts; ``"drop"`` leaves it out.',
    )
    subtitles: StreamMode = option(
        "copy",
        choices=get_args(StreamMode),
        heading="Output",
        help="Subtitles, likewise; those that are images cannot be converted.",
        doc="Subtitles, as ``audio``; those that are images cannot be converted.",
    )

    mark: str = option(
        "off",
        choices=("off", "on"),
        heading="Provenance",
        help="Mark in the pixels, too faint to be seen, that says that the output was generated.",
        doc='``"on"`` puts a mark into the pixels, too faint to be seen, that says that the output was generated.',
    )

    @property
    def streams(self) -> StreamModes:
        """How sound and subtitles are carried over."""
        return StreamModes(audio=self.audio, subtitles=self.subtitles)

    def encoder_choice(self, default: EncoderChoice | None) -> EncoderChoice:
        """The encoder asked for, or a task's default one."""
        if self.encoder is not None or default is None:
            return EncoderChoice(self.encoder, dict(self.encoder_options))
        return EncoderChoice(default.name, default.options | dict(self.encoder_options))


class JobOptions(TypedDict, total=False):
    """Keyword options that :func:`vidgan.run` and the functions of all tasks share.

    The first ones are those of :class:`JobSettings`, then those of :class:`vidgan.jobs.provenance.ProvenanceSettings`.

    Attributes:
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"tensorrt"``; not used with loaded models.
        overwrite: replace an output that exists.
        pipe_format: ``"nut"`` or ``"y4m"``, of what goes to standard output.
        on_start: called once with the description of the output's frames.
        on_frame: called with the number of frames processed so far.
        on_encode: called with the number of frames encoded so far and of all, where a video is encoded after its last
            frame: GIF, APNG, WebP, and video with transparency.
        on_size: called once with the estimated bytes of a GIF, APNG or WebP.
        cancel: an event; once it is set, the job ends at the next frame with :class:`vidgan.CancelledError`.
    """

    size: str | int | tuple[int, int] | None
    trim: Trim | tuple[float | str | None, float | str | None]
    rate: Fraction | float | str | None
    keep_start: bool
    hwaccel: str
    compare: bool
    even: Even
    encoder: str | None
    encoder_options: Mapping[str, str]
    audio: StreamMode
    subtitles: StreamMode
    mark: str
    credentials: bool
    sign_cert: Path | str | None
    sign_key: Path | str | None
    consent: str | None
    device: Device
    overwrite: bool
    pipe_format: PipeFormat
    on_start: Callable[[VideoInfo], None] | None
    on_frame: Callable[[int], None] | None
    on_encode: Callable[[int, int], None] | None
    on_size: Callable[[int], None] | None
    cancel: Event | None
