"""The palette of a painting: its mean color at each luminance."""

import torch
from torch import Tensor

_LEVELS = 64
_LUMA = (0.299, 0.587, 0.114)


class LumaPalette:
    """Recolors photos with a painting's mean color at each luminance.

    A generator that is pretrained on this cheap imitation starts the perceptual objective with the content in place
    and about the right colors.

    Args:
        painting: RGB in [0, 1], ``(1, 3, H, W)``.
    """

    def __init__(self, painting: Tensor) -> None:
        luma = _luma(painting).flatten()
        colors = painting[0].flatten(1)
        # Bins of equal population: no bin is empty, however dark the painting.
        order = luma.argsort()
        bins = order.tensor_split(_LEVELS)
        self.colors = torch.stack([colors[:, each].mean(1) for each in bins], 1)
        self.levels = torch.stack([luma[each].mean() for each in bins])
        self.mean, self.std = luma.mean(), luma.std()

    def __call__(self, photos: Tensor) -> Tensor:
        """``(N, 3, H, W)`` RGB in [0, 1] → the same, matched to the painting in mean and contrast of luminance."""
        luma = _luma(photos)
        mean, std = luma.mean((1, 2), keepdim=True), luma.std((1, 2), keepdim=True)
        wanted = (luma - mean) / (std + 0.02) * self.std + self.mean
        upper = torch.searchsorted(self.levels, wanted.contiguous()).clamp(1, _LEVELS - 1)
        low, high = self.levels[upper - 1], self.levels[upper]
        share = ((wanted - low) / (high - low + 1e-6)).clamp(0, 1)
        mixed = torch.lerp(self.colors[:, upper - 1], self.colors[:, upper], share)
        return mixed.movedim(0, 1)


def stretch_luminance(painting: Tensor) -> Tensor:
    """Stretches luminance to [0, 1] but for the darkest and lightest half per cent; ``(N, 3, H, W)`` in [0, 1]."""
    low, high = torch.quantile(_luma(painting), torch.tensor([0.005, 0.995]))
    return ((painting - low) / (high - low).clamp(min=0.1)).clamp(0, 1)


def _luma(images: Tensor) -> Tensor:
    weights = torch.tensor(_LUMA)[:, None, None]
    return (images * weights).sum(1)
