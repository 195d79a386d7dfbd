"""Pose transfer: the person of an image in the pose of another (after Liu et al. 2019, "Liquid Warping GAN").

Sources and targets are images of people who do not exist, so that parts, places in the source and what is
seen there are known exactly, and each has a loss of its own. The image is compared by L1 and LPIPS and, after some
steps, by a discriminator that sees the pose beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.core.discriminator_trainer import DiscriminatorTrainer
from training.core.network_trainer import NetworkTrainer, to_floats
from training.core.optimizer import gan_adam_099, linear_decay, muon_and_adam
from training.core.recipe import RecipeConfig, RecipeEntry, Split, setting
from training.core.weights import load_weights
from training.data.photos import list_photos
from training.evaluation.lpips import Lpips
from training.networks.pose_transfer import (
    PoseDiscriminator,
    PoseInput,
    PoseOutput,
    PoseTransfer,
    PoseTransferByConcatenation,
    PoseTransferFineParts,
    blended,
    discriminated,
    sample,
)
from training.people.dataset import GUIDE_SCALE, PairBatch, People
from training.recipes.adversarial import GanRecipe
from training.recipes.faces import sheet_of

NETWORKS: Mapping[str, type[PoseTransfer]] = {
    "pose-transfer": PoseTransfer,
    "by-concatenation": PoseTransferByConcatenation,
    "fine-parts": PoseTransferFineParts,
}
"""Networks by their names in settings."""
_LEAST_MASK = 0.02
_FLOW_LIMIT = 0.1
"""Sides; places that are farther off weigh no more than those, lest a wrong part outweighs all."""
_WARMUP = 100
"""Steps."""
_MARGIN = 16
"""Pixels by which the discriminator sees less than all, anywhere: a grid cannot hide from it."""


@dataclass(frozen=True, kw_only=True)
class PoseTransferConfig(RecipeConfig):
    """All settings of a run."""

    recipe: str = "pose-transfer"
    network: str = setting(
        "pose-transfer warps the source; by-concatenation, the paper's ablation, does not; fine-parts has part maps at "
        "the size of the image.",
        "pose-transfer",
        choices=NETWORKS,
    )
    people: str = setting("Folder of people, from render-people.", kind="folder")
    photos: list[str] = setting("Folder of photos for backgrounds; repeatable.", kind="folders")
    feature_extractor: str = setting("SqueezeNet 1.1 with the heads of LPIPS, safetensors.", kind="file")
    count: int = setting("People that are used.", 300)
    held_out: int = setting("People of these who are not trained on.", 12)
    size: int = setting("Side of the images in pixels, of which theirs is a multiple.", 128)
    quiet_steps: int = setting("First steps, without the adversarial loss.", 4_000)
    pixel_weight: float = setting("Weight of the L1 loss of the person, and of the image.", 4.0)
    perceptual_weight: float = setting("Weight of the LPIPS.", 4.0)
    parts_weight: float = setting("Weight of the cross-entropies of part maps.", 1.0)
    flow_weight: float = setting("Weight of the distance of places in the source, in sides.", 20.0)
    visible_weight: float = setting("Weight of the cross-entropy of what the source shows.", 0.5)
    mask_weight: float = setting("Weight of the cross-entropy of masks.", 0.5)
    variation_weight: float = setting("Weight of the total variation of masks.", 0.05)
    temporal_weight: float = setting("Weight of the difference of two frames along their motion.", 2.0)
    adversarial_weight: float = setting("Weight of the discriminator.", 0.3)
    discriminator_channels: int = setting("Channels of the discriminator's first stage.", 48)
    batch: int = setting("Pairs per step; a quarter of them have a next frame.", 4)
    steps: int = setting("Training steps.", 40_000)
    learning_rate: float = setting("Highest learning rate.", 1e-3)
    discriminator_lr_ratio: float = setting("Learning rate of the discriminator per the generator's.", 0.5)
    init: str | None = setting("Checkpoint of another run to start from.", None, kind="run")


class PoseTransferRecipe(GanRecipe[PoseTransferConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: data or networks are not what they should be.
    """

    discriminator: DiscriminatorTrainer

    def __init__(self, config: PoseTransferConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.photos = list_photos([Path(each) for each in config.photos])
        self.people = People(Path(config.people), config.count, config.held_out, self.photos)
        self.held_out = [person.place for person in self.people.held_out]
        self.lpips = Lpips(Path(config.feature_extractor))
        torch.manual_seed(config.seed)
        network = NETWORKS[config.network]()
        if config.init:
            load_weights(network, Path(config.init))
        self.trainer = NetworkTrainer(network, muon_and_adam, config.precision, device)
        self.discriminator = DiscriminatorTrainer(
            PoseDiscriminator(config.discriminator_channels), "hinge", gan_adam_099, config.precision, device
        )
        self.random = torch.Generator().manual_seed(config.seed)

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        config = self.config
        batch = self._drawn(config.batch, config.batch // 4, self.random)
        rate = config.learning_rate * linear_decay(index, config.steps) * min(1.0, (index + 1) / _WARMUP)
        self.trainer.network.train()
        output = self.trainer.network(_inputs(batch))
        composed = output.over(batch.backgrounds)
        losses = self._geometry(batch, output) | self._fidelity(batch, output, composed)
        losses["temporal"] = config.temporal_weight * self._temporal(batch, composed)
        playing = index >= config.quiet_steps
        fake, real = self._shown(composed, batch), self._shown(batch.targets, batch)
        if playing:
            losses["adversarial"] = config.adversarial_weight * self.discriminator.generator_loss(fake)
        self.trainer.step(losses, rate, index)
        if index >= config.quiet_steps // 2:
            loss = self.discriminator.step(fake.detach(), real, config.discriminator_lr_ratio * rate)
            losses["discriminator"] = loss
        return to_floats(losses)

    @torch.no_grad()
    def sample_sheet(self, columns: int = 8) -> Tensor:
        """Held-out people: source, warped by distances, warped as learned, made, target, parts.

        Returns:
            ``(3, H, W)`` RGB in [0, 1].
        """
        batch = self._drawn(columns, 0, torch.Generator().manual_seed(1), held_out=True)
        inputs = _inputs(batch)
        output = self.trainer.ema_model(inputs)
        side = self.config.size
        places = F.interpolate(blended(inputs.affines, inputs.shares, side), scale_factor=2, mode="bilinear")
        visibility = F.interpolate(torch.sigmoid(output.visible), scale_factor=2, mode="bilinear")
        parts = output.parts.argmax(1, keepdim=True).float()
        shades = F.interpolate(
            torch.cat([parts * 5 % 15, parts * 8 % 15, parts], 1) / 7.5 - 1, size=(side, side)
        )
        rows = [
            batch.sources,
            sample(batch.sources, places, side),
            torch.lerp(torch.ones_like(visibility), output.warped, visibility),
            output.over(batch.backgrounds),
            batch.targets,
            shades,
        ]
        return sheet_of(rows).clamp(0, 1)

    def _drawn(
        self, count: int, following: int, random: torch.Generator, *, held_out: bool = False
    ) -> PairBatch:
        batch = self.people.batch(count, following, self.config.size, random, held_out=held_out)
        return replace(batch, **{name: each.to(self.device) for name, each in vars(batch).items()})

    def _geometry(self, batch: PairBatch, output: PoseOutput) -> dict[str, Tensor]:
        """Losses of parts, and of places at half the size."""
        config = self.config
        flow, visible = _halved(batch.flow), _halved(batch.visible)
        person = (_halved(batch.parts) > 0)[:, None].float()
        apart = (output.places - flow).square().sum(1, keepdim=True).add(1e-6).sqrt() / config.size
        off = apart.clamp(max=_FLOW_LIMIT) + 0.1 * apart
        missed = F.binary_cross_entropy_with_logits(output.visible, visible, reduction="none")
        wanted = reduced(batch.parts, output.parts), reduced(batch.source_parts, output.source_parts)
        crossed = F.cross_entropy(output.parts, wanted[0])
        crossed = crossed + 0.5 * F.cross_entropy(output.source_parts, wanted[1])
        return {
            "parts": config.parts_weight * crossed,
            "flow": config.flow_weight * (off * visible).sum() / visible.sum().clamp(min=1),
            "visible": config.visible_weight * (missed * person).sum() / person.sum().clamp(min=1),
        }

    def _fidelity(self, batch: PairBatch, output: PoseOutput, composed: Tensor) -> dict[str, Tensor]:
        config = self.config
        area = batch.masks.mean().clamp(min=_LEAST_MASK)
        of_person = ((output.images - batch.targets).abs() * batch.masks).mean() / area
        of_image = (composed - batch.targets).abs().mean() / area
        with torch.no_grad():
            wanted = self.lpips.features((batch.targets + 1) / 2)
        distances = self.lpips.between(self.lpips.features((composed + 1) / 2), wanted)
        mask = output.masks
        # A squared error, as in the paper, has no gradient where a mask has become all background.
        missed = F.binary_cross_entropy_with_logits(output.mask_logits, batch.masks)
        variation = mask.diff(dim=2).abs().mean() + mask.diff(dim=3).abs().mean()
        return {
            "pixels": config.pixel_weight * (of_person + of_image) / 2,
            "perceptual": config.perceptual_weight * distances.mean(),
            "mask": config.mask_weight * missed / area,
            "variation": config.variation_weight * variation / area,
        }

    def _temporal(self, batch: PairBatch, composed: Tensor) -> Tensor:
        """How much more than the targets two frames differ along their motion."""
        count = len(batch.motion)
        if not count:
            return composed.new_zeros(())
        before = sample(composed[:count] - batch.targets[:count], batch.motion, self.config.size)
        after = composed[-count:] - batch.targets[-count:]
        return ((after - before).abs() * batch.moved).sum() / (3 * batch.moved.sum()).clamp(min=1)

    def _shown(self, images: Tensor, batch: PairBatch) -> Tensor:
        side = self.config.size - _MARGIN
        top, left = torch.randint(_MARGIN // GUIDE_SCALE, (2,), generator=self.random).tolist()
        half = side // GUIDE_SCALE
        guides = batch.guides[:, :, top : top + half, left : left + half]
        top, left = GUIDE_SCALE * top, GUIDE_SCALE * left
        return discriminated(images[:, :, top : top + side, left : left + side], guides)


def _inputs(batch: PairBatch) -> PoseInput:
    return PoseInput(batch.sources, batch.source_guides, batch.guides, batch.shares, batch.affines)


def reduced(labels: Tensor, like: Tensor) -> Tensor:
    """Labels ``(N, S, S)`` at the size of predicted maps, without a mean of any two."""
    step = labels.shape[2] // like.shape[3]
    return labels[:, ::step, ::step]


def _halved(x: Tensor) -> Tensor:
    """Every second row and column, the nearest to the middles of the cells of half the size."""
    return x[..., ::2, ::2]


def _examples(config: PoseTransferConfig, direction: str) -> Split:
    return [], []


POSE_TRANSFER = RecipeEntry(
    name="pose-transfer",
    config=PoseTransferConfig,
    recipe=PoseTransferRecipe,
    network=lambda config: NETWORKS[config.network](),
    examples=_examples,
    command=("pose-transfer", "Train pose transfer: the person of an image moves as another."),
    checkpoint_pause=240.0,
)
