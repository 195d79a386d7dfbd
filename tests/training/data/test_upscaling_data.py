"""What upscalers are trained on: published bicubic, crops, and how images become worse."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from training.data.bicubic import bicubic_matrix, downscale, round_to_bytes, upscale
from training.data.compression import as_h264, as_jpeg
from training.data.crops import Crops
from training.data.degradation import DEGRADATIONS, crop_side
from training.data.images import read_image
from training.data.photos import list_photos
from training.evaluation.fidelity import psnr

CPU = torch.device("cpu")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth_images(count: int, side: int) -> torch.Tensor:
    """``(count, 3, side, side)`` with soft edges and some texture."""
    coarse = torch.rand(count, 3, side // 8, side // 8, generator=seeded(1))
    fine = torch.rand(count, 3, side, side, generator=seeded(2))
    return (0.9 * torch.nn.functional.interpolate(coarse, size=side, mode="bicubic") + 0.1 * fine).clamp(0, 1)


@pytest.mark.parametrize(("size", "out"), [(40, 10), (10, 40), (48, 24), (30, 21)])
def test_bicubic_keeps_constants_and_slopes(size: int, out: int) -> None:
    matrix = bicubic_matrix(size, out)
    assert torch.allclose(matrix.sum(1), torch.ones(out, dtype=torch.float64))
    slope = matrix @ torch.arange(size, dtype=torch.float64)
    places = (torch.arange(out, dtype=torch.float64) + 0.5) * size / out - 0.5
    inner = slice(out // 4, -out // 4)
    assert torch.allclose(slope[inner], places[inner], atol=0.03)


def test_bicubic_does_not_alias() -> None:
    stripes = (torch.arange(64) % 2).double().expand(64, 64)
    assert downscale(stripes, 4)[4:-4, 4:-4].sub(0.5).abs().max() < 0.01
    assert (
        cv2.resize(stripes.numpy(), (16, 16), interpolation=cv2.INTER_CUBIC).std() < 1e-9
    )  # Off by a phase.
    assert upscale(downscale(stripes, 2), 2).shape == (64, 64)


def test_jpeg_is_about_what_libjpeg_does() -> None:
    image = smooth_images(1, 64)
    pixels = (image[0] * 255).round().byte().permute(1, 2, 0).numpy()[:, :, ::-1]
    for quality in (30, 75):
        _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(pixels), [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        assert decoded is not None
        real = torch.from_numpy(decoded[:, :, ::-1].copy()).permute(2, 0, 1) / 255
        ours = as_jpeg(image, torch.tensor([float(quality)]))[0]
        ours_off, real_off, pairwise_distances = (
            psnr(255 * a, 255 * b) for a, b in ((ours, image[0]), (real, image[0]), (ours, real))
        )
        assert abs(ours_off - real_off) < 1.5 and pairwise_distances > real_off


def test_coarser_steps_lose_more() -> None:
    images = smooth_images(1, 64).expand(3, -1, -1, -1)
    for damaged in (
        as_jpeg(images, torch.tensor([90.0, 50.0, 10.0])),
        as_h264(images, torch.tensor([16.0, 28.0, 40.0])),
    ):
        fine, middle, coarse = ((damaged - images).square().mean((1, 2, 3))).tolist()
        assert 0 < fine < middle < coarse < 0.05
        assert float(damaged.min()) >= 0 and float(damaged.max()) <= 1


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
@pytest.mark.parametrize("scale", [2, 4])
def test_pairs_lie_on_each_other(name: str, scale: int) -> None:
    crops = smooth_images(4, crop_side(32, scale))
    small, large = DEGRADATIONS[name](crops, scale, seeded())
    assert small.shape == (4, 3, 32, 32) and large.shape == (4, 3, 32 * scale, 32 * scale)
    assert torch.equal(small, round_to_bytes(small))
    here = (downscale(large, scale) - small).square().mean()
    moved = (downscale(large, scale) - small.roll(1, 3)).square().mean()
    assert here < 0.5 * moved
    again, _ = DEGRADATIONS[name](crops, scale, seeded())
    assert torch.equal(small, again)


def test_crops_are_parts_of_the_images(photos: Path) -> None:
    paths = list_photos([photos])[:3]
    crops = Crops(paths, 32, device=CPU).batch(24, seeded())
    images = [read_image(path) for path in paths]
    found = set()
    for crop in crops:
        turned = [square for flipped in (crop, crop.flip(2)) for square in rotations(flipped)]
        places = [index for index, image in enumerate(images) for each in turned if is_part(each, image)]
        assert places
        found.add(places[0])
    assert found == {0, 1, 2}


def test_images_that_are_too_small_are_said() -> None:
    with pytest.raises(ValueError, match="none of 0 photos is as large as the crops, 32×32"):
        Crops([], 32, device=CPU)


def rotations(square: torch.Tensor) -> list[torch.Tensor]:
    return [square.rot90(turns, (1, 2)) for turns in range(4)]


def is_part(square: torch.Tensor, image: torch.Tensor) -> bool:
    windows = image.unfold(1, 32, 1).unfold(2, 32, 1).permute(1, 2, 0, 3, 4)
    return bool((windows == square).flatten(2).all(2).any())
