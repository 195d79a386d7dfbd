"""Style transfer and temporal filtering, frame by frame."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vidgan.live.clock import TIME_BASE
from vidgan.live.settings import LiveSettings
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.session import Session
from vidgan.tasks.style import StyleEffect
from vidgan.temporal import open_filter
from vidgan.temporal.filter import CarryingFilter
from vidgan.temporal.motion import Luma, MotionEstimate, estimate_motion, flow_luma
from vidgan.temporal.reuse import AUTO_INTERVAL, explains, is_duplicate

_PROBE_SIZE = 320, 192
_PROBE_RUNS = 6

Layer = tuple[Session, float]
"""A style and its weight in the output."""

Made = Literal["generated", "carried", "repeated"]
"""How an output frame came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Former:
    """The last distinct frame.

    Attributes:
        frame: the input.
        luma: of it, see :func:`vidgan.temporal.motion.flow_luma`.
        output: as it was shown.
        layers: what it was made with.
    """

    frame: Frame
    luma: Luma
    output: Frame
    layers: list[Layer]


class LiveStylizer:
    """Stylizes the frames of one size with constant settings; the temporal filter keeps its state between frames.

    Args:
        settings: strength, chroma and temporal filter; the styles come with each frame.

    Attributes:
        made: how the last output came about.
    """

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        # The input itself does not flicker, and a filter would only blur it.
        kind = settings.smooth if settings.strength else "off"
        self._filter = open_filter(kind, strength=1.0)
        self._former: _Former | None = None
        self._carried = 0
        self._effects: dict[int, StyleEffect] = {}
        self.made: Made = "generated"

    def step(self, frame: Frame, layers: Sequence[Layer], interval: int = 0) -> Frame:
        """The stylized frame.

        Args:
            layers: styles whose outputs are mixed, at least one; the weights add up to 1.
            interval: of how many distinct frames in a row one is generated; the others are carried forwards along the
                motion, where that explains them. 1 repeats the output of duplicates alone, 0 not even that.
        """
        former = self._former
        if self._filter is None and not interval:
            self._former = None
            return self._mix(frame, layers)
        luma = flow_luma(frame)
        reusable = former if interval and former is not None and former.layers == list(layers) else None
        if reusable is not None and is_duplicate(reusable.frame, reusable.luma, frame, luma):
            self.made = "repeated"
            return frame.with_image(reusable.output.image)
        motion = self._motion(former, luma, interval)
        carried = None if reusable is None else self._carry(frame, reusable, motion, interval)
        output = self._generate(frame, layers, motion) if carried is None else carried
        self.made = "generated" if carried is None else "carried"
        self._carried = 0 if carried is None else self._carried + 1
        self._former = _Former(frame=frame, luma=luma, output=output, layers=list(layers))
        return output

    def _motion(self, former: _Former | None, luma: Luma, interval: int) -> MotionEstimate | None:
        if former is None or self._filter is None:
            return None
        return estimate_motion(former.luma, luma, quality="medium" if interval > 1 else "quick")

    def _carry(
        self, frame: Frame, former: _Former, motion: MotionEstimate | None, interval: int
    ) -> Frame | None:
        """The former output, moved; None where a frame has to be generated."""
        if self._carried + 1 >= interval or not isinstance(self._filter, CarryingFilter):
            return None
        if motion is None or not explains(motion):
            return None
        return frame.with_image(self._filter.carry_forward(former.output.image, motion))

    def _generate(self, frame: Frame, layers: Sequence[Layer], motion: MotionEstimate | None) -> Frame:
        output = self._mix(frame, layers)
        return output if self._filter is None else self._filter.apply(output, motion)

    def _mix(self, frame: Frame, layers: Sequence[Layer]) -> Frame:
        (session, total), *others = layers
        output = self._effect(session).apply(frame)
        for session, weight in others:
            total += weight
            layer = self._effect(session).apply(frame)
            output = output.with_image(layer.image.blend(output.image, weight / total))
        return output

    def _effect(self, session: Session) -> StyleEffect:
        if id(session) not in self._effects:
            self._effects[id(session)] = StyleEffect(
                session,
                strength=self._settings.strength,
                preserve_color=self._settings.preserve_color,
                stroke=self._settings.stroke,
            )
        return self._effects[id(session)]


@dataclass(frozen=True, kw_only=True)
class PixelCost:
    """Processing time per pixel, in seconds.

    Attributes:
        generated: of a frame that goes through the generator.
        carried: of one that does not.
    """

    generated: float = 0.0
    carried: float = 0.0


def measure_pixel_cost(session: Session, settings: LiveSettings) -> PixelCost:
    """The cost with those settings, measured on small frames of noise that drifts."""
    width, height = _PROBE_SIZE
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    stylizer = LiveStylizer(settings)
    seconds: dict[Made, list[float]] = {"generated": [], "carried": [], "repeated": []}
    for number in range(_PROBE_RUNS):
        image = YuvImage.from_rgb(np.ascontiguousarray(np.roll(noise, number, axis=1)))
        frame = Frame(image=image, pts=number, time_base=TIME_BASE)
        started = time.perf_counter()
        stylizer.step(frame, [(session, 1.0)], AUTO_INTERVAL)
        seconds[stylizer.made].append(time.perf_counter() - started)
    generated = min(seconds["generated"][1:])  # The first frame has no motion estimation.
    return PixelCost(
        generated=generated / (width * height),
        carried=min([generated, *seconds["carried"]]) / (width * height),
    )
