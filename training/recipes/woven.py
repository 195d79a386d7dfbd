"""Woven passcodes: a face becomes another person's by a code, and itself again by the same one.

After Gu, Luo, Ryoo and Lee 2020, "Password-conditioned Anonymization and Deanonymization with Face Identity
Transformers", with a codec between the two directions, since what brings a face back is hidden in the pixels. Who is
shown instead, a de-identifier that is trained already says (Hinton et al. 2015, distillation): of adversarial and
identity losses alone a network learns patterns that recognizers take for another person.
Experimental: it keeps faces from eyes, not from attackers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.core.network_trainer import to_floats
from training.core.optimizer import linear_decay
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, setting
from training.core.weights import load_weights
from training.faces.dataset import RECOGNIZED, FaceBatch, Jitter, placements
from training.faces.identities import Identities
from training.networks.face_generator import FaceGenerator, composed
from training.networks.woven import BITS, FaceTransformer, drawn_codes, through_codec
from training.recipes.faces import FaceConfig, FaceRecipe, examples, sheet_of
from vidgan.media.face_guides import POINTS, Shape

_MEAN = Shape.of(torch.zeros(Shape.COUNT).numpy(), 0.0)


@dataclass(frozen=True, kw_only=True)
class WovenConfig(FaceConfig):
    """All settings of a run."""

    recipe: str = "woven"
    network: str = "face-transformer"
    teacher: str = setting("De-identifier, a run or its float32 .onnx, whose faces are shown.", kind="run")
    showing_steps: int = setting("First steps, in which no face comes back.", 2_000)
    rising_steps: int = setting("Next steps, in which the losses of the face that comes back rise.", 1_500)
    plain_steps: int = setting("First steps, without a codec between the directions.", 3_500)
    least_quantizer: float = setting("Least QP of the simulated codec.", 14.0)
    most_quantizer: float = setting("Highest QP of the simulated codec.", 30.0)
    shown_weight: float = setting("Weight of the L1 loss of the faces of other people.", 40.0)
    shown_perceptual_weight: float = setting("Weight of the LPIPS of the faces of other people.", 10.0)
    recovered_weight: float = setting("Weight of the L1 loss of the face that comes back.", 20.0)
    perceptual_weight: float = setting("Weight of the LPIPS of the face that comes back.", 4.0)
    same_weight: float = setting("Weight of the missing cosine of the face that comes back.", 1.0)
    batch: int = setting("Faces per step.", 8)
    steps: int = setting("Training steps.", 24_000)


class WovenRecipe(FaceRecipe[WovenConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: faces or networks are not what they should be.
    """

    def __init__(self, config: WovenConfig, device: torch.device) -> None:
        super().__init__(config, device)
        identities = Identities.of(self.faces.embeddings[: len(self.photos)])
        self.teacher = Teacher(Path(config.teacher), identities).to(device)
        torch.manual_seed(config.seed)
        self.trainer = self._trainer(FaceTransformer())
        self.random = torch.Generator().manual_seed(config.seed)

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its weighted losses by name."""
        config, random = self.config, self.random
        picks = self.faces.picks(config.batch, random)
        mirrored = torch.rand(config.batch, generator=random) < 0.5
        batch = self._batch(picks, Jitter().drawn(config.batch, random), mirrored)
        rate = config.learning_rate * linear_decay(index, config.steps)
        self.trainer.network.train()
        codes = drawn_codes(config.batch, random).to(self.device)
        changed = self._applied(self.trainer.network, batch, batch.images, codes)
        if index < config.showing_steps:
            losses = self._shown_losses([changed], [self.teacher(batch, codes)])
        else:
            losses = self._losses_of_both(batch, picks, changed, codes, index)
        self.trainer.step(losses, rate, index)
        return to_floats(losses)

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
        return {**self.trainer.state_dict(), "random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        restore(self.random, state["random"])

    def _batch(self, picks: Tensor, alignment: Tensor, mirrored: Tensor) -> FaceBatch:
        side, count = self.config.size, len(picks)
        still = torch.zeros(count, POINTS, 2)
        batch = self.faces.batch(picks, placements(alignment, side), mirrored, [_MEAN] * count, side, still)
        return batch.to(self.device)

    def _losses_of_both(
        self, batch: FaceBatch, picks: Tensor, changed: Tensor, codes: Tensor, index: int
    ) -> dict[str, Tensor]:
        """Losses of both directions: what is shown, what comes back, and what does with another code."""
        config, network = self.config, self.trainer.network
        wrong_codes = drawn_codes(config.batch, self.random).to(self.device)
        stored = self._stored(changed) if index >= config.plain_steps else changed
        recovered, wrong = (self._applied(network, batch, stored, each) for each in (-codes, wrong_codes))
        found = self.recognizers.embed(batch.aligned(recovered, RECOGNIZED), index % 2)
        cosines = (found * self.faces.embeddings[picks, index % 2].to(self.device)).sum(1)
        coming_back = {
            "recovered": config.recovered_weight * (recovered - batch.images).abs().mean(),
            "perceptual": config.perceptual_weight * self._distance(recovered, batch.images),
            "same": config.same_weight * (1 - cosines).mean(),
        }
        # Whoever changes nothing brings everything back: what is shown comes first.
        risen = min(1.0, (index - config.showing_steps + 1) / max(config.rising_steps, 1))
        targets = [self.teacher(batch, each) for each in (codes, wrong_codes)]
        shown = self._shown_losses([changed, wrong], targets)
        return shown | {name: risen * each for name, each in coming_back.items()}

    def _shown_losses(self, shown: list[Tensor], targets: list[Tensor]) -> dict[str, Tensor]:
        config, faces, target = self.config, torch.cat(shown), torch.cat(targets)
        return {
            "shown": config.shown_weight * (faces - target).abs().mean(),
            "shown perceptual": config.shown_perceptual_weight * self._distance(faces, target),
        }

    def _stored(self, faces: Tensor) -> Tensor:
        """The faces as a video holds them."""
        config = self.config
        span = config.most_quantizer - config.least_quantizer
        quantizer = config.least_quantizer + span * torch.rand(len(faces), generator=self.random)
        return through_codec(faces, quantizer.to(self.device), self.random)

    def _applied(self, network: nn.Module, batch: FaceBatch, faces: Tensor, codes: Tensor) -> Tensor:
        """The faces changed where the mask is."""
        return composed(faces, batch.guides, network(faces, codes))

    def _distance(self, faces: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.lpips.features((target + 1) / 2)
        return self.lpips.between(self.lpips.features((faces + 1) / 2), wanted).mean()


class Teacher(nn.Module):
    """Who is shown for a code: faces of a trained de-identifier.

    Args:
        path: of its weights.
        identities: that it was trained with.
    """

    directions: Tensor

    def __init__(self, path: Path, identities: Identities) -> None:
        super().__init__()
        self.generator, self.identities = FaceGenerator(), identities
        load_weights(self.generator, path)
        random = torch.Generator().manual_seed(0)
        self.register_buffer("directions", torch.randn(BITS, identities.count, generator=random) / BITS**0.5)
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, batch: FaceBatch, codes: Tensor) -> Tensor:
        """Faces of nobody in the place of those of a batch, for codes ``(N, 128)``."""
        identities = self.identities.at(codes @ self.directions)
        return composed(batch.images, batch.guides, self.generator(batch.images, batch.guides, identities))


WOVEN = RecipeEntry(
    name="woven",
    config=WovenConfig,
    recipe=WovenRecipe,
    network=lambda config: FaceTransformer(),
    examples=examples,
    checkpoint_pause=300.0,
)
