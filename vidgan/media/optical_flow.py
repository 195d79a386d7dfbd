"""Dense optical flow: where pixels go from one frame to another, and where that cannot be known.

A flow is ``(H, W, 2)`` float32, columns and rows, in pixels: what stands at ``(x, y)`` in the first
frame stands at ``(x + flow[y, x, 0], y + flow[y, x, 1])`` in the second.

The estimator is DIS (Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search") with
variational refinement, as OpenCV has it.
"""

from typing import Any, Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Pixels

Flow = NDArray[np.float32]
BoolMask = NDArray[np.bool_]

_Values = TypeVar("_Values", Pixels, Flow)

Quality = Literal["quick", "medium", "fine"]
_PRESETS = {
    "quick": (cv2.DISOPTICAL_FLOW_PRESET_FAST, 8, 1, 6),
    "medium": (cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, 6, 1, 5),
    "fine": (cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, 25, 5, 3),
}
"""The preset, how often it descends a gradient and refines, and pixels between patches.

The medium preset ends at half the size, the fast one at a quarter: smoothing along its flow leaves 0.69 to 1.04 of the
warping error, and carrying along the fast one's adds a third. Without variational refinement, aerial shots of repeated
things have a third more.
"""

_LEAST_SIDE = 32
"""Shortest side in pixels: in thinner, long images OpenCV's estimator reads out of bounds and ends the process."""


def estimate_flow(first: Pixels, second: Pixels, *, quality: Quality = "fine") -> Flow:
    """The flow from ``first`` to ``second``, both of one size, RGB ``(H, W, 3)`` uint8 or gray ``(H, W)``.

    Args:
        quality: ``"fine"`` to measure with, ``"medium"`` to carry frames with, ``"quick"`` to smooth with.
    """
    # Made anew each time: the estimator keeps what it found last as a first guess for the next.
    preset, descents, refinements, stride = _PRESETS[quality]
    estimator = cv2.DISOpticalFlow.create(preset)
    estimator.setGradientDescentIterations(descents)
    estimator.setVariationalRefinementIterations(refinements)
    estimator.setPatchStride(stride)
    height, width = first.shape[:2]
    below, right = max(0, _LEAST_SIDE - height), max(0, _LEAST_SIDE - width)
    gray: list[Any] = [
        cv2.copyMakeBorder(_gray(each), 0, below, 0, right, cv2.BORDER_REPLICATE) for each in (first, second)
    ]
    nothing: Any = None  # No first guess; OpenCV's stubs know of none.
    return np.asarray(estimator.calc(gray[0], gray[1], nothing)[:height, :width], np.float32)


def fetch(values: _Values, flow: Flow) -> _Values:
    """``values`` of the second frame, brought back to where they stand in the first."""
    how = cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP
    nothing: Any = None  # The flow is one array, not two; OpenCV's stubs know of none such.
    return np.asarray(cv2.remap(values, flow, nothing, how, borderMode=cv2.BORDER_REPLICATE), values.dtype)


def _gray(image: Pixels) -> Pixels:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def untrustworthy(flow: Flow, back: Flow) -> BoolMask:
    """Where ``flow`` leads to what the other frame does not show, or lies on an edge of motion.

    The conditions of Lai et al. 2018 (after Ruder et al. 2016 and Sundaram et al. 2010): occluded where
    there and back again ends elsewhere, ``|w + f|² > 0.01 (|w|² + |f|²) + 0.5`` with ``w`` the way
    back; on a motion boundary where ``|∇f|² > 0.01 |f|² + 0.002``.

    Args:
        flow: from the frame that is asked about to the other.
        back: from the other frame to this one.

    Returns:
        ``(H, W)``, True where a pixel must not be compared or blended.
    """
    columns, rows = cv2.split(flow)
    back_columns, back_rows = cv2.split(fetch(back, flow))
    length = _square(back_columns, back_rows) + _square(columns, rows)
    there_and_back = _square(columns + back_columns, rows + back_rows)
    return np.asarray((there_and_back > 0.01 * length + 0.5) | on_motion_boundary(flow))


def on_motion_boundary(flow: Flow) -> BoolMask:
    """Where one motion meets another, ``|∇f|² > 0.01 |f|² + 0.002``: ``(H, W)``."""
    columns, rows = cv2.split(flow)
    gradient = np.zeros_like(columns)
    gradient[:, :-1] = _square(np.diff(columns), np.diff(rows))
    gradient[:-1] += _square(np.diff(columns, axis=0), np.diff(rows, axis=0))
    return np.asarray(gradient > 0.01 * _square(columns, rows) + 0.002)


def _square(columns: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(columns * columns + rows * rows, np.float32)
