"""Clients of the page, and what belongs to each."""

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from vidgan.live.controls import Controls
from vidgan.live.frame_pair import FramePair
from vidgan.live.web.peer_connection import PeerConnection
from vidgan.live.web.recordings import Recording
from vidgan.live.web.streams import LiveStream
from vidgan.live.web.uploads import Upload

T = TypeVar("T")

_MAX_CLIENTS = 200
_IDLE_SECONDS = 3600.0
"""Time without requests after which a client is removed."""


@dataclass(slots=True, eq=False)
class Client:
    """One browser.

    Attributes:
        controls: of the client's own camera, and of its uploads where there is no shared stream.
        id: random and secret.
        stream: of the client's own camera; None without one.
        connection: the WebRTC connection; None without one.
        last_frame: the last frame that was sent as a JPEG.
        recording: the recording under way, and the stream that is recorded.
        uploading: number of uploads in transfer.
        last_seen: time of the last request, on the monotonic clock.
    """

    controls: Controls
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    stream: LiveStream | None = None
    connection: PeerConnection | None = None
    last_frame: FramePair | None = None
    recording: tuple[Recording, LiveStream] | None = None
    recordings: dict[str, Recording] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    uploading: int = 0
    last_seen: float = field(default_factory=time.monotonic)

    def get_upload(self, id: str) -> Upload:
        """The client's upload with that id.

        Raises:
            HTTPNotFound: there is none, or it belongs to another client.
        """
        return _get(self.uploads, id)

    def get_recording(self, id: str) -> Recording:
        """The client's recording with that id, as :meth:`get_upload`."""
        return _get(self.recordings, id)

    @property
    def idle(self) -> bool:
        return self.stream is None and time.monotonic() - self.last_seen > _IDLE_SECONDS


class Clients:
    """All clients by id."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))

    def add(self, controls: Controls) -> Client:
        """A new client.

        Raises:
            HTTPServiceUnavailable: there are too many clients.
        """
        if len(self._clients) >= _MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text="too many browsers have this page open")
        client = Client(controls)
        self._clients[client.id] = client
        return client

    def get(self, id: str) -> Client | None:
        client = self._clients.get(id)
        if client is not None:
            client.last_seen = time.monotonic()
        return client

    def remove_idle(self) -> list[Client]:
        """Removes the idle clients and returns them."""
        idle = [each for each in self._clients.values() if each.idle]
        for each in idle:
            del self._clients[each.id]
        return idle


def _get(items: Mapping[str, T], id: str) -> T:
    if id not in items:
        raise web.HTTPNotFound(text="not found")
    return items[id]
