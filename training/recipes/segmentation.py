"""Semantic segmentation: photos become label maps, by the cross entropy of every pixel (Long et al. 2015).

The judge of label maps that became photos: what it still recognises in them was drawn (FCN-score, Isola et
al. 2017). It is trained on real photos only.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.core.network_trainer import Learner
from training.core.randomness import restore
from training.data.labels import Classes
from training.data.pairs import LabelledPhotos
from training.networks.unet import UNet
from training.recipes.pix2pix import SETTLING, falling


@dataclass(frozen=True, kw_only=True)
class SegmentationConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        photos, labels: folders; what belongs together has one name.
        classes: as :meth:`Classes.read` takes them.
        width, depth: of the U-Net.
        height, length: of what is trained on.
        rare: power of the inverse share of a class that its pixels weigh; 0 weighs all pixels alike.
    """

    photos: str
    labels: str
    recipe: str = "segmentation"
    network: str = "segmentation-unet"
    classes: str = "camvid"
    width: int = 32
    depth: int = 6
    height: int = 192
    length: int = 256
    rare: float = 0.3
    batch: int = 8
    steps: int = 4_000
    learning_rate: float = 1e-3
    precision: str = "float32"
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class SegmentationRecipe:
    """The state of one run, advanced by :meth:`step`.

    Args:
        config: what to train.
        device: where.

    Raises:
        ValueError, FileNotFoundError: photos or labels are not there, or not what they should be.
    """

    def __init__(self, config: SegmentationConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.classes = Classes.read(config.classes)
        self.pairs = LabelledPhotos(
            Path(config.labels),
            Path(config.photos),
            self.classes,
            size=(config.height, config.length),
            device=device,
        )
        self.photos, self.held_out = self.pairs.photos, self.pairs.held_out
        torch.manual_seed(config.seed)
        network = UNet(3, len(self.classes), width=config.width, depth=config.depth, dropout=True)
        self.learner = Learner(network, _adamw, config.precision, device)
        self.random = torch.Generator(device).manual_seed(config.seed)
        self.weights = self._weights()

    @property
    def steps(self) -> int:
        return self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its loss, and the share of pixels that were right."""
        config = self.config
        torch.manual_seed(config.seed + index)  # Of dropout.
        maps, photos = self.pairs.batch(config.batch, self.random)
        photos = self._lit(photos).contiguous(memory_format=torch.channels_last)
        truth = maps.argmax(1)
        self.learner.network.train()
        with self.learner.precision.autocast():
            scores = self.learner.network(photos).float()
        loss = F.cross_entropy(scores, truth, self.weights)
        self.learner.step({"entropy": loss}, config.learning_rate * falling(index, config.steps), index)
        if index >= config.steps - SETTLING:
            self.learner.settle(photos)
        right = (scores.argmax(1) == truth).float().mean()
        return {"entropy": float(loss.detach()), "right": float(right)}

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out photos, what the network sees in them, and the truth, ``(3, H, W)`` RGB in [0, 1]."""
        maps, photos = self.pairs.samples(columns)
        found = self.classes.drawn(self.learner.average(photos).argmax(1))
        rows = (photos + 1) / 2, found, self.pairs.drawn(maps)
        return torch.cat([torch.cat(list(row), 2) for row in rows], 1).float().cpu()

    def state_dict(self) -> dict[str, Any]:
        return self.learner.state_dict() | {"random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.learner.load_state_dict(state)
        restore(self.random, state["random"])

    def _weights(self) -> Tensor:
        """Of the classes: rare ones more, void nothing; 1 on average over pixels."""
        random = torch.Generator(self.device).manual_seed(0)
        share = torch.stack([self.pairs.batch(8, random)[0].mean((0, 2, 3)) for _ in range(8)]).mean(0)
        weights = share.clamp(min=1e-4) ** -self.config.rare
        counted = torch.zeros_like(weights)
        counted[self.classes.counted] = 1
        return weights * counted / (weights * counted * share).sum()

    def _lit(self, photos: Tensor) -> Tensor:
        """In other light: brightness and contrast of each photo, ``(N, 3, H, W)`` in [-1, 1], at random."""
        drawn = torch.rand((2, len(photos), 1, 1, 1), generator=self.random, device=self.device)
        return photos * (0.7 + 0.6 * drawn[0]) + 0.4 * (drawn[1] - 0.5)


def _adamw(network: nn.Module) -> list[torch.optim.Optimizer]:
    return [torch.optim.AdamW(network.parameters())]
