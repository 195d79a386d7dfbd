"""The only package that imports onnxruntime: devices, sessions, and what both really are."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import DeviceError, ModelError
from vidgan.media.cores import cores
from vidgan.media.image import YuvImage
from vidgan.media.tiling import BYTES, affordable_pixels, tiles_of
from vidgan.models.registry import ModelSpec
from vidgan.session.binding import IN_FLIGHT, FixedShapeSession, Shapes, bind, on_device
from vidgan.session.devices import (
    DEVICES,
    GPU,
    ONNXRUNTIME_VERSION,
    PROVIDERS,
    Device,
    RealDevice,
    missing_for,
    missing_for_cuda,
    missing_for_tensorrt,
    preferred_precision,
    resolve_device,
)
from vidgan.session.fixed_tiles import run_in_fixed_tiles
from vidgan.session.inference import (
    Images,
    NoMemoryError,
    RecurrentState,
    call,
    in_tiles,
    run_conditioned,
    run_step,
)
from vidgan.session.loading import Loaded, load

__all__ = [
    "DEVICES",
    "ONNXRUNTIME_VERSION",
    "Device",
    "RealDevice",
    "Session",
    "cores",
    "missing_for",
    "missing_for_cuda",
    "missing_for_tensorrt",
    "preferred_precision",
    "resolve_device",
]

_Output = TypeVar("_Output")

_SLOW = 4096
"""Bytes per input pixel of models that take seconds for an image."""

_PARTS = 4
"""Tiles of an image at least, where they are reported: cutting costs a sixth more time then."""

_LARGE = 170 << 20
"""Bytes that might not be there."""

_LEAST_TILE = 1 << 17

_MOST_AT_ONCE = 8
"""Frames in the making around a GPU; each takes memory."""


class Session:
    """One loaded model on one device.

    Args:
        spec: the model; it must take and return images, ``(N, H, W, 3)`` uint8 RGB.
        device: one of :data:`vidgan.session.devices.DEVICES`, or ``"auto"``: CUDA where it comes up, else the CPU.
            On NVIDIA's GPUs, the second of two images of one size is what a video looks like: a graph of CUDA's is
            captured for that size then, or TensorRT's engine built, which takes minutes the first time.
        threads: CPU threads that share one call of :meth:`run`. More shorten a single image;
            one a call, and a call a core, gets more frames done (``workers``).
        tile_pixels: of a tile, at most; None for what the memory at hand affords. See :mod:`vidgan.media.tiling`.

    Attributes:
        device: the device that is really used.
        on_tile: called after each tile of an image with the number of those done and of all. Where it is given, images
            are cut for models that take seconds for one, even if memory would suffice.
        workers: how many frames in the making at a time use the machine well. A GPU processes one after the
            other; meanwhile the CPU converts colors of others and estimates their motion.

    Raises:
        DeviceError: a device was asked for and does not come up.
        ModelError: onnxruntime does not load the model, or it is of another shape.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        device: Device = "auto",
        threads: int = 1,
        tile_pixels: int | None = None,
    ) -> None:
        wanted = resolve_device(device)
        # What comes once, or in tiles, is not worth an engine.
        first: RealDevice = "cuda" if wanted == "tensorrt" else wanted
        self._model = load(spec, first, threads)
        self.spec = spec
        came_up = self._model.session.get_providers()[0] == PROVIDERS[first]
        self.device: RealDevice = wanted if came_up else "cpu"
        if device != "auto" and not came_up:
            raise DeviceError(
                f"{device} did not come up for this model; 'vidgan doctor' says what is missing"
            )
        at_once = cores() // threads
        self.workers = (
            max(1, at_once) if self.device == "cpu" else max(IN_FLIGHT, min(at_once, _MOST_AT_ONCE))
        )
        self.on_tile: Callable[[int, int], None] | None = None
        self._threads = threads
        self._planar: Loaded | None = None
        self._lock = threading.Lock()
        self._tile_pixels = tile_pixels
        self._tiled: str | None = None
        self._binding = threading.Lock()
        self._bound: FixedShapeSession | None = None
        self._last_shapes: Shapes = []
        self._unbindable: Shapes = []
        self._of_binding: list[str] = []

    @property
    def tensors(self) -> tuple[str, str]:
        """Shapes of the model's input and output, uint8, in words, such as ``"(N, H, W, 3)"``."""
        return self._model.tensors

    @property
    def warnings(self) -> list[str]:
        """Remarks for the user on how frames were processed."""
        return [*self._of_binding, *([] if self._tiled is None else [self._tiled])]

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``(N, H, W, 3)`` uint8 RGB, sides of at least 16 → the same, sides ``spec.scale`` times as long.

        Raises:
            ModelError: onnxruntime fails on these images, or returns another shape.
        """
        (output,) = self._run(self._model, [images])
        return output

    @property
    def takes_yuv(self) -> bool:
        """Whether there is a variant of the model for :meth:`run_yuv`, on this device."""
        return self.spec.planar is not None and self.device == "cpu"

    def run_yuv(self, planes: YuvImage) -> YuvImage:
        """As :meth:`run` for one image with even sides, and with less work, since it need not become RGB.

        Raises:
            ModelError: as there, or the variant cannot be loaded.
        """
        inputs = [planes.luma[np.newaxis], planes.chroma[np.newaxis]]
        luma, chroma = self._run(self._loaded_planar(), inputs)
        return YuvImage(luma[0], chroma[0])

    def load_yuv(self) -> None:
        """Loads the variant for :meth:`run_yuv` now, instead of at the first image.

        Raises:
            ModelError: it cannot be loaded.
        """
        self._loaded_planar()

    def _loaded_planar(self) -> Loaded:
        spec = self.spec.planar
        assert spec is not None
        with self._lock:
            if self._planar is None:
                self._planar = load(spec, self.device, self._threads)
            return self._planar

    def step(
        self, images: NDArray[np.uint8], state: RecurrentState | None
    ) -> tuple[NDArray[np.uint8], RecurrentState]:
        """As :meth:`run`, for a stateful model: one image after the other.

        Args:
            images: one, ``(1, H, W)`` or ``(1, H, W, 3)``.
            state: what the call before returned; None where there was none.

        Returns:
            What was processed, and what has to be given next, ``(1, spec.state_channels, H, W)`` float32 with sides up
            to the next multiple of the model's stride.

        Raises:
            ModelError: as of :meth:`run`.
        """
        stride = self.spec.stride
        height, width = (-(-side // stride) * stride for side in images.shape[1:3])
        if state is None:
            state = np.zeros((1, self.spec.state_channels, height, width), np.float32)
        return run_step(self._model, images, state)

    @property
    def conditions(self) -> set[str]:
        """Names of the inputs and outputs beside the image: ``"guides"``, ``"codes"``, ``"state"``."""
        return set(self._model.names)

    def run_conditioned(
        self, images: NDArray[np.uint8], others: Mapping[str, NDArray[Any]]
    ) -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
        """As :meth:`run`, for a model with inputs beside its image; returns its other outputs by name too.

        Args:
            images: ``(N, H, W, 3)`` uint8 RGB.
            others: the other inputs by name, see :attr:`conditions`; the first side of each is N.

        Raises:
            ModelError: as of :meth:`run`.
        """
        return self._done(lambda: run_conditioned(self._model, images, others))

    def _run(self, model: Loaded, inputs: list[Images]) -> list[Images]:
        """In one piece, or in tiles where memory does not suffice for that, or the model takes only those."""
        if model.spec.fixed_size is not None:
            return self._in_fixed_tiles(model, inputs, model.spec.fixed_size)
        height, width = inputs[0].shape[1:3]
        halo = model.halo
        while True:
            affordable = height * width if halo is None else self._affordable(height * width)
            most = affordable if halo is None else self._reported(affordable, height * width)
            tiles = (
                []
                if halo is None or most >= height * width
                else tiles_of(height, width, most, halo, model.grid)
            )
            try:
                if len(tiles) < 2:
                    return self._whole(model, inputs)
                output = self._done(lambda: in_tiles(model, inputs, tiles, self.on_tile))  # noqa: B023
            except NoMemoryError as exc:
                if halo is None or not self._take_less(len(tiles), height * width):
                    raise ModelError(
                        f"{model.spec.file.path}: not enough memory for {width}x{height}"
                    ) from exc
                continue
            if most < affordable:
                return output
            rows, columns = tiles[0].kept
            size = f"{columns.stop - columns.start}x{rows.stop - rows.start}"
            self._tiled = f"for want of memory, processed {width}x{height} in {len(tiles)} tiles of {size}"
            return output

    def _in_fixed_tiles(self, model: Loaded, inputs: list[Images], size: tuple[int, int]) -> list[Images]:
        height, width = inputs[0].shape[1:3]
        field = model.spec.receptive_field
        results, count = run_in_fixed_tiles(
            lambda tile: self._whole(model, tile), inputs, size, field, model.spec.scale
        )
        if (height, width) != size:
            words = "" if field is not None else ", blended, since it looks at the whole of each"
            self._tiled = (
                f"{width}x{height} in {count} of {size[1]}x{size[0]}, which the model takes alone{words}"
            )
        return results

    def _whole(self, model: Loaded, inputs: list[Images]) -> list[Images]:
        bound = None
        if self.device in ("cuda", "tensorrt"):
            bound = self._bound_to([each.shape for each in inputs], self.device)
        return self._done(lambda: call(model, inputs)) if bound is None else bound.run(inputs)

    def _done(self, work: Callable[[], _Output]) -> _Output:
        """On the thread that may."""
        return work() if self.device == "cpu" else on_device(work)

    def _bound_to(self, shapes: Shapes, device: GPU) -> FixedShapeSession | None:
        """The model for images of these shapes, where more than one came."""
        with self._binding:
            again, self._last_shapes = shapes == self._last_shapes, shapes
            if again and shapes != self._unbindable and (self._bound is None or self._bound.shapes != shapes):
                self._bind(shapes, device)
            return self._bound if self._bound is not None and self._bound.shapes == shapes else None

    def _bind(self, shapes: Shapes, device: GPU) -> None:
        self._bound = None  # Its memory may be needed.
        try:
            self._bound, said = on_device(lambda: bind(self.spec, device, self._threads, shapes))
        except NoMemoryError:
            self._unbindable = shapes
            said = ["processed without buffers of its own, for want of the device's memory"]
        self._of_binding += [each for each in said if each not in self._of_binding]

    def _affordable(self, pixels: int) -> int:
        """Pixels of a tile. The system is not asked for small images, and a GPU is asked by trying."""
        with self._lock:
            bytes_each = self.spec.bytes_per_input_pixel or BYTES
            if self.device == "cpu" and self._tile_pixels is None and pixels * bytes_each > _LARGE:
                self._tile_pixels = affordable_pixels(self.workers, bytes_each)
            return pixels if self._tile_pixels is None else self._tile_pixels

    def _reported(self, most: int, pixels: int) -> int:
        """Pixels of a tile where somebody wants to know how far an image is."""
        slow = (self.spec.bytes_per_input_pixel or BYTES) >= _SLOW
        return min(most, max(_LEAST_TILE, pixels // _PARTS)) if self.on_tile is not None and slow else most

    def _take_less(self, tiles: int, pixels: int) -> bool:
        """Halves the tiles; False where they cannot become smaller."""
        with self._lock:
            self._tile_pixels = min(self._tile_pixels or pixels, pixels // max(1, tiles)) // 2
            return self._tile_pixels > _LEAST_TILE
