"""Runs as the trainer leaves them, with random weights."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from training.core.run_folder import CHECKPOINT, CONFIG
from training.networks import build_generator
from training.networks.swift_layers import FadingNorm
from training.recipes.style import StyleConfig

MakeRun = Callable[[str], Path]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 small photos of soft noise; the first held-out ones are cut to odd sizes."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(24):
        values = np.random.default_rng(number).uniform(0, 255, (34, 33, 3)).astype(np.uint8)
        image = cv2.resize(values, (264, 272), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number:02}.png"), image)
    return folder


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> MakeRun:
    """Makes the folder of a run of the network of that name."""

    def make(network: str) -> Path:
        torch.manual_seed(0)
        generator = build_generator(network)
        for module in generator.modules():
            if isinstance(module, FadingNorm):
                nn.init.normal_(module.mean, std=0.2)
                nn.init.uniform_(module.variance, 0.5, 2.0)
        folder = tmp_path_factory.mktemp("runs") / f"noise-{network}"
        folder.mkdir()
        config = replace(
            StyleConfig(image=str(folder / "secret" / "painting.jpg"), photos=[str(photos)], network=network),
            weights={"squeezenet": str(folder / "secret" / "squeezenet.safetensors")},
            init=str(folder.parent / "other" / CHECKPOINT),
        )
        (folder / CONFIG).write_text(json.dumps(config.as_dict()))
        torch.save({"generator": generator.state_dict(), "step": 7}, folder / CHECKPOINT)
        return folder

    return make


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Fastest for networks as small as these, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
