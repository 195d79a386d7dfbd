"""Masks: where a style applies. A still image for all frames, or a video or folder of images that moves with them."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from vidgan.errors import InputError, InputNotFoundError
from vidgan.media import compositing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels
from vidgan.media.optical_flow import estimate_flow, fetch
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources import is_still, open_source
from vidgan.sources.image import read_image

_OVER_TIME = 1, 2, 3, 2, 1
"""Weights of a mask's frames around the current one: an edge that jumps in one of them hardly shows."""

_KEPT = 48
"""Frames of a mask that are kept: more than there are frames in the making."""

_JUMP_SECONDS = 10.0
"""Distance from which on a seek is worth it."""

_SAME_SHAPE = 0.02

_MOTION_SIDE = 256
"""Long side of the images in which motion is estimated: masks are no finer than their models."""
_UNEXPLAINED = 24
"""Levels of difference from which on the motion does not explain a pixel."""
_ANOTHER = 20
"""The same of a whole image, which is of another scene then."""
_NOTHING = np.zeros((1, 1), np.uint8)


Read = Callable[[Frame], compositing.Matte | None]
"""Makes a mask of a frame; None where the frame does not say where it is."""


@dataclass(frozen=True, eq=False)
class _Entry:
    """The mask of a frame.

    Attributes:
        image: gray and small, to estimate motion with; None for a mask that is not moved.
    """

    seconds: float
    mask: compositing.Matte | None
    image: Pixels | None


class Mask(Protocol):
    """Where a style applies.

    Attributes:
        warnings: remarks for the user.
    """

    @property
    def warnings(self) -> Sequence[str]: ...

    def at(self, frame: Frame) -> compositing.Matte:
        """The mask of a frame, ``(H, W)`` uint8: 255 inside. May be called from several threads."""
        ...


def open_mask(path: Path, info: VideoInfo, *, start: Fraction, feather: float, invert: bool) -> Mask:
    """Opens a mask; white, or what is opaque, is inside.

    Args:
        path: an image, a video, or a folder of images.
        info: the frames that it is for.
        start: seconds of the input at which the frames begin: a mask has the times of the whole input.
        feather: width of the soft edge in percent of the frames' height.
        invert: black is inside.

    Raises:
        InputError: it cannot be read.
    """
    if not path.exists():
        raise InputNotFoundError(f"{path}: no such mask")
    shaping = Shaping((info.width, info.height), feather, invert)
    if is_still(path) and path.is_file():
        return StillMask(path, shaping)
    mask = MovingMask(path, shaping, start=start, rate=info.frame_rate)
    mask.warnings += shaping.remark(path, *mask.first_size)
    return mask


class Shaping:
    """Brings masks to the frames' size, with soft edges."""

    def __init__(self, size: tuple[int, int], feather: float, invert: bool) -> None:
        self.size, self._invert = size, invert
        # Of a stack blur, sides are odd.
        self._side = 2 * round(feather / 100 * size[1] / 2) + 1

    def shape(self, mask: compositing.Matte) -> compositing.Matte:
        if mask.shape[::-1] != self.size:
            how = cv2.INTER_AREA if mask.shape[0] > self.size[1] else cv2.INTER_LINEAR
            mask = np.asarray(cv2.resize(mask, self.size, interpolation=how), np.uint8)
        if self._side > 1:
            mask = np.asarray(cv2.stackBlur(mask, (self._side, self._side)), np.uint8)
        return 255 - mask if self._invert else mask

    def remark(self, path: Path, width: int, height: int) -> Iterator[str]:
        wanted = self.size[0] / self.size[1]
        if abs(width / height / wanted - 1) > _SAME_SHAPE:
            yield f"{path}: is {width}x{height}, of another shape than {self.size[0]}x{self.size[1]}; stretched"


