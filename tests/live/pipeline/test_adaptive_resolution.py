"""The processing size follows the processing time of frames."""

import itertools

import pytest

from vidgan.live.pipeline.adaptive_resolution import AdaptiveResolution

FULL = 1280, 720


def run(resolution: AdaptiveResolution, pixel_seconds: float, frames: int) -> list[tuple[int, int]]:
    """Sizes of successive frames at a constant cost per pixel."""
    sizes = []
    for _ in range(frames):
        width, height = resolution.size
        sizes.append(resolution.size)
        resolution.add_frame_time(pixel_seconds * width * height)
    return sizes


def load(resolution: AdaptiveResolution, pixel_seconds: float, fps: float) -> float:
    return pixel_seconds * resolution.size[0] * resolution.size[1] * fps


def test_fast_machine_keeps_the_full_size() -> None:
    assert set(run(AdaptiveResolution(FULL, 30), 1e-9, 500)) == {FULL}


@pytest.mark.parametrize("pixel_seconds", [5e-8, 1e-7, 4e-7])
def test_slow_machine_holds_the_rate_after_one_decision(pixel_seconds: float) -> None:
    resolution = AdaptiveResolution(FULL, 30)
    run(resolution, pixel_seconds, 16)
    assert 0.3 < load(resolution, pixel_seconds, 30) <= 0.8
    # The size stays.
    assert len(set(run(resolution, pixel_seconds, 300))) == 1


def test_estimated_cost_sets_the_first_size() -> None:
    resolution = AdaptiveResolution(FULL, 30, seconds_per_pixel=1e-7)
    assert resolution.size == AdaptiveResolution(FULL, 30, seconds_per_pixel=1.01e-7).size != FULL
    assert load(resolution, 1e-7, 30) <= 0.8


def test_size_grows_when_there_is_time_to_spare() -> None:
    resolution = AdaptiveResolution(FULL, 30)
    run(resolution, 1e-7, 30)
    assert resolution.size != FULL
    run(resolution, 1e-9, 15 * 8 * 8)
    assert resolution.size == FULL


def test_failed_attempts_become_rarer() -> None:
    # The cost of the larger size is far above the linear model.
    resolution, sizes = AdaptiveResolution(FULL, 30), []
    small = None
    for _ in range(15 * 400):
        sizes.append(resolution.size)
        resolution.add_frame_time(0.045 if resolution.size == FULL else 0.01)
        small = small or (resolution.size if resolution.size != FULL else None)
    ups = [i for i, (a, b) in enumerate(itertools.pairwise(sizes)) if b == FULL != a]
    gaps = [b - a for a, b in itertools.pairwise(ups)]
    assert len(gaps) >= 2 and gaps[-1] > 2 * gaps[0]


def test_sizes_keep_the_proportions() -> None:
    sizes = set(run(AdaptiveResolution(FULL, 30), 1e-3, 100))
    width, height = min(sizes)
    assert height >= 64 and width / height == pytest.approx(16 / 9, rel=0.1)
    assert all(w % 2 == 0 and h % 2 == 0 for w, h in sizes)
    assert set(run(AdaptiveResolution((100, 60), 30), 1, 60)) == {(100, 60)}
