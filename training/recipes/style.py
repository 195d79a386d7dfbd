"""Fast style transfer with perceptual losses (Johnson, Alahi and Fei-Fei 2016).

Three phases. First the generator learns to recolour its input with the painting's palette, which
takes seconds because no loss network is involved, and spares the objective from finding content
and colours in noise. Then the
perceptual objective, under instance normalisation where the generator can fade it. Then, for such
generators, the normalisation fades out and the rest of the training happens on exactly the
function that is exported.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.data.palette import LumaPalette
from training.data.photos import centre_crop, list_photos, photo_batch, read_picture, split_held_out
from training.losses.networks import LossNetworks
from training.losses.perceptual import StyleObjective, StyleTerms
from training.networks import Generator, build_generator
from training.networks.swift import Swift

CONTENT_LAYERS = ("squeezenet.fire4", "vgg16.relu3_3")
STYLE_LAYERS = (
    "squeezenet.conv1", "squeezenet.fire2", "squeezenet.fire3",
    "squeezenet.fire4", "squeezenet.fire6", "squeezenet.fire8",
    "vgg16.relu1_2", "vgg16.relu2_2", "vgg16.relu3_3",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StyleConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        image: the painting.
        photos: folders of training photos.
        weights: file by loss network; a network not named is downloaded by torchvision.
        network: a name in :data:`training.networks.GENERATORS`.
        image_size: long side of the painting in pixels; smaller means smaller strokes.
        size: side of the training crops.
        window: side of the random window that the expensive loss network (VGG) looks at.
        steps: steps of the perceptual objective; ``palette_steps`` come before them.
        content_weight, style_weight: of each layer.
        variation_weight: of the total variation.
        init: a checkpoint to start from, instead of fresh weights and the palette phase.
    """

    image: str
    photos: list[str]
    weights: dict[str, str] = field(default_factory=dict)
    network: str = "swift"
    image_size: int = 512
    size: int = 256
    window: int = 96
    batch: int = 1
    palette_steps: int = 150
    steps: int = 2000
    learning_rate: float = 2e-3
    content_layers: list[str] = field(default_factory=lambda: list(CONTENT_LAYERS))
    style_layers: list[str] = field(default_factory=lambda: list(STYLE_LAYERS))
    content_weight: float = 2.0
    style_weight: float = 1.0
    variation_weight: float = 1.0
    init: str | None = None
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def build_objective(config: StyleConfig, layers: str = "") -> StyleObjective:
    """The objective of a run; ``layers`` restricts it to those whose names begin so.

    Whole, it is what the evaluation reports. The parts' sum is what training follows.
    """
    content = {name: config.content_weight for name in config.content_layers if name.startswith(layers)}
    style = {name: config.style_weight for name in config.style_layers if name.startswith(layers)}
    networks = LossNetworks(
        sorted({*content, *style}), {name: Path(path) for name, path in config.weights.items()}
    )
    painting = read_picture(Path(config.image), long_side=config.image_size)[None]
    return StyleObjective(
        networks,
        painting,
        content_weights=content,
        style_weights=style,
        variation_weight=0.0 if layers == "vgg16." else config.variation_weight,
    )


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
        self.generator: Generator = build_generator(config.network).to(device)
        self.palette_steps = config.palette_steps
        if config.init:
            saved = torch.load(config.init, map_location=device, weights_only=True)
            self.generator.load_state_dict(saved["generator"])
            self.palette_steps = 0
        self.palette = LumaPalette(read_picture(Path(config.image), long_side=config.image_size)[None])
        self.optimizer = torch.optim.Adam(self.generator.parameters(), lr=config.learning_rate)
        self.random = torch.Generator().manual_seed(config.seed)
        parts = [p for p in ("squeezenet.", "vgg16.") if any(n.startswith(p) for n in config.style_layers)]
        self._objectives = {part: build_objective(config, part).to(device) for part in parts}

    @property
    def steps(self) -> int:
        return self.palette_steps + self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its losses by name."""
        photos = photo_batch(self.photos, self.config.batch, self.config.size, self.random).to(self.device)
        self.generator.train()
        main_step = index - self.palette_steps
        if main_step < 0:
            self._set_learning_rate(1.5 * self.config.learning_rate)
            loss = (self.generator(photos) - self.palette(photos.cpu()).to(self.device)).square().mean()
            self._update(loss)
            return {"palette": float(loss.detach())}
        progress = main_step / self.config.steps
        self._set_learning_rate(self.config.learning_rate * _schedule(main_step, self.config.steps))
        if isinstance(self.generator, Swift):
            self.generator.set_instance_share(_instance_share(progress))
        terms = list(self._terms(photos, self.generator(photos)))
        self._update(sum((each.total.mean() for each in terms), torch.zeros((), device=self.device)))
        return {
            name: sum(float(getattr(each, name).detach().mean()) for each in terms)
            for name in ("content", "style", "variation")
        }

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
            "optimizer": self.optimizer.state_dict(),
            "random": self.random.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.generator.load_state_dict(state["generator"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.set_state(state["random"].cpu())

    def _terms(self, photos: Tensor, painted: Tensor) -> Iterator[StyleTerms]:
        for part, objective in self._objectives.items():
            before, after = photos, painted
            if part == "vgg16." and self.config.window < self.config.size:
                before, after = self._window(photos, painted)
            yield objective(after, objective.content_features(before))

    def _window(self, photos: Tensor, painted: Tensor) -> tuple[Tensor, Tensor]:
        side = self.config.window
        top, left = torch.randint(0, self.config.size - side + 1, (2,), generator=self.random).tolist()
        rows, columns = slice(top, top + side), slice(left, left + side)
        return photos[:, :, rows, columns], painted[:, :, rows, columns]

    def _update(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.generator.parameters(), 5.0)
        self.optimizer.step()

    def _set_learning_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up over 30 steps, then a cosine down to 2 %."""
    return min(1.0, (step + 1) / 30) * max(0.02, 0.5 + 0.5 * math.cos(math.pi * step / steps))


def _instance_share(progress: float) -> float:
    """1 until half of the training, 0 from 75 % on."""
    return min(1.0, max(0.0, (0.75 - progress) / 0.25))


def _halves(photos: Tensor, painted: Tensor, columns: int) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(photos), columns):
        yield photos[start : start + columns], painted[start : start + columns]
