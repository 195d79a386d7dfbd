"""Pixel losses.

The squared error is minimized by the mean of all plausible targets, which is blurred; the absolute error by their
median, which is less so.
"""

from collections.abc import Callable

from torch import Tensor


def l1(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference, a scalar in float32."""
    return (output.float() - target.float()).abs().mean()


def mse(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference, a scalar in float32."""
    return (output.float() - target.float()).square().mean()


PIXEL_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": l1, "mse": mse}
