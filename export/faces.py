"""A trained de-identifier as an ONNX graph: aligned faces, guides and codes in, faces of nobody out.

::

    faces ──┐
    guides ─┼─ hide what the mask covers ─ generator ─ output
    codes ──┘  (identities: mean and axes)

Sides are fixed, the number of faces is not. What is hidden is hidden in the graph, so whoever runs it cannot
show the generator a face by mistake. The distribution that identities are drawn from is part of the graph: a
mean and axes, and no person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from export.quantize import quantized_convolutions
from export.rewriting import store_as_float16, store_as_int8
from training.data.image_crops import read_all
from training.data.photos import list_photos
from training.faces.dataset import aligned_inputs, found_points
from training.faces.identities import Identities
from training.networks.face_generator import FaceGenerator
from training.networks.onnx_module import OnnxModule
from training.networks.pixels import quantize_image
from training.recipes.deidentify import DeidentifyConfig
from training.recipes.runs import Run, load_network
from vidgan.media.face_guides import MASK, Shape

Bytes = NDArray[np.uint8]
LEAST_PSNR_DB = {"float32": 55.0, "float16": 40.0, "int8": 30.0}
"""From the trained network, where the mask is, at least."""

_CHECKED, _CALIBRATED = 6, 64


class FaceModel(nn.Module):
    """Bytes in, bytes out, round a trained generator.

    Faces ``(N, S, S, 3)`` uint8 RGB; guides likewise, see :mod:`vidgan.media.face_guides`; codes ``(N, k)``
    float32, standard normal → faces of nobody, ``(N, S, S, 3)`` uint8 RGB. What is made outside the mask is
    not to be used.
    """

    def __init__(self, generator: FaceGenerator, identities: Identities) -> None:
        super().__init__()
        self.generator = generator
        self.identities = identities

    def forward(self, faces: Tensor, guides: Tensor, codes: Tensor) -> Tensor:
        dtype = self.generator.last.weight.dtype
        images = faces.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1
        drawn = guides.permute(0, 3, 1, 2).to(dtype) * (1 / 255)
        output = self.generator(images, drawn, self.identities.at(codes).to(dtype))
        return quantize_image(((output + 1) / 2).clamp(0, 1)).permute(0, 2, 3, 1)


@dataclass(frozen=True)
class FaceInputs:
    """The inputs of a model for several faces; see :class:`FaceModel`."""

    faces: Bytes
    guides: Bytes
    codes: NDArray[np.float32]

    def feed(self) -> dict[str, Any]:
        """By the names of a model's inputs."""
        return {"faces": self.faces, "guides": self.guides, "codes": self.codes}

    def __getitem__(self, some: slice) -> "FaceInputs":
        return FaceInputs(self.faces[some], self.guides[some], self.codes[some])


def load_face_model(run: Run) -> FaceModel:
    """The trained generator of a run, in evaluation mode, with the identities of its checkpoint.

    Raises:
        ValueError: the checkpoint is not of this network.
    """
    generator = load_network(run)
    assert isinstance(generator, FaceGenerator)
    try:
        identities = Identities.load(run.checkpoint["identities"])
    except KeyError as exc:
        raise ValueError(f"{run.folder}: the checkpoint has no identities") from exc
    return FaceModel(generator, identities).eval().requires_grad_(False)


def face_graph(model: FaceModel, side: int) -> onnx.ModelProto:
    """The model, in the precision of its generator's weights, as a checked ONNX model."""
    count = model.identities.count
    images = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    examples = images, images.clone(), torch.zeros(2, count)
    return batched_graph(model, examples, ["faces", "guides", "codes"])


def facts_of_faces(model: FaceModel, config: DeidentifyConfig) -> dict[str, Any]:
    """The file's metadata besides those of all files."""
    return {
        "task": "deidentify",
        "side": config.size,
        "codes": model.identities.count,
        "shape": config.shape,
    }


def face_inputs(config: DeidentifyConfig, identities: Identities, count: int) -> FaceInputs:
    """Some faces that may be looked at, and somebody to become for each.

    Args:
        count: at most.
    """
    paths = list_photos([Path(each) for each in config.shown])
    paths = paths[:: max(1, len(paths) // count)][:count]
    images = np.stack([each.permute(1, 2, 0).numpy() for each in read_all(paths)])
    points = found_points(OnnxModule(Path(config.landmarks)).eval(), images)[:, :, :2]
    codes = identities.drawn(len(paths), torch.Generator().manual_seed(0)).numpy()
    inputs = [
        aligned_inputs(image, some, Shape.of(code, config.shape), config.size)
        for image, some, code in zip(images, points, codes, strict=True)
    ]
    faces, guides = (np.stack(each) for each in zip(*inputs, strict=True))
    return FaceInputs(faces, guides, codes)


def export_faces(
    run: Run, out: Path, facts: dict[str, Any], precisions: Sequence[str], *, compact: bool
) -> Iterator[tuple[Path, float]]:
    """Writes a de-identifier in these precisions; yields each file and its least PSNR to the network.

    Args:
        facts: name, title and license.

    Raises:
        ParityError: a file does not compute what the network does.
    """
    config = run.config
    assert isinstance(config, DeidentifyConfig)
    out.mkdir(parents=True, exist_ok=True)
    trained = load_face_model(run)
    inputs = face_inputs(config, trained.identities, _CALIBRATED)
    about = facts | {"steps": run.steps, "recipe": config.without_paths()} | facts_of_faces(trained, config)
    for precision in precisions:
        graph = _variant(load_face_model(run), precision, config.size, inputs)
        if compact and precision == "int8":
            store_as_int8(graph)
        elif compact and precision == "float32":
            store_as_float16(graph)
        worst = check_faces(graph, trained, inputs[:_CHECKED], precision)
        describe(graph, about | {"precision": precision})
        path = out / f"{precision}.onnx"
        path.write_bytes(graph.SerializeToString())
        yield path, worst


@torch.no_grad()
def check_faces(graph: onnx.ModelProto, trained: FaceModel, inputs: FaceInputs, precision: str) -> float:
    """Lowest PSNR of what the file makes to what the network makes, where the mask is.

    Raises:
        ParityError: it is below the precision's bound.
    """
    (outputs,) = open_session(graph).run(None, inputs.feed())
    expected = trained(*(torch.from_numpy(each) for each in inputs.feed().values())).numpy()
    masks = inputs.guides[..., MASK] > 0
    values = (psnr_db(a[mask], b[mask]) for a, b, mask in zip(outputs, expected, masks, strict=True))
    return check_psnr(values, precision, LEAST_PSNR_DB[precision])


def _variant(model: FaceModel, precision: str, side: int, inputs: FaceInputs) -> onnx.ModelProto:
    if precision == "float16":
        model.generator.half()
    graph = face_graph(model, side)
    if precision != "int8":
        return graph
    return quantized_convolutions(graph, (inputs[n : n + 1].feed() for n in range(len(inputs.faces))))
