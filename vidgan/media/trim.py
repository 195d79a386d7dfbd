"""The part of a video that is processed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TypeVar

from vidgan.errors import InputError

T = TypeVar("T")
_TIME = re.compile(r"(?:(?:([0-9]{1,9}):)?([0-9]{1,9}):)?([0-9]{1,9}(?:\.[0-9]{1,30})?)")


@dataclass(frozen=True, kw_only=True)
class Trim:
    """A part of a video, in seconds from the start of the file.

    Attributes:
        start: time of the first frame of the part.
        end: time of the first frame after the part; None for the end of the video.
        frames: number of frames at most; None for all.

    Raises:
        InputError: the part is empty.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    frames: int | None = None

    def __post_init__(self) -> None:
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise InputError(f"nothing lies between {_words(self.start)} and {_words(self.end)}")
        if self.frames is not None and self.frames < 1:
            raise InputError(f"at least one frame must be wanted, not {self.frames}")

    def first(self, time_base: Fraction) -> int:
        """The number of the first frame of the part, where each takes ``time_base`` seconds."""
        return ceil(self.start / time_base)

    def part_of(self, frames: Sequence[T], time_base: Fraction) -> Sequence[T]:
        """Those frames, of ``time_base`` seconds each, that are in the part."""
        end = None if self.end is None else ceil(self.end / time_base)
        return frames[self.first(time_base) : end][: self.frames]

    def __str__(self) -> str:
        return f"from {_words(self.start)} to {_words(self.end)}"


WHOLE = Trim()


def parse_time(text: str) -> Fraction:
    """``"90"``, ``"1:30"``, ``"0:01:30.5"`` → seconds.

    Raises:
        ValueError: it is none of these.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time; write seconds (90.5) or [hours:]minutes:seconds (1:30.5)")
    hours, minutes, seconds = (Fraction(each or 0) for each in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def _words(seconds: Fraction | None) -> str:
    return "the end" if seconds is None else f"{float(seconds):g} s"
