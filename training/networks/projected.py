"""A discriminator on features of a pretrained network.

Sauer, Chitta, Müller and Geiger 2021, "Projected GANs converge faster": the features that tell images apart need
not be learned from hundreds of them, and the generator gets useful gradients from the first step on. The feature
extractor here is SqueezeNet 1.1, small enough for a CPU, without the paper's mixing of scales.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

from training.networks.discriminator import resize_scores
from training.networks.pretrained import downloaded, features_in, imagenet_normalize, run_layer

LAYERS = {1: (64, 35.0), 4: (128, 55.0), 7: (256, 45.0), 11: (512, 20.0)}
"""ReLUs and fire modules whose activations are used: their channels, and their root mean square in photos."""
_SLOPE = 0.2


class FeatureDiscriminator(nn.Module):
    """Features of SqueezeNet 1.1, ``(N, C, h, w)`` each → scores ``(N, 4, h, w)`` of the size of the first.

    The features are those of the layers :data:`LAYERS`, in that order.

    Args:
        base_channels: channels of the trained layers.
    """

    def __init__(self, base_channels: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(_head(channels, base_channels) for channels, _ in LAYERS.values())

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        # Of mean square 1 in photos. Normalizing each position would hide excessive contrast.
        scores = [
            head(each / typical)
            for head, each, (_, typical) in zip(self.heads, features, LAYERS.values(), strict=True)
        ]
        return resize_scores(scores)


class ProjectedDiscriminator(FeatureDiscriminator):
    """RGB in [-1, 1], ``(N, 3, H, W)`` → scores ``(N, 4, h, w)``, on fine features and on coarse ones.

    The feature extractor is frozen and not among the weights.

    Args:
        weights: SqueezeNet 1.1's features, safetensors in torchvision's layout; None to download them.
        base_channels: channels of the trained layers.
        device: where to run.

    Raises:
        ValueError: the file lacks a tensor of the features.
    """

    def __init__(self, weights: Path | None, *, base_channels: int, device: torch.device) -> None:
        super().__init__(base_channels)
        extractor = _feature_extractor(weights)
        # In a list it is not registered: neither trained nor saved.
        self._extractor = [extractor.eval().requires_grad_(False).to(device)]

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(self._features(images))

    def _features(self, images: Tensor) -> list[Tensor]:
        x = imagenet_normalize((images + 1) / 2)
        found = []
        for index, layer in enumerate(self._extractor[0]):
            x = run_layer(layer, x)
            if index in LAYERS:
                found.append(x)
            if index == max(LAYERS):
                break
        return found


def _feature_extractor(weights: Path | None) -> nn.Sequential:
    if weights is None:
        published = SqueezeNet1_1_Weights.DEFAULT
        network = downloaded(squeezenet1_1, published, instead="--feature-extractor FILE")
        return network.features
    extractor: nn.Sequential = squeezenet1_1().features
    state = features_in(weights)
    try:
        extractor.load_state_dict({name: state[name] for name in extractor.state_dict()})
    except KeyError as exc:
        raise ValueError(f"{weights}: has no {exc.args[0]}, so it is not SqueezeNet 1.1") from exc
    return extractor


def _head(channels: int, base_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, base_channels, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(base_channels, base_channels, 3, 1, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(base_channels, 1, 1),
    )
