"""Frames that came out broken are noticed, and processed again with full precision.

A generator that meets numbers which its precision cannot hold gives NaN, which becomes black, or the
same color everywhere, or nothing but the darkest and the brightest. A video may be black or flat itself;
so each painting is compared with its source.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Pixels, YuvImage

FailureKind = Literal["black", "of one color", "saturated"]

_EVERY = 7
"""Step between the pixels of a row, and of a column, that are checked."""

_BLACK = 8
_LIGHT = 24
_FLAT = 2
_LIVELY = 8.0
_CLIPPED = 0.9
_UNCLIPPED = 0.5


class ImageModel(Protocol):
    """The interface of a :class:`vidgan.session.Session`."""

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """RGB ``(N, H, W, 3)`` uint8 → the same."""
        ...

    @property
    def takes_yuv(self) -> bool:
        """Whether :meth:`run_yuv` may be called."""
        ...

    def run_yuv(self, planes: YuvImage) -> YuvImage:
        """One image with even sides → the same."""
        ...


class CheckedModel:
    """A model that checks the output of another, and lets a more precise one repeat what is broken.

    May be called from several threads.

    Args:
        model: the usual one.
        precise: opens the other one, or gives None if there is none; called once, and only when needed.
    """

    def __init__(self, model: ImageModel, precise: Callable[[], ImageModel | None]) -> None:
        self._model = model
        self._open_precise = precise
        self._precise: ImageModel | None = None
        self._opened = False
        self._lock = threading.Lock()
        self._repaired: Counter[FailureKind] = Counter()
        self._left: Counter[FailureKind] = Counter()

    @property
    def warnings(self) -> list[str]:
        """Remarks for the user on broken frames."""
        return [
            *(
                f"{_frames(count)} came out {failure} and had to be processed again with full precision"
                for failure, count in sorted(self._repaired.items())
            ),
            *(
                f"{_frames(count)} came out {failure}, although the input is not; the model cannot do better"
                for failure, count in sorted(self._left.items())
            ),
        ]

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        output = self._model.run(images)
        if images.ndim != 4 or output.ndim != 4:
            return output  # Labels and the like.
        failures = [failure_of(each, source) for each, source in zip(output, images, strict=True)]
        if not any(failures):
            return output
        again = self._again(images)
        with self._lock:
            for index, failure in enumerate(failures):
                if failure is None:
                    continue
                if again is not None and failure_of(again[index], images[index]) is None:
                    output[index] = again[index]
                    self._repaired[failure] += 1
                else:
                    self._left[failure] += 1
        return output

    @property
    def takes_yuv(self) -> bool:
        return self._model.takes_yuv

    def run_yuv(self, planes: YuvImage) -> YuvImage:
        output = self._model.run_yuv(planes)
        source = planes.subsample(_EVERY)
        failure = failure_of(output.subsample(_EVERY), source, every=1)
        if failure is None:
            return output
        again = self._again(planes.pixels[np.newaxis])
        repaired = again is not None and failure_of(again[0, ::_EVERY, ::_EVERY], source, every=1) is None
        with self._lock:
            (self._repaired if repaired else self._left)[failure] += 1
        return YuvImage.from_rgb(again[0]) if again is not None and repaired else output

    def _again(self, images: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        with self._lock:
            if not self._opened:
                self._precise, self._opened = self._open_precise(), True
        return None if self._precise is None else self._precise.run(images)


def failure_of(output: Pixels, source: Pixels, *, every: int = _EVERY) -> FailureKind | None:
    """The failure of an output image, RGB ``(H, W, 3)`` uint8, that is not so in its source.

    Args:
        every: of the pixels of a row and of a column, one in so many is looked at.
    """
    sampled, before = output[::every, ::every], source[::every, ::every]
    if sampled.max() <= _BLACK:
        return "black" if before.mean() > _LIGHT else None
    if np.ptp(sampled, axis=(0, 1)).max() <= _FLAT:
        return "of one color" if before.std(axis=(0, 1)).max() > _LIVELY else None
    if _clipped(sampled) > _CLIPPED:
        return "saturated" if _clipped(before) < _UNCLIPPED else None
    return None


def _clipped(pixels: Pixels) -> float:
    """The share of values that are the darkest or the brightest there are."""
    return float(((pixels == 0) | (pixels == 255)).mean())


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
