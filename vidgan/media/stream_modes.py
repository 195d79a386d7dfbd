"""The user's choices for the streams beside the video, and for standard output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from vidgan.errors import InputError

StreamMode = Literal["copy", "convert", "drop"]
PipeFormat = Literal["nut", "y4m"]
"""Format of standard output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamModes:
    """The choice for sound, subtitles and images beside a video.

    Attributes:
        audio, subtitles: ``"copy"`` keeps packets as they are where the output holds the codec, and converts
            them elsewhere; ``"convert"`` always converts; ``"drop"`` leaves them out.
        images: whether covers and attached images are kept.

    Raises:
        InputError: a mode is none of these.
    """

    audio: StreamMode = "copy"
    subtitles: StreamMode = "copy"
    images: bool = True

    def __post_init__(self) -> None:
        for name in ("audio", "subtitles"):
            if getattr(self, name) not in get_args(StreamMode):
                raise InputError(f"{name} must be copy, convert or drop, got {getattr(self, name)!r}")


DEFAULT_STREAM_MODES = StreamModes()
