"""CycleGAN: unpaired translation between two image domains (Zhu, Park, Isola and Efros 2017).

Two generators, there and back, each with a discriminator of its output domain. The cycle consistency loss keeps a
generator from answering every input with one good image. For video there is a temporal consistency loss on
synthetic motion, as in the style recipe.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.core.discriminator_trainer import DiscriminatorTrainer
from training.core.image_pool import ImagePool
from training.core.network_trainer import NetworkTrainer, to_floats
from training.core.optimizer import gan_adam, linear_decay, muon_and_adam
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, RunState, Split, setting
from training.core.weights import load_weights
from training.data.domains import ImageDomain, split_domain
from training.data.images import image_grid
from training.data.motion import random_motion, vary_exposure
from training.data.windows import random_window
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.losses.checkerboard import checkerboard_loss
from training.losses.pixel import PIXEL_LOSSES, l1
from training.losses.temporal import temporal_loss
from training.networks import build_generator
from training.networks.discriminator import MultiScaleDiscriminator
from training.networks.image_generator import ImageGenerator
from training.recipes.adversarial import DISCRIMINATORS, AdversarialConfig, discriminator_input

A_TO_B, B_TO_A = DIRECTIONS = "a-to-b", "b-to-a"
"""The directions, and the generators' names in a checkpoint."""

NETWORKS = "resnet", "swift-translator"
"""The generators of :data:`training.networks.GENERATORS` that can be inverted."""

OPTIMIZERS: dict[str, Callable[[nn.Module], list[torch.optim.Optimizer]]] = {
    "adam": gan_adam,
    "muon": muon_and_adam,
}

_WARMUP_LEARNING_RATE = 1e-3
_STRIDE = 8
"""Pixels, the largest stride of the generators."""
_MIN_SIZE = 40
"""Smallest crop that the discriminators can take."""
_BORDER = 8
"""Pixels at each side that the temporal consistency loss cuts off."""


@dataclass(frozen=True, kw_only=True)
class CycleGANConfig(AdversarialConfig):
    """All settings of a run.

    The defaults are for video, trainable on a CPU. The paper's are ``network="resnet"``, ``size=256``,
    ``short_side=286``, ``cycle_loss="l1"``, ``cycle_weight_decay=1``, ``checkerboard_weight=0``,
    ``discriminator="patch"``, ``discriminator_channels=64``, ``batch=1``, ``learning_rate=2e-4``, and hundreds of
    thousands of steps.

    ``cycle_loss``: for generators that start as the identity, L1 is a local minimum that they hardly leave.
    ``cycle_weight_decay``: with a high weight a generator changes only what its inverse restores at once; a lower
    one allows more (Wang and Lin 2018, "CycleGAN with better cycles", decay it as well).
    """

    recipe: str = "cyclegan"
    a: str = setting("Folder of images, for example photos.", kind="folder")
    b: str = setting("Folder of images to translate to, for example paintings.", kind="folder")
    network: str = setting(
        "Generators; swift-translator is for video, resnet the paper's.", "swift-translator", choices=NETWORKS
    )
    size: int = setting("Side of the training crops.", 192)
    short_side: int = setting("Short side in pixels that images are resized to before cropping.", 256)
    trim: float = setting("Share of the sides of b's images to cut off: frames, margins.", 0.0)
    gan_mode: str = setting("Adversarial loss.", "least-squares", choices=ADVERSARIAL_LOSSES)
    cycle_loss: str = setting("Cycle consistency loss; l1 is the paper's.", "mse", choices=PIXEL_LOSSES)
    cycle_weight: float = setting("Weight of the cycle consistency loss; 0 disables it.", 10.0)
    cycle_weight_decay: float = setting("Factor of that weight in the second half of the steps.", 0.2)
    lambda_identity: float = setting("Weight of the identity loss, relative to the cycle's.", 0.5)
    init: str | None = setting("Another run's checkpoint to start from.", None, kind="run")
    temporal_weight: float = setting(
        "Weight of the temporal consistency loss, for video; 0 disables it.", 10.0
    )
    checkerboard_weight: float = setting("Weight of the checkerboard artifacts loss; 0 disables it.", 10.0)
    pool_size: int = setting("Size of the image pool of a discriminator; 0 disables it.", 50)
    identity_warmup_steps: int = setting("Steps of learning the identity, before adversarial training.", 0)
    optimizer: str = setting("Optimizer of the generators.", "adam", choices=OPTIMIZERS)
    discriminator: str = setting(
        "patch is the paper's PatchGAN; projected uses a pretrained network and trains in far fewer steps.",
        "projected",
        choices=DISCRIMINATORS,
    )
    discriminator_channels: int = setting("Channels of a discriminator's first stage.", 32)
    num_discriminators: int = setting("PatchGANs per direction, each for half the size of the one before.", 1)
    batch: int = setting("Images per step, of each folder.", 4)
    steps: int = setting("Steps of adversarial training.", 5000)
    learning_rate: float = setting("Highest learning rate.", 4e-4)


