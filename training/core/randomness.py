"""Where random numbers go on after a pause."""

import zlib

import torch
from torch import Tensor


def restore(random: torch.Generator, saved: Tensor) -> None:
    """Sets ``random`` to the state ``saved``, ``(bytes,)`` uint8.

    Another kind of device, on which a run may be continued, makes other numbers and keeps another kind of
    state: there the state only decides where they begin.
    """
    saved = saved.cpu()
    if len(saved) == len(random.get_state()):
        random.set_state(saved)
    else:
        random.manual_seed(zlib.crc32(saved.numpy().tobytes()))
