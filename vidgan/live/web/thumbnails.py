"""A small picture of every style, to choose from."""

import threading
from collections.abc import Sequence
from importlib.resources import as_file, files

import cv2

from vidgan.errors import VidganError
from vidgan.jobs.api import load_style
from vidgan.sources import open_source
from vidgan.tasks.style import StyleEffect

_SIZE = "256x144"
_QUALITY = 85


class Stills:
    """JPEG files by the style's name, painted one after the other on a thread of their own.

    Args:
        styles: names or model files.
    """

    def __init__(self, styles: Sequence[str]) -> None:
        self.ready: dict[str, bytes] = {}
        self._styles = styles
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._paint, name="vidgan-stills", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _paint(self) -> None:
        sample = files("vidgan.live.web") / "static" / "sample.jpg"
        with as_file(sample) as path, open_source(path, size=_SIZE) as source:
            frame = next(iter(source))
        for style in self._styles:
            if self._stopped.is_set():
                return
            try:
                # The model is not kept: the picture is painted by sessions of its own.
                painted = StyleEffect(load_style(style, device="cpu")).apply(frame)
            except VidganError:
                continue  # Whoever chooses it is told why.
            bgr = cv2.cvtColor(painted.pixels, cv2.COLOR_RGB2BGR)
            _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            self.ready[style] = encoded.tobytes()
