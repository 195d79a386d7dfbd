"""Fast style transfer with perceptual losses (Johnson, Alahi and Fei-Fei 2016).

Three phases. First the generator learns to recolour its input with the painting's palette, which
takes seconds because no loss network is involved, and spares the objective from finding content
and colours in noise. Then the
perceptual objective, under instance normalisation where the generator can fade it. Then, for such
generators, the normalisation fades out and the rest of the training happens on exactly the
function that is exported.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.core.optimizer import optimizers_of
from training.core.precision import Precision
from training.core.randomness import restore
from training.core.weights import load_weights
from training.data.motion import disturb, random_motion
from training.data.palette import LumaPalette, stretch_lightness
from training.data.photos import centre_crop, list_photos, photo_batch, read_picture, split_held_out
from training.data.smooth_images import halves, soft_fields
from training.losses.checkerboard import grid_amplitude
from training.losses.networks import LossNetworks
from training.losses.perceptual import StyleObjective, StyleTerms
from training.networks import Generator, build_generator
from training.networks.swift import Swift

# No style layer looks at larger areas than the generators do: squeezenet.fire8 would (107 pixels).
CONTENT_LAYERS = ("squeezenet.fire4", "vgg16.relu3_3")
STYLE_LAYERS = (
    "squeezenet.conv1", "squeezenet.fire2", "squeezenet.fire3",
    "squeezenet.fire4", "squeezenet.fire6",
    "vgg16.relu1_2", "vgg16.relu2_2", "vgg16.relu3_3",
)  # fmt: skip


_BORDER = 8
"""The part of a side that is border: what a generator makes of the end of a picture shows within about it."""

NETWORKS = "johnson", "swift"
"""Those of :data:`training.networks.GENERATORS` that repaint rather than translate."""

TERMS = ("content", "style", "colour", "variation")


def layers_of(layers: Sequence[str], network: str) -> list[str]:
    """Those of ``layers`` that belong to ``network``, or all if it is ``"both"``."""
    return [name for name in layers if network == "both" or name.startswith(f"{network}.")]


@dataclass(frozen=True, kw_only=True)
class StyleConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        image: the painting.
        photos: folders of training photos.
        weights: file by loss network; a network not named is downloaded by torchvision.
        network: one of :data:`NETWORKS`.
        image_size: long side of the painting in pixels; smaller means smaller strokes.
        stretch: 0 takes the painting as it was photographed, 1 stretches its lightness to the full
            range: paint is more brilliant than museum light shows it.
        size: side of the training crops.
        jitter: the loss networks look at a random window this many pixels smaller than the crop.
            Their first layers skip pixels; seen always on the same phase, a generator learns to
            hide a grid from them.
        steps: steps of the perceptual objective; ``palette_steps`` come before them.
        fade: parts of the training between which instance normalisation fades into fixed
            statistics; ``[0, 0]`` for a run that starts from a generator of the same style.
        content_weight, style_weight: of each layer.
        colour_weight: of the distance from the painting's mean and covariance of colours.
        variation_weight: of the total variation.
        grid_weight: of the amplitude of the generator's own grid in pictures without detail.
            Training only: it belongs to the generator, not to the objective of its paintings.
        steady_weight: of the squared difference between the painting of a photo, moved, and the
            painting of the moved photo (Ruder et al. 2018's multi-frame idea, on known motion).
            Training only, likewise.
        init: a checkpoint, or an exported float32 ``swift``, to start from, instead of fresh weights and
            the palette phase.
        precision: of the arithmetic, one of :data:`training.core.precision.PRECISIONS`.
    """

    image: str
    photos: list[str]
    weights: dict[str, str] = field(default_factory=dict)
    network: str = "swift"
    image_size: int = 512
    stretch: float = 0.5
    size: int = 192
    jitter: int = 4
    batch: int = 2
    palette_steps: int = 150
    steps: int = 2000
    learning_rate: float = 1e-3
    fade: list[float] = field(default_factory=lambda: [0.25, 0.5])
    content_layers: list[str] = field(default_factory=lambda: layers_of(CONTENT_LAYERS, "squeezenet"))
    style_layers: list[str] = field(default_factory=lambda: layers_of(STYLE_LAYERS, "squeezenet"))
    content_weight: float = 1.0
    style_weight: float = 1.0
    colour_weight: float = 0.5
    variation_weight: float = 20.0
    grid_weight: float = 60.0
    steady_weight: float = 10.0
    init: str | None = None
    precision: str = "float32"
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def build_objective(config: StyleConfig, device: torch.device) -> StyleObjective:
    """What a run minimises, and what its evaluation reports."""
    networks = LossNetworks(
        sorted({*config.content_layers, *config.style_layers}),
        {name: Path(path) for name, path in config.weights.items()},
    )
    return StyleObjective(
        networks.to(device),
        read_painting(config).to(device),
        content_weights=dict.fromkeys(config.content_layers, config.content_weight),
        style_weights=dict.fromkeys(config.style_layers, config.style_weight),
        colour_weight=config.colour_weight,
        variation_weight=config.variation_weight,
    )


def read_painting(config: StyleConfig) -> Tensor:
    """The painting at the size that sets the strokes, ``(1, 3, H, W)`` RGB in [0, 1]."""
    painting = read_picture(Path(config.image), long_side=config.image_size)[None]
    return torch.lerp(painting, stretch_lightness(painting), config.stretch)


