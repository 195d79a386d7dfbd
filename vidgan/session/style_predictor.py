"""The style vector of a painting, predicted by the universal style model."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.media.cores import cores
from vidgan.media.image import Pixels
from vidgan.models.onnx_file import read_onnx
from vidgan.session.runtime import ort

_FATAL = 4


def predict_style(predictor: Path, painting: Pixels, *, fidelity: float) -> NDArray[np.float32]:
    """Runs the predictor on the CPU, where it takes some tenths of a second.

    Args:
        predictor: its ``.onnx`` file.
        painting: RGB, ``(H, W, 3)`` uint8, of a size that
            :func:`vidgan.models.universal.painting_size.painting_size` returns.
        fidelity: how much of the photo is kept, 0 to 1.

    Returns:
        The style vector, ``(size,)`` float32.

    Raises:
        ModelError: the file is damaged or no predictor, or the vector is not finite.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = cores()
    data = read_onnx(predictor).data
    try:
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        feed = {"painting": painting[np.newaxis], "fidelity": np.full((1, 1), fidelity, np.float32)}
        (vectors,) = session.run(None, feed)
    # onnxruntime's errors share no base class.
    except Exception as exc:
        raise ModelError(f"{predictor}: the style of the image cannot be predicted: {_line(exc)}") from exc
    vector = np.asarray(vectors, np.float32).reshape(-1)
    if not np.isfinite(vector).all():
        raise ModelError(f"{predictor}: found no style in the image")
    return vector


def _line(exc: Exception) -> str:
    return " ".join(str(exc).split())[:200]
