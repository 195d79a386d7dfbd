"""Woven passcodes: a face becomes another person's by a code, and itself again by the same one.

After Gu, Luo, Ryoo and Lee 2020, "Password-conditioned Anonymization and Deanonymization with Face Identity
Transformers", with a codec between the two directions, since what brings a face back is hidden in the pixels.
Experimental: it keeps faces from eyes, not from attackers.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.core.discriminator_trainer import DiscriminatorTrainer
from training.core.network_trainer import to_floats
from training.core.optimizer import gan_adam_099, linear_decay, load_optimizers, optimizer_step
from training.core.precision import Precision
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, setting
from training.faces.dataset import RECOGNIZED, FaceBatch, Jitter, placements
from training.networks.face_generator import FaceDiscriminator, composed
from training.networks.woven import CodeReader, FaceTransformer, drawn_codes, through_codec
from training.recipes.faces import FaceConfig, FaceRecipe, examples, sheet_of
from vidgan.media.face_guides import POINTS


@dataclass(frozen=True, kw_only=True)
class WovenConfig(FaceConfig):
    """All settings of a run."""

    recipe: str = "woven"
    network: str = "face-transformer"
    plain_steps: int = setting("First steps, without a codec between the directions.", 1_000)
    least_quantizer: float = setting("Least QP of the simulated codec.", 14.0)
    most_quantizer: float = setting("Highest QP of the simulated codec.", 30.0)
    recovered_weight: float = setting("Weight of the L1 loss of the face that comes back.", 20.0)
    perceptual_weight: float = setting("Weight of the LPIPS of the face that comes back.", 4.0)
    changed_weight: float = setting("Weight of the L1 loss of the faces of other people.", 2.0)
    same_weight: float = setting("Weight of the missing cosine of the face that comes back.", 4.0)
    far_weight: float = setting("Weight of the cosine of other faces to the person in the image.", 5.0)
    apart_weight: float = setting("Weight of the cosine of the faces of two codes.", 2.0)
    code_weight: float = setting("Weight of the cross entropy of the code that is read back.", 1.0)
    adversarial_weight: float = setting("Weight of the discriminator.", 1.0)
    discriminator_channels: int = setting(
        "Channels of the first stages of discriminator and code reader.", 48
    )
    batch: int = setting("Faces per step.", 8)
    steps: int = setting("Training steps.", 24_000)


@dataclass(frozen=True)
class _Woven:
    """The faces of a step, each ``(N, 3, S, S)`` RGB in [-1, 1].

    Attributes:
        changed: by a code.
        other: by another code.
        recovered: brought back from ``changed``, through the codec.
        wrong: brought back with the inverse of another code.
        codes, wrong_codes: ``(N, 128)``, of ``changed`` and ``wrong``.
    """

    changed: Tensor
    other: Tensor
    recovered: Tensor
    wrong: Tensor
    codes: Tensor
    wrong_codes: Tensor


class WovenRecipe(FaceRecipe[WovenConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: faces or networks are not what they should be.
    """

    def __init__(self, config: WovenConfig, device: torch.device) -> None:
        super().__init__(config, device)
        torch.manual_seed(config.seed)
        self.trainer = self._trainer(FaceTransformer())
        self.discriminator = DiscriminatorTrainer(
            FaceDiscriminator(config.discriminator_channels), "hinge", gan_adam_099, config.precision, device
        )
        self.reader: nn.Module = CodeReader(config.discriminator_channels).to(device)
        self._reader_optimizers = gan_adam_099(self.reader)
        self._reader_precision = Precision(config.precision, device)
        self.random = torch.Generator().manual_seed(config.seed)

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name, and the cosines."""
        config = self.config
        batch = self._drawn()
        rate = config.learning_rate * linear_decay(index, config.steps)
        self.trainer.network.train()
        woven = self._woven(batch, index)
        cosines = self._cosines(batch, woven, index % 2)
        losses = self._fidelity(batch, woven) | self._identity(cosines)
        losses["code"] = config.code_weight * self._code_loss(batch, woven)
        playing = index >= config.quiet_steps
        fake = torch.cat(
            [self._guided(batch, each) for each in (woven.changed, woven.recovered, woven.wrong)]
        )
        if playing:
            losses["adversarial"] = config.adversarial_weight * self.discriminator.generator_loss(fake)
        self.trainer.step(losses, rate, index)
        losses["reader"] = self._train_reader(batch, woven, rate)
        if playing:
            real = self._guided(batch, batch.images)
            losses["discriminator"] = self.discriminator.step(
                fake.detach(), real, config.discriminator_lr_ratio * rate
            )
        return to_floats(losses | {name: each.mean() for name, each in cosines.items()})

    @torch.no_grad()
    def sample_sheet(self, columns: int = 8) -> Tensor:
        """Held-out faces, changed, brought back, and with another code: ``(3, H, W)`` RGB in [0, 1]."""
        picks = self._held_out_picks(columns)
        count = len(picks)
        batch = self._batch(picks, torch.zeros(count, 4), torch.zeros(count))
        codes = [drawn_codes(count, torch.Generator().manual_seed(seed)).to(self.device) for seed in (1, 2)]
        network = self.trainer.ema_model
        changed = self._applied(network, batch, batch.images, codes[0])
        rows = [batch.images, changed]
        rows += [self._applied(network, batch, changed, -each) for each in codes]
        return sheet_of(rows)

    def state_dict(self) -> dict[str, Any]:
        return {
            **self.trainer.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "reader": {
                "network": self.reader.state_dict(),
                "optimizers": [each.state_dict() for each in self._reader_optimizers],
            },
            "random": self.random.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self.reader.load_state_dict(state["reader"]["network"])
        load_optimizers(self._reader_optimizers, state["reader"]["optimizers"])
        restore(self.random, state["random"])

    def _drawn(self) -> FaceBatch:
        count, random = self.config.batch, self.random
        mirrored = torch.rand(count, generator=random) < 0.5
        return self._batch(self.faces.picks(count, random), Jitter().drawn(count, random), mirrored)

    def _batch(self, picks: Tensor, alignment: Tensor, mirrored: Tensor) -> FaceBatch:
        side, count = self.config.size, len(picks)
        still = torch.zeros(count, POINTS, 2)
        batch = self.faces.batch(picks, placements(alignment, side), mirrored, [None] * count, side, still)
        return batch.to(self.device)

    def _woven(self, batch: FaceBatch, index: int) -> _Woven:
        config, count, network = self.config, self.config.batch, self.trainer.network
        codes, others, wrong_codes = (drawn_codes(count, self.random).to(self.device) for _ in range(3))
        changed, other = (self._applied(network, batch, batch.images, each) for each in (codes, others))
        stored = changed
        if index >= config.plain_steps:
            span = config.most_quantizer - config.least_quantizer
            quantizer = config.least_quantizer + span * torch.rand(count, generator=self.random)
            stored = through_codec(changed, quantizer.to(self.device), self.random)
        recovered, wrong = (self._applied(network, batch, stored, -each) for each in (codes, wrong_codes))
        return _Woven(changed, other, recovered, wrong, codes, wrong_codes)

    def _applied(self, network: nn.Module, batch: FaceBatch, faces: Tensor, codes: Tensor) -> Tensor:
        """The faces changed where the mask is."""
        return composed(faces, batch.guides, network(faces, codes))

    def _guided(self, batch: FaceBatch, faces: Tensor) -> Tensor:
        return torch.cat([faces, batch.guides], 1)

    def _fidelity(self, batch: FaceBatch, woven: _Woven) -> dict[str, Tensor]:
        config, target = self.config, batch.images
        distance = self.lpips.between(
            self.lpips.features((woven.recovered + 1) / 2), self.lpips.features((target + 1) / 2)
        )
        changes = [(each - target).abs().mean() for each in (woven.changed, woven.wrong)]
        return {
            "recovered": config.recovered_weight * (woven.recovered - target).abs().mean(),
            "perceptual": config.perceptual_weight * distance.mean(),
            "changed": config.changed_weight * torch.stack(changes).mean(),
        }

    def _cosines(self, batch: FaceBatch, woven: _Woven, which: int) -> dict[str, Tensor]:
        """Cosines by a recognizer, of what is to be far from the person in the image, or apart, or the same."""

        def embedded(faces: Tensor) -> Tensor:
            return self.recognizers.embed(batch.aligned(faces, RECOGNIZED), which)

        with torch.no_grad():
            source = embedded(batch.images)
        changed, other, recovered, wrong = (
            embedded(each) for each in (woven.changed, woven.other, woven.recovered, woven.wrong)
        )
        return {
            "changed cosine": (changed * source).sum(1),
            "wrong cosine": (wrong * source).sum(1),
            "two codes cosine": (changed * other).sum(1),
            "changed and wrong cosine": (changed * wrong).sum(1),
            "recovered cosine": (recovered * source).sum(1),
        }

    def _identity(self, cosines: dict[str, Tensor]) -> dict[str, Tensor]:
        config = self.config
        far = [F.relu(cosines[name] - config.far).mean() for name in ("changed cosine", "wrong cosine")]
        apart = [
            F.relu(cosines[name] - config.far).mean()
            for name in ("two codes cosine", "changed and wrong cosine")
        ]
        return {
            "far": config.far_weight * torch.stack(far).mean(),
            "apart": config.apart_weight * torch.stack(apart).mean(),
            "same": config.same_weight * (1 - cosines["recovered cosine"]).mean(),
        }

    def _code_loss(self, batch: FaceBatch, woven: _Woven) -> Tensor:
        """Cross entropy of the codes that are read back; the reader's weights get no gradient."""
        self.reader.requires_grad_(False)
        pairs = self._pairs(batch, woven)
        return torch.stack([self._reading_loss(*each) for each in pairs]).mean()

    def _pairs(self, batch: FaceBatch, woven: _Woven) -> list[tuple[Tensor, Tensor]]:
        """Faces before and after a code, and the code."""
        return [
            (torch.cat([batch.images, woven.changed], 1), woven.codes),
            (torch.cat([woven.changed, woven.wrong], 1), -woven.wrong_codes),
        ]

    def _reading_loss(self, both: Tensor, codes: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(self.reader(both), (codes + 1) / 2)

    def _train_reader(self, batch: FaceBatch, woven: _Woven, rate: float) -> Tensor:
        self.reader.train().requires_grad_(True)
        pairs = [(both.detach(), codes) for both, codes in self._pairs(batch, woven)]
        loss = torch.stack([self._reading_loss(*each) for each in pairs]).mean()
        optimizer_step(loss, self.reader, self._reader_optimizers, self._reader_precision, rate)
        return loss


WOVEN = RecipeEntry(
    name="woven",
    config=WovenConfig,
    recipe=WovenRecipe,
    network=lambda config: FaceTransformer(),
    examples=examples,
    checkpoint_pause=300.0,
)
