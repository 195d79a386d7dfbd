"""A trained pose transfer as an ONNX graph: an image, guides and affine maps in, a person with its mask out.

::

    images ─┐                                    ┌─ output (RGB and mask)
    guides ───┼─ source encoder, motion, generator ─┤
    affines ──┘                                    └─ correspondence (where in the source, how surely)

Sides are fixed, the number of images is not. Guides are the source's, the target's and the target's shares, see
:func:`vidgan.media.body_parts.part_guides`.
"""

from collections.abc import Iterator
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
from export.rewriting import store_as_float16
from training.data.photos import list_photos
from training.networks.pixels import quantize_image
from training.networks.pose_transfer import PoseInput, PoseTransfer
from training.people.dataset import GUIDE_SCALE, PairBatch, People
from training.recipes.pose_transfer import PoseTransferConfig
from training.recipes.runs import Run, load_network
from vidgan.media.body_parts import PARTS
from vidgan.session.loading import CORRESPONDENCE

LEAST_PSNR_DB = 45.0
"""From the trained network, at least; weights may be stored as float16."""
_GUIDES = 2 * len(PARTS)
_CHECKED = 4


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
    run: Run, out: Path, facts: dict[str, Any], *, compact: bool
) -> Iterator[tuple[Path, float]]:
    """Writes a pose transfer in float32; yields the file and its least PSNR to the network.

    Args:
        facts: name, title and license.

    Raises:
        ParityError: the file does not compute what the network does.
    """
    config = run.config
    assert isinstance(config, PoseTransferConfig)
    network = load_network(run)
    assert isinstance(network, PoseTransfer)
    model = PersonModel(network).eval()
    graph = person_graph(model, config.size)
    if compact:
        store_as_float16(graph)
    worst = check_person(graph, model, _feed(_pairs(config)))
    about = {"steps": run.steps, "recipe": config.without_paths(), "task": "animate", "side": config.size}
    describe(graph, facts | about | {"precision": "float32"})
    out.mkdir(parents=True, exist_ok=True)
    path = out / "float32.onnx"
    path.write_bytes(graph.SerializeToString())
    yield path, worst


@torch.no_grad()
def check_person(graph: onnx.ModelProto, model: PersonModel, feed: dict[str, NDArray[Any]]) -> float:
    """Lowest PSNR of what the file makes to what the network makes.

    Raises:
        ParityError: it is below the bound.
    """
    outputs, found = open_session(graph).run(None, feed)
    expected, places = (each.numpy() for each in model(*(torch.from_numpy(each) for each in feed.values())))
    values = [psnr_db(a, b) for a, b in zip(outputs, expected, strict=True)]
    values += [_psnr_of_shares(a, b) for a, b in zip(found, places, strict=True)]
    return check_psnr(values, "float32", LEAST_PSNR_DB)


def _psnr_of_shares(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """PSNR in dB of what is between 0 and 1."""
    return float(-10 * np.log10(max(1e-12, float(np.square(one - other).mean()))))


def _pairs(config: PoseTransferConfig) -> PairBatch:
    """Pairs of held-out people."""
    photos = list_photos([Path(each) for each in config.photos])
    people = People(Path(config.people), config.count, config.held_out, photos)
    return people.batch(_CHECKED, 0, config.size, torch.Generator().manual_seed(0), held_out=True)


def _feed(pairs: PairBatch) -> dict[str, NDArray[Any]]:
    """By the names of a model's inputs."""
    images = ((pairs.sources + 1) * 127.5).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
    guides = torch.cat([pairs.source_guides, pairs.guides, pairs.shares], 1)
    return {
        "images": np.ascontiguousarray(images.numpy()),
        "guides": guides.numpy(),
        "affines": pairs.affines.numpy(),
    }
