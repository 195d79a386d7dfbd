"""Buffer of recently generated images for the discriminator, as in CycleGAN.

Shrivastava et al. 2017, "Learning from simulated and unsupervised images through adversarial training": training
the discriminator on older images as well reduces oscillation.
"""

from typing import Any

import torch
from torch import Tensor


class ImagePool:
    """Holds up to ``size`` images.

    Args:
        size: 0 disables the pool.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._images: list[Tensor] = []

    def query(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Stores ``images``, ``(N, C, H, W)``, and returns as many: each is replaced by an older one half the time.

        Until the pool is full, it returns ``images``.

        Args:
            random: on the device of the images.
        """
        free = max(0, self.size - len(self._images))
        self._images.extend(images[:free].clone())
        rest = images[free:]
        if not len(rest) or not self.size:
            return images
        picks = torch.randint(self.size, (len(rest),), generator=random, device=random.device).tolist()
        swaps = (torch.rand(len(rest), generator=random, device=random.device) < 0.5).tolist()
        returned = [*images[:free]]
        for pick, swap, image in zip(picks, swaps, rest, strict=True):
            returned.append(self._images[pick] if swap else image)
            if swap:
                self._images[pick] = image.clone()
        return torch.stack(returned)

    def state_dict(self) -> dict[str, Any]:
        return {"images": [each.cpu() for each in self._images]}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        self._images = [each.to(device) for each in state["images"]]
