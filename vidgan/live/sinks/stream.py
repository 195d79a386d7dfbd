"""The live picture sent on over the network."""

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
from vidgan.live.clock import TIME_BASE
from vidgan.live.fitting import Size, resized
from vidgan.live.sinks.recording import UNIT
from vidgan.live.sinks.relay import CONNECTED
from vidgan.live.sources.stream import without_secrets
from vidgan.live.stylizer import Shot
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

_RETRY_SECONDS = 2.0
_LEAVE_SECONDS = 2.0
"""That a receiver gets to take the last of it."""


class StreamSink:
    """Sends H.264 without delay; a receiver that is not there, or goes, is tried again and again.

    Args:
        address: RTMP, RTSP, UDP, RTP or TCP; SRT where FFmpeg has it.
        fps: about how many frames come a second.
        say: is told when the receiver goes and comes.

    Raises:
        OutputError: the address is of another kind.
    """

    name = "stream"

    def __init__(self, address: str, *, fps: float, say: Callable[[str], None]) -> None:
        scheme = address.partition("://")[0].lower()
        self._shown = without_secrets(address)
        if "://" not in address or scheme not in _MUXERS:
            raise OutputError(f"{self._shown}: a stream goes to an address of {', '.join(_MUXERS)}")
        self._address, self._muxer, self._fps, self._say = address, _MUXERS[scheme], fps, say
        self._sending: _Sending | None = None
        self._retry = 0.0
        self._lost = False

    def write(self, shot: Shot) -> None:
        if self._sending is None and time.monotonic() < self._retry:
            return
        if self._sending is None:
            self._sending = _Sending(self._address, self._muxer, shot.painted.size, self._fps)
        try:
            self._sending.send(shot.painted)
        except BrokenPipeError:
            self._give_up()
        else:
            if self._lost and self._sending.connected:
                self._say(f"{self._shown}: takes it again")
                self._lost = False

    def finish(self) -> None:
        if self._sending is not None:
            self._sending.close()

    def _give_up(self) -> None:
        """For a while."""
        assert self._sending is not None
        reason = self._sending.close()
        if not self._lost:
            self._say(f"{self._shown}: nobody takes the stream ({reason}); tried again until somebody does")
        self._lost = True
        self._sending, self._retry = None, time.monotonic() + _RETRY_SECONDS


class _Sending:
    """One connection, by :mod:`vidgan.live.sinks.relay`.

    Attributes:
        connected: whether somebody takes it.
    """

    def __init__(self, address: str, muxer: str, size: Size, fps: float) -> None:
        rate = Fraction(fps).limit_denominator(1001)
        info = VideoInfo(width=size[0], height=size[1], time_base=UNIT, frame_rate=rate)
        encoding = Encoding("libx264", "yuv420p", _encoder_options(fps))
        self._size = size
        self._first: int | None = None
        self._last = -1
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "vidgan.live.sinks.relay"]
        # Ctrl-C is for whoever feeds it, and ends when there is nothing more.
        self._relay = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )
        assert self._relay.stdin is not None
        self._pipe = _Pipe(self._relay.stdin)
        self._pipe.write(f"{muxer} {address}\n".encode())
        self._said = threading.Thread(target=self._listen, daemon=True)
        self._connected = False
        self._said.start()
        self._container = av.open(self._pipe, "w", format="nut", options={"flush_packets": "1"})
        self._encoder = Encoder(add_video(self._container, encoding, info), encoding, info)

    @property
    def connected(self) -> bool:
        return self._connected and self._relay.poll() is None

    def send(self, frame: Frame) -> None:
        """
        Raises:
            BrokenPipeError: nobody takes it, or no longer.
        """
        if self._first is None:
            self._first = frame.pts
        self._last = max(self._last + 1, round((frame.pts - self._first) * TIME_BASE / UNIT))
        timed = resized(frame, self._size).at(self._last, time_base=UNIT)
        self._container.mux(self._encoder.encode(timed))
        if self._pipe.broken:
            raise BrokenPipeError

    def close(self) -> str:
        """Ends it; returns why it had ended, if it had."""
        with contextlib.suppress(av.error.FFmpegError, OSError):
            self._container.close()
        self._pipe.close()
        try:
            self._relay.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._relay.kill()
            self._relay.wait()
        self._said.join()
        assert self._relay.stderr is not None and self._relay.stdout is not None
        with self._relay.stderr, self._relay.stdout:
            words = self._relay.stderr.read().decode(errors="replace").splitlines()
        return words[-1] if words else "it was closed"

    def _listen(self) -> None:
        assert self._relay.stdout is not None
        self._connected = self._relay.stdout.read(1) == CONNECTED


class _Pipe:
    """Where everything goes until nobody reads it any more.

    Attributes:
        broken: whether that is so.
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


def _encoder_options(fps: float) -> dict[str, str]:
    rate = {"crf": "23", "maxrate": "6M", "bufsize": "6M"}
    # Whoever joins waits for a frame that needs no others.
    return {"preset": "superfast", "tune": "zerolatency", "g": str(round(2 * fps)), **rate}
