"""The pictures that a generator made lately, for its discriminator not to forget them.

Shrivastava et al. 2017, "Learning from simulated and unsupervised images through adversarial training", as in
CycleGAN: a discriminator that sees only the newest lets the generator go round in circles.
"""

from typing import Any

import torch
from torch import Tensor


class PicturePool:
    """Up to ``size`` pictures.

    Args:
        size: 0 keeps none, and gives back what is put in.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: list[Tensor] = []

    def exchange(self, pictures: Tensor, random: torch.Generator) -> Tensor:
        """Puts ``(N, C, H, W)`` in and gives as many out: half of them these, half of them older ones.

        Until the pool is full, what is put in comes out.

        Args:
            random: on the device of the pictures.
        """
        room = max(0, self.size - len(self._kept))
        self._kept.extend(pictures[:room].clone())
        rest = pictures[room:]
        if not len(rest) or not self.size:
            return pictures
        picks = torch.randint(self.size, (len(rest),), generator=random, device=random.device).tolist()
        older = (torch.rand(len(rest), generator=random, device=random.device) < 0.5).tolist()
        given = [*pictures[:room]]
        for pick, exchanged, picture in zip(picks, older, rest, strict=True):
            given.append(self._kept[pick] if exchanged else picture)
            if exchanged:
                self._kept[pick] = picture.clone()
        return torch.stack(given)

    def state_dict(self) -> dict[str, Any]:
        return {"kept": [each.cpu() for each in self._kept]}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        self._kept = [each.to(device) for each in state["kept"]]
