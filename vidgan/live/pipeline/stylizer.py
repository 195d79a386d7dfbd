"""Style transfer and temporal filtering, frame by frame."""

import time
from collections.abc import Sequence

import numpy as np

from vidgan.live.clock import TIME_BASE
from vidgan.live.settings import LiveSettings
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.session import Session
from vidgan.tasks.style import StyleEffect
from vidgan.temporal import open_filter
from vidgan.temporal.motion import Luma, estimate_motion, flow_luma

_PROBE_SIZE = 320, 192
_PROBE_RUNS = 4

Layer = tuple[Session, float]
"""A style and its weight in the output."""


class LiveStylizer:
    """Stylizes the frames of one size with constant settings; the temporal filter keeps its state between frames.

    Args:
        settings: strength, chroma and temporal filter; the styles come with each frame.
    """

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        # The input itself does not flicker, and a filter would only blur it.
        kind = settings.smooth if settings.strength else "off"
        self._filter = open_filter(kind, strength=1.0)
        self._previous_luma: Luma | None = None
        self._effects: dict[int, StyleEffect] = {}

    def step(self, frame: Frame, layers: Sequence[Layer]) -> Frame:
        """The stylized frame.

        Args:
            layers: styles whose outputs are mixed, at least one; the weights add up to 1.
        """
        output = self._mix(frame, layers)
        if self._filter is not None:
            luma = flow_luma(frame)
            motion = None if self._previous_luma is None else estimate_motion(self._previous_luma, luma)
            output, self._previous_luma = self._filter.apply(output, motion), luma
        return output

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
                session, strength=self._settings.strength, preserve_color=self._settings.preserve_color
            )
        return self._effects[id(session)]


def measure_seconds_per_pixel(session: Session, settings: LiveSettings) -> float:
    """Processing time per pixel with those settings, measured on a small frame of noise."""
    width, height = _PROBE_SIZE
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    frame = Frame(image=YuvImage.from_rgb(noise), pts=0, time_base=TIME_BASE)
    stylizer = LiveStylizer(settings)
    seconds = []
    for _ in range(_PROBE_RUNS):
        started = time.perf_counter()
        stylizer.step(frame, [(session, 1.0)])
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:]) / (width * height)  # The first frame has no motion estimation.