class StyleRecipe:
    """The state of one run, advanced by :meth:`step`.

    Args:
        config: what to train.
        device: where.
    """

    def __init__(self, config: StyleConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.photos, self.held_out = split_held_out(list_photos([Path(each) for each in config.photos]))
        torch.manual_seed(config.seed)
        generator = build_generator(config.network)
        self.palette_steps = config.palette_steps
        if config.init:
            load_weights(generator, Path(config.init))
            self.palette_steps = 0
        self.generator: Generator = generator.to(device)
        self.palette = LumaPalette(read_painting(config))
        self.optimizers = optimizers_of(self.generator, learning_rate=config.learning_rate)
        self.random = torch.Generator().manual_seed(config.seed)
        self.objective = build_objective(config, device)
        self.precision = Precision(config.precision, device)

    @property
    def steps(self) -> int:
        return self.palette_steps + self.config.steps

    @property
    def _border(self) -> int:
        """In pixels, which are whole cells of the generator."""
        stride = self.generator.stride
        return stride * max(1, self.config.size // (_BORDER * stride))

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its losses by name."""
        photos = photo_batch(self.photos, self.config.batch, self.config.size, self.random).to(self.device)
        self.generator.train()
        main_step = index - self.palette_steps
        if main_step < 0:
            self._set_learning_rate(1.5 * self.config.learning_rate)
            with self.precision.autocast():
                painted = self.generator(photos)
            loss = (painted - self.palette(photos.cpu()).to(self.device)).square().mean()
            self._update(loss)
            return {"palette": float(loss.detach())}
        progress = main_step / self.config.steps
        self._set_learning_rate(self.config.learning_rate * _schedule(main_step, self.config.steps))
        if isinstance(self.generator, Swift):
            self.generator.set_instance_share(_instance_share(progress, *self.config.fade))
        with self.precision.autocast():
            terms, unsteadiness = self._painting_terms(photos)
            grid = self._grid()
        self._update(terms.total.mean() + grid + unsteadiness)
        losses = {name: float(getattr(terms, name).detach().mean()) for name in TERMS}
        return losses | {"grid": float(grid.detach()), "steady": float(unsteadiness.detach())}

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out photos above their paintings, ``(3, H, W)`` RGB in [0, 1]."""
        self.generator.eval()
        photos = torch.stack([centre_crop(read_picture(path), 256) for path in self.held_out[: 2 * columns]])
        painted = torch.cat([self.generator(photo[None].to(self.device)).cpu() for photo in photos])
        rows = [torch.cat(list(half), 2) for pair in _halves(photos, painted, columns) for half in pair]
        return torch.cat(rows, 1)

    def state_dict(self) -> dict[str, Any]:
        return {
            "generator": self.generator.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
            "random": self.random.get_state(),
            "scaler": self.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generator.load_state_dict(state["generator"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        restore(self.random, state["random"])
        self.precision.load_state_dict(state["scaler"])

    def _window(self, painted: Tensor, photos: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The window of the painting, and the content features of the same window of the photos."""
        top, left = torch.randint(0, self.config.jitter + 1, (2,), generator=self.random).tolist()
        side = self.config.size - self.config.jitter
        rows, columns = slice(top, top + side), slice(left, left + side)
        content = self.objective.content_features(photos[:, :, rows, columns])
        return painted[:, :, rows, columns], content

    def _painting_terms(self, photos: Tensor) -> tuple[StyleTerms, Tensor]:
        """The objective, and the weighted error of painting the next frame otherwise than this one, moved."""
        if self.config.steady_weight == 0:
            return self.objective(*self._window(self.generator(photos), photos)), torch.zeros(())
        motion = random_motion(len(photos), self.config.size, self.random)
        following = disturb(motion.move(photos.cpu()), self.random).to(self.device)
        painted = self.generator(photos)
        # Of the next frame the border is missing: who paints otherwise where a picture ends pays for it.
        inner = slice(self._border, -self._border)
        next_painted = self.generator(following[:, :, inner, inner])
        visible = motion.visible().to(self.device)
        visible = visible[:, :, inner, inner]
        error = (next_painted - motion.move(painted)[:, :, inner, inner]).float().square()
        unsteadiness = (error * visible).mean() / visible.mean().clamp(min=0.1)
        return self.objective(*self._window(painted, photos)), self.config.steady_weight * unsteadiness

    def _grid(self) -> Tensor:
        """The weighted grid of the generator as it will be exported, with fixed statistics."""
        if self.config.grid_weight == 0:
            return torch.zeros(())
        fields = soft_fields(self.config.batch, self.random).to(self.device)
        fixed = self.generator.fixed_statistics() if isinstance(self.generator, Swift) else nullcontext()
        with fixed:
            painted = halves(self.generator(fields)).float()
        # Cells of 4 pixels are within those of 8, and as there are more of them, they show more clearly.
        amplitudes = torch.stack([grid_amplitude(painted, period) for period in (4, 8)])
        # The root of the mean square: the worst colours weigh most.
        return self.config.grid_weight * amplitudes.square().sum(0).mean().sqrt()

    def _update(self, loss: Tensor) -> None:
        self.generator.zero_grad()
        self.precision.step(loss, self.optimizers, self.generator)

    def _set_learning_rate(self, rate: float) -> None:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up over 30 steps, then a cosine down to 2 %."""
    return min(1.0, (step + 1) / 30) * max(0.02, 0.5 + 0.5 * math.cos(math.pi * step / steps))


def _instance_share(progress: float, start: float, end: float) -> float:
    """1 until ``start`` of the training, 0 from ``end`` on."""
    return min(1.0, (end - progress) / (end - start)) if progress < end else 0.0


def _halves(photos: Tensor, painted: Tensor, columns: int) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(photos), columns):
        yield photos[start : start + columns], painted[start : start + columns]
