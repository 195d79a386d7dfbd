"""Recordings that a client makes of the stream on its page."""

from collections.abc import Callable
from pathlib import Path

from vidgan.errors import OutputError, VidganError
from vidgan.live.audio import AudioFeed
from vidgan.live.frame_pair import FramePair
from vidgan.live.pipeline.processing_load import DEFAULT_FPS
from vidgan.live.provenance import LiveSigner
from vidgan.live.sinks.recording import RecordingFile, no_audio

_MAX_SECONDS = 600


class Recording:
    """One recording; see :class:`vidgan.live.sinks.LiveSink`.

    Args:
        path: of the file.
        audio: returns the audio to record; called with the first frame.
        signer: signs the recording when it has ended; None to leave it unsigned.
        notify: called with messages that are not for the client, as they may name folders of this machine.

    Attributes:
        id: random and secret.
        name: suggested to the browser for saving.
        finished: whether the recording has ended.
        error: why it has ended, if not by request, or what is missing from it.
    """

    def __init__(
        self,
        path: Path,
        *,
        id: str,
        name: str,
        audio: Callable[[], AudioFeed | None] = no_audio,
        signer: LiveSigner | None = None,
        notify: Callable[[str], None],
    ) -> None:
        self.path, self.id, self.name = path, id, name
        self.finished = False
        self.error = ""
        self._audio, self._signer, self._notify = audio, signer, notify
        self._file: RecordingFile | None = None

    @property
    def seconds(self) -> float:
        return 0.0 if self._file is None else self._file.seconds

    def write(self, pair: FramePair) -> None:
        if self.finished:
            return
        try:
            if self._file is None:
                self._file = RecordingFile(
                    self.path, pair.output.size, DEFAULT_FPS, audio=self._audio(), signer=self._signer
                )
            self._file.write(pair)
        except OutputError as exc:
            # The reason without the path, which is none of the client's business.
            reason = getattr(exc.__cause__, "strerror", None) or "writing failed"
            self._finish(f"{self.name}: cannot be written: {reason}")
            return
        if self._file.disk_full:
            self._finish(f"{self.name}: the disk is full; the recording up to there was kept")
        elif self.seconds >= _MAX_SECONDS:
            self._finish(f"{self.name}: ended after {_MAX_SECONDS // 60} minutes, the limit")

    def close(self) -> None:
        if not self.finished:
            self._finish("" if self._file is not None else f"{self.name}: no frame arrived in the meantime")

    def _finish(self, error: str) -> None:
        try:
            if self._file is not None:
                self._file.close()
                error = error or self._sign(self._file)
        finally:
            # Only then can it be downloaded.
            self.finished, self.error = True, error

    def _sign(self, file: RecordingFile) -> str:
        """Signs the recording; returns that it failed, or nothing."""
        try:
            for warning in file.sign(name=self.name):
                self._notify(warning)
        except VidganError as exc:
            self._notify(f"{self.name}: was kept without credentials: {exc}")
            return f"{self.name}: was kept without credentials; the terminal of vidgan says why"
        return ""
