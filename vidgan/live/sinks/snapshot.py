"""Snapshots: single output frames as PNG files."""

from collections.abc import Callable
from pathlib import Path

from vidgan.errors import OutputError
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.file_names import timestamped_path
from vidgan.live.frame_pair import FramePair
from vidgan.media.frame import VideoInfo
from vidgan.sinks.image import ImageSink


class SnapshotSink:
    """Writes an output frame as PNG whenever one is requested.

    Args:
        controls: where snapshots are requested.
        folder: where the files are written, named by date and time.
        notify: called with the name of each file.
    """

    name = "snapshot"

    def __init__(self, controls: Controls, folder: Path, notify: Callable[[str], None]) -> None:
        self._controls, self._folder, self._notify = controls, folder, notify

    def write(self, pair: FramePair) -> None:
        if not self._controls.pop_snapshot_request():
            return
        path = timestamped_path(self._folder, ".png")
        width, height = pair.output.size
        try:
            with ImageSink(path, VideoInfo(width=width, height=height, time_base=TIME_BASE)) as sink:
                sink.write(pair.output)
        except OutputError as exc:
            self._notify(str(exc))
        else:
            self._notify(f"{path}: snapshot")

    def close(self) -> None:
        pass
