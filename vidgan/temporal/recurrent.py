"""Recurrent generators: the model itself carries state from frame to frame."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate


class RecurrentModel(Protocol):
    """A stateful model, as :class:`vidgan.session.Session` runs it."""

    def step(
        self, images: NDArray[np.uint8], state: NDArray[np.float32] | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]: ...


class RecurrentFilter:
    """Runs a recurrent generator as a :class:`vidgan.temporal.filter.TemporalFilter`.

    Its state is the model's recurrent state, which a scene cut resets.

    Args:
        model: returns RGB, ``(1, H, W, 3)`` uint8.
        prepare: makes the model's input, ``(H, W)`` or ``(H, W, C)`` uint8, from a frame.
    """

    def __init__(self, model: RecurrentModel, prepare: Callable[[Frame], NDArray[np.uint8]]) -> None:
        self._model = model
        self._prepare = prepare
        self.state: State | None = None

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        continues = self.state is not None and motion is not None and not motion.scene_cut
        recurrent = self.state[0] if self.state is not None and continues else None
        output, recurrent = self._model.step(self._prepare(frame)[np.newaxis], recurrent)
        self.state = (recurrent,)
        return frame.with_pixels(output[0])
