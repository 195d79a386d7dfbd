"""A captured frame with its processed output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidgan.live.settings import LiveSettings
from vidgan.media.frame import Frame

if TYPE_CHECKING:
    # The process that sends a stream starts with this module, and should not load a model for it.
    from vidgan.tasks.faces.tracking import Track


@dataclass(frozen=True, slots=True, eq=False)
class HiddenFaces:
    """A frame before its faces were hidden, for a vault alone.

    Attributes:
        frame: at the processing size, mirrored if the settings say so.
        tracks: the faces that were hidden.
    """

    frame: Frame
    tracks: Sequence[Track]


@dataclass(frozen=True, slots=True, eq=False)
class FramePair:
    """Input and output of the model for one captured frame.

    Attributes:
        input: the captured frame at the processing size, mirrored if the settings say so; its ``pts`` is the
            capture time on the clock of :mod:`vidgan.live.clock`.
        output: the processed frame, with the same ``pts``.
        settings: the settings in effect; ``style`` is the style that produced the output.
        hidden: the faces that were hidden, where they are kept.
    """

    input: Frame
    output: Frame
    settings: LiveSettings
    hidden: HiddenFaces | None = None
