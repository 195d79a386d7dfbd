"""De-identification: a face becomes that of a person who does not exist (after Gafni et al. 2019).

Half of a batch is to become what it was, from its own embedding: so a generator learns what an embedding
looks like. The other half is given an identity that nobody has: recognisers are to find that, and not the
person who was there. Lines say where eyes, brows, nose and mouth are; their places are kept.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.face_guides import EYE_CORNERS, INNER, LINES, MASK, POINTS, Shape
from training.data.faces import (
    CROP_LEFT,
    CROP_TOP,
    RECOGNISED,
    WHOLE,
    FaceBatch,
    Faces,
    Jitter,
    landmarks_of,
    placements,
)
from training.data.identities import Identities
from training.data.motion import disturb
from training.evaluation.lpips import ENDS, Lpips
from training.judge import Judge
from training.learner import Learner, as_numbers
from training.networks.face_generator import CELLS, FaceDiscriminator, FaceGenerator, composed
from training.networks.onnx_module import OnnxModule
from training.networks.projected import SEEN, FeatureDiscriminator
from training.networks.recogniser import Recognisers
from training.optimizer import optimizers_of
from training.randomness import restore
from training.recipes.pix2pix import falling
from training.weights import load_weights

_BETAS = 0.5, 0.99
_CHIN = 152
_AROUND = 2.0
"""Pixels by which a recogniser's crop is moved at random, lest the answer fit its grid alone."""
_FOLLOWING = Jitter(degrees=1.0, scale=0.01, pixels=0.7)
"""From a frame to the next one: how much the alignment differs."""
_POINT_NOISE = 0.35
"""Aligned pixels, standard deviation of the points from frame to frame."""
_LEAST_MASK = 0.02
_NEAR = 7
"""Pixels."""
_MARGIN = 16
"""Pixels by which a discriminator sees less than all, anywhere."""


