"""Sound for a recording, by FFmpeg's devices."""

import os
import sys
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer

from vidgan.errors import InputError
from vidgan.live.clock import now

_FORMATS = {"linux": ("pulse", "alsa"), "darwin": ("avfoundation",), "win32": ("dshow",)}
"""FFmpeg's names for what sound comes from, by Python's for the system, the better first."""

_KEPT = 1000
"""Pieces of sound that wait for whoever records; of some 20 ms each."""

_ALSA = "ALSA_CONFIG_PATH", "/usr/share/alsa/alsa.conf"
"""Where distributions have it; PyAV's wheels look elsewhere."""


class Microphone:
    """Listens from entering its ``with`` block to leaving it, on a thread of its own.

    Args:
        name: as the system calls it; empty for the usual one.
        format: FFmpeg's name for what it is opened by; None for the system's.

    Raises:
        InputError: it cannot be opened, or this FFmpeg knows no microphones.
    """

    def __init__(self, name: str = "", *, format: str | None = None) -> None:
        known = [each for each in _FORMATS.get(sys.platform, ()) if each in av.formats_available]
        if format is None and not known:
            raise InputError("--microphone: this FFmpeg was built without any; PyAV's own build may have it")
        self._container = _opened(name, format or known[0])
        self._heard: deque[tuple[av.AudioFrame, int]] = deque(maxlen=_KEPT)
        self._stopped = False
        self._thread = threading.Thread(target=self._listen, name="vidgan-microphone", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        self._thread.join()
        self._container.close()

    def heard(self) -> list[tuple[av.AudioFrame, int]]:
        """What came since it was last asked for, and when each piece began, on the live clock."""
        return [self._heard.popleft() for _ in range(len(self._heard))]

    def _listen(self) -> None:
        try:
            for sound in self._container.decode(audio=0):
                self._heard.append((sound, now() - 1_000_000 * sound.samples // sound.sample_rate))
                if self._stopped:
                    return
        except (av.error.FFmpegError, OSError):
            return  # Unplugged: the film goes on without sound.


def _opened(name: str, format: str) -> InputContainer:
    variable, usual = _ALSA
    if format == "alsa" and Path(usual).exists():
        os.environ.setdefault(variable, usual)
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
            f"--microphone {name or 'default'}: cannot be opened: {exc.strerror or exc}"
        ) from exc
    if not opened.streams.audio:
        opened.close()
        raise InputError(f"--microphone {name or 'default'}: has no sound in it")
    return opened
