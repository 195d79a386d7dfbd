"""What colours grey photos were given, beside those that they had."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.colour import lab_of, rgb_of
from training.data.photos import centre_crop, read_picture

Colour = Callable[[Tensor], Tensor]
"""Lightness ``(1, H, W)`` uint8 → chroma ``(1, H, W, 2)`` uint8, as :class:`Colorizer` has them."""

_BINS = 12
_SPREAD = 60.0
_FOLDS = 5
_STEPS = 400


@dataclass(frozen=True)
class ColourScores:
    """Means over photos.

    Attributes:
        colourfulness: over that of the true photos, as a ratio of means (Hasler and Süsstrunk 2003).
        error: mean distance in the plane of a and b of CIE Lab.
        told: share of photos that a probe tells rightly from true ones; 0.5 if it cannot.
    """

    colourfulness: float
    error: float
    told: float


def colourfulness(pictures: Tensor) -> Tensor:
    """Of RGB in [0, 1], ``(N, 3, H, W)`` → ``(N,)``, on the scale of 0 to 255 of the paper."""
    red, green, blue = (255 * pictures).flatten(2).unbind(1)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = (red_green.var(1) + yellow_blue.var(1)).sqrt()
    return spread + 0.3 * (red_green.mean(1).square() + yellow_blue.mean(1).square()).sqrt()


@torch.no_grad()
def colour_scores(colours: Mapping[str, Colour], photos: Sequence[Path]) -> dict[str, ColourScores]:
    """Scores by who coloured.

    Args:
        colours: by name.
        photos: in colour; none that was trained on.
    """
    truths = [lab_of(read_picture(path)[None]) for path in photos]
    true_liveliness = fmean(float(colourfulness(rgb_of(each))) for each in truths)
    true_histograms = torch.stack([_histogram(each) for each in truths])
    return {
        name: _scores(colour, truths, true_liveliness, true_histograms) for name, colour in colours.items()
    }


def at_side(colour: Colour, side: int, lightness: Tensor) -> Tensor:
    """``colour`` of the picture with its shorter side made ``side`` pixels, enlarged again.

    As films are coloured: at the size that the network was trained for.
    """
    height, width = lightness.shape[1:]
    scale = min(1.0, side / min(height, width))
    size = round(scale * height), round(scale * width)
    small = F.interpolate(lightness[:, None].float(), size, mode="bilinear", antialias=True)
    chroma = colour(small[:, 0].round().byte()).permute(0, 3, 1, 2).float()
    return F.interpolate(chroma, (height, width), mode="bilinear").round().byte().permute(0, 2, 3, 1)


def coloured(colour: Colour, truth: Tensor) -> Tensor:
    """Lab ``(1, 3, H, W)`` with the lightness of ``truth`` and chroma made from it."""
    lightness = ((truth[:, 0] + 1) * 127.5).round().byte()
    chroma = (colour(lightness).permute(0, 3, 1, 2).float() - 128) / 110
    return torch.cat([truth[:, :1], chroma], 1)


def colour_sheet(colours: Mapping[str, Colour], photos: Sequence[Path], *, side: int = 192) -> Tensor:
    """A photo a column: grey, as each coloured it, and as it was; ``(3, H, W)`` RGB in [0, 1]."""
    truths = [lab_of(centre_crop(read_picture(path), side)[None]) for path in photos]
    greys = [torch.cat([truth[:, :1], torch.zeros_like(truth[:, 1:])], 1) for truth in truths]
    rows = [greys, *([coloured(colour, truth) for truth in truths] for colour in colours.values()), truths]
    return torch.cat([torch.cat([rgb_of(each)[0] for each in row], 2) for row in rows], 1)


def _scores(
    colour: Colour, truths: Sequence[Tensor], true_liveliness: float, true_histograms: Tensor
) -> ColourScores:
    made = [coloured(colour, truth) for truth in truths]
    errors = [
        float((110 * (a - b)[:, 1:]).square().sum(1).sqrt().mean()) for a, b in zip(made, truths, strict=True)
    ]
    liveliness = fmean(float(colourfulness(rgb_of(each))) for each in made)
    histograms = torch.stack([_histogram(each) for each in made])
    return ColourScores(liveliness / true_liveliness, fmean(errors), probe(true_histograms, histograms))


def _histogram(lab: Tensor) -> Tensor:
    """How often colours occur, ``(bins · bins,)``, roots of shares, so that rare ones count."""
    cells = ((110 * lab[0, 1:] / _SPREAD + 1) / 2 * _BINS).floor().clamp(0, _BINS - 1).long()
    counts = torch.bincount((cells[0] * _BINS + cells[1]).flatten(), minlength=_BINS * _BINS)
    return (counts / counts.sum()).sqrt()


@torch.enable_grad()
def probe(real: Tensor, fake: Tensor) -> float:
    """Share of pictures that a logistic regression tells rightly, of folds that it was not trained on.

    Args:
        real, fake: features of as many pictures each, the same pictures in the same order.
    """
    fold = torch.arange(len(real)) % _FOLDS
    features, wanted = torch.cat([real, fake]), torch.cat([torch.ones(len(real)), torch.zeros(len(fake))])
    folds = torch.cat([fold, fold])
    right = torch.zeros(len(features))
    for held in range(_FOLDS):
        trained = folds != held
        weight = torch.zeros(features.shape[1], requires_grad=True)
        bias = torch.zeros((), requires_grad=True)
        optimizer = torch.optim.Adam([weight, bias], lr=0.05)
        for _ in range(_STEPS):
            scores = features[trained] @ weight + bias
            loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, wanted[trained])
            loss = loss + 1e-3 * weight.square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found = (features[~trained] @ weight + bias > 0).float()
        right[~trained] = (found == wanted[~trained]).float()
    return float(right.mean())


def colour_table(rows: Mapping[str, ColourScores]) -> str:
    """Markdown, who coloured a row."""
    lines = ["| | colourfulness, of the truth's | error in ab | told from real |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row.colourfulness:.2f} | {row.error:.1f} | {row.told:.0%} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)
