"""CycleGAN: pictures of one kind become pictures of another, with no pairs (Zhu, Park, Isola and Efros 2017).

Two generators, there and back, each with a discriminator that knows real pictures of where it leads. What
comes back must be what went out, or a generator would be free to answer everything with one good picture.

For video, a picture moved by a known warp must become the same translation moved, as in the style recipe.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.core.discriminator_trainer import Judge
from training.core.image_pool import PicturePool
from training.core.network_trainer import Learner, as_numbers
from training.core.optimizer import optimizers_of
from training.core.randomness import restore
from training.core.weights import load_weights
from training.data.domains import Domain
from training.data.motion import disturb, random_motion
from training.data.smooth_images import halves, soft_fields
from training.losses.checkerboard import grid_amplitude
from training.losses.pixel import PIXEL_LOSSES, l1
from training.networks import Generator, build_generator
from training.networks.discriminator import MultiScaleDiscriminator
from training.networks.projected import ProjectedDiscriminator
from training.recipes.pix2pix import adam, falling

A_TO_B, B_TO_A = DIRECTIONS = "a-to-b", "b-to-a"
"""And what the generators are called in a checkpoint."""

NETWORKS = "resnet", "swift-translator"
"""Those of :data:`training.networks.GENERATORS` whose pictures can find the way back."""

DISCRIMINATORS = "patch", "projected"

OPTIMIZERS: dict[str, Callable[[nn.Module], list[torch.optim.Optimizer]]] = {
    "adam": adam,
    "muon": lambda network: optimizers_of(network, learning_rate=0.0),
}
"""Rates are set at each step."""

_FIRST_RATE = 1e-3
_CELL = 8
"""Pixels, the largest stride of the generators."""
_SMALLEST = 40
"""What a discriminator can look at."""
_BORDER = 8
"""Pixels at each side that the steady term does not look at, whole cells of every generator."""


@dataclass(frozen=True, kw_only=True)
class CycleGANConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    The defaults are for films, on a CPU if need be. The paper's: ``network="resnet"``, ``size=256``,
    ``short_side=286``, ``cycle="l1"``, ``late_cycle=1``, ``grid_weight=0``, ``discriminator="patch"``,
    ``discriminator_width=64``, ``batch=1``, ``learning_rate=2e-4``, and hundreds of thousands of steps.

    Attributes:
        a, b: folders of the two kinds of pictures.
        network: of both generators, one of :data:`NETWORKS`.
        size: side of the training crops.
        short_side: that pictures are brought to before, in pixels.
        trim: share of the sides of pictures of b that is cut off first: frames, margins, seals.
        adversarial: the form of the game, one of :data:`training.losses.adversarial.ADVERSARIAL_LOSSES`.
        cycle, cycle_weight: distance of what comes back, ``"l1"`` as in the paper or ``"mse"``, in [-1, 1],
            and its weight; 0 is without. For generators that begin with changing nothing the absolute
            difference is a pit that they hardly leave.
        late_cycle: share of that weight in the second half of the steps. Held tight, a generator changes only
            what its opposite can undo at once; relaxed, it changes more (Wang and Lin 2018, "CycleGAN with
            better cycles", let it fall as well).
        identity_share: of that weight, for what a generator changes of pictures that are already of its kind.
        steady_weight: of the squared difference between the translation of a picture, moved, and the
            translation of the moved picture, in [0, 1].
        grid_weight: of the amplitude of a generator's own grid in pictures without detail.
        pool: pictures that a discriminator remembers; 0 is without.
        first_steps: before the game, in which generators learn to change nothing.
        optimizer: of the generators, one of :data:`OPTIMIZERS`.
        discriminator: ``"patch"`` as in the paper, or ``"projected"``, which learns from far fewer steps, see
            :mod:`training.networks.projected`.
        eyes: SqueezeNet 1.1 for that; None is downloaded by torchvision.
        discriminator_width, scales: of the discriminators, and how many, if of patches.
        init: another run's checkpoint, whose generators to start from.
        precision: of the arithmetic, one of :data:`training.core.precision.PRECISIONS`.
    """

    recipe: str = "cyclegan"
    a: str
    b: str
    network: str = "swift-translator"
    size: int = 192
    short_side: int = 256
    trim: float = 0.0
    adversarial: str = "least-squares"
    cycle: str = "mse"
    cycle_weight: float = 10.0
    late_cycle: float = 0.2
    identity_share: float = 0.5
    steady_weight: float = 10.0
    grid_weight: float = 10.0
    pool: int = 50
    first_steps: int = 0
    optimizer: str = "adam"
    discriminator: str = "projected"
    eyes: str | None = None
    discriminator_width: int = 32
    scales: int = 1
    batch: int = 4
    steps: int = 5000
    learning_rate: float = 4e-4
    init: str | None = None
    precision: str = "float32"
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class CycleGANRecipe:
    """The state of one run, advanced by :meth:`step`.

    Args:
        config: what to train.
        device: where.

    Raises:
        ValueError, FileNotFoundError: the folders are not what they should be, or ``init`` is not.
    """

    def __init__(self, config: CycleGANConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.domains = domains_of(config, device)
        self.photos = [path for domain in self.domains for path in domain.photos]
        self.held_out = [path for domain in self.domains for path in domain.held_out]
        torch.manual_seed(config.seed)
        built = {direction: _started(config, direction) for direction in DIRECTIONS}
        optimizers = OPTIMIZERS[config.optimizer]
        self.learner = Learner(nn.ModuleDict(built), optimizers, config.precision, device)
        self.generators, self.average = self.learner.network, self.learner.average
        self.judges = {direction: self._judge() for direction in DIRECTIONS}
        self.pools = {direction: PicturePool(config.pool) for direction in DIRECTIONS}
        self.random = torch.Generator(device).manual_seed(config.seed)
        self.places = torch.Generator()

    @property
    def steps(self) -> int:
        return self.config.first_steps + self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        config = self.config
        pictures = [domain.batch(config.batch, self.random) for domain in self.domains]
        a, b = (each.contiguous(memory_format=torch.channels_last) for each in pictures)
        self.generators.train()
        main_step = index - config.first_steps
        if main_step < 0:
            return self._first_step(a, b, index)
        self.places.manual_seed(config.seed + index)
        rate = config.learning_rate * falling(main_step, config.steps)
        cycle_weight = config.cycle_weight * (config.late_cycle if 2 * main_step >= config.steps else 1)
        made: dict[str, Tensor] = {}
        with self.learner.precision.autocast():
            losses = {
                **self._losses(A_TO_B, a, b, cycle_weight, made),
                **self._losses(B_TO_A, b, a, cycle_weight, made),
            }
        self.learner.step(losses, rate, main_step)
        for direction, real in ((A_TO_B, b), (B_TO_A, a)):
            fake = self.pools[direction].exchange(made[direction], self.places)
            losses[f"judge {direction}"] = self.judges[direction].step(
                self._window(fake), self._window(real), rate
            )
        return as_numbers(losses)

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out pictures, there and back again, from both sides: ``(3, H, W)`` RGB in [0, 1]."""
        rows = []
        for direction, domain in zip(DIRECTIONS, self.domains, strict=True):
            pictures = domain.samples(columns)
            there = self.average[direction](pictures)
            rows += [pictures, there, self.average[opposite(direction)](there)]
        columns = min(map(len, rows))
        return torch.cat([torch.cat(list(row[:columns]), 2) for row in rows], 1).float().cpu()

    def state_dict(self) -> dict[str, Any]:
        return {
            **self.learner.state_dict(),
            "judges": {direction: judge.state_dict() for direction, judge in self.judges.items()},
            "pools": {direction: pool.state_dict() for direction, pool in self.pools.items()},
            "random": self.random.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.learner.load_state_dict(state)
        for direction in DIRECTIONS:
            self.judges[direction].load_state_dict(state["judges"][direction])
            self.pools[direction].load_state_dict(state["pools"][direction], self.device)
        restore(self.random, state["random"])

    def _first_step(self, a: Tensor, b: Tensor, index: int) -> dict[str, float]:
        both = torch.cat([a, b])
        with self.learner.precision.autocast():
            losses = {f"first {each}": l1(self.generators[each](both), both) for each in DIRECTIONS}
        self.learner.step(losses, _FIRST_RATE, index)
        return as_numbers(losses)

    def _losses(
        self,
        direction: str,
        pictures: Tensor,
        others: Tensor,
        cycle_weight: float,
        made: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Of one direction, by name and weighted; what it made of ``pictures`` goes to ``made``."""
        config = self.config
        there, back = self.generators[direction], self.generators[opposite(direction)]
        translated = there(pictures)
        made[direction] = translated.detach()
        losses = {f"fooled {direction}": self.judges[direction].fooled(self._window(translated))}
        if cycle_weight:
            distance = PIXEL_LOSSES[config.cycle]
            returned = distance(_shown(back(translated)), _shown(pictures))
            own = _half(others)
            kept = distance(_shown(there(own)), _shown(own))
            losses[f"cycle {direction}"] = cycle_weight * returned
            losses[f"identity {direction}"] = config.identity_share * cycle_weight * kept
        if config.steady_weight:
            losses[f"steady {direction}"] = config.steady_weight * self._unsteadiness(
                there, _half(pictures), _half(translated)
            )
        if config.grid_weight:
            losses[f"grid {direction}"] = config.grid_weight * self._grid(there)
        return losses

    def _window(self, pictures: Tensor) -> Tensor:
        """For a discriminator: seen always on the same phase, a generator learns to hide a grid from it."""
        top, left = torch.randint(_CELL, (2,), generator=self.places).tolist()
        side = self.config.size - _CELL
        return _shown(pictures[:, :, top : top + side, left : left + side])

    def _unsteadiness(self, generator: nn.Module, pictures: Tensor, translated: Tensor) -> Tensor:
        """The squared error of translating the next frame otherwise than this one, moved."""
        motion = random_motion(len(pictures), self.config.size, self.random)
        following = disturb(motion.move(pictures), self.random)
        # Of the next frame the border is missing: who paints otherwise where a picture ends pays for it.
        inner = slice(_BORDER, -_BORDER)
        next_translated = generator(following[:, :, inner, inner])
        visible = motion.visible()[:, :, inner, inner]
        moved = motion.move(translated.float())[:, :, inner, inner]
        error = (next_translated.float() - moved).square()
        return (error * visible).mean() / visible.mean().clamp(min=0.1)

    def _grid(self, generator: nn.Module) -> Tensor:
        """The grid of a generator in what has no detail."""
        fields = soft_fields(1, self.random)
        painted = halves(generator(fields)).float()
        amplitudes = torch.stack([grid_amplitude(painted, period) for period in (4, 8)])
        return amplitudes.square().sum(0).mean().sqrt()

    def _judge(self) -> Judge:
        config = self.config
        width = config.discriminator_width
        if config.discriminator == "projected":
            eyes = Path(config.eyes) if config.eyes else None
            network: nn.Module = ProjectedDiscriminator(eyes, width=width, device=self.device)
        else:
            network = MultiScaleDiscriminator(3, scales=config.scales, width=width, norm="instance")
        return Judge(network, config.adversarial, adam, config.precision, self.device)


def domains_of(config: CycleGANConfig, device: torch.device) -> tuple[Domain, Domain]:
    """The training material of a run, a and b.

    Raises:
        ValueError, FileNotFoundError: it is not what it should be.
    """
    if config.size % _CELL or config.size < _SMALLEST:
        raise ValueError(f"crops of {config.size} pixels: give a multiple of {_CELL}, {_SMALLEST} or more")
    if config.short_side < config.size:
        raise ValueError(f"crops of {config.size} pixels do not fit a short side of {config.short_side}")
    if not 0 <= config.trim < 0.5:
        raise ValueError(f"trim {config.trim}: of a share to cut off each side, 0 to 0.5 leaves a picture")
    if Path(config.a).resolve() == Path(config.b).resolve():
        raise ValueError(f"{config.a}: given for both kinds of pictures; they are to be two folders")
    sizes = {"side": config.size, "short_side": config.short_side}
    return (
        Domain(Path(config.a), **sizes, device=device),
        Domain(Path(config.b), **sizes, trim=config.trim, device=device),
    )


def opposite(direction: str) -> str:
    """The way back."""
    return B_TO_A if direction == A_TO_B else A_TO_B


def _started(config: CycleGANConfig, direction: str) -> Generator:
    """A generator with fresh weights, or those of ``init``."""
    generator = build_generator(config.network)
    if config.init:
        load_weights(generator, Path(config.init), part=direction)
    return generator


def _half(pictures: Tensor) -> Tensor:
    """Of a batch: what a term that is soon small is asked of."""
    return pictures[: (len(pictures) + 1) // 2]


def _shown(pictures: Tensor) -> Tensor:
    """In [-1, 1], as discriminators get pictures and the paper has its weights."""
    return (2 * pictures - 1).contiguous(memory_format=torch.channels_last)
