"""The methods that sources of numbered frames share, each of which stands for equally long."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Generic, Self, TypeVar

from vidgan.media.frame import Frame
from vidgan.media.timeline import Timeline

F = TypeVar("F", bound=Frame)


class NumberedFrames(Generic[F]):
    """Base of such sources, which iterate over what they make; see :class:`vidgan.sources.Source`.

    Attributes:
        _frames: what is left of them.
        _count: how many there are.
        _time_base: seconds of each.
        _start: seconds of the file at which the first begins.
    """

    _frames: Iterator[F]
    _count: int
    _time_base: Fraction
    _start: Fraction

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.timeline = Timeline()

    def skip(self, count: int) -> F | None:
        last = None
        for _ in range(count):
            last = next(self._frames, last)
        return last

    def times(self) -> Iterator[int]:
        yield from range(self._count)

    def seconds_at(self, pts: int) -> Fraction | None:
        return self._start + pts * self._time_base

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
