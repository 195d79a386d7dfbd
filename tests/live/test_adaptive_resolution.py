"""The size at which is painted follows what frames take."""

import itertools

import pytest

from vidgan.live.pipeline.adaptive_resolution import AdaptiveResolution

FULL = 1280, 720


def run(resolution: AdaptiveResolution, pixel_seconds: float, frames: int) -> list[tuple[int, int]]:
    """The sizes, where a frame takes so much for each of its pixels."""
    sizes = []
    for _ in range(frames):
        width, height = resolution.size
        sizes.append(resolution.size)
        resolution.add_frame_time(pixel_seconds * width * height)
    return sizes


def load(resolution: AdaptiveResolution, pixel_seconds: float, fps: float) -> float:
    return pixel_seconds * resolution.size[0] * resolution.size[1] * fps


def test_a_fast_machine_paints_all_of_it() -> None:
    assert set(run(AdaptiveResolution(FULL, 30), 1e-9, 500)) == {FULL}


@pytest.mark.parametrize("pixel_seconds", [5e-8, 1e-7, 4e-7])
def test_a_slow_one_holds_the_rate_after_one_look(pixel_seconds: float) -> None:
    resolution = AdaptiveResolution(FULL, 30)
    run(resolution, pixel_seconds, 16)
    assert 0.3 < load(resolution, pixel_seconds, 30) <= 0.8
    # And stays there.
    assert len(set(run(resolution, pixel_seconds, 300))) == 1


def test_it_begins_with_a_size_that_will_do() -> None:
    resolution = AdaptiveResolution(FULL, 30, seconds_per_pixel=1e-7)
    assert resolution.size == AdaptiveResolution(FULL, 30, seconds_per_pixel=1.01e-7).size != FULL
    assert load(resolution, 1e-7, 30) <= 0.8


def test_it_goes_up_again_when_there_is_room() -> None:
    resolution = AdaptiveResolution(FULL, 30)
    run(resolution, 1e-7, 30)
    assert resolution.size != FULL
    run(resolution, 1e-9, 15 * 8 * 8)
    assert resolution.size == FULL


def test_what_failed_is_tried_less_and_less_often() -> None:
    # At the larger size a frame takes far more than its pixels would say.
    resolution, sizes = AdaptiveResolution(FULL, 30), []
    small = None
    for _ in range(15 * 400):
        sizes.append(resolution.size)
        resolution.add_frame_time(0.045 if resolution.size == FULL else 0.01)
        small = small or (resolution.size if resolution.size != FULL else None)
    ups = [i for i, (a, b) in enumerate(itertools.pairwise(sizes)) if b == FULL != a]
    gaps = [b - a for a, b in itertools.pairwise(ups)]
    assert len(gaps) >= 2 and gaps[-1] > 2 * gaps[0]


def test_sizes_keep_the_shape_and_stay_recognisable() -> None:
    sizes = set(run(AdaptiveResolution(FULL, 30), 1e-3, 100))
    width, height = min(sizes)
    assert height >= 64 and width / height == pytest.approx(16 / 9, rel=0.1)
    assert all(w % 2 == 0 and h % 2 == 0 for w, h in sizes)
    assert set(run(AdaptiveResolution((100, 60), 30), 1, 60)) == {(100, 60)}
