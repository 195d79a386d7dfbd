"""The FCN-score of Isola et al. 2017: segmentation accuracy on photos that were generated from label maps.

If a network that was trained on real photos recognizes a car where the label map has one, the car was rendered well.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from training.data.images import read_image, resize_bilinear
from training.data.labels import Classes, read_labels, resize_labels
from training.data.pairs import matched
from training.evaluation.segmentation import Confusion, SegmentationScores
from training.networks.translators import Segmenter, run_padded

Generate = Callable[[Tensor], Tensor]
"""Class indices ``(1, H, W)`` uint8 → RGB ``(1, H, W, 3)`` uint8."""

PHOTOS = "photos"
"""The row of the real photos."""
_REPORT_EVERY = 50


def labeled_photos(
    labels: Path, photos: Path, classes: Classes, size: tuple[int, int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Class indices ``(1, H, W)`` and photos ``(1, H, W, 3)``, uint8, resized to height and width ``size``.

    Raises:
        ValueError: as of :func:`matched` and :func:`read_labels`.
    """
    for labeled, photo in matched(labels, photos):
        indices = resize_labels(read_labels(labeled, classes)[None, None], size)
        image = resize_bilinear(read_image(photo)[None], size)
        yield indices[0], (image * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1)


@torch.no_grad()
def fcn_scores(
    generators: Mapping[str, Generate],
    segmenter: Segmenter,
    labels: Path,
    photos: Path,
    *,
    size: tuple[int, int],
    report: Callable[[str], None],
) -> dict[str, SegmentationScores]:
    """Scores by generator, and of the real photos, the upper bound.

    Args:
        generators: by name.
        segmenter: the segmentation network that evaluates.
        labels, photos: folders; files of a pair have the same name.
        size: height and width of label maps and photos.
        report: called with lines of progress.
    """
    classes = segmenter.classes
    tables = {name: Confusion(len(classes), classes.counted) for name in (PHOTOS, *generators)}
    for number, (target, photo) in enumerate(labeled_photos(labels, photos, classes, size), start=1):
        tables[PHOTOS].add(target, run_padded(segmenter, photo))
        for name, generate in generators.items():
            tables[name].add(target, run_padded(segmenter, generate(target)))
        if number % _REPORT_EVERY == 0:
            report(f"{number} label maps")
    return {name: table.scores() for name, table in tables.items()}


def fcn_table(rows: Mapping[str, SegmentationScores]) -> str:
    """Markdown, one generator per row."""
    lines = ["| | per pixel | per class | class IoU |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row.pixels:.3f} | {row.classes:.3f} | {row.iou:.3f} |" for name, row in rows.items()
    ]
    return "\n".join(lines)
