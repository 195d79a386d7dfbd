"""pix2pix: a conditional GAN that makes of one picture the other (Isola, Zhu, Zhou and Efros 2017).

Label maps become photos, photos anything that pairs show, and grey photos get their colours. Which objective
it is, weights say: L1 alone, the game alone, conditional or not, or both.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.core.discriminator_trainer import Judge
from training.core.network_trainer import Learner, as_numbers
from training.core.randomness import restore
from training.data.color_jitter import jittered
from training.data.labels import Classes
from training.data.pairs import GreyPhotos, LabelledPhotos, LabelsOfPhotos, Pairs, PicturePairs, halved
from training.losses.pixel import PIXEL_LOSSES
from training.networks.discriminator import MultiScaleDiscriminator
from training.networks.resnet import ResNetGenerator
from training.networks.unet import UNet

SETTLING = 64
"""Last steps in which the averaged network takes its own statistics."""


@dataclass(frozen=True, kw_only=True)
class Pix2PixConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        inputs, targets: folders of what goes in and of what is to come out; pairs have one name.
        classes: where inputs are label maps, their classes, as :meth:`Classes.read` takes them.
        target_classes: likewise where targets are label maps.
        photos: folders of photos that shall get their colours back; instead of ``inputs`` and ``targets``.
        network: ``"unet"`` or ``"resnet"``.
        width: channels of its first stage.
        depth: stages of a U-Net, or residual blocks.
        grain: whether a U-Net sees noise that stays in its place, to make texture of.
        norm: ``"batch"`` or ``"instance"``.
        dropout: the paper's noise.
        height, length: of what is trained on.
        coarse_steps: first steps, at half of that: coarse to fine.
        pixel, pixel_weight: ``"l1"`` or ``"mse"`` in [-1, 1], and its weight; 0 is without.
        adversarial, adversarial_weight: the form of the game, and its weight; 0 is without.
        conditional: whether the discriminator sees what went in.
        discriminator_width, scales: of the discriminators, and how many.
        judge_rate: their learning rate, as a share of the generator's.
        jitter: how much the colours of what they see change at random, see
            :func:`training.data.color_jitter.jittered`, lest they know the training pictures by heart.
    """

    recipe: str = "pix2pix"
    inputs: str = ""
    targets: str = ""
    classes: str = ""
    target_classes: str = ""
    photos: list[str] | None = None
    network: str = "unet"
    width: int = 32
    depth: int = 6
    norm: str = "batch"
    grain: bool = False
    dropout: bool = True
    height: int = 192
    length: int = 256
    coarse_steps: int = 0
    pixel: str = "l1"
    pixel_weight: float = 100.0
    adversarial: str = "vanilla"
    adversarial_weight: float = 1.0
    conditional: bool = True
    discriminator_width: int = 32
    scales: int = 1
    judge_rate: float = 1.0
    jitter: float = 0.0
    batch: int = 4
    steps: int = 10_000
    learning_rate: float = 2e-4
    precision: str = "float32"
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def adam(network: nn.Module) -> list[torch.optim.Optimizer]:
    """With the momentum that the paper has; rates are set at each step."""
    return [torch.optim.Adam(network.parameters(), betas=(0.5, 0.999))]


def pairs_of(config: Pix2PixConfig, device: torch.device) -> Pairs:
    """The training material of a run.

    Raises:
        ValueError, FileNotFoundError: something of it is not there, or not what it should be.
    """
    size = config.height, config.length
    if config.photos:
        return GreyPhotos([Path(each) for each in config.photos], side=config.height, device=device)
    inputs, targets = Path(config.inputs), Path(config.targets)
    if config.classes and config.target_classes:
        raise ValueError("label maps become photos, or photos label maps: give the classes of one side alone")
    if config.target_classes:
        return LabelsOfPhotos(targets, inputs, Classes.read(config.target_classes), size=size, device=device)
    if config.classes:
        return LabelledPhotos(inputs, targets, Classes.read(config.classes), size=size, device=device)
    return PicturePairs(inputs, targets, size=size, device=device)


