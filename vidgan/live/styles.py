"""Styles that are loaded in the background, so that changing to one leaves no gap."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from vidgan.jobs.api import load_style
from vidgan.media.image import YuvImage
from vidgan.session import Device, Session, cores

_WARM = 64
"""Pixels a side of what a style paints before it is shown."""


class Styles:
    """Sessions by the style's name, loaded once each on a thread of their own.

    Args:
        device: see :class:`vidgan.session.Session`.
    """

    def __init__(self, device: Device = "auto") -> None:
        self._device = device
        # One core is left to capturing and encoding.
        self._threads = max(1, cores() - 1)
        self._sessions: dict[str, Future[Session]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="vidgan-styles")

    def load(self, name: str) -> Session:
        """The style, waited for.

        Raises:
            ModelNotFoundError, ModelError, DeviceError: see :func:`vidgan.jobs.api.load_style`.
        """
        return self._future(name).result()

    def ready(self, name: str) -> Session | None:
        """The style, or None while it is being loaded, which begins now if it has not.

        Raises:
            ModelNotFoundError, ModelError, DeviceError: it could not be loaded.
        """
        future = self._future(name)
        return future.result() if future.done() else None

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _future(self, name: str) -> Future[Session]:
        if name not in self._sessions:
            self._sessions[name] = self._pool.submit(self._loaded, name)
        return self._sessions[name]

    def _loaded(self, name: str) -> Session:
        session = load_style(name, device=self._device, threads=self._threads)
        # What is loaded only when it is first needed would be missed then.
        grey = np.full((1, _WARM, _WARM, 3), 128, np.uint8)
        if session.takes_yuv:
            session.run_yuv(YuvImage.from_rgb(grey[0]))
        else:
            session.run(grey)
        return session
