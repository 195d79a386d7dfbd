"""Discriminators: what tells pictures of a generator from real ones.

They map RGB in [0, 1], ``(N, 3, H, W)``, to scores, high for what looks real, as
:mod:`training.losses.adversarial` takes them.
"""

from collections.abc import Sequence

from torch import Tensor, nn

_SLOPE = 0.2
_LEDIG = (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)


def convolutions(layers: Sequence[tuple[int, int]], *, kernel: int = 3, inputs: int = 3) -> nn.Sequential:
    """Convolutions of so many channels and strides, normalised by batch from the second on, leaky ReLUs."""
    stages: list[nn.Module] = []
    for number, (channels, stride) in enumerate(layers):
        stages.append(nn.Conv2d(inputs, channels, kernel, stride, (kernel - 1) // 2, bias=number == 0))
        if number:
            stages.append(nn.BatchNorm2d(channels))
        stages.append(nn.LeakyReLU(_SLOPE))
        inputs = channels
    return nn.Sequential(*stages)


class PictureDiscriminator(nn.Module):
    """One score a picture (Ledig et al. 2017, figure 4): ``(N, 3, side, side)`` → ``(N, 1)``.

    Args:
        side: of the pictures; a multiple of 16.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.convolutions = convolutions(_LEDIG)
        cells = (side // 16) ** 2
        self.verdict = nn.Sequential(
            nn.Flatten(), nn.Linear(512 * cells, 1024), nn.LeakyReLU(_SLOPE), nn.Linear(1024, 1)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return self.verdict(self.convolutions(2 * pictures - 1))
