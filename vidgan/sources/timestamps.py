"""Presentation times that rise: odd ones are moved between their neighbors, all others stay.

Timestamps of real files are missing, repeated, out of order or far off. Players drop or hold such frames;
here every frame is kept, so each needs a time of its own.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import Generic, TypeVar

REORDER_FRAMES = 17
"""Frames that must be known to sort decoding times; H.264 and HEVC reorder by 16 frames at most."""

_JUMP_STEPS = 5
"""A step of so many usual ones is looked at: the time may be odd, or the frame is held."""

_SORTABLE_FRAMES = 16
_STEPS_REMEMBERED = 15
_MIN_DESCENTS = 3
_MIN_RESTART_FRAMES = 4

Time = int | None
Item = TypeVar("Item")


@dataclass
class Repair:
    """Counts of what was moved.

    Attributes:
        moved: frames that are shown at another time than the file says.
        restarts: times at which all that follows was moved, because times begin again.
    """

    moved: int = 0
    restarts: int = 0


class RisingTimes(Generic[Item]):
    """Gives each item of a stream in presentation order a time after that of the one before.

    Items are held back only where a time looks odd, to see whether the next ones return.

    Args:
        items: pairs of an item and its time in ticks, or None.
        step: usual ticks from one item to the next; 0 if unknown.
        window: items that may be held at once.
        reordered: items may be in decoding order's times, as in AVI, which are sorted.
        are_presentation_times: says as soon as it is known that they are not; items need not be held then, which are
            decoded frames.
        sort: times are those of decoding, and are sorted without being odd.

    Attributes:
        repair: what was moved so far.
    """

    def __init__(
        self,
        items: Iterator[tuple[Item, Time]],
        *,
        step: int,
        window: int,
        reordered: bool = False,
        are_presentation_times: Callable[[], bool] = lambda: False,
        sort: bool = False,
    ) -> None:
        self.repair = Repair()
        self._are_presentation_times = are_presentation_times
        self._items = items
        self._window = max(window, REORDER_FRAMES)
        self._reordered, self._sort = reordered, sort
        self._held: deque[tuple[Item, Time]] = deque()
        self._exhausted = False
        self._previous: int | None = None
        self._offset = 0
        self._steps: deque[int] = deque([step] if step else [], maxlen=_STEPS_REMEMBERED)

    def __iter__(self) -> Iterator[tuple[Item, int]]:
        if self._reordered and not self._sort:
            self._sort = self._hold_decoding_order()
        while self._hold(REORDER_FRAMES if self._sort else 2):
            if self._is_odd():
                self._hold(self._window)
            time = self._time_of_first()
            item, raw = self._held.popleft()
            self._remember(time, raw)
            yield item, time

    def _hold_decoding_order(self) -> bool:
        """Holds as many items as it takes to know whether they are in decoding order's times."""
        for count in range(1, REORDER_FRAMES + 1):
            self._hold(count)
            if self._are_presentation_times():
                return False
        return _is_decoding_order([time for _, time in self._held])

    def _hold(self, count: int) -> bool:
        """Reads on until so many items are held; False once there are none."""
        while len(self._held) < count and not self._exhausted:
            following = next(self._items, None)
            if following is None:
                self._exhausted = True
            else:
                self._held.append(following)
        return bool(self._held)

    @property
    def _step(self) -> int:
        return max(1, median_low(self._steps)) if self._steps else 1

    def _times(self) -> list[Time]:
        times = [None if time is None else time + self._offset for _, time in self._held]
        if not self._sort:
            return times
        # The first item shown has the first of the times.
        known = sorted(time for time in times if time is not None)
        return [known[0] if known else None, *times[1:]]

    def _is_odd(self) -> bool:
        if self._sort:
            return False
        first, following = self._times()[0], (self._times()[1:2] or [None])[0]
        if first is None or (following is not None and following <= first):
            return True
        jump = _JUMP_STEPS * self._step
        if self._previous is None:
            return following is not None and following - first > jump
        return not self._previous < first <= self._previous + jump

    def _time_of_first(self) -> int:
        times = self._times()
        if self._sort:
            self._take_from_held(times[0])
            return self._after_previous(times[0])
        known = [time for time in times if time is not None]
        if (
            self._previous is not None
            and len(times) == len(known) >= _MIN_RESTART_FRAMES
            and max(known) <= self._previous
            and _rises(None, known)
        ):
            # A recording that was appended begins again at its own start.
            self._offset += self._previous + self._step - known[0]
            self.repair.restarts += 1
            times = self._times()
        return self._after_previous(fixed(self._previous, times, self._step)[0])

    def _after_previous(self, time: Time) -> int:
        if self._previous is None:
            return 0 if time is None else time
        return self._previous + self._step if time is None else max(time, self._previous + 1)

    def _take_from_held(self, time: Time) -> None:
        """Lets the first item have the time, and whoever had it that of the first."""
        raw = None if time is None else time - self._offset
        index = next((at for at, (_, each) in enumerate(self._held) if each == raw), 0)
        (first, given), (other, _) = self._held[0], self._held[index]
        self._held[0], self._held[index] = (first, raw), (other, given)
        if index == 0:
            self._held[0] = first, raw

    def _remember(self, time: int, raw: Time) -> None:
        expected = None if raw is None else raw + self._offset
        self.repair.moved += time != expected
        if self._previous is not None and time == expected:
            self._steps.append(time - self._previous)
        self._previous = time


