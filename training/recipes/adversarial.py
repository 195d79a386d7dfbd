"""Settings and parts that recipes with a discriminator share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from training.core.discriminator_trainer import DiscriminatorTrainer
from training.core.network_trainer import NetworkTrainer
from training.core.randomness import restore
from training.core.recipe import RecipeConfig, RunState, setting
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.networks.projected import ProjectedDiscriminator

DISCRIMINATORS = "patch", "projected"


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig(RecipeConfig):
    """Settings of recipes that train against PatchGAN or projected discriminators on RGB."""

    gan_mode: str = setting("Adversarial loss.", "vanilla", choices=ADVERSARIAL_LOSSES)
    discriminator: str = setting(
        "patch is the paper's PatchGAN; projected uses a pretrained network and trains in far fewer steps.",
        "patch",
        choices=DISCRIMINATORS,
    )
    feature_extractor: str | None = setting(
        "SqueezeNet 1.1 of projected discriminators, safetensors; without it torchvision downloads its own.",
        None,
        kind="file",
    )

    def projected_discriminator(self, base_channels: int, device: torch.device) -> nn.Module:
        """A projected discriminator with the feature extractor of the settings."""
        weights = Path(self.feature_extractor) if self.feature_extractor else None
        return ProjectedDiscriminator(weights, base_channels=base_channels, device=device)


def discriminator_input(images: Tensor) -> Tensor:
    """RGB in [0, 1] → [-1, 1], the range of discriminators and of the papers' weights, ``channels_last``."""
    return (2 * images - 1).contiguous(memory_format=torch.channels_last)


_C = TypeVar("_C", bound=RecipeConfig)


class GanRecipe(RunState[_C]):
    """State of recipes with one generator, and one discriminator or none."""

    trainer: NetworkTrainer[Any]
    discriminator: DiscriminatorTrainer | None
    random: torch.Generator

    def state_dict(self) -> dict[str, Any]:
        state = self.trainer.state_dict() | {"random": self.random.get_state()}
        return state | ({"discriminator": self.discriminator.state_dict()} if self.discriminator else {})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        restore(self.random, state["random"])
        if self.discriminator is not None:
            self.discriminator.load_state_dict(state["discriminator"])
