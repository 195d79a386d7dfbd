"""Upscalers with fresh weights, which upscale about as repeating every pixel does, and what measures them."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torchvision.models import squeezenet1_1

from export.graph import onnx_graph
from export.model_file import describe
from training.core.run_folder import CHECKPOINT, CONFIG
from training.evaluation.super_resolution import SETS
from training.networks import build_upscaler
from training.networks.image_generator import Upscaler
from training.networks.swift_sr import SwiftSR


def fresh_upscaler(network: str, scale: int) -> Upscaler:
    """As after a little training: what swift-sr adds to repeated pixels is no more than some detail."""
    torch.manual_seed(0)
    generator = build_upscaler(network, scale)
    if isinstance(generator, SwiftSR):
        with torch.no_grad():
            for values in [*generator.convolutions][-1].parameters():
                values *= 0.1
    return generator


def upscaling_config(network: str, scale: int, photos: Path) -> dict[str, object]:
    """The configuration of a run."""
    config = {"recipe": "super-resolution", "network": network, "scale": scale, "photos": [str(photos)]}
    return config | {"weights": {}, "init": None}


def upscaler_run(folder: Path, network: str, scale: int, photos: Path) -> Path:
    """A run as the trainer leaves it."""
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text(json.dumps(upscaling_config(network, scale, photos)))
    state = {"generator": fresh_upscaler(network, scale).state_dict(), "step": 5}
    torch.save(state, folder / CHECKPOINT)
    return folder


def upscaler_file(path: Path, *, network: str = "swift-sr", scale: int = 2) -> Path:
    """A float32 model file, exported."""
    generator = fresh_upscaler(network, scale)
    generator.eval()
    generator.fold()
    model = onnx_graph(generator)
    facts = {
        "task": "upscale",
        "scale": scale,
        "receptive_field": generator.receptive_field,
        "name": path.stem,
    }
    describe(model, facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def random_lpips(path: Path) -> Path:
    """Weights in the shape of LPIPS's on SqueezeNet."""
    torch.manual_seed(0)
    trunk = squeezenet1_1(weights=None).features.state_dict(prefix="features.")
    heads = {
        f"lpips.lin{number}": torch.rand(1, channels, 1, 1)
        for number, channels in enumerate((64, 128, 256, 384, 384, 512, 512))
    }
    save_file(trunk | heads, path)
    return path


def small_benchmarks(folder: Path) -> Path:
    """The benchmarks' folders, an image of soft noise in each, with sides that are no multiples of 4."""
    for number, name in enumerate(SETS):
        values = np.random.default_rng(number).uniform(0, 255, (11, 10, 3)).astype(np.uint8)
        (folder / name).mkdir(parents=True)
        image = cv2.resize(values, (81, 90), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / name / "noise.png"), image)
    return folder
