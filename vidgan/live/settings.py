"""The settings of a live pipeline, which may change between two frames."""

from dataclasses import dataclass
from typing import get_args

from vidgan.errors import InputError
from vidgan.temporal import Smooth
from vidgan.temporal.reuse import REUSE, Reuse


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Settings of one frame.

    Attributes:
        style: a style by its name, image or model file.
        second_style: style that ``mix`` fades to; None for none.
        mix: share of the second style in the output, 0 (only ``style``) to 1 (only ``second_style``).
        strength: 0 (the input unchanged) to 1 (the output of the style alone).
        stroke: width of strokes, 1 to 3: the style runs on frames so many times smaller.
        preserve_color: keep the chroma of the input.
        smooth: temporal filter, see :data:`vidgan.temporal.Smooth`.
        reuse: which frames are carried along the motion in place of being generated, see
            :data:`vidgan.temporal.reuse.Reuse`; ``"auto"`` is every second one while the generator alone does not hold
            the frame rate.
        mirror: flip the input horizontally.
        hide_faces: ``"pixelate"``, ``"blur"``, or the name or path of a generator of faces; empty to show them.

    Raises:
        InputError: a value is out of range.
    """

    style: str
    second_style: str | None = None
    mix: float = 0.0
    strength: float = 1.0
    stroke: float = 1.0
    preserve_color: bool = False
    smooth: Smooth = "flow"
    reuse: Reuse = "auto"
    mirror: bool = False
    hide_faces: str = ""

    def __post_init__(self) -> None:
        for name in ("strength", "mix"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be between 0 and 1, got {getattr(self, name):g}")
        if not 1 <= self.stroke <= 3:
            raise InputError(f"stroke must be between 1 and 3, got {self.stroke:g}")
        for name, choices in (("smooth", get_args(Smooth)), ("reuse", REUSE)):
            if getattr(self, name) not in choices:
                raise InputError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")

    @property
    def weights(self) -> dict[str, float]:
        """Styles that contribute to the output and their weights, which add up to 1."""
        if self.second_style is None or self.second_style == self.style:
            return {self.style: 1.0}
        shares = {self.style: 1 - self.mix, self.second_style: self.mix}
        return {style: weight for style, weight in shares.items() if weight > 0}
