"""Random windows in front of networks with strides."""

import torch
from torch import Tensor


def random_window(
    *images: Tensor, positions: int, margin: int, random: torch.Generator
) -> tuple[Tensor, ...]:
    """The same random window of all images, ``(N, C, S, S)``, ``margin`` pixels smaller.

    Networks with strides sample every second pixel. At a fixed phase a generator would learn to hide checkerboard
    artifacts from them.

    Args:
        positions: of the window, vertically and horizontally.
        random: the only source of randomness.
    """
    top, left = torch.randint(positions, (2,), generator=random, device=random.device).tolist()
    side = images[0].shape[2] - margin
    return tuple(each[:, :, top : top + side, left : left + side] for each in images)
