"""Faces hidden in live video, before anything else sees a frame."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from vidgan.live.clock import TIME_BASE
from vidgan.live.conversion import flip_horizontal
from vidgan.live.frame_pair import HiddenFaces
from vidgan.media.frame import Frame, VideoInfo
from vidgan.session import Device
from vidgan.session.output_check import CheckedModel
from vidgan.tasks import load_models
from vidgan.tasks.deidentify import TASK, DeidentifySettings
from vidgan.tasks.faces.box import Box
from vidgan.tasks.faces.deidentification import Deidentifier
from vidgan.tasks.faces.tracking import Track
from vidgan.tasks.task import StepContext
from vidgan.temporal.motion import Luma, estimate_motion, flow_luma

_FIND_SIZE = 640
"""Longest side in which faces are searched: four times as fast as the 1280 of files, and people are near a camera."""


class FaceHiding:
    """Hides the faces of live frames in one pass; a lost face stays hidden for a second.

    Args:
        way: ``"pixelate"``, ``"blur"``, or the name or path of a generator of faces.
        rate: frames per second, about.
        device: see :class:`vidgan.session.Session`.
        keeps_faces: whether :meth:`hidden_faces` has those of the last frame, for a vault.

    Raises:
        ModelNotFoundError, ModelError, DeviceError: the generator cannot be loaded.
    """

    def __init__(self, way: str, rate: float, device: Device = "auto", *, keeps_faces: bool = False) -> None:
        settings = settings_of(way)
        models = load_models(settings, device=device)
        specs = {role: variants[0] for role, variants in models.variants.items()}
        sessions = models.sessions(specs)
        info = VideoInfo(
            width=0, height=0, time_base=TIME_BASE, frame_rate=Fraction(rate).limit_denominator(1000)
        )
        step = TASK.open(
            settings,
            StepContext(
                input=Path("live"),
                specs=specs,
                models={role: CheckedModel(each, lambda: None) for role, each in sessions.items()},
                sessions=sessions,
                input_info=info,
                output_info=info,
            ),
        )
        assert step.effect is not None and isinstance(step.temporal_filter, Deidentifier)
        self._search, self._deidentifier = step.effect, step.temporal_filter
        self._previous: tuple[Luma, tuple[int, int]] | None = None
        self._keeps_faces = keeps_faces
        self._last: Frame | None = None

    def apply(self, frame: Frame) -> Frame:
        """The frame with its faces hidden; sizes may change from frame to frame."""
        luma, motion = flow_luma(frame), None
        if self._previous is not None:
            before, size = self._previous
            if size == frame.size:
                motion = estimate_motion(before, luma)
            else:
                ratio = [now / then for now, then in zip(frame.size, size, strict=True)]
                self._deidentifier.resize(np.array(ratio, np.float32))
        self._previous = luma, frame.size
        self._last = frame if self._keeps_faces else None
        return self._deidentifier.apply(self._search.apply(frame), motion)

    def hidden_faces(self, *, mirror: bool) -> HiddenFaces | None:
        """The faces that were hidden in the last frame; None where they are not kept.

        Args:
            mirror: whether the frame was mirrored afterwards.
        """
        if self._last is None:
            return None
        tracks, frame = self._deidentifier.tracks, self._last
        if not mirror:
            return HiddenFaces(frame, tracks)
        return HiddenFaces(flip_horizontal(frame), [_mirrored(each, frame.size[0]) for each in tracks])


def _mirrored(track: Track, width: int) -> Track:
    def box(value: Box) -> Box:
        return np.concatenate([[width - 1 - value[0]], value[1:]]).astype(np.float32)

    face = None if track.face is None else replace(track.face, box=box(track.face.box))
    return replace(track, box=box(track.box), face=face)


def settings_of(way: str) -> DeidentifySettings:
    """Settings of the task for live frames."""
    settings = DeidentifySettings(look_ahead=0, find_size=_FIND_SIZE)
    if way in ("pixelate", "blur"):
        return settings.with_(pixelate=way == "pixelate", blur=way == "blur")
    return settings.with_(model=way)
