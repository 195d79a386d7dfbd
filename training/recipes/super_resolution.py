"""Single image super-resolution: SRResNet and SRGAN (Ledig et al. 2017), and perceptual losses (Johnson et al. 2016).

The fast upscaler trains with the same objectives. The weights decide which losses there are; one whose weight is 0 is
not computed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.core.discriminator_trainer import DiscriminatorTrainer
from training.core.network_trainer import NetworkTrainer, to_floats
from training.core.optimizer import adam, cosine_decay, muon_and_adam
from training.core.recipe import RecipeEntry, setting
from training.core.weights import load_weights
from training.data.bicubic import resize, upscale
from training.data.crops import Crops
from training.data.degradation import DEGRADATIONS, crop_side
from training.data.images import center_crop, image_grid, read_image
from training.data.photos import list_photos, split_held_out
from training.data.windows import random_window
from training.losses.checkerboard import phase_power_imbalance
from training.losses.feature import FeatureLoss
from training.losses.networks import LossNetworks
from training.losses.pixel import PIXEL_LOSSES
from training.losses.spectrum import spectral_peak_loss
from training.networks import UPSCALERS, build_upscaler
from training.networks.discriminator import PatchDiscriminator
from training.recipes.adversarial import AdversarialConfig, GanRecipe, discriminator_input
from training.recipes.settings import LossNetworkConfig

FEATURE_LAYERS = ("vgg16.relu2_2", "vgg16.relu3_3", "vgg16.relu4_3")
SCALES = 2, 4

OPTIMIZERS: dict[str, Callable[[torch.nn.Module], list[torch.optim.Optimizer]]] = {
    "muon": muon_and_adam,
    "adam": adam,
}

_COLOR_BLOCK = 16
_JITTER = 16
_WARMUP_STEPS = 200
_SHEET_SIDE = 192
_PROJECTED_CHANNELS = 64


@dataclass(frozen=True, kw_only=True)
class SuperResolutionConfig(LossNetworkConfig, AdversarialConfig):
    """All settings of a run."""

    recipe: str = "super-resolution"
    network: str = setting("Upscaler.", "srresnet", choices=UPSCALERS)
    scale: int = setting("Output size per input size.", 4, choices=SCALES)
    degradation: str = setting(
        "How photos become low resolution: bicubic, or also blurred, noisy and compressed, as video is.",
        "bicubic",
        choices=DEGRADATIONS,
    )
    photo_scales: list[float] = setting(
        "Sizes to use photos in; smaller ones have fewer JPEG artifacts.", [1.0, 0.7], kind="numbers"
    )
    size: int = setting("Side of the low-resolution crops.", 32)
    pixel_loss: str = setting("Pixel loss.", "mse", choices=PIXEL_LOSSES)
    pixel_weight: float = setting("Weight of the pixel loss.", 1.0)
    color_weight: float = setting("Weight of the difference of mean colors, in blocks of 16×16 pixels.", 0.0)
    feature_layers: list[str] = setting("Layers of the feature loss.", list(FEATURE_LAYERS), kind="names")
    feature_weight: float = setting("Weight of the feature loss.", 0.0)
    spectrum_weight: float = setting("Weight of spectral peaks, which upsampling causes.", 0.0)
    checkerboard_weight: float = setting("Weight of unequal detail within the block of an input pixel.", 0.0)
    adversarial_weight: float = setting("Weight of the adversarial loss.", 0.0)
    optimizer: str = setting("Optimizer of the upscaler; adam is the papers'.", "muon", choices=OPTIMIZERS)
    init: str | None = setting("Checkpoint of the same network to start from.", None, kind="run")
    batch: int = setting("Images per step.", 16)
    steps: int = setting("Training steps.", 20_000)
    learning_rate: float = setting("Highest learning rate.", 1e-3)


class SuperResolutionRecipe(GanRecipe[SuperResolutionConfig]):
    """The state of one run, advanced by :meth:`step`. Photos are stored on the device.

    Raises:
        ValueError: no photo is as large as a crop, or ``init`` is of another network.
    """

    def __init__(self, config: SuperResolutionConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.photos, self.held_out = split_held_out(list_photos([Path(each) for each in config.photos]))
        torch.manual_seed(config.seed)
        generator = build_upscaler(config.network, config.scale)
        if config.init:
            load_weights(generator, Path(config.init))
        optimizers = OPTIMIZERS[config.optimizer]
        self.trainer = NetworkTrainer(generator, optimizers, config.precision, device)
        self.generator, self.ema_model = self.trainer.network, self.trainer.ema_model
        side = crop_side(config.size, config.scale)
        self.crops = Crops(self.photos, side, scales=config.photo_scales, device=device)
        self.random = torch.Generator(device).manual_seed(config.seed)
        self.features = self._feature_loss() if config.feature_weight else None
        self.discriminator = self._discriminator() if config.adversarial_weight else None

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        decay = cosine_decay(index, self.config.steps, warmup=_WARMUP_STEPS)
        learning_rate = self.config.learning_rate * decay
        low, target = self._batch()
        # A pretrained upscaler keeps its batch statistics: those of small batches are no better.
        self.generator.train(not self.config.init)
        with self.trainer.precision.autocast():
            output = self.generator(low).float()
            losses, window, target_window = self._losses(output, target)
        self.trainer.step(losses, learning_rate, index)
        if self.discriminator is not None:
            fake, real = discriminator_input(window.detach()), discriminator_input(target_window)
            losses["discriminator"] = self.discriminator.step(fake, real, learning_rate)
        return to_floats(losses)

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out photos upscaled by bicubic and by the generator, and themselves, ``(3, H, W)``."""
        scale = self.config.scale
        target = torch.stack([center_crop(read_image(path), _SHEET_SIDE) for path in self.held_out[:columns]])
        low = resize(target, _SHEET_SIDE // scale, _SHEET_SIDE // scale).clamp(0, 1)
        output = self.ema_model(low.to(self.device)).float().cpu()
        return image_grid([upscale(low, scale), output, target])

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Low-resolution images and their targets, both ``channels_last``."""
        crops = self.crops.batch(self.config.batch, self.random)
        pairs = DEGRADATIONS[self.config.degradation](crops, self.config.scale, self.random)
        low, target = (each.contiguous(memory_format=torch.channels_last) for each in pairs)
        return low, target

    def _losses(self, output: Tensor, target: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Weighted losses by name, and the window of both images that networks see."""
        config = self.config
        losses = {config.pixel_loss: config.pixel_weight * PIXEL_LOSSES[config.pixel_loss](output, target)}
        if config.color_weight:
            # Loss networks are almost blind to color shifts, and detail dominates pixel losses.
            shift = F.avg_pool2d(output - target, _COLOR_BLOCK).abs().mean()
            losses["color"] = config.color_weight * shift
        if config.spectrum_weight:
            losses["spectrum"] = config.spectrum_weight * spectral_peak_loss(output, target)
        if config.checkerboard_weight:
            imbalance = phase_power_imbalance(output, config.scale)
            losses["checkerboard"] = config.checkerboard_weight * imbalance
        window, target_window = random_window(
            output, target, positions=_JITTER + 1, margin=_JITTER, random=self.random
        )
        if self.features is not None:
            losses["feature"] = config.feature_weight * self.features(window, target_window)
        if self.discriminator is not None:
            adversarial = self.discriminator.generator_loss(discriminator_input(window))
            losses["adversarial"] = config.adversarial_weight * adversarial
        return losses, window, target_window

    def _discriminator(self) -> DiscriminatorTrainer:
        config = self.config
        if config.discriminator == "projected":
            network = config.projected_discriminator(_PROJECTED_CHANNELS, self.device)
        else:
            network = PatchDiscriminator(3, layers=2)
        # With Muon the discriminator would learn faster than the generator.
        return DiscriminatorTrainer(network, config.gan_mode, adam, config.precision, self.device)

    def _feature_loss(self) -> FeatureLoss:
        weights = {name: Path(path) for name, path in self.config.weights.items()}
        networks = LossNetworks(sorted(self.config.feature_layers), weights).to(self.device)
        return FeatureLoss(networks)


SUPER_RESOLUTION = RecipeEntry(
    name="super-resolution",
    config=SuperResolutionConfig,
    recipe=SuperResolutionRecipe,
    network=lambda config: build_upscaler(config.network, config.scale),
    examples=lambda config, direction: split_held_out(list_photos([Path(each) for each in config.photos])),
    command=("sr", "Train single image super-resolution."),
)