class CycleGANRecipe(RunState[CycleGANConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: the folders are not usable, or ``init`` is of another network.
    """

    def __init__(self, config: CycleGANConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.domains = domains_of(config, device)
        self.photos = [path for domain in self.domains for path in domain.photos]
        self.held_out = [path for domain in self.domains for path in domain.held_out]
        torch.manual_seed(config.seed)
        built = {direction: _initial_generator(config, direction) for direction in DIRECTIONS}
        optimizers = OPTIMIZERS[config.optimizer]
        self.trainer = NetworkTrainer(nn.ModuleDict(built), optimizers, config.precision, device)
        self.generators, self.ema_model = self.trainer.network, self.trainer.ema_model
        self.discriminators = {direction: self._discriminator() for direction in DIRECTIONS}
        self.pools = {direction: ImagePool(config.pool_size) for direction in DIRECTIONS}
        self.random = torch.Generator(device).manual_seed(config.seed)
        self.windows = torch.Generator()

    @property
    def steps(self) -> int:
        return self.config.identity_warmup_steps + self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        config = self.config
        images = [domain.batch(config.batch, self.random) for domain in self.domains]
        a, b = (each.contiguous(memory_format=torch.channels_last) for each in images)
        self.generators.train()
        main_step = index - config.identity_warmup_steps
        if main_step < 0:
            return self._warmup_step(a, b, index)
        self.windows.manual_seed(config.seed + index)
        learning_rate = config.learning_rate * linear_decay(main_step, config.steps)
        decay = config.cycle_weight_decay if 2 * main_step >= config.steps else 1
        outputs: dict[str, Tensor] = {}
        with self.trainer.precision.autocast():
            losses = {
                **self._losses(A_TO_B, a, b, config.cycle_weight * decay, outputs),
                **self._losses(B_TO_A, b, a, config.cycle_weight * decay, outputs),
            }
        self.trainer.step(losses, learning_rate, main_step)
        for direction, real in ((A_TO_B, b), (B_TO_A, a)):
            fake = self.pools[direction].query(outputs[direction], self.windows)
            losses[f"discriminator {direction}"] = self.discriminators[direction].step(
                self._window(fake), self._window(real), learning_rate
            )
        return to_floats(losses)

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out images of both domains, translated and back again: ``(3, H, W)`` RGB in [0, 1]."""
        rows = []
        for direction, domain in zip(DIRECTIONS, self.domains, strict=True):
            images = domain.samples(columns)
            translated = self.ema_model[direction](images)
            rows += [images, translated, self.ema_model[opposite(direction)](translated)]
        columns = min(map(len, rows))
        return image_grid(row[:columns] for row in rows)

    def state_dict(self) -> dict[str, Any]:
        return {
            **self.trainer.state_dict(),
            "discriminators": {name: each.state_dict() for name, each in self.discriminators.items()},
            "pools": {direction: pool.state_dict() for direction, pool in self.pools.items()},
            "random": self.random.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        for direction in DIRECTIONS:
            self.discriminators[direction].load_state_dict(state["discriminators"][direction])
            self.pools[direction].load_state_dict(state["pools"][direction], self.device)
        restore(self.random, state["random"])

    def _warmup_step(self, a: Tensor, b: Tensor, index: int) -> dict[str, float]:
        both = torch.cat([a, b])
        with self.trainer.precision.autocast():
            losses = {f"warm-up {each}": l1(self.generators[each](both), both) for each in DIRECTIONS}
        self.trainer.step(losses, _WARMUP_LEARNING_RATE, index)
        return to_floats(losses)

    def _losses(
        self, direction: str, images: Tensor, others: Tensor, cycle_weight: float, outputs: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Weighted losses of one direction by name; puts the translation of ``images`` in ``outputs``."""
        config = self.config
        there, back = self.generators[direction], self.generators[opposite(direction)]
        translated = there(images)
        outputs[direction] = translated.detach()
        discriminator = self.discriminators[direction]
        losses = {f"generator {direction}": discriminator.generator_loss(self._window(translated))}
        if cycle_weight:
            distance = PIXEL_LOSSES[config.cycle_loss]
            cycle = distance(discriminator_input(back(translated)), discriminator_input(images))
            targets = _half(others)
            identity = distance(discriminator_input(there(targets)), discriminator_input(targets))
            losses[f"cycle {direction}"] = cycle_weight * cycle
            losses[f"identity {direction}"] = config.lambda_identity * cycle_weight * identity
        if config.temporal_weight:
            temporal = self._temporal_loss(there, _half(images), _half(translated))
            losses[f"temporal {direction}"] = config.temporal_weight * temporal
        if config.checkerboard_weight:
            artifacts = checkerboard_loss(there, 1, self.random, self.device)
            losses[f"checkerboard {direction}"] = config.checkerboard_weight * artifacts
        return losses

    def _window(self, images: Tensor) -> Tensor:
        """A random window for a discriminator."""
        (window,) = random_window(images, positions=_STRIDE, margin=_STRIDE, random=self.windows)
        return discriminator_input(window)

    def _temporal_loss(self, generator: nn.Module, images: Tensor, outputs: Tensor) -> Tensor:
        motion = random_motion(len(images), self.config.size, self.random)
        next_frame = vary_exposure(motion.warp(images), self.random)
        return temporal_loss(generator, next_frame, outputs, motion, _BORDER)

    def _discriminator(self) -> DiscriminatorTrainer:
        config = self.config
        channels = config.discriminator_channels
        if config.discriminator == "projected":
            network = config.projected_discriminator(channels, self.device)
        else:
            network = MultiScaleDiscriminator(
                3, scales=config.num_discriminators, base_channels=channels, norm="instance"
            )
        return DiscriminatorTrainer(network, config.gan_mode, gan_adam, config.precision, self.device)


def domains_of(config: CycleGANConfig, device: torch.device) -> tuple[ImageDomain, ImageDomain]:
    """The training data of a run, a and b.

    Raises:
        ValueError, FileNotFoundError: a setting or a folder is not usable.
    """
    if config.size % _STRIDE or config.size < _MIN_SIZE:
        raise ValueError(f"crops of {config.size} pixels: give a multiple of {_STRIDE}, {_MIN_SIZE} or more")
    if config.short_side < config.size:
        raise ValueError(f"crops of {config.size} pixels do not fit a short side of {config.short_side}")
    if not 0 <= config.trim < 0.5:
        raise ValueError(f"trim {config.trim}: the share to cut off each side must be from 0 to below 0.5")
    if Path(config.a).resolve() == Path(config.b).resolve():
        raise ValueError(f"{config.a}: given for both domains; they must be two folders")
    sizes = {"side": config.size, "short_side": config.short_side}
    return (
        ImageDomain(Path(config.a), **sizes, device=device),
        ImageDomain(Path(config.b), **sizes, trim=config.trim, device=device),
    )


def opposite(direction: str) -> str:
    """The other direction."""
    return B_TO_A if direction == A_TO_B else A_TO_B


def _initial_generator(config: CycleGANConfig, direction: str) -> ImageGenerator:
    """A generator with fresh weights, or those of ``init``."""
    generator = build_generator(config.network)
    if config.init:
        load_weights(generator, Path(config.init), part=direction)
    return generator


def _half(images: Tensor) -> Tensor:
    """The first half of a batch, for losses that need few samples."""
    return images[: (len(images) + 1) // 2]


def _examples(config: CycleGANConfig, direction: str) -> Split:
    return split_domain(Path(config.a if direction == A_TO_B else config.b))


CYCLEGAN = RecipeEntry(
    name="cyclegan",
    config=CycleGANConfig,
    recipe=CycleGANRecipe,
    network=lambda config: build_generator(config.network),
    examples=_examples,
    metadata=lambda config, direction: {"task": "translate", "direction": direction},
    directions=DIRECTIONS,
    command=(
        "cyclegan",
        "Train generators between two folders of images, there and back, without pairs.",
    ),
)
