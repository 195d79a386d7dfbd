"""The sequential generator of vid2vid (Wang et al. 2018): what was painted is moved along, the rest made up.

A U-Net sees the labels of now and of before, and the picture of before; it says where each pixel comes from
in that picture, where that can be trusted, and what is to be seen elsewhere.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.unet import Grain, UNet

_MOST = 0.2
"""Share of the past at most. Fetching along a flow blurs a little, and what was blurred is fetched again."""
_FLOW_CELL = 8
"""Motion is smooth: one vector for so many pixels a side, and what lies between."""


class Painted(NamedTuple):
    """One moment.

    Attributes:
        picture: RGB in [-1, 1], ``(N, 3, H, W)``.
        made_up: the same as it would be without a past.
        flow: where each pixel was in the picture before, ``(N, 2, H, W)``: columns and rows from here.
        share: of the past in the picture, ``(N, 1, H, W)``.
    """

    picture: Tensor
    made_up: Tensor
    flow: Tensor
    share: Tensor


class SequentialGenerator(nn.Module):
    """Label maps in their order → pictures; sides are multiples of ``stride``.

    Args:
        classes: how many labels there are.
        width, depth: of the U-Net.
    """

    def __init__(self, classes: int, *, width: int = 32, depth: int = 6) -> None:
        super().__init__()
        self.classes = classes
        self.unet = UNet(2 * classes + 4, 6, width=width, depth=depth, grain=True)
        self.stride = self.unet.stride

    def forward(self, now: Tensor, before: Tensor, past: Tensor, known: Tensor) -> Painted:
        """The next moment.

        Args:
            now, before: labels, 0 and 1, ``(N, classes, H, W)``.
            past: RGB in [-1, 1], ``(N, 3, H, W)``.
            known: 1 where there is a past and 0 where there is none, ``(N, 1, H, W)``.
        """
        seen = torch.cat([now, before * known, past * known, known], 1)
        made_up, trust, flow = self.unet(seen).float().split([3, 1, 2], 1)
        flow = _smooth(flow)
        share = _MOST * torch.sigmoid(trust) * known
        made_up = torch.tanh(made_up)
        return Painted(made_up + share * (fetch(past, flow) - made_up), made_up, flow, share)

    @torch.no_grad()
    def start_from(self, painter: UNet) -> None:
        """Paints as a generator of single pictures does, and almost leaves the past alone, to begin with."""
        ours, theirs = self.unet.state_dict(), painter.state_dict()
        grain, labels = Grain.channels, self.classes
        for name, tensor in ours.items():
            if tensor.shape == theirs[name].shape:
                tensor.copy_(theirs[name])
            elif tensor.shape[1:] == theirs[name].shape[1:]:
                tensor.zero_()
                tensor[: len(theirs[name])] = theirs[name]
            else:
                # Labels come first and grain last; the past, between them, is new.
                tensor.zero_()
                tensor[:, :labels], tensor[:, -grain:] = theirs[name].split([labels, grain], 1)
        # A small share of the past, so that there is something to learn from.
        ours["last.bias"][3] = -1.0
        self.unet.load_state_dict(ours)


def fetch(pictures: Tensor, flow: Tensor) -> Tensor:
    """Brings pixels along: at each place of the result what lies ``flow`` pixels from it in ``pictures``.

    Args:
        pictures: ``(N, C, H, W)``.
        flow: ``(N, 2, H, W)``, columns and rows; beyond the border, the border is repeated.
    """
    height, width = pictures.shape[2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    x = (2 * (columns + flow[:, 0]) + 1) / width - 1
    y = (2 * (rows + flow[:, 1]) + 1) / height - 1
    return F.grid_sample(
        pictures, torch.stack([x, y], 3), mode="bilinear", padding_mode="border", align_corners=False
    )


def _smooth(flow: Tensor) -> Tensor:
    coarse = F.avg_pool2d(flow, _FLOW_CELL)
    return F.interpolate(coarse, scale_factor=_FLOW_CELL, mode="bilinear", align_corners=False)
