"""The local color loss: what follows the photo is free, what is spread over its slopes is not."""

import torch
from torch import Tensor

from training.losses.local_color import local_color_loss


def photo() -> Tensor:
    """Two flat halves with a slope of brightness over each, ``(1, 3, 96, 96)``."""
    slope = torch.linspace(0, 0.4, 96)[:, None].expand(96, 96)
    halves = (torch.arange(96) >= 48).float()[None].expand(96, 96)
    return torch.stack([slope + 0.5 * halves, slope, slope + 0.2])[None]


def test_any_affine_map_of_the_photo_costs_nothing() -> None:
    matrix = torch.tensor([[-1.0, 0.3, 0.2], [0.4, 0.8, 0.0], [0.5, 0.5, -0.7]])
    stylized = torch.einsum("ij,njhw->nihw", matrix, photo()) + 0.3
    assert float(local_color_loss(stylized, photo())) < 5e-3


def test_fine_strokes_cost_nothing() -> None:
    strokes = 0.3 * (torch.arange(96) % 8 < 4).float() - 0.15
    assert float(local_color_loss(photo() + strokes, photo())) < 5e-3


def test_a_rainbow_over_a_slope_costs_more_than_colors_of_objects() -> None:
    angle = 12 * photo()[:, 1]
    rainbow = 0.5 + 0.4 * torch.stack([angle.cos(), angle.sin(), -angle.cos()], 1)
    objects = torch.where(photo()[:, :1] - photo()[:, 1:2] > 0.2, 0.8, 0.2) * photo()
    losses = local_color_loss(torch.cat([rainbow, objects]), photo().expand(2, -1, -1, -1))
    assert losses[0] > 5 * losses[1]


def test_the_gradient_leads_to_the_photo() -> None:
    generator = torch.Generator().manual_seed(0)
    stylized = torch.nn.functional.interpolate(torch.rand(1, 3, 6, 6, generator=generator), size=96)
    stylized.requires_grad_()
    first = local_color_loss(stylized, photo()).sum()
    (slope,) = torch.autograd.grad(first, stylized)
    assert local_color_loss(stylized - 0.5 * slope / slope.square().sum() * first, photo()).sum() < first
