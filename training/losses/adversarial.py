"""Adversarial losses of a generator and a discriminator, in three common forms.

Scores are a discriminator's, of any shape, high for images that look real.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class AdversarialLoss:
    """One form, a pair of losses.

    Attributes:
        real, fake: the discriminator's loss of its scores of real and of generated images.
        generator: the generator's loss of the scores of its images.
    """

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """A scalar in float32."""
        return (self.real(real.float()) + self.fake(fake.float())) / 2

    def generator_loss(self, fake: Tensor) -> Tensor:
        """A scalar in float32."""
        return self.generator(fake.float())


ADVERSARIAL_LOSSES = {
    # Goodfellow et al. 2014, with the non-saturating loss of the generator.
    "vanilla": AdversarialLoss(
        real=lambda scores: F.softplus(-scores).mean(),
        fake=lambda scores: F.softplus(scores).mean(),
        generator=lambda scores: F.softplus(-scores).mean(),
    ),
    # Mao et al. 2017, "Least squares generative adversarial networks".
    "least-squares": AdversarialLoss(
        real=lambda scores: (scores - 1).square().mean(),
        fake=lambda scores: scores.square().mean(),
        generator=lambda scores: (scores - 1).square().mean(),
    ),
    # Lim and Ye 2017, "Geometric GAN".
    "hinge": AdversarialLoss(
        real=lambda scores: F.relu(1 - scores).mean(),
        fake=lambda scores: F.relu(1 + scores).mean(),
        generator=lambda scores: -scores.mean(),
    ),
}
"""By ``gan_mode``."""
