"""Measures of unpaired translation: distance to real images, cycle consistency, dependence on the input."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from training.data.images import image_grid
from training.evaluation.distribution import (
    FeatureExtractor,
    frechet_distance,
    global_features,
    kernel_distance,
    off_diagonal_mean,
    pairwise_distances,
)

Translate = Callable[[Tensor], Tensor]
"""RGB in [0, 1], ``(N, 3, H, W)`` → the same."""

_BATCH = 4
_TIMED = 5


@dataclass(frozen=True)
class TranslationScores:
    """Scores of one direction.

    Attributes:
        frechet, kernel: from translated images to real ones, see :mod:`training.evaluation.distribution`.
        untouched_frechet, untouched_kernel: likewise from the input images.
        cycle: mean absolute difference between an input and its reconstruction, in [0, 1]; None without a way back.
        content: mean distance from a translation to its input, relative to other inputs: at 1 it does not depend
            on the input.
        variety: mean distance among translations, relative to that among inputs: at 0 all are the same.
    """

    frechet: float
    kernel: float
    untouched_frechet: float
    untouched_kernel: float
    cycle: float | None
    content: float
    variety: float


def score(
    there: Translate, back: Translate | None, images: Tensor, real: Tensor, extractor: FeatureExtractor
) -> TranslationScores:
    """Scores of a translator on ``images``, compared with ``real`` ones, both ``(N, 3, side, side)``.

    Args:
        back: the opposite direction; None if there is none.
    """
    translated = run_batches(there, images)
    features = (extractor.local_features(each) for each in (images, translated, real))
    before, after, target = features
    # The scale of activations is arbitrary; that of the real images is the unit.
    before, after, target = (each / target.square().mean().sqrt() for each in (before, after, target))
    among = off_diagonal_mean(pairwise_distances(before, before))
    across = pairwise_distances(after, before)
    return TranslationScores(
        frechet=frechet_distance(global_features(after), global_features(target)),
        kernel=kernel_distance(global_features(after), global_features(target)),
        untouched_frechet=frechet_distance(global_features(before), global_features(target)),
        untouched_kernel=kernel_distance(global_features(before), global_features(target)),
        cycle=float((run_batches(back, translated) - images).abs().mean()) if back else None,
        content=float(across.diagonal().mean()) / off_diagonal_mean(across),
        variety=off_diagonal_mean(pairwise_distances(after, after)) / among,
    )


@torch.no_grad()
def run_batches(translate: Translate, images: Tensor) -> Tensor:
    """Translates all images in small batches."""
    return torch.cat([translate(part) for part in images.split(_BATCH)])


def translation_sheet(images: Tensor, translators: Sequence[Translate]) -> Tensor:
    """One image per column, with the translators' outputs below; ``(3, H, W)``."""
    return image_grid([images, *(run_batches(each, images).clamp(0, 1) for each in translators)])


@torch.no_grad()
def measure_milliseconds(translate: Translate, height: int, width: int) -> float:
    """Median time of PyTorch for one image."""
    image = torch.zeros(1, 3, height, width)
    translate(image)
    times = []
    for _ in range(_TIMED):
        started = perf_counter()
        translate(image)
        times.append(perf_counter() - started)
    return 1000 * median(times)


def translation_table(rows: Mapping[str, TranslationScores]) -> str:
    """Markdown, one translator per row."""
    lines = [
        "| | FD | of untouched | KID | of untouched | cycle L1 | content | variety |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = (
            f"{row.frechet:.2f}", f"{row.frechet / row.untouched_frechet:.2f}",
            f"{row.kernel:.3f}", f"{row.kernel / row.untouched_kernel:.2f}",
            f"{row.cycle:.3f}" if row.cycle is not None else "–", f"{row.content:.2f}", f"{row.variety:.2f}",
        )  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