def generator_of(config: Pix2PixConfig, inputs: int, outputs: int) -> UNet | ResNetGenerator:
    """With fresh weights."""
    shared = {"width": config.width, "dropout": config.dropout, "norm": config.norm}
    if config.network == "resnet":
        return ResNetGenerator(inputs, outputs, blocks=config.depth, **shared)  # type: ignore[arg-type]
    return UNet(inputs, outputs, depth=config.depth, grain=config.grain, **shared)  # type: ignore[arg-type]


class Pix2PixRecipe:
    """The state of one run, advanced by :meth:`step`.

    Args:
        config: what to train.
        device: where.

    Raises:
        ValueError, FileNotFoundError: as of :func:`pairs_of`.
    """

    def __init__(self, config: Pix2PixConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.pairs = pairs_of(config, device)
        self.photos, self.held_out = self.pairs.photos, self.pairs.held_out
        torch.manual_seed(config.seed)
        network = generator_of(config, self.pairs.inputs, self.pairs.outputs)
        self.learner = Learner(network, adam, config.precision, device)
        self.judge = self._discriminator() if config.adversarial_weight else None
        self.random = torch.Generator(device).manual_seed(config.seed)

    @property
    def steps(self) -> int:
        return self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        config = self.config
        rate = config.learning_rate * falling(index, config.steps)
        torch.manual_seed(config.seed + index)  # Of dropout, so that a resumed run draws the same.
        condition, truth = self.pairs.batch(config.batch, self.random)
        if index < config.coarse_steps:
            condition, truth = (halved(each, self.learner.network.stride) for each in (condition, truth))
        condition = condition.contiguous(memory_format=torch.channels_last)
        self.learner.network.train()
        with self.learner.precision.autocast():
            made = torch.tanh(self.learner.network(condition)).float()
            losses = self._losses(condition, made, truth)
        self.learner.step(losses, rate, index)
        if index >= config.steps - SETTLING:
            self.learner.settle(condition)
        if self.judge is not None:
            seen, real = self._shown(condition, made.detach()), self._shown(condition, truth)
            losses["judge"] = self.judge.step(seen, real, config.judge_rate * rate)
        return as_numbers(losses)

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out pairs: what goes in, what comes out, and the truth, ``(3, H, W)`` RGB in [0, 1]."""
        condition, truth = self.pairs.samples(columns)
        made = torch.tanh(self.learner.average(condition))
        pairs = self.pairs
        rows = pairs.drawn(condition), pairs.picture(condition, made), pairs.picture(condition, truth)
        return torch.cat([torch.cat(list(row), 2) for row in rows], 1).float().cpu()

    def state_dict(self) -> dict[str, Any]:
        state = self.learner.state_dict() | {"random": self.random.get_state()}
        return state if self.judge is None else state | {"judge": self.judge.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.learner.load_state_dict(state)
        restore(self.random, state["random"])
        if self.judge is not None:
            self.judge.load_state_dict(state["judge"])

    def _losses(self, condition: Tensor, made: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """By name and weighted."""
        config = self.config
        losses = {}
        if config.pixel_weight:
            losses[config.pixel] = config.pixel_weight * PIXEL_LOSSES[config.pixel](made, truth)
        if self.judge is not None:
            fooled = self.judge.fooled(self._shown(condition, made))
            losses["adversarial"] = config.adversarial_weight * fooled
        return losses

    def _shown(self, condition: Tensor, made: Tensor) -> Tensor:
        """To the discriminator."""
        if self.config.jitter:
            made = jittered(made, self.config.jitter, self.random)
        shown = torch.cat([condition, made], 1) if self.config.conditional else made
        return shown.contiguous(memory_format=torch.channels_last)

    def _discriminator(self) -> Judge:
        config = self.config
        seen = self.pairs.outputs + (self.pairs.inputs if config.conditional else 0)
        network = MultiScaleDiscriminator(seen, scales=config.scales, width=config.discriminator_width)
        return Judge(network, config.adversarial, adam, config.precision, self.device)


def falling(index: int, steps: int) -> float:
    """Share of the learning rate: 1 for the first half, then linearly down to 0, as the paper has it."""
    return min(1.0, 2 * (steps - index) / steps)
