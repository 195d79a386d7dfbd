"""WebRTC connections to browsers, by aiortc."""

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
from vidgan.live.frame_pair import FramePair
from vidgan.live.mailbox import Mailbox
from vidgan.live.web.streams import LatestFrameSink
from vidgan.media.frame import Frame

_MAX_PIXELS = 1920 * 1080
"""Pixels of a client's camera frame; larger ones are dropped."""


class OutputTrack(MediaStreamTrack):
    """A video track of the newest frame each time that the encoder is ready for one."""

    kind = "video"

    def __init__(self, frames: LatestFrameSink) -> None:
        super().__init__()
        self._frames = frames
        self._last: FramePair | None = None

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._last = await self._frames.newer_than(self._last)
        return to_video_frame(self._last.output)


class PeerConnection:
    """A connection to one browser.

    Args:
        frames: sent to the browser.
    """

    def __init__(self, frames: LatestFrameSink) -> None:
        self._frames = frames
        # No STUN server: browsers reach the machine that serves the page, and no third party is contacted.
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._receiver: asyncio.Task[None] | None = None

    async def answer(self, offer: Any, camera: Mailbox[av.VideoFrame] | None) -> dict[str, str]:
        """The SDP answer to a browser's offer.

        Args:
            offer: session description: ``{"type": "offer", "sdp": …}``.
            camera: receives the frames of the browser's camera.

        Raises:
            InputError: the offer is malformed, or contains no video.
        """
        try:
            self._peer.addTrack(OutputTrack(self._frames))
            await self._peer.setRemoteDescription(RTCSessionDescription(**offer))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as exc:  # aiortc's parser raises exceptions of any type for malformed input.
            raise InputError(f"the WebRTC offer cannot be answered: {exc}") from exc
        receivers = self._peer.getReceivers()
        if camera is not None and receivers:
            self._receiver = asyncio.ensure_future(_receive(receivers[0].track, camera))
        return {"type": self._peer.localDescription.type, "sdp": self._peer.localDescription.sdp}

    @property
    def ended(self) -> bool:
        return self._peer.connectionState in ("failed", "closed")

    async def close(self) -> None:
        if self._receiver is not None:
            self._receiver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._receiver
        await self._peer.close()


async def _receive(track: MediaStreamTrack, camera: Mailbox[av.VideoFrame]) -> None:
    """Puts frames of a track into the mailbox until the track ends."""
    try:
        while True:
            frame = await track.recv()
            if isinstance(frame, av.VideoFrame) and frame.width * frame.height <= _MAX_PIXELS:
                camera.put(frame)
    except MediaStreamError:
        pass
    finally:
        camera.close()


def to_video_frame(frame: Frame) -> av.VideoFrame:
    """A frame as browsers expect it from VP8: ``yuv420p``, BT.601, limited range."""
    planes = frame.image.yuv().to_yuv420(full_range=False, bt709=False, chroma_location="center")
    width, height = frame.size
    packed = np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)
    converted = av.VideoFrame.from_ndarray(packed, "yuv420p")
    converted.pts, converted.time_base = frame.pts, TIME_BASE
    return converted
