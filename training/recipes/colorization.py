"""Colorization by a frozen ImageNet encoder and a classifier of colors (Zhang, Isola and Efros 2016).

The cross entropy counts rare colors more, or all would be as gray as most of the world; see
:mod:`training.networks.color_classifier`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from training.core.network_trainer import RECALIBRATION_STEPS, NetworkTrainer, to_floats
from training.core.optimizer import adamw, linear_decay
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, RunState, Split, setting
from training.data.images import image_grid
from training.data.pairs import GrayToColor
from training.data.photos import list_photos
from training.networks.color_classifier import CellTargets, ColorClassifier, rarity_weights
from training.networks.efficientnet import published_weights
from training.networks.translators import ColorClassifierTranslator
from training.recipes.settings import LossNetworkConfig

_COUNTED = 64
"""Batches whose colors are counted."""


@dataclass(frozen=True, kw_only=True)
class ColorizationConfig(LossNetworkConfig):
    """All settings of a run."""

    recipe: str = "colorization"
    network: str = "color-classifier"
    side: int = setting("Side of the training crops.", 192)
    uniform: float = setting("Share of a uniform distribution in the weights of rare colors.", 0.5)
    temperature: float = setting("Temperature of the annealed mean, 0 to 1.", 0.5)
    rarity_correction: float = setting(
        "Power of the weights of rare colors by which what the network says of them is divided, 0 to 1.", 0.5
    )
    saturation: float = setting("Factor of the predicted chroma.", 1.2)
    noise: float = setting("Standard deviation of noise on the lightness, in [-1, 1].", 0.02)
    batch: int = setting("Photos per step.", 10)
    steps: int = setting("Training steps.", 6000)
    learning_rate: float = setting("Highest learning rate.", 2e-3)


class ColorizationRecipe(RunState[ColorizationConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: photos or the encoder's weights are missing or not usable.
    """

    def __init__(self, config: ColorizationConfig, device: torch.device) -> None:
        super().__init__(config, device)
        torch.manual_seed(config.seed)
        network = classifier_of(config)
        network.encoder.load_published(published_weights(config.weights))
        self.pairs = GrayToColor([Path(each) for each in config.photos], side=config.side, device=device)
        self.photos, self.held_out = self.pairs.photos, self.pairs.held_out
        self.trainer = NetworkTrainer(network, adamw, config.precision, device)
        self.random = torch.Generator(device).manual_seed(config.seed)
        self._targets = CellTargets(network.bins)
        self._weights = rarity_weights(self._counts(), config.uniform)
        for each in (self.trainer.network, self.trainer.ema_model):
            each.rarity.copy_(self._weights)

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its loss, and the error of the annealed mean in a and b."""
        config = self.config
        level, chroma = self.pairs.batch(config.batch, self.random)
        level = self._augmented(level).contiguous(memory_format=torch.channels_last)
        chroma = F.avg_pool2d(chroma, 2)
        network = self.trainer.network.train()
        with self.trainer.precision.autocast():
            logits = network(level).float()
        loss = self._cross_entropy(logits, chroma)
        self.trainer.step(
            {"cross entropy": loss}, config.learning_rate * linear_decay(index, config.steps), index
        )
        if index >= config.steps - RECALIBRATION_STEPS:
            self.trainer.recalibrate_batchnorm(level)
        with torch.no_grad():
            error = 110 * (network.chroma(logits) - chroma).square().sum(1).sqrt().mean()
        return to_floats({"cross entropy": loss, "error": error})

    @torch.no_grad()
    def sample_sheet(self, columns: int = 8) -> Tensor:
        """Held-out photos: gray, colorized, and as they were, ``(3, H, W)`` RGB in [0, 1]."""
        level, target = self.pairs.samples(columns)
        model = self.trainer.ema_model
        chroma = F.interpolate(model.chroma(model(level)), scale_factor=2.0, mode="bilinear")
        pairs = self.pairs
        return image_grid(
            [pairs.show_condition(level), pairs.show_output(level, chroma), pairs.show_output(level, target)]
        )

    def state_dict(self) -> dict[str, Any]:
        return self.trainer.state_dict() | {"random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        restore(self.random, state["random"])

    def _cross_entropy(self, logits: Tensor, chroma: Tensor) -> Tensor:
        """Cross entropy with the four cells around each color, weighted by how rare it is."""
        indices, shares = self._targets(chroma)
        found = torch.log_softmax(logits, 1).gather(1, indices)
        rarity = (self._weights[indices] * shares).sum(1)
        return -(rarity * (found * shares).sum(1)).mean()

    def _counts(self) -> Tensor:
        """How often each cell occurs in some batches."""
        random = torch.Generator(self.device).manual_seed(0)
        counts = torch.zeros(len(self.trainer.network.bins), device=self.device)
        for _ in range(_COUNTED):
            indices, shares = self._targets(F.avg_pool2d(self.pairs.batch(8, random)[1], 4))
            counts += torch.bincount(indices.flatten(), shares.flatten(), len(counts))
        return counts

    def _augmented(self, level: Tensor) -> Tensor:
        """Random contrast, brightness and noise of each lightness, ``(N, 1, H, W)`` in [-1, 1]."""
        drawn = torch.rand((2, len(level), 1, 1, 1), generator=self.random, device=self.device)
        noise = torch.randn(level.shape, generator=self.random, device=self.device)
        strength = self.config.noise * torch.rand(
            (len(level), 1, 1, 1), generator=self.random, device=self.device
        )
        return (level * (0.8 + 0.3 * drawn[0]) + 0.2 * (drawn[1] - 0.5) + strength * noise).clamp(-1, 1)


def classifier_of(config: ColorizationConfig) -> ColorClassifier:
    """The network with fresh weights."""
    return ColorClassifier(
        config.temperature, rarity_correction=config.rarity_correction, saturation=config.saturation
    )


def translator_of(config: ColorizationConfig) -> ColorClassifierTranslator:
    """The network that is exported, with fresh weights."""
    return ColorClassifierTranslator(classifier_of(config), config.side)


def _examples(config: ColorizationConfig, direction: str) -> Split:
    return list_photos([Path(each) for each in config.photos]), []


COLORIZATION = RecipeEntry(
    name="colorization",
    config=ColorizationConfig,
    recipe=ColorizationRecipe,
    network=translator_of,
    examples=_examples,
    command=("colorization", "Train a classifier of colors for gray photos."),
)
