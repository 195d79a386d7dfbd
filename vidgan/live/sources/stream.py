"""Streams from the network, opened because somebody gave their address."""

import contextlib
from collections.abc import Generator
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from vidgan.errors import InputError
from vidgan.live.sources import LiveSource
from vidgan.sources.limits import MAX_FRAME_PIXELS

_SECURE = "tcp,tls,crypto"
_PROTOCOLS = {
    "rtsp": f"rtsp,rtp,srtp,udp,{_SECURE}",
    "rtsps": f"rtsp,rtsps,rtp,srtp,udp,{_SECURE}",
    "rtmp": f"rtmp,rtmpt,{_SECURE}",
    "rtmps": f"rtmp,rtmps,{_SECURE}",
    "http": f"http,https,httpproxy,{_SECURE}",
    "https": f"http,https,httpproxy,{_SECURE}",
    "udp": "udp,rtp",
    "rtp": "udp,rtp",
    "tcp": "tcp",
    "srt": "srt",
}
"""What a stream of such an address may open: never a file, whatever a playlist in it says."""

_OPEN_SECONDS, _READ_SECONDS = 10.0, 5.0
"""How long to wait for a stream to begin, and to go on."""

_OPTIONS = {
    # Nothing is kept back to be played smoothly, and little is waited for to find out what it is.
    "flags": "low_delay",
    "probesize": "500000",
    "analyzeduration": "1000000",
    "max_pixels": str(MAX_FRAME_PIXELS),
}


class StreamSource:
    """See :class:`vidgan.live.sources.LiveSource`.

    Args:
        address: of RTSP, RTMP, HTTP or HLS, UDP, RTP or TCP; of SRT where FFmpeg has it.

    Raises:
        InputError: it is of another kind.
    """

    returns = True

    def __init__(self, address: str) -> None:
        scheme = address.partition("://")[0].lower()
        if scheme not in _PROTOCOLS:
            raise InputError(f"{without_secrets(address)}: streams are opened by {', '.join(_PROTOCOLS)}")
        self.name = without_secrets(address)
        self.rate = 0.0
        self._address, self._protocols = address, _PROTOCOLS[scheme]

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        try:
            with self._opened() as container:
                yield from decoded_at_once(container, self)
        except av.error.ProtocolNotFoundError as exc:
            raise InputError(f"{self.name}: this FFmpeg cannot open such streams") from exc
        except av.error.ExitError as exc:
            raise InputError(f"{self.name}: nothing comes from there") from exc
        except (av.error.FFmpegError, OSError) as exc:
            raise InputError(f"{self.name}: cannot be read: {exc.strerror or exc}") from exc

    def _opened(self) -> InputContainer:
        return av.open(
            self._address,
            "r",
            options={**_OPTIONS, "protocol_whitelist": self._protocols},
            metadata_errors="replace",
            timeout=(_OPEN_SECONDS, _READ_SECONDS),
        )


def decoded_at_once(container: InputContainer, source: LiveSource) -> Generator[av.VideoFrame, None, None]:
    """The pictures of a container that somebody else fills, none kept back for the next.

    Raises:
        InputError: there is no picture in it.
    """
    if not container.streams.video:
        raise InputError(f"{source.name}: has no picture in it")
    stream = container.streams.video[0]
    # Threads for whole frames would each keep one back.
    stream.codec_context.thread_type = "SLICE"
    source.rate = float(stream.average_rate or stream.guessed_rate or 0)
    # Some protocols say by an error that it has ended.
    with contextlib.suppress(av.error.EOFError):
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue  # A packet that was damaged on its way costs its own picture.


def without_secrets(address: str) -> str:
    """An address as it may be shown: without a user's name and password."""
    parts = urlsplit(address)
    return address.replace(f"{parts.netloc.rpartition('@')[0]}@", "", 1) if "@" in parts.netloc else address
