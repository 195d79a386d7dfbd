"""The sequential generator of vid2vid (Wang et al. 2018): it warps the previous output and synthesizes the rest.

A U-Net takes the current and the previous labels and the previous output. It predicts an optical flow, a blending
mask, and an image for the areas that the warped output does not show.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.unet import InputNoise, UNet

_MAX_MASK = 0.2
"""Largest share of the warped output. Warping blurs a little, and the result is warped again in the next frame."""
_FLOW_BLOCK = 8
"""Side in pixels of the blocks that have one flow vector each, interpolated between them: motion is smooth."""


class SequenceOutput(NamedTuple):
    """One frame.

    Attributes:
        image: RGB in [-1, 1], ``(N, 3, H, W)``.
        synthesized: the same without the warped previous output.
        flow: where each pixel comes from in the previous output, ``(N, 2, H, W)``: columns and rows, relative.
        mask: share of the warped previous output, ``(N, 1, H, W)``.
    """

    image: Tensor
    synthesized: Tensor
    flow: Tensor
    mask: Tensor


class SequentialGenerator(nn.Module):
    """Label maps in order → images; sides must be multiples of ``stride``.

    Args:
        classes: number of labels.
        base_channels, depth: of the U-Net.
    """

    def __init__(self, classes: int, *, base_channels: int = 32, depth: int = 6) -> None:
        super().__init__()
        self.classes = classes
        self.unet = UNet(2 * classes + 4, 6, base_channels=base_channels, depth=depth, input_noise=True)
        self.stride = self.unet.stride

    def forward(
        self, labels: Tensor, previous_labels: Tensor, previous: Tensor, known: Tensor
    ) -> SequenceOutput:
        """The next frame.

        Args:
            labels, previous_labels: one-hot, ``(N, classes, H, W)``.
            previous: the previous output, RGB in [-1, 1], ``(N, 3, H, W)``.
            known: 1 where there is a previous output and 0 where there is none, ``(N, 1, H, W)``.
        """
        inputs = torch.cat([labels, previous_labels * known, previous * known, known], 1)
        synthesized, mask, flow = self.unet(inputs).float().split([3, 1, 2], 1)
        flow = _smooth(flow)
        mask = _MAX_MASK * torch.sigmoid(mask) * known
        synthesized = torch.tanh(synthesized)
        image = synthesized + mask * (warp(previous, flow) - synthesized)
        return SequenceOutput(image, synthesized, flow, mask)

    @torch.no_grad()
    def start_from(self, generator: UNet) -> None:
        """Starts from a generator of single images, with a small share of the previous output."""
        ours, theirs = self.unet.state_dict(), generator.state_dict()
        noise, labels = InputNoise.channels, self.classes
        for name, tensor in ours.items():
            if tensor.shape == theirs[name].shape:
                tensor.copy_(theirs[name])
            elif tensor.shape[1:] == theirs[name].shape[1:]:
                tensor.zero_()
                tensor[: len(theirs[name])] = theirs[name]
            else:
                # Labels are the first inputs and noise the last; those of the previous frame, between, are new.
                tensor.zero_()
                tensor[:, :labels], tensor[:, -noise:] = theirs[name].split([labels, noise], 1)
        # A mask of exactly 0 would have no gradient.
        ours["last.bias"][3] = -1.0
        self.unet.load_state_dict(ours)


def warp(images: Tensor, flow: Tensor) -> Tensor:
    """Backward warping: each position of the result shows what lies ``flow`` pixels from it in ``images``.

    Args:
        images: ``(N, C, H, W)``.
        flow: ``(N, 2, H, W)``, columns and rows; beyond the border, the border is repeated.
    """
    height, width = images.shape[2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    x = (2 * (columns + flow[:, 0]) + 1) / width - 1
    y = (2 * (rows + flow[:, 1]) + 1) / height - 1
    return F.grid_sample(
        images, torch.stack([x, y], 3), mode="bilinear", padding_mode="border", align_corners=False
    )


def _smooth(flow: Tensor) -> Tensor:
    coarse = F.avg_pool2d(flow, _FLOW_BLOCK)
    return F.interpolate(coarse, scale_factor=_FLOW_BLOCK, mode="bilinear", align_corners=False)
