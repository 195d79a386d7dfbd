"""Does the exported file compute what was trained? Asked of real photos, at odd sizes too."""

from collections.abc import Iterable

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from export.quantize import Feed
from training.networks import Generator, Upscaler
from training.networks.picture import complete
from vidgan.media.image import YuvImage
from vidgan.media.tiling import FORMER_NAMES, STATS
from vidgan.session.runtime import ort

Pictures = Iterable[NDArray[np.uint8]]

MIN_PSNR_DB = {"float32": 55.0, "float16": 40.0, "int8": 28.0}
MIN_PSNR_OF_UPSCALERS_DB = {**MIN_PSNR_DB, "int8": 40.0}
"""Where the truth is known to some 35 dB, an error of 28 dB would be all that is seen."""


class ParityError(Exception):
    """The exported model does not compute what the trained one does."""


def open_session(model: onnx.ModelProto) -> ort.InferenceSession:
    """A session on the CPU."""
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def run_session(session: ort.InferenceSession, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``(H, W, 3)`` uint8 RGB through onnxruntime; a model of luma and chroma gets those, of even sides."""
    names = [each.name for each in session.get_outputs() if FORMER_NAMES.get(each.name, each.name) != STATS]
    results = session.run(names, feed_of(session, picture))
    if len(results) == 1:
        return np.asarray(results[0][0], np.uint8)
    luma, chroma = results
    return YuvImage(luma[0], chroma[0]).pixels


def feed_of(model: ort.InferenceSession | onnx.ModelProto, picture: NDArray[np.uint8]) -> Feed:
    """What a model takes of a picture, ``(H, W, 3)`` uint8 RGB."""
    inputs = model.graph.input if isinstance(model, onnx.ModelProto) else model.get_inputs()
    if inputs[0].name != "luma":
        return {inputs[0].name: picture[np.newaxis]}
    planes = YuvImage.from_rgb(even(picture))
    return {"luma": planes.luma[np.newaxis], "chroma": planes.chroma[np.newaxis]}


def even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the last row or column where there is an odd number of them."""
    height, width = picture.shape[:2]
    return np.ascontiguousarray(picture[: height // 2 * 2, : width // 2 * 2])


@torch.no_grad()
def run_torch(generator: Generator | Upscaler, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same picture through the trained network, as it was trained: floats in, floats out."""
    generator.eval()
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    scale = generator.scale if isinstance(generator, Upscaler) else 1
    height, width = (scale * side for side in picture.shape[:2])
    y = generator(complete(x, generator.stride))[0, :, :height, :width]
    return np.asarray((y.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())


def psnr_db(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures; infinite if they are equal."""
    error = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def check_parity(
    model: onnx.ModelProto, trained: Generator | Upscaler, pictures: Pictures, precision: str
) -> float:
    """Lowest PSNR over the pictures, of a model of luma and chroma to those of what was trained.

    Raises:
        ParityError: it is below the precision's bound.
    """
    session = open_session(model)
    worst = float("inf")
    for picture in pictures:
        if len(session.get_inputs()) == 1:
            expected = run_torch(trained, picture)
        else:
            picture = even(picture)
            expected = YuvImage.from_rgb(run_torch(trained, picture)).pixels
        worst = min(worst, psnr_db(run_session(session, picture), expected))
    least = (MIN_PSNR_OF_UPSCALERS_DB if isinstance(trained, Upscaler) else MIN_PSNR_DB)[precision]
    if worst < least:
        raise ParityError(
            f"{precision}: {worst:.1f} dB from the trained network, "
            f"at least {least:.0f} wanted; nothing was written"
        )
    return worst
