"""Makes a vault while faces are hidden."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidgan.errors import OutputError
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame
from vidgan.segments.store import SEGMENT_FRAMES
from vidgan.tasks.faces.deidentification import Deidentifier
from vidgan.tasks.faces.hiding import ellipse
from vidgan.tasks.faces.tracking import Track, area_of
from vidgan.tasks.faces.vault.cipher import VaultKeys, derive_keys, new_salt, seal, sealed_bytes, unseal
from vidgan.tasks.faces.vault.crops import CropEncoder, cut, window
from vidgan.tasks.faces.vault.layout import (
    Chunk,
    CropPlace,
    EncodedCrops,
    Header,
    pack_clips,
    pack_public,
    read_layout,
)
from vidgan.tasks.faces.vault.passcode import Passcode
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

VAULT_FILE = "vault"
"""Name of a vault in the making, in the folder of an unfinished output."""

_PARTS = 1 << 20
"""Whole numbers are stored in two float32, each below it."""


class VaultRecorder:
    """Encodes and encrypts the faces of a video, frame by frame.

    A chunk is written after every :data:`vidgan.segments.store.SEGMENT_FRAMES` frames, so that a journal's states
    are between chunks.

    Args:
        passcode: brings the faces back.
        way: how they are hidden, one of :data:`vidgan.tasks.faces.vault.layout.WAYS`.
        path: collects the chunks, so that an interrupted job goes on with them; None to keep them in memory.

    Attributes:
        position: frames and bytes so far; a job that is continued sets it before the first frame.
    """

    def __init__(self, passcode: Passcode, way: str, path: Path | None = None) -> None:
        self._passcode, self._way, self._path = passcode, way, path
        self._data = bytearray()
        self._frames = self._chunks = self._length = 0
        self._keys: VaultKeys | None = None
        self._public = b""
        self._places: list[CropPlace] = []
        self._encoders: dict[int, CropEncoder] = {}
        self._finished: list[CropEncoder] = []
        self._before: dict[int, CropPlace] = {}

    def add(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Stores the faces of the next frame.

        Args:
            frame: as it was before they were hidden.
            tracks: whose faces are hidden.

        Raises:
            OutputError: the chunks cannot be written.
        """
        if self._keys is None:
            self._begin(frame.size)
        time = round(frame.pts_seconds * 1_000_000)
        before, self._before = self._before, {}
        for track in tracks:
            place = ellipse(area_of(track), frame.size)
            if place is None:
                continue
            there = window(place, time, track.number, before.get(track.number))
            encoder = self._encoder(there, before.get(track.number))
            encoder.add(cut(frame.image, there), len(self._places), time)
            self._places.append(there)
            self._before[track.number] = there
        for gone in self._encoders.keys() - self._before.keys():
            self._finished.append(self._encoders.pop(gone))
        self._frames += 1
        if self._frames % SEGMENT_FRAMES == 0:
            self._write(last=False)

    def finish(self) -> bytes:
        """Ends the vault, and returns all of it.

        Raises:
            OutputError: the chunks cannot be written or read again.
        """
        if self._keys is None:
            self._begin((0, 0))
        self._write(last=True)
        return self._read()

    @property
    def position(self) -> tuple[int, int]:
        return self._frames, len(self._data) if self._path is None else self._length

    @position.setter
    def position(self, position: tuple[int, int]) -> None:
        frames, length = position
        data = self._read()[:length]
        layout = read_layout(data)
        if len(data) < length or not layout.complete:
            raise OutputError(
                f"{self._path}: a part of the faces is gone; 'vidgan jobs clean' removes the job"
            )
        keys = derive_keys(self._passcode, layout.header.salt)
        if layout.chunks:
            number, chunk = len(layout.chunks) - 1, layout.chunks[-1]
            if unseal(keys, number, chunk.sealed, layout.public + chunk.public, last=False) is None:
                # Not an InputError, after which the job's segments are removed.
                raise OutputError(
                    "this job was begun with another passcode; give that one, or remove it by 'vidgan jobs clean'"
                )
        self._keys, self._public = keys, layout.public
        self._frames, self._chunks = frames, len(layout.chunks)
        self._restart(data)

    def _begin(self, size: tuple[int, int]) -> None:
        header = Header(salt=new_salt(), way=self._way, width=size[0], height=size[1])
        self._keys, self._public = derive_keys(self._passcode, header.salt), header.public
        self._restart(bytes(header))

    def _encoder(self, place: CropPlace, before: CropPlace | None) -> CropEncoder:
        """The encoder of a track; another one where its crops have got another size."""
        found = self._encoders.get(place.track)
        same = before is not None and (before.width, before.height) == (place.width, place.height)
        if found is not None and same:
            return found
        if found is not None:
            self._finished.append(found)
        self._encoders[place.track] = CropEncoder(place.width, place.height)
        return self._encoders[place.track]

    def _write(self, *, last: bool) -> None:
        assert self._keys is not None
        encoders = [*self._finished, *self._encoders.values()]
        clips = [EncodedCrops(tuple(each.places), each.finish()) for each in encoders]
        data = pack_clips(clips)
        public = pack_public(self._places, sealed_bytes(len(data)))
        sealed = seal(self._keys, self._chunks, data, self._public + public, last=last)
        self._append(bytes(Chunk(public, sealed)))
        self._chunks += 1
        self._places, self._finished, self._encoders, self._before = [], [], {}, {}

    # Storage.

    def _restart(self, data: bytes) -> None:
        if self._path is None:
            self._data = bytearray(data)
            return
        with writing(self._path):
            self._path.write_bytes(data)
        self._length = len(data)

    def _append(self, data: bytes) -> None:
        if self._path is None:
            self._data += data
            return
        with writing(self._path), self._path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._length += len(data)

    def _read(self) -> bytes:
        if self._path is None:
            return bytes(self._data)
        with writing(self._path):
            return self._path.read_bytes() if self._path.exists() else b""


class RecordingDeidentifier:
    """A temporal filter that hides faces, and stores them in a vault.

    Its state is that of the :class:`vidgan.tasks.faces.deidentification.Deidentifier` after the position in the vault.
    """

    def __init__(self, deidentifier: Deidentifier, recorder: VaultRecorder) -> None:
        self._deidentifier, self._recorder = deidentifier, recorder

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        hidden = self._deidentifier.apply(frame, motion)
        self._recorder.add(frame, self._deidentifier.tracks)
        return hidden

    @property
    def state(self) -> State | None:
        numbers = [part for number in self._recorder.position for part in divmod(number, _PARTS)]
        return (np.array(numbers, np.float32), *(self._deidentifier.state or ()))

    @state.setter
    def state(self, state: State | None) -> None:
        if state is None:
            self._deidentifier.state = None
            return
        position, *rest = state
        frames, length = (int(high) * _PARTS + int(low) for high, low in position.reshape(2, 2))
        self._recorder.position = frames, length
        self._deidentifier.state = tuple(rest)
