"""Times that rise: only odd ones are moved."""

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from vidgan.sources.timestamps import Repair, RisingTimes

STEP = 40
REGULAR = [23 + STEP * index for index in range(75)]
UNEVEN = [0, 17, 50, 83, 116, 700, 733, 766, 5000, 5033, 5066, 5099, 5132, 9000, 9033, 9066, 9099]


def rising(
    times: list[int | None], *, window: int = 64, reordered: bool = False, sort: bool = False
) -> tuple[list[int], Repair]:
    stream = RisingTimes(enumerate(times), step=STEP, window=window, reordered=reordered, sort=sort)
    found = list(stream)
    assert [index for index, _ in found] == list(range(len(times)))
    return [time for _, time in found], stream.repair


@pytest.mark.parametrize("times", [REGULAR, UNEVEN, [7], []])
@pytest.mark.parametrize("reordered", [False, True])
def test_good_times_stay(times: list[int], reordered: bool) -> None:
    assert rising(list(times), reordered=reordered) == (times, Repair())


def test_items_are_held_until_their_times_are_known_to_be_those_of_presentation() -> None:
    taken: list[int] = []

    def items() -> Iterator[tuple[int, int]]:
        for index, time in enumerate(REGULAR):
            taken.append(index)
            yield index, time

    stream = RisingTimes(
        items(), step=STEP, window=64, reordered=True, are_presentation_times=lambda: len(taken) >= 3
    )
    assert next(iter(stream)) == (0, REGULAR[0]) and taken == [0, 1, 2]
    assert [time for _, time in stream] == REGULAR[1:]


@pytest.mark.parametrize("by", [20_000, 500, 60, -300, -20_000])
@pytest.mark.parametrize("index", [1, 30, 73])
def test_one_odd_time_is_put_between_its_neighbors(by: int, index: int) -> None:
    times: list[int | None] = [*REGULAR]
    times[index] = REGULAR[index] + by
    assert rising(times) == (REGULAR, Repair(moved=1))


def test_the_first_time_may_be_odd() -> None:
    assert rising([50_000, *REGULAR[1:]]) == (REGULAR, Repair(moved=1))


def test_a_run_of_late_frames_returns() -> None:
    late = [time + 20_000 if 10 <= index < 22 else time for index, time in enumerate(REGULAR)]
    assert rising([*late]) == (REGULAR, Repair(moved=12))


def test_missing_times_are_spread_evenly() -> None:
    times: list[int | None] = [*REGULAR]
    times[5] = times[6] = times[40] = None
    assert rising(times) == (REGULAR, Repair(moved=3))


def test_without_any_time_frames_follow_in_usual_steps() -> None:
    assert rising([None] * 4)[0] == [0, STEP, 2 * STEP, 3 * STEP]


def test_equal_times_become_different() -> None:
    times = [*REGULAR[:10], REGULAR[9], *REGULAR[11:]]
    assert rising([*times]) == (REGULAR, Repair(moved=1))


def test_swapped_times_are_swapped_back() -> None:
    times: list[int | None] = [*REGULAR]
    times[20], times[21] = times[21], times[20]
    assert rising(times) == (REGULAR, Repair(moved=2))


def test_decoding_times_are_sorted() -> None:
    decoded = [0, 2, 1, 5, 4, 6, 3, 9, 8, 10, 7, 11, 12, 14, 15, 13, 18, 17, 19, 16]
    times: list[int | None] = [STEP * time for time in decoded]
    wanted = [STEP * time for time in range(20)]
    assert rising([*times], sort=True) == (wanted, Repair())
    assert rising([*times], reordered=True)[0] == wanted


def test_a_pause_stays() -> None:
    times = [*REGULAR[:30], *(time + 60_000 for time in REGULAR[30:])]
    assert rising([*times]) == (times, Repair())


def test_an_appended_recording_goes_on() -> None:
    found, repair = rising([*REGULAR, *REGULAR])
    assert found == [REGULAR[0] + STEP * index for index in range(150)]
    assert repair.restarts == 1


def _damaged(kind: str, chance: random.Random) -> tuple[list[int | None], list[int], set[int]]:
    base = [0]
    steps = [STEP] if chance.random() < 0.5 else [17, 33, 33, 33, 66, 100]
    while len(base) < 120:
        base.append(base[-1] + chance.choice(steps))
    times: list[int | None] = [*base]
    index = chance.randrange(8, 110)
    changes: dict[str, Callable[[], dict[int, int | None]]] = {
        "late": lambda: {index: base[index] + chance.choice([150, 5_000, 10**7])},
        "early": lambda: {index: base[index] - chance.choice([150, 5_000, 10**7])},
        "late run": lambda: {each: base[each] + 9_000 for each in range(index, index + 5)},
        "early run": lambda: {each: base[each] - 9_000 for each in range(index, index + 5)},
        "missing": lambda: dict.fromkeys(chance.sample(range(120), 5)),
        "equal": lambda: {index: base[index - 1], index - 1: base[index - 1]},
        "swapped": lambda: {index: base[index + 1], index + 1: base[index]},
    }
    changed = changes[kind]()
    for each, time in changed.items():
        times[each] = time
    return times, base, set(changed)


@pytest.mark.parametrize("kind", ["late", "early", "late run", "early run", "missing", "equal", "swapped"])
@pytest.mark.parametrize("seed", range(25))
def test_nothing_but_what_is_odd_moves(kind: str, seed: int) -> None:
    times, base, odd = _damaged(kind, random.Random(f"{kind} {seed}"))
    found, _ = rising(times, reordered=seed % 2 == 0)
    assert all(one < two for one, two in pairwise(found))
    assert [index for index in range(120) if found[index] != base[index] and index not in odd] == []
