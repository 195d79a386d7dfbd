"""A live picture that the page shows, and the camera of a visitor as its source."""

import asyncio
import contextlib
from collections.abc import Generator

import av

from vidgan.live.live import Live
from vidgan.live.mailbox import Slot
from vidgan.live.stylizer import Shot


class Screen:
    """Keeps the newest shot for an event loop; see :class:`vidgan.live.sinks.LiveSink`.

    Args:
        loop: of those who look.

    Attributes:
        shot: the newest; None before the first.
    """

    name = "page"

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.shot: Shot | None = None
        self._loop = loop
        self._next: asyncio.Future[None] = loop.create_future()
        self._told = False

    def write(self, shot: Shot) -> None:
        self.shot = shot
        # A loop that is busy is told once, and finds the newest.
        if not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # It has ended.
                self._loop.call_soon_threadsafe(self._tell)

    def finish(self) -> None:
        pass

    async def newer(self, than: Shot | None) -> Shot:
        """The newest shot, once it is another one."""
        while self.shot is None or self.shot is than:
            await asyncio.shield(self._next)
        return self.shot

    def _tell(self) -> None:
        self._told = False
        told, self._next = self._next, self._loop.create_future()
        told.set_result(None)


class Stage:
    """A live path and its screen.

    Args:
        live: entered.
        loop: of the page.
    """

    def __init__(self, live: Live, loop: asyncio.AbstractEventLoop) -> None:
        self.live = live
        self.screen = Screen(loop)
        live.attach(self.screen)

    def close(self) -> None:
        """Waits for the screen; to be called from another thread than the loop's."""
        with contextlib.suppress(ValueError):  # Whoever ended it has detached everything.
            self.live.detach(self.screen)


class VisitorCamera:
    """What a visitor sends; see :class:`vidgan.live.sources.LiveSource`."""

    name = "the visitor's camera"
    returns = False
    rate = 0.0

    def __init__(self) -> None:
        self.slot: Slot[av.VideoFrame] = Slot()

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        yield from self.slot
