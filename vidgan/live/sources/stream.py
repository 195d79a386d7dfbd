"""Network streams."""

import contextlib
from collections.abc import Generator

import av
from av.container import InputContainer

from vidgan.errors import InputError
from vidgan.live.audio import AudioFeed
from vidgan.live.clock import now
from vidgan.live.sources.live_source import LiveSource
from vidgan.live.urls import without_credentials
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
"""FFmpeg's protocol whitelist by scheme: a playlist in the stream must not open local files."""

_OPEN_SECONDS, _READ_SECONDS = 10.0, 5.0
"""Timeouts for opening a stream and for the next packet."""

_OPTIONS = {
    # No reordering buffer, and little probing before the first frame.
    "flags": "low_delay",
    "probesize": "500000",
    "analyzeduration": "1000000",
    "max_pixels": str(MAX_FRAME_PIXELS),
}


class StreamSource:
    """A network stream; see :class:`vidgan.live.sources.LiveSource`.

    Args:
        url: RTSP, RTMP, HTTP or HLS, UDP, RTP or TCP; SRT where FFmpeg supports it.

    Raises:
        InputError: the scheme is not supported.
    """

    reconnects = True

    def __init__(self, url: str) -> None:
        scheme = url.partition("://")[0].lower()
        if scheme not in _PROTOCOLS:
            raise InputError(
                f"{without_credentials(url)}: is not supported; streams are {', '.join(_PROTOCOLS)}"
            )
        self.name = without_credentials(url)
        self.frame_rate = 0.0
        self.audio: AudioFeed | None = None
        self._feed = AudioFeed()
        self._url, self._protocols = url, _PROTOCOLS[scheme]

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        try:
            with self._open() as container:
                self.audio = self._feed if container.streams.audio else None
                yield from decode_low_delay(container, self)
        except av.error.ProtocolNotFoundError as exc:
            raise InputError(f"{self.name}: this FFmpeg does not support the protocol") from exc
        except av.error.ExitError as exc:
            raise InputError(f"{self.name}: timed out; the sender is silent") from exc
        except (av.error.FFmpegError, OSError) as exc:
            raise InputError(f"{self.name}: cannot be read: {exc.strerror or exc}") from exc

    def _open(self) -> InputContainer:
        return av.open(
            self._url,
            "r",
            options={**_OPTIONS, "protocol_whitelist": self._protocols},
            metadata_errors="replace",
            timeout=(_OPEN_SECONDS, _READ_SECONDS),
        )


def decode_low_delay(container: InputContainer, source: LiveSource) -> Generator[av.VideoFrame, None, None]:
    """Frames of the first video stream, each as soon as it arrives.

    Audio of the container is published to ``source.audio`` if that is not None.

    Raises:
        InputError: the container has no video stream.
    """
    if not container.streams.video:
        raise InputError(f"{source.name}: has no video stream")
    video = container.streams.video[0]
    # Each thread of frame threading would delay the output by one frame.
    video.codec_context.thread_type = "SLICE"
    source.frame_rate = float(video.average_rate or video.guessed_rate or 0)
    streams = [video, *(container.streams.audio[:1] if source.audio is not None else [])]
    # Some protocols report the end as an error.
    with contextlib.suppress(av.error.EOFError):
        for packet in container.demux(streams):
            try:
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        yield frame
                    elif isinstance(frame, av.AudioFrame) and source.audio is not None:
                        _publish(frame, source.audio)
            except av.error.InvalidDataError:
                continue  # A packet damaged in transit costs its own frame.


def _publish(frame: av.AudioFrame, feed: AudioFeed) -> None:
    feed.publish(frame, now() - 1_000_000 * frame.samples // frame.sample_rate)
