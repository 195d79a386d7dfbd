"""Packets whose time is out of line, put back between their neighbors; no other packet moves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

_KEPT, _IN_STEP = 1 << 20, 1
"""Weights: as many packets as possible stay; among equals, those that follow their neighbors in step."""

_STEP_TICKS = 2
_NEIGHBORS = 3


def repair_times(times: Sequence[int | None], durations: Sequence[int]) -> tuple[list[int], list[int]]:
    """Makes times rise strictly by moving as few of them as possible.

    What stays is the heaviest strictly increasing subsequence; a packet outside it, one without a time
    among them, is spread between its neighbors. So a packet that is far too late or too early costs its
    own time alone, and a change that lasts, such as a pause, stays as it is.

    Args:
        times: in ticks, in the order of the file; None where a packet has none.
        durations: of the packets, in ticks; 0 where it is not known.

    Returns:
        The times, and the indices of those that moved. Where there are fewer ticks than packets between
        two neighbors, times are equal.
    """
    known = [each for each in times if each is not None]
    if len(known) == len(times) and all(before < after for before, after in pairwise(known)):
        return known, []
    durations = _filled(known, durations)
    kept = _heaviest_rise(times, durations)
    repaired: list[int] = [0] * len(times)
    for index in kept:
        time = times[index]
        assert time is not None
        repaired[index] = time
    _spread(repaired, kept, durations)
    return repaired, [index for index, time in enumerate(times) if time != repaired[index]]


def _filled(known: Sequence[int], durations: Sequence[int]) -> list[int]:
    """Durations, with the usual step of the times for those that are not known."""
    steps = sorted(after - before for before, after in pairwise(known) if after > before)
    usual = steps[len(steps) // 2] if steps else 1
    return [each if each > 0 else usual for each in durations]


def _heaviest_rise(times: Sequence[int | None], durations: Sequence[int]) -> list[int]:
    """Indices of the strictly increasing subsequence of the greatest weight, in O(n log n)."""
    values = sorted({each for each in times if each is not None})
    best = [(0, -1)] * (len(values) + 1)  # A Fenwick tree of maxima: weight, and the last index.
    previous = [-1] * len(times)
    top = (0, -1)
    for index, time in enumerate(times):
        if time is None:
            continue
        rank = bisect_left(values, time) + 1
        weight, before = 0, -1
        place = rank - 1
        while place > 0:
            if best[place][0] > weight:
                weight, before = best[place]
            place &= place - 1
        entry = (weight + _KEPT + _steps_around(times, durations, index), index)
        previous[index] = before
        place = rank
        while place < len(best):
            if best[place][0] < entry[0]:
                best[place] = entry
            place += place & -place
        top = max(top, entry, key=lambda each: each[0])
    chain = []
    index = top[1]
    while index >= 0:
        chain.append(index)
        index = previous[index]
    return chain[::-1]


def _steps_around(times: Sequence[int | None], durations: Sequence[int], index: int) -> int:
    """How many of its nearest neighbors a packet follows or precedes in step."""
    time, count = times[index], 0
    assert time is not None
    for offset in range(-_NEIGHBORS, _NEIGHBORS + 1):
        place = index + offset
        if not offset or not 0 <= place < len(times) or (other := times[place]) is None:
            continue
        first, last = min(index, place), max(index, place)
        between = sum(durations[first:last])
        count += abs(abs(other - time) - between) <= _STEP_TICKS and (other > time) == (offset > 0)
    return count * _IN_STEP


def _spread(times: list[int], kept: Sequence[int], durations: Sequence[int]) -> None:
    """Fills the times between those that are kept."""
    if not kept:
        total = 0
        for index, duration in enumerate(durations):
            times[index], total = total, total + duration
        return
    for index in range(kept[0] - 1, -1, -1):
        times[index] = times[index + 1] - durations[index]
    for before, after in pairwise(kept):
        count = after - before
        for offset in range(1, count):
            times[before + offset] = times[before] + (times[after] - times[before]) * offset // count
    for index in range(kept[-1] + 1, len(times)):
        times[index] = times[index - 1] + durations[index - 1]
