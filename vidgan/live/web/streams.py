"""Live streams of the page: a pipeline and its newest frame, and the camera of a client as a source."""

import asyncio
import contextlib
from collections.abc import Generator

import av

from vidgan.live.frame_pair import FramePair
from vidgan.live.mailbox import Mailbox
from vidgan.live.pipeline.live_pipeline import LivePipeline


class LatestFrameSink:
    """Provides the newest frame to coroutines; see :class:`vidgan.live.sinks.LiveSink`.

    Args:
        loop: event loop of the coroutines.

    Attributes:
        latest: the newest frame; None before the first.
    """

    name = "page"

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.latest: FramePair | None = None
        self._loop = loop
        self._next: asyncio.Future[None] = loop.create_future()
        self._scheduled = False

    def write(self, pair: FramePair) -> None:
        self.latest = pair
        # A busy loop is woken once, and finds the newest frame then.
        if not self._scheduled:
            self._scheduled = True
            with contextlib.suppress(RuntimeError):  # The loop has ended.
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        pass

    async def newer_than(self, previous: FramePair | None) -> FramePair:
        """Waits for a frame other than the previous one, and returns the newest."""
        while self.latest is None or self.latest is previous:
            await asyncio.shield(self._next)
        return self.latest

    def _wake(self) -> None:
        self._scheduled = False
        woken, self._next = self._next, self._loop.create_future()
        woken.set_result(None)


class LiveStream:
    """A running pipeline and its newest frame.

    Args:
        pipeline: entered.
        loop: event loop of the page.
    """

    def __init__(self, pipeline: LivePipeline, loop: asyncio.AbstractEventLoop) -> None:
        self.pipeline = pipeline
        self.frames = LatestFrameSink(loop)
        pipeline.attach(self.frames)

    def close(self) -> None:
        """Detaches from the pipeline; blocks, so that it must not be called on the event loop."""
        with contextlib.suppress(ValueError):  # The pipeline has ended and detached all sinks.
            self.pipeline.detach(self.frames)


class ClientCamera:
    """Video that a client sends; see :class:`vidgan.live.sources.LiveSource`."""

    name = "the client's camera"
    reconnects = False
    frame_rate = 0.0
    audio = None

    def __init__(self) -> None:
        self.mailbox: Mailbox[av.VideoFrame] = Mailbox()

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        yield from self.mailbox
