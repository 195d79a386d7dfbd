"""The vault of a recording: the faces that are hidden in it, see :mod:`vidgan.tasks.faces.vault`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vidgan.live.conversion import FrameSize, resize
from vidgan.live.frame_pair import HiddenFaces
from vidgan.media import vault_file
from vidgan.media.ffmpeg import writing
from vidgan.tasks.faces.box import Floats
from vidgan.tasks.faces.tracking import Track
from vidgan.tasks.faces.vault.passcode import Passcode
from vidgan.tasks.faces.vault.recorder import VaultRecorder


class RecordedVault:
    """Stores the faces of a recording while it grows; the vault is added once it is complete.

    Args:
        passcode: brings the faces back.
        way: see :class:`vidgan.tasks.faces.vault.recorder.VaultRecorder`.
        size: of the recording.
    """

    def __init__(self, passcode: Passcode, way: str, size: FrameSize) -> None:
        self._recorder, self._size = VaultRecorder(passcode, way), size

    def add(self, hidden: HiddenFaces, microseconds: int) -> None:
        """Stores the faces of a frame.

        Args:
            microseconds: time of the frame in the recording.
        """
        scale = np.array(self._size, np.float32) / np.array(hidden.frame.size, np.float32)
        frame = resize(hidden.frame, self._size).at(microseconds, time_base=hidden.frame.time_base)
        self._recorder.add(frame, [_scaled(each, np.tile(scale, 2)) for each in hidden.tracks])

    def add_to(self, recording: Path) -> None:
        """Adds the vault to a complete MP4 or MOV, or puts it beside a file of another kind.

        Raises:
            OutputError: it cannot be written.
        """
        data = self._recorder.finish()
        with writing(recording):
            if recording.suffix.lower() in vault_file.BOXED_SUFFIXES:
                vault_file.append_box(recording, data)
            else:
                vault_file.sidecar_of(recording).write_bytes(data)


def _scaled(track: Track, scale: Floats) -> Track:
    face = None if track.face is None else replace(track.face, box=track.face.box * scale)
    return replace(track, box=track.box * scale, face=face)
