"""The generator for luma and chroma returns what the one for RGB does."""

import numpy as np
import pytest
import torch

from export.yuv420 import Yuv420Model, rgb_from_yuv_blocks, yuv_from_rgb_blocks
from training.networks import build_generator
from training.networks.pixels import pixel_shuffle, pixel_unshuffle
from training.networks.swift import Swift
from training.networks.swift_layers import FadingNorm
from vidgan.media.image import Pixels, YuvImage


def photo(seed: int = 0) -> Pixels:
    """Soft, and far from pure black, white and colors."""
    coarse = torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(seed))
    fine = torch.nn.functional.interpolate(coarse, (64, 96), mode="bicubic")[0]
    return np.asarray((90 + 70 * fine.clamp(0, 1)).byte().permute(1, 2, 0).numpy())


def cells_of(planes: YuvImage) -> torch.Tensor:
    luma, chroma = (torch.from_numpy(each)[None] for each in (planes.luma, planes.chroma))
    return torch.cat([pixel_unshuffle(luma[..., None], 4), pixel_unshuffle(chroma, 2)], 3).float()


def test_samples_become_the_pixels_that_opencv_makes_of_them() -> None:
    planes = YuvImage.from_rgb(photo())
    neutral = torch.tensor([0.0] * 16 + [128.0] * 8)
    pixels = pixel_shuffle((cells_of(planes) - neutral) @ rgb_from_yuv_blocks(), 4)[0].numpy()
    expected = planes.pixels.astype(float)
    # OpenCV blends color from one sample to the next; here it is repeated.
    assert np.abs(pixels - expected).mean() < 2.5
    assert np.abs((pixels - expected).mean((0, 1))).max() < 0.5


def test_pixels_become_the_samples_that_opencv_makes_of_them() -> None:
    pixels = torch.from_numpy(photo())[None]
    samples = (pixel_unshuffle(pixels, 4).float() @ yuv_from_rgb_blocks().T)[0]
    luma = pixel_shuffle(samples[None, ..., :16], 4)[0, ..., 0].numpy()
    chroma = pixel_shuffle(samples[None, ..., 16:], 2)[0].numpy() + 128
    planes = YuvImage.from_rgb(photo())
    assert np.abs(luma - planes.luma).max() <= 0.6
    assert np.abs(chroma - planes.chroma).max() <= 1.1


@pytest.fixture
def swift() -> Swift:
    torch.manual_seed(0)
    generator = build_generator("swift").eval()
    assert isinstance(generator, Swift)
    for module in generator.modules():
        if isinstance(module, FadingNorm):
            torch.nn.init.normal_(module.mean, std=0.2)
            torch.nn.init.uniform_(module.variance, 0.5, 2.0)
    generator.set_instance_share(0.0)
    generator.fold()
    return generator


def test_planes_are_output_as_their_pixels_are(swift: Swift) -> None:
    planes = YuvImage.from_rgb(photo())
    with torch.no_grad():
        pixels = torch.from_numpy(planes.pixels).permute(2, 0, 1)[None].float() / 255
        output = (swift(pixels)[0] * 255).round().byte().permute(1, 2, 0).numpy()
        swift.prepare_int8([torch.from_numpy(photo(1))])
        model = Yuv420Model(swift)
        luma, chroma, _ = model(torch.from_numpy(planes.luma)[None], torch.from_numpy(planes.chroma)[None])
    got, expected = (
        YuvImage(luma[0].numpy(), chroma[0].numpy()),
        YuvImage.from_rgb(np.ascontiguousarray(output)),
    )
    assert expected.luma.std() > 2
    for ours, theirs in ((got.luma, expected.luma), (got.chroma, expected.chroma)):
        assert ours.shape == theirs.shape and ours.dtype == np.uint8
        error = ours.astype(int) - theirs
        assert np.abs(error).mean() < 1.5 and abs(error.mean()) < 0.5


def test_flat_ground_stays_flat(swift: Swift) -> None:
    swift.prepare_int8([torch.from_numpy(photo(1))])
    model = Yuv420Model(swift)
    with torch.no_grad():
        luma, chroma, _ = model(
            torch.full((1, 48, 64), 90, dtype=torch.uint8),
            torch.tensor([160, 70], dtype=torch.uint8).expand(1, 24, 32, 2),
        )
    assert (luma == luma[0, 0, 0]).all() and (chroma == chroma[0, 0, 0]).all()
