"""Style transfer for any painting: one generator, whose kernels a painting decides.

Each step processes some photos, each in the style of another painting, and learns from the perceptual objective
of :mod:`training.recipes.style` for each of them. How much of the photo is to be kept is drawn anew each time
and told to the network, so that it can be chosen afterwards. The temporal consistency and the checkerboard
loss take turns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.core.ema import ema_update, make_ema
from training.core.optimizer import Muon, load_optimizers
from training.core.precision import Precision
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, RunState, run_of, setting
from training.core.weights import load_weights
from training.data.images import center_crop, read_image
from training.data.motion import random_motion, vary_exposure
from training.data.paintings import Paintings, held_out_paintings
from training.data.photos import list_photos, photo_batch, split_held_out
from training.losses.any_style import AnyStyleObjective
from training.losses.checkerboard import checkerboard_loss
from training.losses.lattice import lattice_excess
from training.losses.local_color import local_color_loss
from training.losses.networks import LossNetworks, channels_of
from training.losses.temporal import temporal_loss
from training.networks.any_style import AnyStyle
from training.networks.colors import color_matrix
from training.networks.style_target import StyleTarget, color_statistics
from training.networks.swift import Swift
from training.recipes.settings import LossNetworkConfig
from training.recipes.style import CONTENT_LAYERS, STYLE_LAYERS, TERMS, layers_of

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
class AnyStyleConfig(LossNetworkConfig):
    """All settings of a run.

    ``paintings``: folders, and how often one of each is drawn, relative to the others.
    ``init``: exported float32 styles to start from, with the painting of each in ``init_paintings``: the first, with
    the differences of the others from it as experts; or one checkpoint of this recipe.
    ``crop_jitter``: as in :class:`training.recipes.style.StyleConfig`.
    ``content_weights``: of each content layer, from where fidelity is 0 to where it is 1.
    """

    recipe: str = "any-style"
    paintings: dict[str, float] = setting("Folder of paintings; repeatable.", kind="folders")
    init: list[str] = setting("Weights to start from.", [], kind="run")
    init_paintings: list[str] = setting("Paintings of the styles to start from.", [], kind="file")
    experts: int = setting("Kernels that each layer mixes.", 8)
    size: int = setting("Side of the crops of photos.", 192)
    painting_size: int = setting("Side of the crops of paintings.", 224)
    crop_jitter: int = setting("Pixels by which the loss networks' window moves.", 4)
    batch: int = setting("Photos per step, each in another style.", 2)
    steps: int = setting("Training steps.", 40000)
    learning_rate: float = setting("Highest learning rate.", 4e-4)
    content_layers: list[str] = setting(
        "Content layers.", layers_of(CONTENT_LAYERS, "squeezenet"), kind="names"
    )
    style_layers: list[str] = setting("Style layers.", layers_of(STYLE_LAYERS, "squeezenet"), kind="names")
    content_weights: list[float] = setting(
        "Weights of each content layer at fidelity 0 and 1.", [0.25, 1.0], kind="numbers"
    )
    style_weight: float = setting("Weight of each style layer.", 1.0)
    color_weight: float = setting("Weight of the mean and covariance of colors.", 2.0)
    local_color_weight: float = setting("Weight of coarse colors that the photo does not explain.", 4.0)
    lattice_weight: float = setting("Weight of what repeats from cell to cell of the coarsest layer.", 100.0)
    variation_weight: float = setting("Weight of the total variation.", 10.0)
    checkerboard_weight: float = setting("Weight of the checkerboard artifacts loss.", 80.0)
    temporal_weight: float = setting("Weight of the temporal consistency loss.", 10.0)

    def without_paths(self) -> dict[str, Any]:
        settings = super(AnyStyleConfig, replace(self, paintings={}, init=[])).without_paths()
        settings["paintings"] = {Path(path).name: share for path, share in self.paintings.items()}
        return settings | {"init": [run_of(Path(each)) for each in self.init]}


class AnyStyleRecipe(RunState[AnyStyleConfig]):
    """The state of one run, advanced by :meth:`step`."""

    def __init__(self, config: AnyStyleConfig, device: torch.device) -> None:
        super().__init__(config, device)
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
            color_weight=config.color_weight,
            variation_weight=config.variation_weight,
        )
        self._targets: dict[int, StyleTarget] = {}
        self.network = self._begun().to(device)
        self.ema_model = make_ema(self.network)
        self.optimizers = _optimizers(self.network, config.learning_rate)
        self.precision = Precision(config.precision, device)

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its losses by name."""
        config = self.config
        photos = photo_batch(self.photos, config.batch, config.size, self.random).to(self.device)
        self.network.train()
        sums = dict.fromkeys([*TERMS, "local color", "lattice", "checkerboard", "temporal"], 0.0)
        losses = []
        for photo in photos.split(1):
            terms = self._losses(
                photo, self._target(index), ("temporal", "", "checkerboard", "")[index % _TURNS]
            )
            losses.append(torch.stack(list(terms.values())).sum())
            for name, value in terms.items():
                sums[name] += float(value.detach()) / config.batch
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["share"] * config.learning_rate * schedule(index, config.steps)
        self.network.zero_grad()
        self.precision.step(torch.stack(losses).mean(), self.optimizers, self.network)
        ema_update(self.ema_model, self.network, min(_DECAY, (index + 1) / (index + 10)))
        # Terms whose turn it was not are 0.
        return {name: value for name, value in sums.items() if value}

    def _target(self, index: int) -> StyleTarget:
        """The target of one of the last paintings.

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
            turn: the term whose turn it is, "temporal", "checkerboard" or none, so much heavier as it comes rarely.
        """
        config = self.config
        fidelity = float(torch.rand((), generator=self.random))
        low, high = config.content_weights
        with self.precision.autocast():
            vector = self.network.vector(target, fidelity)
            stylized = self.network.generator(photo, vector)
            terms = self._perceptual(stylized, photo, target, low * (high / low) ** fidelity)
            terms["local color"] = config.local_color_weight * local_color_loss(stylized, photo).mean()
            terms["lattice"] = config.lattice_weight * lattice_excess(stylized, self.network.stride).mean()
            if turn == "temporal":
                error = self._temporal_loss(photo, stylized, vector)
                terms["temporal"] = _TURNS * config.temporal_weight * error
            elif turn == "checkerboard":
                artifacts = checkerboard_loss(self._in_style(vector), 1, self.random, self.device)
                terms["checkerboard"] = _TURNS * config.checkerboard_weight * artifacts
        return terms

    def _perceptual(
        self, stylized: Tensor, photo: Tensor, target: StyleTarget, content_weight: float
    ) -> dict[str, Tensor]:
        top, left = torch.randint(0, self.config.crop_jitter + 1, (2,), generator=self.random).tolist()
        side = self.config.size - self.config.crop_jitter
        rows, columns = slice(top, top + side), slice(left, left + side)
        content = self.objective.content_features(photo[:, :, rows, columns])
        terms = self.objective(stylized[:, :, rows, columns], content, target, content_weight)
        return {name: getattr(terms, name).mean() for name in TERMS}

    def _temporal_loss(self, photo: Tensor, stylized: Tensor, vector: Tensor) -> Tensor:
        motion = random_motion(1, self.config.size, self.random)
        next_frame = vary_exposure(motion.warp(photo.cpu()), self.random).to(self.device)
        stride = self.network.generator.stride
        border = stride * max(1, self.config.size // (_BORDER * stride))
        return temporal_loss(self._in_style(vector), next_frame, stylized, motion, border)

    def _in_style(self, vector: Tensor) -> Callable[[Tensor], Tensor]:
        """The generator of one style."""
        return lambda photos: self.network.generator(photos, vector)

    @torch.no_grad()
    def sample_sheet(self) -> Tensor:
        """Held-out photos in the first row, held-out paintings in the first column, ``(3, H, W)``."""
        side = 192
        photos = [center_crop(read_image(path), side) for path in self.held_out[1:6]]
        rows = [torch.cat([torch.ones(3, side, side), *photos], 2)]
        for path in self._shown():
            painting = read_image(path, long_side=320)
            vector = self.style_vector(painting[None], fidelity=0.5)
            stylized = [
                self.ema_model.generator(photo[None].to(self.device), vector)[0].cpu() for photo in photos
            ]
            rows.append(torch.cat([center_crop(painting, side), *stylized], 2))
        return torch.cat(rows, 1)

    @torch.no_grad()
    def style_vector(self, painting: Tensor, *, fidelity: float) -> Tensor:
        """The style vector of a painting ``(1, 3, H, W)`` RGB in [0, 1], by the averaged weights."""
        painting = painting.to(self.device)
        return self.ema_model.vector(self.objective.target(painting), fidelity)

    def state_dict(self) -> dict[str, Any]:
        return {
            "generator": self.ema_model.state_dict(),
            "trained": self.network.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
            "random": self.random.get_state(),
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.ema_model.load_state_dict(state["generator"])
        self.network.load_state_dict(state["trained"])
        load_optimizers(self.optimizers, state["optimizers"])
        restore(self.random, state["random"])
        self.precision.load_state_dict(state["precision"])

    def _begun(self) -> AnyStyle:
        """With fresh weights, or with those to start from."""
        targets = []
        for _ in range(_SEEN_FIRST):
            painting = self.paintings.crop(self.config.painting_size, self.random)
            targets.append(self.objective.target(painting.to(self.device)))
        network = build_network(self.config)
        network.encoder.standardize(targets)
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


def build_network(config: AnyStyleConfig) -> AnyStyle:
    """The network of a run, with fresh weights."""
    return AnyStyle({layer: channels_of(layer) for layer in config.style_layers}, config.experts)


def schedule(step: int, steps: int) -> float:
    """Linear warm-up over 100 steps, constant, and down to 2 % over the last fifth."""
    return min(1.0, (step + 1) / _WARM_UP) * max(0.02, min(1.0, 5 * (1 - step / steps)))


def _begin_with(network: AnyStyle, styles: Sequence[str], paintings: Sequence[str]) -> None:
    swifts, colors = [], []
    for style, painting in zip(styles, paintings, strict=True):
        swift = Swift()
        load_weights(swift, Path(style))
        swifts.append(swift)
        mean, covariance = color_statistics(read_image(Path(painting), long_side=512)[None])
        colors.append((color_matrix(covariance)[0], mean.flatten()))
    network.generator.start_from(swifts, colors)


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


ANY_STYLE = RecipeEntry(
    name="any-style",
    config=AnyStyleConfig,
    recipe=AnyStyleRecipe,
    network=build_network,
    examples=lambda config, direction: split_held_out(list_photos([Path(each) for each in config.photos])),
    metadata=lambda config, direction: {"task": "style"},
    checkpoint_pause=240.0,
)
