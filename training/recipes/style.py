"""Fast style transfer with perceptual losses (Johnson, Alahi and Fei-Fei 2016).

Training has three phases. First the generator learns to recolor photos with the painting's palette. That takes
seconds, since no loss network is involved, and spares the objective from finding content and colors in noise. Then
it learns the perceptual objective under instance normalization. Then, for generators that can, the normalization
fades into fixed statistics, and the last steps train exactly the function that is exported.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.core.optimizer import cosine_decay, load_optimizers, muon_and_adam, optimizer_step
from training.core.precision import Precision
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, RunState, setting
from training.core.weights import load_weights
from training.data.images import center_crop, image_grid, read_image
from training.data.motion import random_motion, vary_exposure
from training.data.palette import LumaPalette, stretch_luminance
from training.data.photos import list_photos, photo_batch, split_held_out
from training.data.windows import random_window
from training.losses.checkerboard import checkerboard_loss
from training.losses.lattice import lattice_excess
from training.losses.local_color import local_color_loss
from training.losses.networks import LossNetworks
from training.losses.perceptual import StyleObjective, StyleTerms
from training.losses.temporal import temporal_loss
from training.networks import build_generator
from training.networks.image_generator import ImageGenerator
from training.recipes.settings import LossNetworkConfig

# The receptive fields of style layers are no larger than the generators': squeezenet.fire8 has 107 pixels.
CONTENT_LAYERS = ("squeezenet.fire4", "vgg16.relu3_3")
STYLE_LAYERS = (
    "squeezenet.conv1", "squeezenet.fire2", "squeezenet.fire3",
    "squeezenet.fire4", "squeezenet.fire6",
    "vgg16.relu1_2", "vgg16.relu2_2", "vgg16.relu3_3",
)  # fmt: skip

NETWORKS = "johnson", "swift"
"""The generators of :data:`training.networks.GENERATORS` for style transfer."""

TERMS = ("content", "style", "color", "variation")

UNIVERSAL = "any"
"""As ``init``: the weights that the universal style model gives the painting."""
_KEPT = re.compile("[0-9a-f]{32}")
"""Folders of kept styles, which the universal style model made, are named by checksums."""

_BORDER_SHARE = 8
"""A border is this part of a side: the end of an image affects the output within about that."""
_WARMUP_STEPS = 30
_LEARNING_RATE_FLOOR = 0.02
_PALETTE_LEARNING_RATE = 1.5
"""Relative to the highest learning rate."""


def layers_of(layers: Sequence[str], network: str) -> list[str]:
    """The layers of ``network``, or all if it is ``"both"``."""
    return [name for name in layers if network == "both" or name.startswith(f"{network}.")]


@dataclass(frozen=True, kw_only=True)
class StyleConfig(LossNetworkConfig):
    """All settings of a run.

    ``lightness_stretch``: paint has a larger range of luminance than museum photographs show.
    ``crop_jitter``: see :func:`training.data.windows.random_window`.
    ``norm_fade``: shares of the training between which instance normalization fades into fixed statistics;
    ``[0, 0]`` for a run that starts from a generator of the same style.
    ``checkerboard_weight``, ``temporal_weight``: losses of the generator that are no part of the objective, with
    which :mod:`export.evaluate` compares models.
    """

    recipe: str = "style"
    image: str = setting("The painting.", kind="file")
    network: str = setting("Generator; swift is for video, johnson the paper's.", "swift", choices=NETWORKS)
    init: str | None = setting(
        "Another style to start from, which saves most of the time: a checkpoint or a float32.onnx.",
        None,
        kind="run",
    )
    image_size: int = setting("Long side of the painting in pixels; smaller means smaller strokes.", 512)
    lightness_stretch: float = setting(
        "How far to stretch the painting's luminance to the full range, 0 to 1.", 0.5
    )
    size: int = setting("Side of the training crops.", 192)
    crop_jitter: int = setting("Pixels by which the loss networks' window moves.", 4)
    batch: int = setting("Images per step.", 2)
    palette_steps: int = setting("Steps of learning the palette, before the objective.", 150)
    steps: int = setting("Steps of learning the objective.", 2000)
    learning_rate: float = setting("Highest learning rate.", 1e-3)
    norm_fade: list[float] = setting(
        "Shares of the training between which instance normalization fades.", [0.25, 0.5], kind="numbers"
    )
    content_layers: list[str] = setting(
        "Instead of the networks' default content layers.",
        layers_of(CONTENT_LAYERS, "squeezenet"),
        kind="names",
    )
    style_layers: list[str] = setting(
        "Instead of the networks' default style layers.", layers_of(STYLE_LAYERS, "squeezenet"), kind="names"
    )
    content_weight: float = setting("Weight of each content layer.", 1.0)
    style_weight: float = setting("Weight of each style layer.", 1.0)
    color_weight: float = setting("Weight of the mean and covariance of colors.", 0.5)
    variation_weight: float = setting("Weight of the total variation.", 20.0)
    checkerboard_weight: float = setting("Weight of the checkerboard artifacts loss; 0 disables it.", 60.0)
    temporal_weight: float = setting(
        "Weight of the temporal consistency loss, for video; 0 disables it.", 10.0
    )
    local_color_weight: float = setting(
        "Weight of coarse colors that the photo does not explain; 0 disables it.", 1.0
    )
    lattice_weight: float = setting(
        "Weight of what repeats from cell to cell of the coarsest layer; 0 disables it.", 100.0
    )

    def without_paths(self) -> dict[str, Any]:
        settings = super().without_paths()
        if _KEPT.fullmatch(str(settings["init"])):
            settings["init"] = UNIVERSAL
        return settings


def build_objective(config: StyleConfig, device: torch.device) -> StyleObjective:
    """The objective of a run, which its evaluation reports as well."""
    networks = LossNetworks(
        sorted({*config.content_layers, *config.style_layers}),
        {name: Path(path) for name, path in config.weights.items()},
    )
    return StyleObjective(
        networks.to(device),
        read_painting(config).to(device),
        content_weights=dict.fromkeys(config.content_layers, config.content_weight),
        style_weights=dict.fromkeys(config.style_layers, config.style_weight),
        color_weight=config.color_weight,
        variation_weight=config.variation_weight,
    )


def read_painting(config: StyleConfig) -> Tensor:
    """The painting at the size that decides the size of strokes, ``(1, 3, H, W)`` RGB in [0, 1]."""
    painting = read_image(Path(config.image), long_side=config.image_size)[None]
    return torch.lerp(painting, stretch_luminance(painting), config.lightness_stretch)


class StyleRecipe(RunState[StyleConfig]):
    """The state of one run, advanced by :meth:`step`."""

    def __init__(self, config: StyleConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.photos, self.held_out = split_held_out(list_photos([Path(each) for each in config.photos]))
        torch.manual_seed(config.seed)
        generator = build_generator(config.network)
        self.palette_steps = config.palette_steps
        if config.init:
            load_weights(generator, Path(config.init))
            self.palette_steps = 0
        self.generator: ImageGenerator = generator.to(device)
        self.palette = LumaPalette(read_painting(config))
        self.optimizers = muon_and_adam(self.generator, learning_rate=config.learning_rate)
        self.random = torch.Generator().manual_seed(config.seed)
        self.objective = build_objective(config, device)
        self.precision = Precision(config.precision, device)

    @property
    def steps(self) -> int:
        return self.palette_steps + self.config.steps

    @property
    def _border(self) -> int:
        """Border of the temporal consistency loss in pixels, a multiple of the generator's stride."""
        stride = self.generator.stride
        return stride * max(1, self.config.size // (_BORDER_SHARE * stride))

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its losses by name."""
        config = self.config
        photos = photo_batch(self.photos, config.batch, config.size, self.random).to(self.device)
        self.generator.train()
        main_step = index - self.palette_steps
        if main_step < 0:
            return self._palette_step(photos)
        self.generator.set_instance_share(_instance_share(main_step / config.steps, *config.norm_fade))
        with self.precision.autocast():
            losses = self._losses(photos)
        decay = cosine_decay(main_step, config.steps, warmup=_WARMUP_STEPS, floor=_LEARNING_RATE_FLOOR)
        self._update(torch.stack(list(losses.values())).sum(), config.learning_rate * decay)
        return {name: float(value.detach()) for name, value in losses.items()}

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out photos above their stylized versions, ``(3, H, W)`` RGB in [0, 1]."""
        self.generator.eval()
        photos = torch.stack([center_crop(read_image(path), 256) for path in self.held_out[: 2 * columns]])
        outputs = torch.cat([self.generator(photo[None].to(self.device)).cpu() for photo in photos])
        starts = range(0, len(photos), columns)
        return image_grid(each[start : start + columns] for start in starts for each in (photos, outputs))

    def state_dict(self) -> dict[str, Any]:
        return {
            "generator": self.generator.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
            "random": self.random.get_state(),
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generator.load_state_dict(state["generator"])
        load_optimizers(self.optimizers, state["optimizers"])
        restore(self.random, state["random"])
        self.precision.load_state_dict(state["precision"])

    def _palette_step(self, photos: Tensor) -> dict[str, float]:
        with self.precision.autocast():
            outputs = self.generator(photos)
        loss = (outputs - self.palette(photos.cpu()).to(self.device)).square().mean()
        self._update(loss, _PALETTE_LEARNING_RATE * self.config.learning_rate)
        return {"palette": float(loss.detach())}

    def _losses(self, photos: Tensor) -> dict[str, Tensor]:
        """The weighted losses by name."""
        outputs = self.generator(photos)
        terms = self._objective_terms(outputs, photos)
        losses = {name: getattr(terms, name).mean() for name in TERMS}
        if self.config.local_color_weight:
            losses["local color"] = self.config.local_color_weight * local_color_loss(outputs, photos).mean()
        if self.config.lattice_weight:
            excess = lattice_excess(outputs, self.generator.stride)
            losses["lattice"] = self.config.lattice_weight * excess.mean()
        if self.config.temporal_weight:
            losses["temporal"] = self._temporal_loss(photos, outputs)
        # Last, since the other losses update the statistics that are fixed for it.
        if self.config.checkerboard_weight:
            losses["checkerboard"] = self._checkerboard_loss()
        return losses

    def _objective_terms(self, outputs: Tensor, photos: Tensor) -> StyleTerms:
        """The objective in a random window."""
        jitter = self.config.crop_jitter
        outputs, photos = random_window(
            outputs, photos, positions=jitter + 1, margin=jitter, random=self.random
        )
        return self.objective(outputs, self.objective.content_features(photos))

    def _temporal_loss(self, photos: Tensor, outputs: Tensor) -> Tensor:
        """The weighted temporal consistency loss."""
        motion = random_motion(len(photos), self.config.size, self.random)
        next_frame = vary_exposure(motion.warp(photos.cpu()), self.random).to(self.device)
        loss = temporal_loss(self.generator, next_frame, outputs, motion, self._border)
        return self.config.temporal_weight * loss

    def _checkerboard_loss(self) -> Tensor:
        """The weighted artifacts of the generator as it will be exported, with fixed statistics."""
        with self.generator.fixed_statistics():
            loss = checkerboard_loss(self.generator, self.config.batch, self.random, self.device)
        return self.config.checkerboard_weight * loss

    def _update(self, loss: Tensor, learning_rate: float) -> None:
        optimizer_step(loss, self.generator, self.optimizers, self.precision, learning_rate)


def _instance_share(progress: float, start: float, end: float) -> float:
    """1 until ``start`` of the training, 0 from ``end`` on."""
    return min(1.0, (end - progress) / (end - start)) if progress < end else 0.0


STYLE = RecipeEntry(
    name="style",
    config=StyleConfig,
    recipe=StyleRecipe,
    network=lambda config: build_generator(config.network),
    examples=lambda config, direction: split_held_out(list_photos([Path(each) for each in config.photos])),
    metadata=lambda config, direction: {"task": "style"},
)
