"""Colors that follow the objects of the photo: locally, an image's color is an affine function of the photo's."""

import torch
import torch.nn.functional as F
from torch import Tensor

_SHRINK = 8
"""Strokes are finer than this many pixels, and free."""
_WINDOW = 7
_NOISE = 1e-4
"""Variance of the photo's colors that is noise: what is below it explains nothing."""


def local_color_loss(images: Tensor, photos: Tensor) -> Tensor:
    """The part of the variance of coarse color that the photo does not explain, one number an image.

    In each window of 7×7 cells of 8×8 pixels, the image's color is regressed on the photo's; the residual is
    divided by the variance over the whole image. Without it a style's colors are spread over any slope of
    brightness, as in a rainbow, and objects of one color get many.

    The residual is the cost of the matting Laplacian (Levin, Lischinski, Weiss, *A Closed-Form Solution to
    Natural Image Matting*), which Luan et al., *Deep Photo Style Transfer*, use for photorealism at full
    resolution.

    Args:
        images: ``(N, 3, H, W)`` RGB in about [0, 1].
        photos: the same shape, RGB in [0, 1].
    """
    coarse, guide = (F.avg_pool2d(each.float(), _SHRINK) for each in (images, photos))
    variance = coarse.detach().flatten(2).var(2).mean(1)
    return _residual(coarse, guide).mean((1, 2)) / (variance + _NOISE)


def _residual(values: Tensor, guide: Tensor) -> Tensor:
    """Mean squared residual over the three channels of each window, ``(N, h, w)``."""
    window = min(_WINDOW, *values.shape[2:])
    cross = _covariance(guide, values, window)
    ridge = _NOISE * torch.eye(3, device=guide.device)
    slopes = torch.linalg.solve(_covariance(guide, guide, window) + ridge, cross)
    own = F.avg_pool2d(values.square(), window, 1) - F.avg_pool2d(values, window, 1).square()
    return (own.sum(1) - (slopes * cross).sum((3, 4))) / 3


def _covariance(one: Tensor, other: Tensor, window: int) -> Tensor:
    """Covariance of the channels of two images in each window, ``(N, h, w, 3, 3)``."""
    products = F.avg_pool2d((one[:, :, None] * other[:, None]).flatten(1, 2), window, 1)
    means = F.avg_pool2d(one, window, 1)[:, :, None] * F.avg_pool2d(other, window, 1)[:, None]
    return (products.unflatten(1, (3, 3)) - means).permute(0, 3, 4, 1, 2)
