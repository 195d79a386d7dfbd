"""Sources and sinks for tests of the live path."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError, OutputError
from vidgan.live.controls import Controls, Look
from vidgan.live.stylizer import Shot

SIZE = 64, 48


def picture(value: int, size: tuple[int, int] = SIZE) -> av.VideoFrame:
    """Of one grey."""
    return av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), value, np.uint8), "rgb24")


def shown(shot: Shot) -> int:
    """The grey of a painted picture."""
    return int(np.median(shot.painted.pixels))


def controls(style: str, **look: object) -> Controls:
    return Controls(Look(style=style, smooth="off", **look), styles=[style])


class Scripted:
    """A source that does, each time it is opened, what the next script says.

    A script gives pictures; what it raises the source raises.
    """

    name = "scripted"
    rate = 25.0

    def __init__(self, *scripts: Callable[[], Iterable[av.VideoFrame]], returns: bool = False) -> None:
        self.returns = returns
        self._scripts = iter(scripts)

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        script = next(self._scripts, None)
        if script is None:
            raise InputError("scripted: nothing more")
        yield from script()


class Kept:
    """A sink that keeps what it gets, and lets others wait for it."""

    def __init__(self, name: str = "kept") -> None:
        self.name = name
        self.shots: list[Shot] = []
        self.finished = 0
        self._changed = threading.Condition()

    def write(self, shot: Shot) -> None:
        with self._changed:
            self.shots.append(shot)
            self._changed.notify_all()

    def finish(self) -> None:
        self.finished += 1

    def wait_for(self, wanted: Callable[[list[Shot]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: wanted(self.shots), 60), len(self.shots)


class Broken(Kept):
    """A sink that fails with the first shot."""

    def write(self, shot: Shot) -> None:
        raise OutputError("broken: does not work")


def forever(*values: int) -> Callable[[], Iterator[av.VideoFrame]]:
    """A script of pictures of these greys, again and again, slowly enough for others to get a turn."""
    pause = threading.Event()

    def script() -> Iterator[av.VideoFrame]:
        while True:
            for value in values:
                yield picture(value)
                pause.wait(0.005)

    return script


def pixels_of(path: Path) -> list[NDArray[np.uint8]]:
    """The frames of a film, RGB."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def times_of(path: Path) -> list[float]:
    """When its frames are shown, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
