"""Snapshots: single output frames as PNG files."""

from collections.abc import Callable
from pathlib import Path

from vidgan.errors import OutputError, VidganError
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.file_names import timestamped_path
from vidgan.live.frame_pair import FramePair
from vidgan.live.provenance import LiveSigner, RecordedSettings
from vidgan.media.frame import VideoInfo
from vidgan.sinks.image import ImageSink


class SnapshotSink:
    """Writes an output frame as PNG whenever one is requested.

    Args:
        controls: where snapshots are requested.
        folder: where the files are written, named by date and time.
        notify: called with the name of each file.
        signer: signs them; None to leave them unsigned.
    """

    name = "snapshot"

    def __init__(
        self,
        controls: Controls,
        folder: Path,
        notify: Callable[[str], None],
        *,
        signer: LiveSigner | None = None,
    ) -> None:
        self._controls, self._folder, self._notify, self._signer = controls, folder, notify, signer

    def write(self, pair: FramePair) -> None:
        if not self._controls.pop_snapshot_request():
            return
        path = timestamped_path(self._folder, ".png")
        try:
            unsigned = write_snapshot(path, pair, self._signer)
        except OutputError as exc:
            self._notify(str(exc))
        else:
            self._notify(
                f"{path}: snapshot" + (f", kept without credentials: {unsigned}" if unsigned else "")
            )

    def close(self) -> None:
        pass


def write_snapshot(
    path: Path, pair: FramePair, signer: LiveSigner | None, *, name: str | None = None
) -> str | None:
    """Writes the output of a frame as PNG, and signs it.

    Args:
        name: see :meth:`vidgan.live.provenance.LiveSigner.sign`.

    Returns:
        Why the file could not be signed; None otherwise.

    Raises:
        OutputError: it cannot be written.
    """
    width, height = pair.output.size
    with ImageSink(path, VideoInfo(width=width, height=height, time_base=TIME_BASE)) as sink:
        sink.write(pair.output)
    if signer is None:
        return None
    used = RecordedSettings()
    used.add(pair.settings)
    try:
        signer.sign(path, used, name=name)
    except VidganError as exc:
        return str(exc)
    return None