@dataclass(frozen=True, kw_only=True)
class DeidentifyConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        faces: folders of aligned faces, 144×144, see :class:`training.data.faces.Faces`.
        shown: those of them whose pictures may be looked at, for sample sheets.
        shares: how often one draws from each folder.
        landmarks: MediaPipe's network of 468 points, ONNX.
        recogniser, second_recogniser: see :class:`training.networks.recogniser.Recognisers`.
        eyes: SqueezeNet 1.1 with the heads of LPIPS, for a discriminator and a distance.
        cache: file of the points and embeddings of the faces.
        size: side of what is trained on.
        coarse_steps, coarse_size: first steps, at that smaller side.
        quiet_steps: first steps, without discriminators.
        pixel_weight: of the mean absolute difference of faces that are to become themselves, in [-1, 1].
        feature_weight: by how much more that counts where all around is lines: eyes and mouth are small.
        perceptual_weight: of their LPIPS.
        attract_weight, near: of the cosine that a face lacks to ``near`` with the identity it was given.
        repel_weight, far: of the cosine that it has beyond ``far`` with who was there.
        colour_weight: of the difference of mean colours in cells.
        adversarial_weight, projected_weight: of the two discriminators, of pixels and of features.
        landmark_weight: of the distance of eyes, brows, nose and mouth from the lines, in eye distances;
            asked of every second step.
        steady_weight: of the difference of the faces of two frames, in [-1, 1].
        shape: how far an identity moves the lines, in eye distances, see :class:`Shape`.
        mixed: share of the foreign identities that are halfway between two people, instead of drawn.
        discriminator_width: channels of their first stages.
        judge_rate: learning rate of the discriminators, as a share of the generator's.
        optimizer: of the generator, one of :data:`OPTIMIZERS`.
        init: another run's checkpoint, whose generator to start from.
    """

    faces: list[str]
    shown: list[str]
    shares: list[float]
    landmarks: str
    recogniser: str
    second_recogniser: str
    eyes: str
    cache: str
    recipe: str = "deidentify"
    network: str = "face-generator"
    size: int = 128
    coarse_steps: int = 8_000
    coarse_size: int = 96
    quiet_steps: int = 400
    pixel_weight: float = 4.0
    feature_weight: float = 10.0
    perceptual_weight: float = 3.0
    attract_weight: float = 4.0
    near: float = 0.75
    repel_weight: float = 5.0
    far: float = 0.0
    colour_weight: float = 2.0
    adversarial_weight: float = 1.0
    projected_weight: float = 0.6
    landmark_weight: float = 16.0
    steady_weight: float = 2.0
    shape: float = 0.018
    mixed: float = 0.4
    discriminator_width: int = 48
    batch: int = 8
    steps: int = 40_000
    learning_rate: float = 1e-3
    judge_rate: float = 0.8
    optimizer: str = "muon"
    init: str | None = None
    precision: str = "float32"
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class DeidentifyRecipe:
    """The state of one run, advanced by :meth:`step`.

    Args:
        config: what to train.
        device: where; pictures are prepared on the CPU.

    Raises:
        ValueError, FileNotFoundError: faces or networks are not what they should be.
    """

    def __init__(self, config: DeidentifyConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        if config.batch < 4 or config.batch % 2:
            raise ValueError(f"batch {config.batch}: an even number of at least 4 is needed")
        self.recognisers = Recognisers(Path(config.recogniser), Path(config.second_recogniser)).to(device)
        self.landmarks = OnnxModule(Path(config.landmarks)).eval().requires_grad_(False).to(device)
        self.faces = Faces(
            [Path(each) for each in config.faces],
            shown=[Path(each) for each in config.shown],
            shares=config.shares,
            landmarks=Path(config.landmarks),
            recognisers=self.recognisers,
            cache=Path(config.cache),
        )
        self.photos, self.held_out = self.faces.photos, self.faces.held_out
        self.identities = Identities.of(self.faces.embeddings[: len(self.photos)])
        self.lpips = Lpips(Path(config.eyes))
        torch.manual_seed(config.seed)
        generator = FaceGenerator()
        generator.begin_with_looks(*self.faces.looks())
        if config.init:
            load_weights(generator, Path(config.init))
        self.learner = Learner(generator, OPTIMIZERS[config.optimizer], config.precision, device)
        self.judges = {
            "pixels": self._judge(FaceDiscriminator(config.discriminator_width)),
            "features": self._judge(FeatureDiscriminator(config.discriminator_width)),
        }
        self.random = torch.Generator().manual_seed(config.seed)

    @property
    def steps(self) -> int:
        return self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name, and the cosines."""
        config = self.config
        batch, identities, sources = self._drawn(index)
        rate = config.learning_rate * falling(index, config.steps)
        self.learner.network.train()
        made = self.learner.network(batch.pictures, batch.guides, identities)
        faces = composed(batch.pictures, batch.guides, made)
        seen, wanted = self._seen(batch, faces)
        losses = self._fidelity(batch, faces, seen, wanted)
        cosines = self._cosines(batch, faces, identities, sources, index % 2)
        losses |= self._identity(cosines)
        if index % 2:
            losses["landmarks"] = 2 * config.landmark_weight * self._displacement(batch, faces)
        losses["steady"] = config.steady_weight * self._unsteadiness(batch, faces)
        shown = self._shown(batch, faces), self._shown(batch, batch.pictures)
        playing = index >= config.quiet_steps
        if playing:
            losses["fooled pixels"] = config.adversarial_weight * self.judges["pixels"].fooled(shown[0])
            losses["fooled features"] = config.projected_weight * self.judges["features"].fooled(
                _judged(seen)
            )
        self.learner.step(losses, rate, index)
        if playing or index >= config.quiet_steps // 2:
            judge_rate = config.judge_rate * rate
            losses["judge pixels"] = self.judges["pixels"].step(shown[0].detach(), shown[1], judge_rate)
            losses["judge features"] = self.judges["features"].step(
                _judged([each.detach() for each in seen]), _judged(wanted), judge_rate
            )
        return as_numbers(losses | {name: each.mean() for name, each in cosines.items()})

    @torch.no_grad()
    def sample_sheet(self, columns: int = 8) -> Tensor:
        """Held-out faces, what is seen of them, themselves, three of nobody: ``(3, H, W)`` RGB in [0, 1]."""
        held_out = self.faces.held_out_picks
        picks = held_out[:: max(1, len(held_out) // columns)][:columns]
        count, side = len(picks), self.config.size
        random = torch.Generator().manual_seed(1)
        rows = []
        still = torch.zeros(count, POINTS, 2)
        for number in range(4):
            codes = self.identities.drawn(1, random).expand(count, -1)
            shapes = [self._shape(code) if number else None for code in codes]
            batch = self.faces.batch(
                picks, placements(torch.zeros(count, 4), side), torch.zeros(count), shapes, side, still
            )
            identities = self.identities.at(codes) if number else self.faces.embeddings[picks]
            pictures, guides = (each.to(self.device) for each in (batch.pictures, batch.guides))
            made = self.learner.average(pictures, guides, identities.to(self.device))
            if not number:
                rows += [pictures, 2 * guides - 1]
            rows.append(composed(pictures, guides, made))
        return torch.cat([torch.cat(list((row + 1) / 2), 2) for row in rows], 1).float().cpu()

    def state_dict(self) -> dict[str, Any]:
        return {
            **self.learner.state_dict(),
            "judges": {name: judge.state_dict() for name, judge in self.judges.items()},
            "identities": self.identities.state_dict(),
            "random": self.random.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.learner.load_state_dict(state)
        for name, judge in self.judges.items():
            judge.load_state_dict(state["judges"][name])
        restore(self.random, state["random"])

    @property
    def _own(self) -> slice:
        """Of a batch, what is to become what it was."""
        return slice(self.config.batch // 2)

    @property
    def _foreign(self) -> slice:
        """What is to become somebody else."""
        return slice(self.config.batch // 2, self.config.batch)

    @property
    def _following(self) -> slice:
        """The next frames of the first half of :attr:`_foreign`."""
        return slice(self.config.batch, None)

    def _drawn(self, index: int) -> tuple[FaceBatch, Tensor, Tensor]:
        """A batch, a quarter of it a second time as in the next frame; who to paint; who was there."""
        config, random = self.config, self.random
        own, count = config.batch // 2, config.batch
        again = torch.arange(own, own + count // 4)
        side = config.coarse_size if index < config.coarse_steps else config.size
        picks = self.faces.picks(count, random)
        sources = self.faces.embeddings[picks]
        codes = self._foreign_codes(count - own)
        identities = torch.cat([sources[:own], self.identities.at(codes)])
        shapes = [None] * own + [self._shape(code) for code in codes]
        alignment = Jitter().drawn(count, random)
        following = alignment[again] + _FOLLOWING.drawn(len(again), random)
        mirrored = torch.rand(count, generator=random) < 0.5
        noise = torch.zeros(count + len(again), POINTS, 2)
        noise[count:] = _POINT_NOISE * torch.randn(len(again), POINTS, 2, generator=random)
        batch = self.faces.batch(
            torch.cat([picks, picks[again]]),
            placements(torch.cat([alignment, following]), side),
            torch.cat([mirrored, mirrored[again]]),
            [*shapes, *(shapes[number] for number in again.tolist())],
            side,
            noise,
        )
        batch.pictures[count:] = 2 * disturb((batch.pictures[count:] + 1) / 2, random) - 1
        batch = replace(batch, pictures=batch.pictures.to(self.device), guides=batch.guides.to(self.device))
        identities = torch.cat([identities, identities[again]])
        return batch, identities.to(self.device), sources.to(self.device)

    def _foreign_codes(self, count: int) -> Tensor:
        """Of nobody: drawn, or halfway between two people."""
        random = self.random
        drawn = self.identities.drawn(count, random)
        parents = self.faces.embeddings[self.faces.picks(2 * count, random)]
        mixed = F.normalize(parents[:count] + parents[count:], dim=2)
        is_mixed = torch.rand(count, 1, generator=random) < self.config.mixed
        return torch.where(is_mixed, self.identities.codes_of(mixed), drawn)

    def _shape(self, code: Tensor) -> Shape:
        return Shape.of(code.numpy(), self.config.shape)

    def _shown(self, batch: FaceBatch, faces: Tensor) -> Tensor:
        """To the discriminator of pixels: with their guides, but for next frames.

        Seen always on the same phase of its cells, a generator learns to hide a grid from it.
        """
        count = self.config.batch
        left, top = torch.randint(_MARGIN, (2,), generator=self.random).tolist()
        side = faces.shape[3] - _MARGIN
        both = torch.cat([faces[:count], batch.guides[:count]], 1)
        return both[:, :, top : top + side, left : left + side]

    def _seen(self, batch: FaceBatch, faces: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """What SqueezeNet sees in what was made, and in what was there, but for next frames."""
        count = self.config.batch
        with torch.no_grad():
            wanted = self.lpips.features((batch.pictures[:count] + 1) / 2)
        return self.lpips.features((faces[:count] + 1) / 2), wanted

    def _fidelity(
        self, batch: FaceBatch, faces: Tensor, seen: list[Tensor], wanted: list[Tensor]
    ) -> dict[str, Tensor]:
        """Of those that are to become themselves; and of all, the colours of cells."""
        config, own = self.config, self._own
        truth, mask = batch.pictures, batch.guides[:, MASK : MASK + 1]
        hidden = mask[own].mean().clamp(min=_LEAST_MASK)
        lines = batch.guides[own, LINES : LINES + 1]
        near = 1 + config.feature_weight * F.avg_pool2d(lines, _NEAR, 1, _NEAR // 2)
        pixel = ((faces[own] - truth[own]).abs() * near).mean() / hidden
        distances = self.lpips.between([each[own] for each in seen], [each[own] for each in wanted])
        differences = F.avg_pool2d(faces - truth, faces.shape[3] // CELLS).abs().mean()
        return {
            "pixels": config.pixel_weight * pixel,
            "perceptual": config.perceptual_weight * distances.mean() / hidden,
            "colours": config.colour_weight * differences / mask.mean().clamp(min=_LEAST_MASK),
        }

    def _cosines(
        self, batch: FaceBatch, faces: Tensor, identities: Tensor, sources: Tensor, which: int
    ) -> dict[str, Tensor]:
        """What a recogniser finds of the foreign half, with who was to be painted and with who was there."""
        left, top = ((2 * torch.rand(2, generator=self.random) - 1) * _AROUND).tolist()
        square = replace(RECOGNISED, left=CROP_LEFT + left, top=CROP_TOP + top)
        found = self.recognisers.embed(batch.aligned(faces, square, self._foreign), which)
        return {
            "given cosine": (found * identities[self._foreign, which]).sum(1),
            "source cosine": (found * sources[self._foreign, which]).sum(1),
        }

    def _identity(self, cosines: dict[str, Tensor]) -> dict[str, Tensor]:
        config = self.config
        lacking = F.relu(config.near - cosines["given cosine"])
        beyond = F.relu(cosines["source cosine"] - config.far)
        return {
            "attract": config.attract_weight * lacking.mean(),
            "repel": config.repel_weight * beyond.mean(),
        }

    def _displacement(self, batch: FaceBatch, faces: Tensor) -> Tensor:
        """Of the foreign half: mean distance of points from the lines, in eye distances."""
        wanted = batch.points[self._foreign].to(self.device)
        found = landmarks_of(self.landmarks, (batch.aligned(faces, WHOLE, self._foreign) + 1) / 2)
        unit = (wanted[:, EYE_CORNERS[0]] - wanted[:, EYE_CORNERS[1]]).norm(dim=1)
        inner = [*INNER, _CHIN]
        errors = (found[:, inner] - wanted[:, inner]).square().sum(2).add(1e-6).sqrt().mean(1)
        return (errors / unit).mean()

    def _unsteadiness(self, batch: FaceBatch, faces: Tensor) -> Tensor:
        """Mean absolute difference of the same faces, aligned, of two frames."""
        first = batch.aligned(faces, RECOGNISED, self._foreign)[: self.config.batch // 4]
        second = batch.aligned(faces, RECOGNISED, self._following)
        with torch.no_grad():
            mask = batch.aligned(batch.guides[:, MASK : MASK + 1], RECOGNISED, self._following)
        # Exposure differs between them; what a face adds to it shall not.
        difference = first - second
        mean = (difference * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp(min=1)
        return ((difference - mean).abs() * mask).mean() / mask.mean().clamp(min=_LEAST_MASK)

    def _judge(self, network: nn.Module) -> Judge:
        return Judge(network, "hinge", adam, self.config.precision, self.device)


def _judged(seen: list[Tensor]) -> list[Tensor]:
    """Of the layers of LPIPS those that a discriminator sees."""
    return [each for index, each in zip(ENDS, seen, strict=True) if index in SEEN]


def adam(network: nn.Module) -> list[torch.optim.Optimizer]:
    """With little momentum; rates are set at each step."""
    return [torch.optim.Adam(network.parameters(), betas=_BETAS)]


OPTIMIZERS: dict[str, Callable[[nn.Module], list[torch.optim.Optimizer]]] = {
    "adam": adam,
    "muon": lambda network: optimizers_of(network, learning_rate=0.0),
}
"""Rates are set at each step."""
