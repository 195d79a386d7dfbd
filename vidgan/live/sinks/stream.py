"""Sends the output to a network address."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import IO

import av

from vidgan.errors import OutputError
from vidgan.live.audio import AudioFeed, AudioTrack
from vidgan.live.clock import TIME_BASE
from vidgan.live.conversion import FrameSize, resize
from vidgan.live.frame_pair import FramePair
from vidgan.live.sinks.recording import DEFAULT_KEYFRAME_SECONDS, VIDEO_TIME_BASE, no_audio
from vidgan.live.sinks.relay import CONNECTED
from vidgan.live.urls import without_credentials
from vidgan.media.encoding import Encoder, Encoding, add_video
from vidgan.media.frame import Frame, VideoInfo

_MUXERS = {
    "rtmp": "flv",
    "rtmps": "flv",
    "rtsp": "rtsp",
    "rtsps": "rtsp",
    "udp": "mpegts",
    "tcp": "mpegts",
    "srt": "mpegts",
    "rtp": "rtp_mpegts",
}

_PIPE_OPTIONS = {
    "flush_packets": "1",
    # Video must not wait for audio that does not come.
    "max_interleave_delta": "100000",
}

_RETRY_SECONDS = 2.0
_CLOSE_SECONDS = 2.0
"""Time for the receiver to take the last packets."""


class StreamSink:
    """Sends low-delay H.264, and AAC where there is audio; a receiver that is absent is retried for ever.

    Args:
        url: RTMP, RTSP, UDP, RTP or TCP; SRT where FFmpeg supports it.
        fps: approximate frame rate.
        notify: called when the receiver goes and when it comes back.
        audio: returns the audio to send; called for each connection.
        keyframe_seconds: interval of keyframes; a receiver that joins waits for the next one.

    Raises:
        OutputError: the scheme is not supported.
    """

    name = "stream"

    def __init__(
        self,
        url: str,
        *,
        fps: float,
        notify: Callable[[str], None],
        audio: Callable[[], AudioFeed | None] = no_audio,
        keyframe_seconds: float = DEFAULT_KEYFRAME_SECONDS,
    ) -> None:
        scheme = url.partition("://")[0].lower()
        self._label = without_credentials(url)
        if "://" not in url or scheme not in _MUXERS:
            raise OutputError(f"{self._label}: cannot be streamed to; streams go to {', '.join(_MUXERS)}")
        self._url, self._muxer, self._fps, self._notify = url, _MUXERS[scheme], fps, notify
        self._audio, self._keyframe_seconds = audio, keyframe_seconds
        self._connection: _Connection | None = None
        self._retry_at = 0.0
        self._lost = False

    def write(self, pair: FramePair) -> None:
        if self._connection is None and time.monotonic() < self._retry_at:
            return
        if self._connection is None:
            self._connection = self._connect(pair.output.size)
        try:
            self._connection.send(pair.output)
        except BrokenPipeError:
            self._disconnect()
        else:
            if self._lost and self._connection.connected:
                self._notify(f"{self._label}: connected again")
                self._lost = False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _connect(self, size: FrameSize) -> "_Connection":
        options = _encoder_options(self._fps, self._keyframe_seconds)
        return _Connection(self._url, self._muxer, size, self._fps, options, self._audio())

    def _disconnect(self) -> None:
        """Closes the connection until the next attempt."""
        assert self._connection is not None
        reason = self._connection.close()
        if not self._lost:
            self._notify(f"{self._label}: the receiver is not there ({reason}); trying again until it is")
        self._lost = True
        self._connection, self._retry_at = None, time.monotonic() + _RETRY_SECONDS


class _Connection:
    """One connection, held by :mod:`vidgan.live.sinks.relay`."""

    def __init__(
        self,
        url: str,
        muxer: str,
        size: FrameSize,
        fps: float,
        encoder_options: dict[str, str],
        audio: AudioFeed | None,
    ) -> None:
        rate = Fraction(fps).limit_denominator(1001)
        info = VideoInfo(width=size[0], height=size[1], time_base=VIDEO_TIME_BASE, frame_rate=rate)
        encoding = Encoding("libx264", "yuv420p", encoder_options)
        self._size = size
        self._first: int | None = None
        self._last = -1
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "vidgan.live.sinks.relay"]
        # The relay ends with its input, not by Ctrl-C, so that the last packets are sent.
        self._relay = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )
        assert self._relay.stdin is not None
        self._pipe = _Pipe(self._relay.stdin)
        self._pipe.write(f"{muxer} {url}\n".encode())
        self._listener = threading.Thread(target=self._wait_for_connection, daemon=True)
        self._connected = False
        self._listener.start()
        self._container = av.open(self._pipe, "w", format="nut", options=_PIPE_OPTIONS)
        self._encoder = Encoder(add_video(self._container, encoding, info), encoding, info)
        self._audio = None if audio is None else AudioTrack(self._container, audio, "aac")

    @property
    def connected(self) -> bool:
        """Whether a receiver takes the stream."""
        return self._connected and self._relay.poll() is None

    def send(self, frame: Frame) -> None:
        """Encodes and sends a frame whose ``pts`` is on the live clock.

        Raises:
            BrokenPipeError: there is no receiver, or it has gone.
        """
        if self._first is None:
            self._first = frame.pts
        self._last = max(self._last + 1, round((frame.pts - self._first) * TIME_BASE / VIDEO_TIME_BASE))
        timed = resize(frame, self._size).at(self._last, time_base=VIDEO_TIME_BASE)
        self._container.mux(self._encoder.encode(timed))
        if self._audio is not None:
            self._container.mux(self._audio.packets(since=self._first))
        if self._pipe.broken:
            raise BrokenPipeError

    def close(self) -> str:
        """Ends the connection; returns why it had ended, if it had."""
        with contextlib.suppress(av.error.FFmpegError, OSError):
            if self._audio is not None:
                self._container.mux(self._audio.flush())
            self._container.close()
        self._pipe.close()
        try:
            self._relay.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._relay.kill()
            self._relay.wait()
        self._listener.join()
        assert self._relay.stderr is not None and self._relay.stdout is not None
        with self._relay.stderr, self._relay.stdout:
            lines = self._relay.stderr.read().decode(errors="replace").splitlines()
        return lines[-1] if lines else "it was closed"

    def _wait_for_connection(self) -> None:
        assert self._relay.stdout is not None
        self._connected = self._relay.stdout.read(1) == CONNECTED


class _Pipe:
    """A pipe that discards data once its reader has gone.

    Attributes:
        broken: whether the reader has gone.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.broken = False
        self._file = file

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        try:
            while view and not self.broken:
                view = view[self._file.write(view) :]
        except OSError:
            self.broken = True
        return len(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def _encoder_options(fps: float, keyframe_seconds: float) -> dict[str, str]:
    interval = str(max(1, round(fps * keyframe_seconds)))
    rate = {"crf": "23", "maxrate": "6M", "bufsize": "6M"}
    return {"preset": "superfast", "tune": "zerolatency", "g": interval, **rate}
