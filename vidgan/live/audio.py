"""Audio from one source to any number of recordings and streams."""

from __future__ import annotations

import threading
from collections import deque
from fractions import Fraction

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from vidgan.live.clock import TIME_BASE

TimedAudio = tuple[av.AudioFrame, int]
"""An audio frame and the time at which it began, on the live clock."""

_QUEUE_LENGTH = 1000
"""Audio frames that wait for a consumer, about 20 ms each; the oldest are dropped then."""

_SAMPLE_RATE = 48_000
_GAP_SECONDS = 0.2
"""Missing audio of this length becomes a gap in the timestamps; less is jitter of the capture times."""


class AudioQueue:
    """Audio frames that one consumer has not read yet."""

    def __init__(self) -> None:
        self._frames: deque[TimedAudio] = deque(maxlen=_QUEUE_LENGTH)

    def put(self, audio: TimedAudio) -> None:
        self._frames.append(audio)

    def read(self) -> list[TimedAudio]:
        """The frames since the last call."""
        return [self._frames.popleft() for _ in range(len(self._frames))]


class AudioFeed:
    """Copies audio frames to all subscribers."""

    def __init__(self) -> None:
        self._queues: list[AudioQueue] = []
        self._lock = threading.Lock()

    def subscribe(self) -> AudioQueue:
        """A queue that receives every frame from now on."""
        queue = AudioQueue()
        with self._lock:
            self._queues.append(queue)
        return queue

    def unsubscribe(self, queue: AudioQueue) -> None:
        with self._lock:
            self._queues.remove(queue)

    def publish(self, frame: av.AudioFrame, began: int) -> None:
        """Hands a frame to all subscribers.

        Args:
            began: capture time of its first sample, on the live clock.
        """
        with self._lock:
            queues = list(self._queues)
        for queue in queues:
            queue.put((frame, began))


class AudioTrack:
    """An encoded audio stream of a container, stereo at 48 kHz.

    Frames are concatenated without gaps as long as less than 0.2 s are missing between them, since capture times
    jitter; longer interruptions become gaps in the timestamps. The first frame keeps its time.

    Args:
        container: opened for writing; the stream is added to it.
        feed: where the audio comes from.
        codec: FFmpeg's name of the encoder, ``"aac"`` or ``"libopus"``.
    """

    def __init__(self, container: OutputContainer, feed: AudioFeed, codec: str) -> None:
        stream = container.add_stream(codec, rate=_SAMPLE_RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = "stereo"
        self._stream = stream
        self._resampler = AudioResampler(format=stream.format, layout="stereo", rate=_SAMPLE_RATE)
        self._next: int | None = None
        self._feed, self._queue = feed, feed.subscribe()

    def packets(self, *, since: int) -> list[Packet[AudioStream]]:
        """Encodes the audio that arrived since the last call.

        Args:
            since: time on the live clock that becomes timestamp 0; earlier audio is dropped.
        """
        packets: list[Packet[AudioStream]] = []
        for frame, began in self._queue.read():
            if began < since:
                continue
            due = round((began - since) * TIME_BASE * _SAMPLE_RATE)
            if self._next is None or due - self._next > _GAP_SECONDS * _SAMPLE_RATE:
                self._next = due
            frame.pts = None
            for resampled in self._resampler.resample(frame):
                resampled.pts, resampled.time_base = self._next, Fraction(1, _SAMPLE_RATE)
                self._next += resampled.samples
                packets += self._stream.encode(resampled)
        return packets

    def flush(self) -> list[Packet[AudioStream]]:
        """Ends the stream and returns the last packets."""
        self._feed.unsubscribe(self._queue)
        return self._stream.encode(None)
