"""Parity: whether an exported file computes what the trained network does, on real inputs, at odd sizes too."""

import math
from collections.abc import Iterable

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from export.model_file import STATE, STATS
from export.quantize import Feed
from training.networks.exportable import ExportableNetwork
from vidgan.media.image import YuvImage
from vidgan.session.runtime import ort

Images = Iterable[NDArray[np.uint8]]


class ParityError(Exception):
    """The exported model does not compute what the trained network does."""


def open_session(model: onnx.ModelProto) -> ort.InferenceSession:
    """A session on the CPU."""
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def run_session(
    session: ort.InferenceSession, image: NDArray[np.uint8], *, stride: int = 1
) -> NDArray[np.uint8]:
    """One input ``(H, W, C)`` or ``(H, W)`` through onnxruntime.

    A model of luma and chroma gets those of RGB with even sides, and its output is RGB. A stateful model runs twice;
    the second output depends on the state.

    Args:
        stride: of the state's sides.
    """
    feed = feed_of(session, image)
    state = next((each for each in session.get_inputs() if each.name == STATE), None)
    if state is not None:
        height, width = (math.ceil(side / stride) * stride for side in image.shape[:2])
        zeros = np.zeros((1, state.shape[1], height, width), np.float32)
        _, next_state = session.run(None, {**feed, STATE: zeros})
        output, _ = session.run(None, {**feed, STATE: next_state})
        return np.asarray(output[0], np.uint8)
    names = [each.name for each in session.get_outputs() if each.name != STATS]
    results = session.run(names, feed)
    if len(results) == 1:
        return np.asarray(results[0][0], np.uint8)
    luma, chroma = results
    return YuvImage(luma[0], chroma[0]).pixels


def feed_of(model: ort.InferenceSession | onnx.ModelProto, image: NDArray[np.uint8]) -> Feed:
    """The image inputs of a model for one input; luma and chroma for a model of those."""
    inputs = model.graph.input if isinstance(model, onnx.ModelProto) else model.get_inputs()
    if inputs[0].name != "luma":
        return {inputs[0].name: image[np.newaxis]}
    planes = YuvImage.from_rgb(even(image))
    return {"luma": planes.luma[np.newaxis], "chroma": planes.chroma[np.newaxis]}


def even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image without its last row or column if their number is odd."""
    height, width = image.shape[:2]
    return np.ascontiguousarray(image[: height // 2 * 2, : width // 2 * 2])


def run_torch(network: ExportableNetwork, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same input through the trained network, see :meth:`ExportableNetwork.reference`."""
    network.eval()
    return np.asarray(network.reference(torch.from_numpy(image)).numpy())


def psnr_db(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two images; infinite if they are equal."""
    error = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def check_parity(
    model: onnx.ModelProto,
    network: ExportableNetwork,
    images: Images,
    precision: str,
    *,
    compact: bool = False,
) -> float:
    """The lowest likeness of file and network over the inputs: PSNR in dB, or the share of equal labels.

    A model of luma and chroma is compared with the luma and chroma of the network's output.

    Raises:
        ParityError: it is below the bound of the network's :class:`ExportSpec`.
    """
    session, spec = open_session(model), network.export_spec()
    worst = min(_compared(session, network, image) for image in images)
    key = "compact" if compact and "compact" in spec.min_parity else precision
    least = spec.min_parity[key]
    if worst < least:
        raise ParityError(
            f"{key}: the exported model is not the trained network: {likeness_text(network, worst)} agree, "
            f"at least {likeness_text(network, least)} expected; nothing was written"
        )
    return worst


def check_psnr(values: Iterable[float], precision: str, least: float) -> float:
    """The lowest PSNR in dB of what a file makes to what the network makes.

    Raises:
        ParityError: it is below ``least``.
    """
    worst = min(values)
    if worst < least:
        raise ParityError(
            f"{precision}: {worst:.1f} dB from the trained network, at least {least:.0f} wanted; nothing was written"
        )
    return worst


def likeness_text(network: ExportableNetwork, likeness: float) -> str:
    """A likeness with its unit."""
    is_labels = network.export_spec().output.channels == 0
    return f"{likeness:.2%} of labels" if is_labels else f"{likeness:.1f} dB"


def _compared(session: ort.InferenceSession, network: ExportableNetwork, image: NDArray[np.uint8]) -> float:
    if session.get_inputs()[0].name == "luma":
        image = even(image)
        expected = YuvImage.from_rgb(run_torch(network, image)).pixels
    else:
        expected = run_torch(network, image)
    output = run_session(session, image, stride=network.stride)
    if output.shape != expected.shape:
        raise ParityError(f"the exported model gives {output.shape} where the network gives {expected.shape}")
    return float((output == expected).mean()) if expected.ndim == 2 else psnr_db(output, expected)
