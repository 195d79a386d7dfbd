"""Mixed precision: float32, or half precision where the device has it in hardware."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

PRECISIONS = ("float32", "bf16", "fp16")

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_MAX_GRADIENT_NORM = 5.0


def fastest_precision(device: torch.device) -> str:
    """The fastest precision that trains as well as float32: bf16 where the device has it in hardware."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    # Without instructions for it, a CPU emulates bf16 ten times slower than float32.
    supported = device.type == "cpu" and torch.backends.mkldnn.is_available() and _cpu_has_bf16()
    return "bf16" if supported else "float32"


class Precision:
    """Autocasts a step's arithmetic to ``name`` (one of ``PRECISIONS``); weights stay float32.

    With fp16 the loss is scaled, because small gradients would underflow.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name not in PRECISIONS:
            raise ValueError(f"precision {name!r} is none of {', '.join(PRECISIONS)}")
        self._dtype = _DTYPES.get(name)
        self._device = device
        self._scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        """The context for a forward pass."""
        return torch.autocast(self._device.type, dtype=self._dtype, enabled=self._dtype is not None)

    def step(self, loss: Tensor, optimizers: Sequence[torch.optim.Optimizer], module: nn.Module) -> None:
        """Backward pass, gradient clipping, and one step of the optimizers of ``module``'s parameters."""
        self._scaler.scale(loss).backward()
        for optimizer in optimizers:
            self._scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(module.parameters(), _MAX_GRADIENT_NORM)
        for optimizer in optimizers:
            self._scaler.step(optimizer)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state:
            self._scaler.load_state_dict(state)


def _cpu_has_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
