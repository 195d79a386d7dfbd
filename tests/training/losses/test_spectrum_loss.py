"""Frequencies that stand out: what repeats with every pixel that is enlarged does, and noise does not."""

import torch

from training.losses.spectrum import spectral_peak_loss


def texture(seed: int = 0) -> torch.Tensor:
    """Noise round a middle gray."""
    return 0.5 + 0.05 * torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(seed))


def stamps(period: int) -> torch.Tensor:
    """One pattern in every cell, now light and now dark: its mean is no grid, but its spectrum is one."""
    random = torch.Generator().manual_seed(1)
    pattern = torch.randn(period, period, generator=random).repeat(96 // period, 96 // period)
    strength = torch.randn(4, 3, 6, 6, generator=random)
    return torch.nn.functional.interpolate(strength, size=(96, 96), mode="bicubic") * pattern


def test_nothing_stands_out_of_the_target() -> None:
    assert float(spectral_peak_loss(texture(), texture())) == 0
    # Other textures of the same kind differ by chance only.
    assert float(spectral_peak_loss(texture(1), texture(2))) < 0.15


def test_stamps_stand_out_and_noise_of_their_power_does_not() -> None:
    target, grid = texture(), 0.03 * stamps(4)
    noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(3)) * grid.std()
    plain, printed = (float(spectral_peak_loss(target + each, target)) for each in (noise, grid))
    assert printed > 2 * plain


def test_brightness_and_contrast_are_not_its_business() -> None:
    target = texture()
    assert float(spectral_peak_loss(0.5 + 0.8 * (target - 0.5), target)) < 0.02


def test_its_gradient_takes_stamps_away() -> None:
    target = texture()
    image = (target + 0.03 * stamps(4)).requires_grad_()
    before = spectral_peak_loss(image, target)
    before.backward()
    assert image.grad is not None
    step = 0.01 * image.grad / image.grad.abs().max()
    assert spectral_peak_loss(image.detach() - step, target) < 0.95 * before.detach()
