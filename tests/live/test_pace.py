"""The size at which is painted follows what frames take."""

import itertools

import pytest

from vidgan.live.adaptive_resolution import Pace

FULL = 1280, 720


def run(pace: Pace, pixel_seconds: float, frames: int) -> list[tuple[int, int]]:
    """The sizes, where a frame takes so much for each of its pixels."""
    sizes = []
    for _ in range(frames):
        width, height = pace.size
        sizes.append(pace.size)
        pace.took(pixel_seconds * width * height)
    return sizes


def load(pace: Pace, pixel_seconds: float, fps: float) -> float:
    return pixel_seconds * pace.size[0] * pace.size[1] * fps


def test_a_fast_machine_paints_all_of_it() -> None:
    assert set(run(Pace(FULL, 30), 1e-9, 500)) == {FULL}


@pytest.mark.parametrize("pixel_seconds", [5e-8, 1e-7, 4e-7])
def test_a_slow_one_holds_the_rate_after_one_look(pixel_seconds: float) -> None:
    pace = Pace(FULL, 30)
    run(pace, pixel_seconds, 16)
    assert 0.3 < load(pace, pixel_seconds, 30) <= 0.8
    # And stays there.
    assert len(set(run(pace, pixel_seconds, 300))) == 1


def test_it_begins_with_a_size_that_will_do() -> None:
    pace = Pace(FULL, 30, pixel_seconds=1e-7)
    assert pace.size == Pace(FULL, 30, pixel_seconds=1.01e-7).size != FULL
    assert load(pace, 1e-7, 30) <= 0.8


def test_it_goes_up_again_when_there_is_room() -> None:
    pace = Pace(FULL, 30)
    run(pace, 1e-7, 30)
    assert pace.size != FULL
    run(pace, 1e-9, 15 * 8 * 8)
    assert pace.size == FULL


def test_what_failed_is_tried_less_and_less_often() -> None:
    # At the larger size a frame takes far more than its pixels would say.
    pace, sizes = Pace(FULL, 30), []
    small = None
    for _ in range(15 * 400):
        sizes.append(pace.size)
        pace.took(0.045 if pace.size == FULL else 0.01)
        small = small or (pace.size if pace.size != FULL else None)
    ups = [i for i, (a, b) in enumerate(itertools.pairwise(sizes)) if b == FULL != a]
    gaps = [b - a for a, b in itertools.pairwise(ups)]
    assert len(gaps) >= 2 and gaps[-1] > 2 * gaps[0]


def test_sizes_keep_the_shape_and_stay_recognisable() -> None:
    sizes = set(run(Pace(FULL, 30), 1e-3, 100))
    width, height = min(sizes)
    assert height >= 64 and width / height == pytest.approx(16 / 9, rel=0.1)
    assert all(w % 2 == 0 and h % 2 == 0 for w, h in sizes)
    assert set(run(Pace((100, 60), 30), 1, 60)) == {(100, 60)}
