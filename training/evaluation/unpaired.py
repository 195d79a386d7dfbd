"""Translators without pairs: how near they come, what comes back, whether they look at what they get."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from training.evaluation.distribution import (
    Eye,
    apart,
    frechet_distance,
    kernel_distance,
    mean_of_others,
    whole,
)

Translate = Callable[[Tensor], Tensor]
"""RGB in [0, 1], ``(N, 3, H, W)`` → the same."""

_AT_A_TIME = 4
_TIMED = 5


@dataclass(frozen=True)
class TranslationScores:
    """Of one direction.

    Attributes:
        frechet, kernel: from translated pictures to real ones, see :mod:`training.evaluation.distribution`.
        untouched_frechet, untouched_kernel: likewise from the pictures as they were.
        cycle: mean absolute difference from what went out to what came back, in [0, 1]; None where there is
            no way back.
        content: mean distance from a translation to its own picture, over that to other pictures: 1 is to
            have forgotten what went in.
        variety: mean distance among translations, over that among their pictures: 0 is one answer to all.
    """

    frechet: float
    kernel: float
    untouched_frechet: float
    untouched_kernel: float
    cycle: float | None
    content: float
    variety: float


def score(
    there: Translate, back: Translate | None, pictures: Tensor, real: Tensor, eye: Eye
) -> TranslationScores:
    """A translator on ``pictures``, against ``real`` ones, both ``(N, 3, side, side)``.

    Args:
        back: the way back; None where there is none.
    """
    translated = in_parts(there, pictures)
    before, after, wanted = (eye.places(each) for each in (pictures, translated, real))
    # Activations are of any size; distances are in units of those of real pictures.
    before, after, wanted = (each / wanted.square().mean().sqrt() for each in (before, after, wanted))
    among = mean_of_others(apart(before, before))
    across = apart(after, before)
    return TranslationScores(
        frechet=frechet_distance(whole(after), whole(wanted)),
        kernel=kernel_distance(whole(after), whole(wanted)),
        untouched_frechet=frechet_distance(whole(before), whole(wanted)),
        untouched_kernel=kernel_distance(whole(before), whole(wanted)),
        cycle=float((in_parts(back, translated) - pictures).abs().mean()) if back else None,
        content=float(across.diagonal().mean()) / mean_of_others(across),
        variety=mean_of_others(apart(after, after)) / among,
    )


@torch.no_grad()
def in_parts(translate: Translate, pictures: Tensor) -> Tensor:
    """All of them, a few at a time."""
    return torch.cat([translate(part) for part in pictures.split(_AT_A_TIME)])


def translation_sheet(pictures: Tensor, translators: Sequence[Translate]) -> Tensor:
    """A picture a column: as it is, and what each translator makes of it below; ``(3, H, W)``."""
    rows = [pictures, *(in_parts(each, pictures).clamp(0, 1) for each in translators)]
    return torch.cat([torch.cat(list(row), 2) for row in rows], 1)


@torch.no_grad()
def milliseconds(translate: Translate, height: int, width: int) -> float:
    """Of PyTorch for one picture, the median of a few."""
    picture = torch.zeros(1, 3, height, width)
    translate(picture)
    times = []
    for _ in range(_TIMED):
        started = perf_counter()
        translate(picture)
        times.append(perf_counter() - started)
    return 1000 * median(times)
