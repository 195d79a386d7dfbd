"""The ablation of Liquid Warping GAN on held-out people: a network, warping alone, and no warping blocks.

``python -m benchmarks.animate table RUN...`` and ``parts RUN``. All runs see the same pairs of images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.photos import list_photos
from training.evaluation.fidelity import luma, ssim
from training.evaluation.lpips import Lpips
from training.evaluation.segmentation import Confusion
from training.networks.pose_transfer import (
    PoseInput,
    PoseOutput,
    PoseTransfer,
    PoseTransferByConcatenation,
    blended,
    sample,
)
from training.people.dataset import GUIDE_SCALE, POINT_NOISE, PairBatch, People
from training.recipes.pose_transfer import PoseTransferConfig, reduced
from training.recipes.runs import load_network, read_run
from vidgan.media.body_parts import LABELS, PARTS, part_affines

BY_DISTANCES = "warping alone, by distances"
AS_LEARNED = "warping alone, as learned"
NETWORK = "network"
WITHOUT_BLOCKS = "without warping blocks"
_ORDER = NETWORK, AS_LEARNED, BY_DISTANCES, WITHOUT_BLOCKS
_BATCH = 8
_SHARED = "people", "photos", "count", "held_out", "size", "feature_extractor"
"""Settings in which runs of one table agree."""

Figures = dict[str, float]


@dataclass(frozen=True)
class TrainedRun:
    """A trained network of a table.

    Attributes:
        folder: of its run.
        steps: that it was trained for.
    """

    folder: Path
    steps: int
    config: PoseTransferConfig
    network: PoseTransfer

    @property
    def row(self) -> str:
        """The row of its output."""
        return WITHOUT_BLOCKS if isinstance(self.network, PoseTransferByConcatenation) else NETWORK


def read_runs(folders: Sequence[Path]) -> list[TrainedRun]:
    """The networks of runs that can be compared.

    Raises:
        ValueError, FileNotFoundError: a run is none of pose transfer, or was not trained on the data of the first.
    """
    found: list[TrainedRun] = []
    for folder in folders:
        run = read_run(folder)
        network, config = load_network(run), run.config
        if not isinstance(network, PoseTransfer) or not isinstance(config, PoseTransferConfig):
            raise ValueError(f"{folder}: is a run of {config.recipe}, not of pose-transfer")
        found.append(TrainedRun(folder, run.steps, config, network))
        for name in _SHARED:
            mine, first = getattr(config, name), getattr(found[0].config, name)
            if mine != first:
                raise ValueError(f"{folder}: its {name} is {mine}, that of {folders[0]} is {first}")
    return found


def people_of(config: PoseTransferConfig) -> People:
    photos = list_photos([Path(each) for each in config.photos])
    return People(Path(config.people), config.count, config.held_out, photos)


def _pairs(people: People, side: int, count: int, noise: float = POINT_NOISE) -> Iterator[PairBatch]:
    """The pairs of held-out people that all figures are of."""
    random = torch.Generator().manual_seed(0)
    for start in range(0, count, _BATCH):
        yield people.batch(min(_BATCH, count - start), 0, side, random, held_out=True, point_noise=noise)


def _given(batch: PairBatch) -> PoseInput:
    return PoseInput(batch.sources, batch.source_guides, batch.guides, batch.shares, batch.affines)


# Images.


@torch.no_grad()
def table_figures(
    runs: Sequence[TrainedRun], people: People, lpips: Lpips, side: int, pairs: int
) -> dict[str, Figures]:
    """SSIM of luma and LPIPS of whole images, and the IoU of parts, by row, in the order of the paper's ablation.

    Rows are named after their runs, too, where several have one.
    """
    scores: dict[tuple[str, Path | None], list[tuple[float, float]]] = {}
    parts = {each.folder: _confusion() for each in runs}
    for batch in _pairs(people, side, pairs):
        given = _given(batch)
        drawn: dict[tuple[str, Path | None], Tensor] = {(BY_DISTANCES, None): _by_distances(batch, given)}
        for run in runs:
            made = run.network(given)
            drawn[run.row, run.folder] = made.over(batch.backgrounds)
            if run.row == NETWORK:
                drawn[AS_LEARNED, run.folder] = _as_learned(batch, made)
            parts[run.folder].add(_halved(batch.parts, given), _halved(made.parts.argmax(1), given))
        for key, images in drawn.items():
            scores.setdefault(key, []).extend(_fidelity(images, batch.targets, lpips))
    figures = {}
    for row, folder in sorted(scores, key=lambda key: _ORDER.index(key[0])):
        mean = np.mean(scores[row, folder], 0)
        values = {"SSIM": float(mean[0]), "LPIPS": float(mean[1])}
        if folder is not None and row != AS_LEARNED:
            values["part IoU"] = _mean_iou(parts[folder])
        is_alone = sum(name == row for name, _ in scores) == 1
        figures[row if is_alone else f"{row}, {folder}"] = values
    return figures


def _fidelity(images: Tensor, targets: Tensor, lpips: Lpips) -> list[tuple[float, float]]:
    drawn, wanted = ((images + 1) / 2).clamp(0, 1), (targets + 1) / 2
    alike = [ssim(luma(a), luma(b)) for a, b in zip(drawn, wanted, strict=True)]
    return list(zip(alike, lpips(drawn, wanted).tolist(), strict=True))


def _by_distances(batch: PairBatch, given: PoseInput) -> Tensor:
    """The source's pixels by affine maps and distances, cut out by the true mask."""
    side = given.sources.shape[3]
    places = F.interpolate(blended(given.affines, given.shares, side), scale_factor=2, mode="bilinear")
    return torch.lerp(batch.backgrounds, sample(given.sources, places, side), batch.masks)


