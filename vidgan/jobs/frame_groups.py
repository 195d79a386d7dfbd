"""Frames of a source in groups, each of which ends with a frame that the effect is applied to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from vidgan.media.frame import Frame
from vidgan.segments.store import SEGMENT_FRAMES
from vidgan.temporal.motion import Luma
from vidgan.temporal.reuse import is_duplicate


@dataclass(frozen=True, slots=True)
class GroupedFrame:
    """A frame of a group.

    Attributes:
        frame: of the source.
        luma: small, see :func:`vidgan.temporal.motion.flow_luma`; None where nothing asks for motion.
        duplicate: the frame shows what the last distinct frame before it shows.
    """

    frame: Frame
    luma: Luma | None
    duplicate: bool = False


@dataclass(slots=True)
class FrameGroup:
    """Frames in a row of which the last distinct one is generated; the others may be carried.

    Attributes:
        previous: small luma of the frame that the first distinct one is compared with; None for none.
        frames: distinct ones and duplicates.
    """

    previous: Luma | None
    frames: list[GroupedFrame] = field(default_factory=list)

    @property
    def distinct(self) -> list[GroupedFrame]:
        return [each for each in self.frames if not each.duplicate]


class FrameGroups:
    """Groups the frames of a source.

    A segment of the output begins with a group of its own and ends with one, so that segments can be made apart, and
    a job can be continued between two of them, without a frame of another.

    Args:
        interval: of how many distinct frames in a row one is generated; 0 to take duplicates for distinct ones too.
        first: number of the first frame in the video.
        before: the source's frame before the first; None for none.
        luma_of: makes the small luma of a frame, or None.
    """

    def __init__(
        self, interval: int, *, first: int, before: Frame | None, luma_of: Callable[[Frame], Luma | None]
    ) -> None:
        self._interval = interval
        self._number = self._first = first
        self._luma_of = luma_of
        self._last = self._distinct = None if before is None else GroupedFrame(before, luma_of(before))
        self._group = FrameGroup(None)

    def of(self, frames: Iterable[Frame]) -> Iterator[FrameGroup]:
        """All groups, each as soon as it is complete."""
        for frame in frames:
            yield from self._add(GroupedFrame(frame, self._luma_of(frame)))
            self._number += 1
        yield from self._completed()

    def _add(self, current: GroupedFrame) -> Iterator[FrameGroup]:
        starts = self._starts_segment or not self._is_like_last(current)
        if starts:
            yield from self._completed()
            # A run that begins here knows the last frame, which may be a duplicate of one that it does not know.
            self._distinct = self._last
        if not starts and self._is_duplicate(current):
            self._last = GroupedFrame(current.frame, current.luma, duplicate=True)
        else:
            if not self._group.distinct:
                self._group.previous = self._luma_before(current)
            self._last = self._distinct = current
        self._group.frames.append(self._last)
        count = len(self._group.distinct)
        # A duplicate need not wait where nothing before it does.
        if starts or count == 0 or count >= self._interval:
            yield from self._completed()

    def _completed(self) -> Iterator[FrameGroup]:
        group, self._group = self._group, FrameGroup(None)
        if group.frames:
            yield group

    @property
    def _starts_segment(self) -> bool:
        return self._number == self._first or self._number % SEGMENT_FRAMES == 0

    def _is_like_last(self, current: GroupedFrame) -> bool:
        """Whether a frame can be compared with the last one."""
        last = self._last
        return (
            last is not None
            and last.frame.size == current.frame.size
            and last.frame.alpha is None
            and current.frame.alpha is None
        )

    def _is_duplicate(self, current: GroupedFrame) -> bool:
        former = self._distinct
        if self._interval == 0 or former is None or former.luma is None or current.luma is None:
            return False
        return is_duplicate(former.frame, former.luma, current.frame, current.luma)

    def _luma_before(self, current: GroupedFrame) -> Luma | None:
        former = self._distinct
        return None if former is None or former.frame.size != current.frame.size else former.luma
