"""What decides how frames are painted, apart from the model."""

import re
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Self

from vidgan.errors import InputError
from vidgan.sinks.encoder import EncoderChoice
from vidgan.smoothing import Smooth
from vidgan.trim import WHOLE, Trim

_FRACTION = re.compile(r"\d+(/[1-9]\d*)?")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Arguments of :func:`vidgan.job.stylize`; see there.

    Raises:
        InputError: one is out of its range.
    """

    strength: float = 1.0
    preserve_color: bool = False
    size: str | None = None
    trim: Trim = WHOLE
    rate: Fraction | None = None
    hwaccel: str = "off"
    smooth: Smooth = "flow"
    smooth_strength: float = 1.0
    look_ahead: int = 0
    encoder: str | None = None
    encoder_options: dict[str, str] = field(default_factory=dict)

    @property
    def encoder_choice(self) -> EncoderChoice:
        return EncoderChoice(self.encoder, dict(self.encoder_options))

    def __post_init__(self) -> None:
        for name in ("strength", "smooth_strength"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise InputError(f"{name} must be between 0 and 1, got {value:g}")
        if self.look_ahead < 0:
            raise InputError(f"look_ahead must not be negative, got {self.look_ahead}")
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise InputError(f"rate must be between 0 and 1000 frames a second, got {float(self.rate):g}")

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


def _fraction(text: str) -> Fraction:
    """``"3/2"``; not what else a Fraction takes, since ``"1e999999999"`` would take all memory."""
    if not _FRACTION.fullmatch(text):
        raise ValueError(f"{text!r} is no fraction")
    return Fraction(text)