class StillMask:
    """One mask for all frames."""

    def __init__(self, path: Path, shaping: Shaping) -> None:
        image = read_image(path)
        height, width = image.pixels.shape[:2]
        self.warnings = list(shaping.remark(path, width, height))
        if image.damaged:
            self.warnings.append(f"{path}: is damaged; the part that could be decoded was used")
        gray = np.asarray(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        if image.alpha is not None:
            gray = np.asarray(cv2.multiply(gray, image.alpha, scale=1 / 255), np.uint8)
        self._mask = shaping.shape(gray)
        if not self._mask.any():
            self.warnings.append(f"{path}: the mask is empty, so nothing is inside it")

    def at(self, frame: Frame) -> compositing.Matte:
        return self._mask


class MovingMask:
    """A mask for each frame of a video or a folder of images, averaged over a few of them.

    Before its first frame it is that one, after its last frame likewise.

    Args:
        path: of the video or folder.
        shaping: brings masks to the frames' size.
        start: seconds of the video at which the frames that it is for begin.
        rate: of a folder of images.
        read: makes the masks, one after the other, of what the frames show. Masks of the frames around are moved with
            it before they are averaged, and count alone where there is none. None for frames that are masks.
    """

    def __init__(
        self,
        path: Path,
        shaping: Shaping,
        *,
        start: Fraction,
        rate: Fraction | None,
        read: Read | None = None,
    ) -> None:
        self.warnings: list[str] = []
        self._path, self._shaping, self._start = path, shaping, float(start)
        self._read = read
        self._rate = rate if path.is_dir() else None
        self._lock = threading.Lock()
        self._opened = ExitStack()
        self._window: deque[_Entry] = deque(maxlen=_KEPT)
        self._frames: Iterator[_Entry] = iter(())
        self._ended, self._said = False, False
        self._open(None)

    @property
    def first_size(self) -> tuple[int, int]:
        """Width and height of the first mask."""
        first = self._window[0].mask
        return _NOTHING.shape if first is None else (first.shape[1], first.shape[0])

    def at(self, frame: Frame) -> compositing.Matte:
        seconds = frame.pts_seconds + self._start
        # Half a frame of tolerance: two files of one rate round their times differently.
        with self._lock:
            mask = self._averaged(seconds + float(frame.duration * frame.time_base) / 2)
        return self._shaping.shape(mask)

    def _averaged(self, seconds: float) -> compositing.Matte:
        self._advance_to(seconds)
        window = list(self._window)
        current = max((index for index, entry in enumerate(window) if entry.seconds <= seconds), default=0)
        # At the ends fewer, as many on both sides: otherwise a mask that moves would be off its place.
        half = min(len(_OVER_TIME) // 2, current, len(window) - 1 - current)
        middle = len(_OVER_TIME) // 2
        around = [
            (weight, mask)
            for offset, weight in zip(range(-middle, middle + 1), _OVER_TIME, strict=True)
            if abs(offset) <= half
            and (mask := _carried(window[current + offset], window[current])) is not None
        ]
        if not around:
            return _NOTHING
        total = sum(np.float32(weight) * mask for weight, mask in around)
        return np.asarray(np.rint(total / sum(weight for weight, _ in around)), np.uint8)

    def _advance_to(self, seconds: float) -> None:
        """Decodes until the frames around that time are there."""
        first, last = self._window[0].seconds, self._window[-1].seconds
        is_behind = seconds < first and first > self._first
        if is_behind or (seconds > last + _JUMP_SECONDS and not self._ended):
            self._open(max(0.0, seconds - 1.0))
        while (
            not self._ended and sum(entry.seconds > seconds for entry in self._window) < len(_OVER_TIME) // 2
        ):
            self._advance()
        if self._ended and seconds > self._window[-1].seconds + 2 * self._step and not self._said:
            self._said = True
            self.warnings.append(
                f"{self._path}: the mask ends at {self._window[-1].seconds + self._step:.2f} s; "
                "its last frame holds from there on"
            )

    def _advance(self) -> None:
        found = next(self._frames, None)
        if found is None:
            self._ended = True
        else:
            self._window.append(found)

    def _open(self, start: float | None) -> None:
        """Begins to decode at a time, or at the start, up to the first frame."""
        self._opened.close()
        trim = WHOLE if not start else Trim(start=Fraction(start).limit_denominator(1000))
        try:
            source = self._opened.enter_context(open_source(self._path, trim=trim, rate=self._rate))
        except InputNotFoundError:
            raise
        except InputError:
            if not start:
                raise
            self._open(None)
            return
        tick = source.info.time_base
        origin = float(ceil(trim.start / tick) * tick)
        self._step = 1 / float(source.info.frame_rate or 25)
        self._frames = (self._entry(origin + each.pts_seconds, each) for each in source)
        self._window.clear()
        self._ended = False
        self._advance()
        if not start:
            self._first = self._window[0].seconds

    def _entry(self, seconds: float, frame: Frame) -> _Entry:
        if self._read is None:
            return _Entry(seconds, _gray(frame), None)
        scale = min(1.0, _MOTION_SIDE / max(frame.pixels.shape[:2]))
        size = [max(1, round(side * scale)) for side in frame.pixels.shape[1::-1]]
        gray = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY)
        image = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
        return _Entry(seconds, self._read(frame), image)


def _carried(entry: _Entry, current: _Entry) -> compositing.Matte | None:
    """The mask of a frame, moved to where the current frame has what it shows; None where that cannot be known."""
    if entry is current or entry.mask is None or entry.image is None or current.image is None:
        return entry.mask
    flow = estimate_flow(current.image, entry.image, quality="quick")
    differs = np.asarray(cv2.absdiff(current.image, fetch(entry.image, flow)), np.uint8)
    if differs.mean() > _ANOTHER:
        return None  # A cut.
    height, width = entry.mask.shape
    ratio = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    moved = fetch(entry.mask, np.asarray(cv2.resize(flow, (width, height)) * ratio, np.float32))
    if current.mask is None:
        return moved
    unexplained = cv2.resize(differs, (width, height)) > _UNEXPLAINED
    return np.where(unexplained, current.mask, moved)


def _gray(frame: Frame) -> compositing.Matte:
    mask = np.asarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    if frame.alpha is not None:
        mask = np.asarray(cv2.multiply(mask, frame.alpha, scale=1 / 255), np.uint8)
    return mask
