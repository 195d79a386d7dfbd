"""``swift-translator``: :class:`training.networks.swift.Swift` for unpaired translation, which has to be invertible.

The output is a residual on the input, so training starts with the identity, and what stays the same stays sharp
and moves as in the input. A style may render a dark photo and a bright one alike; then a cycle could not close.
Therefore all images are taken to have the same statistics, which leaves only the local part of the contrast
normalization, and a convolution can invert that. There is no other normalization, since it loses information.
"""

import torch
from torch import Tensor, nn

from training.networks.pixels import pixel_shuffle, pixel_unshuffle
from training.networks.swift import Swift
from training.networks.swift_layers import BlockConv, UpConv


class SwiftTranslator(Swift):
    """RGB ``(N, 3, H, W)`` in [0, 1] → the same, as :class:`Swift`."""

    def __init__(self) -> None:
        super().__init__()
        self.set_instance_share(0.0)
        assert isinstance(self.up_full, UpConv)
        nn.init.normal_(self.up_full.weight, std=0.002)
        nn.init.zeros_(self.up_full.bias)

    def assumed_stats(self, white: float) -> Tensor:
        """Middle gray, and about the contrast of photos."""
        gray = self.stem.conv.weight.new_full((1, 3), 0.5 * white)
        return torch.cat([gray, gray.new_full((1, 1), 0.03 * white**2)], 1)

    def run_blocks(
        self, blocks: Tensor, white: float, given_stats: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        residual, stats = super().run_blocks(blocks, white, given_stats)
        if not isinstance(self.up_full, BlockConv):
            blocks = pixel_unshuffle(pixel_shuffle(blocks, 4), 2)
        return residual + blocks.permute(0, 3, 1, 2) / white, stats
