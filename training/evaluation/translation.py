"""The FCN-score of Isola et al. 2017: what a segmentation network finds of label maps that became photos.

If the network, trained on real photos, sees a car where a car was asked for, one was drawn.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.labels import Classes, read_labels
from training.data.pairs import matched
from training.data.photos import read_picture
from training.evaluation.segmentation import Confusion, SegmentationScores
from training.networks.translators import Segmenter, on_any_size

Paint = Callable[[Tensor], Tensor]
"""Class indices ``(1, H, W)`` uint8 → RGB ``(1, H, W, 3)`` uint8."""

TRUTH = "truth"


def labelled_photos(
    labels: Path, photos: Path, classes: Classes, size: tuple[int, int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Class indices ``(1, H, W)`` and photos ``(1, H, W, 3)``, uint8, scaled to height and width ``size``.

    Raises:
        ValueError: as of :func:`matched` and :func:`read_labels`.
    """
    for labelled, photo in matched(labels, photos):
        indices = F.interpolate(read_labels(labelled, classes)[None, None], size, mode="nearest-exact")
        picture = F.interpolate(
            read_picture(photo)[None], size, mode="bilinear", antialias=True, align_corners=False
        )
        yield indices[0], (picture * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1)


@torch.no_grad()
def fcn_scores(
    painters: Mapping[str, Paint],
    segmenter: Segmenter,
    labels: Path,
    photos: Path,
    *,
    size: tuple[int, int],
    report: Callable[[str], None],
) -> dict[str, SegmentationScores]:
    """Scores by painter, and of the photos themselves, which is what a perfect one would have.

    Args:
        painters: by name.
        segmenter: the judge.
        labels, photos: folders; what belongs together has one name.
        size: height and width at which all of it happens.
        report: told of progress.
    """
    classes = segmenter.classes
    tables = {name: Confusion(len(classes), classes.counted) for name in (TRUTH, *painters)}
    for number, (truth, photo) in enumerate(labelled_photos(labels, photos, classes, size), start=1):
        tables[TRUTH].add(truth, on_any_size(segmenter, photo))
        for name, paint in painters.items():
            tables[name].add(truth, on_any_size(segmenter, paint(truth)))
        if number % 50 == 0:
            report(f"{number} label maps")
    return {name: table.scores() for name, table in tables.items()}


def fcn_table(rows: Mapping[str, SegmentationScores]) -> str:
    """Markdown, a painter a row."""
    lines = ["| | per pixel | per class | class IoU |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row.pixels:.3f} | {row.classes:.3f} | {row.iou:.3f} |" for name, row in rows.items()
    ]
    return "\n".join(lines)
