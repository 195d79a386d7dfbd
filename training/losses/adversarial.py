"""What a generator and a discriminator want of each other, in the three usual forms.

Scores are a discriminator's, of any shape: high for what looks real.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Adversarial:
    """One form of the game.

    Attributes:
        real: what the discriminator minimises of its scores for real pictures.
        fake: likewise for a generator's.
        fooled: what the generator minimises of the scores for its pictures.
    """

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    fooled: Callable[[Tensor], Tensor]

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """A scalar in float32."""
        return (self.real(real.float()) + self.fake(fake.float())) / 2

    def generator_loss(self, fake: Tensor) -> Tensor:
        """A scalar in float32."""
        return self.fooled(fake.float())


ADVERSARIAL_LOSSES = {
    # Goodfellow et al. 2014, with the generator's loss that does not saturate.
    "vanilla": Adversarial(
        real=lambda scores: F.softplus(-scores).mean(),
        fake=lambda scores: F.softplus(scores).mean(),
        fooled=lambda scores: F.softplus(-scores).mean(),
    ),
    # Mao et al. 2017, "Least squares generative adversarial networks".
    "least-squares": Adversarial(
        real=lambda scores: (scores - 1).square().mean(),
        fake=lambda scores: scores.square().mean(),
        fooled=lambda scores: (scores - 1).square().mean(),
    ),
    # Lim and Ye 2017, "Geometric GAN".
    "hinge": Adversarial(
        real=lambda scores: F.relu(1 - scores).mean(),
        fake=lambda scores: F.relu(1 + scores).mean(),
        fooled=lambda scores: -scores.mean(),
    ),
}
