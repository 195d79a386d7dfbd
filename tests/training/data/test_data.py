"""Photos and palette."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from training.data.images import center_crop, read_image
from training.data.palette import LumaPalette, stretch_luminance
from training.data.photos import HELD_OUT, list_photos, photo_batch, random_crop, split_held_out


def luma(images: torch.Tensor) -> torch.Tensor:
    return (images * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(-3)


def test_read_image_is_rgb_between_0_and_1(tmp_path: Path) -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :, 0] = 255  # OpenCV's blue.
    cv2.imwrite(str(tmp_path / "blue.png"), pixels)
    image = read_image(tmp_path / "blue.png")
    assert image.shape == (3, 4, 6) and image.dtype == torch.float32
    assert image.amax((1, 2)).tolist() == [0, 0, 1]
    assert read_image(tmp_path / "blue.png", long_side=12).shape == (3, 8, 12)
    assert read_image(tmp_path / "blue.png", long_side=3).shape == (3, 2, 3)


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"broken\.jpg: not a readable image"):
        read_image(tmp_path / "broken.jpg")


def test_list_photos_looks_below_and_leaves_other_files_out(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    first = next(photos.iterdir())
    for name in ("z.png", "a/b/y.PNG", "a/x.txt"):
        shutil.copy(first, tmp_path / name)
    assert list_photos([tmp_path]) == [tmp_path / "a/b/y.PNG", tmp_path / "z.png"]
    assert len(list_photos([tmp_path, photos])) == 26


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder of photos"):
        list_photos([tmp_path / "nowhere"])
    with pytest.raises(FileNotFoundError, match="no images in"):
        list_photos([tmp_path])


def test_held_out_photos_are_disjoint_and_depend_on_names_alone(photos: Path, tmp_path: Path) -> None:
    found = list_photos([photos])
    training, held_out = split_held_out(found)
    assert len(held_out) == HELD_OUT and not set(training) & set(held_out)
    assert sorted([*training, *held_out]) == found
    assert split_held_out(found[::-1])[1] == held_out
    moved = [tmp_path / path.name for path in found]
    assert [path.name for path in split_held_out(moved)[1]] == [path.name for path in held_out]


def test_a_growing_folder_hardly_moves_the_held_out_photos() -> None:
    names = [Path(f"{number}.jpg") for number in range(1000)]
    before, after = set(split_held_out(names[:900])[1]), set(split_held_out(names)[1])
    assert len(before & after) >= HELD_OUT - 6


def test_too_few_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="20 photos are too few: 20 are held out"):
        split_held_out([Path(f"{number}.jpg") for number in range(20)])


def test_batches_follow_from_the_generators_state(photos: Path) -> None:
    found = list_photos([photos])
    generator = torch.Generator().manual_seed(5)
    photo_batch(found, 2, 32, generator)
    state = generator.get_state()
    first, second = (photo_batch(found, 3, 32, generator) for _ in range(2))
    assert first.shape == (3, 3, 32, 32) and not torch.equal(first, second)
    assert first.min() >= 0 and first.max() <= 1
    torch.manual_seed(123)  # The global generator has no say.
    generator.set_state(state)
    assert torch.equal(photo_batch(found, 3, 32, generator), first)


def test_random_crops_vary_in_place_size_and_side() -> None:
    ramp = torch.linspace(0, 1, 100).expand(3, 90, 100)
    generator = torch.Generator().manual_seed(0)
    crops = [random_crop(ramp, 32, generator) for _ in range(40)]
    mirrored = [bool(crop[0, 0, 0] > crop[0, 0, -1]) for crop in crops]
    assert 5 < sum(mirrored) < 35
    widths = [float((crop[0, 0, -1] - crop[0, 0, 0]).abs()) for crop in crops]
    assert min(widths) > 0.6 * 0.9 * 0.9 and max(widths) - min(widths) > 0.15
    assert len({round(float(crop.mean()), 3) for crop in crops}) > 20


def test_crops_of_images_smaller_than_asked_are_enlarged() -> None:
    small = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0))
    assert random_crop(small, 32, torch.Generator().manual_seed(0)).shape == (3, 32, 32)
    assert center_crop(small, 32).shape == (3, 32, 32)


def test_center_crop_takes_the_middle() -> None:
    image = torch.zeros(3, 20, 30)
    image[:, :, 5:25] = 1
    assert torch.equal(center_crop(image, 20), torch.ones(3, 20, 20))


def test_palette_gives_back_the_painting_of_colors_by_lightness() -> None:
    # Dark is blue and light is yellow, so lightness alone tells the color.
    share = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    blue, yellow = (
        torch.tensor([0.05, 0.1, 0.5])[:, None, None],
        torch.tensor([0.95, 0.9, 0.3])[:, None, None],
    )
    painting = torch.lerp(blue, yellow, share)
    palette = LumaPalette(painting)
    torch.testing.assert_close(palette(painting), painting, rtol=0, atol=0.05)
    gray = luma(painting)[:, None].expand(-1, 3, -1, -1)
    # Contrast is matched up to a small share, which keeps noise in flat photos from being blown up.
    torch.testing.assert_close(palette(0.1 + 0.9 * gray), painting, rtol=0, atol=0.06)


def test_palette_keeps_the_order_of_lightness_and_the_paintings_range() -> None:
    painting = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.2
    steps = torch.linspace(0, 1, 40).expand(2, 3, 8, 40)
    output = LumaPalette(painting)(steps)
    assert output.shape == steps.shape
    assert output.min() >= 0.2 and output.max() <= 0.7
    assert (luma(output)[0, 0].diff() >= -1e-5).all()


def test_palette_of_flat_images_is_finite() -> None:
    painting = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for palette in (LumaPalette(painting), LumaPalette(torch.full((1, 3, 16, 16), 0.5))):
        output = palette(torch.full((1, 3, 8, 8), 0.3))
        assert output.isfinite().all() and (output.flatten(2).std(2) < 1e-6).all()


def test_lightness_is_stretched_to_the_full_range_and_hue_kept() -> None:
    painting = 0.3 + 0.3 * torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    painting = torch.cat([painting, painting, painting + 0.05], 1)
    stretched = stretch_luminance(painting)
    assert stretched.min() == 0 and stretched.max() == 1
    inside = ((stretched > 0) & (stretched < 1)).all(1, keepdim=True).expand(-1, 3, -1, -1)
    r, g, b = stretched.masked_fill(~inside, 0).movedim(1, 0)
    torch.testing.assert_close(r, g)
    assert ((b - r)[inside[:, 0]] > 0.1).all()
    full = torch.linspace(0, 1, 4096).reshape(1, 1, 64, 64).expand(1, 3, 64, 64)
    torch.testing.assert_close(stretch_luminance(full), full, rtol=0, atol=0.006)
