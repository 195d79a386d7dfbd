"""Super-resolution: from small pictures to large ones, towards what a pixel, a network or a judge says.

SRResNet and SRGAN (Ledig et al. 2017), perceptual losses (Johnson et al. 2016), and the same objectives for
the fast upscaler. Which of them it is, weights say: an objective whose weight is 0 is not computed.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from training.core.discriminator_trainer import Judge
from training.core.network_trainer import Learner, as_numbers
from training.core.optimizer import optimizers_of
from training.core.randomness import restore
from training.core.weights import load_weights
from training.data.bicubic import enlarge, resize
from training.data.crops import Crops
from training.data.degradation import DEGRADATIONS, side_of_crop
from training.data.photos import centre_crop, list_photos, read_picture, split_held_out
from training.losses.checkerboard import uneven_detail
from training.losses.feature_matching import FeatureLoss
from training.losses.networks import LossNetworks
from training.losses.pixel import PIXEL_LOSSES
from training.losses.spectrum import spectral_unevenness
from training.networks import build_upscaler
from training.networks.discriminator import PatchDiscriminator
from training.networks.projected import ProjectedDiscriminator

FEATURE_LAYERS = ("vgg16.relu2_2", "vgg16.relu3_3", "vgg16.relu4_3")

OPTIMIZERS: dict[str, Callable[[torch.nn.Module], list[torch.optim.Optimizer]]] = {
    "muon": lambda network: optimizers_of(network, learning_rate=0.0),
    "adam": lambda network: [torch.optim.Adam(network.parameters())],
}
"""Rates are set at each step."""

DISCRIMINATORS = "patch", "projected"

_CELL = 16
_JITTER = 16
_WARM_UP = 200
_SHEET_SIDE = 192


@dataclass(frozen=True, kw_only=True)
class SuperResolutionConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        photos: folders of training photos.
        weights: file by loss network; a network not named is downloaded by torchvision.
        network: a name in :data:`training.networks.UPSCALERS`.
        scale: how many times as long the sides become, 2 or 4.
        degradation: how large pictures become small, one of :data:`DEGRADATIONS`.
        shrinks: sizes to take the photos in, shares of their own; smaller ones show less of what JPEG did.
        size: side of the small pictures.
        pixel: ``"mse"`` or ``"l1"``, and its weight.
        colour_weight: of the mean colour's difference, in cells of 16×16 pixels.
        feature_weight: of the distance in ``feature_layers``.
        spectrum_weight: of the frequencies that stand out, as a grid's do.
        grid_weight: of detail that prefers places in the cell that a pixel becomes.
        adversarial: the form of the game, one of :data:`ADVERSARIAL_LOSSES`; its weight is the generator's.
        discriminator: ``"patch"``, which learns to see, or ``"projected"``, which can, see
            :mod:`training.networks.projected`.
        eyes: SqueezeNet 1.1 for that; None is downloaded by torchvision.
        optimizer: ``"muon"``, or ``"adam"`` as the papers have it.
        init: a checkpoint of the same network to start from.
        precision: of the arithmetic, one of :data:`training.core.precision.PRECISIONS`.
    """

    photos: list[str]
    recipe: str = "super-resolution"
    weights: dict[str, str] = field(default_factory=dict)
    network: str = "srresnet"
    scale: int = 4
    degradation: str = "bicubic"
    shrinks: list[float] = field(default_factory=lambda: [1.0, 0.7])
    size: int = 32
    batch: int = 16
    steps: int = 20_000
    learning_rate: float = 1e-3
    pixel: str = "mse"
    pixel_weight: float = 1.0
    colour_weight: float = 0.0
    feature_layers: list[str] = field(default_factory=lambda: list(FEATURE_LAYERS))
    feature_weight: float = 0.0
    spectrum_weight: float = 0.0
    grid_weight: float = 0.0
    adversarial: str = "vanilla"
    adversarial_weight: float = 0.0
    discriminator: str = "patch"
    eyes: str | None = None
    optimizer: str = "muon"
    init: str | None = None
    precision: str = "float32"
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class SuperResolutionRecipe:
    """The state of one run, advanced by :meth:`step`. All of it lies on the device, photos too.

    Args:
        config: what to train.
        device: where.

    Raises:
        ValueError: no photo is as large as a crop, or weights are of another network.
    """

    def __init__(self, config: SuperResolutionConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.photos, self.held_out = split_held_out(list_photos([Path(each) for each in config.photos]))
        torch.manual_seed(config.seed)
        generator = build_upscaler(config.network, config.scale)
        if config.init:
            load_weights(generator, Path(config.init))
        optimizers = OPTIMIZERS[config.optimizer]
        self.learner = Learner(generator, optimizers, config.precision, device)
        self.generator, self.average = self.learner.network, self.learner.average
        side = side_of_crop(config.size, config.scale)
        self.crops = Crops(self.photos, side, shrinks=config.shrinks, device=device)
        self.random = torch.Generator(device).manual_seed(config.seed)
        self.features = self._feature_loss() if config.feature_weight else None
        self.judge = self._discriminator() if config.adversarial_weight else None

    @property
    def steps(self) -> int:
        return self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        rate = self.config.learning_rate * _schedule(index, self.config.steps)
        small, large = self._pairs()
        # What is trained already keeps the statistics that it has: those of few pictures are no better.
        self.generator.train(not self.config.init)
        with self.learner.precision.autocast():
            guess = self.generator(small).float()
            losses, seen, truth = self._losses(guess, large)
        self.learner.step(losses, rate, index)
        if self.judge is not None:
            losses["judge"] = self.judge.step(_shown(seen.detach()), _shown(truth), rate)
        return as_numbers(losses)

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out photos made small: enlarged by bicubic, by the generator, and the truth, ``(3, H, W)``."""
        scale = self.config.scale
        truth = torch.stack(
            [centre_crop(read_picture(path), _SHEET_SIDE) for path in self.held_out[:columns]]
        )
        small = resize(truth, _SHEET_SIDE // scale, _SHEET_SIDE // scale).clamp(0, 1)
        guess = self.average(small.to(self.device)).float().cpu()
        return torch.cat([torch.cat(list(row), 2) for row in (enlarge(small, scale), guess, truth)], 1)

    def state_dict(self) -> dict[str, Any]:
        state = self.learner.state_dict() | {"random": self.random.get_state()}
        return state if self.judge is None else state | {"judge": self.judge.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.learner.load_state_dict(state)
        restore(self.random, state["random"])
        if self.judge is not None:
            self.judge.load_state_dict(state["judge"])

    def _pairs(self) -> tuple[Tensor, Tensor]:
        """Small pictures, and what they were, both ``channels_last``."""
        crops = self.crops.batch(self.config.batch, self.random)
        pairs = DEGRADATIONS[self.config.degradation](crops, self.config.scale, self.random)
        small, large = (each.contiguous(memory_format=torch.channels_last) for each in pairs)
        return small, large

    def _losses(self, guess: Tensor, large: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """By name and weighted; and the windows of both that networks look at."""
        config = self.config
        losses = {config.pixel: config.pixel_weight * PIXEL_LOSSES[config.pixel](guess, large)}
        if config.colour_weight:
            # Other networks hardly see colours drift, and differences of pixels are full of detail.
            losses["colour"] = config.colour_weight * F.avg_pool2d(guess - large, _CELL).abs().mean()
        if config.spectrum_weight:
            losses["spectrum"] = config.spectrum_weight * spectral_unevenness(guess, large)
        if config.grid_weight:
            losses["grid"] = config.grid_weight * uneven_detail(guess, config.scale)
        seen, truth = self._window(guess, large)
        if self.features is not None:
            losses["feature"] = config.feature_weight * self.features(seen, truth)
        if self.judge is not None:
            losses["adversarial"] = config.adversarial_weight * self.judge.fooled(_shown(seen))
        return losses, seen, truth

    def _window(self, guess: Tensor, large: Tensor) -> tuple[Tensor, Tensor]:
        """At any phase: networks that pool see every second pixel, and a generator hides a grid from them."""
        top, left = torch.randint(_JITTER + 1, (2,), generator=self.random, device=self.device).tolist()
        side = guess.shape[2] - _JITTER
        rows, columns = slice(top, top + side), slice(left, left + side)
        return guess[:, :, rows, columns], large[:, :, rows, columns]

    def _discriminator(self) -> Judge:
        config = self.config
        if config.discriminator == "projected":
            eyes = Path(config.eyes) if config.eyes else None
            network: torch.nn.Module = ProjectedDiscriminator(eyes, width=64, device=self.device)
        else:
            network = PatchDiscriminator(3, layers=2)
        # Orthogonal steps would make it learn faster than a generator can answer.
        return Judge(network, config.adversarial, OPTIMIZERS["adam"], config.precision, self.device)

    def _feature_loss(self) -> FeatureLoss:
        weights = {name: Path(path) for name, path in self.config.weights.items()}
        networks = LossNetworks(sorted(self.config.feature_layers), weights).to(self.device)
        return FeatureLoss(networks)


def _shown(pictures: Tensor) -> Tensor:
    """In [-1, 1], as discriminators get pictures."""
    return 2 * pictures - 1


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up, then a cosine down to 0."""
    return min(1.0, (step + 1) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
