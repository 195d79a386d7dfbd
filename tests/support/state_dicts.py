"""Comparing what training saves."""

from typing import Any

import torch


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    """Where two nested states differ by as much as a bit."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [each for key in a for each in differences(a[key], b[key], f"{path}/{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [
            each
            for i, pair in enumerate(zip(a, b, strict=True))
            for each in differences(*pair, f"{path}/{i}")
        ]
    same = torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
    return [] if same else [path]
