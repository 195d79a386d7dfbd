"""The export command in this process, and images for what it writes."""

import runpy
import sys

import numpy as np
import pytest

from vidgan.media.image import Pixels


def export_run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code of the command line."""
    monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
    try:
        runpy.run_module("export", run_name="__main__")
    except SystemExit as exit:
        return int(exit.code or 0)
    return 0


def image(height: int, width: int, seed: int = 0) -> Pixels:
    rows, columns = np.mgrid[:height, :width]
    waves = np.stack([np.sin(rows / 9 + k) + np.cos(columns / 7 - k) for k in range(3)], 2)
    noise = np.random.default_rng(seed).normal(0, 8, waves.shape)
    return np.clip(128 + 50 * waves + noise, 0, 255).astype(np.uint8)
