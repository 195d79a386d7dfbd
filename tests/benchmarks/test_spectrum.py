"""The grid detector finds grids, and nothing else."""

import cv2
import numpy as np
import pytest

from benchmarks.spectrum import Field, fields, find_peaks, spectra, strongest_peak
from vidgan.media.image import Pixels

HEIGHT, WIDTH = 275, 238


def canvas(level: float = 128.0) -> Pixels:
    return np.full((HEIGHT, WIDTH, 3), level, np.uint8)


def noise(sigma: float, *, blur: float = 0.0, seed: int = 0) -> Pixels:
    values = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 3))
    if blur:
        values = cv2.GaussianBlur(values, (0, 0), blur)
        values /= values.std()
    return np.clip(np.rint(128 + sigma * values), 0, 255).astype(np.uint8)


def strokes(seed: int) -> Pixels:
    """Short anti-aliased lines of many directions, widths and colors, as a brush makes them."""
    random = np.random.default_rng(seed)
    image = canvas()
    for _ in range(4000):
        x, y = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
        angle, length = random.uniform(0, np.pi), random.uniform(6, 30)
        dx, dy = length * np.cos(angle), length * np.sin(angle)
        ends = [(round(16 * a), round(16 * b)) for a, b in ((x, y), (x + dx, y + dy))]
        color = tuple(int(each) for each in random.integers(0, 256, 3))
        cv2.line(image, ends[0], ends[1], color, int(random.integers(1, 6)), cv2.LINE_AA, 4)
    return image


def added(image: Pixels, pattern: list[int], *, axis: int) -> Pixels:
    """``image`` with ``pattern`` repeated along the axis."""
    size = image.shape[axis]
    line = np.resize(np.array(pattern), size)
    grid = line[:, None, None] if axis == 0 else line[None, :, None]
    return np.clip(image.astype(np.int64) + grid, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("pattern", [[2, 0, -2, 0], [2, 0, 0, 0]], ids=["wave", "lines"])
@pytest.mark.parametrize(
    "ground", [canvas(), noise(3.0), noise(6.0, blur=2.0)], ids=["flat", "noise", "soft"]
)
def test_a_four_pixel_grid_of_two_levels_is_found(ground: Pixels, pattern: list[int], axis: int) -> None:
    peak = strongest_peak(added(ground, pattern, axis=axis))
    assert peak.visible
    along, across = (peak.vertical, peak.horizontal) if axis == 0 else (peak.horizontal, peak.vertical)
    assert abs(along) in (0.25, 0.5) and across == 0


def test_amplitude_is_in_gray_levels() -> None:
    peak = strongest_peak(added(canvas(), [2, 0, -2, 0], axis=0))
    assert peak.amplitude == pytest.approx(2.0, rel=0.02)
    peak = strongest_peak(added(canvas(), [1, -1], axis=1))
    assert (peak.horizontal, peak.vertical) == (0.5, 0)
    assert peak.amplitude == pytest.approx(1.0, rel=0.02)


def test_a_checkerboard_is_found_on_the_diagonal() -> None:
    checks = np.indices((HEIGHT, WIDTH)).sum(0) % 2 * 4 - 2
    peak = strongest_peak((canvas().astype(int) + checks[:, :, None]).astype(np.uint8))
    assert peak.visible and (abs(peak.vertical), peak.horizontal) == (0.5, 0.5)


@pytest.mark.parametrize("seed", range(4))
def test_noise_and_strokes_are_no_grid(seed: int) -> None:
    for image in (noise(20, seed=seed), noise(20, blur=2.0, seed=seed), strokes(seed)):
        assert not [str(peak) for peak in find_peaks(spectra(image)) if peak.visible]


def test_a_pattern_of_another_period_is_no_grid() -> None:
    assert not strongest_peak(added(canvas(), [4, 0, -4, 0, 0], axis=0)).visible


def test_strokes_as_far_apart_as_a_grid_are_no_grid() -> None:
    rows, columns = np.indices((HEIGHT, WIDTH))
    random = np.random.default_rng(5)
    wander = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH)), (0, 0), 24)
    phase = 2 * np.pi * ((rows + columns) / 8 + wander / wander.std())
    gray = np.rint(128 + 6 * np.cos(phase)).astype(np.uint8)
    assert not strongest_peak(np.stack([gray] * 3, axis=2)).visible


def test_rounding_alone_is_no_visible_grid() -> None:
    # One level high and of period 4 is the most that rounding a smooth slope can make.
    assert not strongest_peak(added(canvas(), [1, 1, 0, 0], axis=1)).visible


def test_no_grid_is_in_the_test_images_themselves() -> None:
    shown: list[Field] = list(fields())
    assert {field.kind for field in shown} == {"flat", "slope", "noise"}
    assert any(side % 4 for field in shown for side in field.images.shape[1:3])
    for field in shown:
        for rows, columns in field.areas:
            assert not strongest_peak(field.images[:, rows, columns]).visible


def test_a_grid_under_strokes_is_found_in_several_images() -> None:
    grounds = [noise(20, blur=2.0, seed=seed) for seed in range(8)]
    assert not strongest_peak(np.stack(grounds)).visible
    gridded = np.stack([added(ground, [2, 0, -2, 0], axis=1) for ground in grounds])
    assert strongest_peak(gridded).visible
