"""De-identification: a face becomes that of a person who does not exist (after Gafni et al. 2019).

Half of a batch is to become what it was, from its own embedding: so a generator learns what an embedding
looks like. The other half is given the identity of somebody else, whose face is warped into its place as the
target; later also identities that nobody has: recognizers are to find those, and not the person who was
there. Lines say where eyes, brows, nose and mouth are; their places are kept.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.core.discriminator_trainer import DiscriminatorInput, DiscriminatorTrainer
from training.core.network_trainer import to_floats
from training.core.optimizer import gan_adam_099, linear_decay
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, setting
from training.data.motion import vary_exposure
from training.evaluation.lpips import ENDS
from training.faces.dataset import (
    CROP_LEFT,
    CROP_TOP,
    RECOGNIZED,
    WHOLE,
    FaceBatch,
    Jitter,
    landmarks_of,
    placements,
)
from training.faces.identities import Identities
from training.networks.face_generator import FaceDiscriminator, FaceGenerator, composed, shading
from training.networks.onnx_module import OnnxModule
from training.networks.projected import LAYERS, FeatureDiscriminator
from training.recipes.faces import FaceConfig, FaceRecipe, examples, sheet_of
from vidgan.media.face_guides import CHIN, EYE_CORNERS, INNER, LINES, MASK, OPENINGS, POINTS, Shape

_AROUND = 2.0
"""Pixels by which a recognizer's crop is moved at random, lest the answer fit its grid alone."""
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
class DeidentifyConfig(FaceConfig):
    """All settings of a run."""

    recipe: str = "deidentify"
    network: str = "face-generator"
    coarse_steps: int = setting("First steps, at a smaller size.", 5_000)
    coarse_size: int = setting("Side of the faces in the first steps.", 96)
    target_steps: int = setting("First steps, with losses on targets alone.", 6_700)
    quiet_steps: int = setting("First steps, without adversarial losses.", 2_500)
    pixel_weight: float = setting("Weight of the L1 loss of faces that have a target.", 4.0)
    feature_weight: float = setting("Additional weight of the L1 loss at eyes and mouth.", 10.0)
    perceptual_weight: float = setting("Weight of the LPIPS of faces that have a target.", 3.0)
    far: float = setting("Cosine to the person in the image that is allowed.", 0.0)
    discriminator_lr_ratio: float = setting("Learning rate of discriminators per the generator's.", 0.8)
    attract_weight: float = setting("Weight of the cosine that is missing to the given identity.", 1.5)
    near: float = setting("Cosine to the given identity that is enough.", 0.6)
    repel_weight: float = setting("Weight of the cosine to the person in the image.", 3.0)
    color_weight: float = setting("Weight of the difference of shadings.", 2.0)
    adversarial_weight: float = setting("Weight of the discriminator on pixels.", 0.5)
    projected_weight: float = setting("Weight of the discriminator on features.", 0.5)
    landmark_weight: float = setting("Weight of the distance of landmarks, in eye distances.", 8.0)
    opening_weight: float = setting("Weight of how far eyes and mouth are open, over their widths.", 8.0)
    temporal_weight: float = setting("Weight of the difference of the faces of two frames.", 2.0)
    shape: float = setting("Displacement of landmarks by an identity, in eye distances.", 0.018)
    mixed: float = setting("Share of new identities that are halfway between two people.", 0.4)
    discriminator_channels: int = setting("Channels of the discriminators' first stages.", 48)
    batch: int = setting("Faces per step; half of them get a new identity.", 8)
    steps: int = setting("Training steps.", 7_800)


