"""Style transfer for any painting: one generator, whose kernels a painting decides.

Each step paints some photos, each in the style of another painting, and learns from the perceptual objective
of :mod:`training.recipes.style` for each of them. How much of the photo is to be kept is drawn anew each time
and told to the network, so that it can be chosen afterwards. The steady and the grid term take turns.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.average import average_of, follow
from training.data.fields import halves, soft_fields
from training.data.motion import disturb, random_motion
from training.data.paintings import Paintings, held_out_paintings
from training.data.photos import centre_crop, list_photos, photo_batch, read_picture, split_held_out
from training.losses.any_style import AnyStyleObjective, StyleTarget, colour_statistics
from training.losses.grid import grid_amplitude
from training.losses.networks import LossNetworks
from training.networks.any_style import StyledSwift, colour_matrix
from training.networks.style_encoder import StyleEncoder
from training.networks.swift import Swift
from training.optimizer import Muon
from training.precision import Precision
from training.randomness import restore
from training.recipes.style import CONTENT_LAYERS, STYLE_LAYERS, TERMS, layers_of
from training.weights import load_weights

_SEEN_FIRST = 300
"""Paintings from which the scale and the components of statistics are taken."""
_MEETINGS = 4
"""How often a painting is met before it goes: to look at one costs a fifth of a step."""
_KEPT = 400
_TURNS = 4
_BORDER = 8
"""The part of a side that is border, as in :mod:`training.recipes.style`."""
_DECAY = 0.999
_PACE_OF_EXPERTS = 0.3
"""Their learning rate, relative to the others'."""
_WARM_UP = 100


