"""Upscalers with fresh weights, which enlarge about as repeating every pixel does."""

import json
from pathlib import Path

import torch

from export.cli import describe
from export.graph import onnx_graph
from training.networks import Upscaler, build_upscaler
from training.networks.srresnet import SRResNet
from training.trainer import CHECKPOINT, CONFIG


def fresh_upscaler(network: str, scale: int) -> Upscaler:
    """As after a little training: what swift-sr adds to repeated pixels is no more than some detail."""
    torch.manual_seed(0)
    generator = build_upscaler(network, scale)
    if not isinstance(generator, SRResNet):
        with torch.no_grad():
            for values in generator.convolutions[-1].parameters():
                values *= 0.1
    return generator


def upscaler_run(folder: Path, network: str, scale: int, photos: Path) -> Path:
    """A run as the trainer leaves it."""
    folder.mkdir(parents=True)
    config = {"recipe": "super-resolution", "network": network, "scale": scale, "photos": [str(photos)]}
    (folder / CONFIG).write_text(json.dumps(config | {"weights": {}, "init": None}))
    state = {"generator": fresh_upscaler(network, scale).state_dict(), "step": 5}
    torch.save(state, folder / CHECKPOINT)
    return folder


def upscaler_file(path: Path, *, network: str = "swift-sr", scale: int = 2) -> Path:
    """A float32 model file, exported."""
    generator = fresh_upscaler(network, scale)
    generator.eval()
    generator.fold()
    model = onnx_graph(generator)
    facts = {"task": "upscale", "scale": scale, "reach": generator.reach, "name": path.stem}
    describe(model, facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