def _as_learned(batch: PairBatch, made: PoseOutput) -> Tensor:
    """The source's pixels where the network has them from, cut out by the true mask."""
    return torch.lerp(batch.backgrounds, made.warped, batch.masks)


# Parts.


@torch.no_grad()
def part_figures(run: TrainedRun, people: People, pairs: int) -> dict[str, Figures]:
    """The IoU of each part of the target, and of what tells where the rest is lost.

    Columns are with key points that are off as in training, and with true ones; and the IoU of true parts with
    themselves, moved as far as the key points are off. Rows are the parts and their mean; then the means with left and
    right as one label, of the cells that do not touch another label, and of the parts of the source.
    """
    columns = {"points as trained": POINT_NOISE, "true points": 0.0}
    figures: dict[str, Figures] = {}
    for column, noise in columns.items():
        target, source, sides, inside = (_confusion() for _ in range(4))
        for batch in _pairs(people, run.config.size, pairs, noise):
            given = _given(batch)
            made = run.network(given)
            wanted, found = _halved(batch.parts, given), _halved(made.parts.argmax(1), given)
            target.add(wanted, found)
            source.add(_halved(batch.source_parts, given), made.source_parts.argmax(1))
            sides.add(_SIDELESS[wanted], _SIDELESS[found])
            clear = ~_near_borders(wanted)
            inside.add(wanted[clear], found[clear])
        rows = dict(zip(PARTS, target.ious()[1:].tolist(), strict=True))
        rows |= {
            "mean": _mean_iou(target),
            "left and right as one": _mean_iou(sides),
            "away from borders": _mean_iou(inside),
            "source, mean": _mean_iou(source),
        }
        for name, value in rows.items():
            figures.setdefault(name, {})[column] = value
    moved = _moved_parts(people, run.config.size // GUIDE_SCALE, pairs)
    for name, value in zip((*PARTS, "mean"), (*moved.ious()[1:].tolist(), _mean_iou(moved)), strict=True):
        figures[name]["true parts, moved"] = value
    return figures


def _moved_parts(people: People, size: int, count: int) -> Confusion:
    """True part maps of ``size`` cells, and the same after each part followed its key points where they are off.

    Of views that are drawn at random; each part is moved at the full size of the images.
    """
    random, result = np.random.default_rng(0), _confusion()
    for _ in range(count):
        person = people.held_out[int(random.integers(len(people.held_out)))]
        view = int(random.integers(len(person)))
        labels, points = person.parts(view, person.side), person.points(view, person.side)
        off = points + random.normal(0, POINT_NOISE * person.side, points.shape).astype(np.float32)
        moved = np.zeros_like(labels)
        for part, affine in enumerate(part_affines(points, off), 1):
            mask = (labels == part).astype(np.float32)
            there = cv2.warpAffine(mask, affine, labels.shape, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            moved[there > 0.5] = part
        step = person.side // size
        cells = np.s_[step // 2 :: step, step // 2 :: step]
        result.add(torch.from_numpy(labels[cells].copy()), torch.from_numpy(moved[cells].copy()))
    return result


_SIDELESS = torch.tensor([0, *(1 + PARTS.index(each.replace("right", "left")) for each in PARTS)])
"""Labels by label, without the difference of left and right."""


def _confusion() -> Confusion:
    return Confusion(LABELS, list(range(LABELS)))


def _mean_iou(confusion: Confusion) -> float:
    """Of the parts that occurred, without the background."""
    return float(confusion.ious()[1:].nanmean())


def _halved(labels: Tensor, given: PoseInput) -> Tensor:
    """Labels at half the size of the images, in which all networks can be compared."""
    return reduced(labels, given.guides)


def _near_borders(labels: Tensor) -> Tensor:
    """Whether another label is among the eight neighbors."""
    one_hot = F.one_hot(labels, LABELS).permute(0, 3, 1, 2).float()
    return F.max_pool2d(one_hot, 3, 1, 1).sum(1) > 1
