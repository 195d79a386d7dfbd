"""The picture on its way to one browser, and that of its camera on the way back, by WebRTC (aiortc)."""

import asyncio
import contextlib
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from vidgan.errors import InputError
from vidgan.live.clock import TIME_BASE
from vidgan.live.mailbox import Slot
from vidgan.live.stylizer import Shot
from vidgan.live.web.streams import Screen
from vidgan.media.frame import Frame

_MOST_PIXELS = 1920 * 1080
"""Of what a visitor's camera sends; larger pictures are not taken."""


class PaintedTrack(MediaStreamTrack):
    """The newest shot of a screen, whenever the encoder is ready for one."""

    kind = "video"

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen
        self._last: Shot | None = None

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._last = await self._screen.newer(self._last)
        return as_picture(self._last.painted)


class Call:
    """A connection to one browser.

    Attributes:
        screen: that it is shown.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        # No server elsewhere is asked for anything; browsers find the machine that they have the page from.
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._receiving: asyncio.Task[None] | None = None

    async def answer(self, offer: Any, camera: Slot[av.VideoFrame] | None) -> dict[str, str]:
        """Takes up what a browser offers.

        Args:
            offer: its description of itself: ``{"type": "offer", "sdp": …}``.
            camera: where its camera's pictures are put.

        Raises:
            InputError: it is no such description, or not of a picture.
        """
        track = PaintedTrack(self.screen)
        try:
            self._peer.addTrack(track)
            await self._peer.setRemoteDescription(RTCSessionDescription(**offer))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as exc:  # What strangers write can go wrong in aiortc's parser in any way.
            raise InputError(f"that is no offer of a picture that can be answered: {exc}") from exc
        receivers = self._peer.getReceivers()
        if camera is not None and receivers:
            self._receiving = asyncio.ensure_future(_receive(receivers[0].track, camera))
        return {"type": self._peer.localDescription.type, "sdp": self._peer.localDescription.sdp}

    @property
    def ended(self) -> bool:
        return self._peer.connectionState in ("failed", "closed")

    async def close(self) -> None:
        if self._receiving is not None:
            self._receiving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._receiving
        await self._peer.close()


async def _receive(track: MediaStreamTrack, camera: Slot[av.VideoFrame]) -> None:
    """Until the browser sends no more."""
    try:
        while True:
            picture = await track.recv()
            if isinstance(picture, av.VideoFrame) and picture.width * picture.height <= _MOST_PIXELS:
                camera.put(picture)
    except MediaStreamError:
        pass
    finally:
        camera.close()


def as_picture(frame: Frame) -> av.VideoFrame:
    """A frame as browsers take it from VP8: BT.601, 16 to 235."""
    samples = frame.image.yuv().to_yuv420(full_range=False, bt709=False, chroma_location="center")
    width, height = frame.size
    packed = np.concatenate([each.ravel() for each in samples]).reshape(height * 3 // 2, width)
    picture = av.VideoFrame.from_ndarray(packed, "yuv420p")
    picture.pts, picture.time_base = frame.pts, TIME_BASE
    return picture
