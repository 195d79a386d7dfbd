"""Single pictures, when they are asked for."""

from collections.abc import Callable
from pathlib import Path

from vidgan.errors import OutputError
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.names import dated
from vidgan.live.stylizer import Shot
from vidgan.media.frame import VideoInfo
from vidgan.sinks.image import ImageSink


class SnapshotSink:
    """Writes a shot as PNG whenever the controls ask for one.

    Args:
        controls: that are asked.
        folder: for the pictures, which are named by date and time.
        say: is told their names.
    """

    name = "snapshot"

    def __init__(self, controls: Controls, folder: Path, say: Callable[[str], None]) -> None:
        self._controls, self._folder, self._say = controls, folder, say

    def write(self, shot: Shot) -> None:
        if not self._controls.take_snapshot():
            return
        path = dated(self._folder, ".png")
        width, height = shot.painted.size
        try:
            with ImageSink(path, VideoInfo(width=width, height=height, time_base=TIME_BASE)) as sink:
                sink.write(shot.painted)
        except OutputError as exc:
            self._say(str(exc))
        else:
            self._say(f"{path}: snapshot")

    def finish(self) -> None:
        pass
