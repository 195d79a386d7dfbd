"""Distances of pictures pixel by pixel.

The best answer to the square is the mean of all that might be true, which is blurred; the best answer to
the absolute difference is their median, a little less so.
"""

from collections.abc import Callable

from torch import Tensor


def l1(pictures: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference, a scalar in float32."""
    return (pictures.float() - truth.float()).abs().mean()


def mse(pictures: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference, a scalar in float32."""
    return (pictures.float() - truth.float()).square().mean()


PIXEL_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": l1, "mse": mse}
