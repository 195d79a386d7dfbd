"""The first layer of ``swift``: linear features of 4×4 patches, after local contrast normalization."""

import torch
from torch import Tensor, nn

from training.networks.local_contrast import image_stats
from training.networks.pixels import pixel_unshuffle


class PatchFeatures(nn.Module):
    """Space-to-depth blocks of 4×4 pixels → features, ``(N, H, W, 48)`` → ``(N, H, W, outputs)``.

    Linear but for the normalization. Gradients and edges get features of their own, which can therefore be
    quantized to 8 bits where pixels cannot: gradients would show banding.
    """

    block_means: Tensor

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, 48, 1, 1))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="linear")
        self.register_buffer("block_means", _means_of_2x2(), persistent=False)

    def forward(
        self, blocks: Tensor, white: float, given_stats: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The features, and the statistics of the whole image, see :func:`image_stats`."""
        matrix = self.weight.flatten(1).T
        return normalized_features(blocks, matrix, self.block_means, white, given_stats)

    def folded(self) -> "FoldedPatchFeatures":
        """The same layer as a matrix."""
        return FoldedPatchFeatures(self.weight.detach().flatten(1).T.contiguous())

    @torch.no_grad()
    def load_folded_weights(self, matrix: Tensor) -> None:
        """The inverse of :meth:`folded`."""
        self.weight.copy_(matrix.T[:, :, None, None])


class FoldedPatchFeatures(nn.Module):
    """:class:`PatchFeatures` as a ``matrix``, ``(48, outputs)``."""

    matrix: Tensor
    block_means: Tensor

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)
        self.register_buffer("block_means", _means_of_2x2(), persistent=False)

    def forward(
        self, blocks: Tensor, white: float, given_stats: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        return normalized_features(blocks, self.matrix, self.block_means, white, given_stats)

    @torch.no_grad()
    def round_weights(self, levels: int) -> None:
        """Rounds each column of the matrix to multiples of its step, ``levels`` on each side of 0.

        This is done before the export, because a flat patch must give 0 with rounded weights as well once its
        mean is subtracted.
        """
        steps = self.matrix.abs().amax(0) / levels
        self.matrix = (self.matrix / steps).round() * steps


def normalized_features(
    blocks: Tensor, matrix: Tensor, block_means: Tensor, white: float, given_stats: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Features of normalized blocks. Normalizing the features instead of the pixels is less work."""
    pixels, matrix = blocks.float(), matrix.float()
    color, local_mean, gain, of_image = image_stats(pixels @ block_means.float(), white, given_stats)
    of_color = matrix.unflatten(0, (16, 3)).sum(0)
    of_gray = of_color.sum(0).expand(blocks.shape[0], 1, 1, -1)
    weights = torch.cat([color @ of_color, of_gray], 2)
    mean = torch.cat([torch.ones_like(local_mean), local_mean], 3) @ weights
    return ((pixels @ matrix - mean) * gain).to(blocks.dtype), of_image


def _means_of_2x2() -> Tensor:
    """The matrix from the pixels of a block to those of half the size, ``(48, 12)``."""
    return pixel_unshuffle(torch.eye(48).view(48, 4, 4, 3), 2).unflatten(3, (4, 3)).mean(3).flatten(1)
