"""Thumbnails of all styles."""

import os
import queue
import sys
import threading
from collections.abc import Sequence
from importlib.resources import as_file, files

import cv2

from vidgan.errors import VidganError
from vidgan.jobs.api import load_style
from vidgan.sources import open_source
from vidgan.tasks.style import StyleEffect

_SIZE = "256x144"
_JPEG_QUALITY = 85
_NICE = 10


class Thumbnails:
    """JPEG images of a sample in each style, made one after the other on a thread.

    Args:
        styles: names or model files.

    Attributes:
        ready: finished images by style.
    """

    def __init__(self, styles: Sequence[str]) -> None:
        self.ready: dict[str, bytes] = {}
        self._styles: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        for style in styles:
            self._styles.put(style)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vidgan-thumbnails", daemon=True)
        self._thread.start()

    def add(self, style: str) -> None:
        """Makes the thumbnail of one more style, after the others."""
        self._styles.put(style)

    def close(self) -> None:
        self._stopped.set()
        self._styles.put(None)
        self._thread.join()

    def _run(self) -> None:
        if sys.platform == "linux":
            # There a thread has a priority of its own. Styles that are folded for this take seconds of the CPU.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        sample = files("vidgan.live.web") / "static" / "sample.jpg"
        with as_file(sample) as path, open_source(path, size=_SIZE) as source:
            frame = next(iter(source))
        while (style := self._styles.get()) is not None and not self._stopped.is_set():
            try:
                # This session is not kept, because pipelines have sessions of their own.
                output = StyleEffect(load_style(style, device="cpu")).apply(frame)
            except VidganError:
                continue  # Reported when the style is selected.
            bgr = cv2.cvtColor(output.pixels, cv2.COLOR_RGB2BGR)
            _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            self.ready[style] = encoded.tobytes()
