"""A video file, played at its own frame rate with its sound."""

import contextlib
import time
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import av

from vidgan.errors import InputError
from vidgan.live.audio import AudioFeed
from vidgan.media.timeline import Timeline
from vidgan.sources import is_still
from vidgan.sources.container import open_container
from vidgan.sources.video import VideoSource

_MAX_DELAY_SECONDS = 1.0
"""Delay of the decoder after which the file's clock is restarted instead of catching up."""

_AUDIO_AHEAD_SECONDS = 0.1
"""Audio is decoded this far ahead of the video, so that it has arrived when a frame is encoded."""


class VideoFileSource:
    """A video file; see :class:`vidgan.live.sources.LiveSource`.

    Args:
        path: a local file.
        loop: restart at the end, without limit.

    Raises:
        InputError: the path is that of a folder or an image.
    """

    reconnects = False

    def __init__(self, path: Path, *, loop: bool = False) -> None:
        if not path.is_file() or is_still(path):
            raise InputError(f"{path}: is not a video; 'vidgan stylize' takes images and folders of frames")
        self.name = str(path)
        self.path = path
        self.frame_rate = 0.0
        self.audio: AudioFeed | None = None
        self._feed = AudioFeed()
        self._loop = loop

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        yield from self._play()
        while self._loop:
            yield from self._play()

    def _play(self) -> Generator[av.VideoFrame, None, None]:
        with ExitStack() as stack:
            source = stack.enter_context(VideoSource(self.path))
            audio = stack.enter_context(_FileAudio(self.path, self._feed, source.timeline))
            self.audio = self._feed if audio.available else None
            self.frame_rate = float(source.info.frame_rate or 25)
            start: float | None = None
            for frame, pts in source.decoded():
                moment = float(pts * source.info.time_base)
                early = 0.0 if start is None else start + moment - time.monotonic()
                if start is None or early < -_MAX_DELAY_SECONDS:
                    start = time.monotonic() - moment
                if early > 0:
                    time.sleep(early)
                audio.publish_until(moment + _AUDIO_AHEAD_SECONDS, start)
                yield frame
            # The last frame is shown as long as the others.
            time.sleep(1 / self.frame_rate)


class _FileAudio:
    """The first audio stream of a file, decoded in step with the video.

    Args:
        path: the file; a second reader of it, since the video decoder discards other streams.
        feed: receives the audio.
        timeline: from the times of the file to those of the video's frames.

    Attributes:
        available: whether there is an audio stream that can be decoded.
    """

    def __init__(self, path: Path, feed: AudioFeed, timeline: Timeline) -> None:
        self._container = open_container(path)
        self._feed, self._timeline = feed, timeline
        self.available = bool(self._container.streams.audio)
        self._decoded = self._decode() if self.available else iter(())
        self._next = next(self._decoded, None)

    def __enter__(self) -> "_FileAudio":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def publish_until(self, moment: float, start: float) -> None:
        """Publishes the audio before that time.

        Args:
            moment: seconds from the start of the file.
            start: time on the monotonic clock at which second 0 is played.
        """
        while self._next is not None and self._next[1] < moment:
            frame, time = self._next
            self._feed.publish(frame, round((start + time) * 1e6))
            self._next = next(self._decoded, None)

    def _decode(self) -> Generator[tuple[av.AudioFrame, float], None, None]:
        """Frames and their times in seconds from the start of the file."""
        # A file that is cut off is reported by the video decoder.
        with contextlib.suppress(av.error.FFmpegError, OSError):
            for packet in self._container.demux(audio=0):
                # A damaged packet costs its own samples.
                with contextlib.suppress(av.error.InvalidDataError):
                    for frame in packet.decode():
                        if frame.pts is not None and frame.time_base is not None:
                            time = self._timeline.map(frame.pts * frame.time_base, packet.pos)
                            yield frame, float(time)
