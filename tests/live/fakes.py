"""Sources and sinks for tests of the live path."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.support.timestamps import seconds
from vidgan.errors import InputError, OutputError
from vidgan.live.audio import AudioFeed
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.frame_pair import FramePair
from vidgan.live.settings import LiveSettings
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage

SIZE = 64, 48


def gray_frame(value: int, size: tuple[int, int] = SIZE) -> av.VideoFrame:
    """A decoded frame of one gray."""
    return av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), value, np.uint8), "rgb24")


def gray_pair(value: int, pts: int, size: tuple[int, int] = SIZE) -> FramePair:
    """A processed frame of one gray."""
    pixels = np.full((size[1], size[0], 3), value, np.uint8)
    frame = Frame(image=YuvImage.from_rgb(pixels), pts=pts, time_base=TIME_BASE)
    return FramePair(frame, frame, LiveSettings(style="x"))


def gray_of(pair: FramePair) -> int:
    """Median gray level of the output."""
    return int(np.median(pair.output.pixels))


def controls(style: str, **settings: object) -> Controls:
    return Controls(LiveSettings(style=style, smooth="off", **settings), styles=[style])  # type: ignore[arg-type]


class ScriptedSource:
    """A source that runs the next script each time that it is opened.

    A script yields frames; its exceptions are those of the source.
    """

    name = "scripted"
    frame_rate = 25.0
    audio: AudioFeed | None = None

    def __init__(self, *scripts: Callable[[], Iterable[av.VideoFrame]], reconnects: bool = False) -> None:
        self.reconnects = reconnects
        self._scripts = iter(scripts)

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        script = next(self._scripts, None)
        if script is None:
            raise InputError("scripted: nothing more")
        yield from script()


class CollectingSink:
    """A sink that keeps all frames and lets tests wait for them."""

    def __init__(self, name: str = "kept") -> None:
        self.name = name
        self.pairs: list[FramePair] = []
        self.closed = 0
        self._changed = threading.Condition()

    def write(self, pair: FramePair) -> None:
        with self._changed:
            self.pairs.append(pair)
            self._changed.notify_all()

    def close(self) -> None:
        self.closed += 1

    def wait_for(self, condition: Callable[[list[FramePair]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.pairs), 60), len(self.pairs)


class FailingSink(CollectingSink):
    """A sink that fails with the first frame."""

    def write(self, pair: FramePair) -> None:
        raise OutputError("broken: does not work")


def forever(*values: int) -> Callable[[], Iterator[av.VideoFrame]]:
    """A script of frames of these grays in a loop, with pauses for the other threads."""
    pause = threading.Event()

    def script() -> Iterator[av.VideoFrame]:
        while True:
            for value in values:
                yield gray_frame(value)
                pause.wait(0.005)

    return script


def pixels_of(path: Path) -> list[NDArray[np.uint8]]:
    """The frames of a video, RGB."""
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def times_of(path: Path) -> list[float]:
    """Timestamps of the frames of a video in seconds."""
    with av.open(str(path)) as container:
        return [float(seconds(frame.pts, frame.time_base)) for frame in container.decode(video=0)]
