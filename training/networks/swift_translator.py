"""``swift-translator``: :class:`training.networks.swift.Swift` for pictures that have to find the way back.

What it paints is added to the picture. So it begins with changing nothing, what is to stay stays sharp, and
moves as it moved. A style need not tell a dark photo from a bright one; here no cycle could close then. So
the light of every picture is taken for the same, which leaves of the evening out only the local part, that a
convolution can undo; and nothing is normalised, since normalisation forgets as well.
"""

import torch
from torch import Tensor, nn

from training.networks.pixels import fold_pixels, unfold_pixels
from training.networks.swift import CellConv, Swift, UpConv


class SwiftTranslator(Swift):
    """RGB ``(N, 3, H, W)`` in [0, 1] → the same, as :class:`Swift`."""

    def __init__(self) -> None:
        super().__init__()
        self.set_instance_share(0.0)
        assert isinstance(self.up_full, UpConv)
        nn.init.normal_(self.up_full.weight, std=0.002)
        nn.init.zeros_(self.up_full.bias)

    def given_light(self, white: float) -> Tensor:
        """Middle grey, and about the contrast that photos have."""
        grey = self.stem.conv.weight.new_full((1, 3), 0.5 * white)
        return torch.cat([grey, grey.new_full((1, 1), 0.03 * white**2)], 1)

    def paint_cells(self, cells: Tensor, white: float, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
        change, whole = super().paint_cells(cells, white, known)
        if not isinstance(self.up_full, CellConv):
            cells = fold_pixels(unfold_pixels(cells, 4), 2)
        return change + cells.permute(0, 3, 1, 2) / white, whole
