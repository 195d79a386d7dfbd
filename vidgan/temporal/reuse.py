"""Temporal reuse: which frames of a source need the generator, and what stands for the others.

Two kinds of frames do without it. A duplicate shows what the frame before it shows, within coding noise; its output
is the former output. A carried frame lies between the former output and that of the next generated frame: both are
moved along the motion of the source and mixed, mostly the former, and the next where the former does not show a place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.media.optical_flow import Flow, fetch
from vidgan.temporal.motion import Luma, MotionEstimate, estimate_confidence

Reuse = Literal["off", "auto", "2", "3", "4"]
"""``"off"``, or the number of distinct frames in a row of which one is generated."""

REUSE: tuple[Reuse, ...] = get_args(Reuse)

AUTO_INTERVAL = 2
"""Every second frame is generated: ``docs/steadiness.md`` has the figures."""

_LUMA_NOISE = 2
"""Levels by which the small luma of a duplicate differs at most: its pixels are means of several."""

_PIXEL_NOISE = 8
"""Levels by which a byte of a duplicate differs at most."""

_BLOCK = 8
"""Side of the blocks that a codec codes one by one."""

_BLOCK_NOISE = 1.0
"""Mean levels by which a block of a duplicate differs at most; more is a change that can be seen."""

_INVERSION_STEPS = 2
"""Fixed-point steps that invert a flow."""

_TRUSTED = 0.5
"""Confidence from which on a place counts as explained."""

_MOST_UNEXPLAINED = 0.15
"""Share of a frame that neither the former nor the next one shows; with more the frame is generated."""

_MOST_UNEXPLAINED_CHANGE = 1 / 3
"""The same of what changes in it: a subject that moves may be a small share of the frame, and all that is watched."""

_UNSEEN = 0.005
"""Share of a frame that may change without being explained at all."""

_MOST_LAG = 2.0
"""Luma levels by which a frame that is carried forwards may lag where the light changes."""


@dataclass(frozen=True, kw_only=True)
class Carry:
    """How a carried frame lies between the former frame and the next generated one.

    Attributes:
        motion: from the frame to the former one.
        ahead: flow from the frame to the next generated one, on the grid of the motion, ``(h, w, 2)`` float32.
        ahead_confidence: 0 to 1, ``(h, w)`` float32; 0 where the next generated frame does not show the place.
    """

    motion: MotionEstimate
    ahead: Flow
    ahead_confidence: NDArray[np.float32]

    @property
    def is_explained(self) -> bool:
        """Whether the former and the next frame together show enough of the frame, and of what changes in it."""
        return _explains(self.motion, np.maximum(self.motion.confidence, self.ahead_confidence))


def interval_of(reuse: Reuse) -> int:
    """The number of distinct frames in a row of which one is generated; 0 where duplicates are generated too."""
    if reuse == "off":
        return 0
    return AUTO_INTERVAL if reuse == "auto" else int(reuse)


def as_reuse(value: object) -> Reuse:
    """Takes a number for its text.

    Raises:
        ValueError: it is none of :data:`REUSE`.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    for known in REUSE:
        if text == known:
            return known
    raise ValueError(f"reuse must be one of {', '.join(REUSE)}, got {value!r}")


def is_duplicate(former: Frame, former_luma: Luma, current: Frame, current_luma: Luma) -> bool:
    """Whether a frame shows what a former one shows, within coding noise.

    Args:
        former_luma, current_luma: see :func:`vidgan.temporal.motion.flow_luma`.
    """
    if former.size != current.size or former.alpha is not None or current.alpha is not None:
        return False
    # Nearly every frame that is none differs here already.
    if cv2.norm(former_luma, current_luma, cv2.NORM_INF) > _LUMA_NOISE:
        return False
    if isinstance(former.image, YuvImage) and isinstance(current.image, YuvImage):
        one, two = former.image, current.image
        return _alike(one.luma, two.luma) and _alike(one.chroma, two.chroma)
    return _alike(former.pixels, current.pixels)


def _alike(former: NDArray[np.uint8], current: NDArray[np.uint8]) -> bool:
    if cv2.norm(former, current, cv2.NORM_INF) > _PIXEL_NOISE:
        return False
    difference = cv2.absdiff(former, current)
    height, width = difference.shape[:2]
    blocks = max(1, width // _BLOCK), max(1, height // _BLOCK)
    means = cv2.resize(difference.astype(np.float32), blocks, interpolation=cv2.INTER_AREA)
    return float(means.max()) <= _BLOCK_NOISE


def explains(motion: MotionEstimate) -> bool:
    """Whether the former frame alone shows enough of a frame, and of what changes in it, at the light that it has.

    Args:
        motion: from the frame to the former one.
    """
    if motion.scene_cut or float(motion.brightness_change.mean()) > _MOST_LAG:
        return False
    return _explains(motion, motion.confidence)


def _explains(motion: MotionEstimate, confidence: NDArray[np.float32]) -> bool:
    unexplained = confidence < _TRUSTED
    changing = ~motion.static_mask | (motion.confidence < _TRUSTED)
    most = max(_UNSEEN, _MOST_UNEXPLAINED_CHANGE * float(changing.mean()))
    return float(unexplained.mean()) <= min(_MOST_UNEXPLAINED, most)


def carries(lumas: Sequence[Luma | None], motions: Sequence[MotionEstimate | None]) -> list[Carry | None]:
    """How each of some frames in a row can be carried; None for a frame to be generated, as the last one is.

    Frames with a scene cut among them are all generated.

    Args:
        lumas: of the frames, see :func:`vidgan.temporal.motion.flow_luma`.
        motions: of each to the frame before it; None where there is none to compare with.
    """
    known = [each for each in lumas if each is not None]
    comparable = [each for each in motions if each is not None and not each.scene_cut]
    found: list[Carry | None] = [None] * len(lumas)
    if not len(known) == len(comparable) == len(lumas):
        return found
    target = len(known) - 1
    ahead: Flow | None = None
    for index in range(len(known) - 2, -1, -1):
        step = inverse_flow(comparable[index + 1].flow)
        ahead = step if ahead is None else step + fetch(ahead, step)
        confidence = estimate_confidence(known[target], known[index], ahead)
        carry = Carry(motion=comparable[index], ahead=ahead, ahead_confidence=confidence)
        if carry.is_explained:
            found[index] = carry
        else:
            target, ahead = index, None
    return found


def inverse_flow(flow: Flow) -> Flow:
    """The flow from the second frame to the first, given the one from the first to the second.

    It solves ``back(x) = -flow(x + back(x))`` by fixed-point iteration (Chen et al. 2008, "A simple fixed-point
    approach to invert a deformation field"), at a fiftieth of the cost of estimating it.
    """
    back = -flow
    for _ in range(_INVERSION_STEPS):
        back = -fetch(flow, back)
    return np.ascontiguousarray(back, np.float32)