def fixed(previous: int | None, times: Sequence[Time], step: int) -> list[int]:
    """The times with odd ones replaced, each after the one before.

    Args:
        previous: the time before the first; None at the start.
        times: in presentation order; None where there is none.
        step: usual difference.
    """
    known = [time for time in times if time is not None]
    if len(known) == len(times) and _rises(previous, known):
        return known
    times = _with_first_block_sorted(previous, times, step)
    kept = _longest_rising(previous, times, step)
    return _filled(previous, times, kept, step)


def _rises(previous: int | None, times: Sequence[int]) -> bool:
    before = times if previous is None else [previous, *times]
    return all(one < two for one, two in pairwise(before))


def _is_decoding_order(times: Sequence[Time]) -> bool:
    """Whether frames have the times at which they are decoded: all different, and often falling."""
    known = [time for time in times if time is not None]
    descents = sum(two < one for one, two in pairwise(known))
    if len(set(known)) < len(times) or descents < _MIN_DESCENTS:
        return False
    steps = [two - one for one, two in pairwise(sorted(known))]
    return max(steps) < _JUMP_STEPS * median_low(steps)


def _with_first_block_sorted(previous: int | None, times: Sequence[Time], step: int) -> list[Time]:
    """Swapped times put in order, where that makes steps as usual."""
    for count in range(2, min(_SORTABLE_FRAMES, len(times)) + 1):
        block, rest = times[:count], [time for time in times[count:] if time is not None]
        known = sorted(time for time in block if time is not None)
        if len(known) < count:
            return list(times)
        if rest and known[-1] >= min(rest):
            continue
        around = [*([] if previous is None else [previous]), *known, *rest[:1]]
        steps = [two - one for one, two in pairwise(around)]
        if all(step / 2 < each < step * 3 / 2 for each in steps):
            return [*known, *times[count:]]
        return list(times)
    return list(times)


def _longest_rising(previous: int | None, times: Sequence[Time], step: int) -> list[int]:
    """Indices of the most times that rise; of several such, those with the most usual steps."""
    best: dict[int, tuple[int, int]] = {}
    before: dict[int, int] = {}
    for index, time in enumerate(times):
        if time is None or (previous is not None and time <= previous):
            continue
        score = (1, 0 if previous is None else -abs(time - previous - (index + 1) * step))
        for other, (count, regularity) in list(best.items()):
            gap = time - (times[other] or 0)
            candidate = count + 1, regularity - abs(gap - (index - other) * step)
            if gap > 0 and candidate > score:
                score, before[index] = candidate, other
        best[index] = score
    if not best:
        return []
    chain = [max(best, key=lambda index: best[index])]
    while chain[-1] in before:
        chain.append(before[chain[-1]])
    return chain[::-1]


def _filled(previous: int | None, times: Sequence[Time], kept: Sequence[int], step: int) -> list[int]:
    """Kept times, and evenly spaced ones between them."""
    anchors = {index: time for index in kept if (time := times[index]) is not None}
    result: list[int] = []
    for index in range(len(times)):
        low = result[-1] if result else previous
        following = next((each for each in kept if each >= index), None)
        if index in anchors:
            time = anchors[index]
        elif following is None:
            time = 0 if low is None else low + step
        elif low is None:
            time = anchors[following] - (following - index) * step
        else:
            time = low + (anchors[following] - low) // (following - index + 1)
        result.append(time if low is None else max(time, low + 1))
    return result
