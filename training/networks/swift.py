"""``swift``: a generator small enough for video on a laptop's CPU.

CPUs are fast at dense 3×3 convolutions in int8 at low resolution, and slow at full-resolution layers and at
statistics that are computed at run time. Therefore:

- The image is cut into space-to-depth blocks of 4×4 pixels, which a matrix turns into features. Contrast is
  normalized once, there (:func:`training.networks.local_contrast.image_stats`).
- Most layers run at an eighth of the resolution, where a convolution is cheap and has a large receptive field.
- Normalization exists in training only. It starts as instance normalization, which learns a style quickly, fades
  into fixed statistics, and is folded into the convolutions at export (:class:`FadingNorm`).
- Upsampling is bilinear resize + convolution, which has no checkerboard artifacts on smooth areas, computed as
  one convolution at low resolution (:class:`UpConv`).

7k MAC per pixel, and 8.3k as exported in int8 (:func:`to_block_conv`); ``johnson`` has 154k.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.exportable import ExportSpec
from training.networks.image_generator import ImageGenerator
from training.networks.patch_features import FoldedPatchFeatures, PatchFeatures
from training.networks.pixels import pixel_shuffle, pixel_unshuffle, quantize_image
from training.networks.swift_layers import (
    BlockConv,
    ConvNorm,
    FadingNorm,
    ResidualBlock,
    UpConv,
    channels_first,
    channels_last,
    pixel_shuffle_first,
    replicate_pad,
    to_block_conv,
)

_COVERED = 0.999
"""Share of a photo's features that the int8 range covers. Clipping the rest gives all others finer steps."""


