"""pix2pix: a conditional GAN for paired image-to-image translation (Isola, Zhu, Zhou and Efros 2017).

It translates label maps to photos, photos to label maps, images to images, and gray photos to color. The weights
decide the objective: L1 only, adversarial only, or both; the discriminator is conditional or not.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from training.core.discriminator_trainer import DiscriminatorTrainer
from training.core.network_trainer import RECALIBRATION_STEPS, NetworkTrainer, to_floats
from training.core.optimizer import gan_adam, linear_decay
from training.core.recipe import RecipeEntry, Split, setting
from training.data.color_jitter import jitter_colors
from training.data.images import image_grid
from training.data.labels import Classes
from training.data.pairs import GrayToColor, ImagePairs, LabelsToPhotos, Pairs, PhotosToLabels, half_size
from training.data.photos import list_photos
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.losses.pixel import PIXEL_LOSSES
from training.networks.discriminator import MultiScaleDiscriminator
from training.networks.norms import NORMS
from training.networks.resnet import ResNetGenerator
from training.networks.translators import Colorizer, ImageToImage, LabelsToImage, Segmenter, Translator
from training.networks.unet import UNet
from training.recipes.adversarial import GanRecipe
from training.recipes.settings import CLASSES_HELP, UNetConfig

NETWORKS = "resnet", "unet"


@dataclass(frozen=True, kw_only=True)
class Pix2PixConfig(UNetConfig):
    """All settings of a run: ``photos`` to colorize, or ``inputs`` and ``targets``."""

    recipe: str = "pix2pix"
    inputs: str = setting("Folder of conditions; files of a pair have the same name.", "", kind="folder")
    targets: str = setting("Folder of targets.", "", kind="folder")
    classes: str = setting(
        f"Inputs are label maps of these classes: {CLASSES_HELP}.",
        "",
        kind="classes",
    )
    target_classes: str = setting("Targets are label maps of these classes; likewise.", "", kind="classes")
    photos: list[str] | None = setting(
        "Folder of photos to learn colors from; repeatable.", None, kind="folders"
    )
    network: str = setting("Generator.", "unet", choices=NETWORKS)
    norm: str = setting("Normalization of the generator.", "batch", choices=NORMS)
    input_noise: bool = setting("Give a U-Net noise that is fixed in the image, to make texture from.", False)
    dropout: bool = setting("Dropout in the generator, the paper's noise.", True)
    coarse_steps: int = setting("First steps, at half the size: coarse to fine.", 0)
    pixel_loss: str = setting("Pixel loss, in [-1, 1].", "l1", choices=PIXEL_LOSSES)
    pixel_weight: float = setting("Weight of the pixel loss; 0 disables it.", 100.0)
    gan_mode: str = setting("Adversarial loss.", "vanilla", choices=ADVERSARIAL_LOSSES)
    adversarial_weight: float = setting("Weight of the adversarial loss; 0 disables it.", 1.0)
    conditional: bool = setting("Whether the discriminator sees the condition.", True, off="unconditional")
    discriminator_channels: int = setting("Channels of a discriminator's first stage.", 32)
    num_discriminators: int = setting("PatchGANs, each for half the size of the one before.", 1)
    discriminator_lr_ratio: float = setting(
        "Discriminators' learning rate, relative to the generator's.", 1.0
    )
    color_jitter: float = setting("Strength of the color jitter of the discriminators' images.", 0.0)
    steps: int = setting("Training steps.", 10_000)


class Pix2PixRecipe(GanRecipe[Pix2PixConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: as of :func:`pairs_of`.
    """

    def __init__(self, config: Pix2PixConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.pairs = pairs_of(config, device)
        self.photos, self.held_out = self.pairs.photos, self.pairs.held_out
        torch.manual_seed(config.seed)
        network = generator_of(config, self.pairs.inputs, self.pairs.outputs)
        self.trainer = NetworkTrainer(network, gan_adam, config.precision, device)
        self.discriminator = self._discriminator() if config.adversarial_weight else None
        self.random = torch.Generator(device).manual_seed(config.seed)

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        config = self.config
        learning_rate = config.learning_rate * linear_decay(index, config.steps)
        torch.manual_seed(config.seed + index)  # Dropout: a resumed run draws the same.
        condition, target = self.pairs.batch(config.batch, self.random)
        if index < config.coarse_steps:
            condition, target = (half_size(each, self.trainer.network.stride) for each in (condition, target))
        condition = condition.contiguous(memory_format=torch.channels_last)
        self.trainer.network.train()
        with self.trainer.precision.autocast():
            output = torch.tanh(self.trainer.network(condition)).float()
            losses = self._losses(condition, output, target)
        self.trainer.step(losses, learning_rate, index)
        if index >= config.steps - RECALIBRATION_STEPS:
            self.trainer.recalibrate_batchnorm(condition)
        if self.discriminator is not None:
            fake = self._discriminator_input(condition, output.detach())
            real = self._discriminator_input(condition, target)
            rate = config.discriminator_lr_ratio * learning_rate
            losses["discriminator"] = self.discriminator.step(fake, real, rate)
        return to_floats(losses)

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out conditions, outputs and targets, ``(3, H, W)`` RGB in [0, 1]."""
        condition, target = self.pairs.samples(columns)
        output = torch.tanh(self.trainer.ema_model(condition))
        pairs = self.pairs
        return image_grid(
            [
                pairs.show_condition(condition),
                pairs.show_output(condition, output),
                pairs.show_output(condition, target),
            ]
        )

    def _losses(self, condition: Tensor, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Weighted losses by name."""
        config = self.config
        losses = {}
        if config.pixel_weight:
            pixel = PIXEL_LOSSES[config.pixel_loss](output, target)
            losses[config.pixel_loss] = config.pixel_weight * pixel
        if self.discriminator is not None:
            adversarial = self.discriminator.generator_loss(self._discriminator_input(condition, output))
            losses["adversarial"] = config.adversarial_weight * adversarial
        return losses

    def _discriminator_input(self, condition: Tensor, images: Tensor) -> Tensor:
        if self.config.color_jitter:
            images = jitter_colors(images, self.config.color_jitter, self.random)
        inputs = torch.cat([condition, images], 1) if self.config.conditional else images
        return inputs.contiguous(memory_format=torch.channels_last)

    def _discriminator(self) -> DiscriminatorTrainer:
        config = self.config
        inputs = self.pairs.outputs + (self.pairs.inputs if config.conditional else 0)
        network = MultiScaleDiscriminator(
            inputs, scales=config.num_discriminators, base_channels=config.discriminator_channels
        )
        return DiscriminatorTrainer(network, config.gan_mode, gan_adam, config.precision, self.device)


def pairs_of(config: Pix2PixConfig, device: torch.device) -> Pairs:
    """The training data of a run.

    Raises:
        ValueError, FileNotFoundError: files are missing or not usable.
    """
    size = config.image_height, config.image_width
    if config.photos:
        folders = [Path(each) for each in config.photos]
        return GrayToColor(folders, side=config.image_height, device=device)
    inputs, targets = Path(config.inputs), Path(config.targets)
    if config.classes and config.target_classes:
        raise ValueError("label maps on both sides: give the classes of inputs or of targets, not of both")
    if config.target_classes:
        return PhotosToLabels(targets, inputs, Classes.read(config.target_classes), size=size, device=device)
    if config.classes:
        return LabelsToPhotos(inputs, targets, Classes.read(config.classes), size=size, device=device)
    return ImagePairs(inputs, targets, size=size, device=device)


def generator_of(config: Pix2PixConfig, inputs: int, outputs: int) -> UNet | ResNetGenerator:
    """The generator with fresh weights."""
    shared = {"base_channels": config.base_channels, "dropout": config.dropout, "norm": config.norm}
    if config.network == "resnet":
        return ResNetGenerator(inputs, outputs, blocks=config.depth, **shared)  # type: ignore[arg-type]
    return UNet(inputs, outputs, depth=config.depth, input_noise=config.input_noise, **shared)  # type: ignore[arg-type]


def translator_of(config: Pix2PixConfig) -> Translator:
    """The network that is exported, with fresh weights."""
    if config.photos:
        return Colorizer(generator_of(config, 1, 2), config.image_height)
    if config.target_classes:
        classes = Classes.read(config.target_classes)
        return Segmenter(generator_of(config, 3, len(classes)), classes)
    if config.classes:
        classes = Classes.read(config.classes)
        return LabelsToImage(generator_of(config, len(classes), 3), classes)
    return ImageToImage(generator_of(config, 3, 3))


def _examples(config: Pix2PixConfig, direction: str) -> Split:
    return list_photos([Path(each) for each in config.photos or [config.inputs]]), []


PIX2PIX = RecipeEntry(
    name="pix2pix",
    config=Pix2PixConfig,
    recipe=Pix2PixRecipe,
    network=translator_of,
    examples=_examples,
)
