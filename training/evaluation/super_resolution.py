"""Upscalers on the benchmarks that papers report: Set5, Set14, BSD100.

Images are cropped to multiples of 4, downscaled by bicubic to bytes, upscaled, and compared: PSNR and SSIM on luma
without 4 pixels at each side; LPIPS on SqueezeNet; and the mean error of channels, a color shift.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
import torch
from torch import Tensor

from training.data.bicubic import downscale, round_to_bytes, upscale
from training.data.images import read_image
from training.data.photos import list_photos
from training.evaluation.fidelity import cut, luma, psnr, ssim
from training.evaluation.lpips import Lpips

BORDER = 4
SETS = "Set5", "Set14", "BSD100"

Upscale = Callable[[Tensor], Tensor]
"""``(1, 3, h, w)`` in [0, 1] → ``(1, 3, scale·h, scale·w)``."""


@dataclass(frozen=True)
class Scores:
    """Means over a benchmark: dB, structural similarity, LPIPS, and the shift of the worst channel, of 255."""

    psnr: float
    ssim: float
    lpips: float
    shift: float


def bicubic(scale: int) -> Upscale:
    """The baseline."""
    return lambda low: round_to_bytes(upscale(low.double(), scale)).float()


@torch.no_grad()
def score(run: Upscale, scale: int, folder: Path, lpips: Lpips) -> Scores:
    """Scores of an upscaler on all images of a benchmark.

    Raises:
        FileNotFoundError: the folder has no images.
    """
    rows = [_scores(run, scale, target, gray, lpips) for target, gray in benchmark_images(folder)]
    return Scores(*(fmean(values) for values in zip(*rows, strict=True)))


def score_all(
    upscalers: Mapping[str, tuple[Upscale, int]], bench: Path, lpips: Lpips, report: Callable[[str], None]
) -> dict[str, dict[str, Scores]]:
    """Scores by upscaler and by benchmark, bicubic at the same scales first.

    Args:
        upscalers: by name, each with its scale.
        bench: folder with a folder for each of ``SETS``.
        report: called with a line for each row that is done.
    """
    scales = sorted({scale for _, scale in upscalers.values()} or {4})
    baselines = {f"bicubic-x{scale}": (bicubic(scale), scale) for scale in scales}
    rows: dict[str, dict[str, Scores]] = {}
    for name, (run, scale) in (baselines | dict(upscalers)).items():
        rows[name] = {each: score(run, scale, bench / each, lpips) for each in SETS}
        report(f"{name}: done")
    return rows


def as_json(rows: Mapping[str, Mapping[str, Scores]]) -> dict[str, dict[str, dict[str, float]]]:
    """The scores in JSON's own types."""
    return {name: {each: asdict(scores) for each, scores in row.items()} for name, row in rows.items()}


def benchmark_images(folder: Path) -> Iterator[tuple[Tensor, bool]]:
    """RGB ``(3, H, W)`` with sides cropped to multiples of 4, and whether the file is gray."""
    for path in list_photos([folder]):
        image = read_image(path)
        height, width = (size // 4 * 4 for size in image.shape[1:])
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        yield image[:, :height, :width], pixels is not None and pixels.ndim == 2


def low_resolution(target: Tensor, scale: int) -> Tensor:
    """The input of upscalers, ``(1, 3, h, w)`` in steps of 1/255."""
    return round_to_bytes(downscale(target[None].double(), scale)).float()


def _scores(
    run: Upscale, scale: int, target: Tensor, gray: bool, lpips: Lpips
) -> tuple[float, float, float, float]:
    output = round_to_bytes(run(low_resolution(target, scale)))[0]
    lumas = cut(luma(output, gray=gray), BORDER), cut(luma(target, gray=gray), BORDER)
    distance = float(lpips(output[None], target[None]))
    shift = float((output - target).mean((1, 2)).abs().max() * 255)
    return psnr(*lumas), ssim(*lumas), distance, shift


def table(rows: Mapping[str, Mapping[str, Scores]]) -> str:
    """Markdown, one upscaler per row; ``rows`` are scores by upscaler and by benchmark."""
    sets = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(sets)} |", "|---" * (len(sets) + 1) + "|"]
    for name, scores in rows.items():
        cells = (f"{each.psnr:.2f} / {each.ssim:.4f} / {each.lpips:.3f}" for each in scores.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