class Swift(ImageGenerator):
    """RGB ``(N, 3, H, W)`` in [0, 1] → the same; H and W must be multiples of ``stride`` (8).

    In training the result may leave [0, 1] a little, so that a saturated pixel still has a gradient; otherwise it
    is clipped.
    """

    stride = 8

    def __init__(
        self, features: int = 32, quarter: int = 32, eighth: int = 64, blocks: int = 3, half: int = 16
    ) -> None:
        super().__init__()
        self.patch_features: nn.Module = PatchFeatures(features)
        self.stem = ConvNorm(features, quarter)
        self.down = ConvNorm(quarter, eighth, 2, 2)
        self.blocks = nn.Sequential(*(ResidualBlock(eighth) for _ in range(blocks)))
        self.up_quarter: nn.Module = UpConv(eighth, quarter)
        self.up_half: nn.Module = UpConv(quarter, half)
        self.up_full: nn.Module = UpConv(half, 3)
        nn.init.normal_(self.up_full.weight, std=0.02)
        nn.init.constant_(self.up_full.bias, 0.5)

    def export_spec(self) -> ExportSpec:
        return replace(
            super().export_spec(),
            computes_stats=True,
            assumed_stats=self.assumed_stats(255.0),
            yuv420=True,
            int8_input_range=(-1.0, 1.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        blocks = pixel_unshuffle(channels_last(x), 4)
        y, _ = self.run_blocks(blocks, 1.0, self.assumed_stats(1.0))
        y = pixel_shuffle_first(y, self._side)
        clipped = y.clamp(0, 1)
        return torch.lerp(clipped, y, 0.1) if self.training else clipped

    def assumed_stats(self, white: float) -> Tensor | None:
        """Statistics that every image is taken to have, ``(1, 4)``; None to compute them.

        Args:
            white: the value of a white pixel.
        """
        return None

    def run_bytes(self, images: Tensor, given_stats: Tensor | None = None, /) -> tuple[Tensor, Tensor]:
        """:meth:`forward` for uint8 ``(N, H, W, 3)``; pixel shuffles are done on bytes.

        Args:
            given_stats: of the image that these are tiles of, ``(1, 4)``, see
                :func:`training.networks.local_contrast.image_stats`.

        Returns:
            The output images, and the statistics of the input images.
        """
        blocks = pixel_unshuffle(images, 4)
        given_stats = self.assumed_stats(255.0) if given_stats is None else given_stats
        y, stats = self.run_blocks(blocks.to(self.stem.conv.weight.dtype), 255.0, given_stats)
        return pixel_shuffle(channels_last(quantize_image(y)), self._side), stats

    @property
    def _side(self) -> int:
        """Side in pixels of the blocks that :meth:`run_blocks` returns."""
        return 4 if isinstance(self.up_full, BlockConv) else 2

    def run_blocks(
        self, blocks: Tensor, white: float, given_stats: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Everything between the two pixel shuffles: blocks ``(N, H, W, 48)`` → blocks, channels first."""
        features, stats = self.patch_features(blocks, white, given_stats)
        skip = F.relu(self.stem(replicate_pad(channels_first(features), 1)))
        y = self.blocks(F.relu(self.down(skip)))
        y = F.relu(pixel_shuffle_first(self.up_quarter(replicate_pad(y, 1)), 2) + skip)
        y = F.relu(self.up_half(replicate_pad(y, 1)))
        if isinstance(self.up_full, BlockConv):
            return self.up_full(replicate_pad(y, 1)), stats
        # Replicated blocks mirror pixels: the second pixel from the border is the inner half of its block.
        return self.up_full(F.pad(pixel_shuffle_first(y, 2), (1, 1, 1, 1), mode="reflect")), stats

    def set_instance_share(self, share: float) -> None:
        for module in self.modules():
            if isinstance(module, FadingNorm):
                module.instance_share.fill_(share)

    @contextlib.contextmanager
    def fixed_statistics(self) -> Iterator[None]:
        norms = [module for module in self.modules() if isinstance(module, FadingNorm)]
        shares = [float(norm.instance_share) for norm in norms]
        self.set_instance_share(0.0)
        yield
        for norm, share in zip(norms, shares, strict=True):
            norm.instance_share.fill_(share)

    def fold(self) -> None:
        """Leaves plain convolutions and the matrix of patch features. The function at share 0 is unchanged."""
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()
        for name in ("patch_features", "up_quarter", "up_half", "up_full"):
            layer = getattr(self, name)
            if isinstance(layer, (PatchFeatures, UpConv)):
                setattr(self, name, layer.folded())

    @torch.no_grad()
    def prepare_int8(self, images: Iterable[Tensor], *, levels: int | None = None) -> None:
        """Scales the patch features to nearly always lie in [-1, 1], and uses :func:`to_block_conv`.

        Features of gradients are small beside those of luminance, and would be lost if all had the same 256 steps.
        """
        features = self.patch_features
        assert isinstance(features, FoldedPatchFeatures) and isinstance(self.up_full, nn.Conv2d)
        largest = torch.full_like(features.matrix[0], 1e-3)
        for image in images:
            height, width = (side // 8 * 8 for side in image.shape[:2])
            blocks = pixel_unshuffle(image[None, :height, :width], 4)
            values = features(blocks.float(), 255.0, self.assumed_stats(255.0))[0].abs().flatten(0, 2)
            torch.maximum(largest, torch.quantile(values, _COVERED, dim=0), out=largest)
        features.matrix = features.matrix / largest
        self.stem.conv.weight *= largest[:, None, None]
        self.up_full = to_block_conv(self.up_full)
        if levels is not None:
            features.round_weights(levels)

    def load_folded_weights(self, weights: Mapping[str, Tensor]) -> None:
        """The inverse of :meth:`fold`: loads the weights of a folded network, by their names there.

        The function is the same, and kernels and norms are scaled as in training. The statistics before the
        folding are lost, so the instance share is 0.

        Raises:
            KeyError, RuntimeError: the weights are of another network.
        """
        for name, module in self.named_modules():
            if isinstance(module, ConvNorm):
                module.load_folded_weights(weights[f"{name}.conv.weight"], weights[f"{name}.conv.bias"])
            elif isinstance(module, UpConv):
                module.load_folded_weights(weights[f"{name}.weight"], weights[f"{name}.bias"])
            elif isinstance(module, PatchFeatures):
                module.load_folded_weights(weights[f"{name}.matrix"])
        self.set_instance_share(0.0)
