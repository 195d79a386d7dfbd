"""A microphone, by FFmpeg's capture devices."""

import os
import sys
import threading
from pathlib import Path
from typing import Self

import av
from av.container import InputContainer

from vidgan.errors import InputError
from vidgan.live.audio import AudioFeed
from vidgan.live.clock import now

_FORMATS = {"linux": ("pulse", "alsa"), "darwin": ("avfoundation",), "win32": ("dshow",)}
"""FFmpeg's audio capture devices by ``sys.platform``, in order of preference."""

_ALSA = "ALSA_CONFIG_PATH", "/usr/share/alsa/alsa.conf"
"""Location of the configuration in distributions; PyAV's wheels search another."""


class Microphone:
    """Captures audio on a thread of its own, from entering its ``with`` block to leaving it.

    Args:
        name: the system's name of the device; empty for the default device.
        format: FFmpeg's name of the capture device; None for that of the system.

    Attributes:
        feed: receives the captured audio.

    Raises:
        InputError: the device cannot be opened, or this FFmpeg has no audio capture.
    """

    def __init__(self, name: str = "", *, format: str | None = None) -> None:
        supported = [each for each in _FORMATS.get(sys.platform, ()) if each in av.formats_available]
        if format is None and not supported:
            raise InputError("`microphone`: this FFmpeg has no audio capture; PyAV's own wheels may have it")
        self.feed = AudioFeed()
        self._container = _open(name, format or supported[0])
        self._stopped = False
        self._thread = threading.Thread(target=self._capture, name="vidgan-microphone", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join()
        self._container.close()

    def _capture(self) -> None:
        try:
            for frame in self._container.decode(audio=0):
                self.feed.publish(frame, now() - 1_000_000 * frame.samples // frame.sample_rate)
                if self._stopped:
                    return
        except (av.error.FFmpegError, OSError):
            return  # Unplugged: recordings continue without sound.


def _open(name: str, format: str) -> InputContainer:
    variable, default = _ALSA
    if format == "alsa" and Path(default).exists():
        os.environ.setdefault(variable, default)
    if format == "dshow":
        address = f"audio={name}"
    elif format == "avfoundation":
        address = f":{name or 'default'}"
    else:
        address = name or "default"
    try:
        opened = av.open(address, "r", format=format)
    except (av.error.FFmpegError, OSError) as exc:
        raise InputError(
            f"`microphone` {name or 'default'}: cannot be opened: {exc.strerror or exc}"
        ) from exc
    if not opened.streams.audio:
        opened.close()
        raise InputError(f"`microphone` {name or 'default'}: has no audio stream")
    return opened
