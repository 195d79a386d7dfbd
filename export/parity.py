"""Does the exported file compute what was trained? Asked of real photos, at odd sizes too."""

from collections.abc import Iterable

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from training.networks import Generator
from training.networks.picture import mirror

Pictures = Iterable[NDArray[np.uint8]]

MIN_PSNR_DB = {"float32": 55.0, "float16": 40.0, "int8": 28.0}


class ParityError(Exception):
    """The exported model does not compute what the trained one does."""


def open_session(model: onnx.ModelProto) -> ort.InferenceSession:
    """A session on the CPU."""
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def run_session(session: ort.InferenceSession, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``(H, W, 3)`` uint8 RGB through onnxruntime."""
    (result,) = session.run(None, {session.get_inputs()[0].name: picture[np.newaxis]})
    return np.asarray(result[0], np.uint8)


@torch.no_grad()
def run_torch(generator: Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same picture through the trained network, as it was trained: floats in, floats out."""
    generator.eval()
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    height, width = picture.shape[:2]
    margin = generator.margin
    missing = {"below": -height % generator.stride, "right": -width % generator.stride}
    y = generator.repaint(mirror(x, margin, **missing))
    y = y[0, :, :height, :width]
    return np.asarray((y.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())


def psnr_db(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures; infinite if they are equal."""
    error = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def check_parity(
    model: onnx.ModelProto, expected: Iterable[NDArray[np.uint8]], pictures: Pictures, precision: str
) -> float:
    """Lowest PSNR over the pictures.

    Raises:
        ParityError: it is below the precision's bound.
    """
    session = open_session(model)
    worst = min(psnr_db(run_session(session, p), e) for p, e in zip(pictures, expected, strict=True))
    if worst < MIN_PSNR_DB[precision]:
        raise ParityError(
            f"{precision}: {worst:.1f} dB from the trained network, "
            f"at least {MIN_PSNR_DB[precision]:.0f} wanted; nothing was written"
        )
    return worst
