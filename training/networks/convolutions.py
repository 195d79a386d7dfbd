"""A convolution and its activation, as several generators use them."""

from torch import nn

SLOPE = 0.2
"""Slope of leaky rectifiers for negative inputs."""


def leaky_conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3×3 convolution with the initialization of He et al. 2015, and a leaky rectifier."""
    layer = nn.Conv2d(inputs, outputs, 3, stride, 1)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(layer, nn.LeakyReLU(SLOPE))
