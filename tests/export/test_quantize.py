"""Rounding the phases of an upsampling layer: flat ground stays flat."""

import numpy as np
import pytest
import torch
from torch import nn

from export.quantize import is_phased, round_phases
from training.networks.swift import UpConv


@pytest.fixture
def kernel() -> np.ndarray:
    torch.manual_seed(0)
    layer = UpConv(8, 6)
    nn.init.normal_(layer.weight)
    return layer.phase_weight().detach().numpy()


def test_upsampling_kernels_are_known_by_their_sums(kernel: np.ndarray) -> None:
    assert is_phased(kernel)
    random = np.random.default_rng(0).normal(size=kernel.shape).astype(np.float32)
    assert not is_phased(random) and not is_phased(random[:3])


def test_all_phases_answer_flat_ground_alike(kernel: np.ndarray) -> None:
    rounded, scale = round_phases(kernel)
    sums = rounded.astype(int).sum((2, 3)).reshape(4, 6, 8)
    assert (sums == sums[0]).all()
    assert (scale.reshape(4, 6) == scale[:6]).all()
    # Rounded each on its own they would not.
    plain = np.rint(kernel / scale[:, None, None, None]).sum((2, 3)).reshape(4, 6, 8)
    assert (plain != plain[0]).any()


def test_no_weight_moves_by_more_than_a_step(kernel: np.ndarray) -> None:
    rounded, scale = round_phases(kernel)
    error = rounded - kernel / scale[:, None, None, None]
    assert np.abs(error).max() <= 1
    assert error.std() < 0.5
    assert rounded.dtype == np.int8 and np.abs(rounded).max() <= 64
