"""Restoring random number generators from checkpoints."""

import zlib

import torch
from torch import Tensor


def restore(random: torch.Generator, saved: Tensor) -> None:
    """Sets ``random`` to the state ``saved``, ``(bytes,)`` uint8.

    Generators of CPU and CUDA keep different states. If the run continues on another kind of device, the saved
    state only seeds the generator, and the numbers differ from those of an uninterrupted run.
    """
    saved = saved.cpu()
    if len(saved) == len(random.get_state()):
        random.set_state(saved)
    else:
        random.manual_seed(zlib.crc32(saved.numpy().tobytes()))