class DeidentifyRecipe(FaceRecipe[DeidentifyConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: faces or networks are not what they should be.
    """

    def __init__(self, config: DeidentifyConfig, device: torch.device) -> None:
        if config.batch < 4 or config.batch % 2:
            raise ValueError(f"batch {config.batch}: an even number of at least 4 is needed")
        super().__init__(config, device)
        self.landmarks = OnnxModule(Path(config.landmarks)).eval().requires_grad_(False).to(device)
        self.identities = Identities.of(self.faces.embeddings[: len(self.photos)])
        torch.manual_seed(config.seed)
        generator = FaceGenerator()
        generator.begin_with_looks(*self.faces.looks())
        self.trainer = self._trainer(generator)
        self.discriminators = {
            "pixels": self._discriminator(FaceDiscriminator(config.discriminator_channels)),
            "features": self._discriminator(FeatureDiscriminator(config.discriminator_channels)),
        }
        self.random = torch.Generator().manual_seed(config.seed)

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name, and the cosines."""
        config = self.config
        batch, identities, sources = self._drawn(index)
        rate = config.learning_rate * linear_decay(index, config.steps)
        self.trainer.network.train()
        output = self.trainer.network(batch.images, batch.guides, identities)
        faces = composed(batch.images, batch.guides, output)
        features, target_features = self._features(batch, faces)
        with_target = slice(config.batch - self._drawn_count(index))
        losses = self._fidelity(batch, faces, features, target_features, with_target)
        cosines: dict[str, Tensor] = {}
        if index >= config.target_steps:
            cosines = self._cosines(batch, faces, identities, sources, index % 2)
            losses |= self._identity(cosines)
            losses["temporal"] = config.temporal_weight * self._temporal_loss(batch, faces)
        if index >= config.target_steps and index % 2:
            losses |= self._landmark_losses(batch, faces)
        shown = self._shown(batch, faces), self._shown(batch, batch.targets)
        playing = index >= config.quiet_steps
        if playing:
            losses |= self._adversarial(shown[0], features)
        self.trainer.step(losses, rate, index)
        if playing or index >= config.quiet_steps // 2:
            fake: dict[str, DiscriminatorInput] = {
                "pixels": shown[0].detach(),
                "features": _discriminated([each.detach() for each in features]),
            }
            real: dict[str, DiscriminatorInput] = {
                "pixels": shown[1],
                "features": _discriminated(target_features),
            }
            for name, discriminator in self.discriminators.items():
                loss = discriminator.step(fake[name], real[name], config.discriminator_lr_ratio * rate)
                losses[f"discriminator {name}"] = loss
        return to_floats(losses | {name: each.mean() for name, each in cosines.items()})

    @torch.no_grad()
    def sample_sheet(self, columns: int = 8) -> Tensor:
        """Held-out faces, what is seen of them, themselves, three of nobody: ``(3, H, W)`` RGB in [0, 1]."""
        picks = self._held_out_picks(columns)
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
            images, guides = (each.to(self.device) for each in (batch.images, batch.guides))
            output = self.trainer.ema_model(images, guides, identities.to(self.device))
            if not number:
                rows += [images, 2 * guides - 1]
            rows.append(composed(images, guides, output))
        return sheet_of(rows)

    def state_dict(self) -> dict[str, Any]:
        return {
            **self.trainer.state_dict(),
            "discriminators": {name: each.state_dict() for name, each in self.discriminators.items()},
            "identities": self.identities.state_dict(),
            "random": self.random.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        for name, each in self.discriminators.items():
            each.load_state_dict(state["discriminators"][name])
        restore(self.random, state["random"])

    @property
    def _foreign(self) -> slice:
        """The part of a batch that gets a new identity."""
        return slice(self.config.batch // 2, self.config.batch)

    @property
    def _following(self) -> slice:
        """The next frames of the faces that become nobody."""
        return slice(self.config.batch, None)

    def _drawn_count(self, index: int) -> int:
        """How many of the last faces of a batch become nobody, without a target."""
        return self.config.batch // 4 if index >= self.config.target_steps else 0

    def _drawn(self, index: int) -> tuple[FaceBatch, Tensor, Tensor]:
        """A batch, with next frames of those that become nobody; the identities to generate; who was there."""
        config, random = self.config, self.random
        own, count = config.batch // 2, config.batch
        drawn = self._drawn_count(index)
        again = torch.arange(count - drawn, count)
        side = config.coarse_size if index < config.coarse_steps else config.size
        picks = self.faces.picks(count, random)
        sources = self.faces.embeddings[picks]
        others = self.faces.partners(picks[own : count - drawn], random)
        new = self.faces.embeddings[others]
        if drawn:
            new = torch.cat([new, self.identities.at(self._foreign_codes(drawn))])
        codes = self.identities.codes_of(new)
        identities = torch.cat([sources[:own], new])
        shapes = [None] * own + [self._shape(code) for code in codes]
        partners = [None] * own + others.tolist() + [None] * drawn
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
            [*partners, *(partners[number] for number in again.tolist())],
        )
        batch.images[count:] = 2 * vary_exposure((batch.images[count:] + 1) / 2, random) - 1
        identities = torch.cat([identities, identities[again]])
        return batch.to(self.device), identities.to(self.device), sources.to(self.device)

    def _foreign_codes(self, count: int) -> Tensor:
        """Codes of nobody: drawn, or halfway between two people."""
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

    def _features(self, batch: FaceBatch, faces: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """SqueezeNet's features of what was made, and of what was there, but for next frames."""
        count = self.config.batch
        with torch.no_grad():
            target_features = self.lpips.features((batch.targets[:count] + 1) / 2)
        return self.lpips.features((faces[:count] + 1) / 2), target_features

    def _fidelity(
        self,
        batch: FaceBatch,
        faces: Tensor,
        features: list[Tensor],
        target_features: list[Tensor],
        some: slice,
    ) -> dict[str, Tensor]:
        """Losses of some, which have a target; and of all, the shading."""
        config = self.config
        target, mask = batch.targets, batch.guides[:, MASK : MASK + 1]
        hidden = mask[some].mean().clamp(min=_LEAST_MASK)
        lines = batch.guides[some, LINES : LINES + 1]
        near = 1 + config.feature_weight * F.avg_pool2d(lines, _NEAR, 1, _NEAR // 2)
        pixel = ((faces[some] - target[some]).abs() * near).mean() / hidden
        distances = self.lpips.between(
            [each[some] for each in features], [each[some] for each in target_features]
        )
        differences = mask * (shading(faces, mask) - shading(target, mask)).abs()
        return {
            "pixels": config.pixel_weight * pixel,
            "perceptual": config.perceptual_weight * distances.mean() / hidden,
            "colors": config.color_weight * differences.mean() / mask.mean().clamp(min=_LEAST_MASK),
        }

    def _adversarial(self, shown: Tensor, features: list[Tensor]) -> dict[str, Tensor]:
        config = self.config
        on_pixels = self.discriminators["pixels"].generator_loss(shown)
        on_features = self.discriminators["features"].generator_loss(_discriminated(features))
        return {
            "adversarial pixels": config.adversarial_weight * on_pixels,
            "adversarial features": config.projected_weight * on_features,
        }

    def _cosines(
        self, batch: FaceBatch, faces: Tensor, identities: Tensor, sources: Tensor, which: int
    ) -> dict[str, Tensor]:
        """Cosines of the foreign half by a recognizer, to the given identity and to who was there."""
        left, top = ((2 * torch.rand(2, generator=self.random) - 1) * _AROUND).tolist()
        square = replace(RECOGNIZED, left=CROP_LEFT + left, top=CROP_TOP + top)
        found = self.recognizers.embed(batch.aligned(faces, square, self._foreign), which)
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

    def _landmark_losses(self, batch: FaceBatch, faces: Tensor) -> dict[str, Tensor]:
        """How far points of the foreign half are from the lines, and how far eyes and mouth from being as open.

        Every other step has them, so they count twice.
        """
        expected = batch.points[self._foreign].to(self.device)
        found = landmarks_of(self.landmarks, (batch.aligned(faces, WHOLE, self._foreign) + 1) / 2)
        unit = (expected[:, EYE_CORNERS[0]] - expected[:, EYE_CORNERS[1]]).norm(dim=1)
        inner = [*INNER, CHIN]
        errors = (found[:, inner] - expected[:, inner]).square().sum(2).add(1e-6).sqrt().mean(1)
        openings = (_openings(found) - _openings(expected)).abs().mean()
        return {
            "landmarks": 2 * self.config.landmark_weight * (errors / unit).mean(),
            "openings": 2 * self.config.opening_weight * openings,
        }

    def _temporal_loss(self, batch: FaceBatch, faces: Tensor) -> Tensor:
        """Mean absolute difference of the same faces, aligned, of two frames."""
        first = batch.aligned(faces, RECOGNIZED, self._foreign)[-(self.config.batch // 4) :]
        second = batch.aligned(faces, RECOGNIZED, self._following)
        with torch.no_grad():
            mask = batch.aligned(batch.guides[:, MASK : MASK + 1], RECOGNIZED, self._following)
        # Exposure differs between them; what a face adds to it shall not.
        difference = first - second
        mean = (difference * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp(min=1)
        return ((difference - mean).abs() * mask).mean() / mask.mean().clamp(min=_LEAST_MASK)

    def _discriminator(self, network: nn.Module) -> DiscriminatorTrainer:
        return DiscriminatorTrainer(network, "hinge", gan_adam_099, self.config.precision, self.device)


def _openings(points: Tensor) -> Tensor:
    """Openings of mouth and eyes over their widths, ``(N, 3)``."""
    ends = torch.tensor(OPENINGS)
    first, second, left, right = (points[:, ends[:, column]] for column in range(4))
    heights, widths = (
        (one - other).square().sum(2).add(1e-6).sqrt() for one, other in ((first, second), (left, right))
    )
    return heights / widths


def _discriminated(features: list[Tensor]) -> list[Tensor]:
    """The features that a discriminator sees, of those of LPIPS."""
    return [each for index, each in zip(ENDS, features, strict=True) if index in LAYERS]


DEIDENTIFY = RecipeEntry(
    name="deidentify",
    config=DeidentifyConfig,
    recipe=DeidentifyRecipe,
    network=lambda config: FaceGenerator(),
    examples=examples,
    checkpoint_pause=300.0,
)
