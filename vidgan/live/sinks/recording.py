"""Recordings of the output, timestamped with the times of capture."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av

from vidgan.errors import OutputError, VidganError
from vidgan.live.audio import AudioFeed, AudioTrack
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.conversion import FrameSize, resize
from vidgan.live.file_names import unused_path
from vidgan.live.frame_pair import FramePair
from vidgan.live.provenance import LiveSigner, RecordedSettings
from vidgan.live.sinks.recorded_vault import RecordedVault
from vidgan.media.encoding import Encoder, OutputFormat, add_video, format_of
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import VideoInfo
from vidgan.provenance.sidecar import place_sidecar
from vidgan.sinks import check_output, refuse_input
from vidgan.tasks.faces.vault.passcode import Passcode

VIDEO_TIME_BASE = Fraction(1, 90_000)
"""Seconds per unit of the timestamps of recordings and streams."""

DEFAULT_KEYFRAME_SECONDS = 2.0
"""Interval of keyframes; a recording that is cut off is complete up to the last of them."""

# A writer must not wait for audio that does not come: seconds of video would be lost if the process were killed.
_COMMON_OPTIONS = {"max_interleave_delta": "1000000"}

_MUXER_OPTIONS = {
    # Each fragment can be played without the rest; a recording that ends normally becomes an ordinary file.
    "mp4": {"movflags": "+hybrid_fragmented+frag_keyframe"},
    "mov": {"movflags": "+hybrid_fragmented+frag_keyframe"},
    "matroska": {},
    "webm": {},
}
"""Options by muxer, for those whose incomplete files can be played."""

_DISK_FULL = errno.ENOSPC, errno.EDQUOT, errno.EFBIG


def no_audio() -> AudioFeed | None:
    """The audio of recordings and streams without sound."""
    return None


class RecordingSink:
    """Records while the controls request it; each time a new file begins.

    Args:
        controls: request recordings, and are told when one has ended by itself.
        path: name of the first file; further files get numbers.
        fps: approximate frame rate.
        notify: called with the result of each recording.
        overwrite: replace the first file if it exists.
        inputs: files of the source, which are never replaced.
        audio: returns the audio to record; called when a recording begins.
        keyframe_seconds: interval of keyframes.
        signer: signs each recording when it ends; None to leave them unsigned.
        passcode: brings the faces that are hidden in a recording back; None to keep none.

    Raises:
        OutputError: the file cannot be recorded under that name.
    """

    name = "recording"

    def __init__(
        self,
        controls: Controls,
        path: Path,
        *,
        fps: float,
        notify: Callable[[str], None],
        overwrite: bool = False,
        inputs: Sequence[Path] = (),
        audio: Callable[[], AudioFeed | None] = no_audio,
        keyframe_seconds: float = DEFAULT_KEYFRAME_SECONDS,
        signer: LiveSigner | None = None,
        passcode: Passcode | None = None,
    ) -> None:
        check_recording_path(path, overwrite=overwrite, inputs=inputs)
        self._controls, self._path, self._notify, self._fps = controls, path, notify, fps
        self._overwrite, self._audio, self._keyframe_seconds = overwrite, audio, keyframe_seconds
        self._signer, self._passcode = signer, passcode
        self._file: RecordingFile | None = None

    def write(self, pair: FramePair) -> None:
        if not self._controls.recording:
            self._finish()
            return
        try:
            self._write(pair)
        except OutputError as exc:
            self._controls.set_recording(False)
            self._file = None
            self._notify(str(exc))

    def close(self) -> None:
        self._finish()

    def _write(self, pair: FramePair) -> None:
        if self._file is None:
            self._file = RecordingFile(
                self._path if self._overwrite else unused_path(self._path),
                pair.output.size,
                self._fps,
                audio=self._audio(),
                keyframe_seconds=self._keyframe_seconds,
                signer=self._signer,
                vault=self._vault(pair),
            )
            self._overwrite = False
        self._file.write(pair)
        if self._file.disk_full:
            self._controls.set_recording(False)
            self._finish()

    def _vault(self, pair: FramePair) -> RecordedVault | None:
        if self._passcode is None:
            return None
        way = pair.settings.hide_faces
        known = way if way in ("pixelate", "blur") else "generator"
        return RecordedVault(self._passcode, known, pair.output.size)

    def _finish(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        file.close()
        full = "; the disk is full, the recording up to there was kept"
        reason = full if file.disk_full else self._sign(file)
        self._notify(f"{file.path}: recorded {file.seconds:.1f} s{reason}")

    def _sign(self, file: RecordingFile) -> str:
        """Signs a recording; returns why that failed, or nothing."""
        try:
            for warning in file.sign():
                self._notify(warning)
        except VidganError as exc:
            return f"; it was kept without credentials: {str(exc).removeprefix(f'{file.path}: ')}"
        return ""


class RecordingFile:
    """A video file that grows under its final name and can be played whatever interrupts it.

    Args:
        path: mp4, mov, mkv or webm.
        size: of the video; frames of other sizes are scaled to it.
        fps: approximate frame rate.
        audio: audio to record; None for none.
        keyframe_seconds: interval of keyframes.
        signer: see :meth:`sign`; None to leave the file unsigned.
        vault: keeps the faces that are hidden; None to keep none.

    Attributes:
        seconds: time from the first frame to the last.
    """

    def __init__(
        self,
        path: Path,
        size: FrameSize,
        fps: float,
        *,
        audio: AudioFeed | None = None,
        keyframe_seconds: float = DEFAULT_KEYFRAME_SECONDS,
        signer: LiveSigner | None = None,
        vault: RecordedVault | None = None,
    ) -> None:
        self.path = path
        self._signer, self._settings, self._vault = signer, RecordedSettings(), vault
        self.seconds = 0.0
        rate = Fraction(fps).limit_denominator(1001)
        info = VideoInfo(width=size[0], height=size[1], time_base=VIDEO_TIME_BASE, frame_rate=rate)
        format = _format(path, info, keyframe_seconds)
        self._size = size
        self._first: int | None = None
        self._last = -1
        options = _MUXER_OPTIONS[format.muxer] | _COMMON_OPTIONS
        with writing(path):
            self._file = _DiskFullGuard(path.open("wb"))
            # The sidecar of a file that is overwritten would not fit this one.
            place_sidecar(None, path)
            self._container = av.open(self._file, "w", format=format.muxer, options=options)
            stream = add_video(self._container, format.encoding, info)
            codec = "libopus" if format.muxer == "webm" else "aac"
            self._audio = None if audio is None else AudioTrack(self._container, audio, codec)
        self._encoder = Encoder(stream, format.encoding, info)

    @property
    def disk_full(self) -> bool:
        """Whether the disk was full, after which nothing more is written."""
        return self._file.disk_full

    def write(self, pair: FramePair) -> None:
        """Appends the output of a frame.

        Raises:
            OutputError: writing failed for another reason than a full disk.
        """
        frame = pair.output
        self._settings.add(pair.settings)
        if self._first is None:
            self._first = frame.pts
            if self._signer is not None:
                self._container.metadata.update(self._signer.tags(self.path, self._settings))
        self.seconds = float((frame.pts - self._first) * TIME_BASE)
        self._last = max(self._last + 1, round((frame.pts - self._first) * TIME_BASE / VIDEO_TIME_BASE))
        if self._vault is not None and pair.hidden is not None:
            self._vault.add(pair.hidden, round(self._last * VIDEO_TIME_BASE * 1_000_000))
        with writing(self.path):
            timed = resize(frame, self._size).at(self._last, time_base=VIDEO_TIME_BASE)
            self._container.mux(self._encoder.encode(timed))
            if self._audio is not None:
                self._container.mux(self._audio.packets(since=self._first))

    def close(self) -> None:
        """Completes the file."""
        try:
            with writing(self.path):
                self._container.mux(self._encoder.flush())
                if self._audio is not None:
                    self._container.mux(self._audio.flush())
                self._container.close()
        finally:
            self._file.close()
        if self._vault is not None and not self.disk_full:
            self._vault.add_to(self.path)

    def sign(self, *, name: str | None = None) -> list[str]:
        """Signs the complete file, which is kept as it is where that fails; returns warnings for the user.

        Args:
            name: see :meth:`vidgan.live.provenance.LiveSigner.sign`.

        Raises:
            CredentialsError, OutputError: it cannot be signed.
        """
        return [] if self._signer is None else self._signer.sign(self.path, self._settings, name=name)


def check_recording_path(path: Path, *, overwrite: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuses a name that cannot be recorded under.

    Raises:
        OutputExistsError: the file exists and ``overwrite`` is False.
        OutputError: the file is one of the inputs, its suffix is not that of a supported container, or the folder does
            not exist.
    """
    refuse_input(path, inputs)
    check_output(path, overwrite=overwrite)
    _format(path, VideoInfo(width=64, height=64, time_base=VIDEO_TIME_BASE), DEFAULT_KEYFRAME_SECONDS)


def _format(path: Path, info: VideoInfo, keyframe_seconds: float) -> OutputFormat:
    format = format_of(path, info)
    if format.muxer not in _MUXER_OPTIONS:
        raise OutputError(f"{path}: recordings are mp4, mov, mkv or webm")
    interval = max(1, round((info.frame_rate or 25) * keyframe_seconds))
    options = format.encoding.options | {"g": str(interval)}
    if "x264-params" in options:
        # With B-frames, a recording that is cut off would begin late.
        options["x264-params"] += ":bframes=0"
    return replace(format, encoding=replace(format.encoding, options=options))


class _DiskFullGuard:
    """A file that ignores all writes once the disk is full, so that the muxer can still be closed.

    Attributes:
        disk_full: whether a write has failed for lack of space.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.disk_full = False
        self._file = file

    def write(self, data: bytes) -> int:
        if not self.disk_full:
            try:
                self._file.write(data)
                # Data in Python's buffer would fail later, outside this try.
                self._file.flush()
            except OSError as exc:
                if exc.errno not in _DISK_FULL:
                    raise
                self.disk_full = True
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0 if self.disk_full else self._file.seek(offset, whence)

    def tell(self) -> int:
        return 0 if self.disk_full else self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
