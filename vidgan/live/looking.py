"""A browser's part, without a browser: looks at the live picture of a page."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from vidgan.live.web.page import Page


class Looker:
    """Opens a page, and gets its picture by WebRTC, decoded, on a thread of its own.

    Args:
        page: entered.
        seen: is told the luma of each picture, ``(H, W)`` uint8, as soon as it is decoded.
    """

    def __init__(self, page: Page, seen: Callable[[np.ndarray[Any, np.dtype[np.uint8]]], None]) -> None:
        self._page, self._seen = page, seen
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="vidgan-looker", daemon=True)
        self._error: BaseException | None = None
        self._thread.start()

    def close(self) -> None:
        """Raises what kept it from looking."""
        with contextlib.suppress(RuntimeError):  # It has ended already.
            self._loop.call_soon_threadsafe(lambda: self._task is not None and self._task.cancel())
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._task = self._loop.create_task(self._look())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception as exc:
            self._error = exc
        finally:
            self._loop.close()

    async def _look(self) -> None:
        jar = aiohttp.CookieJar(unsafe=True)  # Otherwise hosts that are numbers have none.
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            async with aiohttp.ClientSession(cookie_jar=jar, raise_for_status=True) as session:
                await (await session.get(self._page.url)).read()
                peer.addTransceiver("video", direction="recvonly")
                await peer.setLocalDescription(await peer.createOffer())
                local = peer.localDescription
                offer = {"type": local.type, "sdp": local.sdp}
                answer = await session.post(f"{self._page.url}call", json={"offer": offer})
                await peer.setRemoteDescription(RTCSessionDescription(**await answer.json()))
                await self._watch(peer)
        finally:
            await peer.close()

    async def _watch(self, peer: RTCPeerConnection) -> None:
        track = peer.getReceivers()[0].track
        with contextlib.suppress(MediaStreamError):
            while True:
                picture = await track.recv()
                if isinstance(picture, av.VideoFrame):
                    planes = np.asarray(picture.to_ndarray(format="yuv420p"), np.uint8)
                    self._seen(planes[: picture.height])
