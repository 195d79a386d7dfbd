"""Sessions of styles, loaded in the background so that a change of style causes no gap."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from vidgan.jobs.api import load_style
from vidgan.media.image import YuvImage
from vidgan.session import Device, Session, cores

_WARM_UP_SIDE = 64
"""Pixels per side of the image that is processed once before a style is used."""


class StyleCache:
    """Sessions by name of style, each loaded once, one after the other on a thread of the cache.

    Args:
        device: see :class:`vidgan.session.Session`.
    """

    def __init__(self, device: Device = "auto") -> None:
        self._device = device
        # One core remains for capture and encoding.
        self._threads = max(1, cores() - 1)
        self._sessions: dict[str, Future[Session]] = {}
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="vidgan-styles")

    def load(self, name: str) -> Session:
        """The session of a style; blocks until it is loaded.

        Raises:
            ModelNotFoundError, ModelError, DeviceError: see :func:`vidgan.jobs.api.load_style`.
        """
        return self._future(name).result()

    def poll(self, name: str) -> Session | None:
        """The session of a style, or None while it loads; the first call starts loading.

        Raises:
            ModelNotFoundError, ModelError, DeviceError: the style could not be loaded.
        """
        future = self._future(name)
        return future.result() if future.done() else None

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)

    def _future(self, name: str) -> Future[Session]:
        if name not in self._sessions:
            self._sessions[name] = self._executor.submit(self._load, name)
        return self._sessions[name]

    def _load(self, name: str) -> Session:
        session = load_style(name, device=self._device, threads=self._threads)
        # The first run allocates and, on a GPU, compiles; it must not delay a frame.
        gray = np.full((1, _WARM_UP_SIDE, _WARM_UP_SIDE, 3), 128, np.uint8)
        if session.takes_yuv:
            session.run_yuv(YuvImage.from_rgb(gray[0]))
        else:
            session.run(gray)
        return session
