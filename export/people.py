"""A trained pose transfer as an ONNX graph: an image, guides and affine maps in, a person with its mask out.

::

    images ─┐                                    ┌─ output (RGB and mask)
    guides ───┼─ source encoder, motion, generator ─┤
    affines ──┘                                    └─ correspondence (where in the source, how surely)

Sides are fixed, the number of images is not. Guides are the source's, the target's and the target's shares, see
:func:`vidgan.media.body_parts.part_guides`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from export.graph import batched_graph
from export.model_file import describe
from export.parity import check_psnr, open_session, psnr_db
from export.quantize import Feed, quantized_convolutions
from export.rewriting import store_as_float16
from training.data.photos import list_photos
from training.networks.pixels import quantize_image
from training.networks.pose_transfer import PoseInput, PoseTransfer
from training.people.dataset import GUIDE_SCALE, PairBatch, People
from training.recipes.pose_transfer import PoseTransferConfig
from training.recipes.runs import Run, load_network
from vidgan.media.body_parts import PARTS
from vidgan.session.loading import CORRESPONDENCE

LEAST_PSNR_DB = {"float32": 45.0, "int8": 30.0}
"""From the trained network, at least; weights of float32 may be stored as float16."""
_GUIDES = 2 * len(PARTS)
_CHECKED, _CALIBRATED = 4, 24
_MIDDLE = 128
"""Gray before which persons are compared."""


class PersonModel(nn.Module):
    """Bytes in, bytes out, round a trained generator.

    Images ``(N, S, S, 3)`` uint8 RGB, guides ``(N, 70, S / 2, S / 2)`` and affine maps ``(N, 14, 2, 3)`` float32 →
    the person and its mask, ``(N, S, S, 4)`` uint8; and the place of each in the source, ``(N, S / 2, S / 2, 3)``
    float32, see :data:`vidgan.session.loading.CORRESPONDENCE`.
    """

    def __init__(self, network: PoseTransfer) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, guides: Tensor, affines: Tensor) -> tuple[Tensor, Tensor]:
        sources = images.permute(0, 3, 1, 2).float() * (2 / 255) - 1
        source_guides, target_guides, shares = guides.split([_GUIDES, _GUIDES, len(PARTS)], 1)
        output = self.network(PoseInput(sources, source_guides, target_guides, shares, affines))
        colors = torch.cat([(output.images + 1) / 2, output.masks], 1)
        places = (output.places + 0.5) / images.shape[1]
        correspondence = torch.cat([places, torch.sigmoid(output.visible)], 1)
        return quantize_image(colors.clamp(0, 1)).permute(0, 2, 3, 1), correspondence.permute(0, 2, 3, 1)


def person_graph(model: PersonModel, side: int) -> onnx.ModelProto:
    """The model in float32, as a checked ONNX model."""
    examples = (
        torch.zeros(2, side, side, 3, dtype=torch.uint8),
        torch.zeros(2, 2 * _GUIDES + len(PARTS), side // GUIDE_SCALE, side // GUIDE_SCALE),
        torch.zeros(2, len(PARTS), 2, 3),
    )
    return batched_graph(model, examples, ["images", "guides", "affines"], ["output", CORRESPONDENCE])


def export_person(
    run: Run, out: Path, facts: dict[str, Any], precisions: Sequence[str], *, compact: bool
) -> Iterator[tuple[Path, float]]:
    """Writes a pose transfer in float32 and int8; yields each file and its least PSNR to the network.

    Args:
        facts: name, title and license.
        precisions: of the files that are wanted.

    Raises:
        ParityError: a file does not compute what the network does.
    """
    config = run.config
    assert isinstance(config, PoseTransferConfig)
    network = load_network(run)
    assert isinstance(network, PoseTransfer)
    model = PersonModel(network).eval()
    checked = _feed(_pairs(config, _CHECKED, held_out=True))
    about = {"steps": run.steps, "recipe": config.without_paths(), "task": "animate", "side": config.size}
    out.mkdir(parents=True, exist_ok=True)
    for precision in (each for each in LEAST_PSNR_DB if each in precisions):
        graph = person_graph(model, config.size)
        if precision == "int8":
            graph = quantized_convolutions(graph, _apart(_feed(_pairs(config, _CALIBRATED, held_out=False))))
        if compact:
            store_as_float16(graph)
        worst = check_person(graph, model, checked, precision)
        describe(graph, facts | about | {"precision": precision})
        path = out / f"{precision}.onnx"
        path.write_bytes(graph.SerializeToString())
        yield path, worst


@torch.no_grad()
def check_person(graph: onnx.ModelProto, model: PersonModel, feed: Feed, precision: str = "float32") -> float:
    """Lowest PSNR of what the file makes to what the network makes: persons, their masks and places.

    Raises:
        ParityError: it is below the precision's bound.
    """
    outputs, found = open_session(graph).run(None, feed)
    expected, places = (each.numpy() for each in model(*(torch.from_numpy(each) for each in feed.values())))
    pairs = list(zip(outputs, expected, strict=True))
    if precision == "float32":
        values = [psnr_db(a, b) for a, b in pairs]
    else:
        # What is made beyond the mask is never shown.
        values = [psnr_db(_over_gray(a), _over_gray(b)) for a, b in pairs]
        values += [psnr_db(a[..., 3], b[..., 3]) for a, b in pairs]
    values += [_psnr_of_shares(a, b) for a, b in zip(found, places, strict=True)]
    return check_psnr(values, precision, LEAST_PSNR_DB[precision])


def _over_gray(person: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A person before gray."""
    share = person[..., 3:].astype(np.float32) / 255
    return np.rint(person[..., :3] * share + _MIDDLE * (1 - share)).astype(np.uint8)


def _apart(feed: Feed) -> Iterator[Feed]:
    """One image at a time."""
    for number in range(len(feed["images"])):
        yield {name: each[number : number + 1] for name, each in feed.items()}


def _psnr_of_shares(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """PSNR in dB of what is between 0 and 1."""
    return float(-10 * np.log10(max(1e-12, float(np.square(one - other).mean()))))


def _pairs(config: PoseTransferConfig, count: int, *, held_out: bool) -> PairBatch:
    """Pairs of images, of people who were trained on or not."""
    photos = list_photos([Path(each) for each in config.photos])
    people = People(Path(config.people), config.count, config.held_out, photos)
    return people.batch(count, 0, config.size, torch.Generator().manual_seed(0), held_out=held_out)


def _feed(pairs: PairBatch) -> Feed:
    """By the names of a model's inputs."""
    images = ((pairs.sources + 1) * 127.5).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
    guides = torch.cat([pairs.source_guides, pairs.guides, pairs.shares], 1)
    return {
        "images": np.ascontiguousarray(images.numpy()),
        "guides": guides.numpy(),
        "affines": pairs.affines.numpy(),
    }
