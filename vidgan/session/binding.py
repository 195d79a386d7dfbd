"""Images of one shape, again and again: buffers that stay where they are, on both sides of the bus.

A graph of CUDA's replays what was done once, at the same addresses, with one call instead of one for each
layer; so every set of buffers has its own. Two sets let one image be copied while another is processed.
"""

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numpy as np

from vidgan.errors import ModelError
from vidgan.models.registry import ModelSpec
from vidgan.session.cudart import CudaError, Pinned
from vidgan.session.devices import GPU
from vidgan.session.engines import engine_options
from vidgan.session.inference import Images, failures
from vidgan.session.loading import Loaded, load
from vidgan.session.runtime import ort

T = TypeVar("T")

Shapes = list[tuple[int, ...]]

_SEARCHED = {"cudnn_conv_algo_search": "EXHAUSTIVE"}
"""Tries what is fastest for each convolution, which pays for many images."""

IN_FLIGHT = 2
"""Images: one on its way, one being processed. More would wait, since the device processes one at a time."""


def on_device(work: Callable[[], T]) -> T:
    """Does it on the one thread that asks CUDA to run.

    A graph belongs to the thread that it was captured on, and nothing else may take memory of the device
    meanwhile. Nothing is lost by it, since an image occupies all of a device.
    """
    return _device_thread().submit(work).result()


@cache
def _device_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="vidgan-device")


def bind(spec: ModelSpec, device: GPU, threads: int, shapes: Shapes) -> tuple["FixedShapeSession", list[str]]:
    """The fastest session for such images on the device, and remarks for the user.

    Raises:
        NoMemoryError: there is not enough of it.
        ModelError: onnxruntime fails on these shapes.
    """
    if device == "tensorrt":
        engine = load(spec, device, threads, provider_options=engine_options(spec, shapes))
        return FixedShapeSession(engine, shapes, device="cuda"), []
    try:
        captured = load(spec, device, threads, provider_options=_SEARCHED | {"enable_cuda_graph": "1"})
        return FixedShapeSession(captured, shapes, device="cuda", graphs=True), []
    except ModelError as exc:
        plain = load(spec, device, threads, provider_options=_SEARCHED)
        return FixedShapeSession(plain, shapes, device="cuda"), [f"processed without CUDA graphs: {exc}"]


class FixedShapeSession:
    """A model whose images have one shape.

    Made by :func:`on_device`; may be called from several threads.

    Args:
        shapes: of the images that the model takes.
        device: where the buffers lie, as onnxruntime calls it: ``"cuda"`` or ``"cpu"``.
        graphs: whether the model was loaded to be captured.

    Raises:
        NoMemoryError: there is not enough of it.
        ModelError: onnxruntime fails on these shapes.
    """

    def __init__(self, model: Loaded, shapes: Shapes, *, device: str, graphs: bool = False) -> None:
        self.shapes = shapes
        self._model = model
        self._free: queue.SimpleQueue[_Buffers] = queue.SimpleQueue()
        with failures(model, shapes):
            for number in range(1, IN_FLIGHT + 1):
                buffers = _Buffers(model, shapes, device, number if graphs else None)
                buffers.run()
                self._free.put(buffers)

    def run(self, inputs: list[Images]) -> list[Images]:
        """As :func:`vidgan.session.inference.call`, for images of these shapes."""
        buffers = self._free.get()
        try:
            with failures(self._model, self.shapes):
                buffers.send(inputs)
                on_device(buffers.run)
                return buffers.fetch()
        finally:
            self._free.put(buffers)


class _Buffers:
    """One call's images, before and after."""

    def __init__(self, model: Loaded, shapes: Shapes, device: str, graph: int | None) -> None:
        self._session = model.session
        self._options = ort.RunOptions()
        if graph is not None:
            self._options.add_run_config_entry("gpu_graph_id", str(graph))
        self._inputs = [DeviceBuffer(shape, device) for shape in shapes]
        self._outputs = [DeviceBuffer(model.shape_of(shape), device) for shape in shapes]
        self._binding = model.session.io_binding()
        self._names = model.inputs
        self._captured = graph is not None
        self._bind_inputs()
        for name, place in zip(model.outputs, self._outputs, strict=True):
            self._binding.bind_ortvalue_output(name, place.value)

    def send(self, inputs: list[Images]) -> None:
        for place, images in zip(self._inputs, inputs, strict=True):
            place.send(images)

    def run(self) -> None:
        if not self._captured:
            # What a layer on the other side of the bus takes is copied there as it is bound, and only then.
            self._bind_inputs()
        self._session.run_with_iobinding(self._binding, self._options)

    def fetch(self) -> list[Images]:
        return [place.fetch() for place in self._outputs]

    def _bind_inputs(self) -> None:
        for name, place in zip(self._names, self._inputs, strict=True):
            self._binding.bind_ortvalue_input(name, place.value)


class DeviceBuffer:
    """Memory for images on a device, and how it is reached from here."""

    def __init__(self, shape: tuple[int, ...], device: str) -> None:
        self._shape = shape
        self.value = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, device, 0)
        self._pinned = _pinned(self.value.tensor_size_in_bytes()) if device == "cuda" else None

    def send(self, images: Images) -> None:
        if self._pinned is None:
            self.value.update_inplace(images)
        else:
            self._pinned.send(images, self.value.data_ptr())

    def fetch(self) -> Images:
        if self._pinned is None:
            return np.array(self.value.numpy(), np.uint8)  # On the CPU, what it gives is the buffer itself.
        return self._pinned.fetch(self.value.data_ptr(), self._shape)


def _pinned(size: int) -> Pinned | None:
    """None where the system spares none: then the driver copies by way of its own."""
    try:
        return Pinned(size)
    except CudaError:
        return None
