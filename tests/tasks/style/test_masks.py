"""``--mask``: inside one style, outside the input to the bit or another style; soft, steady, in step."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.clips import make_clip, scene
from vidgan.errors import InputError
from vidgan.media.compositing import composite
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage, YuvImage
from vidgan.sources import open_source
from vidgan.tasks.style.mask import Mask, open_mask

SIZE = 96, 64
LOSSLESS = {"encoder": "libx264rgb", "encoder_options": {"crf": "0"}}

Pixels = NDArray[np.uint8]


def left_half(width: int = SIZE[0], height: int = SIZE[1]) -> Pixels:
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    return mask


def save(path: Path, mask: Pixels) -> Path:
    assert cv2.imwrite(str(path), mask)
    return path


def mask_folder(path: Path, masks: Sequence[Pixels]) -> Path:
    path.mkdir()
    for number, mask in enumerate(masks):
        save(path / f"{number:04}.png", mask)
    return path


def frames_of(path: Path) -> list[Pixels]:
    with open_source(path) as source:
        return [frame.pixels for frame in source]


def masks_of(mask: Mask, numbers: Sequence[int]) -> list[Pixels]:
    image = RgbImage(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    frames = [Frame(image=image, pts=each, time_base=Fraction(1, 25), duration=1) for each in numbers]
    return [mask.at(frame) for frame in frames]


def opened(path: Path, *, start: float = 0, feather: float = 0, invert: bool = False) -> Mask:
    info = VideoInfo(width=SIZE[0], height=SIZE[1], time_base=Fraction(1, 25), frame_rate=Fraction(25))
    return open_mask(path, info, start=Fraction(start), feather=feather, invert=invert)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mkv", times=range(12))


@pytest.mark.parametrize("smooth", ["flow", "off"])
def test_outside_the_input_stays_to_the_bit(smooth: str, clip: Path, tmp_path: Path) -> None:
    mask = save(tmp_path / "mask.png", left_half())
    options = {"style": "starry", "smooth": smooth, **LOSSLESS}
    vidgan.stylize(clip, tmp_path / "masked.mkv", mask=mask, mask_feather=0, **options)
    vidgan.stylize(clip, tmp_path / "whole.mkv", **options)
    vidgan.stylize(clip, tmp_path / "input.mkv", **options | {"strength": 0, "smooth": "off"})
    masked, whole, source = (frames_of(tmp_path / f"{each}.mkv") for each in ("masked", "whole", "input"))
    for a, b, c in zip(masked, whole, source, strict=True):
        # Of halved chroma, a sample at the edge belongs to both sides.
        assert np.array_equal(a[:, 50:], c[:, 50:])
        inside = a[:, :46].astype(int)
        # Its chroma is moved to where the input has it.
        assert np.abs(inside - b[:, :46]).mean() < 2 and np.abs(inside - c[:, :46]).mean() > 20


def test_another_style_outside(tmp_path: Path) -> None:
    photo = scene(0, *SIZE)
    mask = save(tmp_path / "mask.png", left_half())
    both = vidgan.stylize(photo, style="starry", mask=mask, style_outside="wave", mask_feather=0)
    starry, wave = (vidgan.stylize(photo, style=name) for name in ("starry", "wave"))
    assert np.array_equal(both[:, :48], starry[:, :48]) and np.array_equal(both[:, 48:], wave[:, 48:])
    turned = vidgan.stylize(
        photo, style="wave", mask=mask, style_outside="starry", mask_feather=0, mask_invert=True
    )
    assert np.array_equal(turned, both)


def test_edges_are_soft_and_as_wide_as_asked_for(tmp_path: Path) -> None:
    (row,) = masks_of(opened(save(tmp_path / "mask.png", left_half()), feather=25), [0])
    edge = row[20].astype(int)
    assert (np.diff(edge) <= 0).all() and edge[0] == 255 and edge[-1] == 0
    assert 10 <= np.count_nonzero((edge > 2) & (edge < 253)) <= 18
    # In the middle where the edge was.
    assert abs(edge[47] + edge[48] - 255) <= 2


@pytest.mark.parametrize("layout", ["rgb", "yuv"])
def test_compositing_is_exact_where_the_mask_is(layout: str) -> None:
    random = np.random.default_rng(0)
    one, two = (random.integers(0, 256, (33, 47, 3), np.uint8) for _ in range(2))
    mask = np.zeros((33, 47), np.uint8)
    mask[:, :20], mask[:, 20:26] = 255, 128
    images = [RgbImage(each) if layout == "rgb" else YuvImage.from_rgb(each) for each in (one, two)]
    result = composite(images[0], images[1], mask)
    if isinstance(result, YuvImage):
        first, second = images
        assert isinstance(first, YuvImage) and isinstance(second, YuvImage)
        assert np.array_equal(result.luma[:, :20], first.luma[:, :20])
        assert np.array_equal(result.chroma[:, :10], first.chroma[:, :10])
        assert np.array_equal(result.chroma[:, 14:], second.chroma[:, 14:])
    else:
        assert np.array_equal(result.pixels[:, :20], one[:, :20])
        assert np.array_equal(result.pixels[:, 26:], two[:, 26:])
        wanted = (one[:, 20:26].astype(int) + two[:, 20:26]) / 2
        assert np.abs(result.pixels[:, 20:26] - wanted).max() <= 1.5


def test_a_mask_of_another_size_is_scaled_and_one_of_another_shape_said(tmp_path: Path) -> None:
    doubled = opened(save(tmp_path / "double.png", left_half(192, 128)))
    assert np.array_equal(masks_of(doubled, [0])[0], left_half()) and not doubled.warnings
    square = opened(save(tmp_path / "square.png", left_half(64, 64)))
    assert square.warnings == [f"{tmp_path / 'square.png'}: is 64x64, of another shape than 96x64; stretched"]
    result = vidgan.stylize(scene(0, *SIZE), style="starry", mask=tmp_path / "square.png")
    assert result.shape == (64, 96, 3)


def test_opacity_counts_as_white(tmp_path: Path) -> None:
    image = np.full((64, 96, 4), 255, np.uint8)
    image[:, 48:, 3] = 0
    assert np.array_equal(masks_of(opened(save(tmp_path / "cut-out.png", image)), [0])[0], left_half())


def moving(number: int) -> Pixels:
    """A bar that moves by two pixels a frame."""
    mask = np.zeros((64, 96), np.uint8)
    mask[:, 2 * number : 2 * number + 20] = 255
    return mask


def center(mask: Pixels) -> float:
    return float((mask[32] * np.arange(96.0)).sum() / mask[32].sum())


def test_a_moving_mask_is_in_step(tmp_path: Path) -> None:
    mask = opened(mask_folder(tmp_path / "masks", [moving(each) for each in range(30)]))
    for number, found in zip((5, 6, 12, 20, 7, 3), masks_of(mask, [5, 6, 12, 20, 7, 3]), strict=True):
        assert abs(center(found) - (2 * number + 9.5)) < 0.1
    # A job that begins later, as one of --from or a segment of a cluster.
    late = opened(tmp_path / "masks", start=0.4)
    assert abs(center(masks_of(late, [5])[0]) - (2 * 15 + 9.5)) < 0.1


def test_a_mask_goes_back_further_than_it_keeps(tmp_path: Path) -> None:
    mask = opened(mask_folder(tmp_path / "masks", [moving(each % 35) for each in range(120)]))
    for number, found in zip((110, 4, 60), masks_of(mask, [110, 4, 60]), strict=True):
        assert abs(center(found) - (2 * (number % 35) + 9.5)) < 0.1


def test_an_edge_that_jumps_for_a_frame_hardly_shows(tmp_path: Path) -> None:
    masks = [left_half() for _ in range(9)]
    masks[4] = np.zeros_like(masks[4])
    found = masks_of(opened(mask_folder(tmp_path / "masks", masks)), range(9))
    levels = [int(each[32, 10]) for each in found]
    assert levels[0] == levels[8] == 255 and min(levels) > 160
    assert max(abs(a - b) for a, b in itertools.pairwise(levels)) < 40


def test_a_mask_video_that_ends_early_holds_and_says_so(clip: Path, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "mask.mp4", times=range(5), size=(48, 32))
    result = vidgan.stylize(clip, tmp_path / "out.mkv", style="starry", mask=source)
    (said,) = [each for each in result.warnings if "the mask ends" in each]
    assert said == f"{source.absolute()}: the mask ends at 0.20 s; its last frame holds from there on"
    assert result.frames == 12
    longer = make_clip(tmp_path / "long.mp4", times=range(20), size=(48, 32))
    result = vidgan.stylize(clip, tmp_path / "out2.mkv", style="starry", mask=longer)
    assert not [each for each in result.warnings if "mask" in each] and result.frames == 12


def test_masks_that_cannot_be_read(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("a mask")
    for path, words in {
        tmp_path / "none.png": "cannot be read: No such file",
        tmp_path / "text.png": "not an image",
    }.items():
        with pytest.raises(InputError, match=words) as error:
            vidgan.stylize(clip, tmp_path / "o.mkv", style="starry", mask=path)
        assert str(error.value).startswith(f"{path}: ")
    with pytest.raises(InputError, match="`style_outside` needs a mask"):
        vidgan.stylize(clip, tmp_path / "o.mkv", style="starry", style_outside="wave")
