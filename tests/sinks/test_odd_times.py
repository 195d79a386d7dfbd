"""Packets out of line are put back between their neighbors, and no other packet moves."""

import random
from itertools import pairwise

import pytest

from vidgan.sinks.copy.odd_times import repair_times

STEADY = list(range(0, 2000, 20))


@pytest.mark.parametrize("shift", [-3000, -500, -30, -20, 20, 30, 500, 30_000])
@pytest.mark.parametrize("place", [0, 1, 50, 98])
def test_one_odd_time_moves_alone(place: int, shift: int) -> None:
    times: list[int | None] = [*STEADY]
    times[place] = STEADY[place] + shift
    repaired, moved = repair_times(times, [20] * len(times))
    assert [time for index, time in enumerate(repaired) if index != place] == [
        time for index, time in enumerate(STEADY) if index != place
    ]
    assert moved in ([], [place]) and all(a < b for a, b in pairwise(repaired))


def test_two_swapped_times_leave_what_is_between_them() -> None:
    times: list[int | None] = [*STEADY]
    times[29], times[31] = times[31], times[29]
    repaired, moved = repair_times(times, [20] * len(times))
    assert repaired[30] == STEADY[30] and set(moved) <= {29, 31}


def test_missing_times_are_spread() -> None:
    times: list[int | None] = [*STEADY]
    times[10] = times[11] = None
    assert repair_times(times, [20] * len(times))[0] == STEADY
    assert repair_times([None] * 5, [20] * 5)[0] == [0, 20, 40, 60, 80]


def test_a_pause_stays() -> None:
    times = [*STEADY[:50], *(each + 10_000 for each in STEADY[50:])]
    assert repair_times(times, [20] * len(times)) == (times, [])


def test_equal_times_are_told_apart_by_their_neighbors() -> None:
    times: list[int | None] = [*STEADY]
    times[84] = STEADY[83]
    repaired, moved = repair_times(times, [20] * len(times))
    assert moved == [84] and STEADY[83] < repaired[84] < STEADY[85]


@pytest.mark.parametrize("seed", range(20))
def test_several_odd_times_move_alone(seed: int) -> None:
    chance = random.Random(seed)
    times: list[int | None] = [*STEADY]
    odd = chance.sample(range(3, 97), 8)
    for place in odd:
        times[place] = chance.choice([None, STEADY[place] + chance.randrange(-4000, 4000)])
    repaired, _ = repair_times(times, [20] * len(times))
    elsewhere = [index for index, time in enumerate(repaired) if time != STEADY[index]]
    assert set(elsewhere) <= set(odd)
    assert all(a < b for a, b in pairwise(repaired))