@dataclass(frozen=True, kw_only=True)
class AnyStyleConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        paintings: folders of paintings, and how often one of each is drawn.
        photos: folders of training photos.
        weights: file by loss network; a network not named is downloaded by torchvision.
        init: exported float32 styles to start from: the first, with the differences of the others from it as
            experts; or one checkpoint of this recipe.
        init_paintings: the painting of each of these styles.
        experts: kernels that each layer mixes.
        size, painting_size: sides of the crops of photos and of paintings.
        jitter: as in :class:`training.recipes.style.StyleConfig`.
        batch: photos a step, each painted in another style.
        learning_rate: at its highest; see :func:`schedule`.
        content_weights: of each content layer, from where fidelity is 0 to where it is 1.
        style_weight, colour_weight, variation_weight, grid_weight, steady_weight: as there.
    """

    paintings: dict[str, float]
    photos: list[str]
    weights: dict[str, str] = field(default_factory=dict)
    init: list[str] = field(default_factory=list)
    init_paintings: list[str] = field(default_factory=list)
    experts: int = 8
    size: int = 192
    painting_size: int = 224
    jitter: int = 4
    batch: int = 2
    steps: int = 40000
    learning_rate: float = 4e-4
    content_layers: list[str] = field(default_factory=lambda: layers_of(CONTENT_LAYERS, "squeezenet"))
    style_layers: list[str] = field(default_factory=lambda: layers_of(STYLE_LAYERS, "squeezenet"))
    content_weights: list[float] = field(default_factory=lambda: [0.25, 1.0])
    style_weight: float = 1.0
    colour_weight: float = 2.0
    variation_weight: float = 10.0
    grid_weight: float = 80.0
    steady_weight: float = 10.0
    precision: str = "float32"
    seed: int = 0
    recipe: str = "any-style"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class AnyStyle(torch.nn.Module):
    """What is trained, and its mean: the generator and the encoder that tells it the style."""

    def __init__(self, channels: dict[str, int], experts: int) -> None:
        super().__init__()
        self.generator = StyledSwift(experts)
        self.encoder = StyleEncoder(channels, self.generator.reach())

    def vector(self, target: StyleTarget, fidelity: float) -> Tensor:
        """The style vector of a painting, ``(vector_size,)``."""
        vector: Tensor = self.encoder(target, target.mean.new_full((1, 1), fidelity))
        return vector[0]


class AnyStyleRecipe:
    """The state of one run, advanced by :meth:`step`.

    Args:
        config: what to train.
        device: where.
    """

    def __init__(self, config: AnyStyleConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.photos, self.held_out = split_held_out(list_photos([Path(each) for each in config.photos]))
        self.paintings = Paintings({Path(path): share for path, share in config.paintings.items()})
        torch.manual_seed(config.seed)
        self.random = torch.Generator().manual_seed(config.seed)
        weights = {name: Path(path) for name, path in config.weights.items()}
        self.objective = AnyStyleObjective(
            LossNetworks(sorted({*config.content_layers, *config.style_layers}), weights).to(device),
            LossNetworks(config.content_layers, weights).to(device),
            content_layers=config.content_layers,
            style_layers=config.style_layers,
            style_weight=config.style_weight,
            colour_weight=config.colour_weight,
            variation_weight=config.variation_weight,
        )
        self._targets: dict[int, StyleTarget] = {}
        self.network = self._begun().to(device)
        self.average = average_of(self.network)
        self.optimizers = _optimizers(self.network, config.learning_rate)
        self.precision = Precision(config.precision, device)

    @property
    def steps(self) -> int:
        return self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its losses by name."""
        config = self.config
        photos = photo_batch(self.photos, config.batch, config.size, self.random).to(self.device)
        self.network.train()
        sums = dict.fromkeys([*TERMS, "grid", "steady"], 0.0)
        losses = []
        for photo in photos.split(1):
            terms = self._losses(photo, self._target(index), ("steady", "", "grid", "")[index % _TURNS])
            losses.append(torch.stack(list(terms.values())).sum())
            for name, value in terms.items():
                sums[name] += float(value.detach()) / config.batch
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["share"] * config.learning_rate * schedule(index, config.steps)
        self.network.zero_grad()
        self.precision.step(torch.stack(losses).mean(), self.optimizers, self.network)
        follow(self.average, self.network, min(_DECAY, (index + 1) / (index + 10)))
        # Terms whose turn it was not are 0.
        return {name: value for name, value in sums.items() if value}

    def _target(self, index: int) -> StyleTarget:
        """Of one of the last paintings.

        A painting is drawn by its number, and a window of numbers moves on as the training does, so that each
        is met some times, with other photos, and yet a resumed run meets those that it would have met.
        """
        newest = index * self.config.batch // _MEETINGS
        number = newest - int(torch.randint(_KEPT, (), generator=self.random))
        if number not in self._targets:
            for old in [each for each in self._targets if each <= newest - _KEPT]:
                del self._targets[old]
            drawn = torch.Generator().manual_seed((self.config.seed << 32) + _KEPT + number)
            painting = self.paintings.crop(self.config.painting_size, drawn)
            self._targets[number] = self.objective.target(painting.to(self.device))
        return self._targets[number]

    def _losses(self, photo: Tensor, target: StyleTarget, turn: str) -> dict[str, Tensor]:
        """The weighted losses of one photo in one style.

        Args:
            turn: the term whose turn it is, "steady", "grid" or none, so much heavier as it comes rarely.
        """
        config = self.config
        fidelity = float(torch.rand((), generator=self.random))
        low, high = config.content_weights
        with self.precision.autocast():
            vector = self.network.vector(target, fidelity)
            painted = self.network.generator(photo, vector)
            terms = self._perceptual(painted, photo, target, low * (high / low) ** fidelity)
            if turn == "steady":
                error = self._unsteadiness(photo, painted, vector)
                terms["steady"] = _TURNS * config.steady_weight * error
            elif turn == "grid":
                terms["grid"] = _TURNS * config.grid_weight * self._grid(vector)
        return terms

    def _perceptual(
        self, painted: Tensor, photo: Tensor, target: StyleTarget, content_weight: float
    ) -> dict[str, Tensor]:
        top, left = torch.randint(0, self.config.jitter + 1, (2,), generator=self.random).tolist()
        side = self.config.size - self.config.jitter
        rows, columns = slice(top, top + side), slice(left, left + side)
        content = self.objective.content_features(photo[:, :, rows, columns])
        terms = self.objective(painted[:, :, rows, columns], content, target, content_weight)
        return {name: getattr(terms, name).mean() for name in TERMS}

    def _unsteadiness(self, photo: Tensor, painted: Tensor, vector: Tensor) -> Tensor:
        """Squared error of painting the next frame otherwise than this one, moved."""
        motion = random_motion(1, self.config.size, self.random)
        following = disturb(motion.move(photo.cpu()), self.random).to(self.device)
        stride = self.network.generator.stride
        border = stride * max(1, self.config.size // (_BORDER * stride))
        inner = slice(border, -border)
        next_painted = self.network.generator(following[:, :, inner, inner], vector)
        visible = motion.visible().to(self.device)[:, :, inner, inner]
        error = (next_painted - motion.move(painted)[:, :, inner, inner]).float().square()
        return (error * visible).mean() / visible.mean().clamp(min=0.1)

    def _grid(self, vector: Tensor) -> Tensor:
        """Amplitude of the generator's own grid."""
        fields = soft_fields(1, self.random).to(self.device)
        painted = halves(self.network.generator(fields, vector)).float()
        amplitudes = torch.stack([grid_amplitude(painted, period) for period in (4, 8)])
        return amplitudes.square().sum(0).mean().sqrt()

    @torch.no_grad()
    def sample_sheet(self) -> Tensor:
        """Held-out photos in the first row, held-out paintings in the first column, ``(3, H, W)``."""
        side = 192
        photos = [centre_crop(read_picture(path), side) for path in self.held_out[1:6]]
        rows = [torch.cat([torch.ones(3, side, side), *photos], 2)]
        for path in self._shown():
            painting = read_picture(path, long_side=320)
            vector = self.style_vector(painting[None], fidelity=0.5)
            painted = [
                self.average.generator(photo[None].to(self.device), vector)[0].cpu() for photo in photos
            ]
            rows.append(torch.cat([centre_crop(painting, side), *painted], 2))
        return torch.cat(rows, 1)

    @torch.no_grad()
    def style_vector(self, painting: Tensor, *, fidelity: float) -> Tensor:
        """Of a painting ``(1, 3, H, W)`` RGB in [0, 1], by the averaged weights."""
        painting = painting.to(self.device)
        return self.average.vector(self.objective.target(painting), fidelity)

    def state_dict(self) -> dict[str, Any]:
        return {
            "generator": self.average.state_dict(),
            "trained": self.network.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
            "random": self.random.get_state(),
            "scaler": self.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.average.load_state_dict(state["generator"])
        self.network.load_state_dict(state["trained"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        restore(self.random, state["random"])
        self.precision.load_state_dict(state["scaler"])

    def _begun(self) -> AnyStyle:
        """With fresh weights, or with those to start from."""
        seen = []
        for _ in range(_SEEN_FIRST):
            painting = self.paintings.crop(self.config.painting_size, self.random)
            seen.append(self.objective.target(painting.to(self.device)))
        channels = {layer: mean.shape[1] for layer, mean in seen[0].means.items()}
        network = AnyStyle(channels, self.config.experts)
        network.encoder.standardize(seen)
        if self.config.init and not self.config.init_paintings:
            (checkpoint,) = self.config.init
            load_weights(network, Path(checkpoint))
        elif self.config.init:
            _begin_with(network, self.config.init, self.config.init_paintings)
        return network

    def _shown(self) -> list[Path]:
        """Held-out paintings that are in one of the folders."""
        found = (Path(folder) / name for name in held_out_paintings() for folder in self.config.paintings)
        return [path for path in found if path.exists()][:8]


def schedule(step: int, steps: int) -> float:
    """Linear warm-up over 100 steps, constant, and down to 2 % over the last fifth."""
    return min(1.0, (step + 1) / _WARM_UP) * max(0.02, min(1.0, 5 * (1 - step / steps)))


def _begin_with(network: AnyStyle, styles: Sequence[str], paintings: Sequence[str]) -> None:
    swifts, colours = [], []
    for style, painting in zip(styles, paintings, strict=True):
        swift = Swift()
        load_weights(swift, Path(style))
        swifts.append(swift)
        mean, covariance = colour_statistics(read_picture(Path(painting), long_side=512)[None])
        colours.append((colour_matrix(covariance)[0], mean.flatten()))
    network.generator.take_over(swifts, colours)


def _optimizers(network: AnyStyle, learning_rate: float) -> list[torch.optim.Optimizer]:
    """Muon for kernels; Adam for experts and for the encoder.

    Muon made of an encoder noise within a hundred steps: few paintings are met at a time, and it takes what
    they do not tell as seriously as what they do.
    """
    kernels: list[torch.nn.Parameter] = []
    experts: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in network.named_parameters():
        group = experts if name.endswith("experts") else kernels if parameter.ndim == 4 else others
        group.append(parameter)
    muon = Muon(kernels, learning_rate)
    muon.param_groups[0]["share"] = 1.0
    groups = [{"params": experts, "share": _PACE_OF_EXPERTS}, {"params": others, "share": 1.0}]
    return [muon, torch.optim.Adam(groups, lr=learning_rate, fused=True)]
