"""A WebRTC client of the page, without a browser."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

import aiohttp
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from vidgan.live.benchmark.frame_number import Luma
from vidgan.live.web.server import WebServer


class PageClient:
    """Opens the page and receives its video by WebRTC, on a thread of its own.

    Args:
        server: running.
        on_frame: called with the luma plane of each decoded frame, ``(H, W)`` uint8.
    """

    def __init__(self, server: WebServer, on_frame: Callable[[Luma], None]) -> None:
        self._server, self._on_frame = server, on_frame
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="vidgan-page-client", daemon=True)
        self._error: BaseException | None = None
        self._thread.start()

    def close(self) -> None:
        """Disconnects; raises the error that ended the connection, if any."""
        with contextlib.suppress(RuntimeError):  # The loop has ended already.
            self._loop.call_soon_threadsafe(lambda: self._task is not None and self._task.cancel())
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._task = self._loop.create_task(self._connect())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception as exc:
            self._error = exc
        finally:
            self._loop.close()

    async def _connect(self) -> None:
        cookies = aiohttp.CookieJar(
            unsafe=True
        )  # A safe jar keeps no cookies of hosts that are IP addresses.
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            async with aiohttp.ClientSession(cookie_jar=cookies, raise_for_status=True) as session:
                await (await session.get(self._server.url)).read()
                peer.addTransceiver("video", direction="recvonly")
                await peer.setLocalDescription(await peer.createOffer())
                local = peer.localDescription
                offer = {"type": local.type, "sdp": local.sdp}
                answer = await session.post(f"{self._server.url}connection", json={"offer": offer})
                await peer.setRemoteDescription(RTCSessionDescription(**await answer.json()))
                await self._receive(peer)
        finally:
            await peer.close()

    async def _receive(self, peer: RTCPeerConnection) -> None:
        track = peer.getReceivers()[0].track
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    planes = np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)
                    self._on_frame(planes[: frame.height])
