"""Rounding the phases of an upsampling layer: flat ground stays flat."""

import numpy as np
import pytest
import torch
from torch import nn

from export.yuv420 import yuv_conv
from training.networks.swift_layers import UpConv, to_block_conv
from vidgan.models.universal.rounding import PhaseLayout, phase_layout, round_phases

LAYOUTS = {"one layer": (4, 1), "on the cells of two": (16, 4)}


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> tuple[int, int]:
    return LAYOUTS[request.param]


@pytest.fixture
def kernel(layout: tuple[int, int]) -> np.ndarray:
    torch.manual_seed(0)
    layer = UpConv(8, 6)
    nn.init.normal_(layer.weight)
    folded = layer.folded()
    return (folded if layout == (4, 1) else to_block_conv(folded)).weight.detach().numpy()


def global_features(kernel: np.ndarray, layout: tuple[int, int]) -> PhaseLayout:
    """All outputs in one layout."""
    return [(slice(len(kernel)), layout)]


def flat(kernel: np.ndarray, layout: tuple[int, int]) -> np.ndarray:
    """What each phase answers where an input is 1 everywhere, and so in all its phases."""
    outputs, inputs = layout
    sums = kernel.sum((2, 3)).reshape(outputs, -1, inputs, kernel.shape[1] // inputs)
    return np.asarray(sums.sum(2))


def test_upsampling_kernels_are_known_by_their_sums(kernel: np.ndarray, layout: tuple[int, int]) -> None:
    assert phase_layout(kernel) == global_features(kernel, layout)
    random = np.random.default_rng(0).normal(size=kernel.shape).astype(np.float32)
    assert phase_layout(random) is None and phase_layout(random[:3]) is None


def test_all_phases_answer_flat_ground_alike(kernel: np.ndarray, layout: tuple[int, int]) -> None:
    rounded, scale = round_phases(kernel, global_features(kernel, layout))
    answers = flat(rounded.astype(int), layout)
    assert (answers == answers[0]).all()
    assert (scale.reshape(layout[0], 6) == scale[:6]).all()
    # Rounded each on its own they would not.
    plain = flat(np.rint(kernel / scale[:, None, None, None]), layout)
    assert (plain != plain[0]).any()


def test_no_weight_moves_by_more_than_a_step(kernel: np.ndarray, layout: tuple[int, int]) -> None:
    rounded, scale = round_phases(kernel, global_features(kernel, layout))
    exact = kernel / scale[:, None, None, None]
    assert np.abs(rounded - exact).max() <= 1
    assert (rounded - exact)[exact != 0].std() < 0.5
    assert (rounded[exact == 0] == 0).all()
    assert rounded.dtype == np.int8 and np.abs(rounded).max() <= 64


def test_luma_and_chroma_have_phases_of_their_own() -> None:
    torch.manual_seed(0)
    layer = UpConv(8, 3)
    nn.init.normal_(layer.weight)
    kernel = yuv_conv(to_block_conv(layer.folded()), 128 / 255).weight.detach().numpy()
    layouts = phase_layout(kernel)
    assert layouts == [(slice(16), (16, 4)), (slice(16, 24), (4, 4))]
    rounded, scale = round_phases(kernel, layouts)
    assert rounded.shape == kernel.shape and scale.shape == (24,)
    for outputs, layout in layouts:
        answers = flat(rounded[outputs].astype(int), layout)
        assert (answers == answers[0]).all()
