"""A discriminator that looks through the eyes of a network that can see already.

Sauer, Chitta, Müller and Geiger 2021, "Projected GANs converge faster": what tells pictures apart need not be
learned from hundreds of them, and a generator gets better answers from the first step on. Here the eyes are
SqueezeNet 1.1's, small enough for a CPU, without the paper's mixing of scales.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

from training.weights import downloaded

SEEN = {1: (64, 35.0), 4: (128, 55.0), 7: (256, 45.0), 11: (512, 20.0)}
"""Layers that are looked at, ReLUs and fire modules: their channels, and their root mean square in photos."""
_SLOPE = 0.2
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class FeatureDiscriminator(nn.Module):
    """Features of SqueezeNet 1.1, ``(N, C, h, w)`` each → scores ``(N, 4, h, w)`` of the size of the first.

    They are of the layers :data:`SEEN`, in that order.

    Args:
        width: channels of what is learned.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(_head(channels, width) for channels, _ in SEEN.values())

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        # Of mean square 1 in photos. Made so at each place, nobody would see too much contrast.
        scores = [
            head(seen / typical)
            for head, seen, (_, typical) in zip(self.heads, features, SEEN.values(), strict=True)
        ]
        size = scores[0].shape[2:]
        return torch.cat([F.interpolate(each.float(), size) for each in scores], 1)


class ProjectedDiscriminator(FeatureDiscriminator):
    """RGB in [-1, 1], ``(N, 3, H, W)`` → scores ``(N, 4, h, w)``, of fine features and of coarse ones.

    The eyes are no part of its weights, and do not learn.

    Args:
        weights: SqueezeNet 1.1's trunk, safetensors in torchvision's layout; None lets torchvision fetch it.
        width: channels of what is learned.
        device: where.

    Raises:
        ValueError: the file has not all of the trunk.
    """

    def __init__(self, weights: Path | None, *, width: int, device: torch.device) -> None:
        super().__init__(width)
        default = SqueezeNet1_1_Weights.DEFAULT
        network = squeezenet1_1() if weights else downloaded(squeezenet1_1, default, instead="--eyes FILE")
        eyes = network.features
        if weights:
            state = {name.removeprefix("features."): each for name, each in load_file(weights).items()}
            try:
                eyes.load_state_dict({name: state[name].float() for name in eyes.state_dict()})
            except KeyError as exc:
                raise ValueError(f"{weights}: has no {exc.args[0]}, so it is not SqueezeNet 1.1") from exc
        # In a list it is not registered: neither trained nor saved.
        self._eyes = [eyes.eval().requires_grad_(False).to(device)]

    def forward(self, pictures: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(self._features(pictures))

    def _features(self, pictures: Tensor) -> list[Tensor]:
        mean, std = (torch.tensor(each, device=pictures.device)[:, None, None] for each in (_MEAN, _STD))
        x = ((pictures + 1) / 2 - mean) / std
        found = []
        for index, layer in enumerate(self._eyes[0]):
            # An in-place ReLU would overwrite what autograd keeps.
            x = torch.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
            if index in SEEN:
                found.append(x)
            if index == max(SEEN):
                break
        return found


def _head(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(width, width, 3, 1, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(width, 1, 1),
    )
