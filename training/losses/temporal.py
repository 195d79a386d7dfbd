"""Temporal consistency loss on synthetic motion, after Ruder et al. 2018: the output moves as the input does."""

from collections.abc import Callable

from torch import Tensor

from training.data.motion import Motion


def temporal_loss(
    generate: Callable[[Tensor], Tensor], next_frame: Tensor, output: Tensor, motion: Motion, border: int
) -> Tensor:
    """Mean squared difference between the output of the next frame and the warped output of this one.

    The next frame's border is cut off, so that an output that depends on where the image ends has a loss.

    Args:
        generate: the generator.
        next_frame: RGB in [0, 1], ``(N, 3, H, W)``.
        output: of this frame, likewise.
        motion: from this frame to the next.
        border: pixels at each side, a multiple of the generator's stride.
    """
    inner = slice(border, -border)
    next_output = generate(next_frame[:, :, inner, inner])
    visible = motion.visible_mask().to(output.device)[:, :, inner, inner]
    warped = motion.warp(output.float())[:, :, inner, inner]
    error = (next_output.float() - warped).square()
    return (error * visible).mean() / visible.mean().clamp(min=0.1)
