"""Upscalers on the benchmarks that papers report: Set5, Set14, BSD100.

Large pictures are cut to multiples of 4, made small by bicubic in bytes, enlarged, and compared: PSNR and
SSIM on luma with 4 pixels cut off each side; LPIPS on SqueezeNet; the mean error of channels, a colour shift.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
import torch
from torch import Tensor

from training.data.bicubic import enlarge, shrink, to_bytes
from training.data.photos import list_photos, read_picture
from training.evaluation.fidelity import cut, luma, psnr, ssim
from training.evaluation.lpips import Lpips

BORDER = 4
SETS = "Set5", "Set14", "BSD100"

Upscale = Callable[[Tensor], Tensor]
"""``(1, 3, h, w)`` in [0, 1] → ``(1, 3, scale·h, scale·w)``."""


@dataclass(frozen=True)
class Scores:
    """Means over a benchmark: dB, structural similarity, LPIPS, and of the worst channel's shift, of 255."""

    psnr: float
    ssim: float
    lpips: float
    shift: float


def bicubic(scale: int) -> Upscale:
    """What all others have to beat."""
    return lambda small: to_bytes(enlarge(small.double(), scale)).float()


@torch.no_grad()
def score(upscale: Upscale, scale: int, folder: Path, lpips: Lpips) -> Scores:
    """``upscale`` on all pictures of a benchmark.

    Raises:
        FileNotFoundError: no pictures are there.
    """
    rows = [_scores(upscale, scale, truth, grey, lpips) for truth, grey in benchmark_pictures(folder)]
    return Scores(*(fmean(values) for values in zip(*rows, strict=True)))


def score_all(
    upscalers: Mapping[str, tuple[Upscale, int]], bench: Path, lpips: Lpips, report: Callable[[str], None]
) -> dict[str, dict[str, Scores]]:
    """Scores by upscaler and by benchmark, those of bicubic at the same scales first.

    Args:
        upscalers: by name, each with its scale.
        bench: folder with one for each of ``SETS``.
        report: told of each row that is done.
    """
    scales = sorted({scale for _, scale in upscalers.values()} or {4})
    plain = {f"bicubic-x{scale}": (bicubic(scale), scale) for scale in scales}
    rows: dict[str, dict[str, Scores]] = {}
    for name, (upscale, scale) in (plain | dict(upscalers)).items():
        rows[name] = {each: score(upscale, scale, bench / each, lpips) for each in SETS}
        report(f"{name}: done")
    return rows


def as_json(rows: Mapping[str, Mapping[str, Scores]]) -> dict[str, dict[str, dict[str, float]]]:
    """In JSON's own types."""
    return {name: {each: asdict(scores) for each, scores in row.items()} for name, row in rows.items()}


def benchmark_pictures(folder: Path) -> Iterator[tuple[Tensor, bool]]:
    """RGB ``(3, H, W)`` with sides cut to multiples of 4, and whether the file is grey."""
    for path in list_photos([folder]):
        picture = read_picture(path)
        height, width = (size // 4 * 4 for size in picture.shape[1:])
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        yield picture[:, :height, :width], pixels is not None and pixels.ndim == 2


def make_small(truth: Tensor, scale: int) -> Tensor:
    """What upscalers are given, ``(1, 3, h, w)`` in steps of 1/255."""
    return to_bytes(shrink(truth[None].double(), scale)).float()


def _scores(
    upscale: Upscale, scale: int, truth: Tensor, grey: bool, lpips: Lpips
) -> tuple[float, float, float, float]:
    guess = to_bytes(upscale(make_small(truth, scale)))[0]
    lumas = cut(luma(guess, grey=grey), BORDER), cut(luma(truth, grey=grey), BORDER)
    distance = float(lpips(guess[None], truth[None]))
    shift = float((guess - truth).mean((1, 2)).abs().max() * 255)
    return psnr(*lumas), ssim(*lumas), distance, shift


def table(rows: Mapping[str, Mapping[str, Scores]]) -> str:
    """Markdown, an upscaler a row; ``rows`` are scores by upscaler and by benchmark."""
    sets = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(sets)} |", "|---" * (len(sets) + 1) + "|"]
    for name, scores in rows.items():
        cells = (f"{each.psnr:.2f} / {each.ssim:.4f} / {each.lpips:.3f}" for each in scores.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
