"""Measures of colorization: colorfulness, error, and a classifier between real and predicted colors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.color_space import AB_SCALE, lab_from_rgb, rgb_from_lab
from training.data.images import center_crop, image_grid, read_image

Colorize = Callable[[Tensor], Tensor]
"""Lightness ``(1, H, W)`` uint8 → chroma ``(1, H, W, 2)`` uint8, encoded as of :class:`Colorizer`."""

_BINS = 12
_AB_RANGE = 60.0
_FOLDS = 5
_STEPS = 400


@dataclass(frozen=True)
class ColorScores:
    """Means over photos.

    Attributes:
        colorfulness: relative to that of the real photos, a ratio of means (Hasler and Süsstrunk 2003).
        error: mean distance in the plane of a and b of CIE Lab.
        told: share of photos that a classifier distinguishes from real ones; 0.5 is chance.
    """

    colorfulness: float
    error: float
    told: float


def colorfulness(images: Tensor) -> Tensor:
    """Colorfulness of RGB in [0, 1], ``(N, 3, H, W)`` → ``(N,)``, on the paper's scale of 0 to 255."""
    red, green, blue = (255 * images).flatten(2).unbind(1)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = (red_green.var(1) + yellow_blue.var(1)).sqrt()
    return spread + 0.3 * (red_green.mean(1).square() + yellow_blue.mean(1).square()).sqrt()


@torch.no_grad()
def color_scores(colorizers: Mapping[str, Colorize], photos: Sequence[Path]) -> dict[str, ColorScores]:
    """Scores by colorizer.

    Args:
        colorizers: by name.
        photos: in color, not trained on.
    """
    targets = [lab_from_rgb(read_image(path)[None]) for path in photos]
    real_colorfulness = fmean(float(colorfulness(rgb_from_lab(each))) for each in targets)
    real_histograms = torch.stack([_histogram(each) for each in targets])
    return {
        name: _scores(colorize, targets, real_colorfulness, real_histograms)
        for name, colorize in colorizers.items()
    }


def resized(colorize: Colorize, side: int, lightness: Tensor) -> Tensor:
    """``colorize`` at the training resolution, as in video: the shorter side has ``side`` pixels at most."""
    height, width = lightness.shape[1:]
    scale = min(1.0, side / min(height, width))
    size = round(scale * height), round(scale * width)
    small = F.interpolate(lightness[:, None].float(), size, mode="bilinear", antialias=True)
    chroma = colorize(small[:, 0].round().byte()).permute(0, 3, 1, 2).float()
    return F.interpolate(chroma, (height, width), mode="bilinear").round().byte().permute(0, 2, 3, 1)


def colorized(colorize: Colorize, target: Tensor) -> Tensor:
    """Lab ``(1, 3, H, W)`` with the lightness of ``target`` and predicted chroma."""
    lightness = ((target[:, 0] + 1) * 127.5).round().byte()
    chroma = (colorize(lightness).permute(0, 3, 1, 2).float() - 128) / AB_SCALE
    return torch.cat([target[:, :1], chroma], 1)


def color_sheet(colorizers: Mapping[str, Colorize], photos: Sequence[Path], *, side: int = 192) -> Tensor:
    """One photo per column: gray, colorized by each, and the original; ``(3, H, W)`` RGB in [0, 1]."""
    targets = [lab_from_rgb(center_crop(read_image(path), side)[None]) for path in photos]
    grays = [torch.cat([target[:, :1], torch.zeros_like(target[:, 1:])], 1) for target in targets]
    outputs = ([colorized(colorize, target) for target in targets] for colorize in colorizers.values())
    return image_grid([rgb_from_lab(each)[0] for each in row] for row in (grays, *outputs, targets))


def _scores(
    colorize: Colorize, targets: Sequence[Tensor], real_colorfulness: float, real_histograms: Tensor
) -> ColorScores:
    outputs = [colorized(colorize, target) for target in targets]
    errors = [
        float((AB_SCALE * (a - b)[:, 1:]).square().sum(1).sqrt().mean())
        for a, b in zip(outputs, targets, strict=True)
    ]
    mean_colorfulness = fmean(float(colorfulness(rgb_from_lab(each))) for each in outputs)
    histograms = torch.stack([_histogram(each) for each in outputs])
    accuracy = classifier_accuracy(real_histograms, histograms)
    return ColorScores(mean_colorfulness / real_colorfulness, fmean(errors), accuracy)


def _histogram(lab: Tensor) -> Tensor:
    """Histogram of a and b, ``(bins · bins,)``; square roots of shares, so that rare colors count."""
    bins = ((AB_SCALE * lab[0, 1:] / _AB_RANGE + 1) / 2 * _BINS).floor().clamp(0, _BINS - 1).long()
    counts = torch.bincount((bins[0] * _BINS + bins[1]).flatten(), minlength=_BINS * _BINS)
    return (counts / counts.sum()).sqrt()


@torch.enable_grad()
def classifier_accuracy(real: Tensor, fake: Tensor) -> float:
    """Accuracy of a logistic regression between real and fake features, by cross-validation.

    Args:
        real, fake: features ``(N, D)`` of the same images in the same order.
    """
    fold = torch.arange(len(real)) % _FOLDS
    features, labels = torch.cat([real, fake]), torch.cat([torch.ones(len(real)), torch.zeros(len(fake))])
    folds = torch.cat([fold, fold])
    right = torch.zeros(len(features))
    for held_out in range(_FOLDS):
        trained = folds != held_out
        weight, bias = _logistic_regression(features[trained], labels[trained])
        found = (features[~trained] @ weight + bias > 0).float()
        right[~trained] = (found == labels[~trained]).float()
    return float(right.mean())


def _logistic_regression(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Weight ``(D,)`` and bias."""
    weight = torch.zeros(features.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias], lr=0.05)
    for _ in range(_STEPS):
        scores = features @ weight + bias
        loss = F.binary_cross_entropy_with_logits(scores, labels) + 1e-3 * weight.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weight, bias


def color_table(rows: Mapping[str, ColorScores]) -> str:
    """Markdown, one colorizer per row."""
    lines = ["| | colorfulness, over the photos' | error in ab | told from real |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row.colorfulness:.2f} | {row.error:.1f} | {row.told:.0%} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)
